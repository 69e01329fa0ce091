import SQLExecution
import SQLPlanning

/// Ways of running a session's queries that must not change an answer, named by the session property
/// `verification`: for tests that compare, and for people who doubt a result.
enum VerificationMode: String, CaseIterable {
    case none = "NONE"
    /// Plans run as they were bound.
    case optimizerOff = "OPTIMIZER_OFF"
    /// Chunks of seven rows, overwritten as soon as they were read.
    case smallChunks = "SMALL_CHUNKS"
    /// Every join, sort and aggregation goes through files.
    case spill = "SPILL"
    /// Strings of in-memory tables are dictionary vectors.
    case dictionaries = "DICTIONARIES"
    /// Every vector is constant.
    case constants = "CONSTANTS"
    case oneThread = "ONE_THREAD"

    static let property = "verification"

    /// The mode of a session. A value that SET SESSION would refuse means none.
    init(_ session: QuerySession) {
        let value = session.properties[VerificationMode.property] ?? ""
        self = VerificationMode(rawValue: value.uppercased()) ?? .none
    }

    func rules(_ usual: OptimizerRules) -> OptimizerRules {
        self == .optimizerOff ? .none : usual
    }

    func apply(to settings: inout ExecutionSettings) {
        switch self {
        case .none, .optimizerOff: break
        case .smallChunks:
            settings.verification.chunkRows = 7
            settings.verification.poisonsChunks = true
        case .spill: settings.verification.forcesSpill = true
        case .dictionaries: settings.verification.forcesDictionaries = true
        case .constants: settings.verification.forcesConstants = true
        case .oneThread: settings.threadCount = 1
        }
    }
}
