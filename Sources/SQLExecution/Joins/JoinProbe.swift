import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// The probe side of a join as an operator of its pipeline.
final class JoinProbeFactory: OperatorFactory {
    let statistics: OperatorStatistics
    let build: JoinBuildSink
    private let spillState = Mutex<[Int: [SpillFile]]>([:])
    let probeLayout: RowLayout

    init(_ build: JoinBuildSink, statistics: OperatorStatistics) {
        self.build = build
        self.statistics = statistics
        probeLayout = RowLayout(keys: [], payload: build.shape.leftTypes)
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        JoinProbe(self, build.table, worker)
    }

    /// Takes a finished file of probe rows whose partition is on disk.
    func addSpill(_ partition: Int, _ file: SpillFile) {
        spillState.withLock { $0[partition, default: []].append(file) }
    }

    func deferredSources() throws(QueryFault) -> [any PipelineSource] {
        var sources: [any PipelineSource] = []
        let partitions = build.spilledPartitions.sorted()
        if !partitions.isEmpty {
            sources.append(SpilledJoinSource(self, partitions, spillState.withLock { $0 }))
        }
        if build.shape.keepsRight { sources.append(UnmatchedSource(build, statistics)) }
        return sources
    }
}

/// One worker's probe: finds the build rows of each row, tests what else must hold, gives the output.
final class JoinProbe: Operator {
    private let factory: JoinProbeFactory
    private let build: JoinBuildSink
    private let shape: JoinShape
    private let layout: JoinLayout
    private let table: JoinTable
    private let worker: Worker
    private let packer: KeyPacker
    private let denseBuffer: ColumnBuffer
    private let heads = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(
        capacity: Chunk.capacity)
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    /// Pairs at hand: the active row's number in the chunk, and the build row.
    private let pairRows = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private let pairBuild = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private let passed = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private var pairCount = 0
    /// Of each row of the chunk: bit 0 matched, bit 1 unknown (a NULL key may have matched).
    private let marks = UnsafeMutablePointer<UInt8>.allocate(capacity: Chunk.capacity)
    private let output: Chunk
    private let leftColumns: [CompactColumn]
    private let rightBuffers: [ColumnBuffer]
    private let rightNulls: [NullColumn]
    private let residual: FilterProgram?
    private let pairChunk: Chunk
    private let pairLeft: [CompactColumn]
    private let pairRight: [ColumnBuffer]
    private let usedLeft: Set<Int>
    private let usedRight: Set<Int>
    private let markBuffer = ColumnBuffer(.boolean)
    private let chunkRows: Int
    /// Spilled partitions: their rows are written instead of probed. nil when this probe reads such rows.
    private var spilled: Set<Int>
    private var writers: [Int: RowWriter] = [:]
    private let spillBuffers: [ColumnBuffer]
    private let isUnique: Bool

    /// `table`: of the whole build side, or of one spilled partition, when `handlesSpill` is false.
    init(
        _ factory: JoinProbeFactory, _ table: JoinTable, _ worker: Worker, handlesSpill: Bool = true
    ) {
        self.factory = factory
        build = factory.build
        shape = build.shape
        layout = build.layout
        self.table = table
        self.worker = worker
        isUnique = !shape.keyTypes.isEmpty && table.isUnique
        spilled = handlesSpill ? build.spilledPartitions : []
        packer = KeyPacker(
            layout.row, budget: worker.budget, roles: shape.roles(.probe))
        denseBuffer = ColumnBuffer(shape.keyTypes.first ?? .bigint)
        leftColumns = shape.leftOutput.map { [shape] in CompactColumn(shape.leftTypes[$0]) }
        let rightTypes =
            shape.givesRight ? shape.rightOutput.map { [shape] in shape.rightTypes[$0] } : []
        rightBuffers = rightTypes.map { ColumnBuffer($0) }
        rightNulls = rightTypes.map { NullColumn($0) }
        var columnCount = shape.leftOutput.count + rightTypes.count
        if case .mark = shape.kind { columnCount += 1 }
        output = Chunk(columnCount: columnCount)
        chunkRows = max(1, min(Chunk.capacity, worker.settings.verification.chunkRows))
        var left: Set<Int> = []
        var right: Set<Int> = []
        for predicate in shape.residual {
            visitColumns(predicate) { [shape] id, _ in
                guard let index = shape.pairLayout.index(of: id) else { return }
                if index < shape.leftTypes.count {
                    left.insert(index)
                } else {
                    right.insert(index - shape.leftTypes.count)
                }
            }
        }
        usedLeft = left
        usedRight = right
        residual =
            shape.residual.isEmpty
            ? nil
            : FilterProgram(
                shape.residual, layout: shape.pairLayout, context: worker.context,
                budget: worker.budget)
        pairChunk = Chunk(columnCount: shape.leftTypes.count + shape.rightTypes.count)
        pairLeft = shape.leftTypes.map { CompactColumn($0) }
        pairRight = shape.rightTypes.map { ColumnBuffer($0) }
        spillBuffers = spilled.isEmpty ? [] : shape.leftTypes.map { ColumnBuffer($0) }
        super.init()
    }

