import Vectors

extension ScalarFunction {
    static let trims: [ScalarFunction] = [
        trimming("trim", "both ends", example: "trim('  ice ')", both: .both),
        trimming("ltrim", "the start", example: "ltrim('  ice ')", both: .start),
        trimming("rtrim", "the end", example: "rtrim('  ice ')", both: .end),
        trimmingSet("trim", "both ends", example: "trim('xxicex', 'x')", both: .both),
        trimmingSet("ltrim", "the start", example: "ltrim('xxicex', 'x')", both: .start),
        trimmingSet("rtrim", "the end", example: "rtrim('xxicex', 'x')", both: .end),
    ]

    private static func trimming(
        _ name: String, _ place: String, example: String, both ends: Ends
    ) -> ScalarFunction {
        ScalarFunction(
            name, .keepingLength(), "Removes blanks from \(place) of the string.",
            example: example,
            kernel: unary { (text: Text) in trimmed(text, ends) { isWhitespace($0) } })
    }

    private static func trimmingSet(
        _ name: String, _ place: String, example: String, both ends: Ends
    ) -> ScalarFunction {
        ScalarFunction(
            name, .keepingLength([.text]),
            "Removes the characters of a set from \(place) of the string.", example: example,
            kernel: binary { (text: Text, characters: Text) in
                if characters.count == 1 {
                    let only = UInt32(characters[0])
                    return trimmed(text, ends) { $0 == only }
                }
                let set = Set(CodePoints.scalars(characters).map(\.value))
                return trimmed(text, ends) { set.contains($0) }
            })
    }
}

/// Which ends are trimmed.
private enum Ends: Sendable { case start, end, both }

private func trimmed(_ text: Text, _ ends: Ends, _ drops: (UInt32) -> Bool) -> Text {
    var low = 0
    var high = text.count
    if ends != .end {
        while low < high {
            let next = CodePoints.next(text, low)
            guard drops(codePoint(text, low, next)) else { break }
            low = next
        }
    }
    if ends != .start {
        while high > low {
            let start = CodePoints.previous(text, high)
            guard drops(codePoint(text, start, high)) else { break }
            high = start
        }
    }
    return text.slice(low, high)
}

/// The code point in the bytes from `start` to `end`.
private func codePoint(_ text: Text, _ start: Int, _ end: Int) -> UInt32 {
    let lead = UInt32(text[start])
    if lead < 0x80 { return lead }
    var value = lead & (0x7F &>> UInt32(min(end - start, 4)))
    for index in (start + 1)..<max(end, start + 1) {
        value = value << 6 | UInt32(text[index] & 0x3F)
    }
    return value
}

/// Java's `Character.isWhitespace`: no-break spaces are none.
private func isWhitespace(_ code: UInt32) -> Bool {
    switch code {
    case 0x09...0x0D, 0x1C...0x20, 0x1680, 0x2000...0x2006, 0x2008...0x200A, 0x2028, 0x2029,
        0x205F, 0x3000:
        true
    default: false
    }
}
