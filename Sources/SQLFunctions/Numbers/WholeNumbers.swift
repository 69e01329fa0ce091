import Vectors

extension ScalarFunction {
    static let wholes: [ScalarFunction] = [
        ScalarFunction(
            "abs", .number(), "The absolute value.", example: "abs(-3)", canFail: true,
            kernel: { call in
                if call.argumentTypes[0].physical == .double {
                    return call.unary { (x: Double) in x.magnitude }
                }
                call.mapWhole { _, value in value < 0 ? -value : value }
            }),
        ScalarFunction(
            "sign",
            .number(result: { $0.isDecimal ? .decimal(precision: 1, scale: 0) : $0 }),
            "-1, 0 or 1, as the number is negative, zero or positive.", example: "sign(-3)",
            kernel: { call in
                if call.argumentTypes[0].physical == .double {
                    return call.unary { (x: Double) in
                        x > 0 ? 1 : x < 0 ? -1 : x
                    }
                }
                call.mapWhole { _, value in value.signum() }
            }),
        ScalarFunction(
            "mod",
            .values("number, number", "number") { types in
                guard types.count == 2, let common = LogicalType.commonSuperType(types[0], types[1])
                else { return nil }
                let type = common == .unknown ? .bigint : common
                guard type.isNumeric else { return nil }
                guard type.isDecimal else { return ([type, type], type) }
                guard let first = (types[0] == .unknown ? type : types[0]).asDecimal,
                    let second = (types[1] == .unknown ? type : types[1]).asDecimal
                else { return nil }
                return (
                    [
                        .decimal(precision: first.precision, scale: first.scale),
                        .decimal(precision: second.precision, scale: second.scale),
                    ], DecimalRules.remainder(first, second)
                )
            }, "The remainder, with the sign of the first.", example: "mod(7, 3)", canFail: true,
            kernel: remainder),
        ScalarFunction(
            "width_bucket", [.double, .double, .double, .bigint], .bigint,
            "The bucket, of so many equal ones between two bounds, that holds the value.",
            example: "width_bucket(5, 0, 10, 4)", canFail: true,
            kernel: { call in
                let lower = call.input(1, as: Double.self)
                let upper = call.input(2, as: Double.self)
                let counts = call.input(3, as: Int64.self)
                let values = call.input(0, as: Double.self)
                call.rows { row in
                    try bucket(values[row], lower[row], upper[row], counts[row])
                }
            }),
        ScalarFunction(
            "width_bucket", [.double, .array(.double)], .bigint,
            "The bucket, between ascending bounds, that holds the value.",
            example: "width_bucket(5, ARRAY[0, 2, 6])", canFail: true,
            kernel: { call in
                guard let bounds = call.arguments[1].children?[0] else { return }
                let numbers = Input<Double>(bounds)
                call.binary { (value: Double, list: ListEntry) -> Int64 in
                    guard list.count > 0 else { throw invalid("Bins cannot be an empty array") }
                    guard !value.isNaN else { throw invalid("Operand cannot be NaN") }
                    var result: Int64 = 0
                    for offset in 0..<Int(list.count) {
                        let row = Int(list.offset) + offset
                        guard bounds.isValid(row), numbers[row].isFinite else {
                            throw invalid("Bin values must be finite")
                        }
                        if numbers[row] <= value { result += 1 }
                    }
                    return result
                }
            }),
        ScalarFunction(
            "to_base", [.bigint, .bigint], .varchar(length: 64),
            "The number's text in another base, 2 to 36.", example: "to_base(255, 16)",
            canFail: true,
            kernel: binary { (value: Int64, radix: Int64) in
                String(value, radix: try checkedRadix(radix))
            }),
        ScalarFunction(
            "from_base", [.text, .bigint], .bigint, "The number of a text in another base.",
            example: "from_base('ff', 16)", canFail: true,
            kernel: binary { (text: Text, radix: Int64) -> Int64 in
                let base = try checkedRadix(radix)
                guard let value = Int64(text.string, radix: base) else {
                    throw invalid("Not a valid base-\(base) number: \(text.string)")
                }
                return value
            }),
    ]