    deinit {
        heads.deallocate()
        selection.deallocate()
        pairRows.deallocate()
        pairBuild.deallocate()
        passed.deallocate()
        marks.deallocate()
        selection2.deallocate()
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        var rows = ActiveRows(chunk)
        if shape.keyTypes.isEmpty { return try pushWithoutKeys(chunk, rows) }
        if table.isDense {
            let vector = flatten(chunk.columns[shape.leftKeys[0]], rows, into: denseBuffer)
            table.findDense(vector, rows.active, into: heads)
            hasNullKeys = vector.valid != nil
        } else {
            packer.pack(chunk.columns, shape.leftKeys, rows)
            hasNullKeys = packer.hasNullKeys
            if !spilled.isEmpty {
                rows = try spillRows(chunk, rows)
                if rows.active == 0 { return }
                packer.pack(chunk.columns, shape.leftKeys, rows)
            }
            table.find(packer, into: heads)
        }
        if shape.keepsRight && !shape.givesPairs { return try markBuildRows(chunk, rows) }
        if residual == nil {
            switch shape.kind {
            case .semi: return try pushSelected(chunk, rows, wantsMatch: true)
            case .anti: return try pushSelected(chunk, rows, wantsMatch: false)
            case .nullAwareAnti: return try pushNullAwareAnti(chunk, rows)
            case .mark(let isNullAware): return try pushMarked(chunk, rows, isNullAware)
            case .inner where isUnique: return try pushUnique(chunk, rows)
            default: break
            }
        }
        try pushPairs(chunk, rows, hasKeys: true)
    }

    private var hasNullKeys = false

    /// Every build row is a candidate; without a residual any of them decides.
    private func pushWithoutKeys(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        if residual == nil {
            let any = table.all.first
            for index in 0..<rows.active { heads[index] = any }
            switch shape.kind {
            case .semi: return try pushSelected(chunk, rows, wantsMatch: true)
            case .anti, .nullAwareAnti: return try pushSelected(chunk, rows, wantsMatch: false)
            case .mark: return try pushMarked(chunk, rows, false)
            default: break
            }
        }
        try pushPairs(chunk, rows, hasKeys: false)
    }

