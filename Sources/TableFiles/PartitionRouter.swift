import Iceberg
import Parquet
import Vectors

/// Tells which partition each row of a chunk belongs to.
///
/// A value's transformed literal is worked out once and remembered, so that the usual row costs one
/// lookup a partition field.
struct PartitionRouter {
    /// The tuples found so far; rows are told by their number here.
    private(set) var tuples: [[Literal?]] = []
    private var fields: [PartitionColumn]
    private var numbers: [[Int32]: Int32] = [:]

    /// Throws where a source column is missing or a transform is not known.
    init(spec: PartitionSpec, schema: Schema) throws(TableFileError) {
        fields = []
        for field in spec.fields {
            if case .unknown(let name) = field.transform {
                throw TableFileError(
                    code: .unsupported,
                    message: "tables partitioned by \(name) cannot be written by this version")
            }
            if field.transform == .void {
                fields.append(PartitionColumn(path: [], type: .int, transform: .void))
                continue
            }
            guard let (path, type) = Self.path(to: field.sourceID, in: schema.fields) else {
                throw TableFileError(
                    code: .schemaMismatch,
                    message: "the source column of partition field \(field.name) is not there")
            }
            fields.append(PartitionColumn(path: path, type: type, transform: field.transform))
        }
    }

    /// Column numbers from the outermost row to a primitive column.
    private static func path(
        to id: Int32, in fields: [NestedField]
    ) -> ([Int], PrimitiveType)? {
        for (index, field) in fields.enumerated() {
            switch field.type {
            case .primitive(let type): if field.id == id { return ([index], type) }
            case .structure(let inner):
                if let (rest, type) = path(to: id, in: inner) { return ([index] + rest, type) }
            case .list, .map: continue
            }
        }
        return nil
    }

    /// Fills `partitions[i]` with the tuple number of the chunk's `i`th active row.
    mutating func route(_ chunk: Chunk, into partitions: inout [Int32]) {
        let count = chunk.activeCount
        if fields.isEmpty {
            if tuples.isEmpty { tuples.append([]) }
            for index in 0..<count { partitions[index] = 0 }
            return
        }
        var columns: [[Int32]] = []
        for index in fields.indices { columns.append(fields[index].numbers(of: chunk)) }
        var key = [Int32](repeating: -1, count: fields.count)
        var last: Int32 = -1
        for index in 0..<count {
            var isSame = last >= 0
            for field in columns.indices where columns[field][index] != key[field] {
                key[field] = columns[field][index]
                isSame = false
            }
            if !isSame { last = number(of: key) }
            partitions[index] = last
        }
    }

    private mutating func number(of key: [Int32]) -> Int32 {
        if let known = numbers[key] { return known }
        let number = Int32(tuples.count)
        tuples.append(zip(fields, key).map { $0.literals[Int($1)] })
        numbers[key] = number
        return number
    }
}

/// One part of the tuple: numbers for the transformed values of one column.
private struct PartitionColumn {
    private let path: [Int]
    private let type: PrimitiveType
    private let transform: Transform
    /// Transformed values by number; 0 is NULL.
    private(set) var literals: [Literal?] = [nil]
    private var byLiteral: [Literal: Int32] = [:]
    private var byWord: [Int128: Int32] = [:]
    private var byText: [[UInt8]: Int32] = [:]
    /// Source values remembered at the most.
    private static let remembered = 1 << 16

    init(path: [Int], type: PrimitiveType, transform: Transform) {
        self.path = path
        self.type = type
        self.transform = transform
    }

    mutating func numbers(of chunk: Chunk) -> [Int32] {
        let count = chunk.activeCount
        var result = [Int32](repeating: 0, count: count)
        guard let first = path.first else { return result }
        var vector = chunk.columns[first]
        var ancestors: [Vector] = []
        for step in path.dropFirst() {
            guard let children = vector.children else { return result }
            ancestors.append(vector)
            vector = children[step]
        }
        var entries: [Int32] =
            vector.form == .dictionary
            ? [Int32](repeating: -1, count: Int(vector.entryCount)) : []
        for index in 0..<count {
            let row = chunk.row(index)
            guard vector.isValid(row), ancestors.allSatisfy({ $0.isValid(row) }) else { continue }
            let slot = vector.valueIndex(row)
            if vector.form == .dictionary, slot < entries.count {
                if entries[slot] < 0 { entries[slot] = number(vector, row) }
                result[index] = entries[slot]
            } else {
                result[index] = number(vector, row)
            }
        }
        return result
    }

    private mutating func number(_ vector: Vector, _ row: Int) -> Int32 {
        switch vector.physical {
        case .string:
            let bytes = vector.string(row).withBytes { Array($0) }
            if let known = byText[bytes] { return known }
            let number = number(of: IcebergTypes.literal(vector, row, type))
            if byText.count >= Self.remembered { byText.removeAll(keepingCapacity: true) }
            byText[bytes] = number
            return number
        case .bool: return remember(Int128(vector.value(row, as: UInt8.self)), vector, row)
        case .int32: return remember(Int128(vector.value(row, as: Int32.self)), vector, row)
        case .int64: return remember(hourKey(vector.value(row, as: Int64.self)), vector, row)
        case .int128:
            let word = vector.value(row, as: Int128.self)
            return remember(
                type == .timestamptz ? hourKey(Int64(truncatingIfNeeded: word >> 64)) : word,
                vector, row)
        case .double:
            return remember(Int128(vector.value(row, as: Double.self).bitPattern), vector, row)
        case .list, .row: return 0
        }
    }

    /// Moments of one hour share their year, month, day and hour.
    private func hourKey(_ value: Int64) -> Int128 {
        switch (transform, type) {
        case (.year, .timestamp), (.month, .timestamp), (.day, .timestamp), (.hour, .timestamp),
            (.year, .timestamptz), (.month, .timestamptz), (.day, .timestamptz),
            (.hour, .timestamptz):
            let (hours, rest) = value.quotientAndRemainder(dividingBy: 3_600_000_000)
            return Int128(rest < 0 ? hours - 1 : hours)
        default: return Int128(value)
        }
    }

    private mutating func remember(_ word: Int128, _ vector: Vector, _ row: Int) -> Int32 {
        if let known = byWord[word] { return known }
        let number = number(of: IcebergTypes.literal(vector, row, type))
        if byWord.count >= Self.remembered { byWord.removeAll(keepingCapacity: true) }
        byWord[word] = number
        return number
    }

    private mutating func number(of source: Literal?) -> Int32 {
        guard let literal = transform.apply(source) else { return 0 }
        if let known = byLiteral[literal] { return known }
        let number = Int32(literals.count)
        literals.append(literal)
        byLiteral[literal] = number
        return number
    }
}
