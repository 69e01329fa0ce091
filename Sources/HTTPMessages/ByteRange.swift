/// What a `Range` field asks for. Source: RFC 9110, section 14.
package enum ByteRange: Sendable, Hashable {
    /// No range, one that must be ignored, or several (which a server may answer whole).
    case whole
    /// Byte offsets within the representation; never empty.
    case part(Range<Int64>)
    /// Answer 416 with `Content-Range: bytes */size`.
    case unsatisfiable

    /// Reads `bytes=0-99`, `bytes=100-`, `bytes=-100` against the size.
    package init(_ field: String?, sizeBytes: Int64) {
        self = .whole
        guard let field, let mark = field.firstIndex(of: "="),
            equalsIgnoringCase(trimmed(field[..<mark]), "bytes")
        else { return }
        let spec = trimmed(field[field.index(after: mark)...])
        guard !spec.contains(","), let hyphen = spec.firstIndex(of: "-") else { return }
        let first = spec[..<hyphen]
        let last = spec[spec.index(after: hyphen)...]
        func number(_ digits: Substring) -> Int64? {
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return digits.utf8.count > 18 ? .max : Int64(digits)
        }
        if first.isEmpty {
            guard let count = number(last) else { return }
            self =
                count == 0 || sizeBytes == 0
                ? .unsatisfiable : .part(max(0, sizeBytes - count)..<sizeBytes)
            return
        }
        guard let lower = number(first) else { return }
        if last.isEmpty {
            self = lower >= sizeBytes ? .unsatisfiable : .part(lower..<sizeBytes)
            return
        }
        guard let upper = number(last), upper >= lower else { return }
        self =
            lower >= sizeBytes
            ? .unsatisfiable : .part(lower..<(upper >= sizeBytes ? sizeBytes : upper + 1))
    }

    /// The `Content-Range` field for a part.
    package static func contentRange(_ part: Range<Int64>, sizeBytes: Int64) -> String {
        "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(sizeBytes)"
    }
}
