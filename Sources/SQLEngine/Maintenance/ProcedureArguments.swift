import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

/// Named and positional arguments of a table procedure, with their types. All are optional.
struct ProcedureArguments {
    struct Value {
        var literal: LiteralValue
        var expression: Expression
    }

    private let values: [String: Value]

    /// Throws INVALID_ARGUMENTS for a name that is none of `parameters`, for one given twice, and for
    /// positional arguments that are too many.
    init(
        _ arguments: [FunctionCall.Argument], _ parameters: [String], of procedure: String,
        in run: StatementRun
    ) throws(QueryFault) {
        var values: [String: Value] = [:]
        for (position, argument) in arguments.enumerated() {
            let name: String
            if let named = argument.name {
                guard parameters.contains(named.canonical) else {
                    throw QueryFault(
                        .invalidArguments, "Unknown argument name: \(named.canonical)",
                        hint: suggestion(named.canonical, parameters)
                            ?? "\(procedure) takes \(parameters.joined(separator: ", "))",
                        span: named.span)
                }
                name = named.canonical
            } else {
                guard position < parameters.count else {
                    throw QueryFault(
                        .invalidArguments, "Too many arguments for procedure \(procedure)",
                        span: argument.value.span)
                }
                name = parameters[position]
            }
            guard values[name] == nil else {
                throw QueryFault(
                    .invalidArguments, "Duplicate argument: \(name)", span: argument.value.span)
            }
            values[name] = Value(
                literal: try run.evaluate(argument.value).0, expression: argument.value)
        }
        self.values = values
    }

    func text(_ name: String) throws(QueryFault) -> String? {
        guard let value = values[name] else { return nil }
        guard case .bytes(let bytes) = value.literal else { throw wrong(name, value, "a varchar") }
        return String(decoding: bytes, as: UTF8.self)
    }

    func flag(_ name: String) throws(QueryFault) -> Bool? {
        guard let value = values[name] else { return nil }
        guard case .boolean(let flag) = value.literal else { throw wrong(name, value, "a boolean") }
        return flag
    }

    /// A number from 1.
    func count(_ name: String) throws(QueryFault) -> Int? {
        guard let value = values[name] else { return nil }
        guard case .integer(let number) = value.literal, number > 0, number <= Int64(Int32.max)
        else { throw wrong(name, value, "a number above 0") }
        return Int(number)
    }

    func duration(_ name: String) throws(QueryFault) -> MaintenanceDuration? {
        guard let text = try text(name), let value = values[name] else { return nil }
        guard let duration = MaintenanceDuration(text) else {
            throw QueryFault(
                .invalidProcedureArgument,
                "Unable to set procedure property '\(name)' to ['\(text)']: duration is not a valid "
                    + "data duration string: \(text)", hint: "write it as 7d or 36h",
                span: value.expression.span)
        }
        return duration
    }

    /// A moment: a timestamp, with or without a zone; without one it is of the session's zone.
    func moment(_ name: String, in run: StatementRun) throws(QueryFault) -> Int64? {
        guard let value = values[name] else { return nil }
        let type: TypeName
        do throws(SQLSyntaxError) {
            type = try SQLParser.type("timestamp(6) with time zone")
        } catch {
            throw QueryFault(.genericInternalError, error.message, cause: error)
        }
        let cast = Expression(
            .cast(value.expression, type, isTry: false), place: value.expression.place)
        guard case .wide(let packed) = try run.evaluate(cast).0 else {
            throw wrong(name, value, "a timestamp")
        }
        return Int64(truncatingIfNeeded: packed >> 64)
    }

    func isGiven(_ name: String) -> Bool { values[name] != nil }

    private func wrong(_ name: String, _ value: Value, _ wanted: String) -> QueryFault {
        QueryFault(
            .invalidArguments, "Argument '\(name)' takes \(wanted)", span: value.expression.span)
    }
}
