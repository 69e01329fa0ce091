package import SQLFunctions
package import SQLSyntax
package import Vectors

/// Types of Trino that the engine does without, and what stands in for them.
private let refusedTypes = [
    "number": "use decimal(38, s) or double",
    "variant": "use json",
    "color": "compute the colors where they are drawn",
    "p4hyperloglog": "use HyperLogLog",
    "kdbtree": "join on st_contains or st_intersects",
    "multiset": "use array(T)",
]

extension LogicalType {
    /// The type that a written one means. Throws TYPE_NOT_FOUND.
    package init(_ written: TypeName) throws(QueryFault) {
        guard let type = try LogicalType.resolve(written) else {
            if case .named(let name, _) = written.kind, let hint = refusedTypes[name.lowercased()] {
                throw .analysis(
                    .notSupported, "Type \(name.lowercased()) is not supported", written.span,
                    hint: hint)
            }
            throw .analysis(
                .typeMismatch, "Unknown type: \(LogicalType.text(written))", written.span)
        }
        self = type
    }

    private static func resolve(_ written: TypeName) throws(QueryFault) -> LogicalType? {
        switch written.kind {
        case .intervalYearToMonth: return .intervalYearToMonth
        case .intervalDayToSecond: return .intervalDayToSecond
        case .row(let fields):
            var result: [RowField] = []
            for field in fields {
                result.append(RowField(name: field.name?.text, type: try LogicalType(field.type)))
            }
            return .row(result)
        case .dateTime(let kind, let precision, let withTimeZone):
            var digits = 3
            if let precision {
                guard case .number(let number) = precision, number >= 0, number <= 12 else {
                    return nil
                }
                digits = number
            }
            switch (kind, withTimeZone) {
            case (.time, false): return .time(precision: digits)
            case (.time, true): return .timeWithTimeZone(precision: digits)
            case (.timestamp, false): return .timestamp(precision: digits)
            case (.timestamp, true): return .timestampWithTimeZone(precision: digits)
            }
        case .named(let name, let arguments):
            var types: [LogicalType] = []
            for argument in arguments {
                if case .type(let type) = argument { types.append(try LogicalType(type)) }
            }
            if name == "array", types.count == 1, arguments.count == 1 { return .array(types[0]) }
            if name == "map", types.count == 2, arguments.count == 2 {
                return .map(key: types[0], value: types[1])
            }
            guard types.isEmpty || name == "qdigest" else { return nil }
            return LogicalType(parsing: text(written))
        }
    }

    private static func text(_ written: TypeName) -> String {
        guard case .named(let name, let arguments) = written.kind else { return "type" }
        if arguments.isEmpty { return name }
        let inner = arguments.map { argument in
            switch argument {
            case .number(let number): "\(number)"
            case .type(let type): text(type)
            }
        }
        return "\(name)(\(inner.joined(separator: ", ")))"
    }
}
