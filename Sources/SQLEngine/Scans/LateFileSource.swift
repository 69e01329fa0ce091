import SQLExecution
import SQLFunctions
import Synchronization
import Vectors

/// Scans Parquet files, and files that are only turned into Parquet by the worker that reads them: a
/// morsel of those is a whole file, which is held no longer than it is read.
final class LateFileSource: MorselSource {
    /// Opens one file in the memory of a budget.
    typealias Opening = @Sendable (MemoryBudget) throws(QueryFault) -> ParquetFileTask

    private let ready: ParquetSource
    private let late: [Opening]
    private let counted = Mutex(ScanReport())

    /// `ready` are the files that are open by now; `late` the others.
    init(_ ready: ParquetSource, late: [Opening]) {
        self.ready = ready
        self.late = late
    }

    var morselCount: Int { ready.morselCount + late.count }
    var appliedFilters: Set<Int> { ready.appliedFilters }

    var report: ScanReport? {
        guard var report = ready.report else { return nil }
        let more = counted.withLock { $0 }
        report.rows += more.rows
        report.bytes += more.bytes
        report.files += late.count
        return report
    }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        Reader(self, worker, try ready.makeReader(worker))
    }

    private func count(_ report: ScanReport?) {
        guard let report else { return }
        counted.withLock {
            $0.rows += report.rows
            $0.bytes += report.bytes
        }
    }

    private final class Reader: MorselReader {
        private let source: LateFileSource
        private let worker: Worker
        private let ready: any MorselReader

        init(_ source: LateFileSource, _ worker: Worker, _ ready: any MorselReader) {
            self.source = source
            self.worker = worker
            self.ready = ready
        }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let first = source.ready.morselCount
            if morsel < first { return try ready.run(morsel, into: consumer) }
            let file = source.ready.like(with: [try source.late[morsel - first](worker.budget)])
            let reader = try file.makeReader(worker)
            for part in 0..<file.morselCount where !worker.isStopped {
                try reader.run(part, into: consumer)
            }
            source.count(file.report)
        }
    }
}
