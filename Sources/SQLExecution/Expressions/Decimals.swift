import SQLFunctions
import SQLPlanning
import Vectors

/// Powers of ten up to 10^38.
let powersOfTen: [Int128] = {
    var powers: [Int128] = [1]
    for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
    return powers
}()

/// 10^`exponent` for 0 through 38.
func powerOfTen(_ exponent: Int) -> Int128 { powersOfTen[min(max(exponent, 0), 38)] }

/// Divides and rounds half away from zero.
@inline(__always) func divideHalfUp(_ dividend: Int128, by divisor: Int128) -> Int128 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    // Twice the remainder may leave 128 bits only for divisors that decimals never reach.
    guard remainder.magnitude >= divisor.magnitude &- remainder.magnitude else { return quotient }
    return (dividend < 0) == (divisor < 0) ? quotient &+ 1 : quotient &- 1
}

/// Arithmetic of decimals by Trino's rules.
///
/// Operands may be 64 or 128 bits wide whatever their type says: vectors whose magnitudes prove that
/// the result fits 64 bits are computed there (the test is one OR a row), all others in 128 bits.
final class DecimalStep: BufferedStep {
    private let operation: ArithmeticOperator
    private let left: Int
    private let right: Int
    /// What each operand is multiplied by before the operation.
    private let leftFactor: Int128
    private let rightFactor: Int128
    private let precision: Int
    private let scale: Int
    private let isWide: Bool
    private let leftOperand = FlatOperand()
    private let rightOperand = FlatOperand()

    init(
        _ operation: ArithmeticOperator, _ left: Int, _ right: Int, leftScale: Int, rightScale: Int,
        precision: Int, scale: Int, output: Int
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.precision = precision
        self.scale = scale
        isWide = precision > 18
        switch operation {
        case .add, .subtract, .modulus:
            let common = max(leftScale, rightScale)
            leftFactor = powerOfTen(common - leftScale)
            rightFactor = powerOfTen(common - rightScale)
        case .multiply:
            leftFactor = 1
            rightFactor = 1
        case .divide:
            // a/10^s1 ÷ b/10^s2 at scale s: a × 10^(s + s2 − s1) ÷ b.
            leftFactor = powerOfTen(scale + rightScale - leftScale)
            rightFactor = 1
        }
        super.init(output: output, type: .decimal(precision: precision, scale: scale))
    }

    override func run(_ frame: Frame) {
        let type = LogicalType.decimal(precision: precision, scale: scale)
        let a = leftOperand.flat(frame.registers[left], frame.rows, type)
        let b = rightOperand.flat(frame.registers[right], frame.rows, type)
        if isNullConstant(a) || isNullConstant(b) { return emitConstant(frame, isNull: true) }
        let isConstant = a.form == .constant && b.form == .constant
        var physical = buffer.physical
        if operation == .divide || operation == .modulus {
            slow(a, b, frame)
        } else if runNarrow(a, b, frame.rows) {
            physical = .int64
        } else {
            slow(a, b, frame)
        }
        var result = Vector(
            physical: physical, form: isConstant ? .constant : .flat, values: buffer.values)
        if !isConstant {
            result.valid = combinedValidity(a, b, frame.rows.count, into: buffer.validBits)
        }
        frame.registers[output] = result
    }

