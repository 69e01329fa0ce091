import Vectors

/// Packs the key columns of a chunk into row-wise scratch: `[header][key words]` a row, ready to be
/// hashed and compared as words. Equal keys give equal words, but for long strings, whose bytes count.
final class KeyPacker {
    let layout: RowLayout
    let stride: Int
    /// Rows packed by the last call.
    private(set) var count = 0
    private(set) var scratch: UnsafeMutableRawPointer
    private var capacity = Chunk.capacity
    private let buffers: [ColumnBuffer]
    private let vectors: UnsafeMutablePointer<Vector>
    private let heap: Arena
    /// Words and views to hash, in order: plain bytes, so that the loops count no references.
    private let hashParts: UnsafeMutablePointer<HashPart>
    private let hashPartCount: Int

    private struct HashPart: BitwiseCopyable {
        var offset: Int
        var isView: Bool
    }

    /// Whether some key of the last call was NULL (those rows have NULL bits in the header).
    private(set) var hasNullKeys = false

    /// Of each key, what becomes of values that do not equal themselves.
    private let roles: [KeyRole]

    /// `roles`: one a key; nil: keys of groups.
    init(_ layout: RowLayout, budget: MemoryBudget, roles: [KeyRole]? = nil) {
        self.layout = layout
        self.roles = roles ?? layout.keys.map { _ in .grouping }
        stride = layout.keyEnd
        scratch = allocateBuffer(byteCount: Chunk.capacity * layout.keyEnd)
        buffers = layout.keys.map { ColumnBuffer($0.type) }
        vectors = .allocate(capacity: max(layout.keys.count, 1))
        heap = Arena(budget: budget, firstBlockSize: 16 << 10)
        var parts: [HashPart] = []
        for field in layout.keys {
            parts.append(HashPart(offset: field.offset, isView: field.isView))
            if !field.isView, field.physical == .int128 {
                parts.append(HashPart(offset: field.offset + 8, isView: false))
            }
        }
        hashPartCount = parts.count
        hashParts = .allocate(capacity: max(parts.count, 1))
        hashParts.initialize(from: parts, count: parts.count)
    }

    deinit {
        scratch.deallocate()
        vectors.deallocate()
        hashParts.deallocate()
    }

    @inline(__always) func row(_ index: Int) -> UnsafeMutableRawPointer {
        scratch + index &* stride
    }

    /// Packs the active rows; row `i` of the scratch is the `i`th active row. Leaves stable strings as
    /// they are; `stableKeys` tells of each key whether its views may be kept.
    func pack(_ columns: UnsafePointer<Vector>, _ indices: [Int], _ rows: ActiveRows) {
        count = rows.active
        hasNullKeys = false
        heap.rewind()
        if layout.keys.count > 16 { clearNullWords() }
        for (position, field) in layout.keys.enumerated() {
            let source = columns[indices[position]]
            var vector = flatten(source, rows, into: buffers[position])
            if vector.physical == .int64 && field.physical == .int128 {
                vector = widened(vector, to: field.type, rowCount: count, into: buffers[position])
            }
            vectors[position] = vector
            isStable[position] = vector.isStable && !field.isNested
            store(field, vector, roles[position])
        }
        hashRows()
    }

    /// Of each key, whether its long strings outlive the chunk.
    private(set) lazy var isStable = Array(repeating: false, count: layout.keys.count)

