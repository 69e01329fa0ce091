import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// Build rows that found no match, with NULLs on the left: the last rows of right and full joins; and
/// the rows of semi and anti joins that build the side they give.
final class UnmatchedSource: PipelineSource {
    let statistics: OperatorStatistics
    private let build: JoinBuildSink
    /// Rows of another table than the build's own: a spilled partition.
    private let stores: [PartitionedRows]

    /// `statistics`: of the join, whose rows these are.
    init(_ build: JoinBuildSink, _ statistics: OperatorStatistics) {
        self.build = build
        self.statistics = statistics
        stores = build.stores
    }

    var morselCount: Int { partitionTotal }
    func prepare(_ runtime: Runtime) throws(QueryFault) {}

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        UnmatchedReader(build, stores, worker)
    }
}

/// Pushes the unmatched rows of stores, or the matched ones.
final class UnmatchedReader: MorselReader {
    private let build: JoinBuildSink
    private let stores: [PartitionedRows]
    private let worker: Worker
    private let chunk: Chunk
    private let nulls: [NullColumn]
    private let buffers: [ColumnBuffer]
    private let rows = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private var count = 0

    init(_ build: JoinBuildSink, _ stores: [PartitionedRows], _ worker: Worker) {
        self.build = build
        self.stores = stores
        self.worker = worker
        nulls = build.shape.leftOutput.map { NullColumn(build.shape.leftTypes[$0]) }
        buffers = build.shape.rightOutput.map { ColumnBuffer(build.shape.rightTypes[$0]) }
        chunk = Chunk(columnCount: nulls.count + buffers.count)
    }

    deinit { rows.deallocate() }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        if build.spilledPartitions.contains(morsel) && stores.first?.partitionCount != 1 { return }
        let width = build.layout.row.width
        let wantsMatched = build.shape.keepsMatched
        for store in stores {
            var stretches: [(UnsafeMutableRawPointer, Int)] = []
            store.forEachBlock(morsel) { start, count in stretches.append((start, count)) }
            for (start, total) in stretches {
                for index in 0..<total {
                    let row = start + index * width
                    let isMatched =
                        row.load(fromByteOffset: build.layout.matchedOffset, as: UInt8.self) != 0
                    if isMatched != wantsMatched { continue }
                    rows[count] = row
                    count += 1
                    if count == min(Chunk.capacity, worker.settings.verification.chunkRows) {
                        try flush(consumer)
                    }
                }
            }
        }
        try flush(consumer)
    }

    private func flush(_ consumer: any ChunkConsumer) throws(QueryFault) {
        if count == 0 { return }
        for (index, null) in nulls.enumerated() { chunk.columns[index] = null.vector }
        for (index, buffer) in buffers.enumerated() {
            chunk.columns[nulls.count + index] = gatherField(
                build.layout.fields[build.shape.rightOutput[index]], rows, count, into: buffer,
                isStable: false)
        }
        chunk.count = count
        chunk.selection = nil
        count = 0
        try consumer.push(chunk)
    }
}

/// Joins the partitions that are on disk, one after the other, a partition in as many passes as memory
/// asks for.
final class SpilledJoinSource: PipelineSource {
    let statistics: OperatorStatistics
    private let factory: JoinProbeFactory
    private let partitions: [Int]
    private let probeFiles: [Int: [SpillFile]]

    init(_ factory: JoinProbeFactory, _ partitions: [Int], _ probeFiles: [Int: [SpillFile]]) {
        self.factory = factory
        self.partitions = partitions
        self.probeFiles = probeFiles
        statistics = factory.statistics
    }

    var morselCount: Int { partitions.count }
    func prepare(_ runtime: Runtime) throws(QueryFault) {}

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        SpilledJoinReader(factory, partitions, probeFiles, worker)
    }
}

private final class SpilledJoinReader: MorselReader {
    private let factory: JoinProbeFactory
    private let partitions: [Int]
    private let probeFiles: [Int: [SpillFile]]
    private let worker: Worker
    private let chunk: Chunk
    private let buffers: [ColumnBuffer]

