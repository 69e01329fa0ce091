import Iceberg
import TableFiles
import Vectors

/// Puts a source's columns into the order of the table's, with NULL for what the source lacks.
final class RowAligner {
    private let places: [Int?]
    private var outputs: [Chunk]
    private let nulls: [ColumnBuffer]
    private var empty: [Vector]

    /// `names` are the source's columns; `types` the table's, in the order of its schema.
    init(names: [String], schema: Schema, types: [LogicalType]) {
        let lower = names.map { $0.lowercased() }
        places = schema.fields.map { lower.firstIndex(of: $0.name.lowercased()) }
        outputs = [Chunk(columnCount: schema.fields.count)]
        nulls = types.map { type in
            // Only the bit for NULL matters: any layout without children does for nested types.
            let buffer = ColumnBuffer(type: type.children.isEmpty ? type : .boolean, capacity: 64)
            buffer.setNull(0)
            return buffer
        }
        empty = zip(nulls, types).map { buffer, type in
            let flat = buffer.vector
            return Vector(
                physical: type.physical, form: .constant, values: flat.values, valid: flat.valid)
        }
    }

    /// The rows as the table has them; valid until the next call and as long as `chunk`.
    func align(_ chunk: Chunk) -> Chunk { align(chunk, outputs[0]) }

    /// The same of several chunks.
    func align(_ chunks: [Chunk]) -> [Chunk] {
        while outputs.count < chunks.count {
            outputs.append(Chunk(columnCount: outputs[0].columnCount))
        }
        return zip(chunks, outputs).map { align($0, $1) }
    }

    private func align(_ chunk: Chunk, _ output: Chunk) -> Chunk {
        for (index, place) in places.enumerated() {
            output.columns[index] = place.map { chunk.columns[$0] } ?? empty[index]
        }
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
        return output
    }
}
