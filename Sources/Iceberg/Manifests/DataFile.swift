/// Numbers or bounds by field id, in the order of the file.
package struct FieldMap<Value: Sendable & Hashable>: Sendable, Hashable {
    package private(set) var ids: [Int32] = []
    package private(set) var values: [Value] = []

    package init() {}

    package init(_ pairs: some Sequence<(Int32, Value)>) {
        for (id, value) in pairs { append(id, value) }
    }

    package var isEmpty: Bool { ids.isEmpty }
    package var count: Int { ids.count }

    package mutating func append(_ id: Int32, _ value: Value) {
        ids.append(id)
        values.append(value)
    }

    /// The value of a field, if there is one. O(columns).
    package subscript(_ id: Int32) -> Value? { ids.firstIndex(of: id).map { values[$0] } }
}

/// A data or delete file as manifests describe it. Source: Iceberg specification, "Manifests".
package struct DataFile: Sendable, Hashable {
    /// What a file holds; the numbers are those of the manifest (Iceberg spec, "Manifests", field
    /// 134).
    package enum Content: Int32, Sendable {
        case data = 0, positionDeletes = 1, equalityDeletes = 2
    }

    package var content: Content
    package var path: String
    /// `PARQUET`, `AVRO`, `ORC` or `PUFFIN`, in upper case.
    package var format: String
    /// Which of the table's specs `partition` belongs to.
    package var specID: Int32
    package var partition: [Literal?]
    package var recordCount: Int64
    package var sizeBytes: Int64
    package var columnSizes = FieldMap<Int64>()
    package var valueCounts = FieldMap<Int64>()
    package var nullCounts = FieldMap<Int64>()
    package var nanCounts = FieldMap<Int64>()
    /// Single-value bytes; strings and binaries may be shortened.
    package var lowerBounds = FieldMap<[UInt8]>()
    package var upperBounds = FieldMap<[UInt8]>()
    package var keyMetadata: [UInt8]?
    package var splitOffsets: [Int64] = []
    /// The columns that an equality delete file compares.
    package var equalityIDs: [Int32] = []
    package var sortOrderID: Int32?
    // Version 3.
    package var firstRowID: Int64?
    /// The one data file that a delete file is about.
    package var referencedDataFile: String?
    package var contentOffset: Int64?
    package var contentSizeBytes: Int64?

    /// Whether it is a deletion vector: a part of a Puffin file, about one data file.
    package var isDeletionVector: Bool {
        content == .positionDeletes && format.uppercased() == "PUFFIN"
    }

    package init(
        content: Content = .data, path: String, format: String = "PARQUET", specID: Int32,
        partition: [Literal?], recordCount: Int64, sizeBytes: Int64
    ) {
        self.content = content
        self.path = path
        self.format = format
        self.specID = specID
        self.partition = partition
        self.recordCount = recordCount
        self.sizeBytes = sizeBytes
    }
}

/// A file in a manifest, and what its snapshot did with it.
package struct ManifestEntry: Sendable, Hashable {
    package enum Status: Int32, Sendable { case existing = 0, added = 1, deleted = 2 }

    package var status: Status
    package var snapshotID: Int64?
    /// The sequence number that decides which deletes apply.
    package var dataSequenceNumber: Int64?
    /// The sequence number of the commit that added the file.
    package var fileSequenceNumber: Int64?
    package var file: DataFile

    package init(
        status: Status, snapshotID: Int64?, dataSequenceNumber: Int64?, fileSequenceNumber: Int64?,
        file: DataFile
    ) {
        self.status = status
        self.snapshotID = snapshotID
        self.dataSequenceNumber = dataSequenceNumber
        self.fileSequenceNumber = fileSequenceNumber
        self.file = file
    }

    package var isLive: Bool { status != .deleted }
}

/// A manifest as the manifest list describes it. Source: Iceberg specification, "Manifest Lists".
package struct ManifestFile: Sendable, Hashable {
    package enum Content: Int32, Sendable { case data = 0, deletes = 1 }

    /// What the files of a manifest have in one partition field.
    package struct FieldSummary: Sendable, Hashable {
        package var containsNull: Bool
        package var containsNaN: Bool?
        package var lowerBound: [UInt8]?
        package var upperBound: [UInt8]?
    }

    package var path: String
    package var lengthBytes: Int64
    package var specID: Int32
    package var content: Content
    package var sequenceNumber: Int64
    package var minimumSequenceNumber: Int64
    package var addedSnapshotID: Int64
    // Nil where a version 1 writer left them out.
    package var addedFilesCount: Int32?
    package var existingFilesCount: Int32?
    package var deletedFilesCount: Int32?
    package var addedRowsCount: Int64?
    package var existingRowsCount: Int64?
    package var deletedRowsCount: Int64?
    package var partitions: [FieldSummary]?
    package var keyMetadata: [UInt8]?
    package var firstRowID: Int64?

    /// Whether live files may be in it.
    package var mayHaveLiveFiles: Bool {
        guard let addedFilesCount, let existingFilesCount else { return true }
        return addedFilesCount > 0 || existingFilesCount > 0
    }
}
