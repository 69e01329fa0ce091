import Authority
import PostgresClient
package import SQLEngine
import SQLExecution
package import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// `USING postgresql`: the schemas of one database, read only. Source: Trino documentation, "PostgreSQL
/// connector".
package struct PostgresConnector: Connector {
    package init() {}

    package var name: String { "postgresql" }

    package var properties: [ConnectorProperty] {
        [
            ConnectorProperty(
                "connection-url", isRequired: true,
                example: "jdbc:postgresql://db.example.net:5432/shop"),
            ConnectorProperty("connection-user", example: "reader"),
            ConnectorProperty("connection-password", isSecret: true, example: "…"),
            ConnectorProperty(
                "unsupported-type-handling", .choice(["IGNORE", "CONVERT_TO_VARCHAR"]),
                example: "CONVERT_TO_VARCHAR"),
            ConnectorProperty(
                "decimal-mapping", .choice(["STRICT", "ALLOW_OVERFLOW"]),
                example: "ALLOW_OVERFLOW"),
            ConnectorProperty("decimal-default-scale", example: "6"),
        ]
    }

    package func open(
        _ declaration: CatalogDeclaration
    ) throws(QueryFault) -> any ConnectedCatalog {
        let values = declaration.properties
        var url = values["connection-url"] ?? ""
        if url.hasPrefix("jdbc:") { url.removeFirst(5) }
        guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") else {
            throw QueryFault(
                .invalidArguments, "Property 'connection-url' must name a PostgreSQL database",
                hint:
                    "for example \"connection-url\" = 'jdbc:postgresql://db.example.net:5432/shop'")
        }
        // The URL is shown; the password has a property of its own, which is not.
        let authority = url.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" }
        let hasUserInfo = authority.split(separator: "@").count > 1
        if url.contains("password=")
            || (hasUserInfo && authority.prefix { $0 != "@" }.contains(":"))
        {
            throw QueryFault(
                .invalidArguments, "Property 'connection-url' must not hold a password",
                hint: "write it as \"connection-password\"")
        }
        var types = PostgresColumns()
        if values["unsupported-type-handling"]?.uppercased() == "CONVERT_TO_VARCHAR" {
            types.unsupported = .asText
        }
        if values["decimal-mapping"]?.uppercased() == "ALLOW_OVERFLOW" {
            let text = values["decimal-default-scale"] ?? "0"
            guard let scale = Int(text), 0...38 ~= scale else {
                throw QueryFault(
                    .invalidArguments,
                    "Property 'decimal-default-scale' must be a number from 0 to 38, not \(text)")
            }
            types.defaultScale = scale
        }
        var options = [(name: "dbname", value: url)]
        if let user = values["connection-user"] { options.append(("user", user)) }
        if let password = values["connection-password"] { options.append(("password", password)) }
        options += [
            ("client_encoding", "UTF8"), ("application_name", "lakehouse"),
            ("connect_timeout", "\(Limits.connectSeconds)"),
            // The server's own files of passwords are not for everybody who may make catalogs.
            ("passfile", "/dev/null/none"),
            (
                "options",
                "-c TimeZone=UTC -c DateStyle=ISO,YMD -c extra_float_digits=3 "
                    + "-c standard_conforming_strings=on -c bytea_output=hex "
                    + "-c default_transaction_read_only=on"
            ),
        ]
        return PostgresCatalog(name: declaration.name, options: options, types: types)
    }

    package func probe(_ catalog: any ConnectedCatalog) throws(QueryFault) {
        guard let catalog = catalog as? PostgresCatalog else { return }
        try catalog.query("SELECT 1") { _ in true }
    }
}

/// The tables and views of one database of a PostgreSQL server.
final class PostgresCatalog: ComputingCatalog, RemoteDatabase {
    let connector = "postgresql"
    let isOpen = false
    let dialect: any RemoteDialect = PostgresDialect()
    private let name: String
    private let options: [(name: String, value: String)]
    private let types: PostgresColumns
    private let idle = Mutex<[PostgresConnection]>([])

