import HTTPMessages
import Telemetry

/// What the server counts. Made once; the loops share it.
struct HTTPServerMetrics: Sendable {
    let requests: MetricFamily<Counter>
    let seconds: MetricFamily<Histogram>
    let refusedHeads: MetricFamily<Counter>
    let overloaded: Counter
    let accepted: Counter
    let turnedAway: Counter
    let timedOut: MetricFamily<Counter>
    let receivedBytes: Counter
    let sentBytes: Counter
    let open: Gauge

    init(_ registry: MetricsRegistry) {
        requests = registry.counters(
            "lakehouse_http_requests_total", help: "Requests answered.",
            labels: ["door", "method", "status"])
        seconds = registry.histograms(
            "lakehouse_http_request_seconds",
            help: "Time from the head of a request to the end of its answer.",
            labels: ["door"])
        refusedHeads = registry.counters(
            "lakehouse_http_refused_total", help: "Malformed or oversized requests refused.",
            labels: ["status"])
        overloaded = registry.counter(
            "lakehouse_http_overloaded_total",
            help: "Requests answered 503 because the queue was full.")
        accepted = registry.counter(
            "lakehouse_http_connections_total", help: "Connections accepted.")
        turnedAway = registry.counter(
            "lakehouse_http_connections_refused_total",
            help: "Connections closed because of a limit.")
        timedOut = registry.counters(
            "lakehouse_http_timeouts_total", help: "Connections ended by a deadline.",
            labels: ["deadline"])
        receivedBytes = registry.counter(
            "lakehouse_http_received_bytes_total", help: "Bytes received.")
        sentBytes = registry.counter("lakehouse_http_sent_bytes_total", help: "Bytes sent.")
        open = registry.gauge("lakehouse_http_connections", help: "Connections open now.")
    }
}

/// Finds the counter of a method and status without hashing strings; one a loop and door.
final class RequestCounters {
    private let family: MetricFamily<Counter>
    private let door: String
    private var known: [Int: Counter] = [:]
    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "other",
    ]

    init(_ family: MetricFamily<Counter>, door: String) {
        self.family = family
        self.door = door
    }

    func count(_ method: Method, _ status: Int) {
        let index = Self.methods.firstIndex(of: method.rawValue) ?? Self.methods.count - 1
        let key = index * 1000 + status
        if let counter = known[key] { return counter.increment() }
        let counter = family.with(door, Self.methods[index], "\(status)")
        known[key] = counter
        counter.increment()
    }
}
