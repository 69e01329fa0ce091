package import Compression

/// A file's footer, as `parquet.thrift` has it, checked against impossible numbers.
package struct FileMetadata: Sendable {
    package var version = 1
    package var schema: [SchemaElement] = []
    package var rowCount = 0
    package var rowGroups: [RowGroupMetadata] = []
    package var keyValues: [(key: String, value: String)] = []
    package var createdBy: String?
    /// The order of each leaf's statistics; absent or `.unknown`: only the deprecated ones may count.
    package var columnOrders: [ColumnOrder] = []

    package init() {}
}

/// What the order of `min_value` and `max_value` follows.
package enum ColumnOrder: Sendable, Hashable { case unknown, typeDefined, ieee754Total, int96 }

/// How often a field stands in its parent.
package enum Repetition: Int, Sendable, Hashable { case required = 0, optional, repeated }

/// The eight ways a leaf's values lie in a file.
package enum ParquetType: Int, Sendable, Hashable {
    case boolean = 0, int32, int64, int96, float, double, byteArray, fixedLengthByteArray
}

/// What a leaf's or group's annotation says, from the logical type or the older converted type.
package enum Annotation: Sendable, Hashable {
    package enum Unit: Sendable, Hashable { case millis, micros, nanos }
    case none, string, map, list, date, json, bson, uuid, float16, null, interval, mapKeyValue,
        variant
    case decimal(precision: Int, scale: Int)
    case time(Unit, isUTC: Bool)
    case timestamp(Unit, isUTC: Bool)
    case integer(bits: Int, isSigned: Bool)
    case other
}

/// One element of the schema's flattened tree.
package struct SchemaElement: Sendable, Hashable {
    package var type: ParquetType?
    package var typeLength = 0
    package var repetition: Repetition = .required
    package var name = ""
    package var childCount = 0
    package var fieldID: Int?
    package var annotation: Annotation = .none

    package init() {}
}

/// How the values of a page are encoded.
package enum Encoding: Int, Sendable, Hashable {
    case plain = 0
    case plainDictionary = 2
    case rle = 3
    case bitPacked = 4
    case deltaBinaryPacked = 5
    case deltaLengthByteArray = 6
    case deltaByteArray = 7
    case rleDictionary = 8
    case byteStreamSplit = 9
}

/// One row group.
package struct RowGroupMetadata: Sendable {
    package var columns: [ColumnChunkMetadata] = []
    package var totalByteSize = 0
    package var rowCount = 0
    /// Rows of the file before this group; computed, not stored.
    package var firstRow = 0

    package init() {}

    /// Bytes of the group in the file, compressed.
    package var compressedSize: Int { columns.reduce(0) { $0 &+ $1.compressedSize } }
    /// Where the group begins in the file: an Iceberg split offset.
    package var startOffset: Int { columns.map(\.startOffset).min() ?? 0 }
}

/// One column of one row group.
package struct ColumnChunkMetadata: Sendable {
    package var type: ParquetType = .int32
    package var encodings: [Encoding] = []
    package var path: [String] = []
    package var codec: Codec = .none
    package var valueCount = 0
    package var uncompressedSize = 0
    package var compressedSize = 0
    package var dataPageOffset = 0
    package var dictionaryPageOffset: Int?
    package var statistics: RawStatistics?
    package var bloomFilterOffset: Int?
    package var bloomFilterLength: Int?
    package var offsetIndex: Range<Int>?
    package var columnIndex: Range<Int>?
    /// The codec's number when it is one that this reader does not have.
    package var unknownCodec: Int?
    package var isEncrypted = false

    package init() {}

    /// Offset of the first page, be it dictionary or data.
    package var startOffset: Int {
        guard let dictionary = dictionaryPageOffset, dictionary > 0, dictionary < dataPageOffset
        else {
            return dataPageOffset
        }
        return dictionary
    }
}

/// Statistics as the file has them: bytes, PLAIN without length prefix.
package struct RawStatistics: Sendable, Hashable {
    /// The deprecated pair, ordered by signed comparison.
    package var oldMin: [UInt8]?
    package var oldMax: [UInt8]?
    package var min: [UInt8]?
    package var max: [UInt8]?
    package var nullCount: Int?
    package var distinctCount: Int?
    package var nanCount: Int?
    package var isMinExact: Bool?
    package var isMaxExact: Bool?

    package init() {}
}

