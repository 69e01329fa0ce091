package import Diagnostics

/// A node of a document, and where it stands.
package struct YAMLNode: Sendable {
    /// What a node is; scalars keep their text, since YAML's types are the reader's choice.
    package indirect enum Kind: Sendable {
        /// `isPlain`: without quotes, so that it may be a number, a flag or nothing.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// One pair of a mapping, in the order of the file.
    package struct Entry: Sendable {
        package let key: String
        package let keySpan: SourceSpan
        package let value: YAMLNode
    }

    package let kind: Kind
    package let span: SourceSpan
    /// The file's name, for messages.
    package let name: String
    /// The explicit tag, such as `!secret`; nil for none and for YAML's own.
    package let tag: String?
    /// How many nodes there are below and with this one.
    let size: Int

    /// A fault at this node.
    package func fault(
        _ code: YAMLError.Code, _ text: String, hint: String? = nil
    ) -> YAMLError {
        YAMLError(code: code, text, in: name, at: span, hint: hint)
    }

    // MARK: Scalars

    /// Whether it is `null`, `~` or empty, without quotes.
    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = kind else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a scalar as written, of any style; nil for sequences and mappings.
    package var text: String? {
        guard case .scalar(let text, _) = kind else { return nil }
        return text
    }

    /// The text; throws `.wrongType` for anything but a scalar.
    package func string() throws(YAMLError) -> String {
        guard let text else { throw wrongType("a text") }
        return text
    }

    /// A whole number without quotes; underscores are allowed.
    package func integer() throws(YAMLError) -> Int {
        guard case .scalar(let text, isPlain: true) = kind,
            let value = Int(text.filter { $0 != "_" })
        else { throw wrongType("a whole number") }
        return value
    }

    /// A number without quotes.
    package func double() throws(YAMLError) -> Double {
        guard case .scalar(let text, isPlain: true) = kind else { throw wrongType("a number") }
        switch text.lowercased() {
        case ".inf", "+.inf": return .infinity
        case "-.inf": return -.infinity
        case ".nan": return .nan
        default: break
        }
        guard text.first.map({ $0.isNumber || "+-.".contains($0) }) ?? false,
            let value = Double(text.filter { $0 != "_" })
        else { throw wrongType("a number") }
        return value
    }

    /// `true` or `false` without quotes.
    package func boolean() throws(YAMLError) -> Bool {
        if case .scalar(let text, isPlain: true) = kind {
            switch text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: break
            }
        }
        throw wrongType("true or false")
    }

    // MARK: Collections

    /// The elements; throws `.wrongType` for anything but a sequence.
    package func sequence() throws(YAMLError) -> [YAMLNode] {
        guard case .sequence(let elements) = kind else { throw wrongType("a list") }
        return elements
    }

    /// The pairs; throws `.wrongType` for anything but a mapping.
    package func mapping() throws(YAMLError) -> [Entry] {
        guard case .mapping(let entries) = kind else { throw wrongType("a mapping") }
        return entries
    }

    /// The value of a key; nil where there is none or this is no mapping. O(n).
    package subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = kind else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The value of a key; throws `.missingKey`.
    package func required(_ key: String) throws(YAMLError) -> YAMLNode {
        _ = try mapping()
        guard let value = self[key] else {
            throw fault(.missingKey, "the key is missing: \(key)", hint: "add \(key): ..")
        }
        return value
    }

    /// Throws `.unknownKey` for the first key that is not in the list, with the nearest as hint.
    package func allow(keys: [String]) throws(YAMLError) {
        for entry in try mapping() where !keys.contains(entry.key) {
            let nearest = nearestName(to: entry.key, among: keys)
            throw YAMLError(
                code: .unknownKey, "unknown key: \(entry.key)", in: name, at: entry.keySpan,
                hint: nearest.map { "did you mean \($0)?" }
                    ?? "known keys: \(keys.sorted().joined(separator: ", "))")
        }
    }

    private func wrongType(_ wanted: String) -> YAMLError {
        let found: String =
            switch kind {
            case .scalar(let text, let isPlain):
                isNull
                    ? "nothing"
                    : isPlain ? text.prefix(60).description : "the text \"\(text.prefix(60))\""
            case .sequence: "a list"
            case .mapping: "a mapping"
            }
        return fault(.wrongType, "\(wanted) is wanted here, found \(found)")
    }
}
