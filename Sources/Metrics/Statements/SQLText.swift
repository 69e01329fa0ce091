import CivilTime

/// Pieces of SQL that are safe to put together.
enum SQLText {
    /// A quoted name.
    static func identifier(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    /// Catalog, schema (its levels as one name) and table.
    static func table(_ source: [String]) -> String {
        guard source.count > 2 else { return source.map(identifier).joined(separator: ".") }
        let schema = source[1..<source.count - 1].joined(separator: ".")
        return [source[0], schema, source[source.count - 1]].map(identifier)
            .joined(separator: ".")
    }

    /// A text literal.
    static func text(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "'"
    }
}
