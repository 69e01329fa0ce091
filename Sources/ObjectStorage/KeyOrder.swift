/// Keys are ordered and compared by their UTF-8 bytes. Swift's own comparison of strings takes
/// different spellings of one character for equal, which two keys are not.
package enum KeyOrder {
    /// Whether `left` comes before `right`.
    package static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// Whether two keys are the same.
    package static func areEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }

    /// Whether a key starts with a prefix.
    package static func hasPrefix(_ key: String, _ prefix: String) -> Bool {
        key.utf8.starts(with: prefix.utf8)
    }

    /// The least text that comes after every text with this prefix; nil when there is none.
    package static func successor(ofPrefix prefix: String) -> String? {
        var scalars = Array(prefix.unicodeScalars)
        // The order of UTF-8 bytes is the order of scalars, so the last one that can grow grows.
        while let last = scalars.popLast() {
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            if let scalar = Unicode.Scalar(next) {
                var text = String.UnicodeScalarView(scalars)
                text.append(scalar)
                return String(text)
            }
        }
        return nil
    }

    /// The part of `key` up to and with the first `delimiter` behind `prefix`; nil without one.
    package static func commonPrefix(of key: String, prefix: String, delimiter: String) -> String? {
        guard !delimiter.isEmpty else { return nil }
        let bytes = Array(key.utf8)
        let wanted = Array(delimiter.utf8)
        var at = prefix.utf8.count
        while at + wanted.count <= bytes.count {
            if bytes[at..<(at + wanted.count)].elementsEqual(wanted) {
                return String(decoding: bytes[..<(at + wanted.count)], as: UTF8.self)
            }
            at += 1
        }
        return nil
    }
}
