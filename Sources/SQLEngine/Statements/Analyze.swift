import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Synchronization
import Vectors

extension StatementRun {
    /// ANALYZE: counts the different values of columns and keeps the counts with the table, for SHOW STATS
    /// and for the order of joins. The other statistics are written with each data file.
    func analyze(
        _ name: QualifiedName, _ properties: [Property]
    ) throws(QueryFault) -> StatementOutcome {
        let tableName = try self.tableName(name)
        _ = try writable(tableName.catalog, schema: tableName.schema, name)
        guard let table = try table(tableName, name) else {
            throw QueryFault(.tableNotFound, "Table '\(tableName)' does not exist", span: name.span)
        }
        try require(.tableInsert, on: tableName)
        try requireWholeTable(tableName, name)
        let wanted = try analyzedColumns(properties, of: tableName)
        var fields: [NestedField] = []
        for (index, field) in table.fields.enumerated() {
            let isWanted = wanted?.contains(field.name.lowercased()) ?? true
            if isWanted, table.columns[index].type.isComparable, field.type.primitive != nil {
                fields.append(field)
            }
        }
        for column in wanted ?? []
        where !table.fields.contains(where: { $0.name.lowercased() == column }) {
            throw QueryFault(
                .invalidAnalyzeProperty, "Invalid columns specified for analysis: [\(column)]",
                hint: suggestion(column, table.fields.map(\.name)), span: name.span)
        }
        let counts = fields.map { "approx_distinct(\(SQLFormatter.quoted(name: $0.name)))" }
        let text =
            "SELECT " + (["count(*)"] + counts).joined(separator: ", ") + " FROM "
            + [tableName.catalog, tableName.schema, tableName.table]
            .map { SQLFormatter.quoted(name: $0) }.joined(separator: ".")
        guard case .query(let query) = try bind(Self.parse(text)) else {
            throw QueryFault(.genericInternalError, "ANALYZE is no query")
        }
        let found = Mutex<[Int64]>([])
        try execute(query.plan, columns: query.columns.map(\.id)) { chunk throws(QueryFault) in
            guard chunk.activeCount > 0 else { return }
            let row = chunk.row(0)
            let numbers = (0..<chunk.columnCount).map {
                chunk.columns[$0].isValid(row) ? chunk.columns[$0].value(row, as: Int64.self) : 0
            }
            found.withLock { $0 = numbers }
        }
        let numbers = found.withLock { $0 }
        guard numbers.count == fields.count + 1 else {
            throw QueryFault(.genericInternalError, "ANALYZE counted nothing")
        }
        try alter(table) { metadata throws(QueryFault) in
            var known = DistinctCounts(metadata)
            for (field, count) in zip(fields, numbers.dropFirst()) {
                known.byField[field.id] = count
            }
            return [.setProperties([DistinctCounts.property: known.text])]
        }
        return .done(updateType: "ANALYZE", count: numbers[0])
    }

    /// Refuses those who see only a part of the table: what they count would be taken for the whole.
    private func requireWholeTable(
        _ tableName: TableName, _ name: QualifiedName
    ) throws(QueryFault) {
        guard
            case .table(_, let decision) = try catalogs.resolve(
                context, tableName, version: .current, span: name.span), decision.isRestricted
        else { return }
        throw QueryFault(
            .permissionDenied,
            "Access Denied: Cannot analyze table \(tableName): you see only a part of it",
            hint: decision.restriction, span: name.span)
    }

    /// The names of `WITH (columns = ARRAY['a', 'b'])`; nil for all columns.
    private func analyzedColumns(
        _ properties: [Property], of name: TableName
    ) throws(QueryFault) -> [String]? {
        var columns: [String]?
        for property in properties {
            guard property.name.description == "columns", let value = property.value else {
                throw QueryFault(
                    .invalidAnalyzeProperty,
                    "Catalog '\(name.catalog)' analyze property '\(property.name)' does not exist",
                    hint: suggestion(property.name.description, ["columns"]), span: property.span)
            }
            guard case (.list(let items), _) = try evaluate(value) else {
                throw QueryFault(
                    .invalidAnalyzeProperty, "columns takes an array of names", span: value.span)
            }
            columns = items.compactMap { item in
                guard case .bytes(let bytes) = item else { return nil }
                return String(decoding: bytes, as: UTF8.self).lowercased()
            }
        }
        return columns
    }
}

/// How many different values columns have, as ANALYZE found it: a property of the table.
///
///     lakehouse.distinct-counts = 1:25,2:1000          field id : count
struct DistinctCounts {
    static let property = "lakehouse.distinct-counts"
    var byField: [Int32: Int64] = [:]

    init(_ metadata: TableMetadata) {
        for pair in (metadata.properties[Self.property] ?? "").split(separator: ",") {
            let halves = pair.split(separator: ":")
            guard halves.count == 2, let id = Int32(halves[0]), let count = Int64(halves[1]) else {
                continue
            }
            byField[id] = count
        }
    }

    var text: String {
        byField.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
    }
}
