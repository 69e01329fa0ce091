package import Diagnostics
package import Vectors

/// Answers which function is meant by a name and argument types.
package struct FunctionRegistry: Sendable {
    private let scalars: [String: [ScalarFunction]]
    private let aggregates: [String: [AggregateFunction]]
    /// All functions by canonical name, for SHOW FUNCTIONS and completion.
    package let allScalars: [ScalarFunction]
    package let allAggregates: [AggregateFunction]

    /// The functions of the product.
    package static let standard = FunctionRegistry(
        scalars: ScalarAreas.lists.flatMap { $0 },
        aggregates: AggregateDeclarations.all + WindowDeclarations.all)

    /// A registry over these functions, their aliases included.
    package init(scalars: [ScalarFunction], aggregates: [AggregateFunction]) {
        var byName: [String: [ScalarFunction]] = [:]
        for function in scalars {
            for name in [function.name] + function.aliases {
                byName[name, default: []].append(function)
            }
        }
        var aggregatesByName: [String: [AggregateFunction]] = [:]
        for function in aggregates {
            for name in [function.name] + function.aliases {
                aggregatesByName[name, default: []].append(function)
            }
        }
        self.scalars = byName
        self.aggregates = aggregatesByName
        allScalars = scalars
        allAggregates = aggregates
    }

    /// Whether a name is an aggregate or window function.
    package func isAggregate(_ name: String) -> Bool { aggregates[name] != nil }

    /// Whether a name stands only with OVER.
    package func isWindowOnly(_ name: String) -> Bool {
        aggregates[name].map { $0.allSatisfy(\.isWindowOnly) } ?? false
    }

    package func isScalar(_ name: String) -> Bool { scalars[name] != nil }

    /// Chooses a scalar function. Throws FUNCTION_NOT_FOUND with Trino's sentence and the candidates.
    package func resolveScalar(
        _ name: String, _ arguments: [ArgumentType], span: SourceSpan? = nil
    ) throws(QueryFault) -> ResolvedScalar {
        guard let candidates = scalars[name] else { throw unknown(name, span) }
        let matches = candidates.map { match($0.signature, arguments) }
        guard let best = Self.best(matches, arguments) else {
            throw Self.unexpected(
                name, arguments, candidates.map(\.signature), span)
        }
        return ResolvedScalar(
            function: candidates[best.index], parameters: best.match.parameters,
            result: best.match.result)
    }

    /// Chooses an aggregate or window function.
    package func resolveAggregate(
        _ name: String, _ arguments: [LogicalType], span: SourceSpan? = nil
    ) throws(QueryFault) -> ResolvedAggregate {
        guard let candidates = aggregates[name] else { throw unknown(name, span) }
        let types = arguments.map { ArgumentType.value($0) }
        let matches = candidates.map { match($0.signature, types) }
        guard let best = Self.best(matches, types) else {
            throw Self.unexpected(name, types, candidates.map(\.signature), span)
        }
        return ResolvedAggregate(
            function: candidates[best.index],
            parameters: best.match.parameters.map { parameter in
                if case .value(let type) = parameter { type } else { .unknown }
            },
            result: best.match.result)
    }

    /// Functions of Trino that the engine does without, and what stands in for them.
    private static let refused: [String: String] = {
        let arrays = "use array_agg and the functions of arrays"
        let classifiers = "fit a model with CREATE MODEL and ask it with predict"
        let colors = "compute the colors where they are drawn"
        var found: [String: String] = [:]
        for name in ["collect", "fusion", "intersection"] { found[name] = arrays }
        for name in [
            "features", "classify", "regress", "learn_classifier", "learn_regressor",
            "learn_libsvm_classifier", "learn_libsvm_regressor",
        ] { found[name] = classifiers }
        for name in ["rgb", "color", "render", "bar"] { found[name] = colors }
        return found
    }()

    private func unknown(_ name: String, _ span: SourceSpan?) -> QueryFault {
        if let hint = Self.refused[name] {
            return .analysis(
                .notSupported, "Function '\(name)' is not supported", span, hint: hint)
        }
        let names = Array(scalars.keys) + Array(aggregates.keys)
        let near = nearestName(to: name, among: names.filter { !$0.hasPrefix("$") }.sorted())
        return .analysis(
            .functionNotFound, "Function '\(name)' not registered", span,
            hint: near.map { "did you mean \($0)?" })
    }

    private static func unexpected(
        _ name: String, _ arguments: [ArgumentType], _ signatures: [Signature], _ span: SourceSpan?
    ) -> QueryFault {
        let given = arguments.map(\.text).joined(separator: ", ")
        var seen: Set<String> = []
        let expected = signatures.map { "\(name)(\($0.parameterText))" }.filter {
            seen.insert($0).inserted
        }
        return .analysis(
            .functionNotFound,
            "Unexpected parameters (\(given)) for function \(name). Expected: "
                + expected.joined(separator: ", "), span)
    }
}

extension QueryFault {
    /// A fault of analysis: the message begins with Trino's `line L:C: `.
    package static func analysis(
        _ code: Code, _ message: String, _ span: SourceSpan?, hint: String? = nil
    ) -> QueryFault {
        let place = span.map { "line \($0.line):\($0.column): " } ?? ""
        return QueryFault(code, place + message, hint: hint, span: span)
    }
}

extension ArgumentType {
    /// As error messages print it.
    package var text: String {
        switch self {
        case .value(let type): type.description
        case .lambda: "function"
        }
    }
}

extension Signature {
    /// Parameter types as SHOW FUNCTIONS prints them.
    package var parameterText: String {
        switch self {
        case .fixed(let types, _): types.map(\.description).joined(separator: ", ")
        case .rule(let parameters, _, _): parameters
        }
    }

    /// The result type as SHOW FUNCTIONS prints it.
    package var resultText: String {
        switch self {
        case .fixed(_, let result): result.description
        case .rule(_, let result, _): result
        }
    }
}
