package import Platform
package import SQLite
import Supervision
package import Telemetry

/// Takes notices to where somebody reads them. `Appliance` supplies it.
package protocol NoticeSender: Sendable {
    /// Delivers one JSON document; throws when it was not taken.
    func send(_ body: [UInt8]) throws
}

/// Looks at the process now and then, keeps what it saw, and raises alerts. One a process.
package final class Watchman: Service {
    package let name = "operations"
    private let store: OperationsStore
    private let probe: any OperationsProbe
    private let sender: (any NoticeSender)?
    private let thresholds: AlertThresholds
    private let interval: Duration
    private let clock: any WallClock
    private let source: @Sendable () -> String
    private let firing: MetricFamily<Gauge>
    private let log: Logger
    private let ending = Latch<Bool>()
    private let thread = Monitor<Thread?>(nil)

    private struct Memory {
        var book: AlertBook
        /// Counters at the look before.
        var counters: [Measure: Double] = [:]
        var nextTrim: Int64 = 0
    }
    private let memory: Monitor<Memory>

    /// How long a notice is tried.
    private static let noticeMicroseconds: Int64 = 86_400_000_000
    /// The longest pause between two tries.
    private static let longestDelayMicroseconds: Int64 = 3_600_000_000

    /// Opens or creates the file. `source` names this lakehouse in notices.
    package init(
        databasePath: String, probe: any OperationsProbe, sender: (any NoticeSender)? = nil,
        thresholds: AlertThresholds = AlertThresholds(), interval: Duration = .seconds(30),
        clock: any WallClock, metrics: MetricsRegistry, log: Logger = Logger(),
        source: @escaping @Sendable () -> String
    ) throws {
        store = try OperationsStore(
            path: databasePath, nowMicroseconds: { clock.now().microseconds })
        self.probe = probe
        self.sender = sender
        self.thresholds = thresholds
        self.interval = interval
        self.clock = clock
        self.source = source
        self.log = log
        firing = metrics.gauges(
            "lakehouse_alerts_firing", help: "Whether an alert is raised: 1, or 0.",
            labels: ["rule"])
        memory = Monitor(Memory(book: AlertBook(thresholds, known: try store.alerts())))
    }

    /// The database, for backups and checks; whoever made the watchman closes it.
    package var database: Database { store.database }

    // MARK: Service

    package func start() throws {
        let made = try Thread(name: "operations") { [self] in
            let monotonic = SystemMonotonicClock()
            repeat {
                do { try tick() } catch {
                    log.error(
                        "operations.failed", "A look at the process could not be kept.",
                        ["error": LogValue(error)])
                }
            } while ending.wait(until: monotonic.now() + interval) == nil
        }
        thread.withLock { $0 = made }
    }

    package func stop() {
        ending.open(true)
        let made = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        made?.join()
    }

    // MARK: Looking

    /// Looks once: samples, alerts, notices.
    package func tick() throws {
        let reading = probe.read()
        let now = clock.now().microseconds
        let values = memory.withLock { memory in
            var values = reading.values
            for measure in Measure.allCases where measure.isCounter {
                guard let total = reading.values[measure] else { continue }
                // The first look of a process has nothing to compare with: all of it is new.
                values[measure] = max(0, total - (memory.counters[measure] ?? 0))
                memory.counters[measure] = total
            }
            return values
        }
        let window = now - AlertThresholds.failureWindowMicroseconds
        let succeeded =
            try store.sum(.stepsSucceeded, since: window) + (values[.stepsSucceeded] ?? 0)
        let failed = try store.sum(.stepsFailed, since: window) + (values[.stepsFailed] ?? 0)
        let (alerts, changed, trims) = memory.withLock { memory in
            let changed = memory.book.judge(
                reading, succeeded: succeeded, failed: failed, now: now)
            let trims = now >= memory.nextTrim
            if trims { memory.nextTrim = now + 3_600_000_000 }
            return (AlertRule.allCases.compactMap { memory.book.alerts[$0] }, changed, trims)
        }
        for alert in alerts {
            firing.with(alert.rule.rawValue).set(alert.state == .firing ? 1 : 0)
        }
        try store.write(
            values, alerts, changed: changed, source: sender.map { _ in source() }, now: now)
        for alert in changed { tell(alert) }
        if trims { try store.trim(now: now) }
        try deliver(now)
    }

    private func tell(_ alert: Alert) {
        let details: KeyValuePairs<String, LogValue> = [
            "alert": .string(alert.rule.rawValue), "summary": .string(alert.summary),
        ]
        if alert.state == .firing {
            log.error("operations.alert_firing", "An alert is raised.", details)
        } else {
            log.notice("operations.alert_resolved", "An alert is over.", details)
        }
    }

    private func deliver(_ now: Int64) throws {
        guard let sender else { return }
        for notice in try store.dueNotices(now: now) {
            do {
                try sender.send(Array(notice.body.utf8))
                try store.removeNotice(notice.id)
            } catch {
                if now - notice.madeMicroseconds >= Self.noticeMicroseconds {
                    try store.removeNotice(notice.id)
                } else {
                    let pause = min(
                        Self.longestDelayMicroseconds, 30_000_000 << min(notice.attempts, 7))
                    try store.delayNotice(notice.id, until: now + pause)
                }
                log.warning(
                    "operations.notice_failed", "A notice was not taken by the webhook.",
                    ["attempts": .int(Int64(notice.attempts + 1)), "error": LogValue(error)])
            }
        }
    }

    // MARK: Questions

    /// The five alerts in the order of the rules; none before the first look.
    package func alerts() throws -> [Alert] {
        let known = try store.alerts()
        return AlertRule.allCases.compactMap { rule in known.first { $0.rule == rule } }
    }

    /// When alerts began and ceased to fire, newest first.
    package func events(limit: Int = 1000) throws -> [AlertEvent] {
        try store.events(limit: limit)
    }

    /// Samples of some measures (nil: all) by measure and time; `until` is exclusive.
    package func samples(
        measures: [String]? = nil, since: Int64? = nil, until: Int64? = nil
    ) throws -> [Sample] {
        try store.samples(measures: measures, since: since, until: until)
    }
}
