import Authority
import JSON
import Ledger
import Platform
import SQLite
import Testing

private struct Everyone: Authorizer {
    let isAllowed: Bool
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: isAllowed, reason: "test")
    }
}

private final class Bench: Sendable {
    let directory: String
    let clock = SettableClock()
    let source: Database
    let ledger: AuditLedger

    init() throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "ledger")
        let clock = clock
        source = try Database(
            path: directory + "/source.sqlite", migrations: [],
            nowMicroseconds: { clock.now().microseconds })
        ledger = try Self.open(directory, source, clock)
    }

    static func open(
        _ directory: String, _ source: Database, _ clock: SettableClock
    ) throws -> AuditLedger {
        try AuditLedger(
            path: directory + "/ledger.sqlite",
            sources: [DatabaseLedgerSource(name: "source", database: source)], clock: clock)
    }

    deinit {
        ledger.database.close()
        source.close()
        try? LocalFileSystem().removeTree(directory)
    }

    func emit(_ kind: String, _ payload: String) throws {
        try source.write { tx in try tx.emit(kind: kind, payload: payload) }
    }

    func context(_ name: String, request: String = "r1", door: Door = .sql) -> RequestContext {
        RequestContext(
            principal: Principal(id: "id-\(name)", name: name, kind: .user), requestID: request,
            door: door)
    }

    func entries(_ filter: LedgerFilter = LedgerFilter()) throws -> [LedgerEntry] {
        try ledger.entries(context("auditor"), authorizer: Everyone(isAllowed: true), filter)
            .entries
    }
}

struct AuditLedgerTests {
    private let orders = Resource(kind: .table, path: ["silver", "sales", "orders"])

