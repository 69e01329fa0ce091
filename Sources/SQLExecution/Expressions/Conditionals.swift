import SQLFunctions
import Vectors

/// A step whose rows are written piecemeal: by branches of a CASE and the like.
class MergingStep: BufferedStep {
    let type: LogicalType

    init(output: Int, type: LogicalType) {
        self.type = type
        super.init(output: output, type: type)
    }

    /// Writes the rows of a branch's value into the result.
    final func merge(_ value: Vector, _ rows: ActiveRows, _ frame: Frame) {
        if value.valid != nil || !type.children.isEmpty || value.physical != buffer.physical {
            rows.forEach { row in
                do throws(MemoryLimitFault) {
                    try buffer.copyValue(from: value, row: row, to: row)
                } catch { frame.context.fail(QueryFault(error)) }
            }
            return
        }
        switch buffer.physical {
        case .bool: copy(value, rows, UInt8.self)
        case .int32: copy(value, rows, Int32.self)
        case .int64, .double: copy(value, rows, Int64.self)
        case .int128: copy(value, rows, Int128.self)
        case .string: copy(value, rows, StringView.self)
        case .list, .row: break
        }
        if buffer.hasNulls { rows.forEach { ValidityBits.set(buffer.validBits, $0) } }
    }

    @inline(__always) private func copy<Value: BitwiseCopyable>(
        _ value: Vector, _ rows: ActiveRows, _: Value.Type
    ) {
        let source = value.pointer(as: Value.self)
        let target = buffer.pointer(as: Value.self)
        switch value.form {
        case .flat: rows.forEach { target[$0] = source[$0] }
        case .constant: rows.forEach { target[$0] = source[0] }
        case .dictionary: rows.forEach { target[$0] = source[value.valueIndex($0)] }
        }
    }

    final func setNull(_ rows: ActiveRows) { rows.forEach { buffer.setNull($0) } }

    final func finish(_ frame: Frame) { frame.registers[output] = buffer.vector }
}

/// Searched CASE: each condition is asked only of the rows that no earlier one took.
final class CaseStep: MergingStep {
    private let branches: [(condition: StepList, value: StepList)]
    private let otherwise: StepList?
    private let open = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private let taken = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(
        branches: [(StepList, StepList)], otherwise: StepList?, type: LogicalType, output: Int
    ) {
        self.branches = branches
        self.otherwise = otherwise
        super.init(output: output, type: type)
    }

    deinit {
        open.deallocate()
        taken.deallocate()
    }

    override func run(_ frame: Frame) {
        buffer.clear()
        let count = frame.rows.count
        var rows = frame.rows
        for branch in branches {
            if rows.active == 0 { break }
            let condition = branch.condition.run(frame, rows: rows)
            let takenCount = selectTrue(condition, rows, into: taken)
            if takenCount > 0 {
                let chosen = ActiveRows(count: count, selection: taken, active: takenCount)
                merge(branch.value.run(frame, rows: chosen), chosen, frame)
                // What was taken leaves the open rows; both lists ascend.
                var next = 0
                var left = 0
                for index in 0..<rows.active {
                    let row = UInt32(truncatingIfNeeded: rows.row(index))
                    if next < takenCount && taken[next] == row {
                        next &+= 1
                    } else {
                        open[left] = row
                        left &+= 1
                    }
                }
                rows = ActiveRows(count: count, selection: open, active: left)
            }
        }
        if rows.active > 0 {
            if let otherwise {
                merge(otherwise.run(frame, rows: rows), rows, frame)
            } else {
                setNull(rows)
            }
        }
        finish(frame)
    }
}

/// The first operand that is not NULL.
final class CoalesceStep: MergingStep {
    private let first: Int
    private let rest: [StepList]
    private let open = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(first: Int, rest: [StepList], type: LogicalType, output: Int) {
        self.first = first
        self.rest = rest
        super.init(output: output, type: type)
    }

    deinit { open.deallocate() }

    override func run(_ frame: Frame) {
        let head = frame.registers[first]
        if head.valid == nil || (head.form == .constant && !isNullConstant(head)) {
            frame.registers[output] = head
            return
        }
        buffer.clear()
        let count = frame.rows.count
        merge(head, frame.rows, frame)
        var openCount = 0
        frame.rows.forEach { row in
            open[openCount] = UInt32(truncatingIfNeeded: row)
            openCount &+= bit(!head.isValid(row))
        }
        for operand in rest where openCount > 0 {
            let rows = ActiveRows(count: count, selection: open, active: openCount)
            let value = operand.run(frame, rows: rows)
            merge(value, rows, frame)
            var left = 0
            for index in 0..<openCount {
                let row = open[index]
                open[left] = row
                left &+= bit(!value.isValid(Int(row)))
            }
            openCount = left
        }
        finish(frame)
    }
}

/// TRY: rows whose evaluation fails become NULL.
///
/// The whole vector is tried first; a vector that fails is halved until the culprits stand alone.
final class TryStep: MergingStep {
    private let body: StepList
    private let scratch = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(body: StepList, type: LogicalType, output: Int) {
        self.body = body
        super.init(output: output, type: type)
    }

    deinit { scratch.deallocate() }

    override func run(_ frame: Frame) {
        // A failure from before is not ours to swallow.
        let earlier = frame.context.takeFault()
        buffer.clear()
        for index in 0..<frame.rows.active { scratch[index] = UInt32(frame.rows.row(index)) }
        attempt(0, frame.rows.active, frame)
        if let earlier { frame.context.fail(earlier) }
        finish(frame)
    }

    private func attempt(_ start: Int, _ count: Int, _ frame: Frame) {
        guard count > 0 else { return }
        let rows = ActiveRows(count: frame.rows.count, selection: scratch + start, active: count)
        let value = body.run(frame, rows: rows)
        guard let fault = frame.context.takeFault() else { return merge(value, rows, frame) }
        guard fault.code != .exceededMemoryLimit, fault.code != .userCanceled else {
            return frame.context.fail(fault)
        }
        if count == 1 { return setNull(rows) }
        attempt(start, count / 2, frame)
        attempt(start + count / 2, count - count / 2, frame)
    }
}
