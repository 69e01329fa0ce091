import CivilTime
import SQLFunctions
package import Vectors

extension BoundExpression: CustomStringConvertible {
    /// The expression with columns as `#7`, for people.
    package var description: String { text { "#\($0.number)" } }

    /// A text that is the same for equal expressions alone: with the types of literals and calls, since
    /// NULL, `1` and `f(1)` are written alike in many of them.
    package var identity: String { text({ "#\($0.number)" }, isTyped: true) }

    /// The expression with names for its columns, for EXPLAIN.
    package func text(_ name: (ColumnID) -> String) -> String { text(name, isTyped: false) }

    private func text(_ name: (ColumnID) -> String, isTyped: Bool) -> String {
        func inner(_ expression: BoundExpression) -> String {
            expression.text(name, isTyped: isTyped)
        }
        func list(_ expressions: [BoundExpression], _ separator: String = ", ") -> String {
            expressions.map(inner).joined(separator: separator)
        }
        switch self {
        case .literal(let value, let type):
            return isTyped ? "\(value.text(as: type)):\(type)" : value.text(as: type)
        case .column(let id, _): return name(id)
        case .arithmetic(let op, let left, let right, _):
            return "(\(inner(left)) \(op.rawValue) \(inner(right)))"
        case .negate(let operand): return "(-\(inner(operand)))"
        case .comparison(let op, let left, let right):
            return "(\(inner(left)) \(op.rawValue) \(inner(right)))"
        case .and(let terms): return "(\(list(terms, " AND ")))"
        case .or(let terms): return "(\(list(terms, " OR ")))"
        case .not(let operand): return "(NOT \(inner(operand)))"
        case .isNull(let operand): return "(\(inner(operand)) IS NULL)"
        case .inList(let operand, let values): return "(\(inner(operand)) IN (\(list(values))))"
        case .like(let operand, let pattern, let escape):
            let tail = escape.map { " ESCAPE \(inner($0))" } ?? ""
            return "(\(inner(operand)) LIKE \(inner(pattern))\(tail))"
        case .cast(let operand, let type, let isSafe):
            return "\(isSafe ? "TRY_CAST" : "CAST")(\(inner(operand)) AS \(type))"
        case .caseWhen(let branches, let otherwise, _):
            let parts = branches.map { "WHEN \(inner($0.condition)) THEN \(inner($0.value))" }
            let tail = otherwise.map { " ELSE \(inner($0))" } ?? ""
            return "(CASE \(parts.joined(separator: " "))\(tail) END)"
        case .coalesce(let terms, _): return "COALESCE(\(list(terms)))"
        case .tryEvaluate(let operand): return "TRY(\(inner(operand)))"
        case .call(let resolved, let arguments):
            let call = "\(resolved.function.name)(\(list(arguments)))"
            return isTyped ? "\(call):\(resolved.result)" : call
        case .lambda(let parameters, let body):
            return "(\(parameters.map { name($0.0) }.joined(separator: ", "))) -> \(inner(body))"
        case .row(let terms, _): return "ROW(\(list(terms)))"
        case .array(let terms, _): return "ARRAY[\(list(terms))]"
        case .field(let operand, let index, _): return "\(inner(operand))[\(index + 1)]"
        }
    }
}

extension LiteralValue {
    /// The value as a SQL literal of its type.
    package func text(as type: LogicalType) -> String {
        switch (self, type) {
        case (.null, _): return "NULL"
        case (.boolean(let value), _): return value ? "true" : "false"
        case (.integer(let days), .date):
            return Int32(exactly: days).map { "DATE '\(CivilFormat.date($0))'" } ?? "\(days)"
        case (.integer(let value), .timestamp(let precision)):
            return "TIMESTAMP '\(CivilFormat.timestamp(value, precision: min(precision, 6)))'"
        case (.integer(let value), .decimal(_, let scale)):
            return LiteralValue.decimalText(Int128(value), scale: scale)
        case (.wide(let value), .decimal(_, let scale)):
            return LiteralValue.decimalText(value, scale: scale)
        case (.integer(let months), .intervalYearToMonth):
            return "INTERVAL '\(CivilInterval.months(months).text)' YEAR TO MONTH"
        case (.integer(let milliseconds), .intervalDayToSecond):
            return "INTERVAL '\(CivilInterval.milliseconds(milliseconds).text)' DAY TO SECOND"
        case (.integer(let value), _): return "\(value)"
        case (.wide(let value), _): return "\(type) '\(value)'"
        case (.double(let bits), _): return "\(Double(bitPattern: bits))e0"
        case (.bytes(let bytes), .varbinary):
            let digits = Array("0123456789abcdef")
            return "X'" + String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
                + "'"
        case (.bytes(let bytes), _):
            let quoted = String(decoding: bytes, as: UTF8.self).split(
                separator: "'", omittingEmptySubsequences: false
            ).joined(separator: "''")
            return "'\(quoted)'"
        case (.list(let values), _):
            let element = type.children.first ?? .unknown
            return "ARRAY[\(values.map { $0.text(as: element) }.joined(separator: ", "))]"
        case (.map(let keys, let values), _):
            let types = type.children + [.unknown, .unknown]
            return "MAP(\(LiteralValue.list(keys).text(as: .array(types[0]))), "
                + "\(LiteralValue.list(values).text(as: .array(types[1]))))"
        case (.row(let values), _):
            let types = type.children
            let fields = values.enumerated().map { index, value in
                value.text(as: index < types.count ? types[index] : .unknown)
            }
            return "ROW(\(fields.joined(separator: ", ")))"
        }
    }

    private static func decimalText(_ value: Int128, scale: Int) -> String {
        var digits = String(value.magnitude)
        if scale > 0 {
            while digits.utf8.count <= scale { digits = "0" + digits }
            let point = digits.index(digits.endIndex, offsetBy: -scale)
            digits = digits[..<point] + "." + digits[point...]
        }
        return (value < 0 ? "-" : "") + digits
    }
}
