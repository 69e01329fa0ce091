import Vectors

extension LogicalType {
    /// The result of rounding a decimal to whole digits: one digit more where a fraction goes.
    fileprivate var wholeRounded: LogicalType {
        guard case .decimal(let precision, let scale) = self else { return self }
        return .decimal(precision: min(38, precision - scale + min(scale, 1)), scale: 0)
    }

    fileprivate var wholeTruncated: LogicalType {
        guard case .decimal(let precision, let scale) = self else { return self }
        return .decimal(precision: max(1, precision - scale), scale: 0)
    }

    fileprivate var oneDigitMore: LogicalType {
        guard case .decimal(let precision, let scale) = self else { return self }
        return .decimal(precision: min(38, precision + 1), scale: scale)
    }

    /// Digits behind the point; 0 for integers.
    var scale: Int { if case .decimal(_, let scale) = self { scale } else { 0 } }
}

/// How a number loses digits.
private enum Direction: Sendable {
    case nearest, down, up, towardZero

    func divide(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        switch self {
        case .nearest: return divideRounding(value, divisor)
        case .down: return quotient - (remainder < 0 ? 1 : 0)
        case .up: return quotient + (remainder > 0 ? 1 : 0)
        case .towardZero: return quotient
        }
    }

    func round(_ value: Double) -> Double {
        switch self {
        case .nearest: value.rounded(.toNearestOrAwayFromZero)
        case .down: value.rounded(.down)
        case .up: value.rounded(.up)
        case .towardZero: value.rounded(.towardZero)
        }
    }
}

extension ScalarFunction {
    static let roundings: [ScalarFunction] = [
        whole(
            "round", .nearest, "The nearest whole number; halves go away from zero.", "round(2.5)"),
        whole("floor", .down, "The largest whole number that is not above.", "floor(-2.5)"),
        whole(
            "ceil", aliases: ["ceiling"], .up, "The smallest whole number that is not below.",
            "ceil(2.1)"),
        whole("truncate", .towardZero, "The number without its fraction.", "truncate(-2.7)"),
        toDigits(
            "round", .nearest, "Rounded to so many digits; negative ones are before the point.",
            "round(123.456, 1)", result: \.oneDigitMore),
        toDigits(
            "truncate", .towardZero, "Cut to so many digits; negative ones are before the point.",
            "truncate(123.456, 1)", result: { $0 }),
    ]

    private static func whole(
        _ name: String, aliases: [String] = [], _ direction: Direction, _ summary: String,
        _ example: String
    ) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases,
            .number(result: { direction == .towardZero ? $0.wholeTruncated : $0.wholeRounded }),
            summary, example: example,
            kernel: { call in
                let type = call.argumentTypes[0]
                switch type {
                case .real, .double: call.unary { (x: Double) in direction.round(x) }
                case .decimal(_, let scale):
                    let unit = tenToThe(scale)
                    call.mapWhole { _, value in direction.divide(value, unit) }
                default: call.mapWhole { _, value in value }
                }
            })
    }

    private static func toDigits(
        _ name: String, _ direction: Direction, _ summary: String, _ example: String,
        result: @escaping @Sendable (LogicalType) -> LogicalType
    ) -> ScalarFunction {
        ScalarFunction(
            name, .number(rest: [.integer], result: result), summary, example: example,
            canFail: true,
            kernel: { call in
                let digits = call.input(1, as: Int32.self)
                let type = call.argumentTypes[0]
                if type == .double || type == .real {
                    let values = call.input(0, as: Double.self)
                    return call.rows { row in
                        let rounded = rounded(values[row], Int(digits[row]), direction)
                        return type == .real ? Double(Float(rounded)) : rounded
                    }
                }
                let scale = type.scale
                call.mapWhole { row, value in
                    let drop = scale - Int(digits[row])
                    if drop <= 0 { return value }
                    // Half of 10^39 is beyond any value.
                    if drop > 38 { return 0 }
                    let unit = tenToThe(drop)
                    let (scaled, overflow) = direction.divide(value, unit)
                        .multipliedReportingOverflow(by: unit)
                    return overflow ? nil : scaled
                }
            })
    }
}

private func rounded(_ value: Double, _ digits: Int, _ direction: Direction) -> Double {
    guard value.isFinite, value != 0, digits < 324 else { return value }
    guard digits > -310 else { return 0 }
    let factor = Mathematics.power(10, Double(digits.magnitude))
    if digits < 0 { return direction.round(value / factor) * factor }
    let scaled = value * factor
    // So large a number has no digits to lose.
    guard scaled.magnitude < 9.007199254740992e15 else { return value }
    return direction.round(scaled) / factor
}

extension KernelCall {
    /// Maps an integer or decimal argument, whatever its and the result's width. A result that is nil
    /// or beyond the result's type is a failure.
    func mapWhole(_ body: (Int, Int128) throws -> Int128?) {
        let source = wholeReader(0)
        writeWhole { row in try body(row, source(row)) }
    }

    /// Reads an integer or decimal argument as 128 bits.
    func wholeReader(_ index: Int) -> (Int) -> Int128 {
        switch arguments[index].physical {
        case .int32:
            let input = input(index, as: Int32.self)
            return { Int128(input[$0]) }
        case .int64:
            let input = input(index, as: Int64.self)
            return { Int128(input[$0]) }
        default:
            let input = input(index, as: Int128.self)
            return { input[$0] }
        }
    }

    /// Writes integers or decimals of the result's width.
    func writeWhole(_ body: (Int) throws -> Int128?) {
        let type = resultType
        let limits = type.wholeLimits
        func checked(_ row: Int) throws -> Int128 {
            guard let value = try body(row), limits.contains(value) else {
                throw outOfRange("\(type) out of range")
            }
            return value
        }
        switch type.physical {
        case .int32: rows { row in Int32(truncatingIfNeeded: try checked(row)) }
        case .int64: rows { row in Int64(truncatingIfNeeded: try checked(row)) }
        default: rows { row in try checked(row) }
        }
    }
}

extension LogicalType {
    /// The smallest and largest value of an integer or decimal type, unscaled.
    var wholeLimits: ClosedRange<Int128> {
        switch self {
        case .tinyint: -128...127
        case .smallint: -32_768...32_767
        case .integer: -2_147_483_648...2_147_483_647
        case .decimal(let precision, _): (1 - tenToThe(precision))...(tenToThe(precision) - 1)
        default: Int128(Int64.min)...Int128(Int64.max)
        }
    }
}
