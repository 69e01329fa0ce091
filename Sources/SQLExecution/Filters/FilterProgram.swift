import SQLFunctions
import SQLPlanning
import Vectors

/// A conjunction, compiled for one worker: narrows a selection conjunct by conjunct, without boolean
/// vectors where a conjunct compares a number with a constant.
final class FilterProgram {
    private let frame: Frame
    private let constants: [ConstantStore]
    private let conjuncts: [(steps: [Step], select: SelectNode)]
    private let inputCount: Int

    init(
        _ predicates: [BoundExpression], layout: Layout, context: EvaluationContext,
        budget: MemoryBudget
    ) {
        let compiler = Compiler(context: context, budget: budget)
        let scope = Compiler.Scope()
        for column in layout.columns { scope.columns[column.id] = compiler.newRegister() }
        inputCount = layout.columns.count
        var conjuncts: [(steps: [Step], select: SelectNode)] = []
        for predicate in predicates.flatMap(conjunctsOf) {
            scope.steps = []
            // What an earlier conjunct computed stays right: the rows only get fewer.
            let select = SelectNode.make(predicate, compiler, scope)
            conjuncts.append((scope.steps, select))
        }
        self.conjuncts = conjuncts
        frame = Frame(
            registerCount: compiler.registerCount, context: context,
            heap: Arena(budget: budget, firstBlockSize: 4096))
        constants = compiler.constants.map(\.store)
        for (register, store) in compiler.constants { frame.registers[register] = store.vector }
    }

    /// Writes the rows that pass into `output`, which may be the selection itself; returns how many.
    func select(
        _ columns: UnsafePointer<Vector>, _ rows: ActiveRows,
        into output: UnsafeMutablePointer<UInt32>
    ) throws(QueryFault) -> Int {
        let count = selectUnchecked(columns, rows, into: output)
        if let fault = frame.context.takeFault() { throw fault }
        return count
    }

    /// The same, leaving a failure in the context.
    func selectUnchecked(
        _ columns: UnsafePointer<Vector>, _ rows: ActiveRows,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        frame.heap.rewind()
        frame.registers.update(from: columns, count: inputCount)
        var rows = rows
        for conjunct in conjuncts {
            frame.rows = rows
            for step in conjunct.steps { step.run(frame) }
            let kept = conjunct.select.select(frame, into: output)
            rows = ActiveRows(count: rows.count, selection: output, active: kept)
            if kept == 0 { return 0 }
        }
        if conjuncts.isEmpty {
            for index in 0..<rows.active { output[index] = UInt32(rows.row(index)) }
        }
        return rows.active
    }
}

/// The operands of nested ANDs.
func conjunctsOf(_ predicate: BoundExpression) -> [BoundExpression] {
    if case .and(let operands) = predicate { return operands.flatMap(conjunctsOf) }
    return [predicate]
}

/// How one conjunct selects rows.
class SelectNode {
    func select(_ frame: Frame, into output: UnsafeMutablePointer<UInt32>) -> Int { 0 }

    static func make(
        _ predicate: BoundExpression, _ compiler: Compiler, _ scope: Compiler.Scope
    ) -> SelectNode {
        switch predicate {
        case .comparison(let operation, let left, let right)
        where !isDistinctKind(operation) && comparesPlainly(left.type):
            if case .literal(let value, let type) = right, value != .null,
                let node = constantNode(operation, left, value, type, compiler, scope)
            {
                return node
            }
            if case .literal(let value, let type) = left, value != .null,
                let node = constantNode(operation.mirrored, right, value, type, compiler, scope)
            {
                return node
            }
            if left.type.physical != .string, !compiler.isLiteral(left), !compiler.isLiteral(right)
            {
                return PairSelect(
                    operation, compiler.compile(left, in: scope), compiler.compile(right, in: scope)
                )
            }
        case .isNull(let operand):
            return NullSelect(compiler.compile(operand, in: scope), wantsNull: true)
        case .not(.isNull(let operand)):
            return NullSelect(compiler.compile(operand, in: scope), wantsNull: false)
        default: break
        }
        return BooleanSelect(compiler.compile(predicate, in: scope))
    }

