import Avro
import Compression
package import ObjectStorage
package import Parquet
package import Vectors

/// An Avro data or delete file of a table, turned into a Parquet file in memory: rows keep their order, so
/// that deletes by position, filters, defaults and renamed columns work as for any other file.
///
/// What it holds is counted in the budget until it goes.
package final class AvroDataFile: Sendable {
    /// The same rows as Parquet. Lives no longer than this.
    package let file: ParquetFile
    private let budget: MemoryBudget
    private let heldBytes: Int

    /// Reads the whole file.
    ///
    /// Throws `.corrupted` for damaged files, `.unsupported` for types that tables cannot hold, and
    /// `MemoryLimitFault` where the budget is too small for the file.
    package init(
        _ location: ObjectLocation, in store: any ObjectStore, budget: MemoryBudget
    ) throws {
        let reader = try store.open(location)
        let size = Int(clamping: reader.description.sizeBytes)
        try budget.reserve(size)
        defer { budget.release(size) }
        let memory = MemoryObjectStore(buckets: [location.bucket])
        let output = try memory.beginWrite(to: location)
        do {
            try Self.transcode(try reader.allBytes(), to: output, budget)
            _ = try output.commit(precondition: .none)
        } catch {
            output.abandon()
            throw Self.naming("\(location)", error)
        }
        let made = try memory.open(location)
        let held = Int(clamping: made.description.sizeBytes)
        try budget.reserve(held)
        do { file = try ParquetFile.open(made) } catch {
            budget.release(held)
            throw error
        }
        heldBytes = held
        self.budget = budget
    }

    deinit { budget.release(heldBytes) }

    private static func transcode(
        _ bytes: [UInt8], to output: any ObjectWriter, _ budget: MemoryBudget
    ) throws {
        var reader = try AvroFileReader(bytes)
        let texts = Arena(budget: budget)
        let columns = try AvroColumns(names: reader.names, texts: texts).columns(reader.schema)
        guard !columns.isEmpty else {
            throw TableFileError(code: .unsupported, message: "the Avro file has no columns")
        }
        var options = WriterOptions()
        options.codec = .none
        options.usesDictionaries = false
        let writer = try ParquetWriter(
            output, fields: columns.map(\.field), options: options, budget: budget)
        let chunk = Chunk(columnCount: columns.count)
        var rows = 0
        func flush() throws {
            if rows == 0 { return }
            for (index, column) in columns.enumerated() { chunk.columns[index] = column.vector }
            chunk.count = rows
            try writer.append(chunk)
            for column in columns { column.reset() }
            texts.rewind()
            rows = 0
        }
        while let block = try reader.nextBlock() {
            var decoder = AvroDecoder(block.bytes)
            for _ in 0..<block.count {
                for column in columns { try column.append(&decoder) }
                rows += 1
                if rows == Chunk.capacity { try flush() }
            }
            guard decoder.isAtEnd else {
                throw AvroError(code: .corrupted, message: "bytes are left after a block's records")
            }
        }
        try flush()
        _ = try writer.finish()
    }

    /// The error with the file's name.
    private static func naming(_ place: String, _ error: any Error) -> any Error {
        switch error {
        case let error as AvroError:
            TableFileError(
                code: .corrupted, message: "an Avro file of the table cannot be read: \(place)",
                hint: error.message, cause: error)
        case let error as TableFileError:
            TableFileError(
                code: error.code, message: "\(error.message): \(place)", hint: error.hint,
                cause: error)
        case let error as ParquetError:
            TableFileError(
                code: error.code == .memoryLimit ? .memoryLimit : .corrupted,
                message: "\(error.message): \(place)", hint: error.hint, cause: error)
        default: error
        }
    }
}

/// A file of a table, opened whatever its format.
package enum OpenedFile {
    case parquet(ParquetFile)
    case avro(AvroDataFile)

    /// The rows as Parquet.
    package var file: ParquetFile {
        switch self {
        case .parquet(let file): file
        case .avro(let file): file.file
        }
    }

    /// Opens a file that the table says is of `format`; `parquet` opens Parquet files, perhaps from a
    /// cache. Throws `.unsupported` for ORC and others.
    package static func open(
        _ path: String, format: String, in store: any ObjectStore, budget: MemoryBudget,
        parquet: (ObjectLocation) throws -> ParquetFile
    ) throws -> OpenedFile {
        guard let location = ObjectLocation(uri: path) else {
            throw TableFileError(
                code: .corrupted, message: "a file's location is not one of ours: \(path)")
        }
        switch format.uppercased() {
        case "PARQUET": return .parquet(try parquet(location))
        case "AVRO": return .avro(try AvroDataFile(location, in: store, budget: budget))
        default:
            throw TableFileError(
                code: .unsupported, message: "files of format \(format) are not read: \(path)",
                hint: "rewrite the table as Parquet with the engine that wrote it")
        }
    }
}
