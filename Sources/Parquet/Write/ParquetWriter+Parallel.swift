package import Vectors

extension ParquetWriter {
    /// Adds the active rows of chunks, in order. The columns are worked on by the threads that `run` has, which
    /// runs a body for each number below a count and returns when all have returned. The file is the
    /// same that appending one chunk after the other makes, but for where row groups end by their bytes.
    package func append(
        _ chunks: [Chunk],
        run: (_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Void
    ) throws(ParquetError) {
        for chunk in chunks { try check(chunk) }
        var parts: [Part] = []
        var room = roomOfGroup
        for chunk in chunks {
            var done = 0
            while done < chunk.activeCount {
                let count = min(chunk.activeCount - done, room)
                parts.append(Part(chunk: chunk, rows: done..<(done + count)))
                done += count
                room -= count
                if room == 0 {
                    try append(parts, run)
                    parts.removeAll()
                    room = roomOfGroup
                }
            }
        }
        try append(parts, run)
    }

    /// Rows of a chunk that go to one row group.
    struct Part {
        let chunk: Chunk
        let rows: Range<Int>
    }

    private func append(
        _ parts: [Part], _ run: (Int, @escaping @Sendable (Int) -> Void) -> Void
    ) throws(ParquetError) {
        if parts.isEmpty { return }
        let work = ColumnWork(parts: parts, roots: roots)
        run(roots.count) { work.write($0) }
        if let failure = work.failure { throw failure }
        try added(parts.reduce(0) { $0 + $1.rows.count }, run)
    }
}

/// Parts of chunks on their way into columns. Safe because a column is touched by one thread at a time,
/// the chunks are only read, and each thread has its own place among the failures.
private final class ColumnWork: @unchecked Sendable {
    private let parts: [ParquetWriter.Part]
    private let roots: [ShredNode]
    private let failures: UnsafeMutablePointer<(part: Int, error: ParquetError)?>

    init(parts: [ParquetWriter.Part], roots: [ShredNode]) {
        self.parts = parts
        self.roots = roots
        failures = .allocate(capacity: max(roots.count, 1))
        failures.initialize(repeating: nil, count: max(roots.count, 1))
    }

    deinit {
        failures.deinitialize(count: max(roots.count, 1))
        failures.deallocate()
    }

    func write(_ column: Int) {
        for (index, part) in parts.enumerated() {
            do throws(ParquetError) {
                try roots[column].write(
                    part.chunk.columns[column],
                    part.chunk.selection.map { UnsafePointer($0) }, part.rows)
            } catch {
                failures[column] = (index, error)
                return
            }
        }
    }

    /// What is wrong in the first part that anything is wrong in.
    var failure: ParquetError? {
        var first: (part: Int, error: ParquetError)?
        for column in roots.indices {
            guard let failure = failures[column], failure.part < first?.part ?? .max else {
                continue
            }
            first = failure
        }
        return first?.error
    }
}

/// Column chunks of a row group that are being ended. Safe because a leaf is touched by one thread at a
/// time, and each has its own place among the outcomes.
final class GroupEnd: @unchecked Sendable {
    private let leaves: [LeafWriter]
    private let outcomes: UnsafeMutablePointer<Result<LeafWriter.Chunk, ParquetError>?>

    init(_ leaves: [LeafWriter]) {
        self.leaves = leaves
        outcomes = .allocate(capacity: max(leaves.count, 1))
        outcomes.initialize(repeating: nil, count: max(leaves.count, 1))
    }

    deinit {
        outcomes.deinitialize(count: max(leaves.count, 1))
        outcomes.deallocate()
    }

    func finish(_ index: Int) {
        do throws(ParquetError) {
            outcomes[index] = .success(try leaves[index].finishChunk())
        } catch {
            outcomes[index] = .failure(error)
        }
    }

    /// A leaf's column chunk, which is given away.
    func take(_ index: Int) throws(ParquetError) -> LeafWriter.Chunk {
        defer { outcomes[index] = nil }
        guard let outcome = outcomes[index] else {
            throw .unsupported("a column chunk was not ended")
        }
        return try outcome.get()
    }
}