    init(name: String, options: [(name: String, value: String)], types: PostgresColumns) {
        self.name = name
        self.options = options
        self.types = types
    }

    // MARK: Connections

    /// Runs a statement on a connection of its own.
    func query(
        _ sql: String, isStopped: () -> Bool = { false }, row: (PostgresRow) throws -> Bool
    ) throws(QueryFault) {
        do {
            var rowCount = 0
            if let connection = idle.withLock({ $0.popLast() }) {
                do {
                    try connection.query(sql, isStopped: isStopped) {
                        rowCount += 1
                        return try row($0)
                    }
                    return giveBack(connection)
                } catch let error as PostgresError
                    where error.code == .connectionLost && rowCount == 0
                {
                    // The server ended it while nobody used it: the others are as old.
                    idle.withLock { $0 = [] }
                } catch {
                    giveBack(connection)
                    throw error
                }
            }
            let connection = try PostgresConnection(options)
            defer { giveBack(connection) }
            try connection.query(sql, isStopped: isStopped, row: row)
        } catch { throw fault(error) }
    }

    private func giveBack(_ connection: PostgresConnection) {
        guard connection.isUsable else { return }
        idle.withLock { if $0.count < Limits.idleConnections { $0.append(connection) } }
    }

    private func fault(_ error: any Error) -> QueryFault {
        if let fault = error as? QueryFault { return fault }
        if let memory = error as? MemoryLimitFault {
            return QueryFault(
                .exceededMemoryLimit, memory.message, hint: memory.hint, cause: memory)
        }
        guard let error = error as? PostgresError else {
            return QueryFault(.externalSourceError, "\(name): \(error)", cause: error)
        }
        let code: QueryFault.Code =
            switch error.state {
            case "42501": .permissionDenied
            case "22003": .numericValueOutOfRange
            case "22012": .divisionByZero
            case "42P01", "3F000": .tableNotFound
            case "53300", "53200": .genericInsufficientResources
            default: error.code == .cancelled ? .userCanceled : .externalSourceError
            }
        return QueryFault(
            code, "catalog \(name): \(error.message)", hint: error.hint, cause: error)
    }

    func read(_ sql: String, into rows: RemoteRows) throws(QueryFault) {
        do throws(QueryFault) {
            try query(sql, isStopped: { rows.isStopped }) { row in
                for column in rows.buffers.indices {
                    if row.isNull(column) {
                        rows.buffers[column].setNull(rows.row)
                    } else {
                        try row.withText(column) {
                            try PostgresColumns.store($0, column, into: rows)
                        }
                    }
                }
                return try rows.endRow()
            }
        } catch {
            // A query that wants no more rows is told by whoever stopped it.
            if error.code == .userCanceled, rows.isStopped { return }
            throw error
        }
    }

    // MARK: Names

    func schemas(_ context: RequestContext) throws(QueryFault) -> [String] {
        var names: [String] = []
        try query(
            """
            SELECT DISTINCT lower(nspname) FROM pg_namespace
            WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
                AND has_schema_privilege(oid, 'USAGE')
            """
        ) { row in
            names.append(row.string(0))
            return true
        }
        return names.sorted()
    }