    private static func constantNode(
        _ operation: ComparisonOperator, _ operand: BoundExpression, _ value: LiteralValue,
        _ type: LogicalType, _ compiler: Compiler, _ scope: Compiler.Scope
    ) -> SelectNode? {
        switch (type.physical, value) {
        case (.int32, .integer(let number)), (.int64, .integer(let number)):
            return IntegerSelect(operation, compiler.compile(operand, in: scope), number)
        case (.int64, .wide(let number)):
            return IntegerSelect(
                operation, compiler.compile(operand, in: scope), Int64(clamping: number))
        case (.double, .double(let bits)):
            return DoubleSelect(
                operation, compiler.compile(operand, in: scope), Double(bitPattern: bits))
        default: return nil
        }
    }
}

/// Selects by a boolean vector.
final class BooleanSelect: SelectNode {
    private let register: Int
    init(_ register: Int) { self.register = register }

    override func select(_ frame: Frame, into output: UnsafeMutablePointer<UInt32>) -> Int {
        selectTrue(frame.registers[register], frame.rows, into: output)
    }
}

/// Selects NULLs, or what is not NULL.
final class NullSelect: SelectNode {
    private let register: Int
    private let wantsNull: Bool

    init(_ register: Int, wantsNull: Bool) {
        self.register = register
        self.wantsNull = wantsNull
    }

    override func select(_ frame: Frame, into output: UnsafeMutablePointer<UInt32>) -> Int {
        let vector = frame.registers[register]
        var found = 0
        frame.rows.forEach { row in
            output[found] = UInt32(truncatingIfNeeded: row)
            found &+= bit(vector.isValid(row) != wantsNull)
        }
        return found
    }
}

/// Keeps those of `count` selected rows that are not NULL.
@inline(__always) func dropNulls(
    _ vector: Vector, _ rows: UnsafeMutablePointer<UInt32>, _ count: Int
) -> Int {
    guard let valid = vector.valid else { return count }
    var kept = 0
    for index in 0..<count {
        let row = Int(rows[index])
        rows[kept] = UInt32(truncatingIfNeeded: row)
        kept &+= Int(valid[row &>> 6] &>> UInt64(row & 63) & 1)
    }
    return kept
}

@inline(__always) func selectRows<Value: BitwiseCopyable>(
    _ values: UnsafePointer<Value>, _ rows: ActiveRows, into output: UnsafeMutablePointer<UInt32>,
    _ test: (Value) -> Bool
) -> Int {
    var found = 0
    if let selection = rows.selection {
        for index in 0..<rows.active {
            let row = selection[index]
            output[found] = row
            found &+= bit(test(values[Int(row)]))
        }
    } else {
        for row in 0..<rows.count {
            output[found] = UInt32(truncatingIfNeeded: row)
            found &+= bit(test(values[row]))
        }
    }
    return found
}

/// Selects with one of the six comparisons, chosen outside of the loop.
@inline(__always) func selectCompared<Value: Comparable & BitwiseCopyable>(
    _ operation: ComparisonOperator, _ values: UnsafePointer<Value>, _ constant: Value,
    _ rows: ActiveRows, into output: UnsafeMutablePointer<UInt32>
) -> Int {
    switch operation {
    case .equal, .notDistinct: selectRows(values, rows, into: output) { $0 == constant }
    case .notEqual, .distinct: selectRows(values, rows, into: output) { $0 != constant }
    case .less: selectRows(values, rows, into: output) { $0 < constant }
    case .lessOrEqual: selectRows(values, rows, into: output) { $0 <= constant }
    case .greater: selectRows(values, rows, into: output) { $0 > constant }
    case .greaterOrEqual: selectRows(values, rows, into: output) { $0 >= constant }
    }
}

/// An integer, date, time or narrow decimal against a constant.
final class IntegerSelect: SelectNode {
    private let operation: ComparisonOperator
    private let register: Int
    private let constant: Int64
    private let operand = FlatOperand()

    init(_ operation: ComparisonOperator, _ register: Int, _ constant: Int64) {
        self.operation = operation
        self.register = register
        self.constant = constant
    }

    override func select(_ frame: Frame, into output: UnsafeMutablePointer<UInt32>) -> Int {
        let raw = frame.registers[register]
        let vector = operand.flat(raw, frame.rows, raw.physical == .int32 ? .integer : .bigint)
        if vector.form == .constant {
            let value =
                vector.physical == .int32
                ? Int64(vector.pointer(as: Int32.self)[0]) : vector.pointer(as: Int64.self)[0]
            guard !isNullConstant(vector), operation.accepts(order(value, constant)) else {
                return 0
            }
            for index in 0..<frame.rows.active { output[index] = UInt32(frame.rows.row(index)) }
            return frame.rows.active
        }
        let found: Int
        if vector.physical == .int32 {
            // A constant beyond 32 bits decides for all rows.
            let clamped = Int32(clamping: constant)
            if Int64(clamped) == constant {
                found = selectCompared(
                    operation, vector.pointer(as: Int32.self), clamped, frame.rows, into: output)
            } else {
                found = selectRows(vector.pointer(as: Int32.self), frame.rows, into: output) {
                    operation.accepts(order(Int64($0), constant))
                }
            }
        } else {
            found = selectCompared(
                operation, vector.pointer(as: Int64.self), constant, frame.rows, into: output)
        }
        return dropNulls(vector, output, found)
    }
}

