import TableCatalog
import Quality
import Models
import Ledger
import Jobs
import Identity
import DiskObjectStorage
import Authority
import HTTPClient
import HTTPMessages
import Cryptography
import Operations
import Platform
import SQLEngine
import SQLite
import Supervision
import Synchronization
import Telemetry

/// How the appliance does: its services, its databases, its own metrics, the machine.
struct ApplianceProbe: OperationsProbe {
    let appliance: Appliance
    let health: HealthRegistry

    /// Queries that may wait; as the engine has it.
    private static let queueLimit = QueryEngineConfiguration(spillDirectory: "").queueLimit

    func read() -> Reading {
        Reading(components: services + databases, values: values())
    }

    /// Services that are to run and do not. One that drains is on its way to the end on purpose.
    private var services: [Reading.Component] {
        health.report.map { component in
            switch component.status {
            case .failed(let reason): .init(component.name, fault: reason)
            case .stopped: .init(component.name, fault: "it is stopped")
            case .starting, .ready, .draining: .init(component.name)
            }
        }
    }

    private var databases: [Reading.Component] {
        appliance.databases.map { database in
            do {
                _ = try database.open().read { tx in
                    try tx.number("SELECT count(*) FROM sqlite_schema")
                }
                return .init(database.component)
            } catch { return .init(database.component, fault: "\(error)") }
        }
    }

    private func values() -> [Measure: Double] {
        let lines = MetricLines(appliance.metrics.prometheusText())
        var values: [Measure: Double] = [:]
        if let use = try? LocalFileSystem().diskUse(appliance.directory.path) {
            values[.diskPercent] = percent(use.used, of: use.used + use.free)
        }
        let usage = ProcessUsage.current()
        values[.memoryBytes] = Double(usage.residentBytes)
        values[.memoryPercent] = percent(usage.residentBytes, of: Self.memoryLimit)
        values[.processorSeconds] = usage.processorTime.fractionalSeconds
        values[.connections] = lines.sum("lakehouse_http_connections") ?? 0
        values[.connectionsPercent] = percent(
            Int64(values[.connections] ?? 0),
            of: Int64(appliance.configuration.integer("http.max-connections")))
        let queries = appliance.queries.queries(Appliance.systemContext).map(\.snapshot.state)
        let open = queries.filter { !$0.isDone }
        let waiting = open.count { $0 == .queued }
        values[.queriesWaiting] = Double(waiting)
        values[.queriesRunning] = Double(open.count - waiting)
        values[.queuePercent] = percent(Int64(waiting), of: Int64(Self.queueLimit))
        values[.requests] = lines.sum("lakehouse_http_requests_total") ?? 0
        values[.requestErrors] =
            lines.sum("lakehouse_http_requests_total", label: "status") { $0.hasPrefix("5") } ?? 0
        values[.receivedBytes] = lines.sum("lakehouse_http_received_bytes_total") ?? 0
        values[.sentBytes] = lines.sum("lakehouse_http_sent_bytes_total") ?? 0
        values[.queriesFinished] = lines.sum("lakehouse_query_finished_total") ?? 0
        values[.queriesFailed] = lines.sum("lakehouse_query_failed_total") ?? 0
        let steps = "lakehouse_jobs_attempts_total"
        values[.stepsSucceeded] = lines.sum(steps, label: "outcome") { $0 == "succeeded" } ?? 0
        values[.stepsFailed] = lines.sum(steps, label: "outcome") { $0 == "failed" } ?? 0
        return values
    }

    private func percent(_ part: Int64, of whole: Int64) -> Double {
        whole > 0 ? Double(part) / Double(whole) * 100 : 0
    }

    /// What the control group allows, or what the machine has.
    private static var memoryLimit: Int64 {
        let path = "/sys/fs/cgroup/memory.max"
        let text = (try? LocalFileSystem().readAll(path, limit: 64)).map {
            String(decoding: $0, as: UTF8.self).filter { $0 != "\n" }
        }
        let group = text.flatMap { Int64($0) } ?? .max
        return min(group, Host.memoryBytes)
    }
}

/// Alerts posted to an address.
struct WebhookSender: NoticeSender {
    let target: HTTPTarget

    struct Refused: Error, CustomStringConvertible {
        let status: Int
        var description: String { "the webhook answered \(status)" }
    }

    func send(_ body: [UInt8]) throws {
        let answer = try target.post(
            target.path, fields: Fields([("Content-Type", "application/json")]), body: body,
            answerLimit: 1 << 16)
        guard (200..<300).contains(answer.status) else { throw Refused(status: answer.status) }
    }
}

