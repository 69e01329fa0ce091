import CivilTime

/// Says where an answer's period is not covered by the data: a month whose first weeks were never loaded
/// is no bad month.
struct Coverage {
    /// Local microseconds of the oldest and the newest row.
    let first: Int64
    let last: Int64
    /// Local microseconds.
    let now: Int64
    /// The table in words.
    let table: String

    func notes(_ frame: Frame) -> [String] {
        var notes: [String] = []
        for period in [frame.period, frame.comparison].compactMap({ $0 }) {
            for note in gaps(period) where !notes.contains(note) { notes.append(note) }
        }
        guard notes.isEmpty else { return notes }
        for case .series(let unit) in frame.breakdowns where unit != .hour && unit != .day {
            guard frame.period?.start ?? .min <= first,
                let whole = Period.unit(unit, holding: first)?.start,
                Microseconds.day(of: whole) < Microseconds.day(of: first)
            else { continue }
            notes.append("\(begins): its first \(unit.rawValue) began on \(Period.text(whole))")
        }
        return notes
    }

    private func gaps(_ period: Period) -> [String] {
        var notes: [String] = []
        let end = period.end ?? .max
        if let start = period.start, Microseconds.day(of: start) < Microseconds.day(of: first) {
            notes.append(
                end <= first
                    ? "\(begins): there is none of \(period.label)"
                    : "\(begins): \(period.label) is covered from there on only")
        }
        // A day without a row is not yet over, or was never loaded.
        let until = min(end, now)
        if (period.start ?? .min) < until,
            Microseconds.day(of: last) < Microseconds.day(of: until - 1)
        {
            notes.append(
                "the newest of \(table) is of \(text(last)): nothing later is in the answer")
        }
        return notes
    }

    private var begins: String { "the data of \(table) begins on \(text(first))" }

    private func text(_ time: Int64) -> String { CivilFormat.timestamp(time, precision: 0) }
}
