import SQLPlanning
import Vectors

extension Compiler {
    func comparison(
        _ operation: ComparisonOperator, _ left: BoundExpression, _ right: BoundExpression,
        in scope: Scope
    ) -> Int {
        let a = compile(left, in: scope)
        let b = compile(right, in: scope)
        let type = left.type
        if isLiteral(right), type.physical == .string {
            return remembered(a, type, .boolean, isSafe: !isDistinctKind(operation), scope: scope) {
                ComparisonStep(operation, $0, b, type: type, output: $1)
            }
        }
        return add(scope) { ComparisonStep(operation, a, b, type: type, output: $0) }
    }
}

/// Whether the operator treats NULL as a value.
func isDistinctKind(_ operation: ComparisonOperator) -> Bool {
    operation == .distinct || operation == .notDistinct
}

extension ComparisonOperator {
    /// Whether an order (negative, zero, positive) satisfies the operator.
    @inline(__always) func accepts(_ order: Int) -> Bool {
        switch self {
        case .equal, .notDistinct: order == 0
        case .notEqual, .distinct: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    /// The operator with its operands exchanged.
    var mirrored: ComparisonOperator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        default: self
        }
    }
}

/// Whether values of the type compare as their stored words do.
func comparesPlainly(_ type: LogicalType) -> Bool {
    switch type {
    case .timestampWithTimeZone, .timeWithTimeZone, .char: false
    default: type.children.isEmpty
    }
}

/// Compares two vectors of one type to a boolean.
final class ComparisonStep: BufferedStep {
    private let operation: ComparisonOperator
    private let left: Int
    private let right: Int
    private let type: LogicalType
    private let leftOperand = FlatOperand()
    private let rightOperand = FlatOperand()

    init(_ operation: ComparisonOperator, _ left: Int, _ right: Int, type: LogicalType, output: Int)
    {
        self.operation = operation
        self.left = left
        self.right = right
        self.type = type
        super.init(output: output, type: .boolean)
    }

    override func run(_ frame: Frame) {
        var a = frame.registers[left]
        var b = frame.registers[right]
        if isDistinctKind(operation) { return runDistinct(frame, a, b) }
        if isNullConstant(a) || isNullConstant(b) { return emitConstant(frame, isNull: true) }
        let rows = frame.rows
        let isConstant = a.form == .constant && b.form == .constant
        let values = buffer.pointer(as: UInt8.self)
        guard comparesPlainly(type) else { return runGeneral(frame, a, b) }
        if a.physical != .string {
            a = leftOperand.flat(a, rows, type)
            b = rightOperand.flat(b, rows, type)
        }
        switch a.physical {
        case .bool: loop(a, b, UInt8.self, values, rows)
        case .int32: loop(a, b, Int32.self, values, rows)
        case .int64 where b.physical == .int64: loop(a, b, Int64.self, values, rows)
        case .double: loop(a, b, Double.self, values, rows)
        case .int128 where b.physical == .int128: loop(a, b, Int128.self, values, rows)
        case .int64, .int128:
            forEachValid(a, b, rows) { row, i, j in
                values[row] = byte(operation.accepts(order(wideValue(a, i), wideValue(b, j))))
            }
        case .string: strings(a, b, values, rows, isConstant)
        case .list, .row: break
        }
        if isConstant { return emitConstant(frame, isNull: false) }
        emit(frame, valid: combinedValidity(a, b, rows.count, into: buffer.validBits))
    }

    @inline(__always) private func loop<Value: Comparable & BitwiseCopyable>(
        _ a: Vector, _ b: Vector, _: Value.Type, _ values: UnsafeMutablePointer<UInt8>,
        _ rows: ActiveRows
    ) {
        switch operation {
        case .equal, .notDistinct:
            binaryLoop(a, b, values, rows) { (x: Value, y: Value) in byte(x == y) }
        case .notEqual, .distinct:
            binaryLoop(a, b, values, rows) { (x: Value, y: Value) in byte(x != y) }
        case .less: binaryLoop(a, b, values, rows) { (x: Value, y: Value) in byte(x < y) }
        case .lessOrEqual: binaryLoop(a, b, values, rows) { (x: Value, y: Value) in byte(x <= y) }
        case .greater: binaryLoop(a, b, values, rows) { (x: Value, y: Value) in byte(x > y) }
        case .greaterOrEqual:
            binaryLoop(a, b, values, rows) { (x: Value, y: Value) in byte(x >= y) }
        }
    }

    private func strings(
        _ a: Vector, _ b: Vector, _ values: UnsafeMutablePointer<UInt8>, _ rows: ActiveRows,
        _ isConstant: Bool
    ) {
        let x = a.pointer(as: StringView.self)
        let y = b.pointer(as: StringView.self)
        let isEquality = operation == .equal || operation == .notEqual
        let wanted = operation == .equal
        func compare(_ row: Int) {
            guard a.isValid(row), b.isValid(row) else { return }
            let p = x[a.valueIndex(row)]
            let q = y[b.valueIndex(row)]
            values[row] =
                isEquality
                ? byte((p == q) == wanted) : byte(operation.accepts(StringView.compare(p, q)))
        }
        if isConstant { compare(0) } else { rows.forEach(compare) }
    }

    /// Zones, padded text and nested values: by the general comparison, three-valued for nested ones.
    private func runGeneral(_ frame: Frame, _ a: Vector, _ b: Vector) {
        let values = buffer.pointer(as: UInt8.self)
        let isConstant = a.form == .constant && b.form == .constant
        let isNested = !type.children.isEmpty
        let isEquality = operation == .equal || operation == .notEqual
        buffer.hasNulls = false
        func compare(_ row: Int) {
            guard a.isValid(row), b.isValid(row) else {
                buffer.setNull(row)
                return
            }
            if isNested && isEquality {
                guard let isEqual = equalValues(type, a, row, b, row) else {
                    buffer.setNull(row)
                    return
                }
                values[row] = byte(isEqual == (operation == .equal))
            } else {
                values[row] = byte(operation.accepts(compareValues(type, a, row, b, row)))
            }
        }
        if isConstant { compare(0) } else { frame.rows.forEach(compare) }
        frame.registers[output] = Vector(
            physical: .bool, form: isConstant ? .constant : .flat, values: buffer.values,
            valid: buffer.hasNulls ? buffer.validBits : nil)
    }

    private func runDistinct(_ frame: Frame, _ a: Vector, _ b: Vector) {
        let values = buffer.pointer(as: UInt8.self)
        let wantsEqual = operation == .notDistinct
        frame.rows.forEach { row in
            values[row] = byte((compareNullable(type, a, row, b, row) == 0) == wantsEqual)
        }
        emit(frame, valid: nil)
    }
}

/// Whether the value is NULL.
final class IsNullStep: BufferedStep {
    private let input: Int

    init(input: Int, output: Int) {
        self.input = input
        super.init(output: output, type: .boolean)
    }

    override func run(_ frame: Frame) {
        let a = frame.registers[input]
        let values = buffer.pointer(as: UInt8.self)
        guard let valid = a.valid, a.form != .constant else {
            values[0] = byte(isNullConstant(a))
            return emitConstant(frame, isNull: false)
        }
        for row in 0..<frame.rows.count {
            values[row] = UInt8(truncatingIfNeeded: ~(valid[row &>> 6] &>> UInt64(row & 63)) & 1)
        }
        emit(frame, valid: nil)
    }
}
