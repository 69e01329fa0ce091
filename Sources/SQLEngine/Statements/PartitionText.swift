import Diagnostics
import Iceberg
import SQLFunctions
import SQLSyntax

/// Partition fields and sort keys as table properties write them: `bucket(id, 16)`, `ts DESC NULLS LAST`.
/// Source: Trino documentation, "Iceberg connector, Table properties".
enum PartitionText {
    /// One element of `partitioning`. Throws INVALID_TABLE_PROPERTY.
    static func field(_ text: String, in schema: Schema) throws(QueryFault) -> PartitionSpec.Field {
        let (function, arguments) = try call(text)
        let column = try source(arguments[0], text, in: schema)
        let name = schema.name(of: column.id) ?? column.name
        func numbered() throws(QueryFault) -> Int32 {
            guard arguments.count == 2, let number = Int32(arguments[1]), number > 0 else {
                throw invalid(text, "it takes a column and a positive number")
            }
            return number
        }
        if arguments.count > 1, function != "bucket", function != "truncate" {
            throw invalid(text, "it takes one column")
        }
        let (transform, suffix): (Transform, String) =
            switch function {
            case nil: (.identity, "")
            case "year": (.year, "_year")
            case "month": (.month, "_month")
            case "day": (.day, "_day")
            case "hour": (.hour, "_hour")
            case "bucket": (.bucket(try numbered()), "_bucket")
            case "truncate": (.truncate(try numbered()), "_trunc")
            case "void": (.void, "_null")
            case let other?:
                throw invalid(
                    text, "there is no transform \(other)",
                    hint: suggestion(
                        other, ["year", "month", "day", "hour", "bucket", "truncate"]))
            }
        guard let type = column.type.primitive, transform.resultType(for: type) != nil else {
            throw invalid(text, "the column's type cannot be partitioned so")
        }
        return PartitionSpec.Field(
            sourceID: column.id, fieldID: 0, name: name + suffix, transform: transform)
    }

    /// The elements of a spec as a spec; ids are those of a new table.
    static func spec(_ texts: [String], in schema: Schema) throws(QueryFault) -> PartitionSpec {
        var fields: [PartitionSpec.Field] = []
        for text in texts {
            var field = try field(text, in: schema)
            field.fieldID = PartitionSpec.lastReservedFieldID + 1 + Int32(fields.count)
            fields.append(field)
        }
        return PartitionSpec(specID: 0, fields: fields)
    }

    /// A spec as `partitioning` writes it; fields that are no more are left out.
    static func texts(_ spec: PartitionSpec, in schema: Schema) -> [String] {
        spec.fields.compactMap { field in
            guard let name = schema.name(of: field.sourceID) else { return nil }
            let column = quoted(name.lowercased())
            switch field.transform {
            case .identity: return column
            case .year: return "year(\(column))"
            case .month: return "month(\(column))"
            case .day: return "day(\(column))"
            case .hour: return "hour(\(column))"
            case .bucket(let count): return "bucket(\(column), \(count))"
            case .truncate(let width): return "truncate(\(column), \(width))"
            case .void: return nil
            case .unknown(let name): return "\(name)(\(column))"
            }
        }
    }

    // MARK: Sort order

    /// The elements of `sorted_by`.
    static func order(_ texts: [String], in schema: Schema) throws(QueryFault) -> SortOrder {
        var fields: [SortOrder.Field] = []
        for text in texts {
            var (name, rest) = try leadingName(text)
            var direction = SortOrder.Direction.ascending
            if rest.first == "asc" {
                rest.removeFirst()
            } else if rest.first == "desc" {
                direction = .descending
                rest.removeFirst()
            }
            // NULLs lie where Iceberg puts them by itself: below every value.
            var nulls = direction == .ascending ? SortOrder.NullOrder.first : .last
            if rest.count == 2, rest[0] == "nulls", rest[1] == "first" || rest[1] == "last" {
                nulls = rest[1] == "first" ? .first : .last
                rest = []
            }
            guard rest.isEmpty else {
                throw invalid(text, "write a column, ASC or DESC, NULLS FIRST or LAST")
            }
            let column = try source(name, text, in: schema)
            guard column.type.primitive != nil else {
                throw invalid(text, "nested columns have no order")
            }
            name = column.name
            fields.append(
                SortOrder.Field(
                    sourceID: column.id, transform: .identity, direction: direction,
                    nullOrder: nulls))
        }
        return SortOrder(orderID: fields.isEmpty ? 0 : 1, fields: fields)
    }

