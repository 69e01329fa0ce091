import SQLFunctions
import SQLPlanning
import Vectors

/// Expands arrays and maps to rows, several side by side; shorter ones are filled with NULLs.
final class UnnestFactory: OperatorFactory {
    struct Collection: Sendable {
        var column: Int
        var type: LogicalType
        /// Output columns it fills.
        var outputTypes: [LogicalType]
    }

    let statistics = OperatorStatistics("Unnest")
    let kept: [Int]
    let keptTypes: [LogicalType]
    let collections: [Collection]
    let hasOrdinality: Bool
    let isOuter: Bool

    init(
        kept: [Int], keptTypes: [LogicalType], collections: [Collection], hasOrdinality: Bool,
        isOuter: Bool
    ) {
        self.kept = kept
        self.keptTypes = keptTypes
        self.collections = collections
        self.hasOrdinality = hasOrdinality
        self.isOuter = isOuter
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { UnnestOperator(self, worker) }
}

private final class UnnestOperator: Operator {
    private let factory: UnnestFactory
    private let worker: Worker
    private let output: Chunk
    private let keptColumns: [CompactColumn]
    private let buffers: [[ColumnBuffer]]
    private let ordinality = ColumnBuffer(.bigint)
    private let sourceRows = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private var filled = 0
    private let step: Int

    init(_ factory: UnnestFactory, _ worker: Worker) {
        self.factory = factory
        self.worker = worker
        keptColumns = factory.keptTypes.map { CompactColumn($0) }
        buffers = factory.collections.map { $0.outputTypes.map { ColumnBuffer($0) } }
        let columns = factory.kept.count + buffers.reduce(0) { $0 + $1.count }
        output = Chunk(columnCount: columns + (factory.hasOrdinality ? 1 : 0))
        step = max(1, min(worker.settings.verification.chunkRows, Chunk.capacity))
    }

    deinit { sourceRows.deallocate() }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let rows = ActiveRows(chunk)
        for index in 0..<rows.active {
            let row = rows.row(index)
            var length = 0
            for collection in factory.collections {
                let vector = chunk.columns[collection.column]
                if vector.isValid(row) {
                    length = max(length, Int(vector.value(row, as: ListEntry.self).count))
                }
            }
            if length == 0 && factory.isOuter { try add(chunk, row, nil) }
            for position in 0..<length { try add(chunk, row, position) }
            if worker.isStopped { return }
        }
        try flush(chunk)
    }

    /// Adds an output row: element `position` of each collection, or NULLs.
    private func add(_ chunk: Chunk, _ row: Int, _ position: Int?) throws(QueryFault) {
        sourceRows[filled] = UInt32(truncatingIfNeeded: row)
        do throws(MemoryLimitFault) {
            for (index, collection) in factory.collections.enumerated() {
                try fill(
                    buffers[index], collection, chunk.columns[collection.column], row, position)
            }
        } catch { throw QueryFault(error) }
        if factory.hasOrdinality {
            if let position {
                ordinality.store(Int64(position + 1), filled)
                if ordinality.hasNulls { ValidityBits.set(ordinality.validBits, filled) }
            } else {
                ordinality.setNull(filled)
            }
        }
        filled += 1
        if filled == step { try flush(chunk) }
    }

    private func fill(
        _ targets: [ColumnBuffer], _ collection: UnnestFactory.Collection, _ vector: Vector,
        _ row: Int,
        _ position: Int?
    ) throws(MemoryLimitFault) {
        guard let position, vector.isValid(row), let children = vector.children else {
            for target in targets { target.setNull(filled) }
            return
        }
        let entry = vector.value(row, as: ListEntry.self)
        guard position < Int(entry.count) else {
            for target in targets { target.setNull(filled) }
            return
        }
        let element = Int(entry.offset) + position
        if case .array(.row) = collection.type {
            let record = children[0]
            guard record.isValid(element), let fields = record.children else {
                for target in targets { target.setNull(filled) }
                return
            }
            for (index, target) in targets.enumerated() {
                try target.copyValue(
                    from: fields[index], row: record.valueIndex(element), to: filled)
            }
            return
        }
        for (index, target) in targets.enumerated() {
            try target.copyValue(from: children[index], row: element, to: filled)
        }
    }

    private func flush(_ chunk: Chunk) throws(QueryFault) {
        if filled == 0 { return }
        let picked = ActiveRows(count: chunk.count, selection: sourceRows, active: filled)
        var column = 0
        for (index, source) in factory.kept.enumerated() {
            output.columns[column] = keptColumns[index].pick(chunk.columns[source], picked)
            column += 1
        }
        for group in buffers {
            for buffer in group {
                output.columns[column] = buffer.vector
                column += 1
            }
        }
        if factory.hasOrdinality { output.columns[column] = ordinality.vector }
        output.count = filled
        output.selection = nil
        filled = 0
        try next.push(output)
        for group in buffers { for buffer in group { buffer.clear() } }
        ordinality.clear()
    }
}
