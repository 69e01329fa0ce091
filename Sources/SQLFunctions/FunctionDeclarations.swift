package import Vectors

/// A scalar function: what it is called, what it takes and gives, how it computes.
package struct ScalarFunction: Sendable {
    /// Computes a function over one chunk: reads the arguments of the call, fills its result.
    package typealias Kernel = @Sendable (KernelCall) -> Void

    /// The canonical name, lower case.
    package let name: String
    package let aliases: [String]
    package let signature: Signature
    package let summary: String
    package let example: String
    /// Same input, same output: may be folded and evaluated once an entry of a dictionary.
    package let isDeterministic: Bool
    /// Whether NULL in any argument gives NULL: the evaluator then skips such rows.
    package let nullsPropagate: Bool
    /// Whether it can fail on data: such calls are evaluated only for active rows.
    package let canFail: Bool
    package let kernel: Kernel

    package init(
        name: String, aliases: [String] = [], signature: Signature, summary: String,
        example: String,
        isDeterministic: Bool = true, nullsPropagate: Bool = true, canFail: Bool = false,
        kernel: @escaping Kernel
    ) {
        self.name = name
        self.aliases = aliases
        self.signature = signature
        self.summary = summary
        self.example = example
        self.isDeterministic = isDeterministic
        self.nullsPropagate = nullsPropagate
        self.canFail = canFail
        self.kernel = kernel
    }
}

/// What an argument is before coercion.
package enum ArgumentType: Sendable, Hashable {
    case value(LogicalType)
    /// A lambda with so many parameters; `result` is nil while its body is not bound yet.
    case lambda(parameterCount: Int, result: LogicalType? = nil)
}

/// What a parameter becomes once a signature is chosen.
package enum ParameterType: Sendable, Hashable {
    case value(LogicalType)
    /// A lambda over these types; `result` is nil where the body decides (a type variable).
    case lambda(parameters: [LogicalType], result: LogicalType?)
}

/// How a function's types are matched: fixed parameter types, or a rule.
package enum Signature: Sendable {
    /// These types exactly (after implicit coercions).
    case fixed([LogicalType], result: LogicalType)
    /// A rule: from argument types to parameter types and the result; nil where it does not apply.
    /// `text` is what SHOW FUNCTIONS prints, as in `array(T), T` and `boolean`.
    case rule(
        parameters: String, result: String,
        @Sendable ([ArgumentType]) -> (parameters: [ParameterType], result: LogicalType)?)
}

/// A scalar function that was chosen for a call.
package struct ResolvedScalar: Sendable {
    package let function: ScalarFunction
    package let parameters: [ParameterType]
    /// For functions whose result depends on a lambda's body, the binder resolves a second time with
    /// the body's type known.
    package let result: LogicalType

    package init(function: ScalarFunction, parameters: [ParameterType], result: LogicalType) {
        self.function = function
        self.parameters = parameters
        self.result = result
    }
}

/// An aggregate or window function; its states live in the executor, which switches on `kind`.
package struct AggregateFunction: Sendable {
    package let name: String
    package let aliases: [String]
    package let signature: Signature
    package let summary: String
    package let example: String
    /// Whether it may only stand with OVER (`rank`, `lag`).
    package let isWindowOnly: Bool
    /// Whether the order of input matters (`array_agg`, `listagg`).
    package let isOrderSensitive: Bool

    package init(
        name: String, aliases: [String] = [], signature: Signature, summary: String,
        example: String,
        isWindowOnly: Bool = false, isOrderSensitive: Bool = false
    ) {
        self.name = name
        self.aliases = aliases
        self.signature = signature
        self.summary = summary
        self.example = example
        self.isWindowOnly = isWindowOnly
        self.isOrderSensitive = isOrderSensitive
    }
}

/// An aggregate that was chosen for a call. The executor knows it by `function.name` and the types.
package struct ResolvedAggregate: Sendable {
    package let function: AggregateFunction
    package let parameters: [LogicalType]
    package let result: LogicalType

    package init(function: AggregateFunction, parameters: [LogicalType], result: LogicalType) {
        self.function = function
        self.parameters = parameters
        self.result = result
    }
}