/// A double against a constant.
final class DoubleSelect: SelectNode {
    private let operation: ComparisonOperator
    private let register: Int
    private let constant: Double
    private let operand = FlatOperand()

    init(_ operation: ComparisonOperator, _ register: Int, _ constant: Double) {
        self.operation = operation
        self.register = register
        self.constant = constant
    }

    override func select(_ frame: Frame, into output: UnsafeMutablePointer<UInt32>) -> Int {
        let vector = operand.flat(frame.registers[register], frame.rows, .double)
        if vector.form == .constant {
            // Not into `output`, which may be the selection that is still to be kept.
            var first: UInt32 = 0
            guard !isNullConstant(vector),
                selectCompared(
                    operation, vector.pointer(as: Double.self), constant, ActiveRows(count: 1),
                    into: &first) == 1
            else { return 0 }
            for index in 0..<frame.rows.active { output[index] = UInt32(frame.rows.row(index)) }
            return frame.rows.active
        }
        let found = selectCompared(
            operation, vector.pointer(as: Double.self), constant, frame.rows, into: output)
        return dropNulls(vector, output, found)
    }
}

/// Two columns of one fixed-width type.
final class PairSelect: SelectNode {
    private let operation: ComparisonOperator
    private let left: Int
    private let right: Int

    init(_ operation: ComparisonOperator, _ left: Int, _ right: Int) {
        self.operation = operation
        self.left = left
        self.right = right
    }

    override func select(_ frame: Frame, into output: UnsafeMutablePointer<UInt32>) -> Int {
        let a = frame.registers[left]
        let b = frame.registers[right]
        let rows = frame.rows
        if a.form == .flat, b.form == .flat, a.physical == b.physical {
            let found: Int
            switch a.physical {
            case .int32: found = loop(a, b, Int32.self, rows, output)
            case .int64: found = loop(a, b, Int64.self, rows, output)
            case .double: found = loop(a, b, Double.self, rows, output)
            case .int128: found = loop(a, b, Int128.self, rows, output)
            default: found = loop(a, b, UInt8.self, rows, output)
            }
            return dropNulls(b, output, dropNulls(a, output, found))
        }
        var found = 0
        rows.forEach { row in
            output[found] = UInt32(truncatingIfNeeded: row)
            found &+= bit(a.isValid(row) && b.isValid(row) && operation.accepts(compare(a, b, row)))
        }
        return found
    }

    private func compare(_ a: Vector, _ b: Vector, _ row: Int) -> Int {
        let i = a.valueIndex(row)
        let j = b.valueIndex(row)
        switch a.physical {
        case .bool: return order(a.pointer(as: UInt8.self)[i], b.pointer(as: UInt8.self)[j])
        case .int32: return order(a.pointer(as: Int32.self)[i], b.pointer(as: Int32.self)[j])
        case .double:
            let x = a.pointer(as: Double.self)[i]
            let y = b.pointer(as: Double.self)[j]
            return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2
        default: return order(wideValue(a, i), wideValue(b, j))
        }
    }

    @inline(__always) private func loop<Value: Comparable & BitwiseCopyable>(
        _ a: Vector, _ b: Vector, _: Value.Type, _ rows: ActiveRows,
        _ output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let x = a.pointer(as: Value.self)
        let y = b.pointer(as: Value.self)
        @inline(__always) func run(_ test: (Value, Value) -> Bool) -> Int {
            var found = 0
            rows.forEach { row in
                output[found] = UInt32(truncatingIfNeeded: row)
                found &+= bit(test(x[row], y[row]))
            }
            return found
        }
        switch operation {
        case .equal, .notDistinct: return run { $0 == $1 }
        case .notEqual, .distinct: return run { $0 != $1 }
        case .less: return run { $0 < $1 }
        case .lessOrEqual: return run { $0 <= $1 }
        case .greater: return run { $0 > $1 }
        case .greaterOrEqual: return run { $0 >= $1 }
        }
    }
}
