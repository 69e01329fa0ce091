import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// The SQL/JSON forms as calls of the functions behind them.
extension ExpressionBinder {
    func json(_ expression: Expression) throws(QueryFault) -> BoundExpression {
        let span = expression.span
        switch expression.kind {
        case .jsonExists(let path, let onError):
            return try call(
                "$json_exists",
                try jsonArguments(path, span) + [.string((onError ?? .isFalse).rawValue)], span)
        case .jsonValue(let path, let clauses):
            return try jsonValue(try jsonArguments(path, span), clauses, span)
        case .jsonQuery(let path, let clauses):
            return try jsonQuery(try jsonArguments(path, span), clauses, span)
        case .jsonObject(let members, let clauses):
            var keys: [BoundExpression] = []
            for member in members { keys.append(try bind(member.key).coerced(to: .text)) }
            let values = try jsonInputs(members.map(\.input), span)
            let object = try call(
                "$json_object",
                [
                    .array(keys, type: .array(.text)), .array(values, type: .array(.json)),
                    .literal(.boolean(clauses.nullOnNull ?? true), .boolean),
                    .literal(.boolean(clauses.uniqueKeys ?? false), .boolean),
                ], span)
            return try returning(object, clauses.returning, span)
        case .jsonArray(let inputs, let clauses):
            let array = try call(
                "$json_array",
                [
                    .array(try jsonInputs(inputs, span), type: .array(.json)),
                    .literal(.boolean(clauses.nullOnNull ?? false), .boolean),
                ], span)
            return try returning(array, clauses.returning, span)
        default: throw .analysis(.notSupported, "This JSON form is not supported", span)
        }
    }

    /// The first four arguments of the functions behind the forms: JSON, path, names and values.
    func jsonArguments(
        _ path: JSONPathInvocation, _ span: SourceSpan
    ) throws(QueryFault) -> [BoundExpression] {
        let bound = try bind(path.input.value)
        let input =
            bound.type == .json || bound.type == .varbinary ? bound : bound.coerced(to: .text)
        return [input, .string(path.path)] + (try jsonPassing(path, span))
    }

    /// The names and values of PASSING. A name that is not quoted is upper case, as the standard has it.
    func jsonPassing(
        _ path: JSONPathInvocation, _ span: SourceSpan
    ) throws(QueryFault) -> [BoundExpression] {
        let names = path.passing.map { parameter in
            BoundExpression.string(
                parameter.name.isDelimited ? parameter.name.text : parameter.name.text.uppercased())
        }
        return [
            .array(names, type: .array(.text)),
            .array(try jsonInputs(path.passing.map(\.input), span), type: .array(.json)),
        ]
    }

    /// JSON_VALUE over bound arguments; a scalar that RETURNING's type does not take is an error, for
    /// which ON ERROR says what to do.
    func jsonValue(
        _ arguments: [BoundExpression], _ clauses: JSONValueClauses, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        func behavior(_ choice: JSONValueBehavior?) throws(QueryFault) -> [BoundExpression] {
            switch choice {
            case .error?: [.string("ERROR"), .null(.text)]
            case .value(let value)?:
                [.string("DEFAULT"), try cast(try bind(value), .text, false, span)]
            case .null?, nil: [.string("NULL"), .null(.text)]
            }
        }
        let value = try call(
            "$json_value",
            arguments + (try behavior(clauses.onEmpty)) + (try behavior(clauses.onError)), span)
        guard let name = clauses.returning else { return value }
        let type = try LogicalType(name)
        switch clauses.onError {
        case .error?: return try cast(value, type, false, span)
        case .null?, nil: return try cast(value, type, true, span)
        case .value(let otherwise)?:
            let converted = try cast(value, type, true, span)
            let fallback = try cast(try bind(otherwise), type, false, span)
            return .caseWhen(
                [WhenBranch(condition: .isNull(value), value: .null(type))],
                otherwise: .coalesce([converted, fallback], type: type), type: type)
        }
    }

    func jsonQuery(
        _ arguments: [BoundExpression], _ clauses: JSONQueryClauses, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let value = try call(
            "$json_query",
            arguments + [
                .string((clauses.wrapper ?? .without).rawValue),
                .string(clauses.keepsQuotes == false ? "OMIT" : "KEEP"),
                .string((clauses.onEmpty ?? .null).rawValue),
                .string((clauses.onError ?? .null).rawValue),
            ], span)
        return try returning(value, clauses.returning, span)
    }

    private func returning(
        _ value: BoundExpression, _ type: TypeName?, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard let type else { return value }
        return try cast(value, LogicalType(type), false, span)
    }

    private func jsonInputs(
        _ inputs: [JSONInput], _ span: SourceSpan
    ) throws(QueryFault) -> [BoundExpression] {
        var result: [BoundExpression] = []
        for input in inputs {
            let bound = try bind(input.value)
            // Text that says FORMAT JSON is JSON already; other values become it.
            if input.format != nil, registry.isScalar("json_parse") {
                result.append(try call("json_parse", [bound], span))
            } else {
                result.append(try cast(bound, .json, false, span))
            }
        }
        return result
    }
}

extension BoundExpression {
    /// A text literal.
    static func string(_ value: String) -> BoundExpression {
        .literal(.bytes(Array(value.utf8)), .text)
    }
}
