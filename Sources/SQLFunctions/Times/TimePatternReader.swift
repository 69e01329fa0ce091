import CivilTime

/// Reads a text by a `TimePattern` into a wall-clock moment and, if the text has one, a zone.
struct TimePatternReader {
    private let text: [UInt8]
    private var at = 0
    private var year: Int?
    private var month: Int?
    private var day: Int?
    private var weekYear: Int?
    private var week: Int?
    private var dayOfWeek: Int?
    private var dayOfYear: Int?
    private var hour = 0
    private var halfHour: Int?
    private var isAfternoon: Bool?
    private var minute = 0
    private var second = 0
    private var microsecond = 0
    private(set) var zone: TimeZoneKey?

    private init(_ text: Text) { self.text = Array(text) }

    /// The moment, with the zone `unless` the text names one.
    static func read(_ text: Text, _ pattern: TimePattern, zone unless: TimeZoneKey) throws
        -> Moment
    {
        var reader = TimePatternReader(text)
        for index in pattern.parts.indices {
            guard reader.take(pattern.parts[index], before: pattern.parts[(index + 1)...].first)
            else { throw reader.malformed() }
        }
        guard reader.at == reader.text.count else { throw reader.malformed() }
        guard let microseconds = reader.microseconds() else {
            throw invalid("Cannot parse \"\(text.string)\": a field is out of its range")
        }
        return Moment(microseconds: microseconds, zone: reader.zone ?? unless)
    }

    private func malformed() -> QueryFault {
        let whole = String(decoding: text, as: UTF8.self)
        let rest = String(decoding: text[min(at, text.count)...], as: UTF8.self)
        return invalid(
            at >= text.count
                ? "Invalid format: \"\(whole)\" is too short"
                : "Invalid format: \"\(whole)\" is malformed at \"\(rest)\"")
    }

    private mutating func take(_ part: TimePattern.Part, before next: TimePattern.Part?) -> Bool {
        switch part {
        case .literal(let piece):
            let wanted = Array(piece.utf8)
            guard text.count - at >= wanted.count,
                text[at..<(at + wanted.count)].elementsEqual(wanted)
            else { return false }
            at += wanted.count
            return true
        case .monthName(let isShort):
            guard let index = name(CivilFormat.monthNames, isShort: isShort) else { return false }
            month = index + 1
            return true
        case .weekdayName(let isShort):
            guard let index = name(CivilFormat.weekdayNames, isShort: isShort) else { return false }
            dayOfWeek = index + 1
            return true
        case .halfDay:
            guard let index = word(["AM", "PM"]) else { return false }
            isAfternoon = index == 1
            return true
        case .era: return word(["AD", "BC", "CE", "BCE"]) == 0
        case .fraction(let digits, let isOpen): return fraction(isOpen ? 9 : digits)
        case .offset: return offset()
        case .zoneName: return zoneName()
        case .number(let number, let digits):
            var longest = max(number.longest, digits)
            // Where another number follows at once, the pattern's width counts.
            if case .number? = next { longest = digits }
            if case .fraction? = next { longest = digits }
            guard let value = digits == 0 ? nil : wholeNumber(longest, number) else { return false }
            return set(number, value)
        }
    }

    private mutating func wholeNumber(_ longest: Int, _ number: TimePattern.Number) -> Int? {
        var isNegative = false
        if number == .year, at < text.count, text[at] == UInt8(ascii: "-") {
            isNegative = true
            at += 1
        }
        let start = at
        var value = 0
        while at < text.count, at - start < min(longest, 9), text[at] >= 48, text[at] <= 57 {
            value = value * 10 + Int(text[at]) - 48
            at += 1
        }
        return at == start ? nil : isNegative ? -value : value
    }

