// Telemetry: what the appliance says about itself, for people (log) and for machines (metrics).
//
//     Logger ──▶ LogDestination ──▶ one line on standard error, text or JSON
//     Counter, Gauge, Histogram ──▶ MetricsRegistry ──▶ Prometheus text for /metrics
//
// A log event has a fixed dotted name, a constant sentence, and metadata; ids and other values go into
// the metadata, never into the sentence, so that events can be counted and searched. `notice` is what
// an operator wants to read on a quiet day, `error` is a page. A `Secret` describes itself as
// `<redacted>`, wherever it ends up.
//
// Metrics are named `lakehouse_<area>_<noun>_<unit>` (counters end in `_total`) and are declared beside the code
// that moves them. Label values are bounded: past `TelemetryLimits.labelSets` a family counts under
// `other`, so that no client can fill the memory. Moving one costs an atomic addition.
