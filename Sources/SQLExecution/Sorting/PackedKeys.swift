import Vectors

/// The sort keys of many rows, packed into at most 128 bits a row that order as the keys do: most
/// rows are then told apart without a look at them.
///
///     [NULL bit, if a row has NULL] [value, from the least on, in as many bits as the greatest needs] …
///
/// Of texts, what all of them begin with is left out. Keys are packed until one does not fit whole;
/// rows whose bits are equal are then compared by all keys. The idea, not the code: DuckDB's blog,
/// "Fastest Table Sort in the West", on normalized keys.
struct PackedKeys: ~Copyable {
    /// A row's bits and which entry it is.
    struct Item: BitwiseCopyable {
        var high: UInt64
        var low: UInt64
        var index: UInt32

        /// Appends up to 64 bits.
        @inline(__always) mutating func append(_ bits: UInt64, width: Int) {
            if width == 64 {
                high = low
                low = bits
            } else {
                high = high &<< width | low >> (64 - width)
                low = low &<< width | bits
            }
        }
    }

    static let capacityBits = 128
    let items: UnsafeMutablePointer<Item>
    let count: Int
    private let rows: UnsafePointer<SortEntry>
    private(set) var usedBits = 0
    /// Whether equal bits mean equal keys.
    private(set) var isExact = true

    /// Packs as many keys as there is room for. The entries must stay where they are.
    init(_ entries: UnsafeBufferPointer<SortEntry>, _ order: RowOrder) {
        count = entries.count
        rows = entries.baseAddress.unsafelyUnwrapped
        items = .allocate(capacity: max(count, 1))
        for index in 0..<count {
            items[index] = Item(high: 0, low: 0, index: UInt32(truncatingIfNeeded: index))
        }
        for key in order.keys {
            isExact = pack(key)
            if !isExact { return }
        }
    }

    deinit { items.deallocate() }

    /// Packs one key; false when it is not packed as a whole.
    private mutating func pack(_ key: RowOrder.Key) -> Bool {
        if key.field.isNested { return false }
        let nulls = countNulls(key.field)
        if nulls == count { return true }
        let room = Self.capacityBits - usedBits - (nulls > 0 ? 1 : 0)
        if room < 1 { return false }
        let offset = key.field.offset
        switch key.field.physical {
        case .bool:
            return packNumbers(key, nulls, room) {
                UInt64($0.load(fromByteOffset: offset, as: UInt8.self))
            }
        case .int32, .int64:
            return packNumbers(key, nulls, room) {
                UInt64(bitPattern: $0.load(fromByteOffset: offset, as: Int64.self)) ^ 1 << 63
            }
        case .double:
            return packNumbers(key, nulls, room) {
                let raw = canonicalBits($0.load(fromByteOffset: offset, as: Double.self))
                return raw >> 63 == 0 ? raw ^ 1 << 63 : ~raw
            }
        case .int128:
            switch key.field.type {
            case .timestampWithTimeZone:
                return packWide(key, nulls, room) { instant(ofTimestamp: $0) }
            case .timeWithTimeZone: return packWide(key, nulls, room) { instant(ofTime: $0) }
            default: return packWide(key, nulls, room) { $0 }
            }
        case .string:
            if case .char = key.field.type { return false }
            return packTexts(key, nulls, room)
        case .list, .row: return false
        }
    }

    private func countNulls(_ field: RowLayout.Field) -> Int {
        let offset = field.nullOffset
        let bit = field.nullBit
        var found = 0
        for index in 0..<count {
            found &+=
                rows[index].row.load(fromByteOffset: offset, as: UInt64.self) & bit == 0 ? 0 : 1
        }
        return found
    }