    static let bits: [ScalarFunction] = [
        bitwise("bitwise_and", "Bits that are set in both.") { $0 & $1 },
        bitwise("bitwise_or", "Bits that are set in one or both.") { $0 | $1 },
        bitwise("bitwise_xor", "Bits that are set in one but not both.") { $0 ^ $1 },
        bitwise("bitwise_left_shift", "The bits moved left, zeros behind them.") { value, shift in
            shift >= 0 && shift < 64 ? value << shift : 0
        },
        bitwise("bitwise_right_shift", "The bits moved right, zeros before them.") { value, shift in
            guard shift >= 0, shift < 64 else { return 0 }
            return Int64(bitPattern: UInt64(bitPattern: value) >> UInt64(shift))
        },
        bitwise("bitwise_right_shift_arithmetic", "The bits moved right, the sign kept.") {
            value, shift in
            value >> (shift >= 0 && shift < 64 ? shift : 63)
        },
        ScalarFunction(
            "bitwise_not", [.bigint], .bigint, "Every bit the other way.",
            example: "bitwise_not(19)", kernel: unary { (value: Int64) in ~value }),
        ScalarFunction(
            "bit_count", [.bigint, .bigint], .bigint,
            "Bits that are set in the number as so many bits of two's complement.",
            example: "bit_count(9, 64)", canFail: true,
            kernel: binary { (value: Int64, width: Int64) -> Int64 in
                guard width >= 2, width <= 64 else {
                    throw invalid(
                        "Bits specified in bit_count must be between 2 and 64, got \(width)")
                }
                if width == 64 { return Int64(value.nonzeroBitCount) }
                let limit = Int64(1) << (width - 1)
                guard value >= -limit, value < limit else {
                    throw invalid(
                        "Number must be representable with the bits specified. \(value) cannot be "
                            + "represented with \(width) bits")
                }
                return Int64((value & ((1 << width) - 1)).nonzeroBitCount)
            }),
    ]

    private static func bitwise(
        _ name: String, _ summary: String, _ body: @escaping @Sendable (Int64, Int64) -> Int64
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.bigint, .bigint], .bigint, summary, example: "\(name)(19, 2)",
            kernel: binary { (left: Int64, right: Int64) in body(left, right) })
    }
}

private func checkedRadix(_ radix: Int64) throws -> Int {
    guard radix >= 2, radix <= 36 else { throw invalid("Radix must be between 2 and 36") }
    return Int(radix)
}

private func bucket(
    _ value: Double, _ lower: Double, _ upper: Double, _ count: Int64
) throws -> Int64 {
    guard count > 0 else { throw invalid("bucketCount must be greater than 0") }
    guard !value.isNaN else { throw invalid("operand must not be NaN") }
    guard lower.isFinite else { throw invalid("first bound must be finite") }
    guard upper.isFinite else { throw invalid("second bound must be finite") }
    guard lower != upper else { throw invalid("bounds cannot equal each other") }
    let low = min(lower, upper)
    let high = max(lower, upper)
    var result: Int64
    if value < low {
        result = 0
    } else if value >= high {
        guard count < .max else { throw outOfRange("Bucket for value \(value) is out of range") }
        result = count + 1
    } else {
        let place = Double(count) * (value - low) / (high - low) + 1
        result = Int64(exactly: place.rounded(.down)) ?? count
    }
    if lower > upper { result = count - result + 1 }
    return result
}

private let remainder: ScalarFunction.Kernel = { call in
    if call.resultType.physical == .double {
        return call.binary { (x: Double, y: Double) in x.truncatingRemainder(dividingBy: y) }
    }
    let left = call.wholeReader(0)
    let right = call.wholeReader(1)
    let scale = call.resultType.scale
    let leftUnit = tenToThe(scale - call.argumentTypes[0].scale)
    let rightUnit = tenToThe(scale - call.argumentTypes[1].scale)
    call.writeWhole { row in
        let divisor = right(row)
        guard divisor != 0 else { throw QueryFault(.divisionByZero, "Division by zero") }
        let (x, first) = left(row).multipliedReportingOverflow(by: leftUnit)
        let (y, second) = divisor.multipliedReportingOverflow(by: rightUnit)
        if second, !first { return x }
        guard !first, !second else { return nil }
        return x % y
    }
}
