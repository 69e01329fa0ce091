import Vectors

/// Three-valued NOT.
final class NotStep: BufferedStep {
    private let input: Int
    private let operand = FlatOperand()

    init(input: Int, output: Int) {
        self.input = input
        super.init(output: output, type: .boolean)
    }

    override func run(_ frame: Frame) {
        let a = operand.flat(frame.registers[input], frame.rows, .boolean)
        if isNullConstant(a) { return emitConstant(frame, isNull: true) }
        unaryLoop(a, buffer.pointer(as: UInt8.self), frame.rows) { (x: UInt8) in x ^ 1 }
        if a.form == .constant { return emitConstant(frame, isNull: false) }
        emit(frame, valid: a.valid)
    }
}

/// What a boolean vector says of a row: 1 true, 0 false, 2 unknown.
@inline(__always) func truth(_ vector: Vector, _ row: Int) -> UInt8 {
    vector.isValid(row) ? vector.pointer(as: UInt8.self)[vector.valueIndex(row)] : 2
}

/// Selects the active rows of which the boolean vector says true.
func selectTrue(
    _ vector: Vector, _ rows: ActiveRows, into output: UnsafeMutablePointer<UInt32>
) -> Int {
    var found = 0
    if vector.form == .constant {
        guard truth(vector, 0) == 1 else { return 0 }
        rows.forEach { row in
            output[found] = UInt32(truncatingIfNeeded: row)
            found &+= 1
        }
        return found
    }
    if vector.form == .flat, vector.valid == nil {
        let values = vector.pointer(as: UInt8.self)
        rows.forEach { row in
            output[found] = UInt32(truncatingIfNeeded: row)
            found &+= Int(values[row])
        }
        return found
    }
    rows.forEach { row in
        output[found] = UInt32(truncatingIfNeeded: row)
        found &+= bit(truth(vector, row) == 1)
    }
    return found
}

/// AND or OR of several operands. Each operand is evaluated only for rows that are still open, so that
/// what stands behind a guard cannot fail.
final class LogicStep: BufferedStep {
    private let first: Int
    private let rest: [StepList]
    private let isAnd: Bool
    private let open = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(first: Int, rest: [StepList], isAnd: Bool, output: Int) {
        self.first = first
        self.rest = rest
        self.isAnd = isAnd
        super.init(output: output, type: .boolean)
    }

    deinit { open.deallocate() }

    override func run(_ frame: Frame) {
        let values = buffer.pointer(as: UInt8.self)
        let rows = frame.rows
        // The value that decides: false for AND, true for OR.
        let deciding: UInt8 = isAnd ? 0 : 1
        let head = frame.registers[first]
        var openCount = 0
        rows.forEach { row in
            let value = truth(head, row)
            values[row] = value
            open[openCount] = UInt32(truncatingIfNeeded: row)
            openCount &+= bit(value != deciding)
        }
        for operand in rest {
            if openCount == 0 { break }
            let vector = operand.run(
                frame, rows: ActiveRows(count: rows.count, selection: open, active: openCount))
            var left = 0
            for index in 0..<openCount {
                let row = Int(open[index])
                let value = truth(vector, row)
                // Unknown stays unknown unless this operand decides.
                if value == deciding {
                    values[row] = deciding
                } else if value == 2 {
                    values[row] = 2
                }
                open[left] = UInt32(truncatingIfNeeded: row)
                left &+= bit(value != deciding)
            }
            openCount = left
        }
        var hasUnknown = false
        rows.forEach { row in hasUnknown = hasUnknown || values[row] == 2 }
        guard hasUnknown else { return emit(frame, valid: nil) }
        ValidityBits.fill(buffer.validBits, rowCount: rows.count, valid: true)
        rows.forEach { row in
            if values[row] == 2 {
                values[row] = 0
                ValidityBits.clear(buffer.validBits, row)
            }
        }
        emit(frame, valid: buffer.validBits)
    }
}
