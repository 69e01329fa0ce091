import SQLFunctions
import SQLPlanning
import Vectors

extension Compiler {
    /// A scalar function: arguments that are lambdas become evaluators of their own.
    func call(_ resolved: ResolvedScalar, _ arguments: [BoundExpression], in scope: Scope) -> Int {
        var lambdas: [LambdaBody] = []
        var inputs: [Int] = []
        for argument in arguments {
            if case .lambda(let parameters, let body) = argument {
                lambdas.append(LambdaBody(parameters, body, outer: scope, compiler: self))
                inputs.append(constant(.null, .unknown))
            } else {
                inputs.append(compile(argument, in: scope))
            }
        }
        let types = arguments.map { argument -> LogicalType in argument.type }
        // One string column and constants: the function is asked once an entry.
        let variable = arguments.indices.filter { !isLiteral(arguments[$0]) }
        if variable.count == 1, lambdas.isEmpty, resolved.function.isDeterministic,
            resolved.function.nullsPropagate
        {
            let position = variable[0]
            return remembered(
                inputs[position], types[position], resolved.result, isSafe: true, scope: scope
            ) { input, output in
                var replaced = inputs
                replaced[position] = input
                return CallStep(
                    resolved, inputs: replaced, types: types, lambdas: [], output: output)
            }
        }
        return add(scope) {
            CallStep(resolved, inputs: inputs, types: types, lambdas: lambdas, output: $0)
        }
    }
}

/// Calls the kernel of a scalar function.
final class CallStep: BufferedStep {
    private let resolved: ResolvedScalar
    private let inputs: [Int]
    private let types: [LogicalType]
    private let lambdas: [LambdaBody]
    private let arguments: UnsafeMutablePointer<Vector>
    private let wide: [ColumnBuffer?]
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(
        _ resolved: ResolvedScalar, inputs: [Int], types: [LogicalType], lambdas: [LambdaBody],
        output: Int
    ) {
        self.resolved = resolved
        self.inputs = inputs
        self.types = types
        self.lambdas = lambdas
        arguments = .allocate(capacity: max(inputs.count, 1))
        wide = types.map { $0.physical == .int128 ? ColumnBuffer($0) : nil }
        super.init(output: output, type: resolved.result)
    }

    deinit {
        arguments.deallocate()
        selection.deallocate()
    }

    override func run(_ frame: Frame) {
        let function = resolved.function
        var isConstant = function.isDeterministic && lambdas.isEmpty && !inputs.isEmpty
        var hasNulls = false
        for (index, input) in inputs.enumerated() {
            var vector = frame.registers[input]
            if let buffer = wide[index] {
                vector = widened(vector, to: types[index], rowCount: frame.rows.count, into: buffer)
            }
            isConstant = isConstant && vector.form == .constant
            let isLambda =
                types.indices.contains(index) && lambdas.count > 0 && isLambdaArgument(index)
            hasNulls = hasNulls || (vector.valid != nil && !isLambda)
            arguments[index] = vector
        }
        var rows = isConstant ? ActiveRows(count: 1) : frame.rows
        ValidityBits.fill(buffer.validBits, rowCount: rows.count, valid: true)
        if hasNulls, function.nullsPropagate {
            var kept = 0
            rows.forEach { row in
                var isValid = true
                for index in inputs.indices where !isLambdaArgument(index) {
                    isValid = isValid && arguments[index].isValid(row)
                }
                if !isValid { ValidityBits.clear(buffer.validBits, row) }
                selection[kept] = UInt32(truncatingIfNeeded: row)
                kept &+= bit(isValid)
            }
            rows = ActiveRows(count: rows.count, selection: selection, active: kept)
        }
        for lambda in lambdas { lambda.bind(frame) }
        var result = Vector(
            physical: buffer.physical, values: buffer.values, valid: buffer.validBits)
        if let children = buffer.children {
            result.children = children
            for (index, child) in buffer.childBuffers.enumerated() {
                children[index] = child.vector
            }
        }
        if rows.active > 0 {
            withUnsafeMutablePointer(to: &result) { pointer in
                function.kernel(
                    KernelCall(
                        arguments: arguments, argumentTypes: types, resultType: resolved.result,
                        rowCount: rows.count, selection: rows.selection, activeCount: rows.active,
                        result: pointer, heap: frame.heap, context: frame.context, lambdas: lambdas)
                )
            }
        }
        if isConstant { result.form = .constant }
        if !hasAnyNull(result, rows.count) { result.valid = nil }
        frame.registers[output] = result
    }

