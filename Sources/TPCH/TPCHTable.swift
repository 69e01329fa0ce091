package import SQLExecution
package import SQLFunctions
package import SQLPlanning
import Vectors

/// One table at one scale; its rows are made by whoever scans it.
package final class TPCHTable: ExecutableTable {
    package let name: TableName
    package let columns: [TableColumn]
    package let statistics: TableStatistics?
    private let table: TPCHSchema
    private let scale: Double
    private let style: TPCHStyle

    /// A table of the schema; `scale` is what `TPCHSchema.scale` says of the schema's name.
    package init(name: TableName, _ table: TPCHSchema, scale: Double, style: TPCHStyle) {
        self.name = name
        self.table = table
        self.scale = scale
        self.style = style
        columns = table.columns(style)
        statistics = table.statistics(scale, columns)
    }

    package func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        Source(self, request)
    }

    private func makeRows() -> any RowMaker {
        switch table {
        case .region: ListRows(nations: false)
        case .nation: ListRows(nations: true)
        case .part: PartRows()
        case .supplier: SupplierRows()
        case .partsupp: PartSupplierRows(scale: scale)
        case .customer: CustomerRows()
        case .orders: OrdersRows(scale: scale)
        case .lineitem: LineRows(scale: scale)
        }
    }

    private final class Source: MorselSource {
        /// Base rows of a morsel.
        static let morselRows: Int64 = 16_384
        let table: TPCHTable
        let request: ScanRequest
        let baseRows: Int64
        let morselCount: Int

        init(_ table: TPCHTable, _ request: ScanRequest) {
            self.table = table
            self.request = request
            baseRows = table.table.baseRows(table.scale)
            morselCount = Int((baseRows + Self.morselRows - 1) / Self.morselRows)
        }

        func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
            Reader(self, worker)
        }
    }

    private final class Reader: MorselReader {
        private let source: Source
        private let worker: Worker
        private let rows: any RowMaker
        private let stepRows: Int
        private let heap: Arena
        private let columns: ColumnSet
        private let buffers: [ColumnBuffer]
        private let chunk: Chunk
        private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

        init(_ source: Source, _ worker: Worker) {
            self.source = source
            self.worker = worker
            let maker = source.table.makeRows()
            rows = maker
            stepRows = type(of: maker).stepRows
            heap = Arena(budget: worker.budget)
            var byColumn: [ColumnBuffer?] = source.table.columns.map { _ in nil }
            for column in source.request.columns where byColumn[column] == nil {
                byColumn[column] = ColumnBuffer(type: source.table.columns[column].type)
            }
            buffers = source.request.columns.compactMap { byColumn[$0] }
            columns = ColumnSet(
                byColumn, heap: heap, usesDecimals: source.table.style.usesDecimals)
            chunk = Chunk(columnCount: buffers.count)
        }

        deinit { selection.deallocate() }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            var next = Int64(morsel) * Source.morselRows
            let end = min(source.baseRows, next + Source.morselRows)
            rows.move(to: next)
            while next < end, !worker.isStopped {
                let count = Int(min(Int64(stepRows), end - next))
                heap.rewind()
                do throws(MemoryLimitFault) {
                    chunk.count = try rows.make(count, into: columns)
                } catch {
                    throw QueryFault(
                        .exceededMemoryLimit, error.message, hint: error.hint, cause: error)
                }
                for (index, buffer) in buffers.enumerated() {
                    chunk.columns[index] = buffer.vector
                }
                try push(consumer)
                next += Int64(count)
            }
        }

        /// Pushes the rows in pieces of the run's chunk size.
        private func push(_ consumer: any ChunkConsumer) throws(QueryFault) {
            let step = source.request.settings.verification.chunkRows
            if step >= chunk.count {
                chunk.selection = nil
                return try consumer.push(chunk)
            }
            var start = 0
            while start < chunk.count, !worker.isStopped {
                let count = min(step, chunk.count - start)
                for index in 0..<count { selection[index] = UInt32(start + index) }
                chunk.selection = selection
                chunk.selectedCount = count
                try consumer.push(chunk)
                start += count
            }
        }
    }
}
