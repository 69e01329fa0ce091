package import Iceberg
package import ObjectStorage
import Parquet
package import Platform
package import Vectors

/// Writes rows as data files of a table, each into its partition. Belongs to one thread.
package final class PartitionedDataWriter {
    /// The SQL types of the columns that chunks must have, in the schema's order.
    package let types: [LogicalType]
    private let store: any ObjectStore
    private let schema: Schema
    private let spec: PartitionSpec
    private let location: String
    private let options: DataWriterOptions
    private let budget: MemoryBudget
    private let entropy: any Entropy
    private let fields: [WriterField]
    private let primitives: [Int: PrimitiveType]
    private var router: PartitionRouter
    /// Open files by tuple number.
    private var open: [Int32: OpenDataFile] = [:]
    private var finished: [DataFile] = []
    private var isFinished = false
    private var numbers = [Int32](repeating: 0, count: Chunk.capacity)
    /// By tuple number, its place among the partitions of one chunk; -1: not there.
    private var slots: [Int32] = []
    /// The chunk's columns again, with the selection of one partition.
    private let part: Chunk
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    /// `schema` and `spec` are the table's current ones unless given. `lineage`: what chunks have after
    /// the schema's columns, for rows that keep who they are.
    ///
    /// Throws `.unsupported` for columns and transforms that cannot be written.
    package init(
        store: any ObjectStore, table: TableMetadata, schema: Schema? = nil,
        spec: PartitionSpec? = nil, lineage: [RowLineage] = [],
        options: DataWriterOptions? = nil, budget: MemoryBudget, entropy: any Entropy
    ) throws(TableFileError) {
        let schema = schema ?? table.currentSchema
        let spec = spec ?? table.defaultSpec
        self.store = store
        self.schema = schema
        self.spec = spec
        self.budget = budget
        self.entropy = entropy
        self.options = options ?? DataWriterOptions(properties: table.properties)
        location = dataLocation(of: table)
        var types: [LogicalType] = []
        for field in schema.fields {
            guard let type = IcebergTypes.sqlType(field.type) else {
                throw TableFileError(
                    code: .unsupported,
                    message: "column \(field.name) has a type that cannot be written")
            }
            types.append(type)
        }
        let kept = lineage.map(\.field)
        types += kept.map { _ in .bigint }
        self.types = types
        fields = zip(schema.fields + kept, types).map { IcebergTypes.writerField($0, $1) }
        var primitives: [Int: PrimitiveType] = [:]
        for field in schema.primitiveColumns { primitives[Int(field.id)] = field.type.primitive }
        self.primitives = primitives
        router = try PartitionRouter(spec: spec, schema: schema)
        part = Chunk(columnCount: types.count)
    }

    deinit {
        if !isFinished { abandon() }
        selection.deallocate()
    }

    /// Rows so far.
    package private(set) var rowCount = 0

    /// Adds the chunk's active rows; its columns have `types`.
    package func append(_ chunk: Chunk) throws(TableFileError) {
        let count = chunk.activeCount
        if count == 0 { return }
        guard chunk.columnCount == types.count else {
            throw TableFileError(
                code: .schemaMismatch,
                message: "the rows have \(chunk.columnCount) columns, the table \(types.count)")
        }
        rowCount += count
        if router.tuples.count == 1, spec.fields.isEmpty {
            return try append(chunk, to: 0)
        }
        router.route(chunk, into: &numbers)
        if numbers[0..<count].allSatisfy({ $0 == numbers[0] }) {
            return try append(chunk, to: numbers[0])
        }
        for column in 0..<types.count { part.columns[column] = chunk.columns[column] }
        part.count = chunk.count
        // A counting sort of the rows by partition: partitions in the order of their first rows.
        if slots.count < router.tuples.count {
            slots += [Int32](repeating: -1, count: router.tuples.count - slots.count)
        }
        var present: [(number: Int32, count: Int)] = []
        for index in 0..<count {
            let number = numbers[index]
            if slots[Int(number)] < 0 {
                slots[Int(number)] = Int32(present.count)
                present.append((number, 0))
            }
            present[Int(slots[Int(number)])].count += 1
        }
        var places: [Int] = []
        var next = 0
        for partition in present {
            places.append(next)
            next += partition.count
        }
        for index in 0..<count {
            let slot = Int(slots[Int(numbers[index])])
            selection[places[slot]] = UInt32(truncatingIfNeeded: chunk.row(index))
            places[slot] += 1
        }
        for partition in present { slots[Int(partition.number)] = -1 }
        var start = 0
        for partition in present {
            part.selection = selection + start
            part.selectedCount = partition.count
            start += partition.count
            try append(part, to: partition.number)
        }
    }

    /// Adds chunks in order, with the team's threads where all rows go to one file.
    package func append(_ chunks: [Chunk], _ team: LoadTeam) throws(TableFileError) {
        // Files and row groups end at their size, give or take what comes at once.
        guard spec.fields.isEmpty, options.targetFileBytes >= Self.sizeForTeams,
            options.parquet.rowGroupBytes >= Self.sizeForTeams,
            chunks.allSatisfy({ $0.columnCount == types.count })
        else {
            for chunk in chunks { try append(chunk) }
            return
        }
        // The first rows make the one partition known.
        let first = chunks.first { router.tuples.isEmpty && $0.activeCount > 0 }
        if let first { try append(first) }
        let rest = chunks.filter { $0 !== first && $0.activeCount > 0 }
        if rest.isEmpty { return }
        rowCount += rest.reduce(0) { $0 + $1.activeCount }
        try write(to: 0) { writer throws(ParquetError) in try writer.append(rest, run: team.run) }
    }

    /// Bytes of files and row groups below which their ends are taken exactly.
    private static let sizeForTeams = 64 << 20

    private func append(_ chunk: Chunk, to number: Int32) throws(TableFileError) {
        try write(to: number) { writer throws(ParquetError) in try writer.append(chunk) }
    }

    private func write(
        to number: Int32, _ body: (ParquetWriter) throws(ParquetError) -> Void
    ) throws(TableFileError) {
        let file = try opened(number)
        do throws(ParquetError) { try body(file.writer) } catch {
            throw .wrapping(error, file.path)
        }
        if file.writer.estimatedSizeBytes >= options.targetFileBytes { try close(number) }
        while open.count > 1,
            open.values.reduce(0, { $0 + $1.writer.heldBytes }) > options.heldBytes
        {
            try closeLargest()
        }
    }

    private func opened(_ number: Int32) throws(TableFileError) -> OpenDataFile {
        if let file = open[number] { return file }
        if open.count >= max(1, options.openPartitions) { try closeLargest() }
        let file = try OpenDataFile(
            store: store, path: path(of: router.tuples[Int(number)]), fields: fields,
            options: options.parquet, budget: budget)
        open[number] = file
        return file
    }

    private func closeLargest() throws(TableFileError) {
        let largest = open.max { left, right in
            let (a, b) = (left.value.writer.heldBytes, right.value.writer.heldBytes)
            return a == b ? left.key > right.key : a < b
        }
        if let largest { try close(largest.key) }
    }

    private func close(_ number: Int32) throws(TableFileError) {
        guard let file = open.removeValue(forKey: number) else { return }
        let written = try file.finish()
        var record = DataFile(
            path: file.path, specID: spec.specID, partition: router.tuples[Int(number)],
            recordCount: Int64(written.rowCount), sizeBytes: Int64(written.sizeBytes))
        record.describe(written, primitives: primitives)
        record.sortOrderID = options.sortOrderID
        finished.append(record)
    }

    /// Closes every file and returns the records of all; they are durable but in no snapshot.
    package func finish() throws(TableFileError) -> [DataFile] {
        // By number, so that the same rows give the files in the same order.
        for number in open.keys.sorted() { try close(number) }
        isFinished = true
        return finished
    }

    /// Gives up open files and deletes those that are written; also for files whose commit failed.
    package func abandon() {
        isFinished = true
        for file in open.values { file.abandon() }
        open.removeAll()
        for file in finished {
            if let location = ObjectLocation(uri: file.path) { try? store.delete(location) }
        }
        finished.removeAll()
    }

    /// `…/data/region=EU/<uuid>.parquet`. The folders are for people: no reader may take them apart,
    /// so that characters that would need escapes are replaced.
    private func path(of tuple: [Literal?]) -> String {
        let folders = zip(spec.fields, tuple).filter { $0.0.transform != .void }.map {
            field, literal in
            "/\(plain(field.name))=\(plain(literal.map { field.transform.text(of: $0) } ?? "null"))"
        }
        return "\(location)\(folders.joined())/\(entropy.uuid()).parquet"
    }
}

