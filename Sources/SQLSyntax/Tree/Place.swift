package import Diagnostics

/// Where a node stands in the text. All places are equal, so that trees compare by meaning alone.
package struct Place: Sendable, Hashable {
    package let span: SourceSpan

    package init(_ span: SourceSpan) { self.span = span }

    package static func == (left: Place, right: Place) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}

/// A part of the tree that knows where it was written.
package protocol SyntaxNode: Sendable, Hashable {
    var place: Place { get }
}

extension SyntaxNode {
    /// The node's text, from its first token to its last.
    package var span: SourceSpan { place.span }
}
