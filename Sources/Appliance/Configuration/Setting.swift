/// One setting an operator can give at boot, by file, environment or flag.
package struct Setting: Sendable {
    /// What values are allowed.
    package enum Kind: Sendable {
        case text
        case integer(ClosedRange<Int64>)
        case boolean
        /// Bytes, also as `64MiB`, `2GB`.
        case size(ClosedRange<Int64>)
        case choice([String])
        case list
    }

    /// Dotted, as in the file: `engine.threads`. The environment's name is `LAKEHOUSE_ENGINE_THREADS`.
    package let key: String
    package let kind: Kind
    package let defaultValue: String
    package let summary: String

    /// The name of the environment variable that gives this setting.
    package var environmentName: String {
        "LAKEHOUSE_"
            + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// Checks a value; nil when it is fine, else what is expected.
    package func complaint(about value: String) -> String? {
        switch kind {
        case .text, .list: return nil
        case .integer(let range):
            guard let number = Int64(value), range.contains(number) else {
                return "a whole number from \(range.lowerBound) to \(range.upperBound)"
            }
        case .boolean:
            if !["true", "false"].contains(value) { return "true or false" }
        case .size(let range):
            guard let bytes = parseSize(value), range.contains(bytes) else {
                return "a size such as 512MiB, at least \(range.lowerBound) bytes"
            }
        case .choice(let words):
            if !words.contains(value) { return "one of " + words.joined(separator: ", ") }
        }
        return nil
    }
}

/// Reads `4096`, `64KiB`, `2GB`, `1.5GiB`; nil for anything else. Binary and decimal units as written.
package func parseSize(_ text: String) -> Int64? {
    let units: [(String, Double)] = [
        ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776),
        ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("b", 1),
    ]
    let lower = text.lowercased()
    for (suffix, factor) in units where lower.hasSuffix(suffix) {
        var number = lower.dropLast(suffix.count)
        while number.last == " " { number.removeLast() }
        guard let value = Double(number), value >= 0, value * factor < 9e18 else { return nil }
        return Int64(value * factor)
    }
    return Int64(lower).flatMap { $0 >= 0 ? $0 : nil }
}
