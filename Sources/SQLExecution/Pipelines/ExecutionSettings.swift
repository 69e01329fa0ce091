import Vectors

/// How a query is run. The defaults are right but for tests.
package struct ExecutionSettings: Sendable {
    /// Workers of a pipeline.
    package var threadCount = 2
    /// Bytes that the query may hold.
    package var memoryLimitBytes = 1 << 30
    /// Where spill files go; nil: nothing may be spilled.
    package var spillDirectory: String?
    package var verification = Verification()

    package init() {}

    /// Knobs that change how values are represented, never the answer.
    package struct Verification: Sendable {
        /// Rows a chunk has at the most, 1 to `Chunk.capacity`.
        package var chunkRows = Chunk.capacity
        /// Strings of in-memory tables become dictionary vectors.
        package var forcesDictionaries = false
        /// Chunks of one row in which every vector is constant.
        package var forcesConstants = false
        /// Every sink spills all it has again and again.
        package var forcesSpill = false
        /// Memory of a chunk is overwritten as soon as its push returned.
        package var poisonsChunks = false

        package init() {}

        /// Whether anything is to be verified: then ways are taken that would not pay.
        var isOn: Bool {
            chunkRows < Chunk.capacity || forcesDictionaries || forcesConstants || forcesSpill
                || poisonsChunks
        }
    }
}

/// Limits of the executor; each has a name in the fault that reaching it causes.
enum Limits {
    /// Bytes of one spill block before compression.
    static let spillBlockBytes = 256 << 10
    /// Entries of a small key domain, and combinations of all of them.
    static let smallDomainEntries = 4096
    static let smallDomainCombinations = 65_536
    /// Slots an aggregate table grows to before it clears instead.
    static let largestGroupTable = 1 << 22
    /// Slots of a table that are in a core's cache anyway.
    static let cachedSlots = 1 << 14
    /// Rows of a top-N that are looked up again at the most, and the weight of columns that it pays for.
    static let lateRows = 1000
    static let lateWeight = 6
    /// Bytes of a text literal whose equals are looked for.
    static let sharedLiteralBytes = 256
    /// Bytes that computing a constant may take, and a constant that only saves work: it becomes a
    /// literal of the plan when it is small itself.
    static let constantBytes = 64 << 20
    static let foldingBytes = 1 << 20
    static let foldedLiteralBytes = 16 << 10
    /// Rows fewer than this are not worth a second worker.
    static let smallInput = 10_000
    /// A share of the budget that, once passed, makes sinks spill.
    static let pressureNumerator = 3
    static let pressureDenominator = 4
}
