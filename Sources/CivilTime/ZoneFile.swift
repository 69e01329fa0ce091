/// A parsed TZif file: changes of offset, and the rule that follows the last one.
struct ZoneFile {
    var starts: [Int64] = []
    var offsets: [Int32] = []
    var rule: PosixZoneRule?

    /// No zone has had a tenth of this.
    private static let maximumTransitions = 20_000

    init(_ bytes: [UInt8], name: String) throws(CivilTimeError) {
        let fault = CivilTimeError(
            code: .invalidZoneFile, message: "not a valid time zone file: \(name)",
            hint: "install tzdata again, or unset TZDIR")
        guard let first = Header(bytes, at: 0) else { throw fault }
        var header = first
        var wide = 4
        if first.version >= 2 {
            guard let second = Header(bytes, at: first.end(wide: 4)) else { throw fault }
            header = second
            wide = 8
        }
        let count = header.timeCount
        guard header.end(wide: wide) <= bytes.count, count <= Self.maximumTransitions,
            header.typeCount > 0
        else { throw fault }
        let timesAt = header.bodyAt
        let indexesAt = timesAt + count * wide
        let typesAt = indexesAt + count
        var types: [Int32] = []
        for type in 0..<header.typeCount {
            let offset = Int32(truncatingIfNeeded: integer(bytes, typesAt + type * 6, 4))
            guard offset.magnitude < 100_000 else { throw fault }
            types.append(offset)
        }
        offsets = [types[0]]
        for position in 0..<count {
            let start = integer(bytes, timesAt + position * wide, wide)
            let type = Int(bytes[indexesAt + position])
            guard type < types.count, starts.last.map({ $0 < start }) ?? true else { throw fault }
            // Some files begin with a change at the beginning of the universe.
            if start < -(1 << 55) {
                offsets[0] = types[type]
                continue
            }
            starts.append(start)
            offsets.append(types[type])
        }
        if wide == 8 {
            let footer = bytes[header.end(wide: 8)...]
            guard footer.first == 10, let end = footer.dropFirst().firstIndex(of: 10) else {
                throw fault
            }
            let text = footer[(footer.startIndex + 1)..<end]
            if !text.isEmpty {
                guard let rule = PosixZoneRule(text) else { throw fault }
                self.rule = rule
            }
        }
    }

    private struct Header {
        var version = 0
        var bodyAt = 0
        var utcCount = 0
        var standardCount = 0
        var leapCount = 0
        var timeCount = 0
        var typeCount = 0
        var nameSize = 0

        init?(_ bytes: [UInt8], at offset: Int) {
            guard offset >= 0, bytes.count - offset >= 44,
                bytes[offset..<offset + 4].elementsEqual("TZif".utf8)
            else { return nil }
            version = bytes[offset + 4] == 0 ? 1 : Int(bytes[offset + 4]) - 48
            bodyAt = offset + 44
            func count(_ index: Int) -> Int? {
                let value = integer(bytes, offset + 20 + index * 4, 4) & 0xffff_ffff
                return value <= 1_000_000 ? Int(value) : nil
            }
            guard let utc = count(0), let standard = count(1), let leap = count(2),
                let time = count(3), let type = count(4), let size = count(5)
            else { return nil }
            (utcCount, standardCount, leapCount) = (utc, standard, leap)
            (timeCount, typeCount, nameSize) = (time, type, size)
            guard version >= 1, end(wide: 4) <= bytes.count else { return nil }
        }

        func end(wide: Int) -> Int {
            bodyAt + timeCount * (wide + 1) + typeCount * 6 + nameSize + leapCount * (wide + 4)
                + standardCount + utcCount
        }
    }
}

/// A big-endian signed integer of 4 or 8 bytes. The caller checked the bounds.
private func integer(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int64 {
    var value: Int64 = 0
    for byte in bytes[offset..<offset + count] { value = value << 8 | Int64(byte) }
    return count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : value
}

/// The POSIX TZ text at the end of a TZif file, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZoneRule {
    /// Seconds east of Greenwich.
    var standardOffset = 0
    var saving: (offset: Int, begin: Change, end: Change)?

    init?(_ text: ArraySlice<UInt8>) {
        var scanner = Scanner(rest: text)
        guard scanner.skipName(), let offset = scanner.offset() else { return nil }
        standardOffset = -offset
        if scanner.rest.isEmpty { return }
        guard scanner.skipName() else { return nil }
        var savingOffset = standardOffset + 3600
        if scanner.rest.first != UInt8(ascii: ",") {
            guard let offset = scanner.offset() else { return nil }
            savingOffset = -offset
        }
        guard let begin = scanner.change(), let end = scanner.change(), scanner.rest.isEmpty else {
            return nil
        }
        saving = (savingOffset, begin, end)
    }

    /// When an offset begins, in each year.
    struct Change {
        enum Day {
            /// Week 5 is the last one; weekday 0 is Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
            /// 1 through 365; 29 February is never counted.
            case julian(Int)
            /// 0 through 365.
            case dayOfYear(Int)
        }
        var day: Day
        var second = 7200

        /// Local seconds since the epoch of this change in a year.
        func second(ofYear year: Int) -> Int64 {
            let newYear = dayNumber(year: year, month: 1, day: 1)
            let day: Int64
            switch self.day {
            case .julian(let number):
                day = newYear + Int64(number - 1) + (isLeapYear(year) && number >= 60 ? 1 : 0)
            case .dayOfYear(let number):
                day = newYear + Int64(number)
            case .weekday(let month, let week, let weekday):
                let first = dayNumber(year: year, month: month, day: 1)
                let firstWeekday = floorRemainder(first + 4, 7)
                var date =
                    1 + Int(floorRemainder(Int64(weekday) - firstWeekday, 7)) + (week - 1) * 7
                if date > daysInMonth(year: year, month: month) { date -= 7 }
                day = first + Int64(date - 1)
            }
            return day * 86_400 + Int64(second)
        }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Character) -> Bool {
            guard rest.first == character.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func skipName() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let before = rest.count
            rest = rest.drop { ($0 | 32) >= UInt8(ascii: "a") && ($0 | 32) <= UInt8(ascii: "z") }
            return before - rest.count >= 3
        }

        mutating func number(_ limit: Int) -> Int? {
            var value = 0
            let before = rest.count
            while let byte = rest.first, byte >= 48, byte <= 57 {
                value = value * 10 + Int(byte) - 48
                guard value <= limit else { return nil }
                rest = rest.dropFirst()
            }
            return rest.count == before ? nil : value
        }

        /// `[+-]hh[:mm[:ss]]`, up to a week of hours, in seconds.
        mutating func offset() -> Int? {
            let negative = take("-")
            if !negative { _ = take("+") }
            guard var seconds = number(167).map({ $0 * 3600 }) else { return nil }
            if take(":") {
                guard let minutes = number(59) else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number(59) else { return nil }
                    seconds += rest
                }
            }
            return negative ? -seconds : seconds
        }

        mutating func change() -> Change? {
            guard take(",") else { return nil }
            var change: Change
            if take("M") {
                guard let month = number(12), month >= 1, take("."), let week = number(5),
                    week >= 1,
                    take("."), let weekday = number(6)
                else { return nil }
                change = Change(day: .weekday(month: month, week: week, weekday: weekday))
            } else if take("J") {
                guard let day = number(365), day >= 1 else { return nil }
                change = Change(day: .julian(day))
            } else {
                guard let day = number(365) else { return nil }
                change = Change(day: .dayOfYear(day))
            }
            if take("/") {
                guard let seconds = offset() else { return nil }
                change.second = seconds
            }
            return change
        }
    }
}
