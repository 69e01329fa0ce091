/// The header in front of each page.
struct PageHeader {
    enum Kind: Int { case data = 0, index, dictionary, dataV2 }

    var kind: Kind = .index
    var uncompressedSize = 0
    var compressedSize = 0
    var valueCount = 0
    /// Version 2 only: rows, NULLs and the bytes of the levels in front of the values.
    var rowCount: Int?
    var definitionBytes = 0
    var repetitionBytes = 0
    var isCompressed = true
    var encoding: Encoding?
    var hasBitPackedDefinitions = false
    var hasBitPackedRepetitions = false

    /// Reads a header; `headerSize` is what it took.
    static func read(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ParquetError) -> (header: PageHeader, headerSize: Int) {
        var reader = ThriftReader(bytes)
        var header = PageHeader()
        var known = false
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1:
                // A kind of page to come is passed over.
                if let kind = Kind(rawValue: try reader.int(kind)) { header.kind = kind }
                known = true
            case 2: header.uncompressedSize = try reader.count(kind)
            case 3: header.compressedSize = try reader.count(kind)
            case 5 where kind == .structure: try header.readData(&reader)
            case 7 where kind == .structure: try header.readDictionary(&reader)
            case 8 where kind == .structure: try header.readDataV2(&reader)
            default: try reader.skip(kind)
            }
        }
        guard known else { throw .corrupted("a page header does not say what page it is") }
        guard header.uncompressedSize <= ParquetLimits.pageBytes,
            header.valueCount <= ParquetLimits.pageValues
        else {
            throw ParquetError(
                code: .limitExceeded,
                message:
                    "a page claims \(header.uncompressedSize) bytes and \(header.valueCount) values"
            )
        }
        return (header, reader.offset)
    }

    private mutating func readData(_ reader: inout ThriftReader) throws(ParquetError) {
        var header = self
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: header.valueCount = try reader.count(kind)
            case 2: header.encoding = Encoding(rawValue: try reader.int(kind))
            case 3:
                header.hasBitPackedDefinitions = try reader.int(kind) == Encoding.bitPacked.rawValue
            case 4:
                header.hasBitPackedRepetitions = try reader.int(kind) == Encoding.bitPacked.rawValue
            default: try reader.skip(kind)
            }
        }
        self = header
    }

    private mutating func readDictionary(_ reader: inout ThriftReader) throws(ParquetError) {
        var header = self
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: header.valueCount = try reader.count(kind)
            case 2: header.encoding = Encoding(rawValue: try reader.int(kind))
            default: try reader.skip(kind)
            }
        }
        self = header
    }

    private mutating func readDataV2(_ reader: inout ThriftReader) throws(ParquetError) {
        var header = self
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1: header.valueCount = try reader.count(kind)
            case 3: header.rowCount = try reader.count(kind)
            case 4: header.encoding = Encoding(rawValue: try reader.int(kind))
            case 5: header.definitionBytes = try reader.count(kind)
            case 6: header.repetitionBytes = try reader.count(kind)
            case 7: header.isCompressed = try reader.bool(kind)
            default: try reader.skip(kind)
            }
        }
        self = header
    }
}
