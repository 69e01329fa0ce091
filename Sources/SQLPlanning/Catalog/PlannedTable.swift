package import Authority
package import Diagnostics
package import SQLFunctions
package import Vectors

/// `catalog.schema.table`, each in the stored (lower) case.
package struct TableName: Sendable, Hashable, CustomStringConvertible {
    package var catalog: String
    package var schema: String
    package var table: String

    package init(catalog: String, schema: String, table: String) {
        self.catalog = catalog
        self.schema = schema
        self.table = table
    }

    package var description: String { "\(catalog).\(schema).\(table)" }
}

/// A column as a table offers it.
package struct TableColumn: Sendable, Hashable {
    package var name: String
    package var type: LogicalType
    package var isNullable: Bool
    /// Hidden columns (`$path`) are selected by name only.
    package var isHidden: Bool
    package var comment: String?
    /// What rows get that do not name the column; nil: NULL.
    package var defaultValue: LiteralValue?

    package init(
        name: String, type: LogicalType, isNullable: Bool = true, isHidden: Bool = false,
        comment: String? = nil, defaultValue: LiteralValue? = nil
    ) {
        self.defaultValue = defaultValue
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.isHidden = isHidden
        self.comment = comment
    }
}

extension TableColumn {
    /// The column's default, or NULL.
    var omittedValue: BoundExpression {
        defaultValue.map { .literal($0, type) } ?? .null(type)
    }
}

/// What is known of a table without reading it; every value may be an estimate.
package struct TableStatistics: Sendable {
    package var rowCount: Double
    /// By index of the column; missing where nothing is known.
    package var columns: [Int: ColumnStatistics]

    package init(rowCount: Double, columns: [Int: ColumnStatistics] = [:]) {
        self.rowCount = rowCount
        self.columns = columns
    }
}

/// What is known of a column's values before a scan; each part may be absent.
package struct ColumnStatistics: Sendable {
    package var distinctCount: Double?
    package var nullFraction: Double?
    /// Bounds as literals of the column's type.
    package var minimum: LiteralValue?
    package var maximum: LiteralValue?
    package var averageBytes: Double?

    package init(
        distinctCount: Double? = nil, nullFraction: Double? = nil, minimum: LiteralValue? = nil,
        maximum: LiteralValue? = nil, averageBytes: Double? = nil
    ) {
        self.distinctCount = distinctCount
        self.nullFraction = nullFraction
        self.minimum = minimum
        self.maximum = maximum
        self.averageBytes = averageBytes
    }
}

/// A table at one version: immutable while the query runs. Row position columns that writers need
/// (`$path` varchar, `$pos` bigint) are hidden columns of tables that support DELETE and UPDATE.
package protocol PlannedTable: AnyObject, Sendable {
    var name: TableName { get }
    var columns: [TableColumn] { get }
    var statistics: TableStatistics? { get }
    /// The same for tables that have the same rows: within a statement, parts of a plan that read equal
    /// states of a table may share what comes of it.
    var stateIdentity: String { get }
}

extension PlannedTable {
    /// Of a table that knows nothing of versions: itself.
    package var stateIdentity: String { "\(name) \(UInt(bitPattern: ObjectIdentifier(self)))" }
}

/// A table that remembers which rows came and went.
package protocol ChangeTracking: PlannedTable {
    /// The changes after a snapshot, up to the state of this table, as a table: the visible columns, then
    /// `_change_type`, `_change_version_id`, `_change_timestamp` and `_change_ordinal`. Throws
    /// INVALID_FUNCTION_ARGUMENT for a snapshot that is no ancestor.
    func changes(after start: Int64) throws(QueryFault) -> any PlannedTable
}

/// Which state of a table is meant.
package enum TableVersion: Sendable, Hashable {
    case current
    /// `FOR VERSION AS OF 123`.
    case snapshot(Int64)
    /// `FOR VERSION AS OF 'name'` or `table@branch`.
    case reference(String)
    /// `FOR TIMESTAMP AS OF`, in microseconds UTC.
    case timestamp(microseconds: Int64)
}

/// What stands behind a name.
package enum ResolvedRelation: Sendable {
    /// A table and the policy decision of the caller for it (row filter, masks).
    case table(any PlannedTable, Decision)
    case view(ViewDefinition)
}

/// A stored view: its text and what its names resolve against.
package struct ViewDefinition: Sendable {
    package var name: TableName
    package var sql: String
    package var columns: [TableColumn]
    /// Defaults for names inside the view.
    package var catalog: String?
    package var schema: String?
    package var owner: Principal
    /// INVOKER security: names inside are resolved as the caller, not as the owner.
    package var runsAsInvoker: Bool
    /// What `COMMENT ON VIEW` said.
    package var comment: String?
    /// Where a materialized view keeps its rows; nil for other views.
    package var materialization: Materialization?

    package init(
        name: TableName, sql: String, columns: [TableColumn], catalog: String?, schema: String?,
        owner: Principal, runsAsInvoker: Bool, comment: String? = nil
    ) {
        self.name = name
        self.sql = sql
        self.columns = columns
        self.catalog = catalog
        self.schema = schema
        self.owner = owner
        self.runsAsInvoker = runsAsInvoker
        self.comment = comment
    }
}

/// What makes a view a materialized one.
package struct Materialization: Sendable, Hashable {
    /// The table with the rows of the last refresh.
    package var storage: TableName
    /// The view's own id, which the storage table has to name: a table that does not is no storage of it.
    package var viewUUID: String
    /// How long rows may be read that are not fresh any more, in milliseconds; nil: without end.
    package var graceMilliseconds: Int64?
    /// WHEN STALE FAIL: what is too old is an error, rather than worked out again.
    package var failsWhenStale: Bool

    package init(
        storage: TableName, viewUUID: String, graceMilliseconds: Int64?, failsWhenStale: Bool
    ) {
        self.storage = storage
        self.viewUUID = viewUUID
        self.graceMilliseconds = graceMilliseconds
        self.failsWhenStale = failsWhenStale
    }
}

/// How the binder finds tables. Asked while binding; caches belong to the implementation.
package protocol CatalogView: Sendable {
    /// Resolves a name for reading; throws CATALOG_, SCHEMA_, TABLE_NOT_FOUND (with suggestions) or
    /// PERMISSION_DENIED.
    func resolve(
        _ context: RequestContext, _ name: TableName, version: TableVersion, span: SourceSpan?
    ) throws(QueryFault) -> ResolvedRelation

    /// Finds a trained model for calls such as `ai_anomaly`; nil: its latest version. Throws NOT_FOUND
    /// (with a suggestion) or PERMISSION_DENIED.
    func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel

    /// The texts (`FUNCTION f(…) RETURNS … …`) of the routines of a name, which may differ in their
    /// parameters; none where there is none. Throws PERMISSION_DENIED.
    func routines(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [String]

    /// Table functions and other names the binder cannot know: reserved for later additions.
    var catalogNames: [String] { get }
}

extension CatalogView {
    /// Catalogs without routines.
    package func routines(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [String] { [] }
}
