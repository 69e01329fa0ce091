import Diagnostics
import Synchronization

/// Counts what happened; only grows.
package final class Counter: Sendable {
    private let value = Atomic<Int64>(0)
    package init() {}
    package func increment(by amount: Int64 = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
    package var current: Int64 { value.load(ordering: .relaxed) }
}

/// A figure that goes up and down.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)
    package init() {}
    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package func set(_ value: Int) { set(Double(value)) }
    /// Adds to the gauge; safe from many threads.
    package func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, seen) = bits.weakCompareExchange(
                expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = seen
        }
    }
    package var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// How values are spread, in fixed buckets.
package final class Histogram: Sendable {
    private struct State {
        var counts: [Int64]
        var sum = 0.0
    }
    /// Upper bounds, ascending; a last bucket takes the rest.
    let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Takes one value, in the unit of the histogram's name.
    package func observe(_ value: Double) {
        // A dozen bounds: a walk is faster than a search.
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    /// Takes one duration, as seconds.
    package func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    package var count: Int64 { state.withLock { $0.counts.reduce(0, +) } }
    package var sum: Double { state.withLock { $0.sum } }
    var snapshot: (counts: [Int64], sum: Double) { state.withLock { ($0.counts, $0.sum) } }

    /// 100 µs to 60 s, for requests and queries.
    package static let durations: [Double] = [
        0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
        60,
    ]
    /// 256 bytes to 1 GiB, for bodies and files.
    package static let sizes: [Double] = (0...11).map { Double(256 << ($0 * 2)) }
}

/// One metric with labels: a member for each tuple of label values that occurred.
package final class MetricFamily<Member: Sendable>: Sendable {
    private struct State: Sendable {
        var members: [[String]: Member] = [:]
        var order: [[String]] = []
    }
    private let labels: [String]
    private let make: @Sendable () -> Member
    private let state = Mutex(State())

    init(labels: [String], make: @escaping @Sendable () -> Member) {
        self.labels = labels
        self.make = make
    }

    /// The member for these label values, in the order declared. Keep it where it is moved often.
    package func with(_ values: String...) -> Member { member(values) }

    /// The same with an array.
    package func member(_ values: [String]) -> Member {
        invariant(values.count == labels.count, "a metric has a value for each of its labels")
        return state.withLock { state in
            if let known = state.members[values] { return known }
            let isFull = state.order.count >= TelemetryLimits.labelSets
            let key = isFull ? Array(repeating: "other", count: labels.count) : values
            if let known = state.members[key] { return known }
            let member = make()
            state.members[key] = member
            state.order.append(key)
            return member
        }
    }

    var all: [(labels: [(String, String)], member: Member)] {
        state.withLock { state in
            state.order.compactMap { key in
                state.members[key].map { (Array(zip(labels, key)), $0) }
            }
        }
    }
}

/// Every metric of the process, in the order declared.
package final class MetricsRegistry: Sendable {
    enum Instrument: Sendable {
        case counter(MetricFamily<Counter>)
        case gauge(MetricFamily<Gauge>)
        case histogram(MetricFamily<Histogram>)
        case computedGauge(@Sendable () -> Double?)
        case computedCounter(@Sendable () -> Double?)
    }
    struct Entry: Sendable {
        let name: String
        let help: String
        let instrument: Instrument
    }
    private let entries = Mutex<[Entry]>([])

    package init() {}

    var all: [Entry] { entries.withLock { $0 } }

    /// Declares a counter; its name ends in `_total`. Declaring it again gives the same one.
    package func counters(_ name: String, help: String, labels: [String]) -> MetricFamily<Counter> {
        invariant(name.hasSuffix("_total"), "a counter's name ends in _total")
        let family = MetricFamily(labels: labels) { Counter() }
        guard case .counter(let known) = declare(name, help, .counter(family)) else {
            preconditionFailure("a metric was declared as two kinds")
        }
        return known
    }

    /// The counter of this name, made at the first call.
    package func counter(_ name: String, help: String) -> Counter {
        counters(name, help: help, labels: []).member([])
    }

    /// The gauges of this name, one for each combination of values of `labels`.
    package func gauges(_ name: String, help: String, labels: [String]) -> MetricFamily<Gauge> {
        let family = MetricFamily(labels: labels) { Gauge() }
        guard case .gauge(let known) = declare(name, help, .gauge(family)) else {
            preconditionFailure("a metric was declared as two kinds")
        }
        return known
    }

    /// The gauge of this name, made at the first call.
    package func gauge(_ name: String, help: String) -> Gauge {
        gauges(name, help: help, labels: []).member([])
    }

    /// A gauge that is asked when somebody looks; nil leaves it out.
    package func gauge(_ name: String, help: String, read: @escaping @Sendable () -> Double?) {
        _ = declare(name, help, .computedGauge(read))
    }

    /// A counter that something else keeps.
    package func counter(_ name: String, help: String, read: @escaping @Sendable () -> Double?) {
        invariant(name.hasSuffix("_total"), "a counter's name ends in _total")
        _ = declare(name, help, .computedCounter(read))
    }

    /// The histograms of this name, one for each combination of values of `labels`; `bounds` are
    /// upper and rising.
    package func histograms(
        _ name: String, help: String, labels: [String], bounds: [Double] = Histogram.durations
    ) -> MetricFamily<Histogram> {
        let family = MetricFamily(labels: labels) { Histogram(bounds: bounds) }
        guard case .histogram(let known) = declare(name, help, .histogram(family)) else {
            preconditionFailure("a metric was declared as two kinds")
        }
        return known
    }

    /// The histogram of this name, made at the first call.
    package func histogram(
        _ name: String, help: String, bounds: [Double] = Histogram.durations
    ) -> Histogram {
        histograms(name, help: help, labels: [], bounds: bounds).member([])
    }

    private func declare(_ name: String, _ help: String, _ instrument: Instrument) -> Instrument {
        let isSound = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
        }
        invariant(
            isSound && name.hasPrefix("lakehouse_"),
            "a metric's name is lakehouse_<area>_<noun>_<unit>")
        return entries.withLock { entries in
            if let known = entries.first(where: { $0.name == name }) { return known.instrument }
            entries.append(Entry(name: name, help: help, instrument: instrument))
            return instrument
        }
    }
}
