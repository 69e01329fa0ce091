import SQLFunctions
package import SQLSyntax
package import Vectors

/// A statement whose names and types are resolved: what `SQLEngine` runs.
package enum BoundStatement: Sendable {
    /// Rows for the client.
    case query(BoundQuery)
    /// The rows of a new table. The engine checks rights, makes the table and commits.
    case createTableAs(CreateTableAsSelect, BoundQuery)
    /// Rows for a table, in the order of all its visible columns, cast to their types.
    case insert(BoundInsert)
    /// The plan's outputs: `$path` varchar, `$pos` bigint of the rows to delete.
    case delete(BoundChange)
    /// The plan's outputs: `$path`, `$pos`, then the new values of all visible columns, then `$row_id`
    /// where the table has that hidden column.
    case update(BoundChange)
    /// The plan's outputs: `$path`, `$pos` (NULL for inserts), the operation as tinyint (1 insert,
    /// 2 delete, 3 update), a bigint that numbers the source row, then the values of all visible columns
    /// (NULL for deletes), then `$row_id` as for UPDATE (NULL for inserts). Rows that do nothing are filtered out; the same `$path` and `$pos` twice is
    /// MERGE_TARGET_ROW_MULTIPLE_MATCHES, which the writer raises while it collects positions.
    case merge(BoundChange)
    /// Everything else: the engine executes the tree.
    case utility(Statement)
}

/// A plan and what the client sees of it.
package struct BoundQuery: Sendable {
    package var plan: LogicalPlan
    /// Labels and ids of the result's columns, in order; several may name one plan column.
    package var columns: [ResultColumn]

    package init(plan: LogicalPlan, columns: [ResultColumn]) {
        self.plan = plan
        self.columns = columns
    }
}

/// A column of a result.
package struct ResultColumn: Sendable, Hashable {
    /// As written in the alias; `_col0` where there is none.
    package var label: String
    package var id: ColumnID
    package var type: LogicalType
    /// Where the column comes from, for DESCRIBE OUTPUT; nil for expressions.
    package var origin: TableName?
    /// Whether the label was given by AS.
    package var isAliased: Bool

    package init(
        label: String, id: ColumnID, type: LogicalType, origin: TableName? = nil,
        isAliased: Bool = false
    ) {
        self.label = label
        self.id = id
        self.type = type
        self.origin = origin
        self.isAliased = isAliased
    }
}

/// An INSERT whose query gives exactly the columns of the table, in its order and types.
package struct BoundInsert: Sendable {
    package var name: TableName
    package var branch: String?
    package var table: any PlannedTable
    package var plan: LogicalPlan
    /// Ids of the plan's outputs for each visible column of the table.
    package var columns: [ColumnID]
    /// Which visible columns the statement named (all where it named none).
    package var named: [Int]
}

/// DELETE, UPDATE, MERGE.
package struct BoundChange: Sendable {
    package var name: TableName
    package var branch: String?
    package var table: any PlannedTable
    package var plan: LogicalPlan
    /// Ids of the plan's outputs, in the order that the statement's case documents.
    package var columns: [ColumnID]
    /// The row filter of a DELETE, when it is nothing but conditions over the table's columns (whole
    /// files may go without reading); nil where it needs more, empty for all rows.
    package var pureFilters: [BoundExpression]?
    /// Columns that UPDATE or MERGE assigns, by index of the visible columns.
    package var assigned: [Int]
    /// What the statement may do to rows: the rights it needs before its plan runs.
    package var kinds: Set<RowChange>
}

/// What may happen to a row.
package enum RowChange: Sendable, Hashable { case insert, update, delete }