    private mutating func set(_ number: TimePattern.Number, _ value: Int) -> Bool {
        switch number {
        case .year: year = value
        // Trino's pivot: 1970 to 2069.
        case .shortYear: year = value < 100 ? value + (value < 70 ? 2000 : 1900) : value
        case .weekYear: weekYear = value
        case .week: week = value
        case .dayOfWeek: dayOfWeek = value
        case .dayOfYear: dayOfYear = value
        case .month: month = value
        case .day: day = value
        case .hour: hour = value
        case .hourFromOne:
            guard value >= 1, value <= 24 else { return false }
            hour = value % 24
        case .halfHour:
            guard value >= 1, value <= 12 else { return false }
            halfHour = value % 12
        case .halfHourFromZero:
            guard value <= 11 else { return false }
            halfHour = value
        case .minute: minute = value
        case .second: second = value
        }
        return true
    }

    private mutating func fraction(_ longest: Int) -> Bool {
        var digits = 0
        var scale = 100_000
        while at < text.count, digits < longest, text[at] >= 48, text[at] <= 57 {
            microsecond += (Int(text[at]) - 48) * scale
            scale /= 10
            digits += 1
            at += 1
        }
        return digits > 0
    }

    private mutating func offset() -> Bool {
        let start = at
        guard at < text.count else { return false }
        if text[at] == UInt8(ascii: "Z") {
            at += 1
            zone = .utc
            return true
        }
        guard text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") else { return false }
        at += 1
        while at < text.count, text[at] == UInt8(ascii: ":") || (text[at] >= 48 && text[at] <= 57) {
            at += 1
        }
        guard let key = TimeZoneKey(name: String(decoding: text[start..<at], as: UTF8.self)),
            key.isOffered
        else {
            at = start
            return false
        }
        zone = key
        return true
    }

    private mutating func zoneName() -> Bool {
        var end = at
        while end < text.count, isZoneCharacter(text[end]) { end += 1 }
        guard let key = TimeZoneKey(name: String(decoding: text[at..<end], as: UTF8.self)),
            key.isOffered
        else {
            return false
        }
        zone = key
        at = end
        return true
    }

    private func isZoneCharacter(_ byte: UInt8) -> Bool {
        (byte | 0x20 >= 97 && byte | 0x20 <= 122) || (byte >= 48 && byte <= 57)
            || "/_+-:".utf8.contains(byte)
    }

    /// A long or short name in any case, the longest that fits.
    private mutating func name(_ names: [String], isShort: Bool) -> Int? {
        word(names) ?? word(names.map { String($0.prefix(3)) })
    }

    private mutating func word(_ words: [String]) -> Int? {
        for (index, word) in words.enumerated() {
            let wanted = Array(word.utf8)
            guard text.count - at >= wanted.count else { continue }
            let isSame = zip(text[at..<(at + wanted.count)], wanted).allSatisfy {
                $0 | 0x20 == $1 | 0x20
            }
            if isSame {
                at += wanted.count
                return index
            }
        }
        return nil
    }

    /// The fields together; nil when one is out of range.
    private func microseconds() -> Int64? {
        var hours = hour
        if let halfHour { hours = halfHour + (isAfternoon == true ? 12 : 0) }
        guard hours < 24, minute < 60, second < 60, let day = days() else { return nil }
        let time = (Int64(hours) * 3600 + Int64(minute) * 60 + Int64(second)) * 1_000_000
        return Microseconds.timestamp(day: day, timeOfDay: time + Int64(microsecond))
    }

    private func days() -> Int32? {
        if let week {
            let jan4 = CivilDate(validYear: weekYear ?? year ?? 1970, month: 1, day: 4)?.days
            guard let jan4, week >= 1, week <= 53 else { return nil }
            let weekday = dayOfWeek ?? 1
            guard weekday >= 1, weekday <= 7 else { return nil }
            return jan4 - Int32(Calendar.dayOfWeek(jan4)) + Int32((week - 1) * 7 + weekday)
        }
        if let dayOfYear {
            let first = CivilDate(validYear: year ?? 1970, month: 1, day: 1)
            guard let first, dayOfYear >= 1, dayOfYear <= (isLeapYear(first.year) ? 366 : 365)
            else { return nil }
            return first.days + Int32(dayOfYear - 1)
        }
        return CivilDate(validYear: year ?? weekYear ?? 1970, month: month ?? 1, day: day ?? 1)?
            .days
    }
}
