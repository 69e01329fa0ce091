import Iceberg
import JSON
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableFiles
import Vectors

/// DEFAULT of columns: what rows get that an INSERT or MERGE does not name a value for.
///
/// Iceberg keeps it as the column's `write-default`; a column that is added with one has it as
/// `initial-default` too, which is what rows have that were there before. Both came with format version 3.
/// Source: Iceberg specification, "Default values".
extension StatementRun {
    /// A written default as the table keeps it; nil for NULL. Throws INVALID_DEFAULT_COLUMN_VALUE for one
    /// that is no value of the column.
    func defaultValue(
        _ written: Expression, of field: NestedField
    ) throws(QueryFault) -> JSONValue? {
        guard let stored = field.type.primitive, let type = IcebergTypes.sqlType(field.type) else {
            throw QueryFault(
                .notSupported, "Default values of type \(field.type) are not supported",
                span: written.span)
        }
        let (value, own) = try evaluate(written)
        if value == .null { return nil }
        guard own.coerces(to: type) || own.isNumeric && type.isNumeric || own.isText && type.isText
        else {
            throw QueryFault(
                .typeMismatch,
                "Default column value of \(field.name) is \(own), but must be \(type)",
                hint: "write a literal of the column's type", span: written.span)
        }
        let cast = BoundExpression.cast(.literal(value, own), to: type, isSafe: false)
        let converted: LiteralValue
        do throws(QueryFault) {
            converted = try ExpressionEvaluator(session: session).evaluate(cast)
        } catch {
            throw QueryFault(
                .invalidDefaultColumnValue,
                "Default column value of \(field.name) is not valid: \(error.message)",
                hint: error.hint, span: written.span, cause: error)
        }
        guard let literal = storedLiteral(converted, stored) else {
            throw QueryFault(
                .invalidDefaultColumnValue,
                "Default column value of \(field.name) cannot be stored as \(type)",
                span: written.span)
        }
        return literal.json
    }

    /// Throws NOT_SUPPORTED for tables of versions that know no defaults.
    static func requireDefaults(_ formatVersion: Int, _ node: any SyntaxNode) throws(QueryFault) {
        if formatVersion >= 3 { return }
        throw QueryFault(
            .notSupported,
            "Default column values are not supported for Iceberg table format version \(formatVersion)",
            hint: "make it a table WITH (format_version = 3)", span: node.span)
    }

    /// ALTER COLUMN … SET DEFAULT and DROP DEFAULT; `written` is nil for the latter. Rows that are there
    /// keep what they have.
    func setDefault(
        _ table: IcebergTable, _ path: QualifiedName, _ written: Expression?
    ) throws(QueryFault) {
        guard path.parts.count == 1 else {
            throw QueryFault(
                .notSupported, "Default values of fields in rows are not supported",
                span: path.span)
        }
        try alter(table) { metadata throws(QueryFault) in
            if let written { try Self.requireDefaults(metadata.formatVersion, written) }
            var evolution = SchemaEvolution(metadata)
            try evolution.update(path) { field throws(QueryFault) in
                field.writeDefault = try written.flatMap { value throws(QueryFault) in
                    try self.defaultValue(value, of: field)
                }
            }
            return evolution.updates
        }
    }
}

/// Defaults of columns as values and as text.
enum ColumnDefault {
    /// The value that a field's JSON stands for; nil where there is none.
    static func value(of field: NestedField, _ type: LogicalType) -> LiteralValue? {
        guard let json = field.writeDefault, !json.isNull, let stored = field.type.primitive,
            let literal = Literal(json: json, type: stored)
        else { return nil }
        return IcebergTypes.value(literal, as: type).map(literalValue)
    }

    /// The default as a literal of SQL; nil where there is none.
    static func text(_ column: TableColumn) -> String? {
        guard let value = column.defaultValue else { return nil }
        let cast = BoundExpression.cast(.literal(value, column.type), to: .text, isSafe: false)
        let evaluator = ExpressionEvaluator(session: SessionValues(startMicroseconds: 0))
        switch (value, column.type) {
        case (.bytes(let bytes), .varbinary):
            let digits = bytes.map { byte in
                let text = String(byte, radix: 16, uppercase: true)
                return text.count == 1 ? "0" + text : text
            }
            return "X'\(digits.joined())'"
        default: break
        }
        guard case .bytes(let bytes)? = try? evaluator.evaluate(cast) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        switch column.type {
        case .boolean, .tinyint, .smallint, .integer, .bigint: return text
        case .date: return "DATE '\(text)'"
        case .time: return "TIME '\(text)'"
        case .timestamp, .timestampWithTimeZone: return "TIMESTAMP '\(text)'"
        case .uuid: return "UUID '\(text)'"
        case .decimal: return "DECIMAL '\(text)'"
        case .real: return "REAL '\(text)'"
        case .double: return "DOUBLE '\(text)'"
        default: return SQLFormatter.quoted(string: text)
        }
    }
}
