import Telemetry

/// What jobs count.
final class JobMetrics: Sendable {
    private let steps: MetricFamily<Counter>
    private let seconds: MetricFamily<Histogram>

    init(_ registry: MetricsRegistry) {
        steps = registry.counters(
            "lakehouse_jobs_attempts_total", help: "Attempts at steps, by kind and how they ended.",
            labels: ["kind", "outcome"])
        seconds = registry.histograms(
            "lakehouse_jobs_attempt_seconds", help: "How long attempts at steps took.",
            labels: ["kind"])
    }

    func finished(_ kind: String, _ outcome: AttemptOutcome, _ duration: Double) {
        let word =
            switch outcome {
            case .succeeded: "succeeded"
            case .failed: "failed"
            case .cancelled: "cancelled"
            case .interrupted: "interrupted"
            }
        steps.with(kind, word).increment()
        seconds.with(kind).observe(duration)
    }
}
