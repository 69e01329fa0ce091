import Vectors

/// The least and greatest of the values of a page or column chunk, in the engine's order.
struct BoundsTracker {
    private(set) var lower: ParquetValue?
    private(set) var upper: ParquetValue?
    var nullCount = 0
    var nanCount = 0
    var valueCount = 0

    /// Takes the least and greatest of some values into account, none of them NaN.
    mutating func widen(_ low: ParquetValue, _ high: ParquetValue) {
        guard let lower, let upper else {
            self.lower = low
            self.upper = high
            return
        }
        if let order = ParquetValue.compare(low, lower), order < 0 { self.lower = low }
        if let order = ParquetValue.compare(high, upper), order > 0 { self.upper = high }
    }

    /// The same of text or binary; copies only what becomes a new bound.
    mutating func widen(_ low: StringView, _ high: StringView) {
        guard case .bytes(let lowest)? = lower, case .bytes(let highest)? = upper else {
            lower = .bytes(low.withBytes { Array($0) })
            upper = .bytes(high.withBytes { Array($0) })
            return
        }
        low.withBytes { bytes in
            if lowest.withUnsafeBufferPointer({ compareBytes(bytes, $0) }) < 0 {
                lower = .bytes(Array(bytes))
            }
        }
        high.withBytes { bytes in
            if highest.withUnsafeBufferPointer({ compareBytes(bytes, $0) }) > 0 {
                upper = .bytes(Array(bytes))
            }
        }
    }

    mutating func merge(_ other: BoundsTracker) {
        nullCount += other.nullCount
        nanCount += other.nanCount
        valueCount += other.valueCount
        if let low = other.lower, let high = other.upper { widen(low, high) }
    }
}

/// Cuts bounds of text and binary, so that the cut ones still hold.
enum BoundCutting {
    /// A lower bound of at most `length` code points (text) or bytes.
    static func lower(_ bytes: [UInt8], length: Int, isText: Bool) -> [UInt8] {
        Array(bytes[..<cut(bytes, length, isText)])
    }

    /// An upper bound of at most that length; nil when there is none.
    static func upper(_ bytes: [UInt8], length: Int, isText: Bool) -> [UInt8]? {
        let end = cut(bytes, length, isText)
        if end == bytes.count { return bytes }
        var prefix = Array(bytes[..<end])
        if !isText {
            while let last = prefix.popLast() {
                if last < 0xFF {
                    prefix.append(last + 1)
                    return prefix
                }
            }
            return nil
        }
        // The last code point that has a successor goes up by one; those behind it are dropped.
        guard let text = String(validating: prefix, as: UTF8.self) else { return nil }
        var scalars = Array(text.unicodeScalars)
        while let last = scalars.popLast() {
            var next = last.value + 1
            if next == 0xD800 { next = 0xE000 }
            if let raised = Unicode.Scalar(next) {
                var result = String.UnicodeScalarView()
                result.append(contentsOf: scalars)
                result.append(raised)
                return Array(String(result).utf8)
            }
        }
        return nil
    }

    private static func cut(_ bytes: [UInt8], _ length: Int, _ isText: Bool) -> Int {
        if bytes.count <= length { return bytes.count }
        if !isText { return length }
        var points = 0
        for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if points == length { return index }
            points += 1
        }
        return bytes.count
    }
}
