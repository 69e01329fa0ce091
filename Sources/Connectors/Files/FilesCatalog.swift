import Authority
import Diagnostics
import JSON
import ObjectStorage
import SQLEngine
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLite
import TextTables
import Vectors

/// Schemas and external tables that SQL defines; the files stay where they are, and stay when a table is
/// dropped.
///
/// Reading asks for the right to the table, as with any table. Whoever defines one must be allowed to
/// read the files themselves; and files of governed tables, of which a reader sees only a part, are
/// refused to that reader here too.
final class FilesCatalog: ChangeableCatalog {
    /// What all catalogs of the connector share.
    struct Shared: Sendable {
        let database: Database
        let store: any ObjectStore
        let authorizer: any Authorizer
        let governance: (any TableGovernance)?
        /// What looking into text files may take.
        let budget: MemoryBudget
    }

    let connector = "files"
    let isOpen = false
    private let name: String
    private let shared: Shared

    init(name: String, _ shared: Shared) {
        self.name = name
        self.shared = shared
    }

    // MARK: Names

    func schemas(_ context: RequestContext) throws(QueryFault) -> [String] {
        try stored(name) {
            try shared.database.read { tx in
                let own = try tx.query(
                    "SELECT name FROM external_schemas WHERE catalog = ? ORDER BY name", name
                ) { $0.string(0) }
                return own.contains("default") ? own : ["default"] + own
            }
        }
    }

