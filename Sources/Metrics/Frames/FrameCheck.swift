import CivilTime
import Diagnostics

/// Decides whether a frame says something that the model can answer. Every frame passes here, whether
/// the grammar, a client or an endpoint made it.
struct FrameCheck {
    let model: MetricModel
    /// The words for values of indexed dimensions, as the asker may see them.
    let values: [String: [String]]

    static let breakdownLimit = 4
    static let rankingLimit = 1_000

    /// Throws `.invalidFrame` for the first thing that cannot be answered.
    func check(_ frame: Frame) throws(MetricError) {
        guard frame.model == model.name else { throw bad("the frame is of \(frame.model)") }
        guard !frame.metrics.isEmpty else { throw bad("the frame has no metric") }
        guard Set(frame.metrics).count == frame.metrics.count else {
            throw bad("a metric is named twice")
        }
        var metrics: [Metric] = []
        for name in frame.metrics {
            metrics.append(try found(name, model.metric(name), model.metrics.map(\.name), "metric"))
        }
        try checkBreakdowns(frame, metrics)
        for filter in frame.filters {
            let dimension = try dimension(filter.dimension)
            try reach(dimension, metrics)
            guard !filter.values.isEmpty else { throw bad("a filter has no value") }
            for value in filter.values { try check(value, of: dimension) }
        }
        try checkTime(frame, metrics)
        for threshold in frame.thresholds {
            guard frame.metrics.contains(threshold.metric) else {
                throw bad("a condition is on a metric that is not asked for: \(threshold.metric)")
            }
            if let upper = threshold.upper, upper < threshold.value {
                throw bad("a condition's ends are in the wrong order")
            }
        }
        if let ranking = frame.ranking {
            guard frame.metrics.contains(ranking.metric) else {
                throw bad("the order is by a metric that is not asked for: \(ranking.metric)")
            }
            guard !frame.breakdowns.isEmpty else {
                throw bad("a ranking needs something to rank", hint: "say by what: by region")
            }
            if let count = ranking.count, !(1...FrameCheck.rankingLimit).contains(count) {
                throw bad("a ranking has 1 to \(FrameCheck.rankingLimit) rows")
            }
            try checkGroups(ranking, frame)
        }
        try checkParts(frame, metrics)
        try checkAverage(frame, metrics)
        try checkShare(frame, metrics)
    }

    /// The groups that each have their own first rows.
    private func checkGroups(_ ranking: Ranking, _ frame: Frame) throws(MetricError) {
        guard !ranking.within.isEmpty else { return }
        guard ranking.count != nil else { throw bad("rows of each group need a number of them") }
        guard Set(ranking.within).count == ranking.within.count,
            ranking.within.allSatisfy(frame.breakdowns.contains)
        else { throw bad("rows are ranked within a breakdown that is not shown") }
        guard ranking.within.count < frame.breakdowns.count else {
            throw bad("nothing is left to rank within each group")
        }
    }

    private func checkParts(_ frame: Frame, _ metrics: [Metric]) throws(MetricError) {
        for filter in frame.partFilters {
            guard !filter.values.isEmpty else { throw bad("a filter has no value") }
            for value in filter.values where !filter.part.values.contains(value) {
                throw bad("there is no \(filter.part.label) with this number: \(value)")
            }
            try grain(filter.part == .hourOfDay ? .hour : .day, metrics)
        }
    }

    /// A mean over units of time is one of sums or counts, for units finer than those of the rows.
    private func checkAverage(_ frame: Frame, _ metrics: [Metric]) throws(MetricError) {
        guard let unit = frame.average else { return }
        try grain(unit, metrics)
        for metric in metrics where metric.kind == .ratio {
            throw bad("\(metric.label) has no average per \(unit.rawValue): it is a ratio")
        }
        for case .series(let other) in frame.breakdowns
        where FrameCheck.rank(other) <= FrameCheck.rank(unit) {
            throw bad("rows by \(other.rawValue) have no average per \(unit.rawValue)")
        }
    }

    private func checkShare(_ frame: Frame, _ metrics: [Metric]) throws(MetricError) {
        guard frame.hasShare else { return }
        guard !frame.breakdowns.isEmpty else {
            throw bad("a share needs parts of a total", hint: "say by what: by region")
        }
        guard frame.comparison == nil, frame.average == nil else {
            throw bad("shares are shown for one period, of sums")
        }
        for metric in metrics where metric.kind != .additive {
            throw bad("\(metric.label) has no total to be a share of")
        }
    }

