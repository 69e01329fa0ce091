import Vectors

/// Memory for one column of rows picked from chunks: dictionary vectors keep their codes.
final class CompactColumn {
    private let buffer: ColumnBuffer
    private var codes: UnsafeMutablePointer<UInt32>?

    init(_ type: LogicalType) { buffer = ColumnBuffer(type) }

    deinit { codes?.deallocate() }

    /// The picked rows of a vector, densely; in its form where that is possible.
    func pick(_ vector: Vector, _ rows: ActiveRows) -> Vector {
        if vector.form == .constant && vector.physical != .row { return vector }
        guard vector.form == .dictionary, vector.physical != .row, let source = vector.codes else {
            let wide = buffer.physical == vector.physical || vector.physical != .int64
            let result = flatten(vector, rows, into: buffer)
            return wide
                ? result : widened(result, to: buffer.type, rowCount: rows.active, into: buffer)
        }
        let target = codes ?? .allocate(capacity: Chunk.capacity)
        codes = target
        if let selection = rows.selection {
            for index in 0..<rows.active { target[index] = source[Int(selection[index])] }
        } else {
            target.update(from: source, count: rows.active)
        }
        var result = vector
        result.codes = target
        result.valid = gatherValidity(vector, rows, into: buffer.validBits)
        return result
    }
}

/// A constant NULL of a type.
final class NullColumn {
    private let buffer: ColumnBuffer
    let vector: Vector

    init(_ type: LogicalType) {
        buffer = ColumnBuffer(type, capacity: 1)
        buffer.setNull(0)
        var vector = buffer.vector
        vector.form = .constant
        if let children = vector.children, vector.physical == .row {
            for index in type.children.indices { children[index].form = .constant }
        }
        self.vector = vector
    }
}
