import CivilTime

/// Reads all dates and times of ISO 8601 that Joda-Time does: parts may be missing from the end, days
/// may be counted in the year or by weeks, the last number of a time may have a fraction.
///
///     timestamp = date ["T" [time] [offset]] | "T" time [offset]
///     date      = yyyy ["-" MM ["-" dd]] | yyyy "-" DDD | xxxx "-W" ww ["-" e]
///     time      = HH [":" mm [":" ss]] [("." | ",") digits]
///     offset    = "Z" | ("+" | "-") HH [[":"] mm]
///
/// Source: Joda-Time, ISODateTimeFormat, `dateTimeParser` and `dateElementParser`.
struct ISO8601Reader {
    /// A local time, with the zone that was written.
    struct Result {
        var microseconds: Int64
        var picoseconds: Int32
        var zone: TimeZoneKey?
    }

    private let text: Text
    private var at = 0

    private init(_ text: Text) { self.text = text }

    /// Nil for what is no such text.
    static func timestamp(_ text: Text) -> Result? {
        var reader = ISO8601Reader(text)
        var days: Int32 = 0
        var hasTime = reader.take("T")
        if !hasTime {
            guard let date = reader.date() else { return nil }
            days = date
            hasTime = reader.take("T")
        }
        var picoseconds: Int128 = 0
        var zone: TimeZoneKey?
        if hasTime {
            if reader.isAtDigit {
                guard let time = reader.time() else { return nil }
                picoseconds = time
            } else if text.first == UInt8(ascii: "T") {
                return nil
            }
            if !reader.isAtEnd {
                guard let key = reader.offset() else { return nil }
                zone = key
            }
        }
        guard reader.isAtEnd,
            let start = Microseconds.timestamp(
                day: days, timeOfDay: Int64(picoseconds / 1_000_000))
        else { return nil }
        return Result(
            microseconds: start, picoseconds: Int32(picoseconds % 1_000_000), zone: zone)
    }

    /// Nil for what is no date alone.
    static func date(_ text: Text) -> Int32? {
        var reader = ISO8601Reader(text)
        guard let days = reader.date(), reader.isAtEnd else { return nil }
        return days
    }

    private var isAtEnd: Bool { at == text.count }
    private var isAtDigit: Bool { at < text.count && text[at] >= 48 && text[at] <= 57 }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// A number of so many digits; nil for more or fewer.
    private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        let start = at
        var value = 0
        while isAtDigit, at - start < digits.upperBound {
            value = value * 10 + Int(text[at] - 48)
            at += 1
        }
        return at - start >= digits.lowerBound ? value : nil
    }

    private mutating func date() -> Int32? {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        guard let digits = number(4...6) else { return nil }
        let year = isNegative ? -digits : digits
        guard take("-") else { return CivilDate(validYear: year, month: 1, day: 1)?.days }
        if take("W") { return weekDate(year) }
        let start = at
        guard let month = number(1...3) else { return nil }
        if at - start == 3 {
            guard month >= 1, month <= (isLeapYear(year) ? 366 : 365),
                let first = CivilDate(validYear: year, month: 1, day: 1)
            else { return nil }
            return first.days + Int32(month) - 1
        }
        guard take("-") else { return CivilDate(validYear: year, month: month, day: 1)?.days }
        guard let day = number(1...2) else { return nil }
        return CivilDate(validYear: year, month: month, day: day)?.days
    }

    private mutating func weekDate(_ year: Int) -> Int32? {
        guard let week = number(1...2), week >= 1, week <= 53,
            // The fourth of January is in the first week.
            let fourth = CivilDate(validYear: year, month: 1, day: 4)?.days
        else { return nil }
        var day = 1
        if take("-") {
            guard let written = number(1...1), (1...7).contains(written) else { return nil }
            day = written
        }
        let monday = fourth - Int32(Calendar.dayOfWeek(fourth) - 1)
        let result = monday + Int32((week - 1) * 7 + day - 1)
        // A year without a week 53 has none here either.
        return Calendar.isoWeek(monday + Int32((week - 1) * 7)).year == year ? result : nil
    }

    private mutating func time() -> Int128? {
        guard let hour = number(1...2), hour < 24 else { return nil }
        var unit: Int128 = 3_600_000_000_000_000
        var total = Int128(hour) * unit
        for _ in 0..<2 {
            guard take(":") else { break }
            guard let part = number(1...2), part < 60 else { return nil }
            unit /= 60
            total += Int128(part) * unit
        }
        guard take(".") || take(",") else { return total }
        guard isAtDigit else { return nil }
        var share = unit
        while isAtDigit {
            share /= 10
            total += Int128(text[at] - 48) * share
            at += 1
        }
        return total
    }

    private mutating func offset() -> TimeZoneKey? {
        if take("Z") { return .utc }
        let isNegative = take("-")
        guard isNegative || take("+"), let hours = number(2...2) else { return nil }
        var minutes = 0
        if take(":") || isAtDigit {
            guard let written = number(2...2), written < 60 else { return nil }
            minutes = written
        }
        let total = hours * 60 + minutes
        guard let key = TimeZoneKey(offsetMinutes: isNegative ? -total : total), key.isOffered
        else { return nil }
        return key
    }
}
