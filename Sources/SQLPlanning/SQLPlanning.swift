// SQLPlanning: binder, logical plan, optimizer rules. Pure.
//
//     Statement (SQLSyntax) ──binder──▶ BoundStatement with a LogicalPlan ──optimizer──▶ LogicalPlan
//
// The binder resolves names and types, inlines views, row filters and column masks (so nothing
// downstream can forget them), and turns every subquery into joins: a plan holds no correlated
// reference. Columns are named by `ColumnID`, unique in a plan; an operator's output is a list of them.
// The optimizer is a list of rules over plans, then a cost-based join order from the statistics that
// tables offer. EXPLAIN prints what came out.
//
// What a table is comes through `PlannedTable`, which `SQLEngine` implements; what a view is through
// `CatalogView`. Both are asked with the caller's `RequestContext`.