/// An address of somebody else's server, out of a setting.
struct HTTPTarget: Sendable {
    let host: String
    let port: Int
    /// Begins with a slash, unless the address has no path.
    let path: String
    let isSecure: Bool

    private static let authorities = "/etc/ssl/certs/ca-certificates.crt"

    /// nil for what is no http or https address.
    init?(_ text: String) {
        isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else { return nil }
        let rest = text.drop { $0 != "/" }.dropFirst(2)
        let authority = rest.prefix { $0 != "/" }
        path = String(rest.dropFirst(authority.count))
        guard let parts = HostName.split(String(authority)) else { return nil }
        host = parts.host
        if let named = parts.port {
            guard let number = Int(named) else { return nil }
            port = number
        } else {
            port = isSecure ? 443 : 80
        }
    }

    /// POST on a connection of its own; certificates have to be of an authority that the machine trusts.
    func post(
        _ path: String, fields: Fields, body: [UInt8], answerLimit: Int
    ) throws -> HTTPAnswer {
        var tls: TLSContext?
        if isSecure {
            let trusted = try LocalFileSystem().readAll(Self.authorities, limit: 4 << 20)
            tls = try TLSContext(trustingPEM: String(decoding: trusted, as: UTF8.self))
        }
        let connection = HTTPConnection(host: host, port: port, tls: tls, bodyLimit: answerLimit)
        defer { connection.close() }
        return try connection.send(
            .post, path.isEmpty ? "/" : path, fields: fields, body: body)
    }
}

/// Samples and alerts for `system.operations`.
struct OperationsReading: OperationsDoor {
    let watchman: Watchman

    func samples(
        _ measures: [String]?, since: Int64?, until: Int64?
    ) throws -> [(measure: String, atMicroseconds: Int64, value: Double)] {
        try watchman.samples(measures: measures, since: since, until: until).map {
            ($0.measure, $0.atMicroseconds, $0.value)
        }
    }

    func alerts() throws -> [AlertRow] {
        try watchman.alerts().map {
            AlertRow(
                rule: $0.rule.rawValue, state: $0.state.rawValue,
                atMicroseconds: $0.sinceMicroseconds, value: $0.value, threshold: $0.threshold,
                summary: $0.summary)
        }
    }

    func alertHistory() throws -> [AlertRow] {
        try watchman.events().map {
            AlertRow(
                rule: $0.rule, state: $0.state, atMicroseconds: $0.atMicroseconds, value: $0.value,
                threshold: $0.threshold, summary: $0.summary)
        }
    }
}

/// The probe of an appliance that serves; attached once its services are known.
final class LateProbe: OperationsProbe {
    private let probe = Mutex<(any OperationsProbe)?>(nil)

    func attach(_ probe: (any OperationsProbe)?) { self.probe.withLock { $0 = probe } }

    func read() -> Reading {
        probe.withLock { $0 }?.read() ?? Reading(components: [], values: [:])
    }
}

extension Appliance {
    /// Keeps samples and alerts as the settings say.
    static func makeWatchman(
        _ configuration: ApplianceConfiguration, path: String, probe: LateProbe,
        clock: any WallClock, metrics: MetricsRegistry, addresses: PublishedAddresses
    ) throws -> Watchman {
        func percent(_ name: String) -> Double {
            Double(configuration.integer("alerts.\(name)-percent"))
        }
        var thresholds = AlertThresholds()
        thresholds.holdMicroseconds =
            Int64(configuration.integer("alerts.hold-seconds")) * 1_000_000
        thresholds.diskPercent = percent("disk")
        thresholds.memoryPercent = percent("memory")
        thresholds.connectionPercent = percent("connection")
        thresholds.jobFailurePercent = percent("job-failure")
        var sender: WebhookSender?
        let address = configuration.text("alerts.webhook")
        if !address.isEmpty {
            guard let target = HTTPTarget(address) else {
                throw ApplianceError(
                    .invalidSetting, "alerts.webhook is no http or https address: \(address)",
                    hint: "such as https://example.org/hooks/lakehouse")
            }
            sender = WebhookSender(target: target)
        }
        return try Watchman(
            databasePath: path, probe: probe, sender: sender, thresholds: thresholds,
            interval: .seconds(configuration.integer("alerts.interval-seconds")), clock: clock,
            metrics: metrics, source: { addresses.publicURL })
    }
}
