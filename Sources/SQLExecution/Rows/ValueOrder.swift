import Vectors

/// The order of two doubles as sorting and comparison of keys want it: NaN is equal to itself and
/// the largest, zeros are equal.
@inline(__always) func orderDoubles(_ left: Double, _ right: Double) -> Int {
    if left < right { return -1 }
    if left > right { return 1 }
    if left == right { return 0 }
    return bit(left.isNaN) - bit(right.isNaN)
}

@inline(__always) func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
    left < right ? -1 : left > right ? 1 : 0
}

/// A timestamp or time with zone without its zone: what is compared.
@inline(__always) func instant(ofTimestamp packed: Int128) -> Int128 { packed >> 16 }
@inline(__always) func instant(ofTime packed: Int128) -> Int128 { packed >> 64 }

/// Compares two non-NULL values of one type, whatever the form of the vectors. For cold code and
/// nested values; NULL elements come last and equal each other.
func compareValues(
    _ type: LogicalType, _ left: Vector, _ leftRow: Int, _ right: Vector, _ rightRow: Int
) -> Int {
    let i = left.valueIndex(leftRow)
    let j = right.valueIndex(rightRow)
    switch type.physical {
    case .bool: return order(left.pointer(as: UInt8.self)[i], right.pointer(as: UInt8.self)[j])
    case .int32: return order(left.pointer(as: Int32.self)[i], right.pointer(as: Int32.self)[j])
    case .int64: return order(left.pointer(as: Int64.self)[i], right.pointer(as: Int64.self)[j])
    case .double:
        return orderDoubles(left.pointer(as: Double.self)[i], right.pointer(as: Double.self)[j])
    case .int128:
        let a = wideValue(left, i)
        let b = wideValue(right, j)
        switch type {
        case .timestampWithTimeZone: return order(instant(ofTimestamp: a), instant(ofTimestamp: b))
        case .timeWithTimeZone: return order(instant(ofTime: a), instant(ofTime: b))
        default: return order(a, b)
        }
    case .string:
        let a = left.pointer(as: StringView.self)[i]
        let b = right.pointer(as: StringView.self)[j]
        if case .char = type { return compareChar(a, b) }
        return StringView.compare(a, b)
    case .list:
        let a = left.pointer(as: ListEntry.self)[i]
        let b = right.pointer(as: ListEntry.self)[j]
        guard let x = left.children, let y = right.children else { return 0 }
        if case .map(let key, let value) = type {
            return compareMaps(key, value, (x, a), (y, b))
        }
        guard case .array(let element) = type else { return 0 }
        for offset in 0..<Int(min(a.count, b.count)) {
            let result = compareNullable(
                element, x[0], Int(a.offset) + offset, y[0], Int(b.offset) + offset)
            if result != 0 { return result }
        }
        return order(a.count, b.count)
    case .row:
        guard let x = left.children, let y = right.children, case .row(let fields) = type else {
            return 0
        }
        for (index, field) in fields.enumerated() {
            let result = compareNullable(field.type, x[index], i, y[index], j)
            if result != 0 { return result }
        }
        return 0
    }
}

/// Reads a 128-bit value that may have been left in 64 bits.
@inline(__always) func wideValue(_ vector: Vector, _ index: Int) -> Int128 {
    vector.physical == .int64
        ? Int128(vector.pointer(as: Int64.self)[index]) : vector.pointer(as: Int128.self)[index]
}

/// The same where either may be NULL.
func compareNullable(
    _ type: LogicalType, _ left: Vector, _ leftRow: Int, _ right: Vector, _ rightRow: Int
) -> Int {
    let a = left.isValid(leftRow)
    let b = right.isValid(rightRow)
    if a && b { return compareValues(type, left, leftRow, right, rightRow) }
    return a ? -1 : b ? 1 : 0
}

/// Maps are equal when they hold the same pairs in any order; only zero or not means something.
private func compareMaps(
    _ key: LogicalType, _ value: LogicalType, _ left: (UnsafeMutablePointer<Vector>, ListEntry),
    _ right: (UnsafeMutablePointer<Vector>, ListEntry)
) -> Int {
    if left.1.count != right.1.count { return order(left.1.count, right.1.count) }
    for offset in 0..<Int(left.1.count) {
        let row = Int(left.1.offset) + offset
        var found = false
        for other in 0..<Int(right.1.count) {
            let candidate = Int(right.1.offset) + other
            guard compareNullable(key, left.0[0], row, right.0[0], candidate) == 0 else { continue }
            found = compareNullable(value, left.0[1], row, right.0[1], candidate) == 0
            break
        }
        if !found { return 1 }
    }
    return 0
}

/// Compares without trailing blanks, which `char(n)` ignores.
func compareChar(_ left: StringView, _ right: StringView) -> Int {
    left.withBytes { x in
        right.withBytes { y in
            compareBytes(
                UnsafeBufferPointer(rebasing: x[..<trimmedCount(x)]),
                UnsafeBufferPointer(rebasing: y[..<trimmedCount(y)]))
        }
    }
}

/// Bytes without trailing blanks.
func trimmedCount(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var count = bytes.count
    while count > 0, bytes[count - 1] == 0x20 { count -= 1 }
    return count
}

/// Three-valued equality of nested values: nil when a NULL inside leaves it open.
func equalValues(
    _ type: LogicalType, _ left: Vector, _ leftRow: Int, _ right: Vector, _ rightRow: Int
) -> Bool? {
    guard left.isValid(leftRow), right.isValid(rightRow) else { return nil }
    let i = left.valueIndex(leftRow)
    let j = right.valueIndex(rightRow)
    switch type {
    case .double, .real:
        return left.pointer(as: Double.self)[i] == right.pointer(as: Double.self)[j]
    case .array(let element):
        let a = left.pointer(as: ListEntry.self)[i]
        let b = right.pointer(as: ListEntry.self)[j]
        guard a.count == b.count, let x = left.children, let y = right.children else {
            return false
        }
        var isOpen = false
        for offset in 0..<Int(a.count) {
            switch equalValues(element, x[0], Int(a.offset) + offset, y[0], Int(b.offset) + offset)
            {
            case false?: return false
            case nil: isOpen = true
            case true?: break
            }
        }
        return isOpen ? nil : true
    case .row(let fields):
        guard let x = left.children, let y = right.children else { return false }
        var isOpen = false
        for (index, field) in fields.enumerated() {
            switch equalValues(field.type, x[index], i, y[index], j) {
            case false?: return false
            case nil: isOpen = true
            case true?: break
            }
        }
        return isOpen ? nil : true
    default: return compareValues(type, left, leftRow, right, rightRow) == 0
    }
}
