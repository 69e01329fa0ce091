import Vectors

/// Builds a column of any type row by row in a call's heap: results that are nested, and the elements
/// of arrays.
///
/// Values come from vectors (`append`) or are written in place (`reserve` gives the row). Strings are
/// pointed at, not copied: arguments live as long as the chunk. When the memory budget is spent the
/// call has failed and further values are dropped.
final class ColumnBuilder {
    let type: LogicalType
    let physical: PhysicalType
    private let output: Output
    private(set) var count = 0
    private(set) var values: UnsafeMutableRawPointer
    private var valid: UnsafeMutablePointer<UInt64>?
    private var capacity = 0
    private let width: Int
    let children: [ColumnBuilder]

    init(_ type: LogicalType, _ output: Output) {
        self.type = type
        physical = type.physical
        width = type.physical.width
        self.output = output
        values = output.values
        children = type.children.map { ColumnBuilder($0, output) }
    }

    /// A new row, valid and with a value to be written; nil without memory.
    func reserve() -> Int? {
        if count == capacity, !grow() { return nil }
        count += 1
        return count - 1
    }

    /// Writes a value to the row.
    @inline(__always) func put<Value: BitwiseCopyable>(_ value: Value, _ row: Int) {
        values.assumingMemoryBound(to: Value.self)[row] = value
    }

    /// Appends a value that is given as the physical type.
    func push<Value: BitwiseCopyable>(_ value: Value) {
        if let row = reserve() { put(value, row) }
    }

    /// Appends bytes as a string, copied to the heap.
    func push(bytes: Text) {
        guard let row = reserve() else { return }
        guard bytes.count > 12, let base = bytes.baseAddress else {
            return put(bytes.baseAddress.map { StringView($0, count: bytes.count) } ?? .empty, row)
        }
        guard let copy = output.allocate(bytes.count) else { return put(StringView.empty, row) }
        copy.copyMemory(from: base, byteCount: bytes.count)
        put(StringView(copy.assumingMemoryBound(to: UInt8.self), count: bytes.count), row)
    }

    /// Appends a string, copied to the heap.
    func push(_ text: String) {
        var copy = text
        copy.withUTF8 { push(bytes: $0) }
    }

    func pushNull() {
        guard let row = reserve() else { return }
        setNull(row)
    }

