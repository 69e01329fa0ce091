import Authority
import CivilTime
import Foundation
import JSON
import Platform
import SQLite
import Synchronization
import Testing

@testable import Jobs

private struct AllowAll: Authorizer {
    var denied: Set<Action> = []
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: !denied.contains(action), reason: "test")
    }
}

/// A handler that does what the test says, and remembers its calls.
private final class Script: JobHandler {
    private let calls = Mutex<[String]>([])
    private let body: @Sendable (StepRun) throws -> StepResult

    init(
        _ body: @escaping @Sendable (StepRun) throws -> StepResult = { _ in
            StepResult(message: "ok")
        }
    ) {
        self.body = body
    }

    var called: [String] { calls.withLock { $0 } }

    func problem(with options: JSONValue) -> OptionProblem? { nil }

    func run(_ step: StepRun) throws -> StepResult {
        calls.withLock { $0.append(step.stepID) }
        return try body(step)
    }
}

private struct Broken: Error {}

private final class Bench {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let clock = SettableClock(at: WallTime(seconds: 1_767_225_600))
    let context = RequestContext(principal: .system, requestID: "r", door: .api)
    private(set) var jobs: JobScheduler?

    init() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        jobs?.stop()
        try? FileManager.default.removeItem(at: directory)
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    /// Starts a scheduler over the same file; the one before is stopped.
    @discardableResult
    func start(
        _ handler: any JobHandler, sources: [any EventSource] = [], denied: Set<Action> = [],
        seed: UInt64 = 1, branchIsThere: @escaping RunBranch.Lookup = { _, _ in true },
        listing: (any Authorizer)? = nil
    ) throws -> JobScheduler {
        jobs?.stop()
        let made = try JobScheduler(
            databasePath: path("jobs.sqlite"),
            handlers: ["sql": handler, "publish": handler], sources: sources,
            authorizer: AllowAll(denied: denied), clock: clock, entropy: SeededEntropy(seed: seed),
            zones: TimeZones { _ in nil }, branchIsThere: branchIsThere, listing: listing)
        try made.start()
        jobs = made
        return made
    }

    func finish(_ jobs: JobScheduler, _ run: RunRecord) throws -> RunDetail {
        try jobs.waitForRun(context, run.id, until: SystemMonotonicClock().now() + .seconds(20))
    }
}

@Suite struct JobSchedulerTests {
    private let diamond = """
        name: p
        steps:
          - {id: a, kind: sql, with: {x: 1}}
          - {id: b, kind: sql, needs: [a]}
          - {id: c, kind: sql, needs: [a]}
          - {id: d, kind: sql, needs: [b, c]}
        """

    @Test func aListingLeavesNoTrail() throws {
        // What a listing does not show is refused to nobody: it asks without the trail.
        let bench = try Bench()
        let jobs = try bench.start(
            Script { _ in StepResult(message: "done") }, denied: [],
            listing: AllowAll(denied: [.pipelineView]))
        try jobs.declare(bench.context, diamond, source: "p.yml")
        let run = try jobs.trigger(bench.context, "p")
        #expect(try jobs.pipelines(bench.context).isEmpty)
        #expect(try jobs.runs(bench.context).isEmpty)
        #expect(try bench.finish(jobs, run).run.state == .succeeded)
    }

    @Test func stepsRunInTheOrderOfTheirNeeds() throws {
        let bench = try Bench()
        let script = Script { step in
            step.log("in \(step.stepID)")
            return StepResult(message: "done", rows: 2)
        }
        let jobs = try bench.start(script)
        try jobs.declare(bench.context, diamond, source: "p.yml")
        let detail = try bench.finish(jobs, try jobs.trigger(bench.context, "p"))
        #expect(detail.run.state == .succeeded)
        #expect(detail.run.rows == 8)
        #expect(script.called.first == "a")
        #expect(script.called.last == "d")
        #expect(Set(script.called).count == 4)
        let lines = try jobs.log(bench.context, detail.run.id).map(\.text)
        #expect(Set(lines) == ["in a", "in b", "in c", "in d"])
        #expect(try jobs.pipelines(bench.context).first?.lastRun?.id == detail.run.id)
    }

