/// How a scan goes about its work; the defaults are right but for tests.
package struct ScanOptions: Sendable {
    /// Rows of a step at the most: 1 to `Chunk.capacity`. Verification runs set it to 1 and 7.
    package var stepRows = 2048
    /// Bytes of a column chunk read at a time.
    package var readAheadBytes = 1 << 20
    /// Strings of dictionary pages leave the scan as dictionary vectors; false makes them flat.
    package var keepsDictionaries = true
    /// Filters are evaluated on dictionary entries where possible.
    package var filtersOnDictionaries = true
    /// Page indexes and bloom filters are read when filters could use them.
    package var usesPageIndex = true

    package init() {}
}

/// Why a row group was passed over: what ruled it out, and on which column.
package struct PruningCause: Sendable, Hashable {
    /// Where it is written that no row passes.
    package enum Evidence: String, Sendable {
        case bounds, bloomFilter = "bloom filter", pageIndex = "page index", constant
    }

    package var evidence: Evidence
    package var column: String
    /// Whose condition it is, as the filter says itself.
    package var origin: String

    package init(_ evidence: Evidence, column: String, origin: String) {
        self.evidence = evidence
        self.column = column
        self.origin = origin
    }
}

/// What a scan did, for EXPLAIN ANALYZE and metrics. Sums over all row groups begun; a row group that is
/// read in parts counts once.
package struct ScanCounters: Sendable, Hashable {
    package var rowGroupsRead = 0
    package var rowGroupsPruned = 0
    /// How many row groups, or parts of them, each cause ruled out.
    package var prunedBy: [PruningCause: Int] = [:]
    package var pagesRead = 0
    /// Data pages that were passed over without decompressing them.
    package var pagesSkipped = 0
    package var rowsConsidered = 0
    package var rowsPassed = 0
    package var bytesRead = 0
    package var bytesDecompressed = 0

    package init() {}

    /// Adds another scan's counters.
    package mutating func add(_ other: ScanCounters) {
        rowGroupsRead += other.rowGroupsRead
        rowGroupsPruned += other.rowGroupsPruned
        if !other.prunedBy.isEmpty { prunedBy.merge(other.prunedBy) { $0 + $1 } }
        pagesRead += other.pagesRead
        pagesSkipped += other.pagesSkipped
        rowsConsidered += other.rowsConsidered
        rowsPassed += other.rowsPassed
        bytesRead += other.bytesRead
        bytesDecompressed += other.bytesDecompressed
    }

    /// What was done after an earlier reading of the same scan's counters.
    package func since(_ earlier: ScanCounters) -> ScanCounters {
        var news = self
        news.rowGroupsRead -= earlier.rowGroupsRead
        news.rowGroupsPruned -= earlier.rowGroupsPruned
        news.prunedBy = prunedBy.filter { $0.value != earlier.prunedBy[$0.key] }
        for (cause, count) in news.prunedBy {
            news.prunedBy[cause] = count - (earlier.prunedBy[cause] ?? 0)
        }
        news.pagesRead -= earlier.pagesRead
        news.pagesSkipped -= earlier.pagesSkipped
        news.rowsConsidered -= earlier.rowsConsidered
        news.rowsPassed -= earlier.rowsPassed
        news.bytesRead -= earlier.bytesRead
        news.bytesDecompressed -= earlier.bytesDecompressed
        return news
    }
}

/// Positions of deleted rows in one file, ascending and without repeats: from Iceberg position deletes
/// or a deletion vector. Shared between the file's scans.
package final class DeletedPositions: Sendable {
    package let sorted: [Int64]

    /// Sorts and removes repeats where needed.
    package init(_ positions: [Int64]) {
        var isAscending = true
        var previous = Int64.min
        for position in positions {
            if position <= previous && previous != .min {
                isAscending = false
                break
            }
            previous = position
        }
        if isAscending {
            sorted = positions
        } else {
            var unique: [Int64] = []
            unique.reserveCapacity(positions.count)
            for position in positions.sorted() where unique.last != position {
                unique.append(position)
            }
            sorted = unique
        }
    }

    /// How many positions lie within the range.
    package func count(in range: Range<Int64>) -> Int {
        firstIndex(atLeast: range.upperBound) - firstIndex(atLeast: range.lowerBound)
    }

    /// Index of the first position that is not less.
    func firstIndex(atLeast position: Int64) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
