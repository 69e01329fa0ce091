import Authority
import Foundation
import SQLite
import Testing

/// A database in a folder of its own that goes away with the test.
final class Scratch {
    let folder: String
    var path: String { folder + "/t.sqlite" }

    init() throws {
        folder = NSTemporaryDirectory() + "sqlite-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func open(_ migrations: [Migration] = [Scratch.first]) throws -> Database {
        try Database(path: path, migrations: migrations, nowMicroseconds: { 42 })
    }

    static let first = Migration(
        1, "first", sql: "CREATE TABLE t (k TEXT PRIMARY KEY, v) WITHOUT ROWID")
}

private struct Refused: Error {}

@Suite struct DatabaseTests {
    let scratch: Scratch
    let database: Database

    init() throws {
        scratch = try Scratch()
        database = try scratch.open()
    }

    func count() throws -> Int64? { try database.read { try $0.number("SELECT count(*) FROM t") } }

    @Test(
        "values come back as they were bound",
        arguments: [
            SQLiteValue.null, .integer(.min), .integer(.max), .real(1.5), .text(""),
            .text("é\u{0}x"),
            .blob([]), .blob([0, 255]),
        ])
    func roundTrip(value: SQLiteValue) throws {
        try database.write { tx in try tx.run("INSERT INTO t VALUES (?, ?)", "k", value) }
        let read = try database.read { tx in
            try tx.first("SELECT v FROM t WHERE k = ?", "k") { $0.value(0) }
        }
        #expect(read == value)
    }

    @Test func aFailingWriteLeavesNothing() throws {
        #expect(throws: Refused.self) {
            try database.write { tx in
                try tx.run("INSERT INTO t VALUES ('a', 1)")
                try tx.emit(kind: "x", payload: "{}")
                throw Refused()
            }
        }
        #expect(try count() == 0)
        #expect(try database.events(after: 0, limit: 10).isEmpty)
        #expect(database.signal.current == 0)
    }

    @Test func aSavepointUndoesOnlyItself() throws {
        try database.write { tx in
            try tx.run("INSERT INTO t VALUES ('a', 1)")
            try? tx.savepoint {
                try tx.run("INSERT INTO t VALUES ('b', 1)")
                throw Refused()
            }
        }
        #expect(try count() == 1)
    }

    @Test func uniqueViolationsHaveTheirCode() throws {
        let fault = #expect(throws: SQLiteError.self) {
            try database.write { tx in
                try tx.run("INSERT INTO t VALUES ('a', 1)")
                try tx.run("INSERT INTO t VALUES ('a', 2)")
            }
        }
        #expect(fault?.code == .uniqueViolation)
    }

    @Test func readersCannotWrite() throws {
        let fault = #expect(throws: SQLiteError.self) {
            try database.read { tx in try tx.number("DELETE FROM t RETURNING 1") }
        }
        #expect(fault?.code == .readOnly)
    }

    @Test func aReaderKeepsItsSnapshot() throws {
        try database.read { tx in
            #expect(try tx.number("SELECT count(*) FROM t") == 0)
            try database.write { writer in try writer.run("INSERT INTO t VALUES ('a', 1)") }
            #expect(try tx.number("SELECT count(*) FROM t") == 0)
        }
        #expect(try count() == 1)
    }

    @Test func aNestedWriteIsAFaultAndNoDeadlock() throws {
        let fault = #expect(throws: SQLiteError.self) {
            try database.write { _ in
                try database.write { tx in try tx.run("INSERT INTO t VALUES ('a', 1)") }
            }
        }
        #expect(fault?.code == .badStatement)
    }

    @Test func groupedWritesFailAlone() throws {
        let failures = Counter()
        let database = self.database
        DispatchQueue.concurrentPerform(iterations: 64) { index in
            do {
                try database.writeGrouped { tx in
                    try tx.run("INSERT INTO t VALUES (?, ?)", "k\(index)", index)
                    try tx.emit(kind: "made", payload: "\(index)")
                    if index % 4 == 0 { throw Refused() }
                }
            } catch {
                failures.add(error is Refused ? 1 : 1000)
            }
        }
        #expect(failures.total == 16)
        #expect(try count() == 48)
        let events = try database.events(after: 0, limit: 100)
        #expect(events.count == 48)
        #expect(Set(events.map(\.seq)).count == 48)
    }

    @Test func aCancelledReadEndsSoon() throws {
        let cancellation = Cancellation()
        let forever =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        cancellation.cancel(.clientCancelled)
        let fault = #expect(throws: SQLiteError.self) {
            try database.read(cancellation: cancellation) { tx in try tx.number(forever) }
        }
        #expect(fault?.code == .cancelled)
        // The connection goes back to the pool without the flag.
        #expect(try count() == 0)
    }

    @Test func aWrongNumberOfValuesIsOurBug() throws {
        let fault = #expect(throws: SQLiteError.self) {
            try database.write { tx in try tx.run("INSERT INTO t VALUES (?, ?)", "a") }
        }
        #expect(fault?.code == .badStatement)
    }

    @Test func aCopyIsComplete() throws {
        try database.write { tx in try tx.run("INSERT INTO t VALUES ('a', 1)") }
        let target = scratch.folder + "/copy.sqlite"
        try database.copy(to: target)
        let copy = try Database(path: target, migrations: [Scratch.first], nowMicroseconds: { 1 })
        #expect(try copy.read { try $0.text("SELECT k FROM t") } == "a")
        #expect(try copy.integrityProblems().isEmpty)
    }

    @Test func aClosedDatabaseSaysSo() throws {
        database.close()
        let fault = #expect(throws: SQLiteError.self) { try database.read { _ in } }
        #expect(fault?.code == .closed)
    }
}

