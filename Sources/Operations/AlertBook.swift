/// What is watched over.
package enum AlertRule: String, Sendable, CaseIterable {
    /// A service or a database does not work.
    case componentDown = "component_down"
    /// Too many steps of pipelines failed of late.
    case jobFailures = "job_failures"
    case diskUse = "disk_use"
    case memoryUse = "memory_use"
    /// Connections, or the queue of queries.
    case connectionUse = "connection_use"
}

/// From where on an alert is raised. Percentages are passed when they are higher.
package struct AlertThresholds: Sendable {
    /// How long a condition has to hold.
    package var holdMicroseconds: Int64 = 60_000_000
    /// Of the steps that ended within a quarter of an hour.
    package var jobFailurePercent = 20.0
    package var diskPercent = 80.0
    package var memoryPercent = 80.0
    package var connectionPercent = 80.0

    /// The thresholds that hold without settings.
    package init() {}

    /// How far back failures of steps count.
    package static let failureWindowMicroseconds: Int64 = 15 * 60 * 1_000_000
}

/// How an alert stands.
package struct Alert: Sendable, Hashable {
    /// Whether its condition holds, and for long enough.
    package enum State: String, Sendable {
        case ok, pending, firing
    }

    package var rule: AlertRule
    package var state: State
    /// When the state began.
    package var sinceMicroseconds: Int64
    package var value: Double
    package var threshold: Double
    /// What is the case, for people.
    package var summary: String
}

/// The alerts and how they move from state to state. Pure: time and figures come in.
struct AlertBook: Sendable {
    private(set) var alerts: [AlertRule: Alert] = [:]
    let thresholds: AlertThresholds

    init(_ thresholds: AlertThresholds, known: [Alert] = []) {
        self.thresholds = thresholds
        for alert in known { alerts[alert.rule] = alert }
    }

    /// Judges every rule; gives the alerts that began or ceased to fire. `succeeded` and `failed` are the
    /// steps of the failure window.
    mutating func judge(
        _ reading: Reading, succeeded: Double, failed: Double, now: Int64
    ) -> [Alert] {
        AlertRule.allCases.compactMap { rule in
            let (value, threshold, summary) = figures(rule, reading, succeeded, failed)
            return step(rule, value, threshold, summary, now)
        }
    }

    private mutating func step(
        _ rule: AlertRule, _ value: Double, _ threshold: Double, _ summary: String, _ now: Int64
    ) -> Alert? {
        var alert =
            alerts[rule]
            ?? Alert(
                rule: rule, state: .ok, sinceMicroseconds: now, value: 0, threshold: threshold,
                summary: "")
        let before = alert.state
        if value > threshold {
            if before == .ok { alert.sinceMicroseconds = now }
            // A clock that was set back does not hold an alert up for long.
            let held = now.subtractingReportingOverflow(alert.sinceMicroseconds)
            if before != .firing {
                let isDue = held.overflow || held.partialValue >= thresholds.holdMicroseconds
                alert.state = isDue ? .firing : .pending
                if isDue { alert.sinceMicroseconds = now }
            }
        } else if before != .ok {
            alert.state = .ok
            alert.sinceMicroseconds = now
        }
        (alert.value, alert.threshold, alert.summary) = (value, threshold, summary)
        alerts[rule] = alert
        return (before == .firing) == (alert.state == .firing) ? nil : alert
    }

    private func figures(
        _ rule: AlertRule, _ reading: Reading, _ succeeded: Double, _ failed: Double
    ) -> (value: Double, threshold: Double, summary: String) {
        func percent(_ number: Double) -> String { "\(Int(number.rounded())) %" }
        func value(_ measure: Measure) -> Double { reading.values[measure] ?? 0 }
        switch rule {
        case .componentDown:
            let down = reading.components.filter { $0.fault != nil }
            let words = down.map { "\($0.name): \($0.fault ?? "")" }.joined(separator: "; ")
            return (
                Double(down.count), 0,
                down.isEmpty ? "all \(reading.components.count) components work" : words
            )
        case .jobFailures:
            let all = succeeded + failed
            let share = all > 0 ? failed / all * 100 : 0
            return (
                share, thresholds.jobFailurePercent,
                "\(Int(failed)) of \(Int(all)) steps failed within 15 minutes"
            )
        case .diskUse:
            return (
                value(.diskPercent), thresholds.diskPercent,
                "\(percent(value(.diskPercent))) of the disk are used"
            )
        case .memoryUse:
            return (
                value(.memoryPercent), thresholds.memoryPercent,
                "\(percent(value(.memoryPercent))) of the memory are used"
            )
        case .connectionUse:
            return (
                max(value(.connectionsPercent), value(.queuePercent)),
                thresholds.connectionPercent,
                "\(percent(value(.connectionsPercent))) of the connections and "
                    + "\(percent(value(.queuePercent))) of the queue of queries are used"
            )
        }
    }
}
