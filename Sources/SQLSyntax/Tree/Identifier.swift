/// A name as written, without its quotes.
///
/// Names match without case whether quoted or not, so two identifiers that differ only in case are
/// equal; `text` keeps the case for column labels.
package struct Identifier: SyntaxNode, CustomStringConvertible {
    /// The name in the case it was written in.
    package let text: String
    /// The name as catalogs store and compare it: lower case.
    package let canonical: String
    /// Whether it stood in double quotes.
    package let isDelimited: Bool
    package let place: Place

    package init(_ text: String, isDelimited: Bool = false, place: Place) {
        self.text = text
        canonical = text.lowercased()
        self.isDelimited = isDelimited
        self.place = place
    }

    package static func == (left: Self, right: Self) -> Bool { left.canonical == right.canonical }
    package func hash(into hasher: inout Hasher) { hasher.combine(canonical) }

    package var description: String { text }
}

/// A dotted name of one to four parts: a table, schema, function, property, procedure.
package struct QualifiedName: SyntaxNode, CustomStringConvertible {
    /// Never empty.
    package let parts: [Identifier]
    package let place: Place

    package init(_ parts: [Identifier], place: Place) {
        self.parts = parts
        self.place = place
    }

    /// The parts in lower case.
    package var canonicalParts: [String] { parts.map(\.canonical) }

    /// The parts in lower case with dots between them, for messages.
    package var description: String { canonicalParts.joined(separator: ".") }
}