    /// Appends the NULL bit, if there are NULLs, and the bits of the others, turned round when descending.
    @inline(__always) private mutating func append(
        _ key: RowOrder.Key, _ nulls: Int, width: Int,
        _ bits: (UnsafeMutableRawPointer) -> UInt64
    ) {
        let flip: UInt64 = key.direction.isAscending ? 0 : ~0 >> UInt64(64 - width)
        if nulls == 0 {
            usedBits += width
            for index in 0..<count {
                items[index].append(bits(rows[index].row) ^ flip, width: width)
            }
            return
        }
        usedBits += width + 1
        let ofNull: UInt64 = key.direction.nullsFirst ? 0 : 1
        for index in 0..<count {
            if isNull(key.field, rows[index].row) {
                items[index].append(ofNull, width: 1)
                items[index].append(0, width: width)
            } else {
                items[index].append(ofNull ^ 1, width: 1)
                items[index].append(bits(rows[index].row) ^ flip, width: width)
            }
        }
    }

    private mutating func packNumbers(
        _ key: RowOrder.Key, _ nulls: Int, _ room: Int,
        _ ordered: (UnsafeMutableRawPointer) -> UInt64
    ) -> Bool {
        var least = UInt64.max
        var greatest = UInt64.min
        for index in 0..<count where nulls == 0 || !isNull(key.field, rows[index].row) {
            let value = ordered(rows[index].row)
            least = min(least, value)
            greatest = max(greatest, value)
        }
        let width = 64 - (greatest &- least).leadingZeroBitCount
        if width > room { return false }
        if width == 0 && nulls == 0 { return true }
        append(key, nulls, width: max(width, 1)) { ordered($0) &- least }
        return true
    }

    private mutating func packWide(
        _ key: RowOrder.Key, _ nulls: Int, _ room: Int, _ ordered: (Int128) -> Int128
    ) -> Bool {
        let offset = key.field.offset
        func value(_ row: UnsafeMutableRawPointer) -> Int128 {
            ordered(row.loadUnaligned(fromByteOffset: offset, as: Int128.self))
        }
        var least = Int128.max
        var greatest = Int128.min
        for index in 0..<count where nulls == 0 || !isNull(key.field, rows[index].row) {
            let value = value(rows[index].row)
            least = min(least, value)
            greatest = max(greatest, value)
        }
        let span = greatest.subtractingReportingOverflow(least)
        if span.overflow || span.partialValue > Int128(UInt64.max) { return false }
        let width = 64 - UInt64(truncatingIfNeeded: span.partialValue).leadingZeroBitCount
        if width > room { return false }
        if width == 0 && nulls == 0 { return true }
        append(key, nulls, width: max(width, 1)) {
            UInt64(truncatingIfNeeded: value($0) &- least)
        }
        return true
    }

    private mutating func packTexts(_ key: RowOrder.Key, _ nulls: Int, _ room: Int) -> Bool {
        let field = key.field
        var common = 0
        var longest = 0
        var example: UnsafePointer<UInt8>?
        for index in 0..<count where nulls == 0 || !isNull(field, rows[index].row) {
            let text = Text(rows[index].row + field.offset)
            longest = max(longest, text.count)
            guard let first = example else {
                example = text.start
                common = text.count
                continue
            }
            common = min(common, text.count)
            var equal = 0
            while equal < common && first[equal] == text.start[equal] { equal &+= 1 }
            common = equal
        }
        let rest = longest - common
        if rest == 0 {
            if nulls > 0 { append(key, nulls, width: 1) { _ in 0 } }
            return true
        }
        // "a" and "a\0" have the same bytes when filled up with zeros: the length decides.
        let lengthBits = Int.bitWidth - rest.leadingZeroBitCount
        let isWhole = rest * 8 + lengthBits <= room
        var bytes = isWhole ? rest : room / 8
        if bytes == 0 { return false }
        var at = common
        var isFirst = true
        while bytes > 0 {
            let taken = min(bytes, 8)
            append(key, isFirst ? nulls : 0, width: taken * 8) { row in
                // Words behind the first have no NULL bit: NULL gives no bytes there either.
                if nulls > 0 && isNull(field, row) { return 0 }
                return Text(row + field.offset).word(at, byteCount: taken)
            }
            at += taken
            bytes -= taken
            isFirst = false
        }
        if isWhole {
            append(key, 0, width: lengthBits) { row in
                nulls > 0 && isNull(field, row)
                    ? 0 : UInt64(Text(row + field.offset).count - common)
            }
        }
        return isWhole
    }

    /// A text in a row: where its bytes are.
    private struct Text {
        let start: UnsafePointer<UInt8>
        let count: Int

