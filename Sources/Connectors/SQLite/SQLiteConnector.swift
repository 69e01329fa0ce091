import Authority
import Platform
package import SQLEngine
import SQLExecution
package import SQLFunctions
import SQLPlanning
import SQLite
import Synchronization
import Vectors

/// `USING sqlite`: one SQLite file, read only.
package struct SQLiteConnector: Connector {
    /// Folders whose files are nobody's: the appliance's own databases.
    private let closedFolders: [String]

    /// `closedFolders`: absolute paths.
    package init(closedFolders: [String]) { self.closedFolders = closedFolders }

    package var name: String { "sqlite" }

    package var properties: [ConnectorProperty] {
        [ConnectorProperty("path", isRequired: true, example: "/data/shop.sqlite")]
    }

    package func open(
        _ declaration: CatalogDeclaration
    ) throws(QueryFault) -> any ConnectedCatalog {
        let path = declaration.properties["path"] ?? ""
        guard path.hasPrefix("/") else {
            throw QueryFault(
                .invalidArguments, "Property 'path' must be an absolute path, not \(path)",
                hint: "for example \"path\" = '/data/shop.sqlite'")
        }
        return SQLiteCatalog(name: declaration.name, path: path, closedFolders: closedFolders)
    }

    package func probe(_ catalog: any ConnectedCatalog) throws(QueryFault) {
        guard let catalog = catalog as? SQLiteCatalog else { return }
        _ = try catalog.connection()
    }
}

/// The tables and views of an SQLite file, in the schema `main`.
final class SQLiteCatalog: ComputingCatalog, RemoteDatabase {
    let connector = "sqlite"
    let isOpen = false
    private let name: String
    private let path: String
    private let closedFolders: [String]
    private let encoding = Mutex<Bool?>(nil)

    init(name: String, path: String, closedFolders: [String]) {
        self.name = name
        self.path = path
        self.closedFolders = closedFolders
    }

    var dialect: any RemoteDialect {
        SQLiteDialect(isUTF8: encoding.withLock { $0 } ?? false)
    }

    /// A connection in a read transaction, which sees one state of the file.
    func connection() throws(QueryFault) -> Connection {
        let real = (try? LocalFileSystem().resolve(path)) ?? path
        guard !closedFolders.contains(where: { real.hasPrefix($0 + "/") }) else {
            throw QueryFault(
                .permissionDenied, "Access Denied: the file belongs to the appliance: \(path)",
                hint: "copy the database elsewhere")
        }
        do throws(SQLiteError) {
            let connection = try Connection(path: path, mode: .foreignReadOnly)
            try connection.script("BEGIN")
            // Without a read the transaction has not begun, and a file that is no database is told here.
            _ = try connection.run("SELECT count(*) FROM sqlite_schema", [])
            return connection
        } catch {
            throw QueryFault(
                .externalSourceError, "the database cannot be read: \(path)",
                hint: "check the path, and that the server may read the file", cause: error)
        }
    }

    func schemas(_ context: RequestContext) throws(QueryFault) -> [String] { ["main"] }

    func relations(
        _ context: RequestContext, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)] {
        guard schema == "main" else { return [] }
        let connection = try connection()
        var found: [(name: String, isView: Bool)] = []
        try source {
            try connection.each(
                """
                SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
                    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
                """, []
            ) { row in
                // A view of theirs is a table to us: its text is not SQL of ours.
                found.append((row.string(0).lowercased(), false))
                return true
            }
        }
        return found
    }

    func table(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> (any PlannedTable)? {
        guard name.schema == "main" else { return nil }
        let connection = try connection()
        var columns: [RemoteColumn] = []
        var own: String?
        var isUTF8 = false
        try source {
            try connection.each(
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = ?",
                [name.table]
            ) { row in
                own = row.string(0)
                return false
            }
            try connection.each("PRAGMA encoding", []) { row in
                isUTF8 = row.string(0) == "UTF-8"
                return false
            }
            guard let own else { return }
            // Hidden columns of virtual tables (1) stay out, generated ones (2, 3) are in.
            try connection.each(
                "SELECT name, type, \"notnull\" FROM pragma_table_xinfo(?) WHERE hidden <> 1", [own]
            ) { row in
                columns.append(
                    SQLiteColumns.column(
                        name: row.string(0), declared: row.string(1),
                        isNullable: !row.bool(2)))
                return true
            }
        }
        encoding.withLock { $0 = isUTF8 }
        guard let own, !columns.isEmpty else { return nil }
        return SQLiteTable(name, own, columns, self, statistics: statistics(own, connection))
    }

    /// The row count that ANALYZE left behind, if somebody ran it.
    private func statistics(_ table: String, _ connection: Connection) -> TableStatistics? {
        var rows: Double?
        try? connection.each(
            "SELECT stat FROM sqlite_stat1 WHERE tbl = ? ORDER BY idx IS NOT NULL LIMIT 1", [table]
        ) { row in
            rows = row.string(0).split(separator: " ").first.flatMap { Double($0) }
            return false
        }
        return rows.map { TableStatistics(rowCount: $0) }
    }

    func computed(_ plan: LogicalPlan) -> (any ExecutableTable)? {
        guard let relation = RemotePlans(dialect: dialect).relation(plan) else { return nil }
        return RemoteResult(
            relation, catalog: name, database: self, rows: plan.estimate.rows)
    }

    func read(_ sql: String, into rows: RemoteRows) throws(QueryFault) {
        let connection = try connection()
        try source {
            try connection.each(sql, []) { row in
                for column in rows.buffers.indices {
                    try SQLiteColumns.store(row, column, into: rows)
                }
                return try rows.endRow()
            }
        }
    }

    /// Runs work on the file, with its errors as the query's.
    private func source(_ body: () throws -> Void) throws(QueryFault) {
        do { try body() } catch let fault as QueryFault { throw fault } catch let error
            as MemoryLimitFault
        {
            throw QueryFault(
                .exceededMemoryLimit, error.message, hint: error.hint, cause: error)
        } catch let error as SQLiteError {
            if error.message.contains("malformed JSON") {
                throw QueryFault(
                    .externalSourceError,
                    "a column has values of another type than it is declared with: \(path)",
                    hint: "SELECT typeof(column) in sqlite3 shows them", cause: error)
            }
            if error.message.contains("integer overflow") {
                throw QueryFault(
                    .numericValueOutOfRange, "bigint addition overflow", cause: error)
            }
            throw QueryFault(
                .externalSourceError, "\(path): \(error.message)", hint: error.hint, cause: error)
        } catch { throw QueryFault(.externalSourceError, "\(path): \(error)", cause: error) }
    }

    /// A name in quotes.
    static func quoted(_ name: String) -> String { "\"" + doubled(name, "\"") + "\"" }

    /// A text in quotes.
    static func literal(_ text: String) -> String { "'" + doubled(text, "'") + "'" }

    private static func doubled(_ text: String, _ mark: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == mark { result.append(mark) }
            result.append(scalar)
        }
        return String(result)
    }
}

/// A table or view of an SQLite file.
final class SQLiteTable: RemoteTable {
    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics?
    let remoteColumns: [RemoteColumn]
    let remoteName: String
    let database: any RemoteDatabase

    init(
        _ name: TableName, _ own: String, _ columns: [RemoteColumn],
        _ database: any RemoteDatabase, statistics: TableStatistics?
    ) {
        self.name = name
        remoteColumns = columns
        self.columns = columns.map(\.column)
        remoteName = SQLiteCatalog.quoted(own)
        self.database = database
        self.statistics = statistics
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        remoteScan(request)
    }
}
