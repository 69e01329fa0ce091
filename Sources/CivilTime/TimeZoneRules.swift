/// The offsets of one zone through time.
///
/// Immutable after construction, so that worker threads share it. The rule at the end of a TZif file
/// is unrolled for a 400-year cycle, the period of the calendar; later times are folded into it.
package final class TimeZoneRules: Sendable {
    /// UTC seconds at which an offset begins, ascending.
    private let starts: [Int64]
    /// `offsets[i]` holds before `starts[i]`, the last one after every start.
    private let offsets: [Int32]
    /// Times at or after this fold back by whole cycles; nil where the last offset holds for ever.
    private let foldStart: Int64?
    /// The same offset at all times.
    private let isFixed: Bool

    /// 400 Gregorian years in seconds.
    private static let cycle: Int64 = 146_097 * 86_400
    /// No real offset is farther from UTC.
    private static let dayOfSeconds: Int64 = 86_400

    /// A zone whose offset never changes.
    package init(offsetSeconds: Int) {
        starts = []
        offsets = [Int32(clamping: offsetSeconds)]
        foldStart = nil
        isFixed = true
    }

    /// Reads a compiled zone file.
    ///
    /// Throws `.invalidZoneFile` for anything malformed. Source: RFC 9636, section 3.
    package init(tzif bytes: [UInt8], name: String) throws(CivilTimeError) {
        let file = try ZoneFile(bytes, name: name)
        var starts = file.starts
        var offsets = file.offsets
        var foldStart: Int64?
        if let rule = file.rule {
            let lastOffset = rule.standardOffset
            if let saving = rule.saving {
                let last = starts.last ?? -Self.cycle
                let lastDay = Int32(clamping: floorDivide(last, 86_400))
                let firstYear = CivilDate(days: lastDay).year
                // One year of overlap: the fold must land where every change is unrolled.
                for year in firstYear...(firstYear + 402) {
                    let begin = saving.begin.second(ofYear: year) - Int64(rule.standardOffset)
                    let end = saving.end.second(ofYear: year) - Int64(saving.offset)
                    let changes =
                        begin < end
                        ? [(begin, saving.offset), (end, lastOffset)]
                        : [(end, lastOffset), (begin, saving.offset)]
                    for (second, offset) in changes where second > last {
                        starts.append(second)
                        offsets.append(Int32(offset))
                    }
                }
                foldStart = dayNumber(year: firstYear + 402, month: 1, day: 1) * 86_400
            }
        }
        self.starts = starts
        self.offsets = offsets
        self.foldStart = foldStart
        isFixed = starts.isEmpty
    }

    /// Seconds east of Greenwich at a UTC time. O(log n).
    package func offset(atUTCSecond second: Int64) -> Int {
        if isFixed { return Int(offsets[0]) }
        return Int(offsets[index(at: fold(second).second)])
    }

    /// The UTC second of a local one: java.time's rules in gaps and overlaps.
    package func utcSecond(ofLocalSecond local: Int64) -> Int64 {
        if isFixed { return local &- Int64(offsets[0]) }
        let before = offset(atUTCSecond: local &- Self.dayOfSeconds)
        let after = offset(atUTCSecond: local &+ Self.dayOfSeconds)
        let early = local &- Int64(before)
        if before == after { return early }
        let late = local &- Int64(after)
        // In an overlap both hold and the earlier offset wins; in a gap neither does, and the offset
        // from before the gap moves the local time forward by its length.
        let earlyHolds = offset(atUTCSecond: early) == before
        let lateHolds = offset(atUTCSecond: late) == after
        return lateHolds && !earlyHolds ? late : early
    }

    /// Microseconds of UTC to local time; saturates at the ends of the range.
    package func localMicroseconds(ofUTC microseconds: Int64) -> Int64 {
        let shift = Int64(offset(atUTCSecond: floorDivide(microseconds, 1_000_000))) * 1_000_000
        let (sum, overflow) = microseconds.addingReportingOverflow(shift)
        return overflow ? (shift > 0 ? .max : .min) : sum
    }

    /// Microseconds of local time to UTC; saturates at the ends of the range.
    package func utcMicroseconds(ofLocal microseconds: Int64) -> Int64 {
        let second = floorDivide(microseconds, 1_000_000)
        let shift = (second &- utcSecond(ofLocalSecond: second)) &* 1_000_000
        let (difference, overflow) = microseconds.subtractingReportingOverflow(shift)
        return overflow ? (shift > 0 ? .min : .max) : difference
    }

    /// The stretch of UTC seconds around `second` that shares its offset.
    func period(around second: Int64) -> (lower: Int64, upper: Int64, offset: Int) {
        if isFixed { return (.min, .max, Int(offsets[0])) }
        let (folded, shift) = fold(second)
        let position = index(at: folded)
        var lower = position == 0 ? Int64.min : starts[position - 1]
        var upper = position == starts.count ? Int64.max : starts[position]
        if let foldStart, second < foldStart { upper = min(upper, foldStart) }
        if shift != 0 {
            lower = max(lower, folded - 86_400) &+ shift
            upper = min(upper, folded + 86_400) &+ shift
            lower = min(lower, second)
            upper = max(upper, second &+ 1)
        }
        return (lower, upper, Int(offsets[position]))
    }

    /// Moves far future times into the unrolled cycle.
    private func fold(_ second: Int64) -> (second: Int64, shift: Int64) {
        guard let foldStart, second >= foldStart else { return (second, 0) }
        let cycles = (second &- foldStart) / Self.cycle &+ 1
        let shift = cycles &* Self.cycle
        return (second &- shift, shift)
    }

    /// How many starts are at or before `second`.
    private func index(at second: Int64) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= second { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Converts runs of UTC times that lie near each other: remembers the stretch of the last offset.
@usableFromInline
package struct TimeZoneCursor {
    package let rules: TimeZoneRules
    @usableFromInline var lower: Int64 = 1
    @usableFromInline var upper: Int64 = 0
    @usableFromInline var shift: Int64 = 0

    package init(_ rules: TimeZoneRules) { self.rules = rules }

    /// The microseconds to add to a UTC timestamp for local time.
    @inlinable
    package mutating func shift(atUTC microseconds: Int64) -> Int64 {
        let second = floorDivide(microseconds, 1_000_000)
        if second < lower || second >= upper { find(second) }
        return shift
    }

    /// Local microseconds of a UTC timestamp; wraps only at the ends of the 64-bit range.
    @inlinable
    package mutating func local(ofUTC microseconds: Int64) -> Int64 {
        microseconds &+ shift(atUTC: microseconds)
    }

    @usableFromInline
    mutating func find(_ second: Int64) {
        let period = rules.period(around: second)
        lower = period.lower
        upper = period.upper
        shift = Int64(period.offset) * 1_000_000
    }
}
