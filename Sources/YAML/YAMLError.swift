package import Diagnostics

/// A file that is not YAML, or not what its reader wanted.
package struct YAMLError: Fault {
    package enum Code: String, Sendable {
        case syntax = "yaml.syntax_error"
        case duplicateKey = "yaml.duplicate_key"
        case unknownAlias = "yaml.unknown_alias"
        case limitExceeded = "yaml.limit_exceeded"
        case wrongType = "yaml.wrong_type"
        case missingKey = "yaml.missing_key"
        case unknownKey = "yaml.unknown_key"
    }

    package let code: Code
    /// Begins with `name:line:column: `.
    package let message: String
    package let hint: String?
    package let span: SourceSpan

    package init(
        code: Code, _ text: String, in name: String, at span: SourceSpan, hint: String? = nil
    ) {
        self.code = code
        message = "\(name):\(span.line):\(span.column): \(text)"
        self.hint = hint
        self.span = span
    }
}

/// What one document may cost.
package enum YAMLLimits {
    package static let bytes = 16_000_000
    package static let depth = 64
    /// Nodes of the tree, aliases counted each time they are used.
    package static let nodes = 1_000_000
}
