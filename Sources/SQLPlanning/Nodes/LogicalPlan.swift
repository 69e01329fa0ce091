package import SQLFunctions
package import Vectors

/// A column of a plan node's output.
package struct PlanColumn: Sendable, Hashable {
    package var id: ColumnID
    package var type: LogicalType
    /// For EXPLAIN and results; names need not be unique.
    package var name: String

    package init(id: ColumnID, type: LogicalType, name: String) {
        self.id = id
        self.type = type
        self.name = name
    }
}

/// A query as a tree of operators. The executor turns it into pipelines.
package indirect enum LogicalPlan: Sendable {
    case scan(ScanNode)
    case values(ValuesNode)
    case filter(LogicalPlan, predicate: BoundExpression)
    /// Output is exactly the assignments, in order.
    case project(LogicalPlan, [Assignment])
    case aggregate(AggregateNode)
    case join(JoinNode)
    case window(WindowNode)
    /// Sorts everything; stable where keys are equal is not promised.
    case sort(LogicalPlan, [SortKey])
    /// The first rows in an order; `withTies` adds those equal to the last.
    case topN(LogicalPlan, [SortKey], count: Int64, offset: Int64, withTies: Bool)
    case limit(LogicalPlan, count: Int64?, offset: Int64)
    /// UNION ALL: `columns` of the output, and for each input which of its columns fill them.
    case union([LogicalPlan], columns: [PlanColumn], mapping: [[ColumnID]])
    case unnest(UnnestNode)
    /// At most one row passes, otherwise SUBQUERY_MULTIPLE_ROWS; no row gives one row of NULLs.
    case singleRow(LogicalPlan)
    /// Adds a bigint that is unique a row.
    case rowNumber(LogicalPlan, ColumnID)
    /// Bernoulli sample of so many percent.
    case sample(LogicalPlan, percent: Double)
}

/// One output column of a projection.
package struct Assignment: Sendable {
    package var column: PlanColumn
    package var expression: BoundExpression

    package init(column: PlanColumn, expression: BoundExpression) {
        self.column = column
        self.expression = expression
    }
}

/// Reads a table. `filters` are conjuncts over its columns that the scan applies exactly; the scan
/// may also use them to prune files, row groups and pages.
package struct ScanNode: Sendable {
    package var table: any PlannedTable
    /// Output columns, and which column of the table each is.
    package var columns: [PlanColumn]
    /// Index into `table.columns` for each output column.
    package var tableColumns: [Int]
    /// May refer to output columns and to `filterOnlyColumns`.
    package var filters: [BoundExpression]
    /// Columns that only filters need: not in the output.
    package var filterOnlyColumns: [(column: PlanColumn, tableColumn: Int)]
    /// At most so many of the rows that pass the filters are wanted, any of them.
    package var limit: Int64?

    package init(
        table: any PlannedTable, columns: [PlanColumn], tableColumns: [Int],
        filters: [BoundExpression] = [],
        filterOnlyColumns: [(column: PlanColumn, tableColumn: Int)] = [], limit: Int64? = nil
    ) {
        self.table = table
        self.columns = columns
        self.tableColumns = tableColumns
        self.filters = filters
        self.filterOnlyColumns = filterOnlyColumns
        self.limit = limit
    }
}

/// Rows of constant expressions (they may hold session functions, but no column).
package struct ValuesNode: Sendable {
    package var columns: [PlanColumn]
    package var rows: [[BoundExpression]]

    package init(columns: [PlanColumn], rows: [[BoundExpression]]) {
        self.columns = columns
        self.rows = rows
    }
}

/// Groups and aggregates. Keys and arguments are columns of the input (projected before).
package struct AggregateNode: Sendable {
    package var input: LogicalPlan
    /// Group keys; they keep their id in the output. Empty: one group, also over no rows.
    package var keys: [PlanColumn]
    /// Indices into `keys` for each grouping set; nil: one set with all keys.
    package var groupingSets: [[Int]]?
    /// With grouping sets: an output column (bigint) that holds the index of the set.
    package var groupingSetID: ColumnID?
    package var calls: [AggregateCall]

    package init(
        input: LogicalPlan, keys: [PlanColumn], groupingSets: [[Int]]? = nil,
        groupingSetID: ColumnID? = nil, calls: [AggregateCall]
    ) {
        self.input = input
        self.keys = keys
        self.groupingSets = groupingSets
        self.groupingSetID = groupingSetID
        self.calls = calls
    }
}

/// One aggregate: `output = function(DISTINCT arguments ORDER BY …) FILTER (WHERE filter)`.
package struct AggregateCall: Sendable {
    package var output: PlanColumn
    package var function: ResolvedAggregate
    package var arguments: [ColumnID]
    package var isDistinct: Bool
    /// A boolean column of the input.
    package var filter: ColumnID?
    package var order: [SortKey]

    package init(
        output: PlanColumn, function: ResolvedAggregate, arguments: [ColumnID],
        isDistinct: Bool = false,
        filter: ColumnID? = nil, order: [SortKey] = []
    ) {
        self.output = output
        self.function = function
        self.arguments = arguments
        self.isDistinct = isDistinct
        self.filter = filter
        self.order = order
    }
}

