/// Owns the memory of one flat column of a chunk that is filled row by row: for readers of texts,
/// system tables and tests. Lists, maps and rows are not built with it.
package final class ColumnBuffer {
    package let type: LogicalType
    package let capacity: Int
    private let values: UnsafeMutableRawPointer
    private let valid: UnsafeMutablePointer<UInt64>
    private var hasNulls = false

    /// Room for `capacity` rows of a type that is not nested.
    package init(type: LogicalType, capacity: Int = Chunk.capacity) {
        self.type = type
        self.capacity = capacity
        values = allocateBuffer(byteCount: capacity * max(type.physical.width, 1))
        let words = ValidityBits.wordCount(capacity)
        valid = allocateBuffer(byteCount: words * 8).bindMemory(to: UInt64.self, capacity: words)
        reset()
    }

    deinit {
        values.deallocate()
        UnsafeMutableRawPointer(valid).deallocate()
    }

    /// Forgets the rows.
    package func reset() {
        ValidityBits.fill(valid, rowCount: capacity, valid: true)
        hasNulls = false
    }

    /// The column as it stands; valid until the next change.
    package var vector: Vector {
        Vector(physical: type.physical, values: values, valid: hasNulls ? valid : nil)
    }

    /// Makes the row NULL; what its value was before does not matter.
    package func setNull(_ row: Int) {
        ValidityBits.clear(valid, row)
        hasNulls = true
        // A defined value, so that kernels that compute inactive rows see no garbage.
        let width = type.physical.width
        (values + row * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    }

    /// Writes one row in the physical type of the column, which the caller has switched on.
    package func set(_ row: Int, _ value: Bool) {
        values.assumingMemoryBound(to: UInt8.self)[row] = value ? 1 : 0
    }
    package func set(_ row: Int, _ value: Int32) {
        values.assumingMemoryBound(to: Int32.self)[row] = value
    }
    package func set(_ row: Int, _ value: Int64) {
        values.assumingMemoryBound(to: Int64.self)[row] = value
    }
    package func set(_ row: Int, _ value: Int128) {
        values.assumingMemoryBound(to: Int128.self)[row] = value
    }
    package func set(_ row: Int, _ value: Double) {
        values.assumingMemoryBound(to: Double.self)[row] = value
    }
    /// The bytes of a long view must live as long as the column is read.
    package func set(_ row: Int, _ value: StringView) {
        values.assumingMemoryBound(to: StringView.self)[row] = value
    }
}