    /// Marks the build rows that have a match; the marked or the others are given at the end.
    private func markBuildRows(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        let matchedOffset = layout.matchedOffset
        let nextOffset = layout.nextOffset
        pairCount = 0
        for index in 0..<rows.active {
            var candidate = heads[index]
            while let current = candidate {
                let isMarked = current.load(fromByteOffset: matchedOffset, as: UInt8.self) != 0
                if residual == nil {
                    // All rows of a key are marked together, from the head on.
                    if isMarked { break }
                    current.storeBytes(of: 1, toByteOffset: matchedOffset, as: UInt8.self)
                } else if !isMarked {
                    pairRows[pairCount] = UInt32(truncatingIfNeeded: rows.row(index))
                    pairBuild[pairCount] = current
                    pairCount &+= 1
                    if pairCount == chunkRows { try flushPairs(chunk) }
                }
                candidate = current.load(
                    fromByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
            }
        }
        try flushPairs(chunk)
    }

    /// Gives the rows with, or without, a match; nothing is copied.
    private func pushSelected(_ chunk: Chunk, _ rows: ActiveRows, wantsMatch: Bool)
        throws(QueryFault)
    {
        var kept = 0
        for index in 0..<rows.active {
            selection[kept] = UInt32(truncatingIfNeeded: rows.row(index))
            kept &+= bit((heads[index] != nil) == wantsMatch)
        }
        try pushNarrowed(chunk, kept)
    }

    /// Puts the left columns that are wanted into the output, as they are.
    private func passLeft(_ chunk: Chunk) {
        for (index, column) in shape.leftOutput.enumerated() {
            output.columns[index] = chunk.columns[column]
        }
    }

    private func pushNarrowed(_ chunk: Chunk, _ kept: Int) throws(QueryFault) {
        if kept == 0 { return }
        passLeft(chunk)
        output.count = chunk.count
        output.selection = selection
        output.selectedCount = kept
        try next.push(output)
    }

    /// Whether the key of the `index`th active row is NULL where that means unknown.
    private func isNullKey(_ chunk: Chunk, _ rows: ActiveRows, _ index: Int) -> Bool {
        guard hasNullKeys else { return false }
        let row = rows.row(index)
        for (position, column) in shape.leftKeys.enumerated() where !shape.matchesNulls[position] {
            if !chunk.columns[column].isValid(row) { return true }
        }
        return false
    }

    /// NOT IN: nothing passes once the build side has a NULL; NULL passes only an empty build side.
    private func pushNullAwareAnti(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        if build.hasNullKey { return }
        if build.isEmpty {
            for index in 0..<rows.active { selection[index] = UInt32(rows.row(index)) }
            return try pushNarrowed(chunk, rows.active)
        }
        var kept = 0
        for index in 0..<rows.active {
            selection[kept] = UInt32(truncatingIfNeeded: rows.row(index))
            kept &+= bit(heads[index] == nil && !isNullKey(chunk, rows, index))
        }
        try pushNarrowed(chunk, kept)
    }

    private func pushMarked(
        _ chunk: Chunk, _ rows: ActiveRows, _ isNullAware: Bool
    ) throws(QueryFault) {
        let unknownWhenMissing = isNullAware && build.hasNullKey
        let unknownWhenNull = isNullAware && !build.isEmpty
        for index in 0..<rows.active {
            let row = rows.row(index)
            if heads[index] != nil {
                marks[row] = 1
            } else {
                let isOpen =
                    unknownWhenMissing || (unknownWhenNull && isNullKey(chunk, rows, index))
                marks[row] = isOpen ? 2 : 0
            }
        }
        try emitMarks(chunk, rows)
    }

    /// Gives all rows with a column that says whether they matched.
    private func emitMarks(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        markBuffer.clear()
        rows.forEach { row in
            if marks[row] & 1 != 0 {
                markBuffer.store(UInt8(1), row)
                if markBuffer.hasNulls { ValidityBits.set(markBuffer.validBits, row) }
            } else if marks[row] & 2 != 0 {
                markBuffer.setNull(row)
            } else {
                markBuffer.store(UInt8(0), row)
            }
        }
        passLeft(chunk)
        output.columns[shape.leftOutput.count] = markBuffer.vector
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
        if rows.selection != chunk.selection.map({ UnsafePointer($0) }) {
            for index in 0..<rows.active { selection[index] = UInt32(rows.row(index)) }
            output.selection = selection
            output.selectedCount = rows.active
        }
        try next.push(output)
    }

    /// Inner join with at most one match a row: no pairs are needed.
    private func pushUnique(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        var kept = 0
        for index in 0..<rows.active {
            pairRows[kept] = UInt32(truncatingIfNeeded: rows.row(index))
            // Written one place early where there is no match, and overwritten.
            pairBuild[kept] = heads[index] ?? UnsafeMutableRawPointer(pairRows)
            kept &+= bit(heads[index] != nil)
        }
        if kept == 0 { return }
        if kept == rows.active {
            passLeft(chunk)
            if rows.selection == nil {
                gatherRight(kept)
                output.count = kept
                output.selection = nil
                return try next.push(output)
            }
        }
        pairCount = kept
        try emitPairs(chunk)
    }

    private func gatherRight(_ count: Int) {
        let start = shape.leftOutput.count
        let isStable = spilled.isEmpty && isWhole
        for (index, buffer) in rightBuffers.enumerated() {
            output.columns[start + index] = gatherField(
                layout.fields[shape.rightOutput[index]], pairBuild, count, into: buffer,
                isStable: isStable)
        }
    }

    /// Whether the table lives as long as the query.
    private var isWhole: Bool { table === build.table }

    /// The general way: all candidate pairs, in batches; rows without a match at the end.
    private func pushPairs(_ chunk: Chunk, _ rows: ActiveRows, hasKeys: Bool) throws(QueryFault) {
        let needsMarks: Bool
        switch shape.kind {
        case .inner, .right, .buildSemi, .buildAnti: needsMarks = false
        default: needsMarks = true
        }
        if needsMarks { rows.forEach { marks[$0] = 0 } }
        pairCount = 0
        let nextOffset = layout.nextOffset
        for index in 0..<rows.active {
            let row = UInt32(truncatingIfNeeded: rows.row(index))
            if hasKeys {
                var candidate = heads[index]
                while let current = candidate {
                    pairRows[pairCount] = row
                    pairBuild[pairCount] = current
                    pairCount &+= 1
                    if pairCount == chunkRows { try flushPairs(chunk) }
                    candidate = current.load(
                        fromByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
                }
            } else {
                for candidate in table.all {
                    pairRows[pairCount] = row
                    pairBuild[pairCount] = candidate
                    pairCount &+= 1
                    if pairCount == chunkRows {
                        try flushPairs(chunk)
                        if worker.isStopped { return }
                    }
                }
            }
        }
        try flushPairs(chunk)
        if shape.isNullAware, hasKeys { try addUnknowns(chunk, rows) }
        switch shape.kind {
        case .inner, .right, .buildSemi, .buildAnti: break
        case .left, .full: try emitUnmatched(chunk, rows)
        case .semi: try emitMarked(chunk, rows) { $0 & 1 != 0 }
        case .anti: try emitMarked(chunk, rows) { $0 & 1 == 0 }
        case .nullAwareAnti: try emitMarked(chunk, rows) { $0 == 0 }
        case .mark: try emitMarks(chunk, rows)
        }
    }

    /// NULL-aware joins with a residual: pairs whose keys are unknown count where the rest holds.
    private func addUnknowns(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        let nullRows = build.nullRows
        for index in 0..<rows.active {
            let row = rows.row(index)
            if marks[row] & 1 != 0 { continue }
            let candidates = isNullKey(chunk, rows, index) ? table.all : nullRows
            for candidate in candidates {
                pairRows[pairCount] = UInt32(truncatingIfNeeded: row)
                pairBuild[pairCount] = candidate
                pairCount &+= 1
                if pairCount == chunkRows { markUnknown(chunk) }
            }
            if worker.isStopped { return }
        }
        markUnknown(chunk)
        if let fault = worker.context.takeFault() { throw fault }
    }

    private func markUnknown(_ chunk: Chunk) {
        let kept = testPairs(chunk)
        for index in 0..<kept { marks[Int(pairRows[Int(passed[index])])] |= 2 }
        pairCount = 0
    }

    /// Tests the residual of the pairs at hand; fills `passed`.
    private func testPairs(_ chunk: Chunk) -> Int {
        guard let residual else {
            for index in 0..<pairCount { passed[index] = UInt32(index) }
            return pairCount
        }
        if pairCount == 0 { return 0 }
        let picked = ActiveRows(count: chunk.count, selection: pairRows, active: pairCount)
        for index in usedLeft {
            pairChunk.columns[index] = pairLeft[index].pick(chunk.columns[index], picked)
        }
        let start = shape.leftTypes.count
        for index in usedRight {
            pairChunk.columns[start + index] = gatherField(
                layout.fields[index], pairBuild, pairCount, into: pairRight[index], isStable: false)
        }
        return residual.selectUnchecked(
            pairChunk.columns, ActiveRows(count: pairCount), into: passed)
    }

    private func flushPairs(_ chunk: Chunk) throws(QueryFault) {
        if pairCount == 0 { return }
        if residual != nil {
            let kept = testPairs(chunk)
            if let fault = worker.context.takeFault() { throw fault }
            // `passed` ascends, so pairs move down in place.
            for index in 0..<kept {
                let from = Int(passed[index])
                pairRows[index] = pairRows[from]
                pairBuild[index] = pairBuild[from]
            }
            pairCount = kept
        }
        if pairCount == 0 { return }
        let matchedOffset = layout.matchedOffset
        switch shape.kind {
        case .inner: break
        case .right, .buildSemi, .buildAnti: setMatched(matchedOffset)
        case .full:
            setMatched(matchedOffset)
            for index in 0..<pairCount { marks[Int(pairRows[index])] = 1 }
        case .left, .semi, .anti, .nullAwareAnti, .mark:
            for index in 0..<pairCount { marks[Int(pairRows[index])] = 1 }
        }
        if shape.givesPairs { try emitPairs(chunk) }
        pairCount = 0
    }

    private func setMatched(_ offset: Int) {
        // Several workers may set the flag of one row; all write the same byte.
        for index in 0..<pairCount {
            pairBuild[index].storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
        }
    }

    private func emitPairs(_ chunk: Chunk) throws(QueryFault) {
        let picked = ActiveRows(count: chunk.count, selection: pairRows, active: pairCount)
        for (index, column) in leftColumns.enumerated() {
            output.columns[index] = column.pick(chunk.columns[shape.leftOutput[index]], picked)
        }
        gatherRight(pairCount)
        output.count = pairCount
        output.selection = nil
        try next.push(output)
    }

    /// Left rows without a match, with NULLs on the right.
    private func emitUnmatched(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) {
        var kept = 0
        rows.forEach { row in
            selection[kept] = UInt32(truncatingIfNeeded: row)
            kept &+= bit(marks[row] == 0)
        }
        if kept == 0 { return }
        passLeft(chunk)
        for (index, null) in rightNulls.enumerated() {
            output.columns[shape.leftOutput.count + index] = null.vector
        }
        output.count = chunk.count
        output.selection = selection
        output.selectedCount = kept
        try next.push(output)
    }

    private func emitMarked(
        _ chunk: Chunk, _ rows: ActiveRows, _ wants: (UInt8) -> Bool
    ) throws(QueryFault) {
        var kept = 0
        rows.forEach { row in
            selection[kept] = UInt32(truncatingIfNeeded: row)
            kept &+= bit(wants(marks[row]))
        }
        try pushNarrowed(chunk, kept)
    }

    /// Writes rows of partitions that are on disk; returns the others.
    private func spillRows(_ chunk: Chunk, _ rows: ActiveRows) throws(QueryFault) -> ActiveRows {
        var kept = 0
        var away = 0
        for index in 0..<rows.active {
            let packed = packer.row(index)
            let row = UInt32(truncatingIfNeeded: rows.row(index))
            let partition = partition(of: packed.load(as: UInt64.self))
            if spilled.contains(partition) && !layout.hasStrictNull(packed) {
                // `passed` and `pairRows` are free until pairs are made.
                pairRows[away] = row
                passed[away] = UInt32(index)
                away += 1
            } else {
                selection2[kept] = row
                kept += 1
            }
        }
        if away > 0 {
            let store = PartitionedRows(
                width: factory.probeLayout.width, partitionCount: partitionTotal,
                budget: worker.budget)
            let picked = ActiveRows(count: rows.count, selection: pairRows, active: away)
            let vectors = UnsafeMutablePointer<Vector>.allocate(
                capacity: max(shape.leftTypes.count, 1))
            defer { vectors.deallocate() }
            for (index, buffer) in spillBuffers.enumerated() {
                let flat = flatten(chunk.columns[index], picked, into: buffer)
                vectors[index] = widened(flat, to: buffer.type, rowCount: away, into: buffer)
            }
            for index in 0..<away {
                let header = packer.row(Int(passed[index])).load(as: UInt64.self)
                let row = store.newRow(partition(of: header))
                row.storeBytes(of: header, as: UInt64.self)
                pairBuild[index] = row
            }
            let scatter = RowScatter(usesHeader: true)
            scatter.clearNulls(factory.probeLayout.payload, pairBuild, away)
            scatter.store(factory.probeLayout.payload, vectors, pairBuild, away, in: store)
            for index in 0..<away {
                let row = pairBuild[index]
                let partition = partition(of: row.load(as: UInt64.self))
                let writer = try writer(partition)
                try writer.write(row)
            }
        }
        return ActiveRows(count: rows.count, selection: selection2, active: kept)
    }

    private let selection2 = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    private func writer(_ partition: Int) throws(QueryFault) -> RowWriter {
        if let writer = writers[partition] { return writer }
        let writer = RowWriter(
            try worker.runtime.spill.makeFile(),
            RowShape(width: factory.probeLayout.width, views: factory.probeLayout.viewOffsets))
        writers[partition] = writer
        return writer
    }

    override func finish() throws(QueryFault) {
        for (partition, writer) in writers {
            try writer.flush()
            factory.statistics.addSpilled(Int(writer.file.sizeBytes))
            factory.addSpill(partition, writer.file)
        }
        writers = [:]
        try next.finish()
    }
}
