import CivilTime
import Vectors

/// Reads the usual forms of values, and leaves the unusual ones to `TextValue`. The bytes have slack:
/// 16 may be loaded at each of them.
enum FastText {
    private static let powers: [UInt64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
        10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000,
        100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
        100_000_000_000_000_000, 1_000_000_000_000_000_000,
    ]

    /// Ten to the power of 0 to 18.
    static func powerOfTen(_ exponent: Int) -> UInt64 { powers[exponent] }

    /// An optional sign and digits.
    @inline(__always)
    static func bigint(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        let isNegative = start[0] == 0x2D
        let first = isNegative ? 1 : 0
        let digits = count &- first
        guard digits > 0, digits <= 18 else { return slowBigint(start, count) }
        var value: Int64 = 0
        for at in first..<count {
            let digit = start[at] &- 0x30
            if digit > 9 { return slowBigint(start, count) }
            value = value &* 10 &+ Int64(digit)
        }
        return isNegative ? 0 &- value : value
    }

    @inline(never)
    private static func slowBigint(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        TextValue.bigint(UnsafeBufferPointer(start: start, count: count))
    }

    /// The number times ten to the power of `scale`, where it has 64 bits; nil for what is none.
    @inline(__always)
    static func decimal(_ start: UnsafePointer<UInt8>, _ count: Int, scale: Int) -> Int64? {
        let isNegative = start[0] == 0x2D
        var at = isNegative ? 1 : 0
        guard count &- at <= 18, count > at else { return slowDecimal(start, count, scale) }
        var value: Int64 = 0
        while at < count {
            let digit = start[at] &- 0x30
            if digit > 9 { break }
            value = value &* 10 &+ Int64(digit)
            at &+= 1
        }
        var fraction = 0
        if at < count {
            // A point with digits on both sides.
            guard start[at] == 0x2E, at > (isNegative ? 1 : 0), at &+ 1 < count else {
                return slowDecimal(start, count, scale)
            }
            at &+= 1
            fraction = count &- at
            while at < count {
                let digit = start[at] &- 0x30
                if digit > 9 { return slowDecimal(start, count, scale) }
                value = value &* 10 &+ Int64(digit)
                at &+= 1
            }
        }
        if fraction != scale {
            guard fraction < scale, scale &- fraction <= 18 else {
                return slowDecimal(start, count, scale)
            }
            let factor = Int64(truncatingIfNeeded: powers[scale &- fraction])
            let (product, overflow) = value.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            value = product
        }
        return isNegative ? 0 &- value : value
    }

    @inline(never)
    private static func slowDecimal(
        _ start: UnsafePointer<UInt8>, _ count: Int, _ scale: Int
    ) -> Int64? {
        TextValue.decimal(UnsafeBufferPointer(start: start, count: count), scale: scale)
            .flatMap { Int64(exactly: $0) }
    }

    // MARK: Dates

    /// A date as `CivilParse` reads it; `1996-03-13` at once.
    @inline(__always)
    static func date(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32? {
        if count == 10, let day = isoDate(start) { return day }
        return CivilParse.date(UnsafeBufferPointer(start: start, count: count))
    }

    /// Days since 1970 of `YYYY-MM-DD`; nil for other forms, days that are none, and years before 1.
    @inline(__always)
    static func isoDate(_ start: UnsafePointer<UInt8>) -> Int32? {
        let raw = UnsafeRawPointer(start)
        let head = raw.loadUnaligned(as: UInt64.self).littleEndian  // YYYY-MM-
        let tail = raw.loadUnaligned(fromByteOffset: 8, as: UInt16.self).littleEndian  // DD
        // Subtracting '0' or '-' leaves 0...9 or 0 in each byte.
        let digits = head &- 0x2D30_302D_3030_3030
        let days = tail &- 0x3030
        guard
            (digits | (digits &+ 0x7F76_767F_7676_7676)) & 0x8080_8080_8080_8080 == 0,
            (days | (days &+ 0x7676)) & 0x8080 == 0
        else { return nil }
        func digit(_ place: UInt64) -> Int32 {
            Int32(truncatingIfNeeded: digits &>> (place &* 8) & 0xF)
        }
        let year = digit(0) &* 1000 &+ digit(1) &* 100 &+ digit(2) &* 10 &+ digit(3)
        let month = digit(5) &* 10 &+ digit(6)
        let day = Int32(days & 0xF) &* 10 &+ Int32(days &>> 8)
        guard year > 0, month >= 1, month <= 12, day >= 1, day <= 31 else { return nil }
        if day > 28 {
            let isLeap = year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
            let last: Int32 =
                month == 2 ? (isLeap ? 29 : 28) : 30 &+ ((month &+ (month &>> 3)) & 1)
            if day > last { return nil }
        }
        // Years that begin in March: the leap day is their last. 719,468 days lie before 1970.
        let shifted = month > 2 ? year : year &- 1
        let era = shifted / 400
        let ofEra = shifted &- era &* 400
        let ofYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        return era &* 146_097 &+ ofEra &* 365 &+ ofEra / 4 &- ofEra / 100 &+ ofYear &- 719_468
    }

    // MARK: Texts

    /// A view of bytes, of which 12 may be loaded whatever their count.
    @inline(__always)
    static func view(_ start: UnsafePointer<UInt8>, _ count: Int) -> StringView {
        let raw = UnsafeRawPointer(start)
        let head = raw.loadUnaligned(as: UInt32.self).littleEndian
        if count > 12 {
            return StringView(
                low: UInt64(truncatingIfNeeded: count) | UInt64(head) &<< 32,
                high: UInt64(UInt(bitPattern: start)))
        }
        let rest = raw.loadUnaligned(fromByteOffset: 4, as: UInt64.self).littleEndian
        let inHead = min(count, 4)
        let inRest = count &- inHead
        // Shifts by the whole width give 0 with `>>`.
        let headMask = ~UInt64(0) >> UInt64(64 &- 8 &* inHead)
        let restMask = ~UInt64(0) >> UInt64(64 &- 8 &* inRest)
        return StringView(
            low: UInt64(truncatingIfNeeded: count) | (UInt64(head) & headMask) &<< 32,
            high: rest & restMask)
    }

    /// Whether the bytes are UTF-8; at once where they are ASCII.
    @inline(__always)
    static func isUTF8(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let raw = UnsafeRawPointer(start)
        var (at, seen) = (0, UInt64(0))
        while at &+ 8 <= count {
            seen |= raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            at &+= 8
        }
        let rest = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
        seen = seen.littleEndian | rest & (~UInt64(0) >> UInt64(64 &- 8 &* (count &- at)))
        if seen & 0x8080_8080_8080_8080 == 0 { return true }
        return isUTF8Slow(start, count)
    }

    @inline(never)
    private static func isUTF8Slow(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        String(validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) != nil
    }
}
