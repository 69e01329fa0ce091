/// A parsed replacement: `$1`, `${1}` and `${name}` stand for groups, a backslash takes the next
/// character as it is. Source: Trino's `regexp_replace`, java.util.regex.Matcher.
package struct RegexReplacement: Sendable {
    enum Part: Sendable, Equatable {
        case text([UInt8])
        case group(Int)
    }

    let parts: [Part]

    /// Throws `.invalidReplacement` for a group that the pattern does not have.
    package init(_ template: String, for pattern: RegexPattern) throws(RegexError) {
        let bytes = Array(template.utf8)
        var parts: [Part] = []
        var text: [UInt8] = []
        var at = 0
        func fault(_ message: String) -> RegexError {
            RegexError(
                code: .invalidReplacement, message: "\(message): \(template.prefix(200))",
                hint: "write \\$ for a dollar sign", offset: at)
        }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\\") {
                guard at < bytes.count else { throw fault("the replacement ends with a backslash") }
                text.append(bytes[at])
                at += 1
                continue
            }
            guard byte == UInt8(ascii: "$") else {
                text.append(byte)
                continue
            }
            var group: Int
            if at < bytes.count, bytes[at] == UInt8(ascii: "{") {
                guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else {
                    throw fault("the replacement has ${ without }")
                }
                let name = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
                guard let number = Int(name) ?? pattern.group(named: name), number >= 0,
                    number <= pattern.groupCount
                else { throw fault("no group \(name) in the pattern") }
                group = number
                at = end + 1
            } else {
                guard at < bytes.count, bytes[at] >= 48, bytes[at] <= 57 else {
                    throw fault("a group number must follow $")
                }
                group = Int(bytes[at]) - 48
                at += 1
                guard group <= pattern.groupCount else {
                    throw fault("no group \(group) in the pattern")
                }
                // More digits belong to the number as long as there is such a group.
                while at < bytes.count, bytes[at] >= 48, bytes[at] <= 57 {
                    let longer = group * 10 + Int(bytes[at]) - 48
                    guard longer <= pattern.groupCount else { break }
                    group = longer
                    at += 1
                }
            }
            if !text.isEmpty {
                parts.append(.text(text))
                text = []
            }
            parts.append(.group(group))
        }
        if !text.isEmpty { parts.append(.text(text)) }
        self.parts = parts
    }
}
