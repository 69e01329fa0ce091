import SQLFunctions
import SQLPlanning
import Vectors

extension Compiler {
    /// Chooses the kernel by type.
    func arithmetic(
        _ operation: ArithmeticOperator, _ left: BoundExpression, _ right: BoundExpression,
        _ type: LogicalType, in scope: Scope
    ) -> Int {
        let a = compile(left, in: scope)
        let b = compile(right, in: scope)
        if case .decimal(let precision, let scale) = type {
            return add(scope) {
                DecimalStep(
                    operation, a, b, leftScale: decimalScale(left.type),
                    rightScale: decimalScale(right.type), precision: precision, scale: scale,
                    output: $0)
            }
        }
        return add(scope) { out in
            switch type {
            case .double: FloatingStep(operation, a, b, isReal: false, output: out)
            case .real: FloatingStep(operation, a, b, isReal: true, output: out)
            default: IntegerStep(operation, a, b, type, output: out)
            }
        }
    }
}

func decimalScale(_ type: LogicalType) -> Int {
    if case .decimal(_, let scale) = type { return scale }
    return 0
}

/// The range of the type, for the physical types that hold several.
func integerRange(_ type: LogicalType) -> ClosedRange<Int64> {
    switch type {
    case .tinyint: -128...127
    case .smallint: -32768...32767
    case .bigint: Int64.min...Int64.max
    default: Int64(Int32.min)...Int64(Int32.max)
    }
}

/// Adds, subtracts, multiplies and divides integers; what leaves the type's range is a failure.
///
/// Sums wrap and the whole vector is tested once; only a vector that trips the test is looked at row
/// by row, since the culprit may be NULL or not selected.
///
/// The class is not generic: the compiler never specialises an overridden method of a generic class.
final class IntegerStep: BufferedStep {
    private typealias Number = FixedWidthInteger & SignedInteger & BitwiseCopyable

    private let operation: ArithmeticOperator
    private let left: Int
    private let right: Int
    private let type: LogicalType
    private let range: ClosedRange<Int64>
    private let leftOperand = FlatOperand()
    private let rightOperand = FlatOperand()

    init(
        _ operation: ArithmeticOperator, _ left: Int, _ right: Int, _ type: LogicalType, output: Int
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.type = type
        range = integerRange(type)
        super.init(output: output, type: type)
    }

    override func run(_ frame: Frame) {
        let a = leftOperand.flat(frame.registers[left], frame.rows, type)
        let b = rightOperand.flat(frame.registers[right], frame.rows, type)
        if isNullConstant(a) || isNullConstant(b) { return emitConstant(frame, isNull: true) }
        if type == .bigint {
            compute(a, b, buffer.pointer(as: Int64.self), frame)
        } else {
            compute(a, b, buffer.pointer(as: Int32.self), frame)
        }
        if a.form == .constant && b.form == .constant { return emitConstant(frame, isNull: false) }
        emit(frame, valid: combinedValidity(a, b, frame.rows.count, into: buffer.validBits))
    }

    private func compute<Value: Number>(
        _ a: Vector, _ b: Vector, _ values: UnsafeMutablePointer<Value>, _ frame: Frame
    ) {
        switch operation {
        case .add: fast(a, b, values, frame) { $0 &+ $1 }
        case .subtract: fast(a, b, values, frame) { $0 &- $1 }
        case .multiply:
            forEachValid(a, b, frame.rows) { row, i, j in
                let (product, overflow) = a.pointer(as: Value.self)[i].multipliedReportingOverflow(
                    by: b.pointer(as: Value.self)[j])
                values[row] = product
                if overflow || !range.contains(Int64(product)) {
                    fail(frame, a, i, b, j, Value.self)
                }
            }
        case .divide, .modulus:
            let isDivision = operation == .divide
            forEachValid(a, b, frame.rows) { row, i, j in
                let x = a.pointer(as: Value.self)[i]
                let y = b.pointer(as: Value.self)[j]
                if y == 0 {
                    values[row] = 0
                    frame.context.fail(QueryFault(.divisionByZero, "Division by zero"))
                } else if y == -1 {
                    // The only quotient that leaves the range is that of the least value.
                    let (negated, overflow) = Value(0).subtractingReportingOverflow(x)
                    values[row] = isDivision ? negated : 0
                    if isDivision && (overflow || !range.contains(Int64(negated))) {
                        fail(frame, a, i, b, j, Value.self)
                    }
                } else {
                    values[row] = isDivision ? x / y : x % y
                }
            }
        }
    }

    /// Wrapping kernel, then one test for the vector, then the slow path if it trips.
    @inline(__always) private func fast<Value: Number>(
        _ a: Vector, _ b: Vector, _ values: UnsafeMutablePointer<Value>, _ frame: Frame,
        _ kernel: (Value, Value) -> Value
    ) {
        binaryLoop(a, b, values, frame.rows, kernel)
        let isAddition = operation == .add
        var trip = false
        forEachOverflow(a, b, values, frame.rows, isAddition) { trip = $0 }
        guard trip else { return }
        forEachValid(a, b, frame.rows) { row, i, j in
            let x = a.pointer(as: Value.self)[i]
            let y = b.pointer(as: Value.self)[j]
            let (result, overflow) =
                isAddition ? x.addingReportingOverflow(y) : x.subtractingReportingOverflow(y)
            if overflow || !range.contains(Int64(result)) { fail(frame, a, i, b, j, Value.self) }
        }
    }

