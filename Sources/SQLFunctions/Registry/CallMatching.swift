import Vectors

extension FunctionRegistry {
    /// A signature that takes the arguments, with what they become.
    struct Match {
        var parameters: [ParameterType]
        var result: LogicalType
    }

    /// What the arguments become under a signature; nil when it does not take them.
    func match(_ signature: Signature, _ arguments: [ArgumentType]) -> Match? {
        switch signature {
        case .fixed(let types, let result):
            guard types.count == arguments.count else { return nil }
            for (type, argument) in zip(types, arguments) {
                guard case .value(let given) = argument, given.coerces(to: type) else { return nil }
            }
            return Match(parameters: types.map { .value($0) }, result: result)
        case .rule(_, _, let rule):
            guard let (parameters, result) = rule(arguments), parameters.count == arguments.count
            else { return nil }
            for (parameter, argument) in zip(parameters, arguments) {
                switch (parameter, argument) {
                case (.value(let type), .value(let given)):
                    guard given.coerces(to: type) else { return nil }
                case (.lambda(let types, _), .lambda(let count, _)):
                    guard types.count == count else { return nil }
                default: return nil
                }
            }
            return Match(parameters: parameters, result: result)
        }
    }

    /// The best of several: fewest arguments that change, then the most specific parameters.
    static func best(
        _ matches: [Match?], _ arguments: [ArgumentType]
    ) -> (index: Int, match: Match)? {
        var best: (index: Int, match: Match, changes: Int)?
        for (index, match) in matches.enumerated() {
            guard let match else { continue }
            let changes = zip(match.parameters, arguments).count { parameter, argument in
                guard case .value(let type) = parameter, case .value(let given) = argument else {
                    return false
                }
                return given != .unknown && !given.hasSameValues(as: type)
            }
            guard let current = best else {
                best = (index, match, changes)
                continue
            }
            if changes < current.changes
                || changes == current.changes && isMoreSpecific(match, than: current.match)
            {
                best = (index, match, changes)
            }
        }
        return best.map { ($0.index, $0.match) }
    }

    /// Whether every parameter of the one coerces to the other's and not the other way round.
    private static func isMoreSpecific(_ match: Match, than other: Match) -> Bool {
        var strictly = false
        for (parameter, otherParameter) in zip(match.parameters, other.parameters) {
            guard case .value(let type) = parameter, case .value(let otherType) = otherParameter
            else { continue }
            guard type.coerces(to: otherType) else { return false }
            if !otherType.coerces(to: type) { strictly = true }
        }
        return strictly
    }
}
