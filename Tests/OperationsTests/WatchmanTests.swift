import JSON
import Platform
import SQLite
import Synchronization
import Telemetry
import Testing

@testable import Operations

/// Answers with what the test set.
private final class SetProbe: OperationsProbe {
    let reading = Mutex(Reading(components: [.init("sql")], values: [:]))
    func read() -> Reading { reading.withLock { $0 } }
    func set(_ values: [Measure: Double], _ components: [Reading.Component] = [.init("sql")]) {
        reading.withLock { $0 = Reading(components: components, values: values) }
    }
}

/// Takes notices, or none of them.
private final class Inbox: NoticeSender {
    struct Closed: Error {}
    let state = Mutex<(isOpen: Bool, bodies: [String])>((true, []))
    func send(_ body: [UInt8]) throws {
        try state.withLock { state in
            guard state.isOpen else { throw Closed() }
            state.bodies.append(String(decoding: body, as: UTF8.self))
        }
    }
    var told: [String] {
        state.withLock { $0.bodies }.map { body in
            let at = (try? JSONValue(parsing: body))?.cursor ?? JSONCursor(nil)
            return "\((try? at["alert"].string()) ?? "") \((try? at["state"].string()) ?? "")"
        }
    }
}

private final class Bench {
    let directory: String
    let clock = SettableClock()
    let probe = SetProbe()
    let inbox = Inbox()
    let metrics = MetricsRegistry()
    private(set) var watchman: Watchman

    init(_ thresholds: AlertThresholds = AlertThresholds()) throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "operations")
        watchman = try Self.open(directory, probe, inbox, clock, metrics, thresholds)
    }

    private static func open(
        _ directory: String, _ probe: SetProbe, _ inbox: Inbox, _ clock: SettableClock,
        _ metrics: MetricsRegistry, _ thresholds: AlertThresholds
    ) throws -> Watchman {
        try Watchman(
            databasePath: directory + "/operations.sqlite", probe: probe, sender: inbox,
            thresholds: thresholds, clock: clock, metrics: metrics, source: { "http://here" })
    }

    /// The process ends and another begins.
    func restart() throws {
        watchman.database.close()
        watchman = try Self.open(
            directory, probe, inbox, clock, metrics, AlertThresholds())
    }

    /// Looks every half minute for some time.
    func look(minutes: Int) throws {
        for _ in 0..<(minutes * 2) {
            clock.advance(by: .seconds(30))
            try watchman.tick()
        }
    }

    func states() throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try watchman.alerts().map {
                ($0.rule.rawValue, $0.state.rawValue)
            })
    }

    deinit {
        watchman.database.close()
        try? LocalFileSystem().removeTree(directory)
    }
}

@Suite struct AlertTests {
    private let calm: [Measure: Double] = [
        .diskPercent: 80, .memoryPercent: 80, .connectionsPercent: 80, .queuePercent: 80,
        .stepsSucceeded: 0, .stepsFailed: 0,
    ]