        @inline(__always) init(_ at: UnsafeMutableRawPointer) {
            let view = at.load(as: StringView.self)
            count = view.count
            start =
                view.isInline
                ? UnsafePointer((at + 4).assumingMemoryBound(to: UInt8.self)) : view.pointer
        }

        /// Bytes from `offset` on as a big-endian number, zeros behind the end.
        @inline(__always) func word(_ offset: Int, byteCount: Int) -> UInt64 {
            let left = count &- offset
            if left >= 8 {
                let word = UnsafeRawPointer(start + offset).loadUnaligned(as: UInt64.self)
                return word.byteSwapped >> UInt64(64 &- byteCount &* 8)
            }
            var word: UInt64 = 0
            for index in 0..<byteCount {
                word = word &<< 8 | (index < left ? UInt64(start[offset &+ index]) : 0)
            }
            return word
        }
    }
}

extension PackedKeys {
    /// Sorts the items by their bits; equal ones keep their order.
    func sort() {
        if usedBits == 0 { return }
        if usedBits > 64 {
            var all = UnsafeMutableBufferPointer(start: items, count: count)
            all.sort {
                $0.high != $1.high ? $0.high < $1.high : $0.low < $1.low
            }
        } else {
            sortByDigits()
        }
    }

    /// From the last byte to the first, each stable: as many passes as the bits have bytes.
    private func sortByDigits() {
        let spare = UnsafeMutablePointer<Item>.allocate(capacity: count)
        defer { spare.deallocate() }
        var from = items
        var to = spare
        var starts = [Int](repeating: 0, count: 256)
        var shift = 0
        while shift < usedBits {
            for digit in 0..<256 { starts[digit] = 0 }
            starts.withUnsafeMutableBufferPointer { starts in
                for index in 0..<count {
                    starts[Int(truncatingIfNeeded: from[index].low >> UInt64(shift)) & 0xFF] &+= 1
                }
                var sum = 0
                for digit in 0..<256 {
                    let size = starts[digit]
                    starts[digit] = sum
                    sum &+= size
                }
                for index in 0..<count {
                    let item = from[index]
                    let digit = Int(truncatingIfNeeded: item.low >> UInt64(shift)) & 0xFF
                    to[starts[digit]] = item
                    starts[digit] &+= 1
                }
            }
            swap(&from, &to)
            shift += 8
        }
        if from != items { items.update(from: from, count: count) }
    }
}

/// Sorts entries in place; rows of equal keys keep their order.
func sortEntries(
    _ entries: inout [SortEntry], _ order: RowOrder, _ budget: MemoryBudget
) {
    let count = entries.count
    // Few are sorted before their keys are packed; more than memory has room for are compared in place.
    let bytes = count * (2 * MemoryLayout<PackedKeys.Item>.stride + MemoryLayout<SortEntry>.stride)
    guard count >= 128, count < Int(UInt32.max), budget.tryReserve(bytes) else {
        return entries.withUnsafeMutableBufferPointer { buffer in
            buffer.sort { order.precedes($0, $1) }
        }
    }
    defer { budget.release(bytes) }
    let sorted = entries.withUnsafeBufferPointer { buffer in
        let packed = PackedKeys(buffer, order)
        packed.sort()
        return [SortEntry](unsafeUninitializedCapacity: count) { output, written in
            for index in 0..<count { output[index] = buffer[Int(packed.items[index].index)] }
            written = count
            if !packed.isExact { sortTies(output, packed, order) }
        }
    }
    entries = sorted
}

/// Sorts each stretch of entries whose packed bits are equal by all keys.
private func sortTies(
    _ entries: UnsafeMutableBufferPointer<SortEntry>, _ packed: borrowing PackedKeys,
    _ order: RowOrder
) {
    var start = 0
    while start < packed.count {
        let item = packed.items[start]
        var end = start + 1
        while end < packed.count, packed.items[end].high == item.high,
            packed.items[end].low == item.low
        { end += 1 }
        if end - start > 1 {
            entries[start..<end].sort { order.compare($0.row, $1.row) < 0 }
        }
        start = end
    }
}