extension FileMetadata {
    /// Parses a footer. `fileSize` bounds the offsets inside.
    init(parsing bytes: UnsafeRawBufferPointer, fileSize: Int) throws(ParquetError) {
        var reader = ThriftReader(bytes)
        var metadata = FileMetadata()
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: metadata.version = try reader.int(kind)
            case 2:
                try reader.list(kind) { (reader, _) throws(ParquetError) in
                    metadata.schema.append(try SchemaElement(from: &reader))
                }
            case 3: metadata.rowCount = try reader.count(kind)
            case 4:
                try reader.list(kind) { (reader, _) throws(ParquetError) in
                    metadata.rowGroups.append(try RowGroupMetadata(from: &reader))
                }
            case 5:
                try reader.list(kind) { (reader, _) throws(ParquetError) in
                    var pair = (key: "", value: "")
                    try reader.structure { (reader, id, kind) throws(ParquetError) in
                        switch id {
                        case 1: pair.key = try reader.text(kind)
                        case 2: pair.value = try reader.text(kind)
                        default: try reader.skip(kind)
                        }
                    }
                    metadata.keyValues.append(pair)
                }
            case 6: metadata.createdBy = try reader.text(kind)
            case 7:
                try reader.list(kind) { (reader, _) throws(ParquetError) in
                    var order = ColumnOrder.unknown
                    try reader.structure { (reader, id, kind) throws(ParquetError) in
                        order =
                            id == 1
                            ? .typeDefined : id == 2 ? .ieee754Total : id == 3 ? .int96 : .unknown
                        try reader.skip(kind)
                    }
                    metadata.columnOrders.append(order)
                }
            default: try reader.skip(kind)
            }
        }
        try metadata.validate(fileSize: fileSize)
        self = metadata
    }

    private mutating func validate(fileSize: Int) throws(ParquetError) {
        guard schema.count <= ParquetLimits.schemaElements else {
            throw ParquetError(
                code: .limitExceeded,
                message: "the schema has more than \(ParquetLimits.schemaElements) elements")
        }
        let leafCount = schema.count { $0.type != nil }
        var firstRow = 0
        for index in rowGroups.indices {
            guard rowGroups[index].columns.count == leafCount else {
                throw .corrupted(
                    "row group \(index) has \(rowGroups[index].columns.count) columns, the schema \(leafCount)"
                )
            }
            guard rowGroups[index].rowCount <= 1 << 40 else {
                throw .corrupted("row group \(index) claims \(rowGroups[index].rowCount) rows")
            }
            rowGroups[index].firstRow = firstRow
            firstRow += rowGroups[index].rowCount
            // Groups without rows are never read; some writers leave their offsets at zero.
            for column in rowGroups[index].columns where rowGroups[index].rowCount > 0 {
                let start = column.startOffset
                guard start >= 4 || column.compressedSize == 0, start <= fileSize,
                    column.compressedSize <= fileSize - start
                else {
                    throw .corrupted(
                        "a column chunk of row group \(index) lies outside of the file")
                }
            }
        }
        guard firstRow == rowCount else {
            throw .corrupted("the row groups have \(firstRow) rows, the footer says \(rowCount)")
        }
    }
}

extension SchemaElement {
    fileprivate init(from reader: inout ThriftReader) throws(ParquetError) {
        var element = SchemaElement()
        var converted: Int?
        var scale = 0
        var precision = 0
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1:
                let code = try reader.int(kind)
                guard let type = ParquetType(rawValue: code) else {
                    throw .corrupted("the schema has an unknown physical type: \(code)")
                }
                element.type = type
            case 2: element.typeLength = try reader.int(kind)
            case 3:
                let code = try reader.int(kind)
                guard let repetition = Repetition(rawValue: code) else {
                    throw .unsupported(
                        "the schema has a repetition this reader does not know: \(code)")
                }
                element.repetition = repetition
            case 4: element.name = try reader.text(kind)
            case 5: element.childCount = try reader.count(kind)
            case 6: converted = try reader.int(kind)
            case 7: scale = try reader.int(kind)
            case 8: precision = try reader.int(kind)
            case 9: element.fieldID = try reader.int(kind)
            case 10: element.annotation = try Annotation(from: &reader)
            default: try reader.skip(kind)
            }
        }
        if element.annotation == .none, let converted {
            element.annotation = Annotation(
                converted: converted, precision: precision, scale: scale)
        }
        // A group with a type, or a leaf with children, would make two readings of the tree.
        if element.type != nil { element.childCount = 0 }
        self = element
    }
}

