// SQLPlanning: binder, logical plan, optimizer rules. Pure.
//
//     Statement (SQLSyntax) ──binder──▶ BoundStatement with a LogicalPlan ──optimizer──▶ LogicalPlan
//
// The binder resolves names and types, inlines views, row filters and column masks (so nothing
// downstream can forget them), and turns every subquery into joins: a plan holds no correlated
// reference. Columns are named by `ColumnID`, unique in a plan; an operator's output is a list of them.
// The optimizer is a list of rules over plans, then a cost-based join order from the statistics that
// tables offer. EXPLAIN (`PlanPrinter`) prints what came out; `PlanChecker` says after each rule of a
// debug build whether the plan still holds together.
//
// In the order of use:
//     Binder/         `Binder` over scopes: FROM, SELECT, GROUP BY, windows, subqueries, DML
//     Decorrelation/  subqueries as joins: conditions are pulled up (`PredicatePullUp`), else the domain
//                     of outer values is pushed down (`DomainPushDown`)
//     Optimizer/      fold, simplify, push predicates, sink semi joins, order joins, limits, prune
//     Estimates/      rows and distinct values of every node
//
// Rules of a plan: an id is produced once on a path from a leaf to the root, but a projection or group
// key may pass one on; what stands above reads outputs by id, so the order of outputs matters nowhere.
// A node may give more columns than its parent reads. `values` and `project` may have no columns: they
// still have rows. Text of growing length (varchar(3) where varchar is expected) needs no cast.
//
// What a table is comes through `PlannedTable`, which `SQLEngine` implements; what a view is through
// `CatalogView`. Both are asked with the caller's `RequestContext`.
