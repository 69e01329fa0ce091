import Vectors

// Kernels from closures over values. The evaluator has taken rows with NULL arguments out where NULLs
// propagate; a body that throws leaves its fault in the context and the row NULL.

extension KernelCall {
    /// Calls `body` for each active row.
    @inline(__always) func forEachRow(_ body: (Int) -> Void) {
        if let selection {
            for index in 0..<activeCount { body(Int(selection[index])) }
        } else {
            for row in 0..<activeCount { body(row) }
        }
    }

    /// An argument's values.
    @inline(__always) func input<Value: KernelInput>(_ index: Int, as: Value.Type = Value.self)
        -> Input<Value>
    { Input(arguments[index]) }

    var argumentCount: Int { argumentTypes.count }

    /// Records what a body threw.
    func fail(_ error: any Error) {
        let fault =
            error as? QueryFault ?? QueryFault(.genericInternalError, "\(error)", cause: error)
        context.fail(fault)
    }

    /// Stores what `body` gives for each active row.
    @inline(__always) func rows<Result: KernelOutput>(_ body: (Int) throws -> Result) {
        let output = Output(self)
        forEachRow { row in
            do { Result.store(try body(row), row, output) } catch {
                fail(error)
                output.setNull(row)
            }
        }
    }

    @inline(__always) func unary<A: KernelInput, Result: KernelOutput>(
        _ body: (A) throws -> Result
    ) {
        let first = input(0, as: A.self)
        rows { row in try body(first[row]) }
    }

    @inline(__always) func binary<A: KernelInput, B: KernelInput, Result: KernelOutput>(
        _ body: (A, B) throws -> Result
    ) {
        let first = input(0, as: A.self)
        let second = input(1, as: B.self)
        rows { row in try body(first[row], second[row]) }
    }

    @inline(__always)
    func ternary<A: KernelInput, B: KernelInput, C: KernelInput, Result: KernelOutput>(
        _ body: (A, B, C) throws -> Result
    ) {
        let first = input(0, as: A.self)
        let second = input(1, as: B.self)
        let third = input(2, as: C.self)
        rows { row in try body(first[row], second[row], third[row]) }
    }
}

/// A kernel of no argument that looks at the call, such as `version()`.
@inline(__always) func nullary<Result: KernelOutput>(
    _ body: @escaping @Sendable (KernelCall) throws -> Result
) -> ScalarFunction.Kernel {
    { call in call.rows { _ in try body(call) } }
}

/// A kernel of one value.
@inline(__always) func unary<A: KernelInput, Result: KernelOutput>(
    _ body: @escaping @Sendable (A) throws -> Result
) -> ScalarFunction.Kernel {
    { call in call.unary(body) }
}

/// A kernel of two values.
@inline(__always) func binary<A: KernelInput, B: KernelInput, Result: KernelOutput>(
    _ body: @escaping @Sendable (A, B) throws -> Result
) -> ScalarFunction.Kernel {
    { call in call.binary(body) }
}

/// A kernel of three values.
@inline(__always)
func ternary<A: KernelInput, B: KernelInput, C: KernelInput, Result: KernelOutput>(
    _ body: @escaping @Sendable (A, B, C) throws -> Result
) -> ScalarFunction.Kernel {
    { call in call.ternary(body) }
}

/// A failure on a value.
func invalid(_ message: String, hint: String? = nil) -> QueryFault {
    QueryFault(.invalidFunctionArgument, message, hint: hint)
}

/// A result that its type does not hold.
func outOfRange(_ message: String) -> QueryFault {
    QueryFault(.numericValueOutOfRange, message)
}
