import CivilTime

/// Dates: `1 March`, `March 1st, 2025`, `2025-03-01`, `1.3.2025`.
extension TimePhrases {
    /// A day of a month: `1`, `1st`.
    func day(_ at: Int) -> Int? {
        guard let value = number(at), (1...31).contains(value), tokens[at].text.count <= 4 else {
            return nil
        }
        return value
    }

    func dated(_ at: Int, implied: Bool, year given: Int?) -> Match? {
        let first = word(at)
        if first.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) ?? false, first.contains("-") {
            if let day = CivilParse.date(first) {
                return one(Microseconds.timestamp(day: day).flatMap { .unit(.day, holding: $0) }, 1)
            }
            let parts = first.split(separator: "-")
            if parts.count == 2, let year = Int(parts[0]), (1900...2199).contains(year),
                let month = Int(parts[1]), (1...12).contains(month)
            {
                return named(month: month, year: year, length: 1, hasYear: true)
            }
        }
        if let slashed = slashed(at) { return slashed }
        if first.contains("."), let match = dotted(first) { return match }
        if let month = month(first), let day = day(at + 1) {
            let behind = yearBehind(at + 2)
            let found = date(day, month, behind, given, 2)
            guard behind == nil, given == nil, isShortYear(at + 1, found),
                let other = named(month: month, year: 2000 + day, length: 2)
            else { return found }
            return Match(periods: (found?.periods ?? []) + other.periods, length: 2, hasYear: false)
        }
        if let day = day(at) {
            let next = word(at + 1) == "of" ? at + 2 : at + 1
            if let month = month(word(next)) {
                return date(day, month, yearBehind(next + 1), given, next - at + 1)
            }
        }
        return nil
    }

    /// Nov 26: a day, or a month of 2026.
    private func isShortYear(_ at: Int, _ found: Match?) -> Bool {
        guard let value = number(at), value >= 10, tokens[at].text.count == 2,
            case .number(_, isOrdinal: false) = tokens[at].kind
        else { return false }
        let year = CivilDate(days: today).year
        if ["in", "during"].contains(word(at - 2)) { return 2000 + value <= year }
        // A day that would be one of last year.
        guard let start = found?.periods.first?.start else { return 2000 + value == year }
        return 2000 + value == year && CivilDate(days: Microseconds.day(of: start)).year != year
    }

    private func date(
        _ day: Int, _ month: Int, _ behind: (year: Int, length: Int)?, _ given: Int?, _ length: Int
    ) -> Match? {
        let current = CivilDate(days: today)
        var year = behind?.year ?? given ?? current.year
        if behind == nil, given == nil, (month, day) > (current.month, current.day) { year -= 1 }
        guard let date = CivilDate(validYear: year, month: month, day: day),
            let begin = Microseconds.timestamp(day: date.days)
        else { return nil }
        return one(
            .unit(.day, holding: begin), length + (behind?.length ?? 0), hasYear: behind != nil)
    }

    /// 1.3.2025: the day comes first.
    private func dotted(_ text: String) -> Match? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let day = parts[0], let month = parts[1], let year = parts[2],
            (1900...2199).contains(year)
        else { return nil }
        return one(date(day, month, year), 1)
    }

    /// 2025/3/1; 3/1/2025 in both ways that it is used; 3/2025.
    private func slashed(_ at: Int) -> Match? {
        guard word(at + 1) == "/", let first = number(at), let second = number(at + 2) else {
            return nil
        }
        guard word(at + 3) == "/" else {
            guard let year = year(at + 2), (1...12).contains(first) else { return nil }
            return named(month: first, year: year, length: 3, hasYear: true)
        }
        guard let third = number(at + 4) else { return nil }
        let found: [Period]
        if let year = year(at) {
            found = [date(third, second, year)].compactMap { $0 }
        } else if let year = year(at + 4) {
            let both = [date(first, second, year), date(second, first, year)].compactMap { $0 }
            found = first == second ? Array(both.prefix(1)) : both
        } else {
            return nil
        }
        return found.isEmpty ? nil : Match(periods: found, length: 5)
    }

    private func date(_ day: Int, _ month: Int, _ year: Int) -> Period? {
        CivilDate(validYear: year, month: month, day: day)
            .flatMap { Microseconds.timestamp(day: $0.days) }
            .flatMap { Period.unit(.day, holding: $0) }
    }
}