    func relations(
        _ context: RequestContext, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)] {
        var names: Set<String> = []
        try query(
            """
            SELECT lower(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE lower(n.nspname) = \(SQLiteCatalog.literal(schema))
                AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
                AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            """
        ) { row in
            names.insert(row.string(0))
            return true
        }
        // A view of theirs is a table to us: its text is not SQL of ours.
        return names.sorted().map { ($0, false) }
    }

    func table(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> (any PlannedTable)? {
        guard let place = try place(name) else { return nil }
        var columns: [RemoteColumn] = []
        var statistics = TableStatistics(rowCount: place.rows)
        try query(
            """
            SELECT a.attname, t.typname, t.typtype, a.atttypmod, a.attnotnull,
                coalesce(l.collisdeterministic, true), col_description(a.attrelid, a.attnum),
                s.n_distinct, s.null_frac, s.avg_width
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                LEFT JOIN pg_collation l ON l.oid = a.attcollation
                LEFT JOIN pg_stats s ON s.schemaname = \(SQLiteCatalog.literal(place.schema))
                    AND s.tablename = \(SQLiteCatalog.literal(place.table))
                    AND s.attname = a.attname AND NOT s.inherited
            WHERE a.attrelid = \(place.id) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
            """
        ) { row in
            let found = types.column(
                name: row.string(0), type: row.string(1), kind: row.string(2),
                modifier: Int(row.string(3)) ?? -1, isNullable: row.string(4) == "f",
                hasPlainOrder: row.string(5) == "t", comment: row.stringOrNil(6))
            guard let found else { return true }
            // Below zero it is a part of the rows.
            let distinct = Double(row.string(7)).map { $0 < 0 ? -$0 * max(place.rows, 0) : $0 }
            statistics.columns[columns.count] = ColumnStatistics(
                distinctCount: distinct, nullFraction: Double(row.string(8)),
                averageBytes: Double(row.string(9)))
            columns.append(found)
            return true
        }
        guard !columns.isEmpty else {
            throw QueryFault(
                .notSupported, "Table '\(name)' has no column of a type that can be read",
                hint: "\"unsupported-type-handling\" = 'CONVERT_TO_VARCHAR' reads others as texts")
        }
        return PostgresTable(
            name, place.schema, place.table, columns, self,
            statistics: place.rows < 0 ? nil : statistics)
    }

    private struct Place {
        var id: String
        var schema: String
        var table: String
        var rows: Double
    }

    /// The table that a name means, in any case; an exact match goes before others.
    private func place(_ name: TableName) throws(QueryFault) -> Place? {
        var found: [Place] = []
        try query(
            """
            SELECT c.oid, n.nspname, c.relname, c.reltuples
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE lower(n.nspname) = \(SQLiteCatalog.literal(name.schema))
                AND lower(c.relname) = \(SQLiteCatalog.literal(name.table))
                AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
                AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            """
        ) { row in
            found.append(
                Place(
                    id: row.string(0), schema: row.string(1), table: row.string(2),
                    rows: Double(row.string(3)) ?? -1))
            return true
        }
        if let exact = found.first(where: { $0.schema == name.schema && $0.table == name.table }) {
            return exact
        }
        guard found.count <= 1 else {
            throw QueryFault(
                .ambiguousName,
                "Table '\(name)' is ambiguous: "
                    + found.map { "\($0.schema).\($0.table)" }.joined(separator: ", "),
                hint: "names differ only in case at the source; make a view there")
        }
        return found.first
    }

    func computed(_ plan: LogicalPlan) -> (any ExecutableTable)? {
        guard let relation = RemotePlans(dialect: dialect).relation(plan) else { return nil }
        return RemoteResult(
            relation, catalog: name, database: self, rows: plan.estimate.rows)
    }
}

/// A table or view of a PostgreSQL database.
final class PostgresTable: RemoteTable {
    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics?
    let remoteColumns: [RemoteColumn]
    let remoteName: String
    let database: any RemoteDatabase

    init(
        _ name: TableName, _ schema: String, _ table: String, _ columns: [RemoteColumn],
        _ database: any RemoteDatabase, statistics: TableStatistics?
    ) {
        self.name = name
        remoteColumns = columns
        self.columns = columns.map(\.column)
        remoteName = SQLiteCatalog.quoted(schema) + "." + SQLiteCatalog.quoted(table)
        self.database = database
        self.statistics = statistics
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        remoteScan(request)
    }
}
