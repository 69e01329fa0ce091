import Avro
import Bytes

/// A value of a primitive type.
package enum Literal: Sendable, Hashable {
    case boolean(Bool)
    case int(Int32)
    case long(Int64)
    case float(Float)
    case double(Double)
    /// Days since 1970-01-01.
    case date(Int32)
    /// Microseconds of the day.
    case time(Int64)
    /// Microseconds since 1970-01-01, without or in UTC.
    case timestamp(Int64)
    case timestamptz(Int64)
    /// Nanoseconds since 1970-01-01, without or in UTC.
    case timestampNanos(Int64)
    case timestamptzNanos(Int64)
    case string(String)
    /// 16 bytes, big-endian.
    case uuid([UInt8])
    case fixed([UInt8])
    case binary([UInt8])
    case decimal(unscaled: Int128, scale: Int)

    /// Whether it is a float that is no number.
    package var isNaN: Bool {
        switch self {
        case .float(let value): value.isNaN
        case .double(let value): value.isNaN
        default: false
        }
    }

    /// -1, 0 or 1 as values of one kind order; nil for kinds that do not compare.
    ///
    /// Integers compare across widths, floats too: bounds of files written before a promotion are
    /// narrower. Strings compare by UTF-8 bytes. -0 comes before +0; NaN compares with nothing.
    package func order(to other: Literal) -> Int? {
        switch (self, other) {
        case (.boolean(let a), .boolean(let b)): return compare(a ? 1 : 0, b ? 1 : 0)
        case (.string(let a), .string(let b)): return compareBytes(a.utf8, b.utf8)
        case (.uuid(let a), .uuid(let b)), (.fixed(let a), .fixed(let b)),
            (.binary(let a), .binary(let b)), (.fixed(let a), .binary(let b)),
            (.binary(let a), .fixed(let b)):
            return compareBytes(a, b)
        case (.decimal(let a, let scaleA), .decimal(let b, let scaleB)) where scaleA == scaleB:
            return compare(a, b)
        case (.date(let a), .date(let b)): return compare(a, b)
        case (.time(let a), .time(let b)), (.timestamp(let a), .timestamp(let b)),
            (.timestamptz(let a), .timestamptz(let b)),
            (.timestampNanos(let a), .timestampNanos(let b)),
            (.timestamptzNanos(let a), .timestamptzNanos(let b)):
            return compare(a, b)
        default:
            if let a = integer, let b = other.integer { return compare(a, b) }
            if let a = floating, let b = other.floating {
                if a.isNaN || b.isNaN { return nil }
                if a == 0, b == 0 {
                    return compare(a.sign == .minus ? 0 : 1, b.sign == .minus ? 0 : 1)
                }
                return compare(a, b)
            }
            return nil
        }
    }

    /// The value of an int or long.
    package var integer: Int64? {
        switch self {
        case .int(let value): Int64(value)
        case .long(let value): value
        default: nil
        }
    }

    private var floating: Double? {
        switch self {
        case .float(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

private func compare<Value: Comparable>(_ a: Value, _ b: Value) -> Int {
    a < b ? -1 : a == b ? 0 : 1
}

private func compareBytes(_ a: some Sequence<UInt8>, _ b: some Sequence<UInt8>) -> Int {
    if a.lexicographicallyPrecedes(b) { return -1 }
    return b.lexicographicallyPrecedes(a) ? 1 : 0
}

extension Literal {
    /// The value as bounds and partition summaries hold it. Source: appendix D, "Binary".
    package var singleValueBytes: [UInt8] {
        var buffer = ByteBuffer()
        switch self {
        case .boolean(let value): buffer.append(value ? 1 : 0)
        case .int(let value), .date(let value): buffer.appendInt32LE(value)
        case .long(let value), .time(let value), .timestamp(let value), .timestamptz(let value),
            .timestampNanos(let value), .timestamptzNanos(let value):
            buffer.appendInt64LE(value)
        case .float(let value): buffer.appendFloatLE(value)
        case .double(let value): buffer.appendDoubleLE(value)
        case .string(let value): buffer.append(value)
        case .uuid(let value), .fixed(let value), .binary(let value): buffer.append(value)
        case .decimal(let unscaled, _): buffer.append(decimalBytes(unscaled))
        }
        return buffer.bytes
    }

    /// Reads a bound. Narrower bounds of a promoted column are widened; nil when the bytes do not fit.
    package init?(singleValueBytes bytes: [UInt8], type: PrimitiveType) {
        var reader = ByteReader(bytes)
        do throws(BytesError) {
            switch type {
            case .boolean: self = .boolean(try reader.readUInt8() != 0)
            case .int: self = .int(try reader.readInt32LE())
            case .date: self = .date(try reader.readInt32LE())
            case .long:
                self = .long(
                    bytes.count == 4 ? Int64(try reader.readInt32LE()) : try reader.readInt64LE())
            case .time: self = .time(try reader.readInt64LE())
            case .timestamp: self = .timestamp(try reader.readInt64LE())
            case .timestamptz: self = .timestamptz(try reader.readInt64LE())
            case .timestampNanos: self = .timestampNanos(try reader.readInt64LE())
            case .timestamptzNanos: self = .timestamptzNanos(try reader.readInt64LE())
            case .float: self = .float(try reader.readFloatLE())
            case .double:
                self = .double(
                    bytes.count == 4 ? Double(try reader.readFloatLE()) : try reader.readDoubleLE())
            // A truncated bound may end within a character: what is whole of it is still a bound
            // from below, and from above the writer increased the last character.
            case .string:
                guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
                self = .string(text)
                return
            case .uuid:
                guard bytes.count == 16 else { return nil }
                self = .uuid(bytes)
                return
            case .fixed:
                self = .fixed(bytes)
                return
            case .binary:
                self = .binary(bytes)
                return
            case .decimal(_, let scale):
                guard !bytes.isEmpty, let unscaled = decimalUnscaled(bytes) else { return nil }
                self = .decimal(unscaled: unscaled, scale: scale)
                return
            case .unknown, .variant, .geometry, .geography: return nil
            }
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}
