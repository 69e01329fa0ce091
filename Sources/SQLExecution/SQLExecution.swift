// SQLExecution: physical operators, pipelines, morsels, memory, spill.
//
//     LogicalPlan ──PhysicalPlanner──▶ pipelines, in the order of their dependencies
//     pipeline = source ─▶ operators ─▶ sink;  a finished sink is a later pipeline's source
//
// `QueryExecution` runs a plan: it owns the query's workers (parked threads), its memory budget, its
// spill directory and its statistics, and pushes result chunks into a `ResultSink`, which may block.
//
// A pipeline is run by all workers at once. Each builds its own chain of operators and takes morsels
// from one counter. Between morsels and chunks it looks at the cancellation and at failures of others.
// Kernels never throw: they leave a fault in the worker's `EvaluationContext`, tested once a chunk.
//
// Expressions/  bound expressions compiled to steps over registers, one dispatch a vector
// Filters/      predicates that narrow selections; filters that a scan evaluates on dictionaries
// Casts/        conversions between types by Trino's rules
// Rows/         row layouts: packed keys, partitioned arenas, how values are kept past their chunk
// Operators/    filter, project, join, sort, top-N, limit, unnest, …
// Aggregates/   the group table and the states of all aggregate functions
// Windows/      partitions, frames, window functions
// Spill/        rows and chunks as compressed files that live as long as the query
// Scan/         what a table must offer to be read: `ExecutableTable`, `ScanRequest`, `MorselSource`
// Pipelines/    workers, regions, the physical planner
//
// Memory: everything that grows reserves from the query's `MemoryBudget`. Sinks spill partitions when
// the budget runs low; a query that cannot go on within its limit fails with
// EXCEEDED_LOCAL_MEMORY_LIMIT. Source for the shape and its measurements: `reference/engine-blueprint.md`.
