import SQLFunctions
import SQLPlanning
import Vectors

/// A row to be sorted: the first key as a number that orders like it, and the row.
struct SortEntry: BitwiseCopyable {
    var prefix: UInt64
    var row: UnsafeMutableRawPointer
}

/// The order of rows by sort keys, from rows as they are kept.
final class RowOrder: @unchecked Sendable {
    // Safe because it is not changed after init, but for scratch that only nested keys use, which are
    // compared under the owner's single thread.
    struct Key {
        var field: RowLayout.Field
        var direction: SortDirection
    }

    let keys: [Key]
    /// Whether equal prefixes mean equal rows.
    let isPrefixExact: Bool
    private let keyPointer: UnsafeMutablePointer<Key>

    init(_ keys: [Key]) {
        self.keys = keys
        keyPointer = .allocate(capacity: max(keys.count, 1))
        keyPointer.initialize(from: keys, count: keys.count)
        if keys.count == 1, let first = keys.first {
            switch first.field.physical {
            case .bool, .int32: isPrefixExact = true
            default: isPrefixExact = false
            }
        } else {
            isPrefixExact = keys.isEmpty
        }
    }

    deinit {
        keyPointer.deinitialize(count: keys.count)
        keyPointer.deallocate()
    }

    /// Whether the left row comes first.
    @inline(__always) func precedes(_ left: SortEntry, _ right: SortEntry) -> Bool {
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        return isPrefixExact ? false : compare(left.row, right.row) < 0
    }

    /// The order of two rows by all keys.
    func compare(_ left: UnsafeMutableRawPointer, _ right: UnsafeMutableRawPointer) -> Int {
        for index in 0..<keys.count {
            let result = compareKey(keyPointer + index, left, right)
            if result != 0 { return result }
        }
        return 0
    }

    private func compareKey(
        _ key: UnsafeMutablePointer<Key>, _ left: UnsafeMutableRawPointer,
        _ right: UnsafeMutableRawPointer
    ) -> Int {
        let nullOffset = key.pointee.field.nullOffset
        let nullBit = key.pointee.field.nullBit
        let leftNull = left.load(fromByteOffset: nullOffset, as: UInt64.self) & nullBit != 0
        let rightNull = right.load(fromByteOffset: nullOffset, as: UInt64.self) & nullBit != 0
        if leftNull || rightNull {
            if leftNull && rightNull { return 0 }
            return leftNull == key.pointee.direction.nullsFirst ? -1 : 1
        }
        let offset = key.pointee.field.offset
        let result: Int
        if key.pointee.field.isNested {
            result = compareNested(key.pointee.field, left, right)
        } else {
            switch key.pointee.field.physical {
            case .bool:
                result = order(
                    left.load(fromByteOffset: offset, as: UInt8.self),
                    right.load(fromByteOffset: offset, as: UInt8.self))
            case .int32, .int64:
                result = order(
                    left.load(fromByteOffset: offset, as: Int64.self),
                    right.load(fromByteOffset: offset, as: Int64.self))
            case .double:
                result = orderDoubles(
                    left.load(fromByteOffset: offset, as: Double.self),
                    right.load(fromByteOffset: offset, as: Double.self))
            case .int128:
                let a = left.loadUnaligned(fromByteOffset: offset, as: Int128.self)
                let b = right.loadUnaligned(fromByteOffset: offset, as: Int128.self)
                switch key.pointee.field.type {
                case .timestampWithTimeZone:
                    result = order(instant(ofTimestamp: a), instant(ofTimestamp: b))
                case .timeWithTimeZone: result = order(instant(ofTime: a), instant(ofTime: b))
                default: result = order(a, b)
                }
            case .string, .list, .row:
                let a = left.load(fromByteOffset: offset, as: StringView.self)
                let b = right.load(fromByteOffset: offset, as: StringView.self)
                if case .char = key.pointee.field.type {
                    result = compareChar(a, b)
                } else {
                    result = StringView.compare(a, b)
                }
            }
        }
        return key.pointee.direction.isAscending ? result : 0 - result
    }

    private func compareNested(
        _ field: RowLayout.Field, _ left: UnsafeMutableRawPointer, _ right: UnsafeMutableRawPointer
    ) -> Int {
        let pair = ColumnBuffer(field.type, capacity: 2)
        for (index, row) in [left, right].enumerated() {
            let view = row.load(fromByteOffset: field.offset, as: StringView.self)
            _ = ValueCodec.decode(view.pointer, into: pair, row: index)
        }
        let vector = pair.vector
        return compareValues(field.type, vector, 0, vector, 1)
    }

