/// What a source has read so far and what it passed over, for EXPLAIN ANALYZE and the query's numbers.
package struct ScanReport: Sendable, Hashable {
    /// Something that was passed over, and why.
    package struct Pruned: Sendable, Hashable {
        package var count: Int
        /// `bounds of l_shipdate (filter)`.
        package var cause: String

        package init(count: Int, cause: String) {
            self.count = count
            self.cause = cause
        }
    }

    /// Rows looked at, before filters.
    package var rows = 0
    /// Bytes read from storage.
    package var bytes = 0
    /// Files that the scan was to read, and those that it knew it need not.
    package var files = 0
    package var prunedFiles: [Pruned] = []
    package var rowGroupsRead = 0
    package var rowGroupsPruned = 0
    package var prunedRowGroups: [Pruned] = []
    /// Data pages that were decompressed, and those that nobody wanted a row of.
    package var pagesRead = 0
    package var pagesSkipped = 0

    package init() {}
}

extension ScanReport {
    /// The report in words, part by part; nothing of what did not happen.
    package var lines: [String] {
        var parts: [String] = []
        if files > 0 || !prunedFiles.isEmpty {
            parts.append(Self.part("files", read: files, prunedFiles))
        }
        if rowGroupsRead + rowGroupsPruned > 0 || !prunedRowGroups.isEmpty {
            parts.append(
                Self.part("row groups", read: rowGroupsRead, prunedRowGroups, rowGroupsPruned))
        }
        if pagesRead + pagesSkipped > 0 {
            parts.append("pages \(pagesRead) read, \(pagesSkipped) skipped")
        }
        return parts
    }

    private static func part(
        _ name: String, read: Int, _ causes: [Pruned], _ given: Int? = nil
    ) -> String {
        let pruned = given ?? causes.reduce(0) { $0 + $1.count }
        var text = "\(name) \(read) read, \(pruned) pruned"
        if !causes.isEmpty {
            text += " (" + causes.map { "\($0.count) by \($0.cause)" }.joined(separator: ", ") + ")"
        }
        return text
    }
}
