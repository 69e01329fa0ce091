/// A stretch of a source text, with the place that people read: line and column, both from 1.
package struct SourceSpan: Sendable, Hashable {
    /// UTF-8 offset of the first byte.
    package var offset: Int
    /// How many UTF-8 bytes.
    package var length: Int
    package var line: Int
    /// Counted in Unicode scalars, from 1.
    package var column: Int

    package init(offset: Int, length: Int, line: Int, column: Int) {
        self.offset = offset
        self.length = length
        self.line = line
        self.column = column
    }
}

extension SourceSpan {
    /// Renders the line of `source` that holds the span with carets under it, for terminals.
    package func caret(in source: String) -> String {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        guard line >= 1, line <= lines.count else { return "" }
        let text = String(lines[line - 1])
        let room = max(1, text.unicodeScalars.count - column + 1)
        let width = max(1, min(length, room))
        return text + "\n" + String(repeating: " ", count: max(0, column - 1))
            + String(repeating: "^", count: width)
    }
}
