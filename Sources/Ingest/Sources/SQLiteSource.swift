import Authority
import Diagnostics
import SQLite
import Vectors

/// An SQLite file that others write: one read transaction over all that a step reads of it.
final class SQLiteFile {
    let path: String
    let connection: Connection

    /// Opens the file and begins the transaction, so that rows, deletions and watermarks are of one
    /// moment.
    init(path: String, cancellation: Cancellation) throws {
        self.path = path
        do throws(SQLiteError) {
            connection = try Connection(path: path, mode: .foreignReadOnly)
            connection.watch(cancellation)
            try connection.script("BEGIN")
            // Without a read the transaction has not begun, and a file that is no database is told here.
            _ = try connection.run("SELECT count(*) FROM sqlite_schema", [])
        } catch {
            throw IngestError(
                .sourceUnavailable, "the database cannot be read: \(path)",
                hint: error.hint ?? "check the path, and that this user may read the file",
                cause: error)
        }
    }

    deinit {
        try? connection.script("ROLLBACK")
        connection.watch(nil)
    }

    /// The columns of a table with their declared types.
    func columns(of table: String) throws -> [SourceColumn] {
        var columns: [SourceColumn] = []
        try connection.each("SELECT name, type FROM pragma_table_info(?)", [table]) { row in
            columns.append(
                SourceColumn(name: row.string(0), type: SQLiteTypes.type(declared: row.string(1))))
            return true
        }
        guard columns.isEmpty else { return columns }
        var tables: [String] = []
        try connection.each(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name", []
        ) { row in
            tables.append(row.string(0))
            return true
        }
        throw IngestError(
            .sourceUnavailable, "the database has no table \(table): \(path)",
            hint: nearestName(to: table, among: tables).map { "did you mean \($0)?" }
                ?? "its tables: \(tables.prefix(20).joined(separator: ", "))",
            option: "source.table")
    }

    /// A name in quotes.
    static func quoted(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\"")
            + "\""
    }
}

/// The rows of a table or query of an SQLite file.
final class SQLiteSource: RowSource {
    let columns: [SourceColumn]
    let name: String
    let isGuessed = false
    let version: String? = nil
    private let file: SQLiteFile
    private let query: String
    private let values: [any SQLiteBindable]

    /// Reads `columns` (all unless given) of a table, in the order of the rows' ids; `condition` is SQL
    /// behind WHERE.
    init(
        _ file: SQLiteFile, table: String, only wanted: [String]? = nil, condition: String? = nil,
        values: [any SQLiteBindable] = []
    ) throws {
        self.file = file
        name = "table \(table) of \(file.path)"
        let present = try file.columns(of: table)
        let chosen = try wanted.map { try $0.map { try Self.column($0, in: present, of: table) } }
        let read = chosen ?? present
        let names = read.map { SQLiteFile.quoted($0.name) }.joined(separator: ", ")
        query =
            "SELECT \(names) FROM \(SQLiteFile.quoted(table))"
            + (condition.map { " WHERE \($0)" } ?? "")
        self.values = values
        columns = read.map { SourceColumn(name: $0.name.lowercased(), type: $0.type) }
    }

    /// Reads what a query answers; the types are guessed from the first rows' values.
    init(_ file: SQLiteFile, query: String) throws {
        self.file = file
        self.query = query
        values = []
        name = "a query over \(file.path)"
        let names: [String]
        do throws(SQLiteError) { names = try file.connection.columnNames(query) } catch {
            throw IngestError(
                .sourceUnavailable, "the query cannot be run: \(error.message)", hint: error.hint,
                option: "source.query", cause: error)
        }
        var kinds = [Set<SQLiteKind>](repeating: [], count: names.count)
        var left = 1000
        try file.connection.each(query, []) { row in
            for index in kinds.indices { kinds[index].insert(row.kind(index)) }
            left -= 1
            return left > 0
        }
        columns = zip(names, kinds).map { name, kinds in
            SourceColumn(name: name.lowercased(), type: Self.type(of: kinds.subtracting([.null])))
        }
    }

    private static func type(of kinds: Set<SQLiteKind>) -> LogicalType {
        if kinds == [.integer] { return .bigint }
        if !kinds.isEmpty, kinds.isSubset(of: [.integer, .real]) { return .double }
        return kinds == [.blob] ? .varbinary : .text
    }

    static func column(
        _ name: String, in columns: [SourceColumn], of table: String
    ) throws(IngestError) -> SourceColumn {
        if let found = columns.first(where: { $0.name.lowercased() == name.lowercased() }) {
            return found
        }
        throw IngestError(
            .invalidOptions, "table \(table) has no column \(name)",
            hint: nearestName(to: name, among: columns.map(\.name)).map { "did you mean \($0)?" },
            option: "source.table")
    }

    func read(
        as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        let buffers = types.map { ColumnBuffer(type: $0) }
        let heap = Arena(budget: budget)
        let chunk = Chunk(columnCount: types.count)
        var count = 0
        func flush() throws {
            if count == 0 { return }
            for (index, buffer) in buffers.enumerated() { chunk.columns[index] = buffer.vector }
            chunk.count = count
            chunk.selection = nil
            try body(chunk)
            for buffer in buffers { buffer.reset() }
            heap.rewind()
            count = 0
        }
        try file.connection.each(query, values) { row in
            for index in types.indices {
                guard
                    try SQLiteTypes.store(row, index, into: buffers[index], at: count, heap: heap)
                else {
                    throw IngestError(
                        .invalidValue,
                        "column \(columns[index].name) of \(name) has a value that is no "
                            + "\(types[index]): \(row.string(index).prefix(80))",
                        hint: "mend the row, or declare another type for the column")
                }
            }
            count += 1
            if count == Chunk.capacity { try flush() }
            return true
        }
        try flush()
    }
}
