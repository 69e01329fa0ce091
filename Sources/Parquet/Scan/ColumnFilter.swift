package import Vectors

/// A condition on one column, evaluated inside the scan. Belongs to the worker whose scan it is given.
///
/// The scan calls `mayMatch` for row groups and pages, `equalityCandidates` for bloom filters, and
/// `select` for rows or for a dictionary's entries. What it does not drop, it must have been asked
/// about: a filter is exact, the engine need not test the condition again.
package protocol ColumnFilter: AnyObject {
    /// Whether `select` may be called with a dictionary's entries instead of rows: true unless the
    /// outcome depends on something other than the value.
    var isDictionaryCapable: Bool { get }

    /// Whose condition this is, in a word, for EXPLAIN ANALYZE.
    var origin: String { get }

    /// Whether a NULL passes (`IS NULL`, or a condition that allows it).
    var passesNull: Bool { get }

    /// Whether some row within the bounds could pass. May always answer true.
    func mayMatch(_ bounds: ColumnBounds) -> Bool

    /// The values one of which a passing row must equal, if the filter is of that kind and they are
    /// few; bloom filters are asked about them. nil: not of that kind.
    var equalityCandidates: [ParquetValue]? { get }

    /// Narrows a selection to the rows that pass, keeping their order, and returns how many.
    ///
    /// `vector` is flat, or for strings a dictionary vector when the filter is asked about rows,
    /// and has the column's physical type. `selection` nil means rows 0..<count. `output` has room for
    /// `count` rows and may be `selection` itself. Rows that are NULL pass as `passesNull` says.
    func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int
}

extension ColumnFilter {
    package var isDictionaryCapable: Bool { true }
    package var origin: String { "filter" }
    package var passesNull: Bool { false }
    package var equalityCandidates: [ParquetValue]? { nil }
    package func mayMatch(_ bounds: ColumnBounds) -> Bool { true }
}

/// A filter and the scan column it is on: an index into the scan's `columns`.
package struct ScanFilter {
    package var column: Int
    package var filter: any ColumnFilter

    package init(column: Int, filter: any ColumnFilter) {
        self.column = column
        self.filter = filter
    }
}

/// A condition over several flat columns of the scan (`l_commitdate < l_receiptdate`), evaluated after
/// the column filters and before the other columns are decoded.
package protocol RowFilter: AnyObject {
    /// The scan columns it reads: indexes into the scan's `columns`, none of them nested.
    var columns: [Int] { get }

    /// Narrows a selection, as `ColumnFilter.select` does. `vectors` stand in the order of `columns`,
    /// flat or, for strings, dictionary vectors; rows that are not selected hold nothing meaningful.
    func select(
        _ vectors: UnsafePointer<Vector>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int
}
