import SQLFunctions
import SQLPlanning
import Vectors

extension Compiler {
    func cast(
        _ operand: BoundExpression, to type: LogicalType, isSafe: Bool, in scope: Scope
    ) -> Int {
        let source = operand.type
        if source == type { return compile(operand, in: scope) }
        if isSafe {
            // TRY_CAST is TRY of the conversion alone; the operand's own failures stay failures.
            let input = compile(operand, in: scope)
            let inner = Scope(parent: scope)
            let register = add(inner) {
                CastStep(input: input, from: source, to: type, output: $0, context: context)
            }
            let body = StepList(steps: inner.steps, output: register)
            return add(scope) { TryStep(body: body, type: type, output: $0) }
        }
        let input = compile(operand, in: scope)
        if isFreeCast(source, type) { return input }
        return remembered(input, source, type, isSafe: true, scope: scope) {
            CastStep(input: $0, from: source, to: type, output: $1, context: self.context)
        }
    }

    /// Casts that change only the name of the type.
    private func isFreeCast(_ source: LogicalType, _ type: LogicalType) -> Bool {
        switch (source, type) {
        case (.varchar, .varchar(nil)): true
        case (.varchar(let from?), .varchar(let to?)): from <= to
        case (.tinyint, .smallint), (.tinyint, .integer), (.smallint, .integer): true
        case (.real, .double): true
        case (.decimal(let p, let s), .decimal(let q, let t)):
            s == t && p <= q && source.physical == type.physical
        case (.timestamp(let from), .timestamp(let to)):
            from <= to && source.physical == type.physical
        case (.timestampWithTimeZone(let from), .timestampWithTimeZone(let to)): from <= to
        case (.time(let from), .time(let to)): from <= to
        default: false
        }
    }
}

/// Converts one vector to another type.
///
/// Frequent conversions of numbers are loops; all others go value by value through `convert`, which is
/// also what elements of nested values take.
final class CastStep: BufferedStep {
    private let input: Int
    private let source: LogicalType
    private let target: LogicalType
    private let operand = FlatOperand()
    private let caster: Caster

    init(
        input: Int, from source: LogicalType, to target: LogicalType, output: Int,
        context: EvaluationContext
    ) {
        self.input = input
        self.source = source
        self.target = target
        caster = Caster(from: source, to: target, context: context)
        super.init(output: output, type: target)
    }

    override func run(_ frame: Frame) {
        var a = frame.registers[input]
        if isNullConstant(a) { return emitConstant(frame, isNull: true) }
        if source.physical != .string, source.children.isEmpty {
            a = operand.flat(a, frame.rows, source)
        }
        if runLoop(a, frame) { return }
        let isConstant = a.form == .constant
        buffer.clear()
        func convert(_ row: Int) {
            guard a.isValid(row) else { return buffer.setNull(row) }
            caster.convert(a, row, buffer, row, frame)
        }
        if isConstant { convert(0) } else { frame.rows.forEach(convert) }
        var result = buffer.vector
        if isConstant {
            result.form = .constant
            if let children = result.children, result.physical == .row {
                for index in target.children.indices { children[index].form = .constant }
            }
        }
        frame.registers[output] = result
    }

    /// The vectorised conversions; false when there is none for these types.
    private func runLoop(_ a: Vector, _ frame: Frame) -> Bool {
        let rows = frame.rows
        switch (source, target) {
        case (.tinyint, .bigint), (.smallint, .bigint), (.integer, .bigint):
            unaryLoop(a, buffer.pointer(as: Int64.self), rows) { (x: Int32) in Int64(x) }
        case (.tinyint, .double), (.smallint, .double), (.integer, .double):
            unaryLoop(a, buffer.pointer(as: Double.self), rows) { (x: Int32) in Double(x) }
        case (.bigint, .double):
            unaryLoop(a, buffer.pointer(as: Double.self), rows) { (x: Int64) in Double(x) }
        case (.tinyint, .decimal(let p, let s)), (.smallint, .decimal(let p, let s)),
            (.integer, .decimal(let p, let s)):
            // Ten digits hold every integer: nothing can overflow.
            guard p - s >= 10, s <= 8 else { return false }
            let factor = Int64(powerOfTen(s))
            unaryLoop(a, buffer.pointer(as: Int64.self), rows) { (x: Int32) in Int64(x) &* factor }
            return finishNarrow(a, frame)
        case (.bigint, .decimal(let p, let s)):
            guard p - s >= 19, s == 0 else { return false }
            frame.registers[output] = a
            return true
        case (.decimal(let p, let s), .decimal(let q, let t)):
            // More digits on both sides, within 64 bits.
            guard t >= s, q - t >= p - s, a.physical == .int64, q <= 18 else { return false }
            let factor = Int64(powerOfTen(t - s))
            unaryLoop(a, buffer.pointer(as: Int64.self), rows) { (x: Int64) in x &* factor }
            return finishNarrow(a, frame)
        case (.decimal(_, let s), .double):
            guard a.physical == .int64, s <= 18 else { return false }
            let divisor = Double(powerOfTen(s))
            // Exact operands and one division round once, as long as the value has 53 bits.
            let values = a.pointer(as: Int64.self)
            let count = a.form == .constant ? 1 : rows.count
            var bits: Int64 = 0
            for row in 0..<count { bits |= values[row] ^ (values[row] &>> 63) }
            guard bits < 1 << 53 else { return false }
            unaryLoop(a, buffer.pointer(as: Double.self), rows) { (x: Int64) in Double(x) / divisor
            }
        default: return false
        }
        if a.form == .constant {
            emitConstant(frame, isNull: false)
        } else {
            emit(frame, valid: a.valid)
        }
        return true
    }

    private func finishNarrow(_ a: Vector, _ frame: Frame) -> Bool {
        frame.registers[output] = Vector(
            physical: .int64, form: a.form == .constant ? .constant : .flat, values: buffer.values,
            valid: a.form == .constant ? nil : a.valid)
        return true
    }
}
