/// A day of the proleptic Gregorian calendar.
@usableFromInline
package struct CivilDate: Sendable, Hashable, Comparable {
    @usableFromInline package var year: Int
    /// 1 through 12.
    @usableFromInline package var month: Int
    /// 1 through 31.
    @usableFromInline package var day: Int

    /// Takes the fields as they are; see `init?(validYear:month:day:)` for foreign ones.
    @inlinable
    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day, or nil if it does not exist or its day number does not fit 32 bits.
    @inlinable
    package init?(validYear year: Int, month: Int, day: Int) {
        guard year >= -5_877_640, year <= 5_881_579, month >= 1, month <= 12, day >= 1,
            day <= daysInMonth(year: year, month: month)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// The day that is `days` after 1970-01-01. Any 32-bit number works. Hinnant's `civil_from_days`.
    @inlinable
    package init(days: Int32) {
        // Days since 0000-03-01, shifted by whole 400-year eras into the positive numbers.
        let shifted = UInt64(Int64(days) + 719_468 + 14_700 * 146_097)
        let era = shifted / 146_097
        let dayOfEra = UInt32(truncatingIfNeeded: shifted % 146_097)
        let yearOfEra =
            (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let marchMonth = (5 &* dayOfYear &+ 2) / 153
        let day = dayOfYear &- (153 &* marchMonth &+ 2) / 5 &+ 1
        let month = marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9
        self.year = Int(yearOfEra) + (Int(era) - 14_700) * 400 + (month <= 2 ? 1 : 0)
        self.month = Int(month)
        self.day = Int(day)
    }

    /// Days since 1970-01-01. The fields must be a valid day of the supported range.
    @inlinable
    package var days: Int32 {
        Int32(truncatingIfNeeded: dayNumber(year: year, month: month, day: day))
    }

    @inlinable
    package static func < (left: Self, right: Self) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

/// Days since 1970-01-01 of a valid day, in 64 bits. Hinnant's `days_from_civil`.
@inlinable
package func dayNumber(year: Int, month: Int, day: Int) -> Int64 {
    let y = Int64(month <= 2 ? year - 1 : year) + 400 * 14_700
    let era = y / 400
    let yearOfEra = y % 400
    let marchMonth = Int64(month > 2 ? month - 3 : month + 9)
    let dayOfYear = (153 * marchMonth + 2) / 5 + Int64(day) - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return (era - 14_700) * 146_097 + dayOfEra - 719_468
}

/// Whether the year has a 29 February.
@inlinable
package func isLeapYear(_ year: Int) -> Bool {
    year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The length of a month, 28 through 31; `month` is 1 through 12.
@inlinable
package func daysInMonth(year: Int, month: Int) -> Int {
    if month == 2 { return isLeapYear(year) ? 29 : 28 }
    return 30 + ((month + (month >> 3)) & 1)
}

/// The fields that are derived from a day number.
@usableFromInline
package enum Calendar {
    /// 1 = Monday through 7 = Sunday.
    @inlinable
    package static func dayOfWeek(_ days: Int32) -> Int {
        // Day 0 was a Thursday; the added multiple of 7 keeps the dividend positive.
        Int((UInt64(Int64(days) + 3 + 7 * 400_000_000)) % 7) + 1
    }

    /// 1 through 366.
    @inlinable
    package static func dayOfYear(_ days: Int32) -> Int {
        let date = CivilDate(days: days)
        return Int(Int64(days) - dayNumber(year: date.year, month: 1, day: 1)) + 1
    }

    /// 1 through 4.
    @inlinable
    package static func quarter(_ days: Int32) -> Int { (CivilDate(days: days).month + 2) / 3 }

    /// The ISO 8601 week (1 through 53) and the year that it belongs to.
    @inlinable
    package static func isoWeek(_ days: Int32) -> (year: Int, week: Int) {
        // The week belongs to the year of its Thursday.
        let thursday = Int64(days) - Int64(dayOfWeek(days)) + 4
        let clamped = Int32(clamping: thursday)
        let year = CivilDate(days: clamped).year
        let firstDay = dayNumber(year: year, month: 1, day: 1)
        return (year, Int((Int64(clamped) - firstDay) / 7) + 1)
    }

    /// The last day of the month of `days`.
    @inlinable
    package static func lastDayOfMonth(_ days: Int32) -> Int32 {
        let date = CivilDate(days: days)
        return Int32(
            clamping: Int64(days)
                + Int64(daysInMonth(year: date.year, month: date.month) - date.day))
    }

    /// Adds months; a day that the target month lacks becomes its last. Nil when out of range.
    @inlinable
    package static func addMonths(_ months: Int64, to days: Int32) -> Int32? {
        guard months.magnitude < 200_000_000 else { return nil }
        let date = CivilDate(days: days)
        let total = Int64(date.year) * 12 + Int64(date.month) - 1 + months
        let year = Int(floorDivide(total, 12))
        let month = Int(total - Int64(year) * 12) + 1
        guard year >= -5_877_640, year <= 5_881_579 else { return nil }
        let day = min(date.day, daysInMonth(year: year, month: month))
        return Int32(exactly: dayNumber(year: year, month: month, day: day))
    }

    /// Whole months from one day to another, toward zero, as java.time counts them.
    @inlinable
    package static func months(from start: Int32, to end: Int32) -> Int64 {
        let a = CivilDate(days: start)
        let b = CivilDate(days: end)
        let difference = Int64(b.year - a.year) * 12 + Int64(b.month - a.month)
        if difference > 0, b.day < a.day { return difference - 1 }
        if difference < 0, b.day > a.day { return difference + 1 }
        return difference
    }

    /// Months since 1970-01, as Iceberg's `month` transform wants them.
    @inlinable
    package static func monthsSinceEpoch(_ days: Int32) -> Int {
        let date = CivilDate(days: days)
        return (date.year - 1970) * 12 + date.month - 1
    }
}

/// Division that rounds toward negative infinity. `divisor` must be positive.
@inlinable
package func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return quotient - (dividend % divisor < 0 ? 1 : 0)
}

/// The remainder of `floorDivide`: always 0 ..< divisor.
@inlinable
package func floorRemainder(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let remainder = dividend % divisor
    return remainder < 0 ? remainder + divisor : remainder
}