    init(
        _ factory: JoinProbeFactory, _ partitions: [Int], _ probeFiles: [Int: [SpillFile]],
        _ worker: Worker
    ) {
        self.factory = factory
        self.partitions = partitions
        self.probeFiles = probeFiles
        self.worker = worker
        chunk = Chunk(columnCount: factory.build.shape.leftTypes.count)
        buffers = factory.build.shape.leftTypes.map { ColumnBuffer($0) }
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        let partition = partitions[morsel]
        let build = factory.build
        let files = build.spillFiles(partition)
        let bytes = files.reduce(0) { $0 + $1.rowCount * (build.layout.row.width + 16) }
        let room = max(worker.budget.limitBytes / 8, 1 << 20)
        var passBits: UInt64 = 0
        while bytes >> passBits > room, passBits < 8 { passBits += 1 }
        for pass in 0..<(UInt64(1) << passBits) {
            if worker.isStopped { return }
            let mine: (UInt64) -> Bool = { header in
                passBits == 0 || (header << 5) >> (64 - passBits) == pass
            }
            try join(partition, files, mine, consumer)
        }
    }

    private func join(
        _ partition: Int, _ files: [SpillFile], _ mine: (UInt64) -> Bool,
        _ consumer: any ChunkConsumer
    ) throws(QueryFault) {
        let build = factory.build
        let store = PartitionedRows(
            width: build.layout.row.width, partitionCount: 1, budget: worker.budget)
        for file in files {
            let reader = RowReader(file, build.layout.shape)
            while try reader.readBlock(
                into: store, partition: 0, wanted: mine, { _ throws(QueryFault) in })
            {}
        }
        let table = JoinTable(build.layout, budget: worker.budget)
        var blocks: [(start: UnsafeMutableRawPointer, count: Int)] = []
        store.forEachBlock(0) { start, count in blocks.append((start, count)) }
        table.build(partition, blocks)
        let probe = JoinProbe(factory, table, worker, handlesSpill: false)
        probe.next = Forwarding(consumer)
        try pushProbeRows(partition, mine, probe)
        if build.shape.keepsRight {
            try UnmatchedReader(build, [store], worker).run(0, into: consumer)
        }
        withExtendedLifetime(store) {}
    }

    private func pushProbeRows(
        _ partition: Int, _ mine: (UInt64) -> Bool, _ probe: JoinProbe
    ) throws(QueryFault) {
        let layout = factory.probeLayout
        let shape = RowShape(width: layout.width, views: layout.viewOffsets)
        let step = min(Chunk.capacity, max(1, worker.settings.verification.chunkRows))
        for file in probeFiles[partition] ?? [] {
            let reader = RowReader(file, shape)
            var isMore = true
            while isMore, !worker.isStopped {
                let store = PartitionedRows(
                    width: layout.width, partitionCount: 1, budget: worker.budget)
                var rows: [UnsafeMutableRawPointer] = []
                isMore = try reader.readBlock(into: store, partition: 0, wanted: mine) {
                    row throws(QueryFault) in
                    rows.append(row)
                }
                var start = 0
                while start < rows.count {
                    let count = min(step, rows.count - start)
                    rows.withUnsafeBufferPointer { raw in
                        guard let base = raw.baseAddress else { return }
                        for (index, buffer) in buffers.enumerated() {
                            chunk.columns[index] = gatherField(
                                layout.payload[index], base + start, count, into: buffer,
                                isStable: false)
                        }
                    }
                    chunk.count = count
                    chunk.selection = nil
                    try probe.push(chunk)
                    start += count
                }
                withExtendedLifetime(store) {}
            }
        }
    }
}

/// Hands chunks on without ending the consumer.
final class Forwarding: Operator {
    private let consumer: any ChunkConsumer
    init(_ consumer: any ChunkConsumer) { self.consumer = consumer }
    override func push(_ chunk: Chunk) throws(QueryFault) { try consumer.push(chunk) }
    override func finish() throws(QueryFault) {}
}
