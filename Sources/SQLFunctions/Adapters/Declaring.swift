import Vectors

extension ScalarFunction {
    /// A function of fixed parameter types.
    init(
        _ name: String, aliases: [String] = [], _ parameters: [LogicalType],
        _ result: LogicalType, _ summary: String, example: String, isDeterministic: Bool = true,
        nullsPropagate: Bool = true, canFail: Bool = false, kernel: @escaping Kernel
    ) {
        self.init(
            name: name, aliases: aliases, signature: .fixed(parameters, result: result),
            summary: summary, example: example, isDeterministic: isDeterministic,
            nullsPropagate: nullsPropagate, canFail: canFail, kernel: kernel)
    }

    /// A function whose types follow a rule.
    init(
        _ name: String, aliases: [String] = [], _ signature: Signature, _ summary: String,
        example: String, isDeterministic: Bool = true, nullsPropagate: Bool = true,
        canFail: Bool = false, kernel: @escaping Kernel
    ) {
        self.init(
            name: name, aliases: aliases, signature: signature, summary: summary,
            example: example, isDeterministic: isDeterministic, nullsPropagate: nullsPropagate,
            canFail: canFail, kernel: kernel)
    }
}

extension Signature {
    /// A rule over values only; lambdas never match.
    static func values(
        _ parameters: String, _ result: String,
        _ rule: @escaping @Sendable ([LogicalType]) -> ([LogicalType], LogicalType)?
    ) -> Signature {
        .rule(parameters: parameters, result: result) { arguments in
            var types: [LogicalType] = []
            for argument in arguments {
                guard case .value(let type) = argument else { return nil }
                types.append(type)
            }
            guard let (parameters, result) = rule(types) else { return nil }
            return (parameters.map { .value($0) }, result)
        }
    }

    /// A varchar that keeps its declared length, and further parameters.
    static func keepingLength(_ rest: [LogicalType] = []) -> Signature {
        let text = (["varchar(x)"] + rest.map(\.description)).joined(separator: ", ")
        return .values(text, "varchar(x)") { types in
            guard let first = types.first, types.count == rest.count + 1 else { return nil }
            let own = first.isVarchar ? first : .text
            return ([own] + rest, own)
        }
    }

    /// One number of any type that satisfies `accepts`, and a result made from it; NULL is a `fallback`.
    static func number(
        _ name: String = "number", fallback: LogicalType = .bigint,
        accepts: @escaping @Sendable (LogicalType) -> Bool = { $0.isNumeric },
        rest: [LogicalType] = [],
        result: @escaping @Sendable (LogicalType) -> LogicalType = { $0 }
    ) -> Signature {
        let text = ([name] + rest.map(\.description)).joined(separator: ", ")
        return .values(text, name) { types in
            guard let first = types.first, types.count == rest.count + 1 else { return nil }
            let own = first == .unknown ? fallback : first
            guard accepts(own) else { return nil }
            return ([own] + rest, result(own))
        }
    }
}
