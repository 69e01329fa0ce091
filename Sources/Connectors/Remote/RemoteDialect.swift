import SQLPlanning
import Vectors

/// What a remote database's SQL looks like, and what of it is surely computed as we would.
protocol RemoteDialect: Sendable {
    /// A name in the dialect's quotes.
    func quoted(_ name: String) -> String
    /// Whether values of the type compare equal there exactly if they do here.
    func compares(_ type: LogicalType) -> Bool
    /// Whether NaN has to be kept out of comparisons.
    func hasNaN(_ type: LogicalType) -> Bool
    /// A constant of a type that compares; nil where it cannot be written.
    func literal(_ value: LiteralValue, _ type: LogicalType) -> String?
    /// An expression whose order is ours: texts by code points.
    func ordered(_ sql: String, _ type: LogicalType) -> String
    /// An expression whose equality is ours: texts letter by letter.
    func equated(_ sql: String, _ type: LogicalType) -> String
    /// Whether arithmetic of the type is exact there, and fails where ours fails.
    func calculates(_ type: LogicalType) -> Bool
    /// A conversion; nil where the two sides might differ.
    func cast(_ sql: String, from: LogicalType, to: LogicalType) -> String?
    /// A call of one of our functions, by its name; nil where the two sides might differ.
    func call(_ function: String, _ arguments: [(sql: String, type: LogicalType)]) -> String?
    /// `LIKE` with a pattern that is a constant; nil where letters' case or the like matter.
    func like(_ sql: String, pattern: String, escape: String?) -> String?
    /// An aggregate; nil where the two sides might differ.
    func aggregate(
        _ function: String, _ argument: (sql: String, type: LogicalType)?, isDistinct: Bool
    ) -> String?
    /// A column as innermost SELECTs read it: fails where the stored value is not of the type.
    func guarded(_ column: RemoteColumn) -> String
    /// Whether joins may go over.
    var joins: Bool { get }
    /// A condition that all rows fulfil whose value lies in the range; nil: none that is cheap.
    func hint(_ column: RemoteColumn, _ range: RemoteRange) -> String?
}

/// Bounds of a scan's condition, for wider nets.
struct RemoteRange {
    var lower: LiteralValue?
    var upper: LiteralValue?
}

/// A column of a remote table.
struct RemoteColumn: Sendable {
    /// The name over there, in its own case.
    var remoteName: String
    var column: TableColumn
    /// Whether the type there is the type here, so that comparisons agree: columns that are converted
    /// while they are read are not compared over there.
    var isExact: Bool
}

/// A relation of a remote database: its SELECT, and what its columns are.
struct RemoteRelation {
    var sql: String
    var columns: [PlanColumn]
    /// Columns of theirs by our ids.
    var names: [ColumnID: String]
    /// Columns that do not compare there as here.
    var inexact: Set<ColumnID> = []

    /// The name that a column has in every SELECT.
    static func name(_ id: ColumnID) -> String { "c\(id.number)" }
}
