package import Compression
package import Vectors

/// A column to write, or a part of one.
package struct WriterField: Sendable, Hashable {
    package var name: String
    package var fieldID: Int?
    package var type: LogicalType
    package var isNullable: Bool
    /// Fields of a row, element of an array, key and value of a map; may be empty where names and
    /// nullability follow from the type. Keys of maps are never NULL.
    package var children: [WriterField]

    package init(
        name: String, fieldID: Int? = nil, type: LogicalType, isNullable: Bool = true,
        children: [WriterField] = []
    ) {
        self.name = name
        self.fieldID = fieldID
        self.type = type
        self.isNullable = isNullable
        self.children = children
    }
}

/// How a file is written.
package struct WriterOptions: Sendable {
    /// none, snappy, gzip, zstd, lz4Block (LZ4_RAW) or brotli.
    package var codec = Codec.zstd
    /// nil: the codec's default.
    package var level: Int?
    /// A row group ends at either of these. 131,072 rows are one morsel of the engine.
    package var rowGroupRows = 131_072
    package var rowGroupBytes = 128 << 20
    /// A page ends at either of these.
    package var pageRows = 20_480
    package var pageBytes = 1 << 20
    package var usesDictionaries = true
    /// A column chunk's dictionary larger than this is given up for PLAIN pages.
    package var dictionaryBytes = 1 << 20
    /// Integers, dates and timestamps without dictionary in DELTA_BINARY_PACKED.
    package var usesDeltas = false
    /// Code points of text (bytes of binary) that bounds in statistics have at the most.
    package var boundLength = 64
    /// Bloom filters to write, by the leaf's dotted name.
    package var bloomFilters: [String: BloomOptions] = [:]
    package var keyValues: [(key: String, value: String)] = []
    package var createdBy = "lakehouse version 1 (build parquet)"

    package init() {}
}

/// A file that was written, for the table's metadata.
package struct WrittenFile: Sendable {
    package var rowCount = 0
    package var sizeBytes = 0
    /// Offsets of the row groups: where a reader may split the file.
    package var splitOffsets: [Int] = []
    /// One for each leaf, in schema order.
    package var columns: [WrittenColumn] = []
    /// The footer, so that the file can be read without parsing it again.
    package var metadata = FileMetadata()

    package init() {}
}

/// What one leaf of a written file holds, over all row groups.
package struct WrittenColumn: Sendable {
    package var path: [String]
    package var fieldID: Int?
    package var type: LogicalType
    package var compressedSize = 0
    /// Values, with NULLs (and the places of empty lists).
    package var valueCount = 0
    package var nullCount = 0
    /// NaNs of a real or double column.
    package var nanCount: Int?
    /// Bounds of what is neither NULL nor NaN; text and binary are cut to the option's length.
    package var lower: ParquetValue?
    package var upper: ParquetValue?
}
