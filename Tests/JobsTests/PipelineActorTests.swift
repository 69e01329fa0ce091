import Authority
import CivilTime
import Foundation
import JSON
import Platform
import SQLite
import Synchronization
import Testing

@testable import Jobs

/// Who runs act as, by the account that a pipeline names.
@Suite struct PipelineActorTests {
    private struct Rights: Authorizer {
        var denied: Set<Action> = []
        func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
            Decision(isAllowed: !denied.contains(action), reason: "test")
        }
    }

    private struct Gone: Error, CustomStringConvertible {
        var description: String { "the account is disabled" }
    }

    /// Notes who it is run as.
    private final class Recorder: JobHandler {
        private let names = Mutex<[String]>([])
        var seen: [String] { names.withLock { $0 } }
        func problem(with options: JSONValue) -> OptionProblem? { nil }
        func run(_ step: StepRun) throws -> StepResult {
            let principal = step.context.principal
            names.withLock { $0.append("\(principal.name):\(principal.groups.joined())") }
            return StepResult(message: "ok")
        }
    }

    private func scheduler(
        _ handler: any JobHandler, denied: Set<Action> = [],
        principals: @escaping @Sendable (PipelineActor) throws -> Principal?
    ) throws -> (JobScheduler, URL) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let made = try JobScheduler(
            databasePath: folder.appendingPathComponent("jobs.sqlite").path,
            handlers: ["sql": handler], authorizer: Rights(denied: denied),
            clock: SettableClock(at: WallTime(seconds: 1_767_225_600)),
            entropy: SeededEntropy(seed: 7), zones: TimeZones { _ in nil }, principals: principals)
        return (made, folder)
    }

    private let ann = RequestContext(
        principal: Principal(id: "1", name: "ann", kind: .user), requestID: "r", door: .api)
    private let text = "name: p\nretries: 3\nbackoff: 0s\nsteps: [{id: a, kind: sql}]\n"

    private func finish(_ jobs: JobScheduler) throws -> RunDetail {
        let run = try jobs.trigger(ann, "p")
        return try jobs.waitForRun(
            ann, run.id, until: SystemMonotonicClock().now() + .seconds(20))
    }

    @Test func theOwnerAndTheNamedAccountComeWithTheGroupsOfTheMoment() throws {
        let groups = Mutex("first")
        let recorder = Recorder()
        let (jobs, folder) = try scheduler(recorder) { actor in
            let group = groups.withLock { $0 }
            return switch actor {
            case .owner(let owner):
                Principal(id: owner.id, name: owner.name, kind: .user, groups: [group])
            case .named(let name): Principal(id: "2", name: name, kind: .service, groups: [group])
            }
        }
        defer {
            jobs.stop()
            try? FileManager.default.removeItem(at: folder)
        }
        try jobs.start()
        try jobs.declare(ann, text, source: "p")
        _ = try finish(jobs)
        groups.withLock { $0 = "second" }
        _ = try finish(jobs)
        try jobs.declare(ann, text + "run-as: etl\n", source: "p")
        #expect(try jobs.pipeline(ann, "p").summary.owner == "etl")
        _ = try finish(jobs)
        #expect(recorder.seen == ["ann:first", "ann:second", "etl:second"])
    }

    @Test(arguments: [true, false])
    func whoIsGoneOrShutOutRunsNothingAndIsNotTriedAgain(isDisabled: Bool) throws {
        let recorder = Recorder()
        let (jobs, folder) = try scheduler(recorder) { _ in
            if isDisabled { throw Gone() }
            return nil
        }
        defer {
            jobs.stop()
            try? FileManager.default.removeItem(at: folder)
        }
        try jobs.start()
        try jobs.declare(ann, text, source: "p")
        let detail = try finish(jobs)
        #expect(detail.run.state == .failed)
        #expect(detail.attempts.count == 1)
        #expect(detail.run.message?.contains("p cannot run as ann") == true)
        #expect(recorder.seen.isEmpty)
    }

    @Test func namingAnotherAccountTakesTheRightToActForIt() throws {
        let (jobs, folder) = try scheduler(Recorder(), denied: [.impersonate]) { _ in .system }
        defer {
            jobs.stop()
            try? FileManager.default.removeItem(at: folder)
        }
        #expect(throws: AccessDenied.self) {
            try jobs.declare(ann, text + "run-as: etl\n", source: "p")
        }
        try jobs.declare(ann, text + "run-as: ann\n", source: "p")
    }

    @Test func aStepThatMovesOnIsNotGivenUpHoweverOftenItsProcessIsLost() throws {
        let (jobs, folder) = try scheduler(Recorder()) { _ in .system }
        defer {
            jobs.stop()
            try? FileManager.default.removeItem(at: folder)
        }
        try jobs.declare(ann, text, source: "p")
        let run = try jobs.trigger(ann, "p").id
        func lose() throws -> StepState? {
            try jobs.records.write { tx in
                try jobs.transitions(tx).startRuns()
                _ = try jobs.transitions(tx).claim(1, lease: "former")
                _ = try jobs.transitions(tx).recover(lease: "present", newID: { "x" })
            }
            return try jobs.run(ann, run).steps.first?.state
        }
        let parts = PartProgress(database: jobs.records, run: run, step: "a")
        for part in 0..<3 * JobLimits.lostAttempts {
            #expect(try lose() == .queued)
            try parts.markDone("\(part)", rows: Int64(part))
        }
        #expect(try parts.rows(ofDone: "2") == 2)
        for _ in 0..<JobLimits.lostAttempts { #expect(try lose() == .queued) }
        #expect(try lose() == .failed)
    }
}
