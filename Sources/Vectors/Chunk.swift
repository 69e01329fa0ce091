/// Up to `capacity` rows in columns, and which of them are active.
///
/// One per operator and worker, made once, filled again and again. The column descriptors belong to
/// the chunk; the bytes they point to belong to whoever made them.
@usableFromInline
package final class Chunk {
    /// Rows a chunk holds at the most; verification runs set the steps smaller, never larger.
    package static let capacity = 2048

    /// Rows laid out.
    @usableFromInline package var count = 0
    /// Active rows, ascending; nil: all `count` rows are active.
    @usableFromInline package var selection: UnsafeMutablePointer<UInt32>?
    /// How many rows are active when there is a selection.
    @usableFromInline package var selectedCount = 0
    @usableFromInline package let columns: UnsafeMutablePointer<Vector>
    @usableFromInline package let columnCount: Int

    package init(columnCount: Int) {
        self.columnCount = columnCount
        columns = .allocate(capacity: max(columnCount, 1))
        let nowhere = UnsafeMutableRawPointer(columns)
        columns.initialize(
            repeating: Vector(physical: .bool, values: nowhere), count: max(columnCount, 1))
    }

    deinit { columns.deallocate() }

    /// How many rows are active.
    @inlinable package var activeCount: Int { selection == nil ? count : selectedCount }

    /// The row number of the `index`th active row.
    @inlinable package func row(_ index: Int) -> Int {
        if let selection { Int(selection[index]) } else { index }
    }
}
