import Parquet
import SQLExecution
import SQLFunctions
import TableFiles
import Vectors

/// Single rows, and what is known without reading any.
extension ParquetSource {
    /// Row groups, cut only where they are too few for the workers: a page that two parts share is read
    /// and decompressed for each of them.
    static func morsels(of tasks: [ParquetFileTask], workers: Int) -> [Morsel] {
        let groups = tasks.reduce(0) { $0 + $1.file.rowGroupCount }
        let wanted = workers * morselsPerWorker
        let parts = max(1, (wanted + groups - 1) / max(groups, 1))
        var morsels: [Morsel] = []
        for (index, task) in tasks.enumerated() {
            for group in 0..<task.file.rowGroupCount {
                let rows = task.file.metadata.rowGroups[group].rowCount
                let size = max(morselRows, (rows + parts - 1) / parts)
                var start = 0
                while start < rows {
                    let end = min(start + size, rows)
                    morsels.append(Morsel(task: index, rowGroup: group, rows: start..<end))
                    start = end
                }
            }
        }
        return morsels
    }

    /// For a top-N, the morsels that may have the first rows come first, so that its bound soon rules
    /// out the others.
    static func ordered(
        _ morsels: [Morsel], _ tasks: [ParquetFileTask], _ bound: TopNBound?
    ) -> [Morsel] {
        guard let bound, morsels.count > 1 else { return morsels }
        let best = morsels.map { morsel -> Int64? in
            let task = tasks[morsel.task]
            guard case .field(let field, let wanted) = task.columns[bound.column].source else {
                return nil
            }
            let bounds = task.file.bounds(rowGroup: morsel.rowGroup, of: field, as: wanted.type)
            switch bound.isAscending ? bounds.lower : bounds.upper {
            case .int32(let value): return Int64(value)
            case .int64(let value): return value
            default: return nil
            }
        }
        let order = morsels.indices.sorted { left, right in
            switch (best[left], best[right]) {
            case (let a?, let b?) where a != b: bound.isAscending ? a < b : a > b
            case (nil, .some): false
            case (.some, nil): true
            default: left < right
            }
        }
        return order.map { morsels[$0] }
    }

    // MARK: - Summaries

    var summaries: [UnitSummary] {
        var units: [UnitSummary] = []
        var start = 0
        while start < morsels.count {
            let first = morsels[start]
            var end = start + 1
            while end < morsels.count, morsels[end].task == first.task,
                morsels[end].rowGroup == first.rowGroup
            {
                end += 1
            }
            units.append(summary(first.task, first.rowGroup, start..<end))
            start = end
        }
        return units
    }

    private func summary(_ number: Int, _ rowGroup: Int, _ morsels: Range<Int>) -> UnitSummary {
        let task = tasks[number]
        let rows = task.file.metadata.rowGroups[rowGroup].rowCount
        // Of what is deleted, nothing but the bounds is known.
        let isWhole = task.deletes.isEmpty
        let columns = task.columns.map { column -> UnitSummary.Column in
            var known = UnitSummary.Column()
            switch column.source {
            case .field(let field, let wanted):
                let bounds = task.file.bounds(rowGroup: rowGroup, of: field, as: wanted.type)
                guard bounds.rowCount == rows else { return known }
                known.nullCount = bounds.nullCount
                known.lower = bounds.lower.map(literalValue)
                known.upper = bounds.upper.map(literalValue)
                known.isLowerExact = bounds.isLowerExact
                known.isUpperExact = bounds.isUpperExact
            case .constant(let value):
                known.nullCount = value == nil ? rows : 0
                known.lower = value.map(literalValue)
                known.upper = known.lower
                known.isLowerExact = true
                known.isUpperExact = true
            default: break
            }
            if !isWhole {
                known.nullCount = nil
                known.isLowerExact = false
                known.isUpperExact = false
            }
            return known
        }
        return UnitSummary(
            morsels: morsels, rowCount: isWhole ? rows : nil, columns: columns)
    }

    // MARK: - Single rows

    func groups(of places: [RowPlace]) throws(QueryFault) -> [[Int]] {
        var groups: [[Int]] = []
        var last: (file: Int, rowGroup: Int)?
        let order = places.indices.sorted {
            (places[$0].file, places[$0].position) < (places[$1].file, places[$1].position)
        }
        for index in order {
            let place = try located(places[index])
            if let last, last == (place.file, place.rowGroup) {
                groups[groups.count - 1].append(index)
            } else {
                groups.append([index])
                last = (place.file, place.rowGroup)
            }
        }
        return groups
    }

    /// The row's file, its row group, and its number within that.
    fileprivate func located(
        _ place: RowPlace
    ) throws(QueryFault) -> (file: Int, rowGroup: Int, row: Int) {
        if let file = Int(exactly: place.file), tasks.indices.contains(file),
            let position = Int(exactly: place.position)
        {
            let groups = tasks[file].file.metadata.rowGroups
            var low = 0
            var high = groups.count
            while low < high {
                let middle = (low + high) / 2
                if groups[middle].firstRow + groups[middle].rowCount <= position {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            if low < groups.count, position >= groups[low].firstRow {
                return (file, low, position - groups[low].firstRow)
            }
        }
        throw QueryFault(
            .genericInternalError, "no such row in the scan's files: \(place)",
            hint: "please report this query")
    }

    func makeFetcher(_ worker: Worker) throws(QueryFault) -> any RowFetcher {
        Fetcher(self, worker)
    }

    private final class Fetcher: RowFetcher {
        private let source: ParquetSource
        private let worker: Worker
        private let memory: ScanMemory
        private var scan: ParquetScan?
        private var file = -1
        private var reported = ScanCounters()

        init(_ source: ParquetSource, _ worker: Worker) {
            self.source = source
            self.worker = worker
            memory = ScanMemory(budget: worker.budget)
        }

        func fetch(_ places: [RowPlace], into consumer: any ChunkConsumer) throws(QueryFault) {
            guard let first = places.first else { return }
            let (file, rowGroup, _) = try source.located(first)
            var rows: [Int] = []
            for place in places { rows.append(try source.located(place).row) }
            let scan = try reading { () throws(ParquetError) in try opened(file) }
            defer { report(scan) }
            guard
                try reading({ () throws(ParquetError) in
                    try scan.begin(rowGroup: rowGroup, only: rows)
                })
            else { return }
            while !worker.isStopped,
                let chunk = try reading({ () throws(ParquetError) in try scan.next() })
            {
                try consumer.push(chunk)
            }
        }

        /// Runs a step of the scan, with its errors as the query's.
        private func reading<Result>(
            _ body: () throws(ParquetError) -> Result
        ) throws(QueryFault) -> Result {
            do throws(ParquetError) { return try body() } catch { throw queryFault(error) }
        }

        private func opened(_ number: Int) throws(ParquetError) -> ParquetScan {
            if file == number, let scan { return scan }
            scan = nil
            reported = ScanCounters()
            var options = ScanOptions()
            options.stepRows = source.request.settings.verification.chunkRows
            // A row needs a page of each column, not all of them.
            options.readAheadBytes = 64 << 10
            let task = source.tasks[number]
            let made = try ParquetScan(
                task.file, columns: task.lateColumns, options: options, memory: memory)
            (scan, file) = (made, number)
            return made
        }

        private func report(_ scan: ParquetScan) {
            let counters = scan.counters
            source.add(counters.since(reported))
            reported = counters
        }
    }
}