/// A Parquet file that is being written to a table's place.
final class OpenDataFile {
    let path: String
    let writer: ParquetWriter
    private let output: any ObjectWriter

    init(
        store: any ObjectStore, path: String, fields: [WriterField], options: WriterOptions,
        budget: MemoryBudget
    ) throws(TableFileError) {
        self.path = path
        guard let location = ObjectLocation(uri: path) else {
            throw TableFileError(
                code: .unsupported, message: "the table's place is not in an object store: \(path)",
                hint: "only s3:// locations can be written")
        }
        do throws(ObjectStoreError) { output = try store.beginWrite(to: location) } catch {
            throw .wrapping(error, path)
        }
        do throws(ParquetError) {
            writer = try ParquetWriter(output, fields: fields, options: options, budget: budget)
        } catch {
            output.abandon()
            throw .wrapping(error, path)
        }
    }

    /// Writes the footer and makes the object durable.
    func finish() throws(TableFileError) -> WrittenFile {
        let written: WrittenFile
        do throws(ParquetError) { written = try writer.finish() } catch {
            output.abandon()
            throw .wrapping(error, path)
        }
        do throws(ObjectStoreError) { _ = try output.commit(precondition: .absent) } catch {
            throw .wrapping(error, path)
        }
        return written
    }

    func abandon() { output.abandon() }
}

/// Where the table's data and delete files go.
func dataLocation(of table: TableMetadata) -> String {
    var place = table.properties["write.data.path"] ?? "\(table.location)/data"
    while place.hasSuffix("/") { place.removeLast() }
    return place
}

/// At most 64 characters that need no escape anywhere.
func plain(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(64) {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", ":":
            result.unicodeScalars.append(scalar)
        default: result.append("_")
        }
    }
    return result.isEmpty ? "_" : result
}