    @Test func aFailureSkipsWhatNeedsItAndARetryDoesOnlyTheRest() throws {
        let bench = try Bench()
        let isBroken = Mutex(true)
        let script = Script { step in
            if step.stepID == "b", isBroken.withLock({ $0 }) { throw Broken() }
            return StepResult(message: "ok")
        }
        let jobs = try bench.start(script)
        try jobs.declare(bench.context, diamond, source: "p.yml")
        let detail = try bench.finish(jobs, try jobs.trigger(bench.context, "p"))
        #expect(detail.run.state == .failed)
        #expect(detail.run.message?.hasPrefix("b: ") == true)
        #expect(detail.steps.map(\.state) == [.succeeded, .failed, .succeeded, .skipped])
        isBroken.withLock { $0 = false }
        let again = try bench.finish(jobs, try jobs.retry(bench.context, detail.run.id))
        #expect(again.run.state == .succeeded)
        #expect(script.called.filter { $0 == "a" }.count == 1)
        #expect(script.called.filter { $0 == "b" }.count == 2)
    }

    @Test func aRunWhoseBranchIsGoneWithItsWorkIsNotBegunAgain() throws {
        let bench = try Bench()
        let isThere = Mutex(true)
        let broken = Mutex("b")
        let script = Script { step in
            if step.stepID == broken.withLock({ $0 }) { throw Broken() }
            return StepResult(message: "ok")
        }
        let jobs = try bench.start(
            script,
            branchIsThere: { _, branch in
                #expect(branch.name.hasPrefix("run_"))
                return isThere.withLock { $0 }
            })
        try jobs.declare(
            bench.context,
            """
            name: p
            branch: true
            steps:
              - {id: a, kind: sql}
              - {id: b, kind: sql, needs: [a]}
              - {id: publish, kind: publish}
            """, source: "p.yml")
        func code(_ id: String) -> JobError? {
            do {
                _ = try jobs.retry(bench.context, id)
                return nil
            } catch { return error as? JobError }
        }
        let late = try bench.finish(jobs, try jobs.trigger(bench.context, "p"))
        #expect(late.run.state == .failed)
        isThere.withLock { $0 = false }
        let refusal = code(late.run.id)
        #expect(refusal?.code == .wrongState && refusal?.hint == "start a new run of the pipeline")
        #expect(try jobs.run(bench.context, late.run.id).run.state == .failed)
        #expect(script.called == ["a", "b"])
        // A run that did nothing yet has lost nothing.
        broken.withLock { $0 = "a" }
        let early = try bench.finish(jobs, try jobs.trigger(bench.context, "p"))
        broken.withLock { $0 = "" }
        let again = try bench.finish(jobs, try jobs.retry(bench.context, early.run.id))
        #expect(again.run.state == .succeeded)
        isThere.withLock { $0 = true }
        let rest = try bench.finish(jobs, try jobs.retry(bench.context, late.run.id))
        #expect(rest.run.state == .succeeded)
    }

    @Test func retriesWaitTwiceAsLongEachTime() throws {
        let bench = try Bench()
        let script = Script { step in
            if step.attempt < 3 { throw Broken() }
            return StepResult(message: "ok")
        }
        let jobs = try bench.start(script)
        try jobs.declare(
            bench.context, "name: p\nretries: 2\nbackoff: 10s\nsteps: [{id: a, kind: sql}]",
            source: "p")
        let run = try jobs.trigger(bench.context, "p")
        for seconds in [10, 20] {
            try waitUntil(jobs, bench.context, run) {
                $0.steps[0].dueMicroseconds.map { $0 > bench.clock.wall } ?? false
            }
            let due = try jobs.run(bench.context, run.id).steps[0].dueMicroseconds
            #expect(due == bench.clock.wall + Int64(seconds) * 1_000_000)
            bench.clock.advance(by: .seconds(seconds))
            jobs.wake()
        }
        let detail = try bench.finish(jobs, run)
        #expect(detail.run.state == .succeeded)
        #expect(detail.attempts.map(\.state) == [.failed, .failed, .succeeded])
    }

