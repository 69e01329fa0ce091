import Vectors

/// Order and equality of values of any type, whatever the form of the vectors.
enum ValueOrder {
    /// Negative, zero or positive; NaN is the largest and equal to itself. Both are not NULL; NULLs
    /// inside come last.
    static func compare(
        _ type: LogicalType, _ left: Vector, _ leftRow: Int, _ right: Vector, _ rightRow: Int
    ) -> Int {
        let i = left.valueIndex(leftRow)
        let j = right.valueIndex(rightRow)
        switch type.physical {
        case .bool: return order(left.pointer(as: UInt8.self)[i], right.pointer(as: UInt8.self)[j])
        case .int32: return order(left.pointer(as: Int32.self)[i], right.pointer(as: Int32.self)[j])
        case .int64: return order(left.pointer(as: Int64.self)[i], right.pointer(as: Int64.self)[j])
        case .double:
            let x = left.pointer(as: Double.self)[i]
            let y = right.pointer(as: Double.self)[j]
            if x < y { return -1 }
            if x > y { return 1 }
            if x == y { return 0 }
            return x.isNaN ? (y.isNaN ? 0 : 1) : -1
        case .int128:
            let x = wide(left, i)
            let y = wide(right, j)
            switch type {
            case .timestampWithTimeZone: return order(x >> 16, y >> 16)
            case .timeWithTimeZone: return order(x >> 64, y >> 64)
            default: return order(x, y)
            }
        case .string:
            let x = left.pointer(as: StringView.self)[i]
            let y = right.pointer(as: StringView.self)[j]
            if case .char = type { return compareChar(x, y) }
            return StringView.compare(x, y)
        case .list:
            guard let x = left.children, let y = right.children else { return 0 }
            let a = left.pointer(as: ListEntry.self)[i]
            let b = right.pointer(as: ListEntry.self)[j]
            switch type {
            case .array(let element):
                for offset in 0..<Int(min(a.count, b.count)) {
                    let result = compareNullable(
                        element, x[0], Int(a.offset) + offset, y[0], Int(b.offset) + offset)
                    if result != 0 { return result }
                }
                return order(a.count, b.count)
            case .map(let key, let value): return compareMaps(key, value, (x, a), (y, b))
            default: return 0
            }
        case .row:
            guard let x = left.children, let y = right.children else { return 0 }
            for (index, field) in type.children.enumerated() {
                let result = compareNullable(field, x[index], i, y[index], j)
                if result != 0 { return result }
            }
            return 0
        }
    }

    /// The same where either may be NULL, which comes last.
    static func compareNullable(
        _ type: LogicalType, _ left: Vector, _ leftRow: Int, _ right: Vector, _ rightRow: Int
    ) -> Int {
        switch (left.isValid(leftRow), right.isValid(rightRow)) {
        case (true, true): compare(type, left, leftRow, right, rightRow)
        case (true, false): -1
        case (false, true): 1
        case (false, false): 0
        }
    }

    /// A 128-bit value that may have been left in 64 bits.
    @inline(__always) static func wide(_ vector: Vector, _ index: Int) -> Int128 {
        vector.physical == .int64
            ? Int128(vector.pointer(as: Int64.self)[index]) : vector.pointer(as: Int128.self)[index]
    }

    @inline(__always) private static func order<Value: Comparable>(
        _ left: Value, _ right: Value
    ) -> Int { left < right ? -1 : left > right ? 1 : 0 }

    /// Maps are equal when they hold the same pairs; only zero or not means something.
    private static func compareMaps(
        _ key: LogicalType, _ value: LogicalType,
        _ left: (UnsafeMutablePointer<Vector>, ListEntry),
        _ right: (UnsafeMutablePointer<Vector>, ListEntry)
    ) -> Int {
        if left.1.count != right.1.count { return order(left.1.count, right.1.count) }
        for offset in 0..<Int(left.1.count) {
            let row = Int(left.1.offset) + offset
            let same = (0..<Int(right.1.count)).first {
                compareNullable(key, left.0[0], row, right.0[0], Int(right.1.offset) + $0) == 0
            }
            guard let same,
                compareNullable(value, left.0[1], row, right.0[1], Int(right.1.offset) + same) == 0
            else { return 1 }
        }
        return 0
    }

    /// `char(n)` ignores trailing blanks.
    private static func compareChar(_ left: StringView, _ right: StringView) -> Int {
        func trimmed(_ bytes: Text) -> Text {
            var count = bytes.count
            while count > 0, bytes[count - 1] == 0x20 { count -= 1 }
            return bytes.slice(0, count)
        }
        return left.withBytes { x in right.withBytes { y in compareBytes(trimmed(x), trimmed(y)) } }
    }
}