    @Test func `events become rows once, through a restart`() throws {
        let bench = try Bench()
        try bench.emit(
            "identity.user.created",
            """
            {"principal":"u1","principalName":"root","requestID":"r9","door":"api",
             "resource":"users/ana"}
            """)
        try bench.emit("object.created", "{\"bucket\":\"raw\",\"key\":\"a/b.csv\"}")
        try bench.emit("odd", "no JSON")
        #expect(try bench.ledger.drain() == 3)
        #expect(try bench.ledger.drain() == 0)
        let rows = try bench.entries()
        #expect(rows.map(\.action) == ["odd", "object.created", "identity.user.created"])
        #expect(
            rows[2].principalName == "root" && rows[2].requestID == "r9" && rows[2].door == "api")
        #expect(rows[2].resource == "users/ana" && rows[2].decision == "allowed")
        #expect(rows[1].resource == "object:raw/a/b.csv")
        // The source forgot that we had read it, as after a crash between the two commits.
        bench.ledger.database.close()
        try bench.source.write { tx in try tx.run("UPDATE outbox_cursors SET seq = 0") }
        try bench.emit("late", "{}")
        let again = try Bench.open(bench.directory, bench.source, bench.clock)
        #expect(try again.drain() == 1)
        again.database.close()
    }

    @Test func `denials are kept, allowed reads are kept, allowed changes come as events`() throws {
        let bench = try Bench()
        let ana = bench.context("ana")
        let no = Decision(isAllowed: false, reason: "no grant")
        let yes = Decision(isAllowed: true, reason: "role viewer")
        for door in Door.allCases {
            bench.ledger.record(
                bench.context("ana", request: door.rawValue, door: door), .tableDrop, orders, no)
        }
        bench.ledger.record(ana, .tableSelect, orders, yes)
        bench.ledger.record(ana, .tableSelect, orders, yes)
        bench.ledger.record(ana, .tableInsert, orders, yes)
        #expect(try bench.ledger.flush() == Door.allCases.count + 1)
        var filter = LedgerFilter()
        filter.decision = "denied"
        #expect(try bench.entries(filter).map(\.door) == Door.allCases.map(\.rawValue).reversed())
        filter.decision = "allowed"
        let reads = try bench.entries(filter)
        #expect(reads.map(\.resource) == ["table:silver/sales/orders"])
        #expect(reads[0].detail == "{\"reason\":\"role viewer\"}")
    }

    @Test func `a denial that is settled outlives the process`() throws {
        let bench = try Bench()
        bench.ledger.record(
            bench.context("ana"), .tableDrop, orders,
            Decision(isAllowed: false, reason: "no grant"))
        bench.ledger.settle()
        // Closed without a flush, as by a crash.
        bench.ledger.database.close()
        let again = try Bench.open(bench.directory, bench.source, bench.clock)
        let rows = try again.entries(
            bench.context("auditor"), authorizer: Everyone(isAllowed: true)
        ).entries
        #expect(rows.map(\.action) == ["table.drop"])
        again.database.close()
    }

    @Test func `questions are limited by every column and answered by pages`() throws {
        let bench = try Bench()
        let no = Decision(isAllowed: false, reason: "x")
        for index in 0..<25 {
            bench.clock.advance(by: .seconds(1))
            let person = index % 2 == 0 ? "ana" : "bo"
            bench.ledger.record(
                bench.context(person, request: "r\(index)"),
                index % 5 == 0 ? .objectRead : .tableSelect,
                Resource(kind: .table, path: ["w", "t\(index)"]), no)
        }
        try bench.ledger.flush()
        var filter = LedgerFilter()
        filter.principal = "ana"
        #expect(try bench.entries(filter).count == 13)
        filter.principal = "id-bo"
        #expect(try bench.entries(filter).count == 12)
        filter = LedgerFilter()
        filter.action = "object."
        #expect(try bench.entries(filter).count == 5)
        filter.resourcePrefix = "table:w/t1"
        #expect(try bench.entries(filter).map(\.requestID) == ["r15", "r10"])
        filter = LedgerFilter()
        filter.requestID = "r7"
        #expect(try bench.entries(filter).count == 1)
        filter = LedgerFilter()
        filter.sinceMicroseconds = bench.clock.now().microseconds - 2_000_000
        #expect(try bench.entries(filter).count == 3)
        var seen: [String] = []
        var before: Int64?
        repeat {
            let page = try bench.ledger.entries(
                bench.context("auditor"), authorizer: Everyone(isAllowed: true), before: before,
                limit: 10)
            seen += page.entries.map(\.requestID)
            before = page.next
        } while before != nil
        #expect(seen == (0..<25).reversed().map { "r\($0)" })
    }

    @Test func `not everybody may read the trail and pages have a limit`() throws {
        let bench = try Bench()
        #expect(throws: AccessDenied.self) {
            try bench.ledger.entries(bench.context("x"), authorizer: Everyone(isAllowed: false))
        }
        let failure = #expect(throws: LedgerError.self) {
            try bench.ledger.entries(
                bench.context("x"), authorizer: Everyone(isAllowed: true), limit: 0)
        }
        #expect(failure?.code == .invalidLimit)
    }

    @Test func `a running ledger takes in what is committed and stops with nothing left`() throws {
        let bench = try Bench()
        try bench.ledger.start()
        try bench.emit("one", "{}")
        bench.ledger.record(
            bench.context("ana"), .tableDrop, orders, Decision(isAllowed: false, reason: "x"))
        try bench.emit("two", "{}")
        try bench.ledger.stop()
        let again = try Bench.open(bench.directory, bench.source, bench.clock)
        let page = try again.entries(
            bench.context("auditor"), authorizer: Everyone(isAllowed: true))
        #expect(Set(page.entries.map(\.action)) == ["one", "two", "table.drop"])
        again.database.close()
    }

    @Test func `a scan gives what fits, page by page, and nothing that came later`() throws {
        let bench = try Bench()
        let people = ["ana", "ben"]
        for number in 0..<10 {
            bench.clock.advance(by: .seconds(1))
            bench.ledger.note(
                bench.context(people[number % 2], request: "r\(number)"), "table.read",
                resource: "table:silver/sales/orders",
                detail: .object([("queryId", .string("q\(number / 5)")), ("snapshotId", 7)]))
        }
        try bench.ledger.flush()
        let times = try bench.entries().map(\.atMicroseconds).reversed() as [Int64]
        func requests(_ change: (inout LedgerBounds) -> Void) throws -> [String] {
            var bounds = LedgerBounds()
            change(&bounds)
            let scan = try bench.ledger.scan(
                bench.context("auditor"), authorizer: Everyone(isAllowed: true), bounds)
            var found: [LedgerRecord] = []
            while true {
                let page = try scan.next(limit: 2)
                if page.isEmpty { break }
                #expect(page.count <= 2)
                found += page
                bench.ledger.note(
                    bench.context("late", request: "late"), "table.read", resource: "", detail: 1)
                try bench.ledger.flush()
            }
            #expect(found.allSatisfy { $0.snapshotID == 7 && $0.queryID != nil })
            return found.map(\.entry.requestID)
        }
        let everything = (0..<10).map { "r\($0)" }
        #expect(
            try requests {
                $0.texts[.action] = ["table.read"]; $0.texts[.principal] = people
            }
                == everything)
        #expect(
            try requests {
                $0.sinceMicroseconds = times[3]
                $0.untilMicroseconds = times[6]
            } == ["r3", "r4", "r5"])
        #expect(
            try requests {
                $0.sinceMicroseconds = times[3]
                $0.texts[.queryID] = ["q0"]
            } == ["r3", "r4"])
        #expect(
            try requests {
                $0.untilMicroseconds = times[4]
                $0.texts[.principalID] = ["id-ben"]
            } == ["r1", "r3"])
        #expect(try requests { $0.texts[.requestID] = ["r8", "r2", "none"] } == ["r2", "r8"])
        #expect(try requests { $0.texts[.door] = [] } == [])
    }

    @Test func `only who may view the ledger scans it`() throws {
        let bench = try Bench()
        #expect(throws: AccessDenied.self) {
            try bench.ledger.scan(
                bench.context("ana"), authorizer: Everyone(isAllowed: false), LedgerBounds())
        }
    }
}
