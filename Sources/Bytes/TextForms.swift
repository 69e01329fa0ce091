/// Hex in lower case.
package func hexText(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes of a hex text in either case; nil when it is none.
package func hexBytes(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for at in stride(from: 0, to: digits.count, by: 2) {
        guard let high = hexDigit(digits[at]), let low = hexDigit(digits[at + 1]) else {
            return nil
        }
        bytes.append(high << 4 | low)
    }
    return bytes
}

/// The two alphabets of RFC 4648.
package enum Base64Alphabet: Sendable {
    /// `+` and `/`, padded.
    case standard
    /// `-` and `_`, unpadded: JWT, cursors, links.
    case url
}

/// Base64 of bytes, in one line.
package func base64Text(_ bytes: [UInt8], alphabet: Base64Alphabet = .standard) -> String {
    let letters = Array(
        (alphabet == .standard
            ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_").utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var at = 0
    while at < bytes.count {
        let left = bytes.count - at
        let b0 = bytes[at]
        let b1 = left > 1 ? bytes[at + 1] : 0
        let b2 = left > 2 ? bytes[at + 2] : 0
        text.append(letters[Int(b0 >> 2)])
        text.append(letters[Int((b0 & 3) << 4 | b1 >> 4)])
        if left > 1 { text.append(letters[Int((b1 & 15) << 2 | b2 >> 6)]) }
        if left > 2 { text.append(letters[Int(b2 & 63)]) }
        if alphabet == .standard, left < 3 {
            text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - left))
        }
        at += 3
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes of a base64 text; nil when it is none.
///
/// The standard alphabet wants its padding, the URL alphabet takes it or leaves it. Bits beyond the
/// last byte have to be zero, so that one value has one text.
package func base64Bytes(
    _ text: some StringProtocol, alphabet: Base64Alphabet = .standard
) -> [UInt8]? {
    var letters = Array(text.utf8)
    let padding = letters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return nil }
    if alphabet == .standard || padding > 0 {
        guard letters.count % 4 == 0 else { return nil }
    }
    letters.removeLast(padding)
    guard letters.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(letters.count * 3 / 4)
    var bits: UInt32 = 0
    var bitCount = 0
    for letter in letters {
        guard let value = base64Value(letter, alphabet) else { return nil }
        bits = bits << 6 | UInt32(value)
        bitCount += 6
        if bitCount >= 8 {
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            bits &= (1 << UInt32(bitCount)) - 1
        }
    }
    return bits == 0 ? bytes : nil
}

/// Percent-encodes all but RFC 3986's unreserved characters and `allowed`.
package func percentEncoded(_ text: String, allowed: String = "") -> String {
    let extra = Array(allowed.utf8)
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            encoded.append(byte)
        case _ where extra.contains(byte):
            encoded.append(byte)
        default:
            encoded.append(UInt8(ascii: "%"))
            encoded.append(digits[Int(byte >> 4)])
            encoded.append(digits[Int(byte & 15)])
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}

/// Undoes percent-encoding; nil for a broken escape or a result that is not UTF-8.
///
/// With `plusIsSpace`, `+` is a blank, as in HTML forms.
package func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.utf8.count)
    var letters = text.utf8.makeIterator()
    while let letter = letters.next() {
        if letter == UInt8(ascii: "%") {
            guard let first = letters.next(), let second = letters.next(),
                let high = hexDigit(first), let low = hexDigit(second)
            else { return nil }
            decoded.append(high << 4 | low)
        } else if plusIsSpace, letter == UInt8(ascii: "+") {
            decoded.append(0x20)
        } else {
            decoded.append(letter)
        }
    }
    return String(validating: decoded, as: UTF8.self)
}

/// The pairs of a query or form body in order; nil when an escape is broken.
package func formPairs(_ text: some StringProtocol) -> [(name: String, value: String)]? {
    var pairs: [(name: String, value: String)] = []
    for part in text.split(separator: "&", omittingEmptySubsequences: true) {
        let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = percentDecoded(halves[0], plusIsSpace: true),
            let value = halves.count > 1 ? percentDecoded(halves[1], plusIsSpace: true) : ""
        else { return nil }
        pairs.append((name: name, value: value))
    }
    return pairs
}

/// The value of an ASCII hex digit in either case.
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func base64Value(_ byte: UInt8, _ alphabet: Base64Alphabet) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): alphabet == .standard ? 62 : nil
    case UInt8(ascii: "/"): alphabet == .standard ? 63 : nil
    case UInt8(ascii: "-"): alphabet == .url ? 62 : nil
    case UInt8(ascii: "_"): alphabet == .url ? 63 : nil
    default: nil
    }
}
