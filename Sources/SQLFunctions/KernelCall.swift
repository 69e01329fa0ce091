package import CivilTime
import Synchronization
package import Vectors

/// What a kernel of a scalar function works on: one call a vector.
///
/// Arguments come in any form (flat, constant, dictionary); the adapters in `Adapters/` deal with
/// forms, NULLs and selections, so that most functions are one closure over values.
package struct KernelCall {
    package let arguments: UnsafePointer<Vector>
    package let argumentTypes: [LogicalType]
    package let resultType: LogicalType
    /// Rows laid out in the arguments.
    package let rowCount: Int
    /// Active rows, ascending; nil: all. Only active rows are read, written and may fail.
    package let selection: UnsafePointer<UInt32>?
    /// How many rows are active.
    package let activeCount: Int
    /// A flat vector with room for `rowCount` values and validity bits (all set when the call
    /// begins). List and row results replace `children` by vectors made in `heap`.
    package let result: UnsafeMutablePointer<Vector>
    /// Where result strings go; lives until the chunk has been consumed.
    package let heap: Arena
    package let context: EvaluationContext
    /// For functions with lambda parameters: one evaluator a lambda, in order of the arguments.
    package let lambdas: [any LambdaEvaluator]

    package init(
        arguments: UnsafePointer<Vector>, argumentTypes: [LogicalType], resultType: LogicalType,
        rowCount: Int, selection: UnsafePointer<UInt32>?, activeCount: Int,
        result: UnsafeMutablePointer<Vector>, heap: Arena, context: EvaluationContext,
        lambdas: [any LambdaEvaluator] = []
    ) {
        self.arguments = arguments
        self.argumentTypes = argumentTypes
        self.resultType = resultType
        self.rowCount = rowCount
        self.selection = selection
        self.activeCount = activeCount
        self.result = result
        self.heap = heap
        self.context = context
        self.lambdas = lambdas
    }
}

/// Evaluates a lambda's body over vectors of its parameters.
package protocol LambdaEvaluator: AnyObject {
    /// Evaluates `rowCount` rows; `outerRows[i]` is the row of the call whose captured columns the
    /// `i`th row sees. The result lives until the next call.
    func evaluate(
        parameters: [Vector], rowCount: Int, outerRows: UnsafePointer<UInt32>
    ) -> Vector
}

/// What the evaluation of one worker shares between its kernels.
package final class EvaluationContext {
    /// Values of the session that functions may read; the same for the whole query.
    package let session: SessionValues
    /// The first failure; kernels go on with any value after they recorded one.
    package private(set) var fault: QueryFault?

    /// State of `randomBits`; each context of a query has a stream of its own.
    private var randomState: UInt64

    /// Whether somebody asked the query to stop: for what may run long within one chunk.
    package let isStopped: () -> Bool

    package init(session: SessionValues, isStopped: @escaping () -> Bool = { false }) {
        self.session = session
        self.isStopped = isStopped
        randomState = session.randomSeed &+ session.randomStreams.next() &* 0xD1B5_4A32_D192_ED03
    }

    /// Sixty-four random bits. Source: SplitMix64 (Steele, Lea, Flood, 2014).
    func randomBits() -> UInt64 {
        randomState &+= 0x9E37_79B9_7F4A_7C15
        var mixed = randomState
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Records a failure unless there is one already.
    package func fail(_ fault: @autoclosure () -> QueryFault) {
        if self.fault == nil { self.fault = fault() }
    }

    /// Whether to leave early, which is then recorded as a failure.
    package func leavesEarly() -> Bool {
        guard isStopped() else { return false }
        fail(QueryFault(.userCanceled, "Query was canceled"))
        return true
    }

    /// Takes the recorded failure away: for TRY and TRY_CAST, which turn it into NULL.
    package func takeFault() -> QueryFault? {
        defer { fault = nil }
        return fault
    }
}

/// Counts the evaluation contexts that were made of one session.
final class RandomStreams: Sendable {
    private let last = Atomic<UInt64>(0)

    func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// What a query knows of its session.
package struct SessionValues: Sendable {
    /// Start of the query in microseconds since 1970 UTC: every `now()` of the query is this.
    package var startMicroseconds: Int64
    /// IANA name or offset of the session's zone.
    package var zone: String
    package var user: String
    package var groups: [String]
    package var catalog: String?
    package var schema: String?
    package var queryID: String
    /// Seed of `random()` and `uuid()`; injected, so that tests repeat.
    package var randomSeed: UInt64
    /// Rules of time zones: whoever makes the session passes a loader that reads the system's files.
    /// The default knows UTC and fixed offsets only.
    package var timeZones = TimeZones { _ in nil }
    /// Numbers the contexts of the query, so that its workers draw different random numbers.
    let randomStreams = RandomStreams()

    package init(
        startMicroseconds: Int64, zone: String = "UTC", user: String = "", groups: [String] = [],
        catalog: String? = nil, schema: String? = nil, queryID: String = "", randomSeed: UInt64 = 0
    ) {
        self.startMicroseconds = startMicroseconds
        self.zone = zone
        self.user = user
        self.groups = groups
        self.catalog = catalog
        self.schema = schema
        self.queryID = queryID
        self.randomSeed = randomSeed
    }
}