    /// An order as `sorted_by` writes it; keys with transforms are left out.
    static func texts(_ order: SortOrder, in schema: Schema) -> [String] {
        order.fields.compactMap { field in
            guard field.transform == .identity, let name = schema.name(of: field.sourceID) else {
                return nil
            }
            let direction = field.direction == .ascending ? "ASC" : "DESC"
            let nulls = field.nullOrder == .first ? "FIRST" : "LAST"
            return "\(quoted(name.lowercased())) \(direction) NULLS \(nulls)"
        }
    }

    // MARK: Reading

    /// `name` or `name(argument, …)`; without a function name for a plain column.
    private static func call(_ text: String) throws(QueryFault) -> (String?, [String]) {
        let trimmed = trim(text)
        guard trimmed.last == ")", !trimmed.hasPrefix("\""), let open = trimmed.firstIndex(of: "(")
        else { return (nil, [trimmed]) }
        let name = trim(String(trimmed[..<open])).lowercased()
        let inside = trimmed[trimmed.index(after: open)...].dropLast()
        // A number stands behind the last comma; a quoted column may hold commas.
        if name == "bucket" || name == "truncate", let comma = inside.lastIndex(of: ",") {
            return (
                name,
                [
                    trim(String(inside[..<comma])),
                    trim(String(inside[inside.index(after: comma)...])),
                ]
            )
        }
        return (name, [trim(String(inside))])
    }

    /// The column at the beginning and the lower-case words behind it.
    private static func leadingName(_ text: String) throws(QueryFault) -> (String, [String]) {
        let trimmed = trim(text)
        var end = trimmed.endIndex
        if trimmed.hasPrefix("\"") {
            var index = trimmed.index(after: trimmed.startIndex)
            end = index
            while index < trimmed.endIndex {
                let next = trimmed.index(after: index)
                if trimmed[index] == "\"" {
                    guard next < trimmed.endIndex, trimmed[next] == "\"" else {
                        end = next
                        break
                    }
                    index = trimmed.index(after: next)
                } else {
                    index = next
                }
            }
        } else if let space = trimmed.firstIndex(where: { $0 == " " || $0 == "\t" }) {
            end = space
        }
        let words = trimmed[end...].split(whereSeparator: { $0 == " " || $0 == "\t" })
        return (String(trimmed[..<end]), words.map { $0.lowercased() })
    }

    private static func source(
        _ written: String, _ text: String, in schema: Schema
    ) throws(QueryFault) -> NestedField {
        var name = written
        if name.count >= 2, name.hasPrefix("\""), name.hasSuffix("\"") {
            name = name.dropFirst().dropLast().split(
                separator: "\"\"", omittingEmptySubsequences: false
            ).joined(separator: "\"")
        }
        guard let field = schema.field(named: name) else {
            throw invalid(
                text, "there is no column \(name)",
                hint: suggestion(name, schema.fields.map(\.name)))
        }
        return field
    }

    private static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 || $0 == 46
        }
        if isPlain { return name }
        return "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    private static func trim(_ text: String) -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" }
        return String(text.drop(while: blank).reversed().drop(while: blank).reversed())
    }

    private static func invalid(_ text: String, _ why: String, hint: String? = nil) -> QueryFault {
        QueryFault(
            .invalidTableProperty, "Unable to parse partitioning or sort value '\(text)': \(why)",
            hint: hint)
    }
}
