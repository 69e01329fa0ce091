import CivilTime

/// From values to places on an axis, with ticks at round values.
struct LinearScale: Sendable {
    let lower: Double
    let upper: Double
    /// The places of the ends; `start` may be the larger (y axes grow upwards).
    let start: Double
    let end: Double
    let step: Double

    /// Takes in all values and rounds the ends outwards to ticks.
    init(
        _ values: some Sequence<Double>, includesZero: Bool, from start: Double, to end: Double,
        tickCount: Int
    ) {
        var lower = includesZero ? 0.0 : Double.infinity
        var upper = includesZero ? 0.0 : -Double.infinity
        for value in values where value.isFinite {
            lower = min(lower, value)
            upper = max(upper, value)
        }
        if lower > upper { (lower, upper) = (0, 1) }
        if lower == upper {
            // One value: some room on both sides, or up from zero.
            let room = lower == 0 ? 1 : lower.magnitude * 0.1
            if includesZero {
                upper += room
            } else {
                lower -= room
                upper += room
            }
        }
        let step = niceStep((upper - lower) / Double(max(1, tickCount)))
        self.step = step
        self.lower = (lower / step).rounded(.down) * step
        self.upper = (upper / step).rounded(.up) * step
        self.start = start
        self.end = end
    }

    func callAsFunction(_ value: Double) -> Double {
        let share = (value - lower) / (upper - lower)
        return start + min(max(share, 0), 1) * (end - start)
    }

    var ticks: [Double] {
        let count = Int(min(max(((upper - lower) / step).rounded(), 0), 50))
        return (0...count).map { lower + Double($0) * step }
    }

    /// The label of a tick: as many decimals as the step needs.
    func label(_ tick: Double, _ format: NumberFormat, unit: String = "") -> String {
        let value = tick.magnitude < step / 1000 ? 0 : tick
        switch format {
        case .percent:
            return grouped(value * 100, decimals: decimalsNeeded(step * 100)) + "\u{A0}%"
        case .compact, .number:
            let isLarge = max(lower.magnitude, upper.magnitude) >= 10_000
            if isLarge { return compact(value) }
            return grouped(value, decimals: decimalsNeeded(step))
        }
    }
}

/// The round step (1, 2, 2.5 or 5 times a power of ten) at or above a rough one.
func niceStep(_ rough: Double) -> Double {
    guard rough.isFinite, rough > 0 else { return 1 }
    var power = 1.0
    while power * 10 <= rough { power *= 10 }
    while power > rough { power /= 10 }
    guard power > 0 else { return rough }
    let share = rough / power
    for nice in [1.0, 2, 2.5, 5] where share <= nice * 1.000001 { return nice * power }
    return 10 * power
}

private func decimalsNeeded(_ step: Double) -> Int {
    var scaled = step
    for decimals in 0..<9 {
        if (scaled - scaled.rounded()).magnitude < 1e-6 * max(1, scaled.magnitude) {
            return decimals
        }
        scaled *= 10
    }
    return 9
}

/// Ticks of a time axis, at the beginnings of minutes, hours, days, months or years.
struct TimeTicks: Sendable {
    struct Tick: Sendable, Hashable {
        let seconds: Double
        let label: String
    }
    let ticks: [Tick]

    init(from lower: Double, to upper: Double, count: Int) {
        // Years beyond four digits have no useful axis.
        guard lower.isFinite, upper.isFinite, upper >= lower, lower > -62_135_596_800,
            upper < 253_402_300_800
        else {
            ticks = []
            return
        }
        let span = upper - lower
        let rough = span / Double(max(1, count))
        let steps: [Int64] = [
            1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800,
            604_800, 1_209_600,
        ]
        if let step = steps.first(where: { Double($0) >= rough }) {
            ticks = Self.even(from: lower, to: upper, step: step)
        } else {
            let months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 24_000]
            let step = months.first { Double($0) * 2_629_800 >= rough } ?? 24_000
            ticks = Self.months(from: lower, to: upper, step: step)
        }
    }

    private static func even(from lower: Double, to upper: Double, step: Int64) -> [Tick] {
        // Weeks begin on Monday; 1970-01-05 was one.
        let origin: Int64 = step >= 604_800 ? 345_600 : 0
        var tick = origin + Int64(((lower - Double(origin)) / Double(step)).rounded(.up)) * step
        var found: [Tick] = []
        while Double(tick) <= upper, found.count < 60 {
            let day = Int32(clamping: floorDivide(tick, 86_400))
            let clock = floorRemainder(tick, 86_400)
            let date = CivilDate(days: day)
            let label: String
            if clock == 0 {
                label = "\(date.day) \(shortMonth(date.month))"
            } else {
                label =
                    "\(twoDigits(clock / 3600)):\(twoDigits(clock / 60 % 60))"
                    + (step < 60 ? ":\(twoDigits(clock % 60))" : "")
            }
            found.append(Tick(seconds: Double(tick), label: label))
            tick += step
        }
        return found
    }

    private static func months(from lower: Double, to upper: Double, step: Int) -> [Tick] {
        let first = CivilDate(days: Int32(clamping: Int64((lower / 86_400).rounded(.down))))
        var month = (first.year * 12 + first.month - 1) / step * step
        var found: [Tick] = []
        while found.count < 60 {
            let year = month / 12
            let seconds = Double(dayNumber(year: year, month: month % 12 + 1, day: 1)) * 86_400
            if seconds > upper { break }
            if seconds >= lower {
                let label =
                    step >= 12 ? String(year) : "\(shortMonth(month % 12 + 1)) \(year)"
                found.append(Tick(seconds: seconds, label: label))
            }
            month += step
        }
        return found
    }
}

private func shortMonth(_ month: Int) -> String {
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
        min(max(month - 1, 0), 11)]
}

private func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
