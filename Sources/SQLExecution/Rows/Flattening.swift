import Vectors

/// Lays the active rows of a vector out densely and flat, in `buffer`; nothing is copied when they
/// already lie so. The result's row `i` is the `i`th active row.
func flatten(_ vector: Vector, _ rows: ActiveRows, into buffer: ColumnBuffer) -> Vector {
    if rows.selection == nil, vector.form == .flat {
        if vector.physical != .row { return vector }
        if vector.physical == buffer.physical { return flattenRow(vector, rows, into: buffer) }
    }
    let count = rows.active
    buffer.ensure(count)
    switch vector.physical {
    case .bool: gather(vector, rows, buffer.pointer(as: UInt8.self))
    case .int32: gather(vector, rows, buffer.pointer(as: Int32.self))
    case .int64, .double: gather(vector, rows, buffer.pointer(as: Int64.self))
    case .int128: gather(vector, rows, buffer.pointer(as: Int128.self))
    case .string: gather(vector, rows, buffer.pointer(as: StringView.self))
    case .list: gather(vector, rows, buffer.pointer(as: ListEntry.self))
    case .row: return flattenRow(vector, rows, into: buffer)
    }
    var result = Vector(physical: vector.physical, values: buffer.values, isStable: vector.isStable)
    result.children = vector.children
    result.entryCount = vector.physical == .list ? vector.entryCount : 0
    result.valid = gatherValidity(vector, rows, into: buffer.validBits)
    return result
}

/// Rows have no values of their own: each field is laid out.
private func flattenRow(_ vector: Vector, _ rows: ActiveRows, into buffer: ColumnBuffer) -> Vector {
    let count = rows.active
    buffer.ensure(count)
    guard let inner = vector.children, let children = buffer.children else { return vector }
    var fieldRows = rows
    let scratch = UnsafeMutablePointer<UInt32>.allocate(capacity: max(count, 1))
    defer { scratch.deallocate() }
    if vector.form != .flat {
        for index in 0..<count { scratch[index] = UInt32(vector.valueIndex(rows.row(index))) }
        fieldRows = ActiveRows(count: rows.count, selection: scratch, active: count)
    }
    for (position, child) in buffer.childBuffers.enumerated() {
        children[position] = flatten(inner[position], fieldRows, into: child)
    }
    var result = Vector(physical: .row, values: buffer.values)
    result.children = children
    result.valid = gatherValidity(vector, rows, into: buffer.validBits)
    return result
}

@inline(__always) private func gather<Value: BitwiseCopyable>(
    _ vector: Vector, _ rows: ActiveRows, _ output: UnsafeMutablePointer<Value>
) {
    let values = vector.pointer(as: Value.self)
    let count = rows.active
    switch vector.form {
    case .flat:
        if let selection = rows.selection {
            for index in 0..<count { output[index] = values[Int(selection[index])] }
        } else {
            output.update(from: values, count: count)
        }
    case .constant: output.update(repeating: values[0], count: count)
    case .dictionary:
        let codes = vector.codes.unsafelyUnwrapped
        if let selection = rows.selection {
            for index in 0..<count { output[index] = values[Int(codes[Int(selection[index])])] }
        } else {
            for index in 0..<count { output[index] = values[Int(codes[index])] }
        }
    }
}

/// The validity of the active rows, densely; nil when none is NULL.
func gatherValidity(
    _ vector: Vector, _ rows: ActiveRows, into bits: UnsafeMutablePointer<UInt64>
) -> UnsafeMutablePointer<UInt64>? {
    guard let valid = vector.valid else { return nil }
    let count = rows.active
    if vector.form == .constant {
        if valid[0] & 1 != 0 { return nil }
        ValidityBits.fill(bits, rowCount: count, valid: false)
        return bits
    }
    guard let selection = rows.selection else {
        if vector.form == .flat, bits == valid { return bits }
        bits.update(from: valid, count: ValidityBits.wordCount(count))
        return bits
    }
    var all: UInt64 = ~0
    var index = 0
    var word = 0
    while index < count {
        let end = min(index + 64, count)
        var packed: UInt64 = 0
        var position: UInt64 = 0
        while index < end {
            let row = Int(selection[index])
            packed |= (valid[row &>> 6] &>> UInt64(row & 63) & 1) &<< position
            position &+= 1
            index &+= 1
        }
        if position < 64 { packed |= ~0 &<< position }
        all &= packed
        bits[word] = packed
        word &+= 1
    }
    return all == ~0 ? nil : bits
}

/// Widens 64-bit decimals to the 128 bits that the type is laid out in; others are left alone.
func widened(_ vector: Vector, to type: LogicalType, rowCount: Int, into buffer: ColumnBuffer)
    -> Vector
{
    guard vector.physical == .int64, type.physical == .int128 else { return vector }
    let count = vector.form == .constant ? 1 : rowCount
    buffer.ensure(count)
    let source = vector.pointer(as: Int64.self)
    let target = buffer.pointer(as: Int128.self)
    // From the end, since the buffer may be where the narrow values lie.
    for row in stride(from: count - 1, through: 0, by: -1) { target[row] = Int128(source[row]) }
    var result = vector
    result.physical = .int128
    result.values = buffer.values
    return result
}