@Suite struct MigrationTests {
    @Test func stepsRunOnceAndForward() throws {
        let scratch = try Scratch()
        try scratch.open().close()
        let second = Migration(
            2, "second", sql: "ALTER TABLE t ADD COLUMN w; INSERT INTO t VALUES ('m', 1, 2)")
        try scratch.open([Scratch.first, second]).close()
        let database = try scratch.open([Scratch.first, second])
        #expect(try database.schemaVersion() == 2)
        #expect(try database.read { try $0.number("SELECT count(*) FROM t") } == 1)
    }

    @Test func aNewerSchemaIsRefused() throws {
        let scratch = try Scratch()
        try scratch.open([Scratch.first, Migration(2, "second", sql: "SELECT 1")]).close()
        let fault = #expect(throws: SQLiteError.self) { try scratch.open() }
        #expect(fault?.code == .newerSchema)
    }

    @Test func aFailingStepLeavesTheOldSchema() throws {
        let scratch = try Scratch()
        try scratch.open().close()
        let bad = Migration(2, "bad", sql: "CREATE TABLE u (x); INSERT INTO nowhere VALUES (1)")
        #expect(throws: SQLiteError.self) { try scratch.open([Scratch.first, bad]) }
        let database = try scratch.open()
        #expect(try database.schemaVersion() == 1)
        #expect(
            try database.read { try $0.exists("SELECT 1 FROM sqlite_schema WHERE name = 'u'") }
                == false)
    }

    @Test func aFileThatIsNoDatabaseIsAFault() throws {
        let scratch = try Scratch()
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: scratch.path))
        let fault = #expect(throws: SQLiteError.self) { try scratch.open() }
        #expect(fault?.code == .corrupted)
    }
}

@Suite struct OutboxTests {
    @Test func eventsComeInOrderAndCursorsStay() throws {
        let scratch = try Scratch()
        let database = try scratch.open()
        try database.registerConsumer("late", fromOldest: false)
        try database.write { tx in
            try tx.emit(kind: "a", payload: "1")
            try tx.emit(tenant: "other", kind: "b", payload: "2")
        }
        try database.registerConsumer("later", fromOldest: false)
        let events = try database.pendingEvents(for: "late", limit: 10)
        #expect(events.map(\.kind) == ["a", "b"])
        #expect(events.map(\.tenant) == ["main", "other"])
        #expect(events.map(\.atMicroseconds) == [42, 42])
        #expect(try database.pendingEvents(for: "later", limit: 10).isEmpty)
        try database.advanceCursor(of: "late", to: events[0].seq)
        try database.advanceCursor(of: "late", to: 0)
        #expect(try database.pendingEvents(for: "late", limit: 10).map(\.kind) == ["b"])
        #expect(try database.trimOutbox() == 1)
        #expect(try database.events(after: 0, limit: 10).map(\.kind) == ["b"])
    }

    @Test func numbersAreNotReusedAfterTrimming() throws {
        let scratch = try Scratch()
        let database = try scratch.open()
        try database.registerConsumer("c", fromOldest: true)
        let first = try database.write { tx in try tx.emit(kind: "a", payload: "") }
        try database.advanceCursor(of: "c", to: first)
        #expect(try database.trimOutbox() == 1)
        let second = try database.write { tx in try tx.emit(kind: "a", payload: "") }
        #expect(second > first)
        #expect(try database.pendingEvents(for: "c", limit: 9).map(\.seq) == [second])
    }

    @Test func commitsWakeListenersAndWaiters() throws {
        let scratch = try Scratch()
        let database = try scratch.open()
        let calls = Counter()
        let subscription = database.signal.subscribe { calls.add(1) }
        let seen = database.signal.current
        try database.write { tx in try tx.run("INSERT INTO t VALUES ('quiet', 1)") }
        #expect(calls.total == 0)
        try database.write { tx in try tx.emit(kind: "a", payload: "") }
        #expect(calls.total == 1)
        #expect(database.signal.wait(past: seen, timeoutNanoseconds: .max))
        #expect(!database.signal.wait(past: seen + 1, timeoutNanoseconds: 1))
        subscription.cancel()
        try database.write { tx in try tx.emit(kind: "a", payload: "") }
        #expect(calls.total == 1)
    }
}

final class Counter: @unchecked Sendable {
    // Safe because of the lock.
    private let lock = NSLock()
    private var value = 0
    var total: Int { lock.withLock { value } }
    func add(_ amount: Int) { lock.withLock { value += amount } }
}
