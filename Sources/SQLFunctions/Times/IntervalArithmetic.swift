import CivilTime
import Vectors

extension ScalarFunction {
    static let intervals: [ScalarFunction] = [
        shifting("$add_interval", "+", sign: 1), shifting("$subtract_interval", "-", sign: -1),
        combining("$interval_add", "+") { $0.addingReportingOverflow($1) },
        combining("$interval_subtract", "-") { $0.subtractingReportingOverflow($1) },
        scaling("$interval_multiply", "*") { value, factor in value * factor },
        scaling("$interval_divide", "/") { value, divisor in
            guard divisor != 0 else { throw QueryFault(.divisionByZero, "Division by zero") }
            return value / divisor
        },
        ScalarFunction(
            "$interval_negate", intervalSignature([]), "The opposite interval.",
            example: "-INTERVAL '1' DAY", canFail: true,
            kernel: { call in
                call.mapIntervals { _, value in
                    let (result, overflow) = (0 as Int64).subtractingReportingOverflow(value)
                    return overflow ? nil : result
                }
            }),
        ScalarFunction(
            "$subtract_times",
            .values("T, T", "interval day to second") { types in
                guard types.count == 2, let type = LogicalType.commonSuperType(types[0], types[1]),
                    type.isMoment
                else { return nil }
                return ([type, type], .intervalDayToSecond)
            }, "The time between two points of time.",
            example: "DATE '2024-03-01' - DATE '2024-02-01'", canFail: true,
            kernel: subtractTimes),
    ]

    private static func intervalSignature(_ rest: [LogicalType]) -> Signature {
        .number("interval", fallback: .intervalDayToSecond, accepts: \.isIntervalType, rest: rest)
    }

    /// `time ± interval`.
    private static func shifting(_ name: String, _ sign: String, sign factor: Int64)
        -> ScalarFunction
    {
        ScalarFunction(
            name,
            .values("T, interval", "T") { types in
                guard types.count == 2 else { return nil }
                let interval = types[1] == .unknown ? .intervalDayToSecond : types[1]
                let type = types[0] == .unknown ? .timestamp(precision: 3) : types[0]
                guard type.isMoment, interval.isIntervalType else { return nil }
                if interval == .intervalYearToMonth {
                    switch type {
                    case .time, .timeWithTimeZone: return nil
                    default: return ([type, interval], type)
                    }
                }
                return ([type, interval], type.withMilliseconds)
            }, "A point of time moved by an interval.",
            example: "DATE '2024-01-31' \(sign) INTERVAL '1' MONTH", canFail: true,
            kernel: { call in shift(call, factor) })
    }

    private static func combining(
        _ name: String, _ sign: String,
        _ body: @escaping @Sendable (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
    ) -> ScalarFunction {
        ScalarFunction(
            name,
            .values("interval, interval", "interval") { types in
                guard types.count == 2, let type = LogicalType.commonSuperType(types[0], types[1]),
                    type.isIntervalType
                else { return nil }
                return ([type, type], type)
            }, "Two intervals of one kind together.",
            example: "INTERVAL '2' DAY \(sign) INTERVAL '3' HOUR", canFail: true,
            kernel: { call in
                let isMonths = call.resultType == .intervalYearToMonth
                let months = call.input(1, as: Int32.self)
                let milliseconds = call.input(1, as: Int64.self)
                call.mapIntervals { row, value in
                    let other = isMonths ? Int64(months[row]) : milliseconds[row]
                    let (result, overflow) = body(value, other)
                    return overflow ? nil : result
                }
            })
    }

    private static func scaling(
        _ name: String, _ sign: String,
        _ body: @escaping @Sendable (Double, Double) throws -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, intervalSignature([.double]), "An interval times or by a number.",
            example: "INTERVAL '1' DAY \(sign) 2", canFail: true,
            kernel: { call in
                let factors = call.input(1, as: Double.self)
                call.mapIntervals { row, value in
                    let result = try body(Double(value), factors[row])
                    guard result.isFinite else { return nil }
                    // Java's cast: the fraction is cut.
                    return Int64(exactly: result.rounded(.towardZero))
                }
            })
    }
}

extension LogicalType {
    /// The type of a sum with an interval, which has milliseconds: at least three digits.
    fileprivate var withMilliseconds: LogicalType {
        switch self {
        case .time(let precision): .time(precision: max(3, precision))
        case .timeWithTimeZone(let precision): .timeWithTimeZone(precision: max(3, precision))
        case .timestamp(let precision): .timestamp(precision: max(3, precision))
        case .timestampWithTimeZone(let precision):
            .timestampWithTimeZone(precision: max(3, precision))
        default: self
        }
    }

    var isIntervalType: Bool { self == .intervalYearToMonth || self == .intervalDayToSecond }
}

