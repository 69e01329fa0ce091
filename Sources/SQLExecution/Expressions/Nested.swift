import SQLFunctions
import Vectors

/// `ROW(…)`: the fields' vectors side by side.
final class RowStep: Step {
    private let inputs: [Int]
    private let buffers: [ColumnBuffer]
    private let children: UnsafeMutablePointer<Vector>
    private let types: [LogicalType]

    init(inputs: [Int], type: LogicalType, output: Int) {
        self.inputs = inputs
        types = type.children
        buffers = types.map { ColumnBuffer($0) }
        children = .allocate(capacity: max(inputs.count, 1))
        super.init(output: output)
    }

    deinit { children.deallocate() }

    override func run(_ frame: Frame) {
        let all = ActiveRows(count: frame.rows.count)
        for (index, input) in inputs.enumerated() {
            let field = frame.registers[input]
            // Fields of rows have the rows of their parent and the layout of their type.
            if field.physical == .int64 && types[index].physical == .int128 {
                let wide = widened(
                    field, to: types[index], rowCount: all.count, into: buffers[index])
                children[index] = wide
                if wide.form == .constant { expand(index, all.count) }
            } else if field.form == .flat {
                children[index] = field
            } else {
                children[index] = flatten(field, all, into: buffers[index])
            }
        }
        frame.registers[output] = Vector(
            physical: .row, values: UnsafeMutableRawPointer(children), children: children)
    }

    private func expand(_ index: Int, _ count: Int) {
        let buffer = buffers[index]
        let value = buffer.pointer(as: Int128.self)[0]
        let isNull = isNullConstant(children[index])
        buffer.pointer(as: Int128.self).update(repeating: value, count: count)
        if isNull { ValidityBits.fill(buffer.validBits, rowCount: count, valid: false) }
        children[index] = Vector(
            physical: .int128, values: buffer.values, valid: isNull ? buffer.validBits : nil)
    }
}

/// `ARRAY[…]`: the elements of each row after the other.
final class ArrayStep: BufferedStep {
    private let inputs: [Int]

    init(inputs: [Int], type: LogicalType, output: Int) {
        self.inputs = inputs
        super.init(output: output, type: type)
    }

    override func run(_ frame: Frame) {
        buffer.clear()
        let child = buffer.childBuffers[0]
        let count = UInt32(inputs.count)
        frame.rows.forEach { row in
            let start = child.count
            for input in inputs {
                do throws(MemoryLimitFault) {
                    try child.append(from: frame.registers[input], row: row)
                } catch { frame.context.fail(QueryFault(error)) }
            }
            buffer.store(ListEntry(offset: UInt32(start), count: count), row)
        }
        frame.registers[output] = buffer.vector
    }
}

/// A field of a row; NULL where the row is.
final class FieldStep: BufferedStep {
    private let input: Int
    private let index: Int
    private let type: LogicalType
    private let codes = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(input: Int, index: Int, type: LogicalType, output: Int) {
        self.input = input
        self.index = index
        self.type = type
        super.init(output: output, type: type)
    }

    deinit { codes.deallocate() }

    override func run(_ frame: Frame) {
        let row = frame.registers[input]
        guard let children = row.children else { return emitConstant(frame, isNull: true) }
        var field = children[index]
        switch row.form {
        case .constant:
            if isNullConstant(row) || field.form == .constant {
                if isNullConstant(row) { return emitConstant(frame, isNull: true) }
                frame.registers[output] = field
                return
            }
            copyRows(frame, row, field)
        case .dictionary: copyRows(frame, row, field)
        case .flat:
            guard let valid = row.valid else {
                frame.registers[output] = field
                return
            }
            if field.form == .constant { return copyRows(frame, row, field) }
            let words = ValidityBits.wordCount(frame.rows.count)
            for word in 0..<words {
                buffer.validBits[word] = valid[word] & (field.valid.map { $0[word] } ?? ~0)
            }
            field.valid = buffer.validBits
            frame.registers[output] = field
        }
    }

    private func copyRows(_ frame: Frame, _ row: Vector, _ field: Vector) {
        buffer.clear()
        frame.rows.forEach { position in
            guard row.isValid(position) else { return buffer.setNull(position) }
            do throws(MemoryLimitFault) {
                try buffer.copyValue(from: field, row: row.valueIndex(position), to: position)
            } catch { frame.context.fail(QueryFault(error)) }
        }
        frame.registers[output] = buffer.vector
    }
}