    /// Whether some laid-out row may have left the range.
    @inline(__always) private func forEachOverflow<Value: Number>(
        _ a: Vector, _ b: Vector, _ values: UnsafeMutablePointer<Value>, _ rows: ActiveRows,
        _ isAddition: Bool, _ report: (Bool) -> Void
    ) {
        let x = a.pointer(as: Value.self)
        let y = b.pointer(as: Value.self)
        let count = a.form == .constant && b.form == .constant ? 1 : rows.count
        let leftMask = a.form == .constant ? 0 : -1
        let rightMask = b.form == .constant ? 0 : -1
        let lower = Value(truncatingIfNeeded: range.lowerBound)
        let upper = Value(truncatingIfNeeded: range.upperBound)
        var signs: Value = 0
        var outside = 0
        for row in 0..<count {
            let p = x[row & leftMask]
            let q = y[row & rightMask]
            let r = values[row]
            signs |= isAddition ? (p ^ r) & (q ^ r) : (p ^ q) & (p ^ r)
            outside |= bit(r < lower) | bit(r > upper)
        }
        report(signs < 0 || outside != 0)
    }

    private func fail<Value: Number>(
        _ frame: Frame, _ a: Vector, _ i: Int, _ b: Vector, _ j: Int, _: Value.Type
    ) {
        let x = a.pointer(as: Value.self)[i]
        let y = b.pointer(as: Value.self)[j]
        let name =
            switch operation {
            case .add: "addition"
            case .subtract: "subtraction"
            case .multiply: "multiplication"
            case .divide, .modulus: "division"
            }
        frame.context.fail(
            QueryFault(
                .numericValueOutOfRange, "\(type) \(name) overflow: \(x) \(operation.rawValue) \(y)"
            ))
    }
}

/// Arithmetic of doubles and reals, which never fails but for a remainder by zero's NaN.
final class FloatingStep: BufferedStep {
    private let operation: ArithmeticOperator
    private let left: Int
    private let right: Int
    private let isReal: Bool
    private let leftOperand = FlatOperand()
    private let rightOperand = FlatOperand()

    init(_ operation: ArithmeticOperator, _ left: Int, _ right: Int, isReal: Bool, output: Int) {
        self.operation = operation
        self.left = left
        self.right = right
        self.isReal = isReal
        super.init(output: output, type: isReal ? .real : .double)
    }

    override func run(_ frame: Frame) {
        let a = leftOperand.flat(frame.registers[left], frame.rows, .double)
        let b = rightOperand.flat(frame.registers[right], frame.rows, .double)
        if isNullConstant(a) || isNullConstant(b) { return emitConstant(frame, isNull: true) }
        let values = buffer.pointer(as: Double.self)
        let rows = frame.rows
        switch operation {
        case .add: binaryLoop(a, b, values, rows) { (x: Double, y: Double) in x + y }
        case .subtract: binaryLoop(a, b, values, rows) { (x: Double, y: Double) in x - y }
        case .multiply: binaryLoop(a, b, values, rows) { (x: Double, y: Double) in x * y }
        case .divide: binaryLoop(a, b, values, rows) { (x: Double, y: Double) in x / y }
        case .modulus:
            binaryLoop(a, b, values, rows) { (x: Double, y: Double) in
                x.truncatingRemainder(dividingBy: y)
            }
        }
        let isConstant = a.form == .constant && b.form == .constant
        if isReal {
            for row in 0..<(isConstant ? 1 : rows.count) {
                values[row] = Double(Float(values[row]))
            }
        }
        if isConstant { return emitConstant(frame, isNull: false) }
        emit(frame, valid: combinedValidity(a, b, rows.count, into: buffer.validBits))
    }
}

/// Changes the sign of any number or interval.
final class NegateStep: BufferedStep {
    private let input: Int
    private let type: LogicalType
    private let operand = FlatOperand()

    init(input: Int, type: LogicalType, output: Int) {
        self.input = input
        self.type = type
        super.init(output: output, type: type)
    }

    override func run(_ frame: Frame) {
        var a = operand.flat(frame.registers[input], frame.rows, type)
        if isNullConstant(a) { return emitConstant(frame, isNull: true) }
        let isConstant = a.form == .constant
        switch a.physical {
        case .double:
            unaryLoop(a, buffer.pointer(as: Double.self), frame.rows) { (x: Double) in -x }
        case .int32: negate(a, Int32.self, frame)
        case .int64:
            if buffer.physical == .int128 {
                unaryLoop(a, buffer.pointer(as: Int128.self), frame.rows) { (x: Int64) in -Int128(x)
                }
                a.physical = .int128
            } else {
                negate(a, Int64.self, frame)
            }
        default:
            unaryLoop(a, buffer.pointer(as: Int128.self), frame.rows) { (x: Int128) in 0 &- x }
        }
        if isConstant { return emitConstant(frame, isNull: false) }
        emit(frame, valid: a.valid)
    }

    private func negate<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
        _ a: Vector, _: Value.Type, _ frame: Frame
    ) {
        let lower = Value(truncatingIfNeeded: integerRange(physicalRangeType).lowerBound)
        let values = buffer.pointer(as: Value.self)
        unaryLoop(a, values, frame.rows) { (x: Value) in 0 &- x }
        forEachValid(a, a, frame.rows) { _, i, _ in
            let x = a.pointer(as: Value.self)[i]
            if x == lower {
                frame.context.fail(
                    QueryFault(.numericValueOutOfRange, "\(type) negation overflow: \(x)"))
            }
        }
    }

    /// The integer type whose range the physical type has, for intervals and decimals.
    private var physicalRangeType: LogicalType {
        switch type {
        case .tinyint, .smallint, .integer, .bigint: type
        default: buffer.physical == .int32 ? .integer : .bigint
        }
    }
}
