import Vectors

/// How rows that outlive their chunk lie in memory: join builds, groups, sort and window buffers.
///
///     [header 8][key words][more key NULLs][payload NULLs][payload slots][extra]
///
/// The header of rows with keys is the hash's top 48 bits and a NULL bit for each of the first 16 keys,
/// so that one comparison covers both. Slots are 8 bytes, for 128-bit values and strings 16. Nested
/// values are kept encoded, as a string view on their bytes.
struct RowLayout: Sendable {
    struct Field: Sendable {
        var type: LogicalType
        var physical: PhysicalType
        var offset: Int
        /// Where the NULL bit is: byte offset of the word, bit within it.
        var nullOffset: Int
        var nullBit: UInt64
        /// Kept as a string view: strings and encoded nested values.
        var isView: Bool
        var isNested: Bool
    }

    let keys: [Field]
    let payload: [Field]
    /// Bytes from 8 to here are compared when headers are equal.
    let keyEnd: Int
    /// Where the extra bytes (aggregate states, match flags) begin; 16-aligned.
    let extraOffset: Int
    let width: Int
    /// Offsets of all string views, keys first: what must be written out and read back with bytes.
    let viewOffsets: [Int]
    let hasKeyViews: Bool

    init(keys keyTypes: [LogicalType], payload payloadTypes: [LogicalType], extraBytes: Int = 0) {
        var at = 8
        func field(_ type: LogicalType, nullOffset: Int, nullBit: Int) -> Field {
            let isNested = !type.children.isEmpty
            let isView = isNested || type.physical == .string
            let result = Field(
                type: type, physical: type.physical, offset: at, nullOffset: nullOffset,
                nullBit: 1 << UInt64(nullBit), isView: isView, isNested: isNested)
            at += isView || type.physical == .int128 ? 16 : 8
            return result
        }
        var keys: [Field] = []
        let extraKeyWords = keyTypes.count > 16 ? (keyTypes.count - 16 + 63) / 64 : 0
        at += extraKeyWords * 8
        for (index, type) in keyTypes.enumerated() {
            let rest = index - 16
            keys.append(
                index < 16
                    ? field(type, nullOffset: 0, nullBit: index)
                    : field(type, nullOffset: 8 + rest / 64 * 8, nullBit: rest % 64))
        }
        self.keys = keys
        keyEnd = at
        let nullStart = at
        at += (payloadTypes.count + 63) / 64 * 8
        payload = payloadTypes.enumerated().map { index, type in
            field(type, nullOffset: nullStart + index / 64 * 8, nullBit: index % 64)
        }
        extraOffset = (at + 15) & ~15
        width = extraBytes > 0 ? (extraOffset + extraBytes + 15) & ~15 : (at + 7) & ~7
        viewOffsets = (keys + payload).filter(\.isView).map(\.offset)
        hasKeyViews = keys.contains(where: \.isView)
    }

    /// Words of a key after the header.
    var keyWords: Int { (keyEnd - 8) / 8 }
}

/// Whether the field of a row is NULL.
@inline(__always) func isNull(_ field: RowLayout.Field, _ row: UnsafeMutableRawPointer) -> Bool {
    row.load(fromByteOffset: field.nullOffset, as: UInt64.self) & field.nullBit != 0
}

/// Collects one field of many rows into a flat vector. Views keep pointing to the rows' heap.
func gatherField(
    _ field: RowLayout.Field, _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int,
    into buffer: ColumnBuffer, isStable: Bool
) -> Vector {
    buffer.clear()
    buffer.ensure(count)
    if field.isNested { return gatherNested(field, rows, count, into: buffer) }
    let offset = field.offset
    switch field.physical {
    case .bool:
        let output = buffer.pointer(as: UInt8.self)
        for index in 0..<count {
            output[index] = rows[index].load(fromByteOffset: offset, as: UInt8.self)
        }
    case .int32:
        let output = buffer.pointer(as: Int32.self)
        for index in 0..<count {
            output[index] = rows[index].load(fromByteOffset: offset, as: Int32.self)
        }
    case .int64, .double:
        let output = buffer.pointer(as: Int64.self)
        for index in 0..<count {
            output[index] = rows[index].load(fromByteOffset: offset, as: Int64.self)
        }
    case .int128, .string, .list, .row:
        let output = buffer.pointer(as: StringView.self)
        for index in 0..<count {
            output[index] = rows[index].load(fromByteOffset: offset, as: StringView.self)
        }
    }
    var nulls: UInt64 = 0
    let nullOffset = field.nullOffset
    for index in 0..<count {
        nulls |= rows[index].load(fromByteOffset: nullOffset, as: UInt64.self)
    }
    if nulls & field.nullBit != 0 {
        buffer.startNulls()
        for index in 0..<count where isNull(field, rows[index]) {
            ValidityBits.clear(buffer.validBits, index)
        }
    }
    var result = buffer.vector
    result.isStable = isStable
    return result
}

private func gatherNested(
    _ field: RowLayout.Field, _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int,
    into buffer: ColumnBuffer
) -> Vector {
    for index in 0..<count {
        if isNull(field, rows[index]) {
            buffer.setNull(index)
            continue
        }
        let view = rows[index].load(fromByteOffset: field.offset, as: StringView.self)
        // Encoded values are never inline: the heap keeps them apart from the view.
        _ = ValueCodec.decode(view.pointer, into: buffer, row: index)
    }
    buffer.count = count
    return buffer.vector
}