extension Annotation {
    fileprivate init(converted: Int, precision: Int, scale: Int) {
        self =
            switch converted {
            case 0, 4: .string
            case 1: .map
            case 2: .mapKeyValue
            case 3: .list
            case 5: .decimal(precision: precision, scale: scale)
            case 6: .date
            case 7: .time(.millis, isUTC: true)
            case 8: .time(.micros, isUTC: true)
            case 9: .timestamp(.millis, isUTC: true)
            case 10: .timestamp(.micros, isUTC: true)
            case 11: .integer(bits: 8, isSigned: false)
            case 12: .integer(bits: 16, isSigned: false)
            case 13: .integer(bits: 32, isSigned: false)
            case 14: .integer(bits: 64, isSigned: false)
            case 15: .integer(bits: 8, isSigned: true)
            case 16: .integer(bits: 16, isSigned: true)
            case 17: .integer(bits: 32, isSigned: true)
            case 18: .integer(bits: 64, isSigned: true)
            case 19: .json
            case 20: .bson
            case 21: .interval
            default: .other
            }
    }

    /// Reads the `LogicalType` union.
    fileprivate init(from reader: inout ThriftReader) throws(ParquetError) {
        var result = Annotation.none
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1, 4: result = .string
            case 2: result = .map
            case 3: result = .list
            case 5:
                var scale = 0
                var precision = 0
                try reader.structure { (reader, id, kind) throws(ParquetError) in
                    switch id {
                    case 1: scale = try reader.int(kind)
                    case 2: precision = try reader.int(kind)
                    default: try reader.skip(kind)
                    }
                }
                result = .decimal(precision: precision, scale: scale)
                return
            case 6: result = .date
            case 7, 8:
                let (unit, isUTC) = try Annotation.unit(&reader)
                result = id == 7 ? .time(unit, isUTC: isUTC) : .timestamp(unit, isUTC: isUTC)
                return
            case 10:
                var bits = 0
                var isSigned = true
                try reader.structure { (reader, id, kind) throws(ParquetError) in
                    switch id {
                    case 1: bits = try reader.int(kind)
                    case 2: isSigned = try reader.bool(kind)
                    default: try reader.skip(kind)
                    }
                }
                result = .integer(bits: bits, isSigned: isSigned)
                return
            case 11: result = .null
            case 12: result = .json
            case 13: result = .bson
            case 14: result = .uuid
            case 15: result = .float16
            case 16: result = .variant
            default: result = .other
            }
            try reader.skip(kind)
        }
        self = result
    }

    private static func unit(
        _ reader: inout ThriftReader
    ) throws(ParquetError) -> (Unit, isUTC: Bool) {
        var isUTC = false
        var unit: Unit?
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: isUTC = try reader.bool(kind)
            case 2:
                try reader.structure { (reader, id, kind) throws(ParquetError) in
                    unit = id == 1 ? .millis : id == 2 ? .micros : id == 3 ? .nanos : nil
                    try reader.skip(kind)
                }
            default: try reader.skip(kind)
            }
        }
        guard let unit else { throw .unsupported("a time column has an unknown unit") }
        return (unit, isUTC)
    }
}

extension RowGroupMetadata {
    fileprivate init(from reader: inout ThriftReader) throws(ParquetError) {
        var group = RowGroupMetadata()
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1:
                try reader.list(kind) { (reader, _) throws(ParquetError) in
                    group.columns.append(try ColumnChunkMetadata(from: &reader))
                }
            case 2: group.totalByteSize = try reader.count(kind)
            case 3: group.rowCount = try reader.count(kind)
            default: try reader.skip(kind)
            }
        }
        self = group
    }
}