    func setNull(_ row: Int) {
        startNulls()
        if let valid { ValidityBits.clear(valid, row) }
        (values + row * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
        if physical == .row { for child in children where child.count <= row { child.pushNull() } }
    }

    /// NULLs up to `row`, which is to be the next: for rows that are not active.
    func skip(to row: Int) { while count < row, capacity >= 0 { if !pushSkipped() { return } } }

    private func pushSkipped() -> Bool {
        let before = count
        pushNull()
        return count > before
    }

    /// Copies one value, NULL or not, of a vector of the same type.
    func append(_ source: Vector, _ sourceRow: Int) {
        guard source.isValid(sourceRow) else { return pushNull() }
        let index = source.valueIndex(sourceRow)
        switch physical {
        case .bool: push(source.pointer(as: UInt8.self)[index])
        case .int32: push(source.pointer(as: Int32.self)[index])
        case .int64, .double: push(source.pointer(as: Int64.self)[index])
        case .int128: push(ValueOrder.wide(source, index))
        case .string: push(source.pointer(as: StringView.self)[index])
        case .list:
            guard let row = reserve() else { return }
            let entry = source.pointer(as: ListEntry.self)[index]
            let start = children[0].count
            if let inner = source.children {
                for (position, child) in children.enumerated() {
                    for offset in 0..<Int(entry.count) {
                        child.append(inner[position], Int(entry.offset) + offset)
                    }
                }
            }
            put(self.entry(from: start), row)
        case .row:
            guard reserve() != nil, let inner = source.children else { return }
            for (position, child) in children.enumerated() { child.append(inner[position], index) }
        }
    }

    /// The entry of a list whose elements were appended to the children since `start`.
    func entry(from start: Int) -> ListEntry {
        // Without memory a child may lack elements: no entry reaches beyond the shortest one.
        let end = max(start, children.map(\.count).min() ?? start)
        return ListEntry(
            offset: UInt32(truncatingIfNeeded: start),
            count: UInt32(truncatingIfNeeded: end - start))
    }

    /// The column as it stands, in memory of the heap.
    var vector: Vector {
        Vector(
            physical: physical, values: values, valid: valid, children: childVectors,
            entryCount: physical == .list
                ? UInt32(truncatingIfNeeded: children.first?.count ?? 0) : 0)
    }

    /// The children's vectors, in memory of the heap.
    private var childVectors: UnsafeMutablePointer<Vector>? {
        guard !children.isEmpty else { return nil }
        let size = MemoryLayout<Vector>.stride * children.count
        guard let memory = output.allocate(size) else { return nil }
        let vectors = memory.bindMemory(to: Vector.self, capacity: children.count)
        for (index, child) in children.enumerated() {
            (vectors + index).initialize(to: child.vector)
        }
        return vectors
    }

    /// Makes the builder's rows the result of a call.
    func finish(_ call: KernelCall) {
        skip(to: call.rowCount)
        guard count >= call.rowCount, isWhole else {
            // The memory budget is spent: the call has failed, but its rows must read as NULL.
            call.forEachRow { Output(call).setNull($0) }
            return
        }
        let result = vector
        if let own = call.result.pointee.valid, let valid {
            for word in 0..<ValidityBits.wordCount(call.rowCount) { own[word] &= valid[word] }
        }
        if width > 0 {
            call.result.pointee.values.copyMemory(from: values, byteCount: call.rowCount * width)
        }
        call.result.pointee.children = result.children
        call.result.pointee.entryCount = result.entryCount
    }

    /// Whether rows have all their fields, which only a spent memory budget prevents.
    var isWhole: Bool {
        children.allSatisfy { $0.isWhole && (physical != .row || $0.count >= count) }
    }

    private func startNulls() {
        guard valid == nil else { return }
        let words = ValidityBits.wordCount(max(capacity, 64))
        guard let memory = output.allocate(words * 8) else { return }
        let bits = memory.bindMemory(to: UInt64.self, capacity: words)
        bits.update(repeating: ~0, count: words)
        valid = bits
    }

    private func grow() -> Bool {
        // Once the memory is spent the call has failed: asking for each further row takes long.
        guard output.context.fault?.code != .exceededMemoryLimit else { return false }
        let room = max(64, capacity * 2)
        guard room <= FunctionLimits.vectorElements else {
            output.context.fail(
                QueryFault(
                    .exceededMemoryLimit,
                    "arrays of one batch hold more than \(FunctionLimits.vectorElements) elements"))
            return false
        }
        // Readers may load 64 bytes beyond the last value.
        guard let memory = output.allocate(room * max(width, 1) + 64) else { return false }
        if count > 0 { memory.copyMemory(from: values, byteCount: count * width) }
        values = memory
        if let old = valid {
            let words = ValidityBits.wordCount(room)
            guard let grown = output.allocate(words * 8) else { return false }
            let bits = grown.bindMemory(to: UInt64.self, capacity: words)
            bits.update(repeating: ~0, count: words)
            bits.update(from: old, count: ValidityBits.wordCount(capacity))
            valid = bits
        }
        capacity = room
        return true
    }
}

extension Output {
    /// Copies one value of a type that is not nested into the result.
    func copyFlat(_ source: Vector, _ row: Int, to target: Int) {
        guard source.isValid(row) else { return setNull(target) }
        let index = source.valueIndex(row)
        switch width {
        case 1: put(source.pointer(as: UInt8.self)[index], target)
        case 4: put(source.pointer(as: Int32.self)[index], target)
        case 8: put(source.pointer(as: Int64.self)[index], target)
        default:
            if source.physical == .string {
                put(source.pointer(as: StringView.self)[index], target)
            } else {
                put(ValueOrder.wide(source, index), target)
            }
        }
    }
}
