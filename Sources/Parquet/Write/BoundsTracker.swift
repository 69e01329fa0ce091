import Vectors

/// The least and greatest of the values of a page or column chunk, in the engine's order.
struct BoundsTracker {
    private(set) var lower: ParquetValue?
    private(set) var upper: ParquetValue?
    var nullCount = 0
    var nanCount = 0
    var valueCount = 0

    /// Takes a value into account; NaNs are only counted.
    mutating func add(_ value: ParquetValue) {
        valueCount += 1
        if case .double(let number) = value, number.isNaN {
            nanCount += 1
            return
        }
        widen(value, value)
    }

    private mutating func widen(_ low: ParquetValue, _ high: ParquetValue) {
        guard let lower, let upper else {
            self.lower = low
            self.upper = high
            return
        }
        if let order = ParquetValue.compare(low, lower), order < 0 { self.lower = low }
        if let order = ParquetValue.compare(high, upper), order > 0 { self.upper = high }
    }

    /// Takes text or binary into account; copies it only when it is a new bound.
    mutating func addBytes(_ bytes: UnsafeBufferPointer<UInt8>) {
        valueCount += 1
        guard case .bytes(let low)? = lower, case .bytes(let high)? = upper else {
            let copy = ParquetValue.bytes(Array(bytes))
            widen(copy, copy)
            return
        }
        if low.withUnsafeBufferPointer({ compareBytes(bytes, $0) }) < 0 {
            lower = .bytes(Array(bytes))
        }
        if high.withUnsafeBufferPointer({ compareBytes(bytes, $0) }) > 0 {
            upper = .bytes(Array(bytes))
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
