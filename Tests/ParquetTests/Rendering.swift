import Glibc
import ObjectStorage
import Parquet
import Testing
import Vectors

/// Prints values as `Fixtures/make.py` does.
func render(_ vector: Vector, _ row: Int, _ type: LogicalType) -> String {
    guard vector.isValid(row) else { return "null" }
    switch type {
    case .boolean: return vector.value(row, as: UInt8.self) == 1 ? "true" : "false"
    case .tinyint, .smallint, .integer, .date: return "\(vector.value(row, as: Int32.self))"
    case .bigint, .time: return "\(vector.value(row, as: Int64.self))"
    case .real, .double:
        let bits = String(vector.value(row, as: Double.self).bitPattern, radix: 16)
        return "d" + String(repeating: "0", count: 16 - bits.count) + bits
    case .decimal(let precision, _):
        return precision <= 18
            ? "\(vector.value(row, as: Int64.self))" : "\(vector.value(row, as: Int128.self))"
    case .timestamp(let precision) where precision <= 6:
        return "\(vector.value(row, as: Int64.self))"
    case .timestamp:
        let packed = vector.value(row, as: Int128.self)
        return "\(packed >> 64).\(packed & 0xFFFF_FFFF_FFFF_FFFF)"
    case .timestampWithTimeZone:
        let packed = vector.value(row, as: Int128.self)
        return "\(packed >> 64).\((packed & 0xFFFF_FFFF_FFFF_FFFF) >> 16).\(packed & 0xFFFF)"
    case .varchar:
        return "'" + vector.string(row).string.replacing("\n", with: "\\n") + "'"
    case .varbinary:
        return "x"
            + vector.string(row).withBytes { bytes in
                bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
    case .array(let element):
        guard let children = vector.children else { return "no children" }
        let entry = vector.value(row, as: ListEntry.self)
        let values = (0..<Int(entry.count)).map {
            render(children[0], Int(entry.offset) + $0, element)
        }
        return "[" + values.joined(separator: ",") + "]"
    case .map(let key, let value):
        guard let children = vector.children else { return "no children" }
        let entry = vector.value(row, as: ListEntry.self)
        let pairs = (0..<Int(entry.count)).map {
            render(children[0], Int(entry.offset) + $0, key) + "="
                + render(children[1], Int(entry.offset) + $0, value)
        }
        return "{" + pairs.joined(separator: ",") + "}"
    case .row(let fields):
        guard let children = vector.children else { return "no children" }
        return "("
            + fields.enumerated().map { render(children[$0.offset], row, $0.element.type) }
            .joined(separator: ",") + ")"
    default: return "?\(type)"
    }
}

/// One line a row: the columns of a chunk, separated by tabs.
func lines(_ chunk: Chunk, _ types: [LogicalType]) -> [String] {
    for (index, type) in types.enumerated() {
        #expect(chunk.columns[index].physical == type.physical, "column \(index) of type \(type)")
    }
    return (0..<chunk.count).map { row in
        types.enumerated().map { render(chunk.columns[$0.offset], row, $0.element) }
            .joined(separator: "\t")
    }
}

/// Bytes in memory as an object.
final class BytesReader: ObjectReader {
    let bytes: [UInt8]
    let description: ObjectDescription

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        description = ObjectDescription(
            location: ObjectLocation(bucket: "test", key: "file.parquet"),
            sizeBytes: Int64(bytes.count),
            etag: "", version: "1", modifiedMicroseconds: 0)
    }

    func read(
        _ ranges: [RangeRead],
        completion: @escaping @Sendable (Result<Void, ObjectStoreError>) -> Void
    ) {
        do throws(ObjectStoreError) {
            try readNow(ranges)
            completion(.success(()))
        } catch { completion(.failure(error)) }
    }

    func readNow(_ ranges: [RangeRead]) throws(ObjectStoreError) {
        for range in ranges {
            let start = Int(range.offset)
            guard start >= 0, range.destination.count <= bytes.count - start else {
                throw ObjectStoreError(code: .invalidRange, message: "past the end")
            }
            range.destination.copyBytes(from: bytes[start..<(start + range.destination.count)])
        }
    }
}

/// Collects what a writer appends.
final class BytesWriter: ObjectWriter {
    var bytes: [UInt8] = []

    func append(_ more: UnsafeRawBufferPointer) throws(ObjectStoreError) { bytes += more }

    func commit(precondition: WritePrecondition) throws(ObjectStoreError) -> ObjectDescription {
        ObjectDescription(
            location: ObjectLocation(bucket: "test", key: "file.parquet"),
            sizeBytes: Int64(bytes.count),
            etag: "", version: "1", modifiedMicroseconds: 0)
    }

    func abandon() { bytes = [] }
}

/// A small seeded generator, so that a failure can be repeated.
struct Seeded {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

func readFile(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&piece, 1, piece.count, file)
        if count == 0 { return result }
        result += piece[0..<count]
    }
}

func fixture(_ name: String) -> [UInt8] {
    let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    return readFile("/\(folder)/Fixtures/\(name)")
}

/// Scans all row groups of a file into lines.
func scanLines(
    _ file: ParquetFile, columns: [ScanColumn]? = nil, outputs: [Int]? = nil,
    filters: [ScanFilter] = [],
    rowFilters: [any RowFilter] = [], deleted: DeletedPositions? = nil,
    options: ScanOptions = ScanOptions(), memory: ScanMemory? = nil
) throws -> (lines: [String], counters: ScanCounters) {
    let columns = columns ?? file.schema.fields.map { .whole($0) }
    let memory = memory ?? ScanMemory(budget: MemoryBudget(limitBytes: 1 << 30))
    let scan = try ParquetScan(
        file, columns: columns, outputs: outputs, filters: filters, rowFilters: rowFilters,
        deleted: deleted, options: options, memory: memory)
    let types = (outputs ?? Array(columns.indices)).map { columns[$0].type }
    var result: [String] = []
    for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
        while let chunk = try scan.next() {
            #expect(chunk.count > 0)
            result += lines(chunk, types)
        }
    }
    return (result, scan.counters)
}
