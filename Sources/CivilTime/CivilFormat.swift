/// Writes dates and times as text into the caller's memory; each returns the number of bytes.
///
/// The caller provides at least the room that the matching `…Capacity` names.
@usableFromInline
package enum CivilFormat {
    /// Room for any date: sign, seven digits of a year, `-MM-DD`.
    package static let dateCapacity = 16
    /// Room for `HH:MM:SS.` and twelve digits.
    package static let timeCapacity = 24
    /// Room for a date, a separator and a time.
    package static let timestampCapacity = 40
    /// Room for `+HH:MM`.
    package static let offsetCapacity = 8

    /// `2024-02-29`; years beyond 9999 have a sign and as many digits as they need, as in Trino.
    @inlinable
    package static func writeDate(
        _ days: Int32, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let date = CivilDate(days: days)
        var at = 0
        if date.year >= 0, date.year <= 9999 {
            writeTwo(date.year / 100, into: target)
            writeTwo(date.year % 100, into: target + 2)
            at = 4
        } else {
            target[0] = UInt8(ascii: date.year < 0 ? "-" : "+")
            let magnitude = Int(date.year.magnitude)
            var width = 4
            var limit = 10_000
            while magnitude >= limit {
                width += 1
                limit *= 10
            }
            var rest = magnitude
            for position in stride(from: width, through: 1, by: -1) {
                target[position] = UInt8(48 + rest % 10)
                rest /= 10
            }
            at = width + 1
        }
        target[at] = UInt8(ascii: "-")
        writeTwo(date.month, into: target + at + 1)
        target[at + 3] = UInt8(ascii: "-")
        writeTwo(date.day, into: target + at + 4)
        return at + 6
    }

    /// `23:59:59.123456` with `precision` digits, 0 through 12, cut and not rounded.
    @inlinable
    package static func writeTime(
        _ microsecondOfDay: Int64, picoseconds: Int32 = 0, precision: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let second = Int(microsecondOfDay / 1_000_000)
        writeTwo(second / 3600, into: target)
        target[2] = UInt8(ascii: ":")
        writeTwo(second / 60 % 60, into: target + 3)
        target[5] = UInt8(ascii: ":")
        writeTwo(second % 60, into: target + 6)
        guard precision > 0 else { return 8 }
        target[8] = UInt8(ascii: ".")
        let digits = min(precision, 12)
        if digits <= 6 {
            var rest = Int(microsecondOfDay % 1_000_000)
            for position in stride(from: 5, through: 0, by: -1) {
                if position < digits { target[9 + position] = UInt8(48 + rest % 10) }
                rest /= 10
            }
        } else {
            var rest = Int(microsecondOfDay % 1_000_000) * 1_000_000 + Int(picoseconds)
            for position in stride(from: 11, through: 0, by: -1) {
                if position < digits { target[9 + position] = UInt8(48 + rest % 10) }
                rest /= 10
            }
        }
        return 9 + digits
    }

    /// `2024-02-29 23:59:59.123`, the separator being a space (Trino) or `T`.
    @inlinable
    package static func writeTimestamp(
        _ microseconds: Int64, picoseconds: Int32 = 0, precision: Int,
        separator: UInt8 = UInt8(ascii: " "), into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let at = writeDate(Microseconds.day(of: microseconds), into: target)
        target[at] = separator
        return at + 1
            + writeTime(
                Microseconds.timeOfDay(of: microseconds), picoseconds: picoseconds,
                precision: precision, into: target + at + 1)
    }

    /// `+05:30`, also for zero.
    @inlinable
    package static func writeOffset(
        minutes: Int, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let magnitude = Int(minutes.magnitude)
        target[0] = UInt8(ascii: minutes < 0 ? "-" : "+")
        writeTwo(magnitude / 60 % 100, into: target + 1)
        target[3] = UInt8(ascii: ":")
        writeTwo(magnitude % 60, into: target + 4)
        return 6
    }

    @inlinable
    static func writeTwo(_ value: Int, into target: UnsafeMutablePointer<UInt8>) {
        target[0] = UInt8(truncatingIfNeeded: 48 &+ value / 10)
        target[1] = UInt8(truncatingIfNeeded: 48 &+ value % 10)
    }

    /// A date as a string.
    package static func date(_ days: Int32) -> String {
        string(dateCapacity) { writeDate(days, into: $0) }
    }

    /// A time of day as a string.
    package static func time(
        _ microsecondOfDay: Int64, picoseconds: Int32 = 0, precision: Int
    ) -> String {
        string(timeCapacity) {
            writeTime(microsecondOfDay, picoseconds: picoseconds, precision: precision, into: $0)
        }
    }

    /// A timestamp as a string.
    package static func timestamp(
        _ microseconds: Int64, picoseconds: Int32 = 0, precision: Int
    ) -> String {
        string(timestampCapacity) {
            writeTimestamp(
                microseconds, picoseconds: picoseconds, precision: precision, into: $0)
        }
    }

    /// A timestamp with zone as Trino writes it: local time, a space, the zone's name.
    package static func timestampWithZone(
        utc microseconds: Int64, picoseconds: Int32 = 0, precision: Int, zone: TimeZoneKey,
        rules: TimeZoneRules
    ) -> String {
        let local = rules.localMicroseconds(ofUTC: microseconds)
        return timestamp(local, picoseconds: picoseconds, precision: precision) + " " + zone.name
    }

    /// `2024-02-29T23:59:59.123Z` in UTC with `precision` digits. Source: RFC 3339.
    package static func rfc3339(utc microseconds: Int64, precision: Int = 3) -> String {
        string(timestampCapacity) { target in
            let count = writeTimestamp(
                microseconds, precision: precision, separator: UInt8(ascii: "T"), into: target)
            target[count] = UInt8(ascii: "Z")
            return count + 1
        }
    }

    /// `20240229T235959Z`, as AWS signatures write the time.
    package static func iso8601Basic(utc microseconds: Int64) -> String {
        let text = rfc3339(utc: microseconds, precision: 0)
        return String(text.filter { $0 != "-" && $0 != ":" })
    }

    /// `Thu, 29 Feb 2024 23:59:59 GMT`. Source: RFC 9110, section 5.6.7.
    package static func httpDate(utcSecond second: Int64) -> String {
        let days = Int32(clamping: floorDivide(second, 86_400))
        let date = CivilDate(days: days)
        let time = CivilFormat.time(floorRemainder(second, 86_400) * 1_000_000, precision: 0)
        let year = String(date.year)
        let paddedYear = String(repeating: "0", count: max(0, 4 - year.utf8.count)) + year
        return "\(weekdayNames[Calendar.dayOfWeek(days) - 1].prefix(3)), "
            + "\(date.day < 10 ? "0" : "")\(date.day) \(monthNames[date.month - 1].prefix(3)) "
            + "\(paddedYear) \(time) GMT"
    }

    /// January through December.
    package static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]

    /// Monday through Sunday.
    package static let weekdayNames = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]

    private static func string(
        _ capacity: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int
    ) -> String {
        String(unsafeUninitializedCapacity: capacity) { buffer in
            buffer.baseAddress.map(write) ?? 0
        }
    }
}

/// Fractions of a second that a column's precision cannot hold.
@usableFromInline
package enum TimestampPrecision {
    /// Rounds half up to `precision` digits, 0 through 12; nil when the result leaves the range.
    @inlinable
    package static func round(
        _ microseconds: Int64, picoseconds: Int32 = 0, to precision: Int
    ) -> (microseconds: Int64, picoseconds: Int32)? {
        if precision >= 12 { return (microseconds, picoseconds) }
        if precision >= 6 {
            let unit = power(12 - precision)
            let rounded = (Int64(picoseconds) + unit / 2) / unit * unit
            if rounded < 1_000_000 { return (microseconds, Int32(rounded)) }
            let (sum, overflow) = microseconds.addingReportingOverflow(1)
            return overflow ? nil : (sum, 0)
        }
        // The picoseconds are less than half of any unit here: half a unit is whole microseconds.
        let unit = power(6 - precision)
        let (sum, overflow) = microseconds.addingReportingOverflow(unit / 2)
        guard !overflow else { return nil }
        return (sum - floorRemainder(sum, unit), 0)
    }

    @inlinable
    static func power(_ exponent: Int) -> Int64 {
        var value: Int64 = 1
        for _ in 0..<max(0, exponent) { value *= 10 }
        return value
    }
}
