import CivilTime
package import ObjectStorage
import Parquet
package import SQLExecution
package import SQLFunctions
package import SQLPlanning
import TableFiles
import TextTables
package import Vectors

/// How the files of an external table are written.
package enum ExternalFormat: Sendable, Hashable {
    case parquet
    /// Columns by position.
    case csv(delimiter: UInt8, quote: UInt8, hasHeader: Bool, nullTexts: [String])
    /// Columns by the members' names.
    case jsonLines
}

/// One file of an external table, with the values of the partition columns that its path says.
package struct ExternalFile: Sendable {
    package var description: ObjectDescription
    package var partition: [LiteralValue]
    /// `day=2024-05-01/region=north`; empty: the table has no partitions.
    package var partitionText: String

    package init(
        description: ObjectDescription, partition: [LiteralValue] = [], partitionText: String = ""
    ) {
        self.description = description
        self.partition = partition
        self.partitionText = partitionText
    }
}

/// A table over files that others keep in a bucket. Files whose partition cannot match are not opened.
package final class ExternalTable: ExecutableTable {
    package let name: TableName
    /// The files' columns, the partition columns, then `$path`, `$file_size`, `$file_modified_time` and
    /// `$partition`.
    package let columns: [TableColumn]
    package let statistics: TableStatistics?
    private let fileColumns: [TableColumn]
    private let fields: [WantedField]
    private let files: [ExternalFile]
    private let format: ExternalFormat
    private let store: any ObjectStore

    /// `columns` are those in the files; `partitions` those in the paths, one value each in every file.
    package init(
        name: TableName, columns: [TableColumn], partitions: [TableColumn], files: [ExternalFile],
        format: ExternalFormat, store: any ObjectStore
    ) {
        self.name = name
        self.files = files
        self.format = format
        self.store = store
        fileColumns = columns
        fields = columns.map { Self.wanted($0.name, $0.type) }
        self.columns =
            columns.map { column in
                // The files keep their own case; SQL has lower case.
                var copy = column
                copy.name = column.name.lowercased()
                return copy
            } + partitions + [
                TableColumn(name: "$path", type: .text, isNullable: false, isHidden: true),
                TableColumn(name: "$file_size", type: .bigint, isNullable: false, isHidden: true),
                TableColumn(
                    name: "$file_modified_time", type: .timestampWithTimeZone(precision: 3),
                    isNullable: false, isHidden: true),
                TableColumn(name: "$partition", type: .text, isNullable: false, isHidden: true),
            ]
        statistics = nil
    }

    private static func wanted(_ name: String, _ type: LogicalType) -> WantedField {
        let names: [String] =
            switch type {
            case .row(let fields): fields.map { $0.name ?? "" }
            case .map: ["key", "value"]
            default: ["element"]
            }
        return WantedField(
            name: name, type: type,
            children: zip(names, type.children).map { wanted($0, $1) })
    }

    /// The columns that a file has; of CSV and JSON lines by reading it to its end.
    package static func columns(
        of location: ObjectLocation, _ format: ExternalFormat, in store: any ObjectStore,
        budget: MemoryBudget
    ) throws(QueryFault) -> (columns: [TableColumn], format: ExternalFormat) {
        do {
            let reader = try store.open(location)
            switch format {
            case .parquet:
                let file = try ParquetFile.open(reader)
                let usable = file.schema.fields.filter { $0.unsupported == nil }
                return (
                    usable.map { TableColumn(name: $0.name, type: $0.type) }, format
                )
            case .csv:
                let team = LoadTeam()
                let table = try CSVTable(
                    inferring: ObjectByteSource(reader), budget: budget, run: team.run)
                let found = table.dialect
                return (
                    table.columns.map { TableColumn(name: $0.name, type: $0.type) },
                    .csv(
                        delimiter: found.delimiter, quote: found.quote, hasHeader: found.hasHeader,
                        nullTexts: found.nullTexts)
                )
            case .jsonLines:
                let table = try JSONLinesTable(inferring: ObjectByteSource(reader), budget: budget)
                return (
                    table.columns.map { TableColumn(name: $0.name, type: $0.type) },
                    format
                )
            }
        } catch { throw fault(error, location) }
    }

    private static func fault(_ error: any Error, _ location: ObjectLocation) -> QueryFault {
        switch error {
        case let error as ParquetError: return queryFault(error)
        case let error as ObjectStoreError:
            return QueryFault(
                .externalSourceError, "the file cannot be read: \(location)", hint: error.hint,
                cause: error)
        default:
            let fault = TextFilesTable.fault(error)
            return QueryFault(
                fault.code, "\(fault.message) (\(location))", hint: fault.hint, cause: error)
        }
    }

    // MARK: Scans

    package func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let wanted = files.filter { mayMatch($0, request) }
        guard case .parquet = format else {
            return TextSource(self, wanted, request)
        }
        var tasks: [ParquetFileTask] = []
        for file in wanted {
            let location = file.description.location
            let opened: ParquetFile
            do { opened = try ParquetFile.open(store.open(location)) } catch {
                throw Self.fault(error, location)
            }
            let sources = request.columns.map { index in
                index < fields.count
                    ? ScanColumn.bind(fields[index], in: opened.schema)
                    : ScanColumn(
                        source: .constant(parquetValue(constant(index, file), columns[index].type)),
                        type: columns[index].type)
            }
            tasks.append(ParquetFileTask(file: opened, columns: sources))
        }
        return ParquetSource(
            tasks, types: request.columns.map { columns[$0].type }, request: request)
    }

    /// The value of a column that is the same for a whole file.
    private func constant(_ index: Int, _ file: ExternalFile) -> LiteralValue {
        let place = index - fileColumns.count
        if place < file.partition.count { return file.partition[place] }
        switch columns[index].name {
        case "$path": return .text("\(file.description.location)")
        case "$file_size": return .integer(file.description.sizeBytes)
        case "$file_modified_time":
            let milliseconds = Int128(file.description.modifiedMicroseconds / 1000)
            return .wide(milliseconds * 1000 << 64)
        default: return .text(file.partitionText)
        }
    }

    /// Whether the file's own values let rows through; conditions on what is in it are not asked.
    private func mayMatch(_ file: ExternalFile, _ request: ScanRequest) -> Bool {
        request.filters.allSatisfy { filter in
            guard let position = filter.column, request.columns[position] >= fileColumns.count
            else { return true }
            let value = constant(request.columns[position], file)
            if value == .null { return filter.passesNull }
            if let candidates = filter.candidates, !candidates.contains(value) {
                return filter.passesNull
            }
            guard let range = filter.range else { return true }
            if range.onlyNull { return false }
            if let lower = range.lower, let order = Self.order(value, lower),
                order < 0 || (order == 0 && !range.isLowerInclusive)
            {
                return false
            }
            if let upper = range.upper, let order = Self.order(value, upper),
                order > 0 || (order == 0 && !range.isUpperInclusive)
            {
                return false
            }
            return true
        }
    }

    /// Below, at or above zero; nil where it is not known here.
    private static func order(_ left: LiteralValue, _ right: LiteralValue) -> Int? {
        switch (left, right) {
        case (.integer(let a), .integer(let b)): a < b ? -1 : a == b ? 0 : 1
        case (.wide(let a), .wide(let b)): a < b ? -1 : a == b ? 0 : 1
        case (.bytes(let a), .bytes(let b)):
            a.lexicographicallyPrecedes(b) ? -1 : a == b ? 0 : 1
        default: nil
        }
    }

    // MARK: Text files

    /// Opens a file; `wanted` are the columns that the query reads.
    private func open(
        _ file: ExternalFile, wanted: Set<Int>, _ budget: MemoryBudget
    ) throws(QueryFault) -> any TextTableReader {
        let location = file.description.location
        let texts = fileColumns.map { TextColumn(name: $0.name, type: $0.type) }
        do {
            let source = ObjectByteSource(try store.open(location))
            switch format {
            case .csv(let delimiter, let quote, let hasHeader, let nullTexts):
                return try CSVTable(
                    source,
                    dialect: CSVDialect(
                        delimiter: delimiter, quote: quote, hasHeader: hasHeader,
                        nullTexts: nullTexts), columns: texts, wanted: wanted, budget: budget)
            case .jsonLines, .parquet:
                return try JSONLinesTable(source, columns: texts, budget: budget)
            }
        } catch { throw Self.fault(error, location) }
    }

    /// A morsel is a file.
    private final class TextSource: MorselSource {
        let table: ExternalTable
        let files: [ExternalFile]
        let request: ScanRequest
        var morselCount: Int { files.count }

        init(_ table: ExternalTable, _ files: [ExternalFile], _ request: ScanRequest) {
            self.table = table
            self.files = files
            self.request = request
        }

        func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
            TextReader(self, worker)
        }
    }

    private final class TextReader: MorselReader {
        private let source: TextSource
        private let worker: Worker
        private let whole: Chunk
        private let part: Chunk
        private let rows = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
        private var constants: [ConstantColumn?] = []

        init(_ source: TextSource, _ worker: Worker) {
            self.source = source
            self.worker = worker
            whole = Chunk(columnCount: source.table.fileColumns.count)
            part = Chunk(columnCount: source.request.columns.count)
        }

        deinit { rows.deallocate() }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let table = source.table
            let file = source.files[morsel]
            let reader = try table.open(file, wanted: Set(source.request.columns), worker.budget)
            constants = source.request.columns.map { index in
                index < table.fileColumns.count
                    ? nil
                    : ConstantColumn(table.constant(index, file), table.columns[index].type)
            }
            while !worker.isStopped {
                do {
                    guard try reader.next(into: whole) else { return }
                } catch { throw ExternalTable.fault(error, file.description.location) }
                try pushPieces(consumer)
            }
        }

        /// Pushes the rows in pieces of the run's chunk size.
        private func pushPieces(_ consumer: any ChunkConsumer) throws(QueryFault) {
            let step = source.request.settings.verification.chunkRows
            var start = 0
            while start < whole.count, !worker.isStopped {
                let count = min(step, whole.count - start)
                for (place, column) in source.request.columns.enumerated() {
                    part.columns[place] = constants[place]?.vector ?? whole.columns[column]
                }
                part.count = whole.count
                if count == whole.count {
                    part.selection = nil
                } else {
                    for index in 0..<count { rows[index] = UInt32(start + index) }
                    part.selection = rows
                    part.selectedCount = count
                }
                try consumer.push(part)
                start += count
            }
        }
    }
}

/// One value for all rows of a file.
private final class ConstantColumn {
    private let buffer: ColumnBuffer
    private let text: UnsafeMutablePointer<UInt8>?

    init(_ value: LiteralValue, _ type: LogicalType) {
        buffer = ColumnBuffer(type: type, capacity: 1)
        var text: UnsafeMutablePointer<UInt8>?
        switch (value, type.physical) {
        case (.boolean(let flag), .bool): buffer.set(0, flag)
        case (.integer(let number), .int32): buffer.set(0, Int32(truncatingIfNeeded: number))
        case (.integer(let number), .int64): buffer.set(0, number)
        case (.integer(let number), .int128): buffer.set(0, Int128(number))
        case (.wide(let number), .int128): buffer.set(0, number)
        case (.double(let bits), .double): buffer.set(0, Double(bitPattern: bits))
        case (.bytes(let bytes), .string):
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
            copy.initialize(from: bytes, count: bytes.count)
            text = copy
            buffer.set(0, StringView(copy, count: bytes.count))
        default: buffer.setNull(0)
        }
        self.text = text
    }

    deinit { text?.deallocate() }

    var vector: Vector {
        var vector = buffer.vector
        vector.form = .constant
        return vector
    }
}