    @Test func aScheduleFiresOnceForEachDueTime() throws {
        let bench = try Bench()
        let script = Script()
        let jobs = try bench.start(script)
        let summary = try jobs.declare(
            bench.context, "name: p\nschedule: 30 * * * *\nsteps: [{id: a, kind: sql}]", source: "p"
        )
        #expect(summary.nextDueMicroseconds == bench.clock.wall + 1_800_000_000)
        bench.clock.advance(by: .seconds(1800))
        jobs.wake()
        try waitUntil(jobs, bench.context) { $0.count == 1 && $0[0].state == .succeeded }
        let runs = try jobs.runs(bench.context)
        #expect(runs[0].trigger == .schedule)
        // Four missed times while nothing ran are made up for by one run.
        bench.clock.advance(by: .seconds(4 * 3600))
        let next = try bench.start(script, seed: 2)
        try waitUntil(next, bench.context) { $0.count == 2 && $0[0].state == .succeeded }
        #expect(
            try next.pipelines(bench.context)[0].nextDueMicroseconds == bench.clock.wall
                + 3_600_000_000)
    }

    @Test func anEventStartsOneRunAlsoWhenItIsReadTwice() throws {
        let bench = try Bench()
        let objects = try Database(
            path: bench.path("objects.sqlite"), migrations: [], nowMicroseconds: { 0 })
        defer { objects.close() }
        let source = OutboxEventSource(name: "objects", database: objects)
        let seen = Mutex<[String]>([])
        let script = Script { step in
            let key = try step.options.cursor["key"].string()
            seen.withLock { $0.append(key) }
            return StepResult(message: "ok")
        }
        let jobs = try bench.start(script, sources: [source])
        try jobs.declare(
            bench.context,
            """
            name: landing
            triggers:
              - {on: object_created, bucket: landing, pattern: "**/*.csv"}
              - {on: object_removed, bucket: landing, prefix: gone/}
            concurrency: 4
            steps: [{id: a, kind: sql, with: {key: "${event.key}"}}]
            """, source: "p")
        func put(_ bucket: String, _ key: String, _ kind: String = "created") throws {
            try objects.write { tx in
                _ = try tx.emit(
                    kind: "object.\(kind)",
                    payload:
                        #"{"bucket":"\#(bucket)","key":"\#(key)","sizeBytes":3,"etag":"e","version":"v"}"#
                )
            }
        }
        try put("landing", "x/a.csv")
        try put("landing", "x/a.txt")
        try put("other", "x/b.csv")
        try put("landing", "x/c.csv")
        try put("landing", "x/c.csv", "removed")
        try put("landing", "gone/e.csv", "removed")
        try waitUntil(jobs, bench.context) {
            $0.count == 3 && $0.allSatisfy { $0.state == .succeeded }
        }
        #expect(seen.withLock { $0.sorted() } == ["gone/e.csv", "x/a.csv", "x/c.csv"])
        jobs.stop()
        let database = try Database(
            path: bench.path("jobs.sqlite"), migrations: jobMigrations, nowMicroseconds: { 0 })
        try database.write { tx in _ = try tx.run("UPDATE cursors SET seq = 0") }
        database.close()
        let next = try bench.start(script, sources: [source], seed: 2)
        try put("landing", "x/d.csv")
        try waitUntil(next, bench.context) {
            $0.count == 4 && $0.allSatisfy { $0.state == .succeeded }
        }
        #expect(seen.withLock { $0.sorted() } == ["gone/e.csv", "x/a.csv", "x/c.csv", "x/d.csv"])
        next.stop()
    }

    @Test func aPipelineFollowsAnother() throws {
        let bench = try Bench()
        let jobs = try bench.start(Script())
        try jobs.declare(bench.context, "name: a\nsteps: [{id: s, kind: sql}]", source: "a")
        try jobs.declare(
            bench.context, "name: b\ntriggers: [{after: a}]\nsteps: [{id: s, kind: sql}]",
            source: "b")
        _ = try jobs.trigger(bench.context, "a")
        try waitUntil(jobs, bench.context) {
            $0.count == 2 && $0.allSatisfy { $0.state == .succeeded }
        }
        let run = try jobs.runs(bench.context, pipeline: "b")[0]
        #expect(run.trigger == .after)
        #expect(run.requestedBy == "a")
    }

    @Test func whatACrashLeftIsBegunAgainAndFinishedStepsAreNot() throws {
        let bench = try Bench()
        let script = Script()
        let jobs = try bench.start(script)
        try jobs.declare(bench.context, diamond, source: "p")
        let detail = try bench.finish(jobs, try jobs.trigger(bench.context, "p"))
        jobs.stop()
        // The file as a killed process leaves it: b was running, d waited.
        let database = try Database(
            path: bench.path("jobs.sqlite"), migrations: jobMigrations, nowMicroseconds: { 0 })
        try database.write { tx in
            try tx.run("UPDATE runs SET state = 'running', finished_us = NULL")
            try tx.run("UPDATE steps SET state = 'running', finished_us = NULL WHERE id = 'b'")
            try tx.run(
                "UPDATE steps SET state = 'waiting', finished_us = NULL, attempts = 0 WHERE id = 'd'"
            )
            try tx.run("UPDATE attempts SET state = 'running' WHERE step_id = 'b'")
            try tx.run("DELETE FROM attempts WHERE step_id = 'd'")
        }
        database.close()
        let second = Script()
        let next = try bench.start(second, seed: 2)
        let after = try bench.finish(next, detail.run)
        #expect(after.run.state == .succeeded)
        #expect(second.called == ["b", "d"])
        #expect(after.attempts.filter { $0.step == "b" }.map(\.state) == [.lost, .succeeded])
    }

    @Test func cancellingEndsWhatRunsAndWhatWaits() throws {
        let bench = try Bench()
        let began = Latch<Void>()
        let told = Latch<Void>()
        let wasTold = Latch<Cancellation.Reason?>()
        let script = Script { step in
            began.open(())
            told.wait()
            wasTold.open(step.context.cancellation.reason)
            throw Broken()
        }
        let jobs = try bench.start(script)
        try jobs.declare(bench.context, "retries: 5\n" + diamond, source: "p")
        let run = try jobs.trigger(bench.context, "p")
        began.wait()
        _ = try jobs.cancel(bench.context, run.id)
        told.open(())
        #expect(wasTold.wait() == .killed)
        let detail = try bench.finish(jobs, run)
        #expect(detail.run.state == .cancelled)
        #expect(detail.steps.allSatisfy { $0.state == .cancelled })
        #expect(throws: JobError.self) { try jobs.cancel(bench.context, run.id) }
    }

    @Test func aStepOverItsTimeFails() throws {
        let bench = try Bench()
        let began = Latch<Void>()
        let told = Latch<Void>()
        let wasTold = Latch<Cancellation.Reason?>()
        let script = Script { step in
            began.open(())
            told.wait()
            wasTold.open(step.context.cancellation.reason)
            throw Broken()
        }
        let jobs = try bench.start(script)
        try jobs.declare(
            bench.context, "name: p\ntimeout: 1m\nsteps: [{id: a, kind: sql}]", source: "p")
        let run = try jobs.trigger(bench.context, "p")
        began.wait()
        bench.clock.advance(by: .seconds(61))
        jobs.wake()
        let late = SystemMonotonicClock().now() + .seconds(20)
        _ = jobs.overdue.wait(until: late) { $0 > 0 ? () : nil }
        told.open(())
        #expect(wasTold.wait() == .deadline)
        let detail = try bench.finish(jobs, run)
        #expect(detail.run.state == .failed)
        #expect(detail.steps[0].message == "the step ran longer than it may")
    }

    @Test func partsThatAreDoneAreNotDoneAgain() throws {
        let bench = try Bench()
        let parts = Mutex<[String]>([])
        let script = Script { step in
            var rows = try step.once("one") {
                parts.withLock { $0.append("one") }
                return 3
            }
            if step.attempt == 1 { throw Broken() }
            rows += try step.once("two") {
                parts.withLock { $0.append("two") }
                return 4
            }
            return StepResult(message: "ok", rows: rows)
        }
        let jobs = try bench.start(script)
        try jobs.declare(
            bench.context, "name: p\nretries: 1\nbackoff: 0s\nsteps: [{id: a, kind: sql}]",
            source: "p")
        let detail = try bench.finish(jobs, try jobs.trigger(bench.context, "p"))
        #expect(detail.run.state == .succeeded)
        #expect(parts.withLock { $0 } == ["one", "two"])
        #expect(detail.run.rows == 7)
    }

    @Test func parametersAreCheckedAndKeptOutOfSQL() throws {
        let bench = try Bench()
        let jobs = try bench.start(Script())
        try jobs.declare(
            bench.context,
            "name: p\nparameters: {day: }\nsteps: [{id: a, kind: sql, with: {sql: 'select ${day}'}}]",
            source: "p")
        #expect(throws: JobError.self) { try jobs.trigger(bench.context, "p") }
        #expect(throws: JobError.self) {
            try jobs.trigger(bench.context, "p", parameters: ["dai": "1"])
        }
        let bad = try jobs.trigger(bench.context, "p", parameters: ["day": "1; drop table t"])
        #expect(try bench.finish(jobs, bad).run.state == .failed)
        let good = try jobs.trigger(bench.context, "p", parameters: ["day": "2026-01-01"])
        #expect(try bench.finish(jobs, good).run.state == .succeeded)
    }

    @Test func everyVerbAsksTheAuthorizer() throws {
        let bench = try Bench()
        let jobs = try bench.start(Script(), denied: [.pipelineEdit, .pipelineRun, .pipelineView])
        let context = bench.context
        #expect(throws: AccessDenied.self) { try jobs.declare(context, diamond, source: "p") }
        #expect(throws: AccessDenied.self) { try jobs.trigger(context, "p") }
        #expect(throws: AccessDenied.self) { try jobs.pipeline(context, "p") }
        #expect(throws: AccessDenied.self) { try jobs.runs(context, pipeline: "p") }
        #expect(throws: AccessDenied.self) { try jobs.setEnabled(context, "p", false) }
        #expect(throws: AccessDenied.self) { try jobs.removePipeline(context, "p") }
    }

    // MARK: Waiting for a state, woken by changes

    private func waitUntil(
        _ jobs: JobScheduler, _ context: RequestContext, _ run: RunRecord,
        _ holds: (RunDetail) -> Bool
    ) throws {
        let end = SystemMonotonicClock().now() + .seconds(20)
        while true {
            let seen = jobs.changes.current
            if holds(try jobs.run(context, run.id)) { return }
            let left = (end - SystemMonotonicClock().now()).wholeNanoseconds
            try #require(left > 0, "the run did not come to the state in time")
            jobs.changes.wait(past: seen, timeoutNanoseconds: UInt64(left))
        }
    }

    private func waitUntil(
        _ jobs: JobScheduler, _ context: RequestContext, _ holds: ([RunRecord]) -> Bool
    ) throws {
        let end = SystemMonotonicClock().now() + .seconds(20)
        while true {
            let seen = jobs.changes.current
            if holds(try jobs.runs(context)) { return }
            let left = (end - SystemMonotonicClock().now()).wholeNanoseconds
            try #require(left > 0, "the runs did not come to the state in time")
            jobs.changes.wait(past: seen, timeoutNanoseconds: UInt64(left))
        }
    }
}

extension SettableClock {
    fileprivate var wall: Int64 {
        let time: WallTime = now()
        return time.microseconds
    }
}
