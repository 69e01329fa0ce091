import CivilTime
package import Vectors

/// Reads values out of texts. Every function answers nil for what it cannot read; none traps.
package enum TextValue {
    /// `true`, `false`, `t`, `f`, `yes`, `no` without case.
    package static func boolean(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool? {
        guard bytes.count <= 5 else { return nil }
        // Letters in lower case, the first in the lowest byte; nothing else becomes a letter that way.
        var word: UInt64 = 0
        for (place, byte) in bytes.enumerated() {
            word |= UInt64(byte | 0x20) &<< UInt64(8 * place)
        }
        switch word {
        case 0x6575_7274, 0x74, 0x73_6579: return true
        case 0x65_736C_6166, 0x66, 0x6F6E: return false
        default: return nil
        }
    }

    /// An optional sign and digits.
    package static func bigint(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let wide = decimal(bytes, scale: 0) else { return nil }
        return Int64(exactly: wide)
    }

    /// The number times ten to the power of `scale`; digits beyond the scale must be zero.
    package static func decimal(_ bytes: UnsafeBufferPointer<UInt8>, scale: Int) -> Int128? {
        guard let first = bytes.first else { return nil }
        var at = first == 0x2D || first == 0x2B ? 1 : 0
        var value: Int128 = 0
        var digits = 0
        var fraction = -1
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 0x2E, fraction < 0 {
                fraction = 0
                continue
            }
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            digits += 1
            if fraction >= 0 {
                if fraction == scale {
                    if byte != 0x30 { return nil }
                    continue
                }
                fraction += 1
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int128(byte &- 0x30))
            if overflow || carry { return nil }
            value = sum
        }
        guard digits > 0 else { return nil }
        for _ in max(fraction, 0)..<max(scale, max(fraction, 0)) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return first == 0x2D ? -value : value
    }

    /// Microseconds since 1970 of a moment with an offset, such as `2026-11-21T10:30:00Z`; nil without one, and for
    /// zones with a name.
    package static func instant(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard bytes.count > 10, bytes.count <= 40, let parsed = CivilParse.timestamp(bytes),
            let minutes = parsed.zone?.fixedOffsetMinutes
        else { return nil }
        let (moment, overflow) = parsed.microseconds.subtractingReportingOverflow(
            Int64(minutes) * 60_000_000)
        return overflow ? nil : moment
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// A decimal or exponent number, `NaN`, `Infinity`; correctly rounded.
    package static func double(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let first = bytes.first, bytes.count <= 400 else { return nil }
        // Up to 15 digits and a small exponent are exact in one division or multiplication
        // (Clinger's fast path).
        var mantissa: UInt64 = 0
        var (digits, fraction) = (0, 0)
        var seenPoint = false
        var at = first == 0x2D || first == 0x2B ? 1 : 0
        while at < bytes.count, digits <= 15 {
            let byte = bytes[at]
            if byte >= 0x30, byte <= 0x39 {
                mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30)
                digits += 1
                if seenPoint { fraction += 1 }
            } else if byte == 0x2E, !seenPoint {
                seenPoint = true
            } else {
                break
            }
            at += 1
        }
        if at == bytes.count, digits > 0, digits <= 15 {
            let value = Double(mantissa) / powersOfTen[fraction]
            return first == 0x2D ? -value : value
        }
        guard bytes.allSatisfy({ $0 != 0x78 && $0 != 0x58 && $0 != 0x5F }) else { return nil }
        return Double(String(decoding: bytes, as: UTF8.self))
    }

    /// Puts a text into a column as the column's type; false when it is none.
    package static func store(
        _ bytes: UnsafeBufferPointer<UInt8>, into column: ColumnBuffer, row: Int, heap: Arena
    ) throws(MemoryLimitFault) -> Bool {
        switch column.type {
        case .boolean:
            guard let value = boolean(bytes) else { return false }
            column.set(row, value)
        case .tinyint, .smallint, .integer:
            guard let value = bigint(bytes), inRange(value, column.type) else { return false }
            column.set(row, Int32(truncatingIfNeeded: value))
        case .bigint:
            guard let value = bigint(bytes) else { return false }
            column.set(row, value)
        case .decimal(let precision, let scale):
            guard let value = decimal(bytes, scale: scale), fits(value, precision: precision) else {
                return false
            }
            if precision <= 18 {
                column.set(row, Int64(truncatingIfNeeded: value))
            } else {
                column.set(row, value)
            }
        case .double:
            guard let value = double(bytes) else { return false }
            column.set(row, value)
        case .real:
            guard let value = double(bytes) else { return false }
            column.set(row, Double(Float(value)))
        case .date:
            guard let value = CivilParse.date(bytes) else { return false }
            column.set(row, value)
        case .timestamp(let precision) where precision <= 6:
            guard let value = CivilParse.timestamp(bytes), value.zone == nil else { return false }
            column.set(row, value.microseconds)
        case .timestampWithTimeZone(let precision) where precision <= 6:
            guard let value = instant(bytes) else { return false }
            column.set(row, Int128(value) << 64)
        case .varchar, .json, .varbinary:
            guard let start = bytes.baseAddress else {
                column.set(row, StringView.empty)
                return true
            }
            column.set(row, try heap.copy(StringView(start, count: bytes.count)))
        default: return false
        }
        return true
    }

    private static func inRange(_ value: Int64, _ type: LogicalType) -> Bool {
        switch type {
        case .tinyint: Int8(exactly: value) != nil
        case .smallint: Int16(exactly: value) != nil
        default: Int32(exactly: value) != nil
        }
    }

    /// Whether the unscaled value has at most `precision` digits.
    package static func fits(_ value: Int128, precision: Int) -> Bool {
        if precision <= 18 {
            return value.magnitude < UInt128(FastText.powerOfTen(max(precision, 0)))
        }
        var limit: Int128 = 1
        for _ in 0..<min(precision, 38) { limit *= 10 }
        return value > -limit && value < limit
    }
}
