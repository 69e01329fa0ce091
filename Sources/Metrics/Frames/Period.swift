package import CivilTime

/// A half-open stretch of local time in the model's zone; an end that is nil is open.
package struct Period: Sendable, Hashable {
    /// Local microseconds since 1970, included.
    package var start: Int64?
    /// Local microseconds since 1970, not included.
    package var end: Int64?
    /// What "the one before" goes back by: `count` of `unit`.
    package var unit: DateUnit
    package var count: Int

    /// A stretch, and the step to its neighbours.
    package init(start: Int64?, end: Int64?, unit: DateUnit, count: Int = 1) {
        self.start = start
        self.end = end
        self.unit = unit
        self.count = count
    }

    /// Whole days, `end` not included.
    init(fromDay start: Int32?, toDay end: Int32?, unit: DateUnit, count: Int = 1) {
        self.init(
            start: start.flatMap { Microseconds.timestamp(day: $0) },
            end: end.flatMap { Microseconds.timestamp(day: $0) }, unit: unit, count: count)
    }

    /// The same stretch some steps later (earlier when negative); nil outside of the calendar.
    package func shifted(by steps: Int, unit: DateUnit? = nil) -> Period? {
        let size = unit == nil ? Int64(steps) * Int64(count) : Int64(steps)
        let step = unit ?? self.unit
        var result = self
        if let start {
            guard let moved = step.add(size, toMicroseconds: start) else { return nil }
            result.start = moved
        }
        if let end {
            guard let moved = Period.movedEnd(end, step, size) else { return nil }
            result.end = moved
        }
        return result
    }

    /// An end at a month's first day stays one; the last day of a month does not become a gap.
    private static func movedEnd(_ end: Int64, _ unit: DateUnit, _ size: Int64) -> Int64? {
        unit.add(size, toMicroseconds: end)
    }

    /// Whether both ends lie at starts of `grain`.
    package func isAligned(to grain: DateUnit) -> Bool {
        [start, end].allSatisfy { edge in
            edge.map { grain.truncate(microseconds: $0) == $0 } ?? true
        }
    }

    /// The unit that holds a local time.
    package static func unit(_ unit: DateUnit, holding local: Int64) -> Period? {
        let start = unit.truncate(microseconds: local)
        guard let end = unit.add(1, toMicroseconds: start) else { return nil }
        return Period(start: start, end: end, unit: unit)
    }

    /// An edge as text: a date, with the time where it is not midnight.
    static func text(_ edge: Int64) -> String {
        Microseconds.timeOfDay(of: edge) == 0
            ? CivilFormat.date(Microseconds.day(of: edge))
            : CivilFormat.timestamp(edge, precision: 0)
    }

    /// In words: `the ISO week 46 of 2026 (2026-11-09 up to 2026-11-15)`.
    package var label: String {
        guard let start, let end else {
            if let start { return "from \(Period.text(start)) on" }
            if let end { return "before \(Period.text(end))" }
            return "all time"
        }
        let dates = "\(Period.text(start)) to \(lastText(end))"
        guard Period.unit(unit, holding: start).map({ $0.start == start && $0.end == end }) ?? false
        else { return dates }
        let day = Microseconds.day(of: start)
        let date = CivilDate(days: day)
        switch unit {
        case .day:
            return "\(CivilFormat.weekdayNames[Calendar.dayOfWeek(day) - 1]) \(Period.text(start))"
        case .week:
            let iso = Calendar.isoWeek(day)
            return "ISO week \(iso.week) of \(iso.year), \(dates)"
        case .month: return "\(CivilFormat.monthNames[date.month - 1]) \(date.year), \(dates)"
        case .quarter: return "Q\(Calendar.quarter(day)) \(date.year), \(dates)"
        case .year: return "\(date.year), \(dates)"
        default: return dates
        }
    }

    /// The last day of whole days, else the end itself.
    private func lastText(_ end: Int64) -> String {
        guard Microseconds.timeOfDay(of: end) == 0 else { return Period.text(end) + " (excluded)" }
        return CivilFormat.date(Microseconds.day(of: end) &- 1)
    }
}
