// SQLFunctions: scalar, aggregate, window and table functions, with their documentation. Pure.
//
// A function is one declaration: names, parameter and result types, a summary, an example, and for
// scalar ones the kernel. The `FunctionRegistry` answers the binder (which function is meant by a name
// and argument types, with which coercions) and the listings (SHOW FUNCTIONS, completion). Aggregates
// and window functions are declared here; their states and loops live in `SQLExecution`.
//
//     name + argument types ──▶ FunctionRegistry.resolve ──▶ ResolvedScalar: coerced parameters, result
//     vectors ──▶ kernel(KernelCall) ──▶ result vector; a failure is left in the `EvaluationContext`
//
// Kernels never throw and never trap on data: they record a fault in the context, which the evaluator
// tests once a vector. `QueryFault` is the fault of the whole SQL engine, with Trino's error names.
// Source: Trino documentation, "Functions and operators"; `reference/trino-dialect.md`.