extension ColumnChunkMetadata {
    fileprivate init(from reader: inout ThriftReader) throws(ParquetError) {
        var chunk = ColumnChunkMetadata()
        var hasMetadata = false
        var offsetIndex = (offset: 0, length: 0)
        var columnIndex = (offset: 0, length: 0)
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: throw .unsupported("a column lies in another file: \(try reader.text(kind))")
            case 3:
                hasMetadata = true
                try chunk.readMetadata(&reader, kind)
            case 4: offsetIndex.offset = try reader.count(kind)
            case 5: offsetIndex.length = try reader.count(kind)
            case 6: columnIndex.offset = try reader.count(kind)
            case 7: columnIndex.length = try reader.count(kind)
            case 8, 9:
                chunk.isEncrypted = true
                try reader.skip(kind)
            default: try reader.skip(kind)
            }
        }
        guard hasMetadata || chunk.isEncrypted else {
            throw .corrupted("a column chunk has no metadata")
        }
        if offsetIndex.length > 0 {
            chunk.offsetIndex = offsetIndex.offset..<(offsetIndex.offset + offsetIndex.length)
        }
        if columnIndex.length > 0 {
            chunk.columnIndex = columnIndex.offset..<(columnIndex.offset + columnIndex.length)
        }
        self = chunk
    }

    private mutating func readMetadata(
        _ reader: inout ThriftReader, _ kind: ThriftReader.Kind
    ) throws(ParquetError) {
        guard kind == .structure else {
            throw .corrupted("a column chunk's metadata is no structure")
        }
        var chunk = self
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1:
                guard let type = ParquetType(rawValue: try reader.int(kind)) else {
                    throw .corrupted("a column chunk has an unknown physical type")
                }
                chunk.type = type
            case 2:
                try reader.list(kind) { (reader, kind) throws(ParquetError) in
                    if let encoding = Encoding(rawValue: try reader.int(kind)) {
                        chunk.encodings.append(encoding)
                    }
                }
            case 3:
                try reader.list(kind) { (reader, kind) throws(ParquetError) in
                    chunk.path.append(try reader.text(kind))
                }
            case 4:
                let code = try reader.int(kind)
                if let codec = Codec(parquet: code) {
                    chunk.codec = codec
                } else {
                    chunk.unknownCodec = code
                }
            case 5: chunk.valueCount = try reader.count(kind)
            case 6: chunk.uncompressedSize = try reader.count(kind)
            case 7: chunk.compressedSize = try reader.count(kind)
            case 9: chunk.dataPageOffset = try reader.count(kind)
            case 11: chunk.dictionaryPageOffset = try reader.count(kind)
            case 12: chunk.statistics = try RawStatistics(from: &reader)
            case 14: chunk.bloomFilterOffset = try reader.count(kind)
            case 15: chunk.bloomFilterLength = try reader.count(kind)
            default: try reader.skip(kind)
            }
        }
        self = chunk
    }
}

extension RawStatistics {
    init(from reader: inout ThriftReader) throws(ParquetError) {
        var statistics = RawStatistics()
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: statistics.oldMax = try reader.binary(kind)
            case 2: statistics.oldMin = try reader.binary(kind)
            case 3: statistics.nullCount = try reader.count(kind)
            case 4: statistics.distinctCount = try reader.count(kind)
            case 5: statistics.max = try reader.binary(kind)
            case 6: statistics.min = try reader.binary(kind)
            case 7: statistics.isMaxExact = try reader.bool(kind)
            case 8: statistics.isMinExact = try reader.bool(kind)
            case 9: statistics.nanCount = try reader.count(kind)
            default: try reader.skip(kind)
            }
        }
        self = statistics
    }
}

extension Codec {
    /// The codec of Parquet's number; nil for LZO and numbers to come.
    init?(parquet code: Int) {
        switch code {
        case 0: self = .none
        case 1: self = .snappy
        case 2: self = .gzip
        case 4: self = .brotli
        case 5: self = .lz4Hadoop
        case 6: self = .zstd
        case 7: self = .lz4Block
        default: return nil
        }
    }

    /// Parquet's number; nil for framings that Parquet does not have.
    var parquetCode: Int? {
        switch self {
        case .none: 0
        case .snappy: 1
        case .gzip: 2
        case .brotli: 4
        case .lz4Hadoop: 5
        case .zstd: 6
        case .lz4Block: 7
        case .zlib, .deflate, .lz4Frame: nil
        }
    }
}
