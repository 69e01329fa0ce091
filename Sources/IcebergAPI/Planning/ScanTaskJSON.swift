import Bytes
import Iceberg
import JSON

/// File scan tasks as the specification writes them. Source: REST catalog specification, `ScanTasks`.
struct ScanTaskWriter {
    private let statisticsFields: Set<Int32>
    private let isExact: Bool
    private var types: [Int32: PrimitiveType] = [:]
    private var deletes: [JSONValue] = []
    private var places: [String: Int] = [:]
    private var tasks: [JSONValue] = []

    init(_ plan: PlannedScan) {
        statisticsFields = plan.statisticsFields
        isExact = plan.isExact
        for schema in plan.metadata.schemasNewestFirst.reversed() {
            for field in schema.primitiveColumns {
                if let type = field.type.primitive { types[field.id] = type }
            }
        }
    }

    mutating func add(_ task: FileScanTask) {
        var object = JSONObject([("data-file", data(task.file))])
        let references = (task.positionDeletes + task.equalityDeletes).map { file -> Int in
            let key = "\(file.path)\u{0}\(file.contentOffset ?? -1)"
            if let known = places[key] { return known }
            deletes.append(delete(file))
            places[key] = deletes.count - 1
            return deletes.count - 1
        }
        if !references.isEmpty {
            object.append("delete-file-references", .array(references.map { .int($0) }))
        }
        if isExact, task.allRowsMatch { object.append("residual-filter", ["type": "true"]) }
        tasks.append(.object(object))
    }

    /// The members of `ScanTasks`, but for the plan tasks.
    var members: [(String, JSONValue)] {
        [("delete-files", .array(deletes)), ("file-scan-tasks", .array(tasks))]
    }

    private func content(_ file: DataFile, _ kind: String) -> JSONObject {
        var object = JSONObject([
            ("content", .string(kind)), ("file-path", .string(file.path)),
            ("file-format", .string(file.format.lowercased())),
            ("spec-id", .int(Int64(file.specID))),
            ("partition", .array(file.partition.map { $0?.json ?? .null })),
            ("file-size-in-bytes", .int(file.sizeBytes)), ("record-count", .int(file.recordCount)),
        ])
        if let key = file.keyMetadata {
            object.append("key-metadata", .string(hexText(key).uppercased()))
        }
        if !file.splitOffsets.isEmpty {
            object.append("split-offsets", .array(file.splitOffsets.map { .int($0) }))
        }
        if let order = file.sortOrderID { object.append("sort-order-id", .int(Int64(order))) }
        return object
    }

    private func data(_ file: DataFile) -> JSONValue {
        var object = content(file, "data")
        if let first = file.firstRowID { object.append("first-row-id", .int(first)) }
        for (name, counts) in [
            ("column-sizes", file.columnSizes), ("value-counts", file.valueCounts),
            ("null-value-counts", file.nullCounts), ("nan-value-counts", file.nanCounts),
        ] {
            append(name, counts) { _, count in .int(count) }
        }
        for (name, bounds) in [
            ("lower-bounds", file.lowerBounds), ("upper-bounds", file.upperBounds),
        ] {
            append(name, bounds) { id, bytes in
                types[id].flatMap { Literal(singleValueBytes: bytes, type: $0) }?.json
            }
        }
        func append<Value>(
            _ name: String, _ map: FieldMap<Value>, _ json: (Int32, Value) -> JSONValue?
        ) {
            var keys: [JSONValue] = []
            var values: [JSONValue] = []
            for (id, value) in zip(map.ids, map.values) where statisticsFields.contains(id) {
                guard let value = json(id, value) else { continue }
                keys.append(.int(Int64(id)))
                values.append(value)
            }
            if !keys.isEmpty {
                object.append(name, ["keys": .array(keys), "values": .array(values)])
            }
        }
        return .object(object)
    }

    private func delete(_ file: DataFile) -> JSONValue {
        guard file.content == .positionDeletes else {
            var object = content(file, "equality-deletes")
            object.append("equality-ids", .array(file.equalityIDs.map { .int(Int64($0)) }))
            return .object(object)
        }
        var object = content(file, "position-deletes")
        if let path = file.referencedDataFile {
            object.append("referenced-data-file", .string(path))
        }
        if let offset = file.contentOffset { object.append("content-offset", .int(offset)) }
        if let size = file.contentSizeBytes {
            object.append("content-size-in-bytes", .int(size))
        }
        return .object(object)
    }
}
