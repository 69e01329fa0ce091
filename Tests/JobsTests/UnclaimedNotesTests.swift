import Authority
import CivilTime
import Foundation
import JSON
import Platform
import SQLite
import Synchronization
import Telemetry
import Testing

@testable import Jobs

private struct AllowAll: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: true, reason: "test")
    }
}

private struct NothingToDo: JobHandler {
    func problem(with options: JSONValue) -> OptionProblem? { nil }
    func run(_ step: StepRun) throws -> StepResult { StepResult(message: "ok") }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    /// Those since the last call that have these words.
    func take(_ words: String) -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines.filter { $0.contains(words) }
        }
    }
}

/// A scheduler whose thread is not started: the test takes the events.
private final class Bench {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let clock = SettableClock()
    let context = RequestContext(principal: .system, requestID: "r", door: .api)
    let lines = Lines()
    let objects: Database
    private(set) var scheduler: JobScheduler?

    init() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        objects = try Database(
            path: directory.appendingPathComponent("objects.sqlite").path, migrations: [],
            nowMicroseconds: { 0 })
    }

    deinit {
        scheduler?.stop()
        objects.close()
        try? FileManager.default.removeItem(at: directory)
    }

    func open() throws -> JobScheduler {
        let source = OutboxEventSource(name: "objects", database: objects)
        _ = try source.subscribe {}
        let made = try JobScheduler(
            databasePath: directory.appendingPathComponent("jobs.sqlite").path,
            handlers: ["sql": NothingToDo()], sources: [source], authorizer: AllowAll(),
            clock: clock, monotonic: clock, entropy: SeededEntropy(seed: 1),
            zones: TimeZones { _ in nil },
            log: Logger(LogDestination { [lines] in lines.add($0) }))
        scheduler = made
        try made.declare(
            context,
            """
            name: landing
            triggers: [{on: object_created, bucket: landing, pattern: "*/*/**/*.csv"}]
            steps: [{id: a, kind: sql, with: {sql: select 1}}]
            """, source: "p")
        return made
    }

    func put(_ keys: [String]) throws {
        try objects.write { tx in
            for key in keys {
                _ = try tx.emit(
                    kind: "object.created",
                    payload: #"{"bucket":"landing","key":"\#(key)","sizeBytes":3,"version":"v"}"#)
            }
        }
    }
}

@Suite struct UnclaimedNotesTests {
    @Test func manyFilesAreToldByTheirNumber() throws {
        let bench = try Bench()
        let jobs = try bench.open()
        // More than one batch, and one that is taken.
        let count = JobLimits.eventBatch + 100
        try bench.put((0..<count).map { "f\($0).csv" } + ["bronze/shop/sales/a.csv"])
        #expect(try !jobs.takeEvents())
        let first = bench.lines.take("jobs.object_unclaimed")
        #expect(first.count == JobLimits.unclaimedNotes)
        #expect(first.first?.contains("s3://landing/f0.csv") ?? false)
        #expect(try jobs.runs(bench.context, pipeline: "landing").count == 1)
        // The minute is not over.
        try bench.put(["late.csv"])
        #expect(try jobs.takeEvents())
        #expect(bench.lines.take("unclaimed").isEmpty)
        bench.clock.advance(by: JobLimits.unclaimedPause)
        #expect(try !jobs.takeEvents())
        let more = bench.lines.take("jobs.objects_unclaimed")
        #expect(more.count == 1)
        #expect(more.first?.contains("objects=\(count - JobLimits.unclaimedNotes + 1)") ?? false)
        try bench.put(["next.csv"])
        _ = try jobs.takeEvents()
        #expect(bench.lines.take("s3://landing/next.csv").count == 1)
    }

    @Test func aBatchThatIsRolledBackIsToldOnce() throws {
        let bench = try Bench()
        let jobs = try bench.open()
        try bench.put(["a.csv"])
        try jobs.database.write { tx in
            try tx.run(
                """
                CREATE TRIGGER full BEFORE INSERT ON cursors BEGIN SELECT RAISE(ABORT, 'full'); END
                """)
        }
        #expect(throws: (any Error).self) { try jobs.takeEvents() }
        #expect(bench.lines.take("unclaimed").isEmpty)
        try jobs.database.write { tx in try tx.run("DROP TRIGGER full") }
        _ = try jobs.takeEvents()
        #expect(bench.lines.take("s3://landing/a.csv").count == 1)
    }
}