    @Test(
        arguments: [
            ("component_down", [:], true), ("disk_use", [.diskPercent: 81], false),
            ("memory_use", [.memoryPercent: 80.5], false),
            ("connection_use", [.connectionsPercent: 95], false),
            ("connection_use", [.queuePercent: 90], false),
            ("job_failures", [.stepsSucceeded: 3, .stepsFailed: 1], false),
        ] as [(String, [Measure: Double], Bool)])
    func eachIsRaisedAfterAMinuteAndEnds(
        _ rule: String, _ change: [Measure: Double], _ isDown: Bool
    ) throws {
        let bench = try Bench()
        bench.probe.set(calm)
        try bench.look(minutes: 2)
        let calmStates = try bench.states()
        #expect(calmStates.count == 5 && Set(calmStates.values) == ["ok"])
        bench.probe.set(
            calm.merging(change) { $1 },
            isDown ? [.init("sql"), .init("catalog", fault: "the disk is gone")] : [.init("sql")])
        bench.clock.advance(by: .seconds(30))
        try bench.watchman.tick()
        #expect(try bench.states()[rule] == "pending" && bench.inbox.told == [])
        try bench.look(minutes: 1)
        #expect(try bench.states()[rule] == "firing")
        #expect(try bench.states().values.count { $0 == "firing" } == 1)
        #expect(bench.inbox.told == ["\(rule) firing"])
        #expect(
            bench.metrics.prometheusText().contains("lakehouse_alerts_firing{rule=\"\(rule)\"} 1"))
        if isDown {
            let alert = try #require(try bench.watchman.alerts().first)
            #expect(alert.summary == "catalog: the disk is gone" && alert.value == 1)
        }
        // Failures of steps are forgotten after a quarter of an hour: counters do not fall.
        bench.probe.set(rule == "job_failures" ? calm.merging(change) { $1 } : calm)
        try bench.look(minutes: 16)
        #expect(try bench.states()[rule] == "ok")
        #expect(bench.inbox.told == ["\(rule) firing", "\(rule) resolved"])
        let events = try bench.watchman.events()
        #expect(events.map(\.state) == ["ok", "firing"] && events.allSatisfy { $0.rule == rule })
    }

    @Test func whatPassesWithinAMinuteIsNotTold() throws {
        let bench = try Bench()
        bench.probe.set(calm.merging([.diskPercent: 99]) { $1 })
        try bench.watchman.tick()
        bench.probe.set(calm)
        try bench.look(minutes: 3)
        #expect(try bench.watchman.events().isEmpty && bench.inbox.told == [])
    }

    @Test func aRestartTellsNothingTwice() throws {
        let bench = try Bench()
        bench.probe.set(calm.merging([.diskPercent: 99]) { $1 })
        try bench.look(minutes: 2)
        let since = try #require(try bench.watchman.alerts().first { $0.state == .firing })
        try bench.restart()
        try bench.look(minutes: 2)
        #expect(bench.inbox.told == ["disk_use firing"])
        #expect(
            try bench.watchman.alerts().first { $0.state == .firing }?.sinceMicroseconds
                == since.sinceMicroseconds)
    }

    @Test func aNoticeIsTriedAgainFurtherAndFurtherApartForADay() throws {
        let bench = try Bench()
        bench.inbox.state.withLock { $0.isOpen = false }
        bench.probe.set(calm.merging([.memoryPercent: 99]) { $1 })
        try bench.look(minutes: 5)
        try bench.restart()
        bench.inbox.state.withLock { $0.isOpen = true }
        try bench.look(minutes: 30)
        #expect(bench.inbox.told == ["memory_use firing"])
        bench.inbox.state.withLock { $0.isOpen = false }
        bench.probe.set(calm)
        try bench.watchman.tick()
        bench.clock.advance(by: .seconds(90_000))
        try bench.watchman.tick()
        bench.inbox.state.withLock { $0.isOpen = true }
        bench.clock.advance(by: .seconds(90_000))
        try bench.watchman.tick()
        #expect(bench.inbox.told == ["memory_use firing"])
    }

    @Test func aNoticeSaysWhatPeopleAndProgramsNeed() throws {
        let bench = try Bench()
        bench.probe.set(calm.merging([.diskPercent: 91]) { $1 })
        try bench.look(minutes: 2)
        let body = try #require(bench.inbox.state.withLock { $0.bodies.first })
        let notice = try JSONValue(parsing: body).cursor
        #expect(try notice["summary"].string() == "91 % of the disk are used")
        #expect(try notice["value"].double() == 91 && notice["threshold"].double() == 80)
        #expect(try notice["source"].string() == "http://here")
        #expect(
            try notice["text"].string()
                == "disk_use firing: 91 % of the disk are used (http://here)")
    }
}

@Suite struct SampleTests {
    @Test func countersAreKeptAsWhatWasAddedAndGaugesAsTheyAre() throws {
        let bench = try Bench()
        for (requests, memory) in [(10.0, 5.0), (25, 7), (25, 6)] {
            bench.probe.set([.requests: requests, .memoryBytes: memory])
            bench.clock.advance(by: .seconds(30))
            try bench.watchman.tick()
        }
        try bench.restart()
        bench.probe.set([.requests: 3, .memoryBytes: 4])
        bench.clock.advance(by: .seconds(30))
        try bench.watchman.tick()
        func values(_ measure: Measure) throws -> [Double] {
            try bench.watchman.samples(measures: [measure.rawValue]).map(\.value)
        }
        #expect(try values(.requests) == [10, 15, 0, 3])
        #expect(try values(.memoryBytes) == [5, 7, 6, 4])
        #expect(try values(.componentsUp) == [1, 1, 1, 1])
        #expect(try bench.watchman.samples(measures: ["none"]).isEmpty)
        let all = try bench.watchman.samples(measures: ["http_requests"])
        let later = try bench.watchman.samples(
            measures: ["http_requests"], since: all[1].atMicroseconds, until: all[3].atMicroseconds)
        #expect(later == Array(all[1...2]))
    }

    @Test func sevenDaysAreKept() throws {
        let bench = try Bench()
        bench.probe.set([.memoryBytes: 1])
        let start = bench.clock.now().microseconds
        for _ in 0..<10 {
            try bench.watchman.tick()
            bench.clock.advance(by: .seconds(86_400))
        }
        let kept = try bench.watchman.samples(measures: ["memory_bytes"])
        #expect(kept.count == 8)
        #expect(kept.first?.atMicroseconds == start + 2 * 86_400_000_000)
    }

    @Test func theTextOfPrometheusIsRead() {
        let lines = MetricLines(
            """
            # HELP lakehouse_http_requests_total Requests answered.
            lakehouse_http_requests_total{door="s3",method="GET",status="200"} 7
            lakehouse_http_requests_total{door="s3",method="GET",status="503"} 2
            lakehouse_http_connections 4
            broken
            """)
        #expect(lines.sum("lakehouse_http_connections") == 4)
        #expect(lines.sum("lakehouse_http_requests_total") == 9)
        #expect(
            lines.sum("lakehouse_http_requests_total", label: "status") { $0.hasPrefix("5") } == 2)
        #expect(lines.sum("lakehouse_none") == nil)
    }
}
