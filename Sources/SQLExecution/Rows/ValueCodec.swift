import SQLFunctions
import Vectors

/// Nested values as bytes: how rows keep them, and how keys of nested types are compared.
///
/// Equal values give equal bytes as keys: zeros and NaNs are made one, zones dropped from comparison,
/// maps ordered by their keys' bytes.
///
///     value    [0] (in some keys [2]) for NULL, or [1] then fixed: its bytes | string: length u32, bytes
///              | list: count u32, values | map: count u32, key and value pairs | row: fields
enum ValueCodec {
    static func encode(
        _ type: LogicalType, _ vector: Vector, _ row: Int, forKeys role: KeyRole? = nil,
        to bytes: inout [UInt8]
    ) {
        guard vector.isValid(row) else {
            bytes.append(role?.null ?? 0)
            return
        }
        bytes.append(1)
        let index = vector.valueIndex(row)
        switch type.physical {
        case .bool: bytes.append(vector.pointer(as: UInt8.self)[index])
        case .int32: append(vector.pointer(as: Int32.self)[index], &bytes)
        case .int64: append(vector.pointer(as: Int64.self)[index], &bytes)
        case .double:
            let value = vector.pointer(as: Double.self)[index]
            append(role.map { canonicalBits(value, nan: $0.nan) } ?? value.bitPattern, &bytes)
        case .int128:
            let value = wideValue(vector, index)
            append(role == nil ? value : keyBits(type, value), &bytes)
        case .string:
            var view = vector.pointer(as: StringView.self)[index]
            if role != nil, case .char = type { view = trimmedView(view) }
            append(UInt32(view.count), &bytes)
            view.withBytes { bytes.append(contentsOf: $0) }
        case .list:
            let entry = vector.pointer(as: ListEntry.self)[index]
            append(entry.count, &bytes)
            guard let children = vector.children else { return }
            let start = Int(entry.offset)
            if case .map(let key, let value) = type {
                var pairs: [[UInt8]] = []
                for offset in 0..<Int(entry.count) {
                    var pair: [UInt8] = []
                    encode(key, children[0], start + offset, forKeys: role, to: &pair)
                    encode(value, children[1], start + offset, forKeys: role, to: &pair)
                    pairs.append(pair)
                }
                if role != nil { pairs.sort { $0.lexicographicallyPrecedes($1) } }
                for pair in pairs { bytes += pair }
            } else if case .array(let element) = type {
                for offset in 0..<Int(entry.count) {
                    encode(element, children[0], start + offset, forKeys: role, to: &bytes)
                }
            }
        case .row:
            guard let children = vector.children else { return }
            for (position, field) in type.children.enumerated() {
                encode(field, children[position], index, forKeys: role, to: &bytes)
            }
        }
    }

    /// Decodes one value into a row of a buffer; returns the bytes after it. Strings point into the
    /// bytes.
    static func decode(
        _ bytes: UnsafePointer<UInt8>, into buffer: ColumnBuffer, row: Int
    ) -> UnsafePointer<UInt8> {
        var at = bytes + 1
        guard bytes[0] != 0 else {
            buffer.setNull(row)
            return at
        }
        if buffer.hasNulls { ValidityBits.set(buffer.validBits, row) }
        switch buffer.physical {
        case .bool:
            buffer.store(at[0], row)
            at += 1
        case .int32: buffer.store(take(&at, Int32.self), row)
        case .int64, .double: buffer.store(take(&at, Int64.self), row)
        case .int128: buffer.store(take(&at, Int128.self), row)
        case .string:
            let count = Int(take(&at, UInt32.self))
            buffer.store(StringView(at, count: count), row)
            at += count
        case .list:
            let count = Int(take(&at, UInt32.self))
            let start = buffer.childBuffers[0].count
            for child in buffer.childBuffers {
                child.ensure(start + count)
                child.count = start + count
            }
            for offset in 0..<count {
                for child in buffer.childBuffers {
                    at = decode(at, into: child, row: start + offset)
                }
            }
            buffer.store(ListEntry(offset: UInt32(start), count: UInt32(count)), row)
        case .row:
            for child in buffer.childBuffers { at = decode(at, into: child, row: row) }
        }
        return at
    }

    private static func append<Value: BitwiseCopyable>(_ value: Value, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    @inline(__always) private static func take<Value: BitwiseCopyable>(
        _ at: inout UnsafePointer<UInt8>, _: Value.Type
    ) -> Value {
        let value = UnsafeRawPointer(at).loadUnaligned(as: Value.self)
        at += MemoryLayout<Value>.size
        return value
    }
}

/// What a packed key is for, which decides about values that do not equal themselves.
struct KeyRole: BitwiseCopyable {
    /// The bits of NaN.
    var nan: UInt64
    /// What stands for NULL within a nested value.
    var null: UInt8

    /// Groups, DISTINCT, IS NOT DISTINCT FROM: NaN is one value, and NULL within an array or a row.
    static let grouping = KeyRole(nan: Double.nan.bitPattern, null: 0)
    /// The sides of a join by equality: what equals nothing has other bits on either side, and so
    /// meets nothing without being looked for.
    static let build = KeyRole(nan: Double.nan.bitPattern | 1, null: 0)
    static let probe = KeyRole(nan: Double.nan.bitPattern | 2, null: 2)

    /// The same, but NULLs within nested values meet.
    var meetingNulls: KeyRole { KeyRole(nan: nan, null: 0) }
}

/// One bit pattern for each class of equal doubles.
@inline(__always) func canonicalBits(
    _ value: Double, nan: UInt64 = Double.nan.bitPattern
) -> UInt64 {
    value == 0 ? 0 : value.isNaN ? nan : value.bitPattern
}

/// A 128-bit value as keys compare it: without the zone.
@inline(__always) func keyBits(_ type: LogicalType, _ value: Int128) -> Int128 {
    switch type {
    case .timestampWithTimeZone: value & ~0xFFFF
    case .timeWithTimeZone: value & ~0xFFFF_FFFF | 1024
    default: value
    }
}

/// The view without trailing blanks.
func trimmedView(_ view: StringView) -> StringView {
    let kept = view.withBytes(trimmedCount)
    if kept == view.count { return view }
    if view.isInline || kept <= 12 {
        return view.withBytes { bytes in
            bytes.baseAddress.map { StringView($0, count: kept) } ?? .empty
        }
    }
    return StringView(view.pointer, count: kept)
}