    func relations(
        _ context: RequestContext, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)] {
        try stored(name) {
            try shared.database.read { tx in
                try tx.query(
                    """
                    SELECT name FROM external_tables WHERE catalog = ? AND schema_name = ?
                    ORDER BY name
                    """, name, schema
                ) { ($0.string(0), false) }
            }
        }
    }

    private func definition(_ table: TableName) throws(QueryFault) -> ExternalDefinition? {
        try stored("\(table)") {
            let text = try shared.database.read { tx in
                try tx.text(
                    """
                    SELECT definition FROM external_tables
                    WHERE catalog = ? AND schema_name = ? AND name = ?
                    """, name, table.schema, table.table)
            }
            return try text.map { try ExternalDefinition($0) }
        }
    }

    func table(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> (any PlannedTable)? {
        guard let definition = try definition(name) else { return nil }
        var files = try found(definition)
        let wanted = definition.partitions.count
        files.removeAll { $0.partition.count != wanted }
        try refuseGoverned(context, files)
        return ExternalTable(
            name: name, columns: definition.columns, partitions: definition.partitions,
            files: files, format: definition.format, store: shared.store)
    }

    // MARK: Files

    /// The table's files as they are now. Names that begin with `_` or `.` are others' notes.
    private func found(_ definition: ExternalDefinition) throws(QueryFault) -> [ExternalFile] {
        let (bucket, prefix) = try ExternalDefinition.place(definition.location)
        var files: [ExternalFile] = []
        var after: String?
        while true {
            let page: [ObjectDescription]
            do throws(ObjectStoreError) {
                page = try shared.store.list(
                    bucket: bucket, prefix: prefix, after: after, limit: 1000)
            } catch {
                throw QueryFault(
                    .externalSourceError, "the files cannot be listed: \(definition.location)",
                    hint: error.hint, cause: error)
            }
            for object in page where object.sizeBytes > 0 {
                let path = object.location.key.dropFirst(prefix.count)
                let levels = path.split(separator: "/", omittingEmptySubsequences: false)
                if levels.contains(where: { $0.hasPrefix("_") || $0.hasPrefix(".") }) { continue }
                let file = try Self.file(object, levels.dropLast(), definition.partitions)
                if let file { files.append(file) }
            }
            guard files.count <= Limits.files else {
                throw QueryFault(
                    .genericInsufficientResources,
                    "the table has more than \(Limits.files) files: \(definition.location)",
                    hint: "make one table for each of its parts")
            }
            guard page.count == 1000, let last = page.last else { return files }
            after = last.location.key
        }
    }

    /// A file with what its path says of the partition columns; nil for one outside of any partition.
    private static func file(
        _ object: ObjectDescription, _ levels: ArraySlice<Substring>, _ columns: [TableColumn]
    ) throws(QueryFault) -> ExternalFile? {
        guard !columns.isEmpty else { return ExternalFile(description: object) }
        var values: [LiteralValue] = []
        var texts: [String] = []
        for column in columns {
            let level = levels.first { level in
                level.split(separator: "=", maxSplits: 1).first.map { $0.lowercased() }
                    == column.name && level.contains("=")
            }
            guard let level else { return nil }
            let text = unescaped(level.drop { $0 != "=" }.dropFirst())
            texts.append("\(column.name)=\(text)")
            guard let value = value(text, column.type) else {
                throw QueryFault(
                    .externalSourceError,
                    "a path has a value that is no \(column.type): \(object.location)",
                    hint: "move the file, or define \(column.name) as varchar")
            }
            values.append(value)
        }
        return ExternalFile(
            description: object, partition: values, partitionText: texts.joined(separator: "/"))
    }

    /// What Hive writes for NULL.
    private static let nullPartition = "__HIVE_DEFAULT_PARTITION__"

    private static func value(_ text: String, _ type: LogicalType) -> LiteralValue? {
        if text == nullPartition { return .null }
        if type.isVarchar { return .bytes(Array(text.utf8)) }
        let buffer = ColumnBuffer(type: type, capacity: 1)
        let heap = Arena(budget: MemoryBudget(limitBytes: 1 << 16))
        var copy = text
        let isStored = copy.withUTF8 {
            (try? TextValue.store($0, into: buffer, row: 0, heap: heap)) ?? false
        }
        guard isStored else { return nil }
        let vector = buffer.vector
        switch vector.physical {
        case .bool: return .boolean(vector.value(0, as: UInt8.self) != 0)
        case .int32: return .integer(Int64(vector.value(0, as: Int32.self)))
        case .int64: return .integer(vector.value(0, as: Int64.self))
        case .int128: return .wide(vector.value(0, as: Int128.self))
        case .double: return .double(bits: vector.value(0, as: Double.self).bitPattern)
        case .string, .list, .row: return nil
        }
    }

    /// `a%20b` as `a b`.
    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Throws for a reader who sees only a part of a table whose files these are.
    private func refuseGoverned(
        _ context: RequestContext, _ files: [ExternalFile]
    ) throws(QueryFault) {
        guard let governance = shared.governance, context.audience.kind != .system else { return }
        for file in files {
            let location = file.description.location
            let closed = governance.restriction(
                of: context.audience, tenant: context.tenant, bucket: location.bucket,
                key: location.key, own: nil)
            guard let closed else { continue }
            throw QueryFault(
                .permissionDenied,
                "Access Denied: the table has files of another table, which you see only a part of",
                hint: closed.reason)
        }
    }

    // MARK: Definitions

    private func require(
        _ context: RequestContext, _ action: Action, _ kind: Resource.Kind, _ path: [String]
    ) throws(QueryFault) {
        do throws(AccessDenied) {
            try shared.authorizer.require(
                context, action, Resource(tenant: context.tenant, kind: kind, path: path))
        } catch {
            throw QueryFault(
                .permissionDenied, "Access Denied: \(error.message)", hint: error.reason,
                cause: error)
        }
    }

    func createSchema(_ context: RequestContext, _ schema: String) throws(QueryFault) -> Bool {
        try require(context, .namespaceCreate, .namespace, [name, schema])
        guard !schema.isEmpty, schema.utf8.count <= Limits.nameBytes else {
            throw QueryFault(.invalidArguments, "not a schema's name: \(schema)")
        }
        guard try !schemas(context).contains(schema) else { return false }
        return try stored(schema) {
            try shared.database.write { tx in
                try tx.run(
                    "INSERT INTO external_schemas VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    name, schema, context.principal.name, tx.nowMicroseconds) == 1
            }
        }
    }

    func dropSchema(
        _ context: RequestContext, _ schema: String, cascade: Bool
    ) throws(QueryFault) -> Bool {
        try require(context, .namespaceDrop, .namespace, [name, schema])
        let tables = try relations(context, schema)
        guard tables.isEmpty || cascade else {
            throw QueryFault(
                .schemaNotEmpty, "Cannot drop non-empty schema '\(schema)'",
                hint: "drop what is in it first, or write CASCADE")
        }
        for table in tables {
            let full = TableName(catalog: name, schema: schema, table: table.name)
            try require(context, .tableDrop, .table, [name, schema, full.table])
        }
        return try stored(schema) {
            try shared.database.write { tx in
                try tx.run(
                    "DELETE FROM external_tables WHERE catalog = ? AND schema_name = ?", name,
                    schema)
                return try tx.run(
                    "DELETE FROM external_schemas WHERE catalog = ? AND name = ?", name, schema)
                    == 1
            }
        }
    }

    func createTable(
        _ context: RequestContext, _ table: TableName, _ wanted: ConnectedTableDefinition
    ) throws(QueryFault) {
        try require(context, .tableCreate, .table, [name, table.schema, table.table])
        let properties = try ExternalProperties(wanted.properties, catalog: name)
        let (bucket, prefix) = try ExternalDefinition.place(properties.location)
        // Otherwise a table would be a way around the rights on the files.
        try require(
            context, .objectRead, .object, [bucket] + prefix.split(separator: "/").map(String.init))
        var definition = ExternalDefinition(
            location: "s3://\(bucket)/\(prefix)", format: properties.format,
            columns: wanted.columns, partitions: [], comment: wanted.comment)
        if wanted.columns.isEmpty {
            try infer(&definition, properties)
        } else {
            for partition in properties.partitions {
                guard let place = definition.columns.firstIndex(where: { $0.name == partition })
                else {
                    throw QueryFault(
                        .invalidTableProperty,
                        "Partition columns not present in schema: \(partition)",
                        hint: nearest(partition, wanted.columns.map(\.name)))
                }
                definition.partitions.append(definition.columns.remove(at: place))
            }
        }
        guard !definition.columns.isEmpty else {
            throw QueryFault(
                .invalidTableProperty, "Table contains only partition columns: \(table)")
        }
        for column in definition.columns { try check(column, definition.format) }
        let text = definition.json.encodedText()
        try stored("\(table)") {
            try shared.database.write { tx in
                try tx.run(
                    "INSERT INTO external_tables VALUES (?, ?, ?, ?, ?, ?)", name, table.schema,
                    table.table, text, context.principal.name, tx.nowMicroseconds)
                try tx.tell(
                    context, "table.created",
                    "table:\(name)/\(table.schema)/\(table.table)",
                    [("location", .string(definition.location))])
            }
        }
    }

    /// Text files hold what a text can say.
    private func check(_ column: TableColumn, _ format: ExternalFormat) throws(QueryFault) {
        if format == .parquet { return }
        switch column.type {
        case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .date,
            .varchar, .json:
            return
        case .timestamp(let precision) where precision <= 6: return
        default:
            throw QueryFault(
                .notSupported, "column \(column.name): \(column.type) is not read from text files",
                hint: "define it as varchar and CAST it in the query")
        }
    }

    /// Finds columns and partition columns in the files.
    private func infer(
        _ definition: inout ExternalDefinition, _ properties: ExternalProperties
    ) throws(QueryFault) {
        if case .csv = properties.format, properties.saysDialect {
            throw QueryFault(
                .invalidTableProperty, "CSV with its own format needs its columns",
                hint: "write them in parentheses, or leave csv_separator and its like out")
        }
        let files = try found(definition)
        guard let first = files.first else {
            throw QueryFault(
                .invalidTableProperty,
                "there is no file to find the columns in: "
                    + definition.location,
                hint: "write the columns in parentheses, or put a file there first")
        }
        let prefix = try ExternalDefinition.place(definition.location).prefix
        var names = properties.partitions
        let levels = first.description.location.key.dropFirst(prefix.count).split(separator: "/")
        if names.isEmpty {
            names = levels.dropLast().filter { $0.contains("=") }.compactMap {
                $0.split(separator: "=", maxSplits: 1).first.map { $0.lowercased() }
            }
        }
        definition.partitions = names.map { TableColumn(name: $0, type: .text) }
        let known = try found(definition)
        for index in names.indices {
            definition.partitions[index].type = Self.partitionType(
                known.map { $0.partition[index] })
        }
        var columns: [TableColumn] = []
        for file in files.prefix(Limits.sampledFiles) {
            let (found, format) = try ExternalTable.columns(
                of: file.description.location, properties.format, in: shared.store,
                budget: shared.budget)
            definition.format = format
            columns = try Self.joined(columns, found, definition.format, file)
        }
        let own = Set(names)
        definition.columns = columns.filter { !own.contains($0.name.lowercased()) }
        let lower = definition.columns.map { $0.name.lowercased() }
        guard Set(lower).count == lower.count else {
            throw QueryFault(
                .duplicateColumnName,
                "names of columns differ only in case: "
                    + definition.location,
                hint: "write the columns in parentheses")
        }
    }

    /// bigint or date where all values are, else varchar.
    private static func partitionType(_ values: [LiteralValue]) -> LogicalType {
        let texts = values.compactMap { value -> String? in
            if case .bytes(let bytes) = value {
                String(decoding: bytes, as: UTF8.self)
            } else {
                nil
            }
        }
        // `007` is no number: the zeros would be lost.
        func isCanonical(_ text: String) -> Bool { Int64(text).map { "\($0)" == text } ?? false }
        if texts.isEmpty { return .text }
        if texts.allSatisfy(isCanonical) { return .bigint }
        if texts.allSatisfy({ value($0, .date) != nil }) { return .date }
        return .text
    }

    /// The columns of two files: those of both, as the wider type.
    private static func joined(
        _ columns: [TableColumn], _ found: [TableColumn], _ format: ExternalFormat,
        _ file: ExternalFile
    ) throws(QueryFault) -> [TableColumn] {
        if columns.isEmpty { return found }
        if case .csv = format, columns.count != found.count {
            throw QueryFault(
                .externalSourceError,
                "files have different numbers of columns: \(file.description.location)",
                hint: "put files of one kind into a folder of their own")
        }
        var result = columns
        for (index, column) in found.enumerated() {
            let place: Int?
            if case .csv = format {
                place = index
            } else {
                place = result.firstIndex { $0.name.lowercased() == column.name.lowercased() }
            }
            guard let place else {
                result.append(column)
                continue
            }
            result[place].type = wider(result[place].type, column.type, format)
        }
        return result
    }

    private static func wider(
        _ left: LogicalType, _ right: LogicalType, _ format: ExternalFormat
    ) -> LogicalType {
        if left == right { return left }
        switch (left, right) {
        case (.integer, .bigint), (.bigint, .integer): return .bigint
        case (.real, .double), (.double, .real): return .double
        default: break
        }
        // A Parquet file has its types; a text can always be read as a text.
        guard format != .parquet else { return left }
        switch (left, right) {
        case (.bigint, .double), (.double, .bigint), (.double, .decimal), (.decimal, .double):
            return .double
        case (.decimal(let precision, let scale), .decimal(let other, let otherScale)):
            let digits = max(precision - scale, other - otherScale)
            let wanted = max(scale, otherScale)
            return digits + wanted <= 38
                ? .decimal(precision: digits + wanted, scale: wanted) : .double
        case (.bigint, .decimal(let precision, let scale)),
            (.decimal(let precision, let scale), .bigint):
            let digits = max(precision - scale, 19)
            return digits + scale <= 38
                ? .decimal(precision: digits + scale, scale: scale) : .double
        case (.date, .timestamp), (.timestamp, .date): return .timestamp(precision: 6)
        default: return .text
        }
    }

    func dropTable(_ context: RequestContext, _ table: TableName) throws(QueryFault) -> Bool {
        try require(context, .tableDrop, .table, [name, table.schema, table.table])
        return try stored("\(table)") {
            try shared.database.write { tx in
                let isGone =
                    try tx.run(
                        """
                        DELETE FROM external_tables
                        WHERE catalog = ? AND schema_name = ? AND name = ?
                        """, name, table.schema, table.table) == 1
                if isGone {
                    try tx.tell(
                        context, "table.dropped",
                        "table:\(name)/\(table.schema)/\(table.table)", [])
                }
                return isGone
            }
        }
    }

    // MARK: Procedures

    let procedures = [
        ConnectedProcedure(
            name: "sync_partition_metadata",
            parameters: ["schema_name", "table_name", "mode", "case_sensitive"], required: 3)
    ]

    /// Partitions are found whenever a table is read; the call only checks what it is given.
    func call(
        _ context: RequestContext, _ procedure: String, _ arguments: [LiteralValue?]
    ) throws(QueryFault) {
        let texts = arguments.prefix(3).map { value -> String in
            if case .bytes(let bytes)? = value {
                String(decoding: bytes, as: UTF8.self)
            } else {
                ""
            }
        }
        guard texts.count == 3, ["ADD", "DROP", "FULL"].contains(texts[2].uppercased()) else {
            throw QueryFault(
                .invalidArguments, "Invalid partition metadata sync mode: \(texts.last ?? "")",
                hint: "ADD, DROP or FULL")
        }
        let table = TableName(
            catalog: name, schema: texts[0].lowercased(), table: texts[1].lowercased())
        try require(context, .tableAlter, .table, [name, table.schema, table.table])
        guard let definition = try definition(table) else {
            throw QueryFault(.tableNotFound, "Table '\(table)' does not exist")
        }
        guard !definition.partitions.isEmpty else {
            throw QueryFault(.invalidArguments, "Table is not partitioned: \(table)")
        }
        _ = try found(definition)
    }

    func properties(
        _ context: RequestContext, _ table: TableName
    ) throws(QueryFault) -> [(name: String, value: String)] {
        guard let definition = try definition(table) else { return [] }
        func quoted(_ text: String) -> String { SQLiteCatalog.literal(text) }
        var shown = [("external_location", quoted(definition.location))]
        switch definition.format {
        case .parquet: shown.append(("format", "'PARQUET'"))
        case .jsonLines: shown.append(("format", "'JSON'"))
        case .csv(let delimiter, let quote, let hasHeader, let nullTexts):
            shown += [
                ("format", "'CSV'"),
                ("csv_separator", quoted(String(UnicodeScalar(delimiter)))),
                ("csv_quote", quoted(String(UnicodeScalar(quote)))),
                ("skip_header_line_count", hasHeader ? "1" : "0"),
            ]
            if let text = nullTexts.first { shown.append(("null_format", quoted(text))) }
        }
        if !definition.partitions.isEmpty {
            let names = definition.partitions.map { quoted($0.name) }.joined(separator: ", ")
            shown.append(("partitioned_by", "ARRAY[\(names)]"))
        }
        return shown
    }
}

/// "did you mean …?", where a name is near.
func nearest(_ name: String, _ candidates: [String]) -> String? {
    nearestName(to: name, among: candidates).map { "did you mean \($0)?" }
        ?? "there are \(candidates.joined(separator: ", "))"
}