extension KernelCall {
    /// Maps the interval of the first argument; nil is out of range.
    fileprivate func mapIntervals(_ body: (Int, Int64) throws -> Int64?) {
        let type = resultType
        func overflow() -> QueryFault { outOfRange("\(type) out of range") }
        if type == .intervalYearToMonth {
            let input = input(0, as: Int32.self)
            rows { row -> Int32 in
                guard let value = try body(row, Int64(input[row])),
                    let months = Int32(exactly: value)
                else { throw overflow() }
                return months
            }
        } else {
            let input = input(0, as: Int64.self)
            rows { row -> Int64 in
                guard let value = try body(row, input[row]) else { throw overflow() }
                return value
            }
        }
    }
}

private func shift(_ call: KernelCall, _ factor: Int64) {
    let type = call.argumentTypes[0]
    if call.argumentTypes[1] == .intervalYearToMonth {
        let months = call.input(1, as: Int32.self)
        if type == .date {
            return call.binary { (days: Int32, months: Int32) -> Int32 in
                guard let day = Calendar.addMonths(Int64(months) * factor, to: days) else {
                    throw outOfRange("date out of range")
                }
                return day
            }
        }
        return call.mapMoments(0) { row, moment in
            var result = moment
            guard
                let shifted = addMonths(
                    Int64(months[row]) * factor, toMicroseconds: moment.microseconds)
            else { return nil }
            result.microseconds = shifted
            return result
        }
    }
    let amounts = call.input(1, as: Int64.self)
    func microseconds(_ row: Int) throws -> Int64 {
        let (amount, overflow) = amounts[row].multipliedReportingOverflow(by: 1_000 * factor)
        guard !overflow else { throw outOfRange("interval out of range") }
        return amount
    }
    switch type {
    case .date:
        let dates = call.input(0, as: Int32.self)
        call.rows { row -> Int32 in
            let amount = try microseconds(row)
            guard amount % Microseconds.perDay == 0 else {
                throw invalid("Cannot add hour, minutes or seconds to a date")
            }
            guard let day = Int32(exactly: Int64(dates[row]) + amount / Microseconds.perDay) else {
                throw outOfRange("date out of range")
            }
            return day
        }
    case .time:
        let times = call.input(0, as: Int64.self)
        call.rows { row -> Int64 in
            let amount = try microseconds(row) % Microseconds.perDay * 1_000_000
            return floorRemainder(times[row] + amount, Packed.picosecondsPerDay)
        }
    case .timeWithTimeZone:
        let times = call.input(0, as: Int128.self)
        call.rows { row -> Int128 in
            let amount = try microseconds(row) % Microseconds.perDay * 1_000_000
            let (picoseconds, offset) = Packed.zonedTime(times[row])
            return Packed.zonedTime(
                picoseconds: floorRemainder(picoseconds + amount, Packed.picosecondsPerDay),
                offset: offset)
        }
    case .timestampWithTimeZone:
        // A duration moves the instant, whatever clocks do in between.
        let times = call.input(0, as: Int128.self)
        call.rows { row -> Int128 in
            var moment = Packed.zoned(times[row])
            let (sum, overflow) = moment.microseconds.addingReportingOverflow(try microseconds(row))
            guard !overflow else { throw outOfRange("timestamp out of range") }
            moment.microseconds = sum
            return Packed.zoned(moment)
        }
    default:
        call.mapMoments(0) { row, moment in
            let (sum, overflow) = moment.microseconds.addingReportingOverflow(try microseconds(row))
            var result = moment
            result.microseconds = sum
            return overflow ? nil : result
        }
    }
}

/// Adds months to a timestamp; nil when out of range.
func addMonths(_ months: Int64, toMicroseconds timestamp: Int64) -> Int64? {
    DateUnit.month.add(months, toMicroseconds: timestamp)
}

private let subtractTimes: ScalarFunction.Kernel = { call in
    let type = call.argumentTypes[0]
    func difference(_ left: Int64, _ right: Int64) throws -> Int64 {
        let (delta, overflow) = left.subtractingReportingOverflow(right)
        guard !overflow else { throw outOfRange("interval out of range") }
        return floorDivide(delta, 1_000)
    }
    switch type {
    case .date:
        call.binary { (left: Int32, right: Int32) in
            (Int64(left) - Int64(right)) * 86_400_000
        }
    case .time:
        call.binary { (left: Int64, right: Int64) in
            (left / 1_000_000_000) - (right / 1_000_000_000)
        }
    case .timeWithTimeZone:
        call.binary { (left: Int128, right: Int128) in
            (Packed.zonedTime(left).picoseconds - Packed.zonedTime(right).picoseconds)
                / 1_000_000_000
        }
    case .timestamp where type.physical == .int64:
        call.binary { (left: Int64, right: Int64) in try difference(left, right) }
    default:
        call.binary { (left: Int128, right: Int128) in
            try difference(
                Int64(truncatingIfNeeded: left >> 64), Int64(truncatingIfNeeded: right >> 64))
        }
    }
}