/// Which rows of the two sides a join gives.
package enum JoinKind: Sendable, Hashable {
    case inner, left, right, full, cross
    /// Rows of the left side that have a match; output is the left columns.
    case semi
    /// Rows of the left side that have none (NOT EXISTS).
    case anti
    /// Rows of the left side for NOT IN: none if the right side has a NULL key; NULL keys on the left
    /// pass only when the right side is empty.
    case nullAwareAnti
    /// All rows of the left side and a boolean column that says whether there is a match;
    /// `isNullAware`: three-valued as IN is.
    case mark(ColumnID, isNullAware: Bool)
}

/// Joins two inputs; the right side is built, the left side probes (the optimizer swaps sides).
///
/// Null-aware kinds have exactly one equality and no residual; `cross` has neither. For `semi`, `anti`
/// and `mark` the residual is part of what a match is. Key columns are of one type but for the length of
/// varchars. What a build side learns of its keys (bounds, bitmaps) may filter every scan below the
/// probe side that hands the key up, also through the group keys of an aggregate: plans of correlated
/// aggregates count on it.
package struct JoinNode: Sendable {
    package var kind: JoinKind
    package var left: LogicalPlan
    package var right: LogicalPlan
    /// Pairs of columns of the same type that must be equal.
    package var equalities: [JoinEquality]
    /// What else must hold of a pair; sees columns of both sides.
    package var residual: BoundExpression?
    /// For semi and anti joins: the left side is much smaller, so that building it, probing with the
    /// right side and giving the (un)matched rows at the end is cheaper. A hint: the result is the same.
    package var prefersLeftBuild: Bool

    package init(
        kind: JoinKind, left: LogicalPlan, right: LogicalPlan, equalities: [JoinEquality],
        residual: BoundExpression? = nil, prefersLeftBuild: Bool = false
    ) {
        self.kind = kind
        self.left = left
        self.right = right
        self.equalities = equalities
        self.residual = residual
        self.prefersLeftBuild = prefersLeftBuild
    }
}

/// `left = right`, or IS NOT DISTINCT FROM when `matchesNulls`.
package struct JoinEquality: Sendable {
    package var left: ColumnID
    package var right: ColumnID
    package var matchesNulls: Bool

    package init(left: ColumnID, right: ColumnID, matchesNulls: Bool = false) {
        self.left = left
        self.right = right
        self.matchesNulls = matchesNulls
    }
}

/// One key of an order: the column, its direction, where NULLs go.
package struct SortKey: Sendable, Hashable {
    package var column: ColumnID
    package var isAscending: Bool
    package var nullsFirst: Bool

    package init(column: ColumnID, isAscending: Bool = true, nullsFirst: Bool = false) {
        self.column = column
        self.isAscending = isAscending
        self.nullsFirst = nullsFirst
    }
}

/// Computes window functions that share partitioning and order; output is the input and the calls.
package struct WindowNode: Sendable {
    package var input: LogicalPlan
    package var partitionBy: [ColumnID]
    package var orderBy: [SortKey]
    package var calls: [WindowCall]

    package init(
        input: LogicalPlan, partitionBy: [ColumnID], orderBy: [SortKey], calls: [WindowCall]
    ) {
        self.input = input
        self.partitionBy = partitionBy
        self.orderBy = orderBy
        self.calls = calls
    }
}

/// One window function over the partition and order of its node.
package struct WindowCall: Sendable {
    package var output: PlanColumn
    package var function: ResolvedAggregate
    package var arguments: [ColumnID]
    package var filter: ColumnID?
    package var ignoresNulls: Bool
    package var frame: WindowFrame
    /// MATCH_RECOGNIZE rather than a function.
    package var pattern: RowPatternCall?

    package init(
        output: PlanColumn, function: ResolvedAggregate, arguments: [ColumnID],
        filter: ColumnID? = nil,
        ignoresNulls: Bool = false, frame: WindowFrame
    ) {
        self.output = output
        self.function = function
        self.arguments = arguments
        self.filter = filter
        self.ignoresNulls = ignoresNulls
        self.frame = frame
    }
}

/// The rows around the current one that a window function sees (SQL:2016, 7.15).
package struct WindowFrame: Sendable {
    package enum Unit: Sendable { case rows, range, groups }
    /// One end of a frame.
    package enum Bound: Sendable {
        case unboundedPreceding, currentRow, unboundedFollowing
        /// For rows and groups: a bigint column. For range: a column that holds the bounding *value*
        /// (order key ∓ offset, computed by a projection below the window).
        case preceding(ColumnID)
        case following(ColumnID)
    }
    package var unit: Unit
    package var start: Bound
    package var end: Bound

    package init(unit: Unit, start: Bound, end: Bound) {
        self.unit = unit
        self.start = start
        self.end = end
    }
}

/// Expands arrays and maps to rows next to each other; output is `kept` input columns, then `columns`.
package struct UnnestNode: Sendable {
    package var input: LogicalPlan
    package var kept: [ColumnID]
    /// Array or map columns of the input.
    package var collections: [ColumnID]
    /// Outputs a collection: one for arrays (one a field for arrays of rows), two for maps.
    package var columns: [[PlanColumn]]
    package var ordinality: PlanColumn?
    /// LEFT JOIN UNNEST … ON TRUE: an empty collection still gives a row of NULLs.
    package var isOuter: Bool

    package init(
        input: LogicalPlan, kept: [ColumnID], collections: [ColumnID], columns: [[PlanColumn]],
        ordinality: PlanColumn?, isOuter: Bool
    ) {
        self.input = input
        self.kept = kept
        self.collections = collections
        self.columns = columns
        self.ordinality = ordinality
        self.isOuter = isOuter
    }
}