    private func clearNullWords() {
        for index in 0..<count {
            let base = row(index)
            var offset = 8
            while offset < (layout.keys.first?.offset ?? 8) {
                base.storeBytes(of: 0, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
        }
    }

    private func store(_ field: RowLayout.Field, _ vector: Vector, _ role: KeyRole) {
        let offset = field.offset
        let stride = stride
        var at = scratch + offset
        if field.isNested { return storeNested(field, vector, role) }
        switch field.physical {
        case .bool:
            let values = vector.pointer(as: UInt8.self)
            for index in 0..<count {
                at.storeBytes(of: UInt64(values[index]), as: UInt64.self)
                at += stride
            }
        case .int32:
            let values = vector.pointer(as: Int32.self)
            for index in 0..<count {
                at.storeBytes(of: Int64(values[index]), as: Int64.self)
                at += stride
            }
        case .int64:
            let values = vector.pointer(as: Int64.self)
            for index in 0..<count {
                at.storeBytes(of: values[index], as: Int64.self)
                at += stride
            }
        case .double:
            let values = vector.pointer(as: Double.self)
            let nan = role.nan
            for index in 0..<count {
                at.storeBytes(of: canonicalBits(values[index], nan: nan), as: UInt64.self)
                at += stride
            }
        case .int128:
            let values = vector.pointer(as: Int128.self)
            for index in 0..<count {
                let value = keyBits(field.type, values[index])
                at.storeBytes(of: UInt64(truncatingIfNeeded: value), as: UInt64.self)
                at.storeBytes(
                    of: UInt64(truncatingIfNeeded: value >> 64), toByteOffset: 8, as: UInt64.self)
                at += stride
            }
        case .string:
            let values = vector.pointer(as: StringView.self)
            var isChar = false
            if case .char = field.type { isChar = true }
            for index in 0..<count {
                let view =
                    isChar && (vector.isValid(index)) ? trimmedView(values[index]) : values[index]
                at.storeBytes(of: view.low, as: UInt64.self)
                at.storeBytes(of: view.high, toByteOffset: 8, as: UInt64.self)
                at += stride
            }
        case .list, .row: break
        }
        if let valid = vector.valid { clearInvalid(field, valid) }
    }

    /// Words of NULL keys are zero, so that all NULLs are equal.
    private func clearInvalid(_ field: RowLayout.Field, _ valid: UnsafeMutablePointer<UInt64>) {
        for index in 0..<count where valid[index &>> 6] &>> UInt64(index & 63) & 1 == 0 {
            let base = row(index)
            base.storeBytes(of: 0, toByteOffset: field.offset, as: UInt64.self)
            if field.isView || field.physical == .int128 {
                base.storeBytes(of: 0, toByteOffset: field.offset + 8, as: UInt64.self)
            }
            hasNullKeys = true
            if field.nullOffset > 0 {
                let word = base.load(fromByteOffset: field.nullOffset, as: UInt64.self)
                base.storeBytes(
                    of: word | field.nullBit, toByteOffset: field.nullOffset, as: UInt64.self)
            }
        }
    }

    private func storeNested(_ field: RowLayout.Field, _ vector: Vector, _ role: KeyRole) {
        for index in 0..<count {
            var view = StringView.empty
            if vector.isValid(index) {
                var bytes: [UInt8] = []
                ValueCodec.encode(field.type, vector, index, forKeys: role, to: &bytes)
                while bytes.count < 16 { bytes.append(0) }
                if let start = try? heap.allocate(bytes.count) {
                    bytes.withUnsafeBytes {
                        start.copyMemory(from: $0.baseAddress!, byteCount: bytes.count)
                    }
                    view = StringView(start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
                }
            }
            row(index).storeBytes(of: view.low, toByteOffset: field.offset, as: UInt64.self)
            row(index).storeBytes(of: view.high, toByteOffset: field.offset + 8, as: UInt64.self)
        }
        if let valid = vector.valid { clearInvalid(field, valid) }
    }

    /// Fills the headers: hash of the key words, NULL bits of the first 16 keys.
    private func hashRows() {
        let stride = stride
        var at = scratch
        if !layout.hasKeyViews {
            let words = layout.keyWords
            if words == 1 {
                for _ in 0..<count {
                    let hash = mix(at.load(fromByteOffset: 8, as: UInt64.self))
                    at.storeBytes(of: hash & ~0xFFFF, as: UInt64.self)
                    at += stride
                }
            } else {
                for _ in 0..<count {
                    var hash: UInt64 = 0
                    for word in 0..<words {
                        hash = mix(hash ^ at.load(fromByteOffset: 8 &+ word &* 8, as: UInt64.self))
                    }
                    at.storeBytes(of: hash & ~0xFFFF, as: UInt64.self)
                    at += stride
                }
            }
        } else {
            let parts = hashParts
            let partCount = hashPartCount
            for _ in 0..<count {
                var hash: UInt64 = 0
                for index in 0..<partCount {
                    let part = parts[index]
                    let low = at.load(fromByteOffset: part.offset, as: UInt64.self)
                    if part.isView {
                        let high = at.load(fromByteOffset: part.offset &+ 8, as: UInt64.self)
                        hash = mix(hash ^ hashView(StringView(low: low, high: high)))
                    } else {
                        hash = mix(hash ^ low)
                    }
                }
                at.storeBytes(of: hash & ~0xFFFF, as: UInt64.self)
                at += stride
            }
        }
        guard hasNullKeys else { return }
        for (position, field) in layout.keys.enumerated() where field.nullOffset == 0 {
            guard let valid = vectors[position].valid else { continue }
            for index in 0..<count where valid[index &>> 6] &>> UInt64(index & 63) & 1 == 0 {
                let header = row(index).load(as: UInt64.self)
                row(index).storeBytes(of: header | field.nullBit, as: UInt64.self)
            }
        }
        // NULL bits beyond the sixteenth key are words of their own, which are compared; they need
        // not be hashed.
    }
}

/// Whether two packed keys are equal; headers included.
@inline(__always) func keysEqual(
    _ left: UnsafeMutableRawPointer, _ right: UnsafeMutableRawPointer, _ layout: KeyComparison
) -> Bool {
    if left.load(as: UInt64.self) != right.load(as: UInt64.self) { return false }
    if layout.views == nil {
        var offset = 8
        while offset < layout.end {
            if left.load(fromByteOffset: offset, as: UInt64.self)
                != right.load(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset &+= 8
        }
        return true
    }
    return keysEqualWithViews(left, right, layout)
}

/// What comparing packed keys needs to know, without reference counts.
struct KeyComparison: BitwiseCopyable {
    var end: Int
    /// Offsets of views; nil when there are none.
    var views: UnsafeMutablePointer<Int>?
    var viewCount: Int
    /// Offsets of plain words.
    var words: UnsafeMutablePointer<Int>
    var wordCount: Int

    /// Leaks nothing: freed by `deallocate`, which the owner of the layout calls.
    init(_ layout: RowLayout) {
        end = layout.keyEnd
        let viewOffsets = layout.keys.filter(\.isView).map(\.offset)
        var inView: Set<Int> = []
        for offset in viewOffsets {
            inView.insert(offset)
            inView.insert(offset + 8)
        }
        let plain = stride(from: 8, to: layout.keyEnd, by: 8).filter { !inView.contains($0) }
        views = viewOffsets.isEmpty ? nil : .allocate(capacity: viewOffsets.count)
        viewCount = viewOffsets.count
        for (index, offset) in viewOffsets.enumerated() { views?[index] = offset }
        words = .allocate(capacity: max(plain.count, 1))
        wordCount = plain.count
        for (index, offset) in plain.enumerated() { words[index] = offset }
    }

    func deallocate() {
        views?.deallocate()
        words.deallocate()
    }
}

private func keysEqualWithViews(
    _ left: UnsafeMutableRawPointer, _ right: UnsafeMutableRawPointer, _ layout: KeyComparison
) -> Bool {
    for index in 0..<layout.wordCount {
        let offset = layout.words[index]
        if left.load(fromByteOffset: offset, as: UInt64.self)
            != right.load(fromByteOffset: offset, as: UInt64.self)
        {
            return false
        }
    }
    for index in 0..<layout.viewCount {
        let offset = layout.views.unsafelyUnwrapped[index]
        let a = left.load(fromByteOffset: offset, as: StringView.self)
        let b = right.load(fromByteOffset: offset, as: StringView.self)
        if !(a == b) { return false }
    }
    return true
}
