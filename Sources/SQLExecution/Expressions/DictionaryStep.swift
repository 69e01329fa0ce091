import SQLFunctions
import Vectors

/// Runs a step of one string operand over the entries of a dictionary instead of over rows, and
/// remembers the outcome by the dictionary's identity.
///
/// Worth it once as many rows have been seen of a dictionary as it has entries. A step that fails on an
/// entry is run over rows, since the entry may belong to no active row.
final class DictionaryStep: Step {
    private let input: Int
    private let inner: Step
    private let innerInput: Int
    private let innerOutput: Int
    private let type: LogicalType
    private let entries: ColumnBuffer
    private let rowBuffer: ColumnBuffer
    private var heap: Arena?
    private var remembered: UInt32 = 0
    private var refused: UInt32 = 0
    private var seenID: UInt32 = 0
    private var seenRows = 0
    private var identity: UInt32 = 0

    init(
        input: Int, inner: Step, innerInput: Int, innerOutput: Int, type: LogicalType, output: Int
    ) {
        self.input = input
        self.inner = inner
        self.innerInput = innerInput
        self.innerOutput = innerOutput
        self.type = type
        entries = ColumnBuffer(type, capacity: 64)
        rowBuffer = ColumnBuffer(type)
        super.init(output: output)
    }

    override func run(_ frame: Frame) {
        let vector = frame.registers[input]
        guard vector.form == .dictionary, vector.dictionaryID != 0, isWorth(vector, frame),
            remember(vector, frame)
        else {
            frame.registers[innerInput] = vector
            inner.run(frame)
            frame.registers[output] = frame.registers[innerOutput]
            return
        }
        expand(vector, frame)
    }

    private func isWorth(_ vector: Vector, _ frame: Frame) -> Bool {
        if vector.dictionaryID == remembered { return true }
        if vector.dictionaryID == refused { return false }
        if seenID != vector.dictionaryID {
            seenID = vector.dictionaryID
            seenRows = 0
        }
        seenRows += frame.rows.active
        return seenRows * 2 >= Int(vector.entryCount)
    }

    /// Evaluates the entries; false when one of them failed.
    private func remember(_ vector: Vector, _ frame: Frame) -> Bool {
        if vector.dictionaryID == remembered { return true }
        let outer = frame.rows
        let earlier = frame.context.takeFault()
        defer {
            frame.rows = outer
            if let earlier { frame.context.fail(earlier) }
        }
        let count = Int(vector.entryCount)
        entries.clear()
        entries.ensure(count)
        let keeper = heap ?? Arena(budget: frame.heap.budget, firstBlockSize: 4096)
        heap = keeper
        keeper.rewind()
        var start = 0
        while start < count {
            let step = min(Chunk.capacity, count - start)
            frame.registers[innerInput] = Vector(
                physical: vector.physical,
                values: vector.values + start * vector.physical.width, isStable: vector.isStable)
            frame.rows = ActiveRows(count: step)
            inner.run(frame)
            if frame.context.takeFault() != nil {
                refused = vector.dictionaryID
                return false
            }
            let result = frame.registers[innerOutput]
            for row in 0..<step {
                do throws(MemoryLimitFault) {
                    try entries.copyValue(from: result, row: row, to: start + row, heap: keeper)
                } catch {
                    refused = vector.dictionaryID
                    return false
                }
            }
            start += step
        }
        remembered = vector.dictionaryID
        identity = DictionaryIdentity.next()
        return true
    }

    private func expand(_ vector: Vector, _ frame: Frame) {
        let rows = frame.rows
        if entries.physical == .string, !entries.hasNulls {
            var result = Vector(physical: .string, form: .dictionary, values: entries.values)
            result.codes = vector.codes
            result.valid = vector.valid
            result.dictionaryID = identity
            result.entryCount = vector.entryCount
            frame.registers[output] = result
            return
        }
        let codes = vector.codes.unsafelyUnwrapped
        switch entries.physical {
        case .bool: gather(codes, rows, UInt8.self)
        case .int32: gather(codes, rows, Int32.self)
        case .int64, .double: gather(codes, rows, Int64.self)
        default: gather(codes, rows, Int128.self)
        }
        var valid = vector.valid
        if entries.hasNulls {
            let bits = rowBuffer.validBits
            if let valid {
                bits.update(from: valid, count: ValidityBits.wordCount(rows.count))
            } else {
                ValidityBits.fill(bits, rowCount: rows.count, valid: true)
            }
            rows.forEach { row in
                let code = Int(codes[row])
                if entries.validBits[code &>> 6] &>> UInt64(code & 63) & 1 == 0 {
                    ValidityBits.clear(bits, row)
                }
            }
            valid = bits
        }
        frame.registers[output] = Vector(
            physical: entries.physical, values: rowBuffer.values, valid: valid)
    }

    @inline(__always) private func gather<Value: BitwiseCopyable>(
        _ codes: UnsafeMutablePointer<UInt32>, _ rows: ActiveRows, _: Value.Type
    ) {
        let source = entries.pointer(as: Value.self)
        let target = rowBuffer.pointer(as: Value.self)
        rows.forEach { target[$0] = source[Int(codes[$0])] }
    }
}
