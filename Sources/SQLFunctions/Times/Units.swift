import CivilTime
import Vectors

extension ScalarFunction {
    static let units: [ScalarFunction] = [
        ScalarFunction(
            "date_trunc",
            .values("varchar, T", "T") { types in
                guard types.count == 2, types[0].isText || types[0] == .unknown else { return nil }
                let type = types[1] == .unknown ? .timestamp(precision: 3) : types[1]
                return type.isMoment ? ([.text, type], type) : nil
            }, "The start of the second, minute, hour, day, week, month, quarter or year.",
            example: "date_trunc('month', DATE '2024-02-29')", canFail: true, kernel: truncateTime),
        ScalarFunction(
            "date_add",
            .values("varchar, bigint, T", "T") { types in
                guard types.count == 3 else { return nil }
                let type = types[2] == .unknown ? .timestamp(precision: 3) : types[2]
                return type.isMoment ? ([.text, .bigint, type], type) : nil
            }, "Adds so many units; negative ones subtract.",
            example: "date_add('day', 1, DATE '2024-02-28')", canFail: true, kernel: addUnits),
        ScalarFunction(
            "date_diff",
            .values("varchar, T, T", "bigint") { types in
                guard types.count == 3, let type = LogicalType.commonSuperType(types[1], types[2])
                else { return nil }
                let own = type == .unknown ? .timestamp(precision: 3) : type
                return own.isMoment ? ([.text, own, own], .bigint) : nil
            }, "Whole units from the first point of time to the second.",
            example: "date_diff('day', DATE '2024-02-28', DATE '2024-03-01')", canFail: true,
            kernel: countUnits),
        ScalarFunction(
            "last_day_of_month",
            .number(
                "date or timestamp", fallback: .date,
                accepts: { $0 == .date || $0.isTimestamp }, result: { _ in .date }),
            "The last day of the month.", example: "last_day_of_month(DATE '2024-02-01')",
            kernel: { call in
                call.readMoments(0) { _, moment in Calendar.lastDayOfMonth(moment.day) }
            }),
        ScalarFunction(
            "date",
            .number(
                "varchar, date or timestamp", fallback: .date,
                accepts: { $0 == .date || $0.isTimestamp || $0.isVarchar }, result: { _ in .date }),
            "The value as a date, like CAST(x AS date).",
            example: "date('2024-02-29')", canFail: true,
            kernel: { call in
                guard call.argumentTypes[0].isVarchar else {
                    return call.readMoments(0) { _, moment in moment.day }
                }
                call.unary { (text: Text) -> Int32 in
                    guard let day = CivilParse.date(text) else {
                        throw QueryFault(
                            .invalidCastArgument, "Value cannot be cast to date: \(text.string)")
                    }
                    return day
                }
            }),
    ]
}

/// Reads units by name, remembering the last: the name is nearly always a literal.
private struct UnitReader {
    private let texts: Input<StringView>
    private var last: (name: StringView, unit: DateUnit)?
    private let type: LogicalType

    init(_ call: KernelCall, type: LogicalType) {
        texts = call.input(0)
        self.type = type
    }

    mutating func unit(_ row: Int) throws -> DateUnit {
        let name = texts[row]
        if let last, last.name == name { return last.unit }
        let text = name.string
        guard let unit = DateUnit(name: text) else {
            throw invalid("'\(text)' is not a valid \(type.fieldNoun) field")
        }
        let isDayOrLonger = unit.fixedMicroseconds.map { $0 >= Microseconds.perDay } ?? true
        switch type {
        case .date where !isDayOrLonger: throw invalid("'\(text)' is not a valid DATE field")
        case .time, .timeWithTimeZone:
            if isDayOrLonger { throw invalid("'\(text)' is not a valid TIME field") }
        default: break
        }
        last = (name, unit)
        return unit
    }
}

extension LogicalType {
    fileprivate var fieldNoun: String {
        switch self {
        case .date: "DATE"
        case .time, .timeWithTimeZone: "TIME"
        default: "TIMESTAMP"
        }
    }
}

private let truncateTime: ScalarFunction.Kernel = { call in
    let type = call.argumentTypes[1]
    var units = UnitReader(call, type: type)
    switch type {
    case .date:
        let dates = call.input(1, as: Int32.self)
        call.rows { row in try units.unit(row).truncate(days: dates[row]) }
    case .time:
        let times = call.input(1, as: Int64.self)
        call.rows { row in
            times[row] - times[row] % ((try units.unit(row).fixedMicroseconds ?? 1) * 1_000_000)
        }
    case .timeWithTimeZone:
        let times = call.input(1, as: Int128.self)
        call.rows { row in
            let (utc, offset) = Packed.zonedTime(times[row])
            let shift = Int64(offset) * 60_000_000_000_000
            let local = floorRemainder(utc + shift, Packed.picosecondsPerDay)
            let length = (try units.unit(row).fixedMicroseconds ?? 1) * 1_000_000
            return Packed.zonedTime(
                picoseconds: floorRemainder(
                    local - local % length - shift, Packed.picosecondsPerDay), offset: offset)
        }
    default:
        call.mapMoments(1) { row, moment in
            var result = moment
            result.microseconds = try units.unit(row).truncate(microseconds: moment.microseconds)
            result.picoseconds = 0
            return result
        }
    }
}

