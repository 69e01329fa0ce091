/// Microseconds in the longer units.
@usableFromInline
package enum Microseconds {
    package static let perMillisecond: Int64 = 1_000
    package static let perSecond: Int64 = 1_000_000
    package static let perMinute: Int64 = 60_000_000
    package static let perHour: Int64 = 3_600_000_000
    package static let perDay: Int64 = 86_400_000_000

    /// The day of a timestamp. Fits 32 bits for every 64-bit number of microseconds.
    @inlinable
    package static func day(of timestamp: Int64) -> Int32 {
        Int32(truncatingIfNeeded: floorDivide(timestamp, 86_400_000_000))
    }

    /// The microsecond of the day of a timestamp.
    @inlinable
    package static func timeOfDay(of timestamp: Int64) -> Int64 {
        floorRemainder(timestamp, 86_400_000_000)
    }

    /// The timestamp of a time on a day; nil outside the 64-bit range.
    @inlinable
    package static func timestamp(day: Int32, timeOfDay: Int64 = 0) -> Int64? {
        let (start, overflow) = Int64(day).multipliedReportingOverflow(by: 86_400_000_000)
        guard !overflow else { return nil }
        let (sum, overflowed) = start.addingReportingOverflow(timeOfDay)
        return overflowed ? nil : sum
    }
}

/// A unit of `date_trunc`, `date_add` and `date_diff`.
@usableFromInline
package enum DateUnit: String, Sendable, CaseIterable {
    case millisecond, second, minute, hour, day, week, month, quarter, year

    /// The unit of that name, in any case; a plural s is not accepted, as in Trino.
    package init?(name: some StringProtocol) {
        self.init(rawValue: name.lowercased())
    }

    /// The length of the units that always have the same; nil for month, quarter and year.
    @inlinable
    package var fixedMicroseconds: Int64? {
        switch self {
        case .millisecond: 1_000
        case .second: 1_000_000
        case .minute: 60_000_000
        case .hour: 3_600_000_000
        case .day: 86_400_000_000
        case .week: 604_800_000_000
        case .month, .quarter, .year: nil
        }
    }

    /// How many months the long units have; 0 for the fixed ones.
    @inlinable
    package var months: Int64 {
        switch self {
        case .month: 1
        case .quarter: 3
        case .year: 12
        default: 0
        }
    }

    /// The first day of the week, month, quarter or year of `days`; the day itself for shorter units.
    @inlinable
    package func truncate(days: Int32) -> Int32 {
        switch self {
        case .millisecond, .second, .minute, .hour, .day:
            return days
        case .week:
            return Int32(clamping: Int64(days) - Int64(Calendar.dayOfWeek(days)) + 1)
        case .month:
            return Int32(clamping: Int64(days) - Int64(CivilDate(days: days).day) + 1)
        case .quarter:
            let date = CivilDate(days: days)
            let month = (date.month - 1) / 3 * 3 + 1
            return Int32(clamping: dayNumber(year: date.year, month: month, day: 1))
        case .year:
            return Int32(clamping: dayNumber(year: CivilDate(days: days).year, month: 1, day: 1))
        }
    }

    /// The start of the unit that holds a timestamp (microseconds, local or UTC alike).
    ///
    /// At the very low end of the range, where that start is not representable, the range's end.
    @inlinable
    package func truncate(microseconds: Int64) -> Int64 {
        switch self {
        case .millisecond, .second, .minute, .hour, .day:
            let length = fixedMicroseconds ?? 1
            let (start, overflow) = microseconds.subtractingReportingOverflow(
                floorRemainder(microseconds, length))
            return overflow ? .min : start
        case .week, .month, .quarter, .year:
            return Microseconds.timestamp(day: truncate(days: Microseconds.day(of: microseconds)))
                ?? .min
        }
    }

    /// Adds `count` units to a timestamp; nil when the result is out of range.
    @inlinable
    package func add(_ count: Int64, toMicroseconds timestamp: Int64) -> Int64? {
        if let length = fixedMicroseconds {
            let (delta, overflow) = count.multipliedReportingOverflow(by: length)
            let (sum, overflowed) = timestamp.addingReportingOverflow(delta)
            return overflow || overflowed ? nil : sum
        }
        let (delta, overflow) = count.multipliedReportingOverflow(by: months)
        guard !overflow else { return nil }
        return addMonths(delta, toMicroseconds: timestamp)
    }

    /// Adds `count` units to a day; nil for units below a day and when out of range.
    @inlinable
    package func add(_ count: Int64, toDays days: Int32) -> Int32? {
        switch self {
        case .millisecond, .second, .minute, .hour:
            return nil
        case .day, .week:
            let (delta, overflow) = count.multipliedReportingOverflow(by: self == .week ? 7 : 1)
            let (sum, overflowed) = Int64(days).addingReportingOverflow(delta)
            return overflow || overflowed ? nil : Int32(exactly: sum)
        case .month, .quarter, .year:
            let (delta, overflow) = count.multipliedReportingOverflow(by: months)
            return overflow ? nil : Calendar.addMonths(delta, to: days)
        }
    }

    /// Whole units from one timestamp to another, toward zero.
    @inlinable
    package func difference(fromMicroseconds start: Int64, to end: Int64) -> Int64 {
        if let length = fixedMicroseconds {
            let (delta, overflow) = end.subtractingReportingOverflow(start)
            if !overflow { return delta / length }
            return Int64(clamping: (Int128(end) - Int128(start)) / Int128(length))
        }
        let startDay = Microseconds.day(of: start)
        var endDay = Microseconds.day(of: end)
        let startTime = Microseconds.timeOfDay(of: start)
        let endTime = Microseconds.timeOfDay(of: end)
        // A last day that is not complete does not count.
        if end > start, endTime < startTime {
            endDay = Int32(clamping: Int64(endDay) - 1)
        } else if end < start, endTime > startTime {
            endDay = Int32(clamping: Int64(endDay) + 1)
        }
        return Calendar.months(from: startDay, to: endDay) / months
    }

    /// Whole units from one day to another, toward zero; nil for units below a day.
    @inlinable
    package func difference(fromDays start: Int32, to end: Int32) -> Int64? {
        switch self {
        case .millisecond, .second, .minute, .hour: nil
        case .day: Int64(end) - Int64(start)
        case .week: (Int64(end) - Int64(start)) / 7
        case .month, .quarter, .year: Calendar.months(from: start, to: end) / months
        }
    }
}

/// Adds months to a timestamp, keeping the time of day and clamping the day; nil when out of range.
@inlinable
package func addMonths(_ months: Int64, toMicroseconds timestamp: Int64) -> Int64? {
    guard let day = Calendar.addMonths(months, to: Microseconds.day(of: timestamp)) else {
        return nil
    }
    return Microseconds.timestamp(day: day, timeOfDay: Microseconds.timeOfDay(of: timestamp))
}
