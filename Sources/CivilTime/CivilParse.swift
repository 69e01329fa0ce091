/// Text read as a time of day.
package struct ParsedTime: Sendable, Hashable {
    package var microsecondOfDay: Int64
    /// 0 ..< 1,000,000 below the microsecond.
    package var picoseconds: Int32
    /// How many digits of fraction were written, at most 12.
    package var precision: Int
    /// Minutes east of Greenwich, if an offset was written.
    package var offsetMinutes: Int?
}

/// Text read as a timestamp: a local time, and the zone if one was written.
package struct ParsedTimestamp: Sendable, Hashable {
    /// Local microseconds; subtract the zone's offset for UTC.
    package var microseconds: Int64
    package var picoseconds: Int32
    package var precision: Int
    package var zone: TimeZoneKey?
}

/// Reads dates and times from UTF-8 text. Every function answers nil for what it cannot read.
package enum CivilParse {
    /// `[+-]YYYY-M-D`, with blanks around it. Trino's `CAST(varchar AS date)`.
    package static func date(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
        var scanner = CivilScanner(text)
        scanner.trimBlanks()
        guard let date = scanner.date(), scanner.isAtEnd else { return nil }
        return date.days
    }

    /// See `date(_: UnsafeBufferPointer<UInt8>)`.
    package static func date(_ text: String) -> Int32? { withBytes(text, date) }

    /// `H:M[:S[.fraction]]` and optionally an offset. More than 12 digits are rounded half up.
    package static func time(_ text: UnsafeBufferPointer<UInt8>) -> ParsedTime? {
        var scanner = CivilScanner(text)
        scanner.trimBlanks()
        guard var time = scanner.time() else { return nil }
        if !scanner.isAtEnd {
            scanner.skipBlanks()
            guard let zone = scanner.rest(), let minutes = zone.fixedOffsetMinutes else {
                return nil
            }
            time.offsetMinutes = minutes
        }
        guard time.microsecondOfDay < Microseconds.perDay else { return nil }
        return time
    }

    /// See `time(_: UnsafeBufferPointer<UInt8>)`.
    package static func time(_ text: String) -> ParsedTime? { withBytes(text, time) }

    /// `date[( |T)time][ zone]`, with blanks around it. Trino's `CAST(varchar AS timestamp)`.
    package static func timestamp(_ text: UnsafeBufferPointer<UInt8>) -> ParsedTimestamp? {
        var scanner = CivilScanner(text)
        scanner.trimBlanks()
        guard let date = scanner.date() else { return nil }
        var time = ParsedTime(microsecondOfDay: 0, picoseconds: 0, precision: 0, offsetMinutes: nil)
        var zone: TimeZoneKey?
        if !scanner.isAtEnd {
            let hasT = scanner.take(UInt8(ascii: "T")) || scanner.take(UInt8(ascii: "t"))
            if !hasT {
                guard scanner.peek == UInt8(ascii: " ") else { return nil }
                scanner.skipBlanks()
            }
            if hasT || scanner.peekIsDigit {
                guard let parsed = scanner.time() else { return nil }
                time = parsed
            }
            scanner.skipBlanks()
            if !scanner.isAtEnd {
                guard let key = scanner.rest() else { return nil }
                zone = key
            }
        }
        guard
            let microseconds = Microseconds.timestamp(
                day: date.days, timeOfDay: time.microsecondOfDay)
        else { return nil }
        return ParsedTimestamp(
            microseconds: microseconds, picoseconds: time.picoseconds, precision: time.precision,
            zone: zone)
    }

    /// See `timestamp(_: UnsafeBufferPointer<UInt8>)`.
    package static func timestamp(_ text: String) -> ParsedTimestamp? { withBytes(text, timestamp) }

    /// UTC microseconds of `2024-02-29T23:59:59[.fraction](Z|+hh:mm)`. Source: RFC 3339.
    package static func rfc3339(_ text: String) -> Int64? {
        guard let parsed = timestamp(text), text.utf8.count >= 20,
            let minutes = parsed.zone?.fixedOffsetMinutes
        else { return nil }
        let (utc, overflow) = parsed.microseconds.subtractingReportingOverflow(
            Int64(minutes) * Microseconds.perMinute)
        return overflow ? nil : utc
    }

    /// UTC microseconds of `20240229T235959Z`, as AWS signatures write the time.
    package static func iso8601Basic(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z")
        else {
            return nil
        }
        var fields: [Int] = []
        for (start, end) in [(0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15)] {
            var value = 0
            for byte in bytes[start..<end] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte) - 48
            }
            fields.append(value)
        }
        guard let date = CivilDate(validYear: fields[0], month: fields[1], day: fields[2]),
            fields[3] < 24, fields[4] < 60, fields[5] < 61
        else { return nil }
        let second = fields[3] * 3600 + fields[4] * 60 + fields[5]
        return Microseconds.timestamp(day: date.days, timeOfDay: Int64(second) * 1_000_000)
    }

    /// UTC seconds of an HTTP date in its three forms. Source: RFC 9110, section 5.6.7.
    package static func httpDate(_ text: String) -> Int64? {
        // All forms are the same words in another order, cut at blanks, commas and dashes.
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        guard words.count >= 5 else { return nil }
        let isAsctime = words.count == 5
        let dayText = isAsctime ? words[2] : words[1]
        let monthText = isAsctime ? words[1] : words[2]
        let yearText = isAsctime ? words[4] : words[3]
        let timeText = isAsctime ? words[3] : words[4]
        guard isAsctime || (words.count == 6 && words[5] == "GMT"),
            let month = CivilFormat.monthNames.firstIndex(where: { $0.prefix(3) == monthText }),
            let day = Int(dayText), var year = Int(yearText),
            let time = time(timeText), time.offsetMinutes == nil, time.precision == 0
        else { return nil }
        if yearText.utf8.count == 2 { year += year < 70 ? 2000 : 1900 }
        guard let date = CivilDate(validYear: year, month: month + 1, day: day) else { return nil }
        return Int64(date.days) * 86_400 + time.microsecondOfDay / 1_000_000
    }

    private static func withBytes<Result>(
        _ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result?
    ) -> Result? {
        var text = text
        return text.withUTF8 { body($0) }
    }
}

