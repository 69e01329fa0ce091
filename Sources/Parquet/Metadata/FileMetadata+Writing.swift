import Compression

extension FileMetadata {
    /// The footer's bytes.
    func serialized() -> [UInt8] {
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.int32(1, version)
            writer.list(2, .structure, count: schema.count)
            for element in schema { writer.structureElement { element.write(to: &$0) } }
            writer.int64(3, rowCount)
            writer.list(4, .structure, count: rowGroups.count)
            for (index, group) in rowGroups.enumerated() {
                writer.structureElement { group.write(to: &$0, ordinal: index) }
            }
            if !keyValues.isEmpty {
                writer.list(5, .structure, count: keyValues.count)
                for pair in keyValues {
                    writer.structureElement {
                        $0.text(1, pair.key)
                        $0.text(2, pair.value)
                    }
                }
            }
            if let createdBy { writer.text(6, createdBy) }
            writer.list(7, .structure, count: columnOrders.count)
            for _ in columnOrders {
                writer.structureElement { $0.structure(1) { _ in } }
            }
        }
        return writer.bytes
    }
}

extension SchemaElement {
    fileprivate func write(to writer: inout ThriftWriter) {
        if let type { writer.int32(1, type.rawValue) }
        if typeLength > 0 { writer.int32(2, typeLength) }
        // The root, which alone has no name of a field, has no repetition.
        if !isRoot { writer.int32(3, repetition.rawValue) }
        writer.text(4, name)
        if type == nil { writer.int32(5, childCount) }
        if let converted = annotation.convertedType { writer.int32(6, converted) }
        if case .decimal(let precision, let scale) = annotation {
            writer.int32(7, scale)
            writer.int32(8, precision)
        }
        if let fieldID { writer.int32(9, fieldID) }
        if annotation.hasLogicalType {
            writer.structure(10) { annotation.write(to: &$0) }
        }
    }

    private var isRoot: Bool { name == SchemaElement.rootName && type == nil && fieldID == nil }

    /// What the root group is called, as Iceberg's own writers do.
    static let rootName = "table"
}

extension Annotation {
    /// The older annotation that says the same, for older readers.
    fileprivate var convertedType: Int? {
        switch self {
        case .string: 0
        case .map: 1
        case .list: 3
        case .decimal: 5
        case .date: 6
        case .time(.millis, _): 7
        case .time(.micros, _): 8
        case .timestamp(.millis, isUTC: true): 9
        case .timestamp(.micros, isUTC: true): 10
        case .integer(8, isSigned: true): 15
        case .integer(16, isSigned: true): 16
        case .integer(32, isSigned: true): 17
        case .integer(64, isSigned: true): 18
        case .json: 19
        default: nil
        }
    }

    fileprivate var hasLogicalType: Bool {
        switch self {
        case .none, .other, .interval, .mapKeyValue, .variant: false
        default: true
        }
    }

    fileprivate func write(to writer: inout ThriftWriter) {
        switch self {
        case .string: writer.structure(1) { _ in }
        case .map: writer.structure(2) { _ in }
        case .list: writer.structure(3) { _ in }
        case .decimal(let precision, let scale):
            writer.structure(5) {
                $0.int32(1, scale)
                $0.int32(2, precision)
            }
        case .date: writer.structure(6) { _ in }
        case .time(let unit, let isUTC), .timestamp(let unit, let isUTC):
            var id = 8
            if case .time = self { id = 7 }
            writer.structure(id) {
                $0.bool(1, isUTC)
                $0.structure(2) {
                    $0.structure(unit == .millis ? 1 : unit == .micros ? 2 : 3) { _ in }
                }
            }
        case .integer(let bits, let isSigned):
            writer.structure(10) {
                $0.byte(1, bits)
                $0.bool(2, isSigned)
            }
        case .null: writer.structure(11) { _ in }
        case .json: writer.structure(12) { _ in }
        case .bson: writer.structure(13) { _ in }
        case .uuid: writer.structure(14) { _ in }
        case .float16: writer.structure(15) { _ in }
        case .none, .other, .interval, .mapKeyValue, .variant: break
        }
    }
}

extension RowGroupMetadata {
    fileprivate func write(to writer: inout ThriftWriter, ordinal: Int) {
        writer.list(1, .structure, count: columns.count)
        for column in columns { writer.structureElement { column.write(to: &$0) } }
        writer.int64(2, totalByteSize)
        writer.int64(3, rowCount)
        writer.int64(5, startOffset)
        writer.int64(6, compressedSize)
    }
}

extension ColumnChunkMetadata {
    fileprivate func write(to writer: inout ThriftWriter) {
        writer.int64(2, 0)
        writer.structure(3) { writer in
            writer.int32(1, type.rawValue)
            writer.list(2, .int32, count: encodings.count)
            for encoding in encodings { writer.element(encoding.rawValue) }
            writer.list(3, .binary, count: path.count)
            for name in path { writer.element(Array(name.utf8)) }
            writer.int32(4, codec.parquetCode ?? 0)
            writer.int64(5, valueCount)
            writer.int64(6, uncompressedSize)
            writer.int64(7, compressedSize)
            writer.int64(9, dataPageOffset)
            if let dictionaryPageOffset { writer.int64(11, dictionaryPageOffset) }
            if let statistics { writer.structure(12) { statistics.write(to: &$0) } }
            if let bloomFilterOffset { writer.int64(14, bloomFilterOffset) }
            if let bloomFilterLength { writer.int32(15, bloomFilterLength) }
        }
        if let offsetIndex {
            writer.int64(4, offsetIndex.lowerBound)
            writer.int32(5, offsetIndex.count)
        }
        if let columnIndex {
            writer.int64(6, columnIndex.lowerBound)
            writer.int32(7, columnIndex.count)
        }
    }
}

extension RawStatistics {
    func write(to writer: inout ThriftWriter) {
        if let nullCount { writer.int64(3, nullCount) }
        if let max { writer.binary(5, max) }
        if let min { writer.binary(6, min) }
        if let isMaxExact, max != nil { writer.bool(7, isMaxExact) }
        if let isMinExact, min != nil { writer.bool(8, isMinExact) }
        if let nanCount { writer.int64(9, nanCount) }
    }
}