    /// The prefix of a row: a NULL bit, then the first key's leading 63 bits in order.
    func prefix(_ row: UnsafeMutableRawPointer) -> UInt64 {
        guard let key = keys.first else { return 0 }
        if isNull(key.field, row) { return key.direction.nullsFirst ? 0 : 1 << 63 }
        let offset = key.field.offset
        var bits: UInt64
        if key.field.isNested { return key.direction.nullsFirst ? 1 << 63 : 0 }
        switch key.field.physical {
        case .bool: bits = UInt64(row.load(fromByteOffset: offset, as: UInt8.self))
        case .int32:
            bits = UInt64(
                UInt32(bitPattern: Int32(row.load(fromByteOffset: offset, as: Int64.self)))
                    ^ 1 << 31)
        case .int64:
            bits =
                (UInt64(bitPattern: row.load(fromByteOffset: offset, as: Int64.self)) ^ 1 << 63)
                >> 1
        case .double:
            let raw = canonicalBits(row.load(fromByteOffset: offset, as: Double.self))
            bits = (raw >> 63 == 0 ? raw ^ 1 << 63 : ~raw) >> 1
        case .int128:
            let value = row.loadUnaligned(fromByteOffset: offset, as: Int128.self)
            bits = (UInt64(truncatingIfNeeded: value >> 64) ^ 1 << 63) >> 1
        case .string, .list, .row:
            let view = row.load(fromByteOffset: offset, as: StringView.self)
            if case .char = key.field.type {
                bits = 0
            } else {
                bits = leadingBytes(view) >> 1
            }
        }
        if !key.direction.isAscending { bits = ~bits & (1 << 63 - 1) }
        return key.direction.nullsFirst ? bits | 1 << 63 : bits
    }

    /// Narrows rows of a chunk to those whose prefix is not above `limit`, by the vector of the first key.
    /// May let more pass. `output` has room for all of them.
    func select(
        _ vector: Vector, _ rows: ActiveRows, upTo limit: UInt64,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let key = keys.first, !key.field.isNested, vector.physical == key.field.physical
        else { return selectAll(rows, into: output) }
        switch key.field.physical {
        case .bool:
            let values = vector.pointer(as: UInt8.self)
            return select(vector, rows, limit, key, output) { UInt64(values[$0]) }
        case .int32:
            let values = vector.pointer(as: Int32.self)
            return select(vector, rows, limit, key, output) {
                UInt64(UInt32(bitPattern: values[$0]) ^ 1 << 31)
            }
        case .int64:
            let values = vector.pointer(as: Int64.self)
            return select(vector, rows, limit, key, output) {
                (UInt64(bitPattern: values[$0]) ^ 1 << 63) >> 1
            }
        case .double:
            let values = vector.pointer(as: Double.self)
            return select(vector, rows, limit, key, output) {
                let raw = canonicalBits(values[$0])
                return (raw >> 63 == 0 ? raw ^ 1 << 63 : ~raw) >> 1
            }
        case .string:
            if case .char = key.field.type { return selectAll(rows, into: output) }
            let values = vector.pointer(as: StringView.self)
            return select(vector, rows, limit, key, output) { leadingBytes(values[$0]) >> 1 }
        case .int128, .list, .row: return selectAll(rows, into: output)
        }
    }

    private func selectAll(_ rows: ActiveRows, into output: UnsafeMutablePointer<UInt32>) -> Int {
        for index in 0..<rows.active { output[index] = UInt32(truncatingIfNeeded: rows.row(index)) }
        return rows.active
    }

    @inline(__always) private func select(
        _ vector: Vector, _ rows: ActiveRows, _ limit: UInt64, _ key: Key,
        _ output: UnsafeMutablePointer<UInt32>, _ bits: (Int) -> UInt64
    ) -> Int {
        let flip: UInt64 = key.direction.isAscending ? 0 : 1 << 63 - 1
        let marker: UInt64 = key.direction.nullsFirst ? 1 << 63 : 0
        let ofNull: UInt64 = key.direction.nullsFirst ? 0 : 1 << 63
        let hasNulls = vector.valid != nil
        var kept = 0
        for index in 0..<rows.active {
            let row = rows.row(index)
            output[kept] = UInt32(truncatingIfNeeded: row)
            if hasNulls && !vector.isValid(row) {
                kept &+= bit(ofNull <= limit)
            } else {
                kept &+= bit((bits(vector.valueIndex(row)) ^ flip) | marker <= limit)
            }
        }
        return kept
    }

    /// The first eight bytes as a big-endian number, zeros behind shorter texts.
    private func leadingBytes(_ view: StringView) -> UInt64 {
        if view.isInline {
            let first = view.low >> 32
            return (first | view.high << 32).byteSwapped
        }
        return UnsafeRawPointer(view.pointer).loadUnaligned(as: UInt64.self).byteSwapped
    }
}

/// The order over a layout whose payload holds all columns.
func makeRowOrder(
    _ keys: [SortKey], _ layout: Layout, _ rows: RowLayout
) throws(QueryFault) -> RowOrder {
    var resolved: [RowOrder.Key] = []
    for key in keys {
        let position = try layout.require(key.column)
        resolved.append(
            RowOrder.Key(
                field: rows.payload[position],
                direction: SortDirection(isAscending: key.isAscending, nullsFirst: key.nullsFirst)))
    }
    return RowOrder(resolved)
}