/// A cursor over text that the caller keeps alive; every read checks the bounds.
struct CivilScanner {
    private let text: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var end: Int

    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        end = text.count
    }

    var isAtEnd: Bool { at >= end }
    var peek: UInt8? { at < end ? text[at] : nil }
    var peekIsDigit: Bool { peek.map { $0 >= 48 && $0 <= 57 } ?? false }

    mutating func trimBlanks() {
        skipBlanks()
        while end > at, isBlank(text[end - 1]) { end -= 1 }
    }

    mutating func skipBlanks() {
        while at < end, isBlank(text[at]) { at += 1 }
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        at += 1
        return true
    }

    /// Between `least` and `most` digits.
    mutating func number(_ least: Int, _ most: Int) -> Int? {
        var value = 0
        var count = 0
        while count < most, at < end {
            let digit = text[at] &- 48
            guard digit < 10 else { break }
            value = value * 10 + Int(digit)
            at += 1
            count += 1
        }
        return count >= least && !peekIsDigit ? value : nil
    }

    mutating func date() -> CivilDate? {
        let negative = take(UInt8(ascii: "-"))
        if !negative { _ = take(UInt8(ascii: "+")) }
        guard let year = number(4, 7), take(UInt8(ascii: "-")), let month = number(1, 2),
            take(UInt8(ascii: "-")), let day = number(1, 2)
        else { return nil }
        return CivilDate(validYear: negative ? -year : year, month: month, day: day)
    }

    mutating func time() -> ParsedTime? {
        guard let hour = number(1, 2), hour < 24, take(UInt8(ascii: ":")),
            let minute = number(1, 2),
            minute < 60
        else { return nil }
        var second = 0
        var fraction: Int64 = 0
        var digits = 0
        if take(UInt8(ascii: ":")) {
            guard let value = number(1, 2), value < 60 else { return nil }
            second = value
            if take(UInt8(ascii: ".")) {
                var roundUp = false
                while let byte = peek, byte >= 48, byte <= 57 {
                    if digits < 12 {
                        fraction = fraction * 10 + Int64(byte) - 48
                    } else if digits == 12 {
                        roundUp = byte >= 53
                    }
                    digits += 1
                    at += 1
                }
                guard digits > 0 else { return nil }
                digits = min(digits, 12)
                for _ in digits..<12 { fraction *= 10 }
                if roundUp { fraction += 1 }
            }
        }
        let wholeSeconds = Int64(hour * 3600 + minute * 60 + second)
        return ParsedTime(
            microsecondOfDay: wholeSeconds * 1_000_000 + fraction / 1_000_000,
            picoseconds: Int32(fraction % 1_000_000), precision: digits, offsetMinutes: nil)
    }

    /// What is left, as a zone.
    mutating func rest() -> TimeZoneKey? {
        guard at < end, end - at <= 64 else { return nil }
        let name = String(decoding: text[at..<end], as: UTF8.self)
        at = end
        return TimeZoneKey(name: name)
    }
}
