import Authority
import CivilTime
import Foundation
import ObjectStorage
import Platform
import SQLEngine
import SQLExecution
import SQLFunctions
import Synchronization
import TableCatalog
import Testing
import Vectors

/// Allows everything but what is listed.
struct TestAuthorizer: Authorizer {
    var denied: Set<Action> = []
    var rowFilter: String?
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(
            isAllowed: !denied.contains(action), reason: "test",
            rowFilter: action == .tableSelect ? rowFilter : nil)
    }
}

/// Rows as text: values with `|` between them, a line each.
struct TextEncoder: ResultEncoder {
    let pageBytes = 1 << 20

    func encode(_ chunk: Chunk, _ columns: [QueryColumn], into bytes: inout [UInt8]) {
        for index in 0..<chunk.activeCount {
            let row = chunk.row(index)
            let values = columns.indices.map { text(chunk.columns[$0], row) }
            bytes += Array((values.joined(separator: "|") + "\u{1E}").utf8)
        }
    }

    private func text(_ vector: Vector, _ row: Int) -> String {
        guard vector.isValid(row) else { return "NULL" }
        switch vector.physical {
        case .bool: return vector.value(row, as: UInt8.self) != 0 ? "true" : "false"
        case .int32: return "\(vector.value(row, as: Int32.self))"
        case .int64: return "\(vector.value(row, as: Int64.self))"
        case .int128: return "\(vector.value(row, as: Int128.self))"
        case .double: return "\(vector.value(row, as: Double.self))"
        case .string: return vector.string(row).string
        case .list, .row: return "nested"
        }
    }
}

/// What a statement gave.
struct Answer {
    var columns: [String]
    var rows: [String]
    var updateType: String?
    var count: Int64?
    var code: String?
    var message: String
    var hint: String?
    var changes: SessionChanges
}

/// An engine over a catalog of its own and a store in memory, with the warehouse `silver` and its
/// schema `sales`.
final class EngineBench: @unchecked Sendable {
    // Safe because tests change the session only while one thread runs statements.
    let engine: QueryEngine
    let catalog: Catalog
    let store = MemoryObjectStore(buckets: ["silver"])
    let folder: String
    var session = QuerySession(catalog: "silver", schema: "sales")
    let context = RequestContext(principal: .system, requestID: "test", door: .sql)

    init(
        denied: Set<Action> = [], rowFilter: String? = nil,
        monotonic: any MonotonicClock = SystemMonotonicClock(),
        clock: any WallClock = SystemWallClock()
    ) throws {
        session.keepsTransactions = true
        let authorizer = TestAuthorizer(denied: denied, rowFilter: rowFilter)
        folder = NSTemporaryDirectory() + "engine-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let everything = try Catalog(
            databasePath: folder + "/catalog.sqlite", store: store,
            authorizer: authorizer, clock: clock,
            entropy: SystemEntropy())
        catalog = everything
        try catalog.createWarehouse(context, name: "silver", location: "s3://silver/")
        try catalog.createNamespace(
            context, CatalogReference(warehouse: "silver"), ["sales"])
        var configuration = QueryEngineConfiguration(spillDirectory: folder)
        configuration.threadCount = 2
        engine = QueryEngine(
            configuration, catalog: catalog, store: store,
            authorizer: authorizer, zones: TimeZones { _ in nil }, clock: clock,
            monotonic: monotonic)
    }

    deinit {
        catalog.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs a statement to its end.
    func run(_ sql: String) throws -> Answer {
        let query = try engine.submit(
            sql, session: session, context: context, encoder: TextEncoder())
        var text = ""
        while true {
            let (page, snapshot) = query.nextPage(patience: .seconds(60))
            if let page { text += String(decoding: page.bytes, as: UTF8.self) }
            guard page == nil, snapshot.state.isDone else { continue }
            return Answer(
                columns: (snapshot.columns ?? []).map(\.name),
                rows: text.split(separator: "\u{1E}").map(String.init),
                updateType: snapshot.updateType, count: snapshot.updateCount,
                code: snapshot.fault?.code.rawValue, message: snapshot.fault?.message ?? "",
                hint: snapshot.fault?.hint, changes: snapshot.changes)
        }
    }

    /// Runs a statement that has to succeed.
    @discardableResult
    func ok(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Answer {
        let answer = try run(sql)
        #expect(
            answer.code == nil,
            "\(sql): \(answer.code ?? "") \(answer.message) \(answer.hint ?? "")",
            sourceLocation: sourceLocation)
        return answer
    }

    /// Begins a transaction, in which the session's statements then run.
    func begin(
        _ sql: String = "START TRANSACTION", sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let answer = try ok(sql, sourceLocation: sourceLocation)
        #expect(answer.changes.startedTransactionID != nil, sourceLocation: sourceLocation)
        session.transactionID = answer.changes.startedTransactionID
    }

    /// Runs COMMIT or ROLLBACK, after which the session is out of the transaction whatever came of it.
    @discardableResult
    func end(_ sql: String) throws -> Answer {
        let answer = try run(sql)
        #expect(answer.changes.clearsTransaction)
        session.transactionID = nil
        return answer
    }

    /// Runs a statement beside the session's transaction.
    @discardableResult
    func outside(_ sql: String) throws -> Answer {
        let inside = session.transactionID
        session.transactionID = nil
        defer { session.transactionID = inside }
        return try ok(sql)
    }

    /// The names of all objects of the store.
    func objects() throws -> Set<String> {
        Set(
            try store.list(bucket: "silver", prefix: "", after: nil, limit: 10_000)
                .map(\.location.key))
    }

    /// The rows of a query that has to succeed.
    func rows(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String] {
        try ok(sql, sourceLocation: sourceLocation).rows
    }

    /// How many objects of the store have a name that ends so.
    func objectCount(_ suffix: String) throws -> Int {
        try store.list(bucket: "silver", prefix: "", after: nil, limit: 10_000)
            .filter { $0.location.key.hasSuffix(suffix) }.count
    }
}
