package import Authority
import SQLExecution
import SQLFunctions
import SQLPlanning
import Vectors

/// A row of the trail as `system.ledger.entries` lists it.
package struct LedgerRow: Sendable {
    package var sequence: Int64
    package var atMicroseconds: Int64
    /// Columns with texts, in the order of the table.
    package static let textColumns = [
        "principal", "principal_id", "request_id", "door", "action", "resource", "decision",
        "query_id", "run_id",
    ]

    /// The texts of `textColumns`, in their order; nil is NULL.
    package var texts: [String?]
    package var snapshotID: Int64?
    /// JSON.
    package var detail: String

    /// One row of the trail.
    package init(
        sequence: Int64, atMicroseconds: Int64, texts: [String?], snapshotID: Int64?,
        detail: String
    ) {
        self.sequence = sequence
        self.atMicroseconds = atMicroseconds
        self.texts = texts
        self.snapshotID = snapshotID
        self.detail = detail
    }
}

/// The audit trail, as far as SQL reads it. `Appliance` supplies it.
package protocol LedgerDoor: Sendable {
    /// Asks for `ledger.view` and begins a reading; the function gives the next rows, at most so many,
    /// and none at the end. It is called by one thread.
    func read(
        _ context: RequestContext, _ wanted: ScanConditions
    ) throws -> (_ limit: Int) throws -> [LedgerRow]
}

extension QueryEngine {
    /// Lets `system.ledger.entries` reach the audit trail.
    package func attach(ledger: any LedgerDoor) { doors.ledger = ledger }
}

/// `system.ledger.entries`: who did or saw what, by which door. Only for those who may view the ledger.
///
/// Conditions on time and on columns of text go down to the trail's indexes; rows come page by page, so
/// that a long trail does not have to fit into memory.
final class LedgerTable: ExecutableTable {
    static let names = ["entries"]

    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics? = nil
    private let door: (any LedgerDoor)?
    private let context: RequestContext

    init(_ name: TableName, _ doors: EngineDoors, _ context: RequestContext) {
        self.name = name
        self.context = context
        door = doors.ledger
        columns =
            [
                TableColumn(name: "sequence", type: .bigint),
                TableColumn(name: "at", type: .timestampWithTimeZone(precision: 6)),
            ] + LedgerRow.textColumns.map { TableColumn(name: $0, type: .text) }
            + [
                TableColumn(name: "snapshot_id", type: .bigint),
                TableColumn(name: "detail", type: .text),
            ]
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        guard let door else { return LedgerPages(self, request) { _ in [] } }
        do {
            let wanted = ScanConditions(
                request, of: columns, time: "at", texts: LedgerRow.textColumns)
            return LedgerPages(self, request, try door.read(context, wanted))
        } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
    }

    fileprivate func values(_ row: LedgerRow) -> [LiteralValue] {
        [.integer(row.sequence), .wide(Int128(row.atMicroseconds) << 64)]
            + row.texts.map { .optional($0) }
            + [row.snapshotID.map { .integer($0) } ?? .null, .text(row.detail)]
    }
}

/// One scan of the trail: a single morsel, read by one worker.
private final class LedgerPages: MorselSource, @unchecked Sendable {
    // Safe because `next` is called by the one reader that has the only morsel.
    private let table: LedgerTable
    private let request: ScanRequest
    private let next: (Int) throws -> [LedgerRow]

    let morselCount = 1
    /// Rows of one page.
    static let pageRows = 4096

    init(
        _ table: LedgerTable, _ request: ScanRequest, _ next: @escaping (Int) throws -> [LedgerRow]
    ) {
        self.table = table
        self.request = request
        self.next = next
    }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        Reader(self, worker)
    }

    private final class Reader: MorselReader {
        private let pages: LedgerPages
        private let worker: Worker

        init(_ pages: LedgerPages, _ worker: Worker) {
            self.pages = pages
            self.worker = worker
        }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let table = pages.table
            while !worker.isStopped {
                let rows: [LedgerRow]
                do { rows = try pages.next(LedgerPages.pageRows) } catch {
                    throw EngineCatalogs.fault(error, about: "\(table.name)")
                }
                if rows.isEmpty { return }
                let page = MemoryTable(
                    name: table.name, columns: table.columns, rows: rows.map(table.values))
                let source = try page.openScan(pages.request)
                let reader = try source.makeReader(worker)
                for morsel in 0..<source.morselCount { try reader.run(morsel, into: consumer) }
            }
        }
    }
}
