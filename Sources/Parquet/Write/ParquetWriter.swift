package import ObjectStorage
import Bytes
import Compression
package import Vectors

/// Writes one Parquet file from chunks. Belongs to one thread at a time.
///
///     let writer = try ParquetWriter(store.beginWrite(to: …), fields: …, budget: budget)
///     try writer.append(chunk)             // any number of times
///     let written = try writer.finish()    // writes the footer; the caller commits the object
///
/// Holds one row group in memory, encoded and compressed page by page; the budget is told as it grows.
package final class ParquetWriter {
    private let output: any ObjectWriter
    private let options: WriterOptions
    private let budget: MemoryBudget
    let roots: [ShredNode]
    private let leaves: [LeafWriter]
    private var metadata = FileMetadata()
    private var offset = 0
    private var groupRows = 0
    private var reserved = 0
    private var indexes: [(group: Int, column: Int, columnIndex: [UInt8]?, offsetIndex: [UInt8])] =
        []
    private var isFinished = false

    /// Begins a file; throws `.unsupported` for types that Parquet has no place for.
    package init(
        _ output: any ObjectWriter, fields: [WriterField], options: WriterOptions = WriterOptions(),
        budget: MemoryBudget
    ) throws(ParquetError) {
        guard options.codec.parquetCode != nil else {
            throw .unsupported("Parquet has no codec \(options.codec.rawValue)")
        }
        self.output = output
        self.options = options
        self.budget = budget
        var builder = ShredBuilder(options: options)
        var root = SchemaElement()
        root.name = SchemaElement.rootName
        root.childCount = fields.count
        builder.elements.append(root)
        var roots: [ShredNode] = []
        for field in fields {
            roots.append(try builder.node(field, definition: 0, repetition: 0, path: []))
        }
        self.roots = roots
        leaves = builder.leaves
        metadata.schema = builder.elements
        metadata.columnOrders = builder.leaves.map { _ in .typeDefined }
        metadata.keyValues = options.keyValues
        metadata.createdBy = options.createdBy
        try emit(Array("PAR1".utf8))
    }

    deinit { budget.release(reserved) }

    /// Rows so far.
    package private(set) var rowCount = 0
    /// Bytes written or held, about: for writers that aim at a file size.
    package var estimatedSizeBytes: Int { offset + leaves.reduce(0) { $0 + $1.bufferedBytes } }
    /// Bytes of the row group that is held in memory.
    package var heldBytes: Int { reserved }

    /// Adds the chunk's active rows. Columns stand in the order of the fields and have their types'
    /// layouts, in any form. Throws `.valueOutOfRange` for a NULL in a required column and for values
    /// that the file's type cannot hold.
    package func append(_ chunk: Chunk) throws(ParquetError) {
        try check(chunk)
        var done = 0
        while done < chunk.activeCount {
            let count = min(chunk.activeCount - done, roomOfGroup)
            for (index, root) in roots.enumerated() {
                try root.write(
                    chunk.columns[index], chunk.selection.map { UnsafePointer($0) },
                    done..<(done + count))
            }
            done += count
            try added(count, ParquetWriter.oneByOne)
        }
    }

    /// Rows that the row group still takes.
    var roomOfGroup: Int { options.rowGroupRows - groupRows }

    func check(_ chunk: Chunk) throws(ParquetError) {
        guard chunk.columnCount == roots.count else {
            throw ParquetError(
                code: .typeMismatch,
                message: "the chunk has \(chunk.columnCount) columns, the file \(roots.count)")
        }
        for (index, root) in roots.enumerated() {
            let physical = chunk.columns[index].physical
            guard physical == root.type.physical else {
                throw ParquetError(
                    code: .typeMismatch,
                    message:
                        "column \(root.name) of type \(root.type) was given \(physical) values")
            }
        }
    }

    /// Runs the caller alone.
    private static func oneByOne(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for index in 0..<count { body(index) }
    }

    /// Counts rows that the columns have taken, and ends the row group when it is full.
    func added(
        _ count: Int, _ run: (Int, @escaping @Sendable (Int) -> Void) -> Void
    ) throws(ParquetError) {
        groupRows += count
        rowCount += count
        try account(run)
        if groupRows >= options.rowGroupRows || reserved >= options.rowGroupBytes {
            try endRowGroup(run)
        }
    }

    /// Tells the budget what is held; when it refuses, the row group ends early.
    private func account(
        _ run: (Int, @escaping @Sendable (Int) -> Void) -> Void
    ) throws(ParquetError) {
        let held = leaves.reduce(0) { $0 + $1.bufferedBytes }
        if held > reserved {
            if budget.tryReserve(held - reserved) {
                reserved = held
            } else {
                try endRowGroup(run)
            }
        }
    }

    /// Writes the footer and says what the file holds. The object still has to be committed.
    package func finish() throws(ParquetError) -> WrittenFile {
        guard !isFinished else { throw .unsupported("the file is finished already") }
        isFinished = true
        try endRowGroup(ParquetWriter.oneByOne)
        for index in indexes {
            if let bytes = index.columnIndex {
                metadata.rowGroups[index.group].columns[index.column].columnIndex =
                    offset..<(offset + bytes.count)
                try emit(bytes)
            }
        }
        for index in indexes {
            metadata.rowGroups[index.group].columns[index.column].offsetIndex =
                offset..<(offset + index.offsetIndex.count)
            try emit(index.offsetIndex)
        }
        metadata.rowCount = rowCount
        var footer = ByteBuffer()
        footer.append(metadata.serialized())
        footer.appendUInt32LE(UInt32(truncatingIfNeeded: footer.count))
        footer.append("PAR1")
        try emit(footer.bytes)
        var written = WrittenFile()
        written.rowCount = rowCount
        written.sizeBytes = offset
        written.splitOffsets = metadata.rowGroups.map(\.startOffset)
        written.metadata = metadata
        for leaf in leaves {
            var column = WrittenColumn(
                path: leaf.leaf.path, fieldID: leaf.fieldID, type: leaf.type)
            column.compressedSize = leaf.totalSize
            column.valueCount = leaf.totalValues
            column.nullCount = leaf.totals.nullCount
            if leaf.form == .float || leaf.form == .double {
                column.nanCount = leaf.totals.nanCount
            }
            (column.lower, column.upper) = leaf.totalBounds()
            written.columns.append(column)
        }
        return written
    }

    private func endRowGroup(
        _ run: (Int, @escaping @Sendable (Int) -> Void) -> Void
    ) throws(ParquetError) {
        guard groupRows > 0 else { return }
        let end = GroupEnd(leaves)
        run(leaves.count) { end.finish($0) }
        var group = RowGroupMetadata()
        group.rowCount = groupRows
        group.firstRow = rowCount - groupRows
        var filters: [(column: Int, bytes: [UInt8])] = []
        for (index, leaf) in leaves.enumerated() {
            var chunk = try end.take(index)
            chunk.move(to: offset)
            try emit(chunk.dictionaryPage)
            try emit(chunk.pagesBytes)
            group.columns.append(chunk.metadata)
            if let filter = chunk.bloomFilter { filters.append((index, filter)) }
            group.totalByteSize += chunk.metadata.uncompressedSize
            indexes.append(
                (
                    metadata.rowGroups.count, index, leaf.columnIndex(chunk.pages),
                    LeafWriter.offsetIndex(chunk)
                ))
        }
        // Behind the row group's pages, so that a scan of these reads on without a gap.
        for (column, filter) in filters {
            group.columns[column].bloomFilterOffset = offset
            group.columns[column].bloomFilterLength = filter.count
            try emit(filter)
        }
        metadata.rowGroups.append(group)
        groupRows = 0
        budget.release(reserved)
        reserved = 0
    }

    private func emit(_ bytes: [UInt8]) throws(ParquetError) {
        if bytes.isEmpty { return }
        // Rethrows by hand: `withUnsafeBytes` does not carry typed throws.
        let outcome = bytes.withUnsafeBytes { raw -> Result<Void, ObjectStoreError> in
            do throws(ObjectStoreError) {
                try output.append(raw)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        do throws(ObjectStoreError) { try outcome.get() } catch {
            throw .wrapping(error, "a Parquet file cannot be written")
        }
        offset += bytes.count
    }
}
