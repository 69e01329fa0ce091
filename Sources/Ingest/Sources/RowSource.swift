import TableFiles
import TextTables
import Vectors

/// A column as the source has it.
struct SourceColumn: Hashable, Sendable {
    /// In lower case: SQL names are found without quotes.
    var name: String
    /// The type that the source says or that its values suggest.
    var type: LogicalType
    /// The most digits that a number has before its point, where values were looked at.
    var wholeDigits: Int?
}

/// Rows to be brought in. The type of a column is a wish: a source reads its values as whatever
/// type the table wants, value by value, and says which value does not fit.
protocol RowSource: AnyObject {
    var columns: [SourceColumn] { get }
    /// What errors and logs call it.
    var name: String { get }
    /// Whether the types were guessed from texts, so that a narrower type of the table may do as well.
    var isGuessed: Bool { get }
    /// Identifies the content: read again it is the same if and only if this is; nil: unknown.
    var version: String? { get }

    /// What is to be said of the source in the run's log.
    var remarks: [String] { get }

    /// Hands all rows to `body` in chunks with the columns in order, as the given types.
    func read(as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void) throws

    /// Threads that may help with the rows; nil: the source has nothing to share between them.
    var team: LoadTeam? { get }

    /// The same as `read`, some chunks at a time, made with the team's threads where there are any.
    func readTogether(
        as types: [LogicalType], budget: MemoryBudget, _ body: ([Chunk]) throws -> Void) throws
}

extension RowSource {
    var remarks: [String] { [] }
    var team: LoadTeam? { nil }

    func readTogether(
        as types: [LogicalType], budget: MemoryBudget, _ body: ([Chunk]) throws -> Void
    ) throws {
        try read(as: types, budget: budget) { try body([$0]) }
    }
}

/// Remarks on the header of a CSV file.
enum HeaderRemarks {
    static func of(_ inference: CSVInference?) -> [String] {
        (inference?.repeated ?? []).map { text, names in
            "the header has '\(text)' \(names.count) times: the columns are "
                + names.joined(separator: ", ")
        }
    }
}
