package import SQLFunctions
package import SQLPlanning
import Synchronization
import Vectors

/// A table whose rows are in memory: system tables, tests.
package final class MemoryTable: ExecutableTable {
    package let name: TableName
    package let columns: [TableColumn]
    package let statistics: TableStatistics?
    private let store: MemoryColumns

    /// `rows` hold a literal a column, of the column's type.
    package init(
        name: TableName, columns: [TableColumn], rows: [[LiteralValue]],
        statistics: TableStatistics? = nil
    ) {
        self.name = name
        self.columns = columns
        self.statistics = statistics ?? TableStatistics(rowCount: Double(rows.count))
        store = MemoryColumns(columns.map(\.type), rows)
    }

    package func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        MemoryScan(store, request)
    }
}

/// Columns of literals laid out once; immutable afterwards.
final class MemoryColumns: @unchecked Sendable {
    // Safe because nothing is changed after init.
    let types: [LogicalType]
    let rowCount: Int
    let buffers: [ColumnBuffer]
    let vectors: [Vector]
    private let texts: [UnsafeMutableRawPointer]

    init(_ types: [LogicalType], _ rows: [[LiteralValue]]) {
        self.types = types
        rowCount = rows.count
        var texts: [UnsafeMutableRawPointer] = []
        buffers = types.map { ColumnBuffer($0, capacity: max(rows.count, 1)) }
        for (column, buffer) in buffers.enumerated() {
            buffer.count = rows.count
            for (row, values) in rows.enumerated() {
                let value = column < values.count ? values[column] : .null
                ConstantStore.write(value, to: buffer, row: row, texts: &texts)
            }
        }
        vectors = buffers.map(\.vector)
        self.texts = texts
    }

    deinit { for text in texts { text.deallocate() } }
}

/// One scan over columns in memory.
final class MemoryScan: MorselSource {
    static let morselRows = 65_536
    private let store: MemoryColumns
    private let request: ScanRequest

    init(_ store: MemoryColumns, _ request: ScanRequest) {
        self.store = store
        self.request = request
    }

    var morselCount: Int { (store.rowCount + Self.morselRows - 1) / Self.morselRows }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        MemoryReader(store, request, worker)
    }
}

/// Copies stretches of the columns into chunks, in the form that the settings ask for.
private final class MemoryReader: MorselReader {
    private let store: MemoryColumns
    private let request: ScanRequest
    private let worker: Worker
    private let chunk: Chunk
    private let buffers: [ColumnBuffer]
    private let codes: [UnsafeMutablePointer<UInt32>]

    init(_ store: MemoryColumns, _ request: ScanRequest, _ worker: Worker) {
        self.store = store
        self.request = request
        self.worker = worker
        chunk = Chunk(columnCount: request.columns.count)
        buffers = request.columns.map { ColumnBuffer(store.types[$0]) }
        codes = request.columns.map { _ in .allocate(capacity: Chunk.capacity) }
    }

    deinit { for code in codes { code.deallocate() } }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        let verification = request.settings.verification
        let step =
            verification.forcesConstants ? 1 : max(1, min(verification.chunkRows, Chunk.capacity))
        var start = morsel * MemoryScan.morselRows
        let end = min(store.rowCount, start + MemoryScan.morselRows)
        while start < end, !worker.isStopped {
            let count = min(step, end - start)
            do throws(MemoryLimitFault) {
                for (index, column) in request.columns.enumerated() {
                    try fill(index, column, start, count, verification)
                }
            } catch { throw QueryFault(error) }
            chunk.count = count
            chunk.selection = nil
            try consumer.push(chunk)
            if verification.poisonsChunks { poison(count) }
            start += count
        }
    }

    private func fill(
        _ index: Int, _ column: Int, _ start: Int, _ count: Int,
        _ verification: ExecutionSettings.Verification
    ) throws(MemoryLimitFault) {
        let source = store.vectors[column]
        let buffer = buffers[index]
        buffer.clear()
        for offset in 0..<count {
            try buffer.copyValue(from: source, row: start + offset, to: offset)
        }
        var vector = buffer.vector
        vector.isStable = false
        if verification.forcesConstants, vector.physical != .row {
            vector.form = .constant
        } else if verification.forcesDictionaries, vector.physical == .string {
            vector.form = .dictionary
            vector.codes = codes[index]
            vector.dictionaryID = DictionaryIdentity.next()
            vector.entryCount = UInt32(count)
            for row in 0..<count { codes[index][row] = UInt32(row) }
        }
        chunk.columns[index] = vector
    }

    /// Overwrites what the chunk pointed to, so that whoever kept it is found out.
    private func poison(_ count: Int) {
        for (index, buffer) in buffers.enumerated() {
            buffer.values.initializeMemory(
                as: UInt8.self, repeating: 0xA5, count: count * buffer.physical.width)
            codes[index].update(repeating: 0, count: count)
        }
    }
}