    private func isLambdaArgument(_ index: Int) -> Bool {
        if case .lambda = resolved.parameters.indices.contains(index)
            ? resolved.parameters[index] : nil
        {
            return true
        }
        return false
    }

    private func hasAnyNull(_ vector: Vector, _ count: Int) -> Bool {
        guard let valid = vector.valid else { return false }
        if vector.form == .constant { return valid[0] & 1 == 0 }
        let full = count >> 6
        for word in 0..<full where valid[word] != ~0 { return true }
        let rest = count & 63
        if rest == 0 { return false }
        let mask: UInt64 = 1 << UInt64(rest) - 1
        return valid[full] & mask != mask
    }
}

/// A lambda's body as a program of its own: its parameters, then the columns it captures.
final class LambdaBody: LambdaEvaluator {
    private let frame: Frame
    private let steps: [Step]
    private let output: Int
    private let constants: [ConstantStore]
    private let captured: [(outer: Int, inner: Int, buffer: ColumnBuffer)]
    private let result: ColumnBuffer
    private let parameterTypes: [LogicalType]
    private weak var outerFrame: Frame?

    init(
        _ parameters: [(ColumnID, LogicalType)], _ body: BoundExpression, outer: Compiler.Scope,
        compiler: Compiler
    ) {
        let inner = Compiler(context: compiler.context, budget: compiler.budget)
        let scope = Compiler.Scope()
        for (id, _) in parameters { scope.columns[id] = inner.newRegister() }
        var captured: [(Int, Int, ColumnBuffer)] = []
        var seen: Set<ColumnID> = Set(parameters.map(\.0))
        visitColumns(body) { id, type in
            guard seen.insert(id).inserted, let register = outer.column(id) else { return }
            let target = inner.newRegister()
            scope.columns[id] = target
            captured.append((register, target, ColumnBuffer(type)))
        }
        self.captured = captured
        parameterTypes = parameters.map(\.1)
        output = inner.compile(body, in: scope)
        steps = scope.steps
        constants = inner.constants.map(\.store)
        frame = Frame(
            registerCount: inner.registerCount, context: compiler.context,
            heap: Arena(budget: compiler.budget))
        for (register, store) in inner.constants { frame.registers[register] = store.vector }
        result = ColumnBuffer(body.type, capacity: Chunk.capacity)
        budget = compiler.budget
    }

    /// Tells which frame the captured columns are in, for the call that follows.
    func bind(_ outer: Frame) {
        outerFrame = outer
        frame.heap.rewind()
    }

    func evaluate(
        parameters: [Vector], rowCount: Int, outerRows: UnsafePointer<UInt32>
    ) -> Vector {
        result.clear()
        guard !frame.context.leavesEarly(), reserve(rowCount) else { return failedResult() }
        result.ensure(rowCount)
        var start = 0
        while start < rowCount {
            let count = min(Chunk.capacity, rowCount - start)
            for (index, parameter) in parameters.prefix(parameterTypes.count).enumerated() {
                frame.registers[index] = slice(parameter, parameterTypes[index], start)
            }
            if let outerFrame {
                let rows = ActiveRows(
                    count: outerFrame.rows.count, selection: outerRows + start, active: count)
                for column in captured {
                    let source = outerFrame.registers[column.outer]
                    frame.registers[column.inner] =
                        source.form == .constant
                        ? source : flatten(source, rows, into: column.buffer)
                }
            }
            frame.rows = ActiveRows(count: count)
            for step in steps { step.run(frame) }
            let value = frame.registers[output]
            for row in 0..<count {
                do throws(MemoryLimitFault) {
                    try result.copyValue(from: value, row: row, to: start + row)
                } catch { frame.context.fail(QueryFault(error)) }
            }
            start += count
            if start < rowCount, frame.context.leavesEarly() { return failedResult() }
        }
        result.count = rowCount
        return result.vector
    }

