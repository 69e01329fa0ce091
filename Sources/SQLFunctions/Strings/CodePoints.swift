/// Code points in UTF-8 bytes: positions in SQL strings count these.
enum CodePoints {
    /// How many code points there are.
    @inline(__always) static func count(_ text: Text) -> Int {
        var count = 0
        for byte in text { count &+= Int(unsafeBitCast(byte & 0xC0 != 0x80, to: UInt8.self)) }
        return count
    }

    /// The byte at which the code point `index` begins; the end when there are fewer.
    static func offset(_ text: Text, _ index: Int) -> Int { offset(text, index, from: 0) }

    /// The byte `index` code points behind byte `from`, which begins one.
    static func offset(_ text: Text, _ index: Int, from: Int) -> Int {
        var at = from
        var left = index
        while left > 0, at < text.count {
            at = next(text, at)
            left &-= 1
        }
        return at
    }

    /// The byte after the code point at `at`.
    @inline(__always) static func next(_ text: Text, _ at: Int) -> Int {
        var end = at &+ 1
        while end < text.count, text[end] & 0xC0 == 0x80 { end &+= 1 }
        return end
    }

    /// The byte where the code point before `at` begins.
    @inline(__always) static func previous(_ text: Text, _ at: Int) -> Int {
        var start = at &- 1
        while start > 0, text[start] & 0xC0 == 0x80 { start &-= 1 }
        return start
    }

    /// Whether every byte is ASCII.
    @inline(__always) static func isASCII(_ text: Text) -> Bool {
        var union: UInt8 = 0
        for byte in text { union |= byte }
        return union < 0x80
    }

    /// The code points as numbers; damaged UTF-8 gives U+FFFD.
    static func scalars(_ text: Text) -> [Unicode.Scalar] {
        Array(String(decoding: text, as: UTF8.self).unicodeScalars)
    }
}

extension UnsafeBufferPointer where Element == UInt8 {
    /// The bytes of a range that lies inside.
    @inline(__always) func slice(_ from: Int, _ to: Int) -> Text {
        Text(rebasing: self[from..<to])
    }

    /// The text as a string; damaged UTF-8 is repaired.
    var string: String { String(decoding: self, as: UTF8.self) }

    /// Where `needle` occurs at or after byte `from`.
    func find(_ needle: Text, from: Int = 0) -> Int? {
        if needle.isEmpty { return from <= count ? from : nil }
        guard let base = baseAddress, let wanted = needle.baseAddress else { return nil }
        let first = needle[0]
        var at = from
        let last = count - needle.count
        while at <= last {
            if base[at] == first, equalBytes(base + at, wanted, needle.count) { return at }
            at &+= 1
        }
        return nil
    }

    /// Whether the bytes begin with `prefix`.
    func hasPrefix(_ prefix: Text) -> Bool {
        guard prefix.count <= count else { return false }
        guard let base = baseAddress, let other = prefix.baseAddress else { return true }
        return equalBytes(base, other, prefix.count)
    }

    /// Whether the bytes end with `suffix`.
    func hasSuffix(_ suffix: Text) -> Bool {
        guard suffix.count <= count else { return false }
        guard let base = baseAddress, let other = suffix.baseAddress else { return true }
        return equalBytes(base + (count - suffix.count), other, suffix.count)
    }
}

@inline(__always) private func equalBytes(
    _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int
) -> Bool {
    for index in 0..<count where left[index] != right[index] { return false }
    return true
}
