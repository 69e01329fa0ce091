/// What is measured.
package enum Measure: String, Sendable, CaseIterable {
    case componentsUp = "components_up"
    case componentsDown = "components_down"
    /// Of the disk that holds the data directory.
    case diskPercent = "disk_used_percent"
    case memoryBytes = "memory_bytes"
    /// Of what the process may have: its control group's limit, or the machine's memory.
    case memoryPercent = "memory_used_percent"
    case connections = "connections"
    case connectionsPercent = "connections_used_percent"
    case queriesRunning = "queries_running"
    case queriesWaiting = "queries_waiting"
    case queuePercent = "queue_used_percent"
    case requests = "http_requests"
    /// Answers from 500 on.
    case requestErrors = "http_errors"
    case receivedBytes = "http_received_bytes"
    case sentBytes = "http_sent_bytes"
    case queriesFinished = "queries_finished"
    case queriesFailed = "queries_failed"
    case stepsSucceeded = "job_steps_succeeded"
    case stepsFailed = "job_steps_failed"
    case processorSeconds = "processor_seconds"

    /// Whether it only grows, and what was added is kept.
    package var isCounter: Bool {
        switch self {
        case .requests, .requestErrors, .receivedBytes, .sentBytes, .queriesFinished,
            .queriesFailed, .stepsSucceeded, .stepsFailed, .processorSeconds:
            true
        default: false
        }
    }
}

/// One look at the process.
package struct Reading: Sendable {
    /// A part that has to work.
    package struct Component: Sendable, Hashable {
        package var name: String
        /// Why it does not work; nil: it does.
        package var fault: String?

        /// A part and what is wrong with it.
        package init(_ name: String, fault: String? = nil) {
            self.name = name
            self.fault = fault
        }
    }

    package var components: [Component]
    /// Gauges as they are, counters since the process began; what is not known is missing.
    package var values: [Measure: Double]

    /// A look; the two measures of components follow from them.
    package init(components: [Component], values: [Measure: Double]) {
        self.components = components
        self.values = values
        self.values[.componentsUp] = Double(components.count { $0.fault == nil })
        self.values[.componentsDown] = Double(components.count { $0.fault != nil })
    }
}

/// Looks at the process. `Appliance` supplies it.
package protocol OperationsProbe: Sendable {
    /// How things are at the moment.
    func read() -> Reading
}

/// Values out of the Prometheus text format, as this process writes it.
package struct MetricLines: Sendable {
    private struct Line {
        let name: Substring
        let labels: [(name: Substring, value: Substring)]
        let value: Double
    }
    private let lines: [Line]

    /// Reads samples; comments and lines that are none are passed over.
    package init(_ text: String) {
        lines = text.split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("#"), let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else { return nil }
            let head = line[..<space]
            guard let open = head.firstIndex(of: "{"), head.hasSuffix("}") else {
                return Line(name: head, labels: [], value: value)
            }
            let labels = head[head.index(after: open)...].dropLast().split(separator: ",")
                .compactMap { pair -> (name: Substring, value: Substring)? in
                    guard let equals = pair.firstIndex(of: "=") else { return nil }
                    let quoted = pair[pair.index(after: equals)...]
                    return (pair[..<equals], quoted.dropFirst().dropLast())
                }
            return Line(name: head[..<open], labels: labels, value: value)
        }
    }

    /// The sum of a metric's samples whose label passes; nil when there is no such metric.
    package func sum(
        _ name: String, label: String = "", where isWanted: (String) -> Bool = { _ in true }
    ) -> Double? {
        let found = lines.filter { $0.name == name }
        if found.isEmpty { return nil }
        return found.reduce(0) { sum, line in
            if label.isEmpty { return sum + line.value }
            let value = line.labels.first { $0.name == label }?.value ?? ""
            return isWanted(String(value)) ? sum + line.value : sum
        }
    }
}
