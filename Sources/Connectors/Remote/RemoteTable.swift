import SQLExecution
import SQLFunctions
import SQLPlanning
import Vectors

/// A database that answers SELECTs of its dialect.
protocol RemoteDatabase: AnyObject, Sendable {
    var dialect: any RemoteDialect { get }
    /// Runs a SELECT whose columns are those of `rows` and puts every row there, until it wants no more.
    func read(_ sql: String, into rows: RemoteRows) throws(QueryFault)
}

/// A table or view of a remote database.
protocol RemoteTable: ExecutableTable {
    var database: any RemoteDatabase { get }
    /// In the order of `columns`.
    var remoteColumns: [RemoteColumn] { get }
    /// What stands behind FROM.
    var remoteName: String { get }
}

extension RemoteTable {
    /// A scan with what of it can go over: conditions, the limit, the bounds of joins.
    func remoteScan(_ request: ScanRequest) -> any MorselSource {
        let dialect = database.dialect
        func remote(_ position: Int) -> RemoteColumn { remoteColumns[request.columns[position]] }
        func name(_ position: Int) -> String {
            "t." + dialect.quoted(remote(position).remoteName)
        }
        var conditions: [String] = []
        var applied: Set<Int> = []
        for (index, filter) in request.filters.enumerated() {
            var names: [ColumnID: String] = [:]
            var inexact: Set<ColumnID> = []
            for (id, position) in zip(filter.columnIDs, filter.columns) {
                names[id] = name(position)
                if !remote(position).isExact { inexact.insert(id) }
            }
            let writer = RemoteExpressions(dialect: dialect, names: names, inexact: inexact)
            if filter.columnIDs.count == filter.columns.count,
                let condition = writer.condition(filter.predicate)
            {
                conditions.append(condition)
                applied.insert(index)
            } else if let position = filter.column, !filter.passesNull, let range = filter.range,
                !range.onlyNull,
                let hint = dialect.hint(
                    remote(position), RemoteRange(lower: range.lower, upper: range.upper))
            {
                conditions.append(hint)
            }
        }
        for use in request.joinFilters where remote(use.column).isExact {
            let column = remote(use.column)
            guard let bounds = use.filter.bounds,
                let lower = dialect.literal(.integer(bounds.lowerBound), column.column.type),
                let upper = dialect.literal(.integer(bounds.upperBound), column.column.type)
            else { continue }
            conditions.append("\(name(use.column)) BETWEEN \(lower) AND \(upper)")
        }
        let list = request.columns.indices.map { dialect.guarded(remote($0)) }
        var sql =
            "SELECT \(list.isEmpty ? "1" : list.joined(separator: ", ")) FROM \(remoteName) AS t"
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        if let limit = request.limit, applied.count == request.filters.count {
            sql += " LIMIT \(limit)"
        }
        return RemoteScan(
            database, sql, columns: request.columns.map { columns[$0] }, request,
            appliedFilters: applied)
    }
}

/// What a source computed by itself: the rows of one SELECT.
final class RemoteResult: ExecutableTable {
    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics?
    private let database: any RemoteDatabase
    private let sql: String
    private let remoteNames: [String]

    /// `rows`: how many are expected.
    init(
        _ relation: RemoteRelation, catalog: String, database: any RemoteDatabase, rows: Double
    ) {
        name = TableName(catalog: catalog, schema: "remote", table: relation.sql)
        columns = relation.columns.map { TableColumn(name: $0.name, type: $0.type) }
        remoteNames = relation.columns.map { RemoteRelation.name($0.id) }
        sql = relation.sql
        self.database = database
        statistics = TableStatistics(rowCount: rows)
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let list = request.columns.map { "t.\(remoteNames[$0])" }.joined(separator: ", ")
        return RemoteScan(
            database, "SELECT \(list.isEmpty ? "1" : list) FROM (\(sql)) AS t",
            columns: request.columns.map { columns[$0] }, request, appliedFilters: [])
    }
}

/// One SELECT, read by one worker.
final class RemoteScan: MorselSource {
    let morselCount = 1
    let appliedFilters: Set<Int>
    private let database: any RemoteDatabase
    private let sql: String
    private let columns: [TableColumn]
    private let request: ScanRequest

    init(
        _ database: any RemoteDatabase, _ sql: String, columns: [TableColumn],
        _ request: ScanRequest, appliedFilters: Set<Int>
    ) {
        self.database = database
        self.sql = sql
        self.columns = columns
        self.request = request
        self.appliedFilters = appliedFilters
    }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        Reader(self, worker)
    }

    private final class Reader: MorselReader {
        private let scan: RemoteScan
        private let worker: Worker

        init(_ scan: RemoteScan, _ worker: Worker) {
            self.scan = scan
            self.worker = worker
        }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let rows = RemoteRows(
                scan.columns, worker, chunkRows: scan.request.settings.verification.chunkRows,
                into: consumer)
            try scan.database.read(scan.sql, into: rows)
            try rows.flush()
        }
    }
}

/// Collects the rows of a SELECT into chunks.
final class RemoteRows {
    let columns: [TableColumn]
    let buffers: [ColumnBuffer]
    let heap: Arena
    private let worker: Worker
    private let consumer: any ChunkConsumer
    private let chunk: Chunk
    private let chunkRows: Int
    /// The row that is being filled.
    private(set) var row = 0

    init(
        _ columns: [TableColumn], _ worker: Worker, chunkRows: Int, into consumer: any ChunkConsumer
    ) {
        self.columns = columns
        self.worker = worker
        self.consumer = consumer
        self.chunkRows = max(1, min(chunkRows, Chunk.capacity))
        buffers = columns.map { ColumnBuffer(type: $0.type) }
        heap = Arena(budget: worker.budget)
        chunk = Chunk(columnCount: columns.count)
    }

    /// Whether nobody wants further rows.
    var isStopped: Bool { worker.isStopped }

    /// Ends a row; false when nobody wants another.
    func endRow() throws(QueryFault) -> Bool {
        row += 1
        if row == chunkRows { try flush() }
        return !worker.isStopped
    }

    /// Hands on what is there.
    func flush() throws(QueryFault) {
        guard row > 0 else { return }
        for (index, buffer) in buffers.enumerated() { chunk.columns[index] = buffer.vector }
        chunk.count = row
        chunk.selection = nil
        try consumer.push(chunk)
        for buffer in buffers { buffer.reset() }
        heap.rewind()
        row = 0
    }

    /// A value that is not what its column promises.
    func fault(_ column: Int, _ value: String) -> QueryFault {
        QueryFault(
            .externalSourceError,
            "column \(columns[column].name) has a value that is no \(columns[column].type): "
                + String(value.prefix(80)),
            hint: "mend the row at its source, or read the column through a view that converts it")
    }
}