    /// Computes in 64 bits where magnitudes prove that nothing can overflow; whether it did.
    private func runNarrow(_ a: Vector, _ b: Vector, _ rows: ActiveRows) -> Bool {
        guard a.physical == .int64, b.physical == .int64 else { return false }
        guard leftFactor < 1_000_000_000, rightFactor < 1_000_000_000 else { return false }
        let x = Int64(leftFactor)
        let y = Int64(rightFactor)
        let leftBits = magnitudeBits(a, rows.count) + (64 - x.leadingZeroBitCount)
        let rightBits = magnitudeBits(b, rows.count) + (64 - y.leadingZeroBitCount)
        let values = buffer.pointer(as: Int64.self)
        switch operation {
        case .multiply:
            guard leftBits + rightBits <= 63 else { return false }
            binaryLoop(a, b, values, rows) { (p: Int64, q: Int64) in p &* q }
        case .add, .subtract:
            guard max(leftBits, rightBits) <= 61 else { return false }
            let isAddition = operation == .add
            switch (x == 1 && y == 1, isAddition) {
            case (true, true): binaryLoop(a, b, values, rows) { (p: Int64, q: Int64) in p &+ q }
            case (true, false): binaryLoop(a, b, values, rows) { (p: Int64, q: Int64) in p &- q }
            case (false, true):
                binaryLoop(a, b, values, rows) { (p: Int64, q: Int64) in p &* x &+ q &* y }
            case (false, false):
                binaryLoop(a, b, values, rows) { (p: Int64, q: Int64) in p &* x &- q &* y }
            }
        case .divide, .modulus: return false
        }
        return true
    }

    /// Bits that the magnitudes of all laid-out values need.
    private func magnitudeBits(_ vector: Vector, _ count: Int) -> Int {
        let values = vector.pointer(as: Int64.self)
        var bits: Int64 = 0
        for row in 0..<(vector.form == .constant ? 1 : count) {
            bits |= values[row] ^ (values[row] &>> 63)
        }
        return 64 - bits.leadingZeroBitCount
    }

    /// Row by row in 128 bits with every test.
    private func slow(_ a: Vector, _ b: Vector, _ frame: Frame) {
        let limit = powerOfTen(precision)
        let wide = buffer.pointer(as: Int128.self)
        let narrow = buffer.pointer(as: Int64.self)
        forEachValid(a, b, frame.rows) { row, i, j in
            let result = compute(wideValue(a, i), wideValue(b, j), frame)
            if result.magnitude >= limit.magnitude {
                frame.context.fail(
                    QueryFault(.numericValueOutOfRange, "Decimal overflow"))
            }
            if isWide {
                wide[row] = result
            } else {
                narrow[row] = Int64(truncatingIfNeeded: result)
            }
        }
    }

    @inline(__always) private func compute(_ x: Int128, _ y: Int128, _ frame: Frame) -> Int128 {
        switch operation {
        case .add, .subtract:
            let (p, first) = x.multipliedReportingOverflow(by: leftFactor)
            let (q, second) = y.multipliedReportingOverflow(by: rightFactor)
            let (sum, third) =
                operation == .add ? p.addingReportingOverflow(q) : p.subtractingReportingOverflow(q)
            return first || second || third ? .max : sum
        case .multiply:
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            return overflow ? .max : product
        case .divide:
            guard y != 0 else {
                frame.context.fail(QueryFault(.divisionByZero, "Division by zero"))
                return 0
            }
            return scaledQuotient(x, factor: leftFactor, by: y)
        case .modulus:
            guard y != 0 else {
                frame.context.fail(QueryFault(.divisionByZero, "Division by zero"))
                return 0
            }
            let (p, first) = x.multipliedReportingOverflow(by: leftFactor)
            let (q, second) = y.multipliedReportingOverflow(by: rightFactor)
            if second && !first { return p }
            return first || second ? .max : p % q
        }
    }
}

/// `x × factor ÷ divisor`, rounded half up, with a dividend of up to 256 bits; `.max` when the quotient
/// leaves 128 bits.
func scaledQuotient(_ x: Int128, factor: Int128, by divisor: Int128) -> Int128 {
    let (product, overflow) = x.multipliedReportingOverflow(by: factor)
    if !overflow { return divideHalfUp(product, by: divisor) }
    let full = x.magnitude.multipliedFullWidth(by: factor.magnitude)
    guard full.high < divisor.magnitude else { return .max }
    let (quotient, remainder) = divisor.magnitude.dividingFullWidth(full)
    let rounded = remainder >= divisor.magnitude - remainder ? quotient + 1 : quotient
    guard rounded <= UInt128(Int128.max) else { return .max }
    let isNegative = (x < 0) != (divisor < 0)
    return isNegative ? 0 - Int128(rounded) : Int128(rounded)
}