    private func checkBreakdowns(_ frame: Frame, _ metrics: [Metric]) throws(MetricError) {
        guard frame.breakdowns.count <= FrameCheck.breakdownLimit else {
            throw bad("at most \(FrameCheck.breakdownLimit) breakdowns are shown")
        }
        guard Set(frame.breakdowns).count == frame.breakdowns.count else {
            throw bad("a breakdown is named twice")
        }
        for breakdown in frame.breakdowns {
            switch breakdown {
            case .dimension(let name): try reach(dimension(name), metrics)
            case .series(let unit):
                guard frame.comparison == nil else {
                    throw bad(
                        "a comparison of two periods has no rows by \(unit.rawValue)",
                        hint: "leave out one of both")
                }
                try grain(unit, metrics)
            case .part(let part): try grain(part == .hourOfDay ? .hour : .day, metrics)
            }
        }
    }

    private func checkTime(_ frame: Frame, _ metrics: [Metric]) throws(MetricError) {
        guard frame.comparison == nil || frame.period != nil else {
            throw bad("a comparison needs a period to compare")
        }
        for period in [frame.period, frame.comparison].compactMap({ $0 }) {
            if let start = period.start, let end = period.end, start >= end {
                throw bad("the period is empty: it ends before it begins")
            }
            for metric in metrics {
                guard let time = model.table(metric.table)?.time else {
                    throw bad(
                        "\(metric.label) has no time", hint: "leave out the period")
                }
                guard period.isAligned(to: time.grain) else {
                    throw bad(
                        "\(metric.label) is known by \(time.grain.rawValue), not for \(period.label)",
                        hint: "ask for whole \(time.grain.rawValue)s")
                }
            }
        }
    }

    private func grain(_ unit: DateUnit, _ metrics: [Metric]) throws(MetricError) {
        for metric in metrics {
            guard let time = model.table(metric.table)?.time else {
                throw bad("\(metric.label) has no time")
            }
            guard FrameCheck.rank(unit) >= FrameCheck.rank(time.grain) else {
                throw bad("\(metric.label) is known by \(time.grain.rawValue) at the finest")
            }
            if time.grain == .week, unit != .week {
                throw bad("weeks cannot be put together to a \(unit.rawValue)")
            }
        }
    }

    private static func rank(_ unit: DateUnit) -> Int {
        DateUnit.allCases.firstIndex(of: unit) ?? 0
    }

    private func check(_ value: String, of dimension: Dimension) throws(MetricError) {
        switch dimension.kind {
        case .number:
            guard ExactNumber(value) != nil else {
                throw bad("\(dimension.label) is a number: \(value)")
            }
        case .boolean:
            guard value == "true" || value == "false" else {
                throw bad("\(dimension.label) is true or false: \(value)")
            }
        case .date:
            guard CivilParse.date(value) != nil else {
                throw bad("\(dimension.label) is a date: \(value)")
            }
        case .text:
            guard let known = values[dimension.name], !known.contains(value) else { return }
            throw bad(
                "\(dimension.label) has no value: \(value)",
                hint: nearestName(to: value, among: known).map { "did you mean \($0)?" })
        }
    }

    private func dimension(_ name: String) throws(MetricError) -> Dimension {
        try found(name, model.dimension(name), model.dimensions.map(\.name), "dimension")
    }

    private func reach(_ dimension: Dimension, _ metrics: [Metric]) throws(MetricError) {
        for metric in metrics {
            do throws(MetricError) {
                _ = try JoinPath(from: metric.table, to: [dimension.table], in: model)
            } catch {
                throw bad(
                    "\(metric.label) cannot be seen by \(dimension.label): \(error.message)",
                    hint: hint(for: metric))
            }
        }
    }

    /// The dimensions that a metric knows.
    private func hint(for metric: Metric) -> String {
        let names = model.dimensions.filter {
            JoinPath.ways(from: metric.table, to: $0.table, in: model).count == 1
        }.map(\.label)
        return "\(metric.label) is known by: \(names.joined(separator: ", "))"
    }

    private func found<Value>(
        _ name: String, _ value: Value?, _ names: [String], _ what: String
    ) throws(MetricError) -> Value {
        if let value { return value }
        throw bad(
            "unknown \(what): \(name)",
            hint: nearestName(to: name, among: names).map { "did you mean \($0)?" })
    }

    private func bad(_ message: String, hint: String? = nil) -> MetricError {
        MetricError(.invalidFrame, message, hint: hint)
    }
}
