import Diagnostics
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Supervision

@Suite("Supervisor")
struct SupervisorTests {
    private struct Broken: Fault {
        enum Code: String, Sendable { case taken = "test.taken" }
        let code = Code.taken
        let message = "port 1 is taken"
        let hint: String? = "choose another port"
    }

    private final class Probe: Service {
        let name: String
        let journal: Journal
        let failure: Broken?
        let onDrain: @Sendable () -> Void
        init(
            _ name: String, _ journal: Journal, failure: Broken? = nil,
            onDrain: @escaping @Sendable () -> Void = {}
        ) {
            self.name = name
            self.journal = journal
            self.failure = failure
            self.onDrain = onDrain
        }
        func start() throws {
            journal.add("start \(name)")
            if let failure { throw failure }
        }
        func drain(until deadline: MonotonicInstant) {
            journal.add("drain \(name)")
            onDrain()
        }
        func stop() { journal.add("stop \(name)") }
    }

    private final class Journal: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    private let quiet = Logger(LogDestination(minimum: .error) { _ in })

    @Test func `services start in order and end in the opposite one`() throws {
        let journal = Journal()
        let supervisor = Supervisor([Probe("a", journal), Probe("b", journal)], log: quiet)
        #expect(!supervisor.health.isReady)
        try supervisor.start()
        #expect(supervisor.health.isReady)
        #expect(supervisor.shutDown(within: .seconds(60)))
        #expect(journal.all == ["start a", "start b", "drain b", "drain a", "stop b", "stop a"])
        #expect(!supervisor.health.isReady)
    }

    @Test func `a failed start undoes what was started and names service, cause and remedy`() throws
    {
        let journal = Journal()
        let supervisor = Supervisor(
            [
                Probe("a", journal), Probe("b", journal), Probe("web", journal, failure: Broken()),
                Probe("c", journal),
            ],
            log: quiet)
        let error = try #require(throws: SupervisionError.self) { try supervisor.start() }
        #expect(error.code == .startFailed)
        #expect(error.message == "the service web did not start: port 1 is taken")
        #expect(error.hint == "choose another port")
        #expect(error.cause is Broken)
        #expect(journal.all == ["start a", "start b", "start web", "stop b", "stop a"])
    }

    @Test func `a late drain is told and everything is stopped still`() throws {
        let journal = Journal()
        let clock = SettableClock()
        let supervisor = Supervisor(
            [
                Probe("a", journal),
                Probe("b", journal, onDrain: { clock.advance(by: .seconds(9)) }),
            ], clock: clock, log: quiet)
        try supervisor.start()
        #expect(!supervisor.shutDown(within: .seconds(5)))
        #expect(journal.all.suffix(2) == ["stop b", "stop a"])
    }

    @Test func `the first reason to end counts`() throws {
        let supervisor = Supervisor([], log: Logger(LogDestination { _ in }))
        supervisor.fail("store", "disk gone")
        supervisor.end("SIGTERM")
        guard case .failed(let service, let reason) = supervisor.waitForEnd() else {
            Issue.record("the wrong reason")
            return
        }
        #expect(service == "store" && reason == "disk gone")
        #expect(supervisor.health.report == [.init(name: "store", status: .failed("disk gone"))])
    }
}
