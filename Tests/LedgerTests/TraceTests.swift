import Authority
import JSON
import Ledger
import Platform
import SQLite
import Testing

private struct Everyone: Authorizer {
    /// A namespace whose tables the caller may not list.
    var hidden = ""
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: hidden.isEmpty || !resource.path.contains(hidden), reason: "test")
    }
}

private final class Trail {
    private let directory: String
    private let source: Database
    let ledger: AuditLedger
    let table = ["silver", "shop", "raw"]
    private var events: [String] = []

    init() throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "trace")
        let clock = SettableClock()
        source = try Database(
            path: directory + "/source.sqlite", migrations: [],
            nowMicroseconds: { clock.now().microseconds })
        ledger = try AuditLedger(
            path: directory + "/ledger.sqlite",
            sources: [DatabaseLedgerSource(name: "source", database: source)], clock: clock)
    }

    deinit {
        ledger.database.close()
        source.close()
        try? LocalFileSystem().removeTree(directory)
    }

    func context(_ door: Door = .sql) -> RequestContext {
        RequestContext(
            principal: Principal(id: "id-ana", name: "ana", kind: .user), requestID: "r1",
            door: door)
    }

    func read(
        _ query: String, source: String? = nil, door: Door = .sql, tenant: String = "main",
        of name: String? = nil, snapshot: Int64 = 7
    ) {
        var detail: [(String, JSONValue)] = [
            ("queryId", .string(query)), ("snapshotId", .int(snapshot)),
        ]
        if let source { detail.append(("source", .string(source))) }
        var context = context(door)
        context.tenant = tenant
        let path = name.map { ["silver", "shop", $0] } ?? table
        ledger.note(
            context, "table.read", resource: AuditLedger.tableResource(path),
            detail: .object(detail))
    }

    func charts(limit: Int? = nil) throws -> TracedCharts {
        try ledger.charts(context(), authorizer: Everyone(), table: table, limit: limit)
    }

    func commit(_ name: String, _ query: String, namespace: String = "shop") throws {
        try source.write { tx in
            try tx.emit(
                kind: "catalog.table.committed",
                payload: """
                    {"warehouse": "silver", "namespace": ["\(namespace)"], "name": "\(name)",
                     "queryId": "\(query)", "snapshotId": 9}
                    """)
        }
    }

    /// Every page of what was made from the table: its names, and how many pages there are.
    func derived(limit: Int, _ authorizer: Everyone = Everyone()) throws -> ([String], Int) {
        var names: [String] = []
        var pages = 0
        var before: Int64?
        repeat {
            let page = try ledger.derived(
                context(), authorizer: authorizer, table: table, before: before, limit: limit)
            names += page.items.map { String($0.entry.resource.split(separator: "/").last ?? "") }
            pages += 1
            before = page.next
        } while before != nil
        return (names, pages)
    }
}

struct TraceTests {
    @Test func `what was made long ago is found behind any number of readings`() throws {
        let trail = try Trail()
        trail.read("q-old")
        try trail.commit("old", "q-old")
        try trail.commit("raw", "q-old")
        try trail.commit("other", "q-elsewhere")
        for number in 0..<1200 { trail.read("q\(number)") }
        try trail.commit("new", "q1199")
        #expect(try trail.derived(limit: 100) == (["new", "old"], 1))
        #expect(try trail.derived(limit: 1) == (["new", "old"], 2))
    }

    @Test func `pages hold what one may know, and go on behind what one may not`() throws {
        let trail = try Trail()
        for number in 0..<60 {
            trail.read("q\(number)")
            try trail.commit(
                "t\(number)", "q\(number)", namespace: number % 3 == 0 ? "shop" : "pay")
        }
        let wanted = stride(from: 57, through: 0, by: -3).map { "t\($0)" }
        #expect(try trail.derived(limit: 7, Everyone(hidden: "pay")).0 == wanted)
        #expect(try trail.derived(limit: 200).0.count == 60)
    }

    @Test func `of each chart, viewer and state of the table the latest read is listed`() throws {
        let trail = try Trail()
        trail.read("q1", source: "dashboard sales/a", door: .console, snapshot: 1)
        trail.read("q2", source: "dashboard sales/a", door: .console, snapshot: 2)
        trail.read("q3", source: "dashboard sales/a", door: .console, snapshot: 2)
        trail.read("q4", source: "dashboard sales/b", door: .console, snapshot: 2)
        // Whoever calls himself a dashboard elsewhere is none.
        trail.read("q5", source: "dashboard sales/c")
        trail.read("q6", source: "trace", door: .console)
        let found = try trail.charts()
        #expect(found.reads.map(\.queryID) == ["q4", "q3", "q1"] && !found.isCut)
        let some = try trail.charts(limit: 2)
        #expect(some.reads.map(\.queryID) == ["q4", "q3"] && some.isCut)
        #expect(try !trail.charts(limit: 3).isCut)
    }

    @Test func `a chart is found behind any number of other readings`() throws {
        let trail = try Trail()
        trail.read("q-old", source: "dashboard sales/a", door: .console)
        try trail.ledger.flush()
        // More than 200,000 places of the trail, and more reads than a page of a trace holds.
        try trail.ledger.database.write { tx in
            try tx.run(
                "UPDATE sqlite_sequence SET seq = seq + 300000 WHERE name = 'entries'")
        }
        for number in 0..<6_000 {
            trail.read("x\(number)", source: "dashboard sales/b", door: .console, tenant: "other")
            trail.read("y\(number)", source: "dashboard sales/b", door: .console)
        }
        let found = try trail.charts()
        #expect(found.reads.map(\.queryID) == ["y5999", "q-old"] && !found.isCut)
    }

    @Test func `charts of more tables than are followed are told to be cut`() throws {
        let trail = try Trail()
        for number in 0..<40 {
            trail.read("q\(number)")
            try trail.commit("t\(number)", "q\(number)")
            trail.read("c\(number)", source: "dashboard d/t", door: .console, of: "t\(number)")
        }
        let found = try trail.charts()
        #expect(found.reads.count == 40 && !found.isCut)
        for number in 40..<300 {
            trail.read("q\(number)")
            try trail.commit("t\(number)", "q\(number)")
        }
        #expect(try trail.charts().isCut)
    }

    @Test func `readers are listed page by page, without the pages of traces themselves`() throws {
        let trail = try Trail()
        trail.read("q1", source: "dashboard sales", door: .console)
        // Only the console calls itself so: whoever else says it is listed.
        trail.read("q2", source: AuditLedger.traceSource)
        for number in 0..<300 {
            trail.read("t\(number)", source: AuditLedger.traceSource, door: .console)
        }
        trail.read("q3", door: .console)
        func readers(_ before: Int64?) throws -> TracePage<TracedRead> {
            try trail.ledger.readers(
                trail.context(), authorizer: Everyone(), table: trail.table, before: before,
                limit: 2)
        }
        let first = try readers(nil)
        #expect(first.items.map(\.queryID) == ["q3", "q2"])
        let second = try readers(first.next)
        #expect(second.items.map(\.queryID) == ["q1"] && second.next == nil)
        #expect(second.items.map(\.source) == ["dashboard sales"])
    }
}
