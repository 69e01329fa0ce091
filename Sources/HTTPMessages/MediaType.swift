/// A media type such as `text/html; charset=utf-8`. Source: RFC 9110, section 8.3.1.
package struct MediaType: Sendable {
    /// Lower case.
    package var type: String
    /// Lower case.
    package var subtype: String
    /// Names in lower case, values as written.
    package var parameters: [(name: String, value: String)]

    /// nil when it is not `type/subtype`.
    package init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard let first = parts.first else { return nil }
        let halves = trimmed(first).split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2,
            halves.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(ByteClass.isToken) })
        else { return nil }
        type = halves[0].lowercased()
        subtype = halves[1].lowercased()
        parameters = []
        for part in parts.dropFirst() {
            guard let mark = part.firstIndex(of: "=") else { continue }
            var value = trimmed(part[part.index(after: mark)...])
            if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = String(value.dropFirst().dropLast())
            }
            parameters.append((name: trimmed(part[..<mark]).lowercased(), value: value))
        }
    }

    /// `type/subtype`.
    package var essence: String { "\(type)/\(subtype)" }
    /// The value of a parameter; `name` in lower case.
    package func parameter(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }
}

extension Request {
    /// The body's media type without parameters; nil when none is said.
    package var contentType: String? {
        fields["Content-Type"].flatMap { MediaType(parsing: $0)?.essence }
    }

    /// Which of the types offered (best first) the client wants most; nil when it wants none of them.
    ///
    /// Source: RFC 9110, section 12.5.1: the most specific range that fits gives the weight.
    package func preferredType(among offered: [String]) -> String? {
        let accepted = fields.values("Accept").joined(separator: ",")
        if accepted.isEmpty { return offered.first }
        let ranges = accepted.split(separator: ",").compactMap { MediaType(parsing: $0) }
        var best: (type: String, weight: Double)?
        for candidate in offered {
            guard let type = MediaType(parsing: candidate) else { continue }
            var specificity = -1
            var weight = 0.0
            for range in ranges {
                let rank =
                    range.essence == type.essence
                    ? 2
                    : range.type == type.type && range.subtype == "*"
                        ? 1 : range.essence == "*/*" ? 0 : -1
                guard rank > specificity else { continue }
                specificity = rank
                weight = range.parameter("q").flatMap { Double($0) } ?? 1
            }
            if weight > 0, weight > best?.weight ?? 0 { best = (candidate, weight) }
        }
        return best?.type
    }

    /// Whether the client takes the content coding ("gzip", "zstd"). Source: RFC 9110, section 12.5.3.
    package func acceptsEncoding(_ coding: String) -> Bool {
        for part in fields.values("Accept-Encoding").joined(separator: ",").split(separator: ",") {
            let words = part.split(separator: ";")
            guard let name = words.first, equalsIgnoringCase(trimmed(name), coding) else {
                continue
            }
            let weight = words.dropFirst().map { trimmed($0) }.first { $0.hasPrefix("q=") }
            return weight.flatMap { Double($0.dropFirst(2)) } != 0
        }
        return false
    }
}
