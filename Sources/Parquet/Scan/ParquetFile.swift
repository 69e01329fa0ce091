package import ObjectStorage
import Synchronization
package import Vectors

/// An open Parquet file: its reader and its footer. Immutable and shared between workers; callers keep
/// it by the object's version, since parsing a footer costs more than a small scan.
package final class ParquetFile: Sendable {
    package let reader: any ObjectReader
    package let metadata: FileMetadata
    package let schema: ParquetSchema
    /// Bytes of the footer: what a cache should count.
    package let footerBytes: Int
    /// What `distinctCount` found, by row group and leaf.
    let distinctCounts = Mutex<[Int: Int?]>([:])

    private init(
        reader: any ObjectReader, metadata: FileMetadata, schema: ParquetSchema, footerBytes: Int
    ) {
        self.reader = reader
        self.metadata = metadata
        self.schema = schema
        self.footerBytes = footerBytes
    }

    /// Reads and checks the footer: one read for small footers, two for large ones.
    ///
    /// Throws `.notParquet` for other files, `.truncated` and `.corrupted` for damaged ones.
    package static func open(_ reader: any ObjectReader) throws(ParquetError) -> ParquetFile {
        let location = reader.description.location
        guard let size = Int(exactly: reader.description.sizeBytes), size >= 12 else {
            throw ParquetError(
                code: .notParquet, message: "the file is too small to be Parquet: \(location)")
        }
        var tailSize = min(size, 64 << 10)
        var tail = FooterBuffer(byteCount: tailSize)
        try tail.read(reader, at: size - tailSize)
        let magic = tail.word(tailSize - 4)
        guard magic == 0x3152_4150 else {  // "PAR1"
            if magic == 0x4552_4150 { throw .unsupported("the footer is encrypted: \(location)") }
            throw ParquetError(
                code: .notParquet, message: "the file does not end as Parquet does: \(location)",
                hint: "it is another kind of file, or its upload was cut short")
        }
        let footerSize = Int(tail.word(tailSize - 8))
        guard footerSize <= size - 12 else {
            throw .truncated(
                "the footer claims \(footerSize) of the file's \(size) bytes: \(location)")
        }
        guard footerSize <= ParquetLimits.footerBytes else {
            throw ParquetError(
                code: .limitExceeded, message: "the footer has \(footerSize) bytes: \(location)")
        }
        if footerSize + 8 > tailSize {
            tailSize = footerSize + 8
            tail = FooterBuffer(byteCount: tailSize)
            try tail.read(reader, at: size - tailSize)
        }
        let start = tailSize - 8 - footerSize
        let metadata = try FileMetadata(
            parsing: UnsafeRawBufferPointer(rebasing: tail.bytes[start..<(start + footerSize)]),
            fileSize: size)
        let schema = try ParquetSchema(metadata.schema)
        return ParquetFile(
            reader: reader, metadata: metadata, schema: schema, footerBytes: footerSize)
    }

    package var rowCount: Int { metadata.rowCount }
    package var rowGroupCount: Int { metadata.rowGroups.count }

    /// What the footer says of one leaf in one row group, as values of the type wanted.
    package func bounds(
        rowGroup: Int, of field: ParquetField, as type: LogicalType
    ) -> ColumnBounds {
        guard let leaf = field.leaf, metadata.rowGroups.indices.contains(rowGroup) else {
            return ColumnBounds()
        }
        let chunk = metadata.rowGroups[rowGroup].columns[leaf.index]
        return ColumnBounds(
            chunk.statistics, leaf: leaf, type: type, rowCount: chunk.valueCount,
            order: leaf.index < metadata.columnOrders.count
                ? metadata.columnOrders[leaf.index] : .unknown)
    }
}

/// Memory for a footer, freed when dropped.
private struct FooterBuffer: ~Copyable {
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        bytes = .allocate(byteCount: byteCount, alignment: 16)
    }

    deinit { bytes.deallocate() }

    func read(_ reader: any ObjectReader, at offset: Int) throws(ParquetError) {
        do throws(ObjectStoreError) {
            try reader.readNow([RangeRead(offset: Int64(offset), destination: bytes)])
        } catch {
            throw .wrapping(error, "the footer of \(reader.description.location) cannot be read")
        }
    }

    func word(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