private let addUnits: ScalarFunction.Kernel = { call in
    let type = call.argumentTypes[2]
    var units = UnitReader(call, type: type)
    let counts = call.input(1, as: Int64.self)
    switch type {
    case .date:
        let dates = call.input(2, as: Int32.self)
        call.rows { row -> Int32 in
            guard let day = try units.unit(row).add(counts[row], toDays: dates[row]) else {
                throw outOfRange("date out of range")
            }
            return day
        }
    case .time:
        let times = call.input(2, as: Int64.self)
        call.rows { row in
            let length = try units.unit(row).fixedMicroseconds ?? 1
            return shiftedTime(times[row], counts[row], length)
        }
    case .timeWithTimeZone:
        let times = call.input(2, as: Int128.self)
        call.rows { row in
            let length = try units.unit(row).fixedMicroseconds ?? 1
            let (utc, offset) = Packed.zonedTime(times[row])
            return Packed.zonedTime(
                picoseconds: shiftedTime(utc, counts[row], length), offset: offset)
        }
    case .timestampWithTimeZone:
        let times = call.input(2, as: Int128.self)
        var zones = ZoneReader(call)
        call.rows { row -> Int128 in
            let unit = try units.unit(row)
            var moment = Packed.zoned(times[row])
            // Units below a day move the instant, longer ones the calendar.
            let isClock = unit.fixedMicroseconds.map { $0 < Microseconds.perDay } ?? false
            if !isClock { moment = zones.local(moment) }
            guard let sum = unit.add(counts[row], toMicroseconds: moment.microseconds) else {
                throw outOfRange("timestamp out of range")
            }
            moment.microseconds = sum
            return Packed.zoned(isClock ? moment : zones.utc(moment))
        }
    default:
        call.mapMoments(2) { row, moment in
            guard
                let sum = try units.unit(row).add(
                    counts[row], toMicroseconds: moment.microseconds)
            else { return nil }
            var result = moment
            result.microseconds = sum
            return result
        }
    }
}

/// A time of day in picoseconds, moved round the clock.
private func shiftedTime(_ time: Int64, _ count: Int64, _ microseconds: Int64) -> Int64 {
    let perDay = Microseconds.perDay / microseconds
    let shift = count % perDay * microseconds * 1_000_000
    return floorRemainder(time + shift, Packed.picosecondsPerDay)
}

private let countUnits: ScalarFunction.Kernel = { call in
    let type = call.argumentTypes[1]
    var units = UnitReader(call, type: type)
    switch type {
    case .date:
        let starts = call.input(1, as: Int32.self)
        let ends = call.input(2, as: Int32.self)
        call.rows { row in
            let unit = try units.unit(row)
            if unit.months > 0 {
                return monthsBetween((starts[row], 0), (ends[row], 0)) / unit.months
            }
            return unit.difference(fromDays: starts[row], to: ends[row]) ?? 0
        }
    case .time:
        let starts = call.input(1, as: Int64.self)
        let ends = call.input(2, as: Int64.self)
        call.rows { row in
            (ends[row] - starts[row]) / ((try units.unit(row).fixedMicroseconds ?? 1) * 1_000_000)
        }
    case .timeWithTimeZone:
        let starts = call.input(1, as: Int128.self)
        let ends = call.input(2, as: Int128.self)
        call.rows { row in
            (Packed.zonedTime(ends[row]).picoseconds - Packed.zonedTime(starts[row]).picoseconds)
                / ((try units.unit(row).fixedMicroseconds ?? 1) * 1_000_000)
        }
    case .timestampWithTimeZone:
        let starts = call.input(1, as: Int128.self)
        let ends = call.input(2, as: Int128.self)
        var zones = ZoneReader(call)
        call.rows { row in
            let unit = try units.unit(row)
            var start = Packed.zoned(starts[row])
            var end = Packed.zoned(ends[row])
            if unit.fixedMicroseconds.map({ $0 >= Microseconds.perDay }) ?? true {
                // Both in the zone of the first.
                end.zone = start.zone
                start = zones.local(start)
                end = zones.local(end)
            }
            return difference(unit, start.microseconds, end.microseconds)
        }
    case .timestamp where type.physical == .int128:
        let starts = call.input(1, as: Int128.self)
        let ends = call.input(2, as: Int128.self)
        call.rows { row in
            try difference(
                units.unit(row), Packed.timestamp(starts[row]).microseconds,
                Packed.timestamp(ends[row]).microseconds)
        }
    default:
        let starts = call.input(1, as: Int64.self)
        let ends = call.input(2, as: Int64.self)
        call.rows { row in
            try difference(units.unit(row), starts[row], ends[row])
        }
    }
}

/// Whole units from one timestamp to another, toward zero.
private func difference(_ unit: DateUnit, _ start: Int64, _ end: Int64) -> Int64 {
    guard unit.months > 0 else { return unit.difference(fromMicroseconds: start, to: end) }
    let first = (Microseconds.day(of: start), Microseconds.timeOfDay(of: start))
    let second = (Microseconds.day(of: end), Microseconds.timeOfDay(of: end))
    return monthsBetween(first, second) / unit.months
}

/// Whole months from one day and time of day to another, toward zero, as Joda-Time counts them: the
/// last day of the later month ends a month that began on a later day (31 January to 29 February).
private func monthsBetween(_ start: (Int32, Int64), _ end: (Int32, Int64)) -> Int64 {
    if end < start { return -monthsBetween(end, start) }
    let first = CivilDate(days: start.0)
    let last = CivilDate(days: end.0)
    let months = Int64(last.year - first.year) * 12 + Int64(last.month - first.month)
    var day = first.day
    if last.day == daysInMonth(year: last.year, month: last.month) { day = min(day, last.day) }
    return (last.day, end.1) < (day, start.1) ? months - 1 : months
}
