import Vectors

/// Memory of one output column: values, validity and, for nested types, the children.
///
/// Belongs to one worker and is filled again and again. Top-level buffers have a fixed capacity;
/// children of lists grow. Long strings are only pointed at: their bytes belong to a heap.
final class ColumnBuffer {
    let type: LogicalType
    let physical: PhysicalType
    private(set) var capacity: Int
    private(set) var values: UnsafeMutableRawPointer
    private(set) var validBits: UnsafeMutablePointer<UInt64>
    /// Descriptors of the children, refreshed by `vector`.
    let children: UnsafeMutablePointer<Vector>?
    let childBuffers: [ColumnBuffer]
    /// Rows held, where rows are appended.
    var count = 0
    /// Whether `validBits` has been filled and is to be looked at.
    var hasNulls = false

    init(_ type: LogicalType, capacity: Int = Chunk.capacity, physical: PhysicalType? = nil) {
        self.type = type
        self.physical = physical ?? type.physical
        let room = max(capacity, 64)
        self.capacity = room
        values = allocateBuffer(byteCount: room * max(self.physical.width, 1))
        validBits = allocateBuffer(byteCount: ValidityBits.wordCount(room) * 8)
            .bindMemory(to: UInt64.self, capacity: ValidityBits.wordCount(room))
        let inner = type.children
        if inner.isEmpty {
            children = nil
            childBuffers = []
        } else {
            let isRow = self.physical == .row
            childBuffers = inner.map { ColumnBuffer($0, capacity: isRow ? room : 64) }
            children = .allocate(capacity: inner.count)
            for (index, buffer) in childBuffers.enumerated() {
                children.unsafelyUnwrapped.advanced(by: index).initialize(to: buffer.vector)
            }
        }
    }

    deinit {
        values.deallocate()
        validBits.deallocate()
        children?.deallocate()
    }

    /// The buffer as a flat vector of the present state.
    var vector: Vector {
        if let children {
            for (index, buffer) in childBuffers.enumerated() { children[index] = buffer.vector }
        }
        return Vector(
            physical: physical, values: values, valid: hasNulls ? validBits : nil,
            children: children,
            entryCount: physical == .list ? UInt32(childBuffers.first?.count ?? 0) : 0)
    }

    /// Empties it: no rows, no NULLs.
    func clear() {
        count = 0
        hasNulls = false
        for child in childBuffers { child.clear() }
    }

    /// Makes room for `wanted` rows, keeping those that are there.
    func ensure(_ wanted: Int) {
        guard wanted > capacity else { return }
        let room = max(wanted, capacity * 2)
        let width = max(physical.width, 1)
        let grown = allocateBuffer(byteCount: room * width)
        grown.copyMemory(from: values, byteCount: capacity * width)
        values.deallocate()
        values = grown
        let words = ValidityBits.wordCount(room)
        let bits = allocateBuffer(byteCount: words * 8).bindMemory(to: UInt64.self, capacity: words)
        bits.update(repeating: ~0, count: words)
        bits.update(from: validBits, count: ValidityBits.wordCount(capacity))
        validBits.deallocate()
        validBits = bits
        capacity = room
        if physical == .row { for child in childBuffers { child.ensure(room) } }
    }

    /// Begins to mark NULLs: all rows valid so far.
    func startNulls() {
        guard !hasNulls else { return }
        hasNulls = true
        validBits.update(repeating: ~0, count: ValidityBits.wordCount(capacity))
    }

    /// Makes the row NULL.
    func setNull(_ row: Int) {
        startNulls()
        ValidityBits.clear(validBits, row)
        switch physical {
        case .list:
            values.assumingMemoryBound(to: ListEntry.self)[row] = ListEntry(offset: 0, count: 0)
        case .string: values.assumingMemoryBound(to: StringView.self)[row] = .empty
        case .row: for child in childBuffers { child.setNull(row) }
        case .bool: values.assumingMemoryBound(to: UInt8.self)[row] = 0
        case .int32: values.assumingMemoryBound(to: Int32.self)[row] = 0
        case .int64: values.assumingMemoryBound(to: Int64.self)[row] = 0
        case .double: values.assumingMemoryBound(to: Double.self)[row] = 0
        case .int128: values.assumingMemoryBound(to: Int128.self)[row] = 0
        }
    }

    /// Copies one value to a row that is not yet set; for nested values children are appended.
    /// Strings are copied into `heap` when one is given and they are not stable.
    func copyValue(from source: Vector, row: Int, to target: Int, heap: Arena? = nil)
        throws(MemoryLimitFault)
    {
        guard source.isValid(row) else {
            setNull(target)
            return
        }
        if hasNulls { ValidityBits.set(validBits, target) }
        let index = source.valueIndex(row)
        switch physical {
        case .bool: store(source.pointer(as: UInt8.self)[index], target)
        case .int32: store(source.pointer(as: Int32.self)[index], target)
        case .int64, .double: store(source.pointer(as: Int64.self)[index], target)
        case .int128:
            if source.physical == .int64 {
                store(Int128(source.pointer(as: Int64.self)[index]), target)
            } else {
                store(source.pointer(as: Int128.self)[index], target)
            }
        case .string:
            let view = source.pointer(as: StringView.self)[index]
            if let heap, !source.isStable {
                store(try heap.copy(view), target)
            } else {
                store(view, target)
            }
        case .list:
            let entry = source.pointer(as: ListEntry.self)[index]
            guard let inner = source.children else { return }
            let start = childBuffers[0].count
            let end = start + Int(entry.count)
            for (position, buffer) in childBuffers.enumerated() {
                buffer.ensure(end)
                for offset in 0..<Int(entry.count) {
                    try buffer.copyValue(
                        from: inner[position], row: Int(entry.offset) + offset, to: start + offset,
                        heap: heap)
                }
                buffer.count = end
            }
            store(ListEntry(offset: UInt32(start), count: entry.count), target)
        case .row:
            guard let inner = source.children else { return }
            for (position, buffer) in childBuffers.enumerated() {
                try buffer.copyValue(from: inner[position], row: index, to: target, heap: heap)
            }
        }
    }

    /// Appends one value.
    func append(from source: Vector, row: Int, heap: Arena? = nil) throws(MemoryLimitFault) {
        ensure(count + 1)
        count += 1
        try copyValue(from: source, row: row, to: count - 1, heap: heap)
    }

    @inline(__always) func store<Value: BitwiseCopyable>(_ value: Value, _ row: Int) {
        values.assumingMemoryBound(to: Value.self)[row] = value
    }

    @inline(__always) func pointer<Value: BitwiseCopyable>(as type: Value.Type)
        -> UnsafeMutablePointer<Value>
    { values.assumingMemoryBound(to: type) }
}