    /// Takes what so many results need from the budget; it is given back with the lambda.
    private func reserve(_ rowCount: Int) -> Bool {
        guard rowCount > Chunk.capacity else { return true }
        let wanted = rowCount * max(result.physical.width, 1) - reservedBytes
        guard wanted > 0 else { return true }
        do throws(MemoryLimitFault) { try budget.reserve(wanted) } catch {
            frame.context.fail(QueryFault(error))
            return false
        }
        reservedBytes += wanted
        return true
    }

    /// NULL for every row: the call has failed.
    private func failedResult() -> Vector {
        result.clear()
        result.setNull(0)
        result.count = 1
        var vector = result.vector
        vector.form = .constant
        return vector
    }

    private let budget: MemoryBudget
    private var reservedBytes = 0

    /// The parameter's rows from `start`: steps work on at most a chunk's rows.
    private func slice(_ vector: Vector, _ type: LogicalType, _ start: Int) -> Vector {
        guard start > 0, vector.form != .constant else { return vector }
        var result = vector
        if vector.form == .dictionary {
            result.codes = vector.codes.map { $0 + start }
        } else {
            result.values = vector.values + start * vector.physical.width
        }
        // `start` is a multiple of the chunk's capacity, hence of 64.
        result.valid = vector.valid.map { $0 + start / 64 }
        if vector.physical == .row, vector.form == .flat, let children = vector.children {
            let fields = type.children
            let copies = UnsafeMutablePointer<Vector>.allocate(capacity: max(fields.count, 1))
            for (index, field) in fields.enumerated() {
                copies[index] = slice(children[index], field, start)
            }
            rowSlices.append(copies)
            result.children = copies
        }
        return result
    }

    private var rowSlices: [UnsafeMutablePointer<Vector>] = []

    deinit {
        for slice in rowSlices { slice.deallocate() }
        budget.release(reservedBytes)
    }
}

/// Calls `body` with each column that the expression reads.
func visitColumns(_ expression: BoundExpression, _ body: (ColumnID, LogicalType) -> Void) {
    switch expression {
    case .column(let id, let type): body(id, type)
    case .literal: break
    case .arithmetic(_, let left, let right, _), .comparison(_, let left, let right):
        visitColumns(left, body)
        visitColumns(right, body)
    case .negate(let operand), .not(let operand), .isNull(let operand), .cast(let operand, _, _),
        .tryEvaluate(let operand), .lambda(_, let operand), .field(let operand, _, _):
        visitColumns(operand, body)
    case .and(let operands), .or(let operands), .coalesce(let operands, _), .call(_, let operands),
        .row(let operands, _), .array(let operands, _):
        for operand in operands { visitColumns(operand, body) }
    case .inList(let operand, let list):
        visitColumns(operand, body)
        for candidate in list { visitColumns(candidate, body) }
    case .like(let value, let pattern, let escape):
        visitColumns(value, body)
        visitColumns(pattern, body)
        if let escape { visitColumns(escape, body) }
    case .caseWhen(let branches, let otherwise, _):
        for branch in branches {
            visitColumns(branch.condition, body)
            visitColumns(branch.value, body)
        }
        if let otherwise { visitColumns(otherwise, body) }
    }
}
