import Iceberg
import Authority
import SQLExecution
import SQLFunctions
import SQLPlanning
import Vectors

/// The catalog `system`: what runs, what there is, and the views of JDBC drivers. Source:
/// `reference/trino-dialect.md`, section 7.
struct SystemTables: Sendable {
    let doors: EngineDoors
    /// The queries that the caller may see.
    let queries: @Sendable (RequestContext) -> [Query]
    let transactions: TransactionKeeper

    private static let bySchema: [String: [String]] = [
        "information_schema": InformationSchema.tableNames,
        "metadata": [
            "catalogs", "dimensions", "materialized_views", "metrics", "models", "table_comments",
        ] + PropertyListing.metadataNames,
        "ingest": IngestTables.names,
        "ledger": LedgerTable.names,
        "operations": OperationsTables.names,
        "maintenance": MaintenanceTable.names,
        "runtime": ["nodes", "queries", "tasks", "transactions"],
        "quality": QualityTables.names,
        "jdbc": ["catalogs", "columns", "schemas", "table_types", "tables"]
            + PropertyListing.jdbcNames,
    ]

    /// The schemas of `system` without `information_schema`.
    static var schemas: [String] { bySchema.keys.filter { $0 != "information_schema" } }

    func names(_ schema: String) -> [String] { SystemTables.bySchema[schema] ?? [] }

    func table(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> (any ExecutableTable)? {
        switch "\(name.schema).\(name.table)" {
        case "runtime.queries": return queriesTable(name, context)
        case "runtime.tasks": return tasksTable(name, context)
        case "runtime.transactions":
            return TransactionListing.table(name, transactions, context)
        case "runtime.nodes":
            let columns =
                textColumns("node_id", "http_uri", "node_version") + [
                    TableColumn(name: "coordinator", type: .boolean)
                ] + textColumns("state")
            return ListingTable(name, columns) { (_) throws(QueryFault) in
                [
                    [
                        .text("lakehouse"), .text(""), .text(QueryEngine.version), .boolean(true),
                        .text("active"),
                    ]
                ]
            }
        case "metadata.catalogs":
            return ListingTable(
                name, textColumns("catalog_name", "connector_id", "connector_name", "state")
            ) { (_) throws(QueryFault) in
                catalogs.catalogNames(context).map {
                    let connector = catalogs.connectorName(context, $0)
                    return [.text($0), .text($0), .text(connector), .text("active")]
                }
            }
        case "metadata.models": return ModelListing.table(name, catalogs, context)
        case "metadata.table_comments": return comments(name, catalogs, context)
        case "metadata.materialized_views":
            return MaterializedViewListing.table(name, catalogs, context)
        case "jdbc.catalogs":
            return ListingTable(name, textColumns("table_cat")) { (_) throws(QueryFault) in
                catalogs.catalogNames(context).map { [.text($0)] }
            }
        case "jdbc.schemas":
            return ListingTable(name, textColumns("table_schem", "table_catalog")) {
                (wanted) throws(QueryFault) in
                var rows: [[LiteralValue]] = []
                for catalog in catalogs.catalogNames(context)
                where wanted.allows("table_catalog", catalog) {
                    for schema in try catalogs.schemaNames(context, catalog) {
                        rows.append([.text(schema), .text(catalog)])
                    }
                }
                return rows
            }
        case "jdbc.table_types":
            return ListingTable(name, textColumns("table_type")) { (_) throws(QueryFault) in
                [[.text("TABLE")], [.text("VIEW")]]
            }
        case "operations.alerts", "operations.alert_history", "operations.samples":
            return OperationsTables.table(name, doors)
        case "ingest.registry": return IngestTables.registry(name, doors, context)
        case "ledger.entries": return LedgerTable(name, doors, context)
        case "quality.quality_results": return QualityTables.results(name, doors, context)
        case "maintenance.log": return MaintenanceTable.log(name, catalogs, context)
        case "quality.checks": return QualityTables.checks(name, doors, context)
        case "metadata.metrics", "metadata.dimensions":
            return MetricTables.table(name, doors, context)
        case "jdbc.tables": return JDBCTables.tables(name, catalogs, context)
        case "jdbc.columns": return JDBCTables.columns(name, catalogs, context)
        default: return PropertyListing.table(name, catalogs, context)
        }
    }

    private func comments(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        ListingTable(name, textColumns("catalog_name", "schema_name", "table_name", "comment")) {
            (wanted) throws(QueryFault) in
            var rows: [[LiteralValue]] = []
            for catalog in catalogs.catalogNames(context)
            where wanted.allows("catalog_name", catalog) {
                for entry in try InformationSchema.entries(
                    catalogs, context, catalog, wanted, schemaColumn: "schema_name")
                {
                    let table = TableName(catalog: catalog, schema: entry.schema, table: entry.name)
                    let comment: String? =
                        switch InformationSchema.resolved(catalogs, context, table) {
                        case .table(let found, _)?:
                            (found as? IcebergTable)?.metadata.properties["comment"]
                        case .view(let found)?: found.comment
                        case nil: nil
                        }
                    rows.append([
                        .text(catalog), .text(entry.schema), .text(entry.name), .optional(comment),
                    ])
                }
            }
            return rows
        }
    }

    /// What a query cost; beyond Trino's columns of the table.
    private static let numbers = [
        "elapsed_time_ms", "cpu_time_ms", "processed_rows", "processed_bytes", "output_rows",
        "peak_memory_bytes", "spilled_bytes",
    ]

    private func queriesTable(_ name: TableName, _ context: RequestContext) -> ListingTable {
        let moment = LogicalType.timestampWithTimeZone(precision: 3)
        let columns =
            textColumns("query_id", "state", "user", "source", "query")
            + [TableColumn(name: "resource_group_id", type: .text)]
            + ["queued_time_ms", "analysis_time_ms", "planning_time_ms"].map {
                TableColumn(name: $0, type: .bigint)
            }
            + ["created", "started", "last_heartbeat", "end"].map {
                TableColumn(name: $0, type: moment)
            }
            + textColumns("error_type", "error_code")
            + Self.numbers.map { TableColumn(name: $0, type: .bigint) }
        return ListingTable(name, columns) { [queries] (_) throws(QueryFault) in
            queries(context).map { query in
                let snapshot = query.snapshot
                func time(_ microseconds: Int64?) -> LiteralValue {
                    microseconds.map { .wide(Int128($0) << 64) } ?? .null
                }
                return [
                    .text(query.id), .text(snapshot.state.rawValue),
                    .text(query.context.principal.name),
                    .optional(query.session.source), .text(query.shownSQL), .text("global"),
                    .integer(snapshot.statistics.queuedMilliseconds),
                    .integer(snapshot.statistics.planningMilliseconds),
                    .integer(snapshot.statistics.planningMilliseconds),
                    time(query.createdMicroseconds), time(query.createdMicroseconds),
                    time(snapshot.endedMicroseconds), time(snapshot.endedMicroseconds),
                    .optional(snapshot.fault?.code.trino.category.rawValue),
                    .optional(snapshot.fault?.code.rawValue),
                ]
                    + [
                        snapshot.statistics.elapsedMilliseconds,
                        snapshot.statistics.cpuMilliseconds, snapshot.statistics.processedRows,
                        snapshot.statistics.processedBytes, snapshot.statistics.outputRows,
                        snapshot.statistics.peakMemoryBytes, snapshot.statistics.spilledBytes,
                    ].map { .integer($0) }
            }
        }
    }
}

extension SystemTables {
    /// Each query is one task here, on the only node.
    private func tasksTable(_ name: TableName, _ context: RequestContext) -> ListingTable {
        let moment = LogicalType.timestampWithTimeZone(precision: 3)
        let columns =
            textColumns("node_id", "task_id", "stage_id", "query_id", "state")
            + [
                "splits", "queued_splits", "running_splits", "completed_splits",
                "split_scheduled_time_ms", "split_cpu_time_ms", "split_blocked_time_ms",
                "raw_input_bytes", "raw_input_rows", "processed_input_bytes",
                "processed_input_rows", "output_bytes", "output_rows", "physical_input_bytes",
                "physical_written_bytes",
            ].map { TableColumn(name: $0, type: .bigint) }
            + ["created", "start", "last_heartbeat", "end"].map {
                TableColumn(name: $0, type: moment)
            }
        return ListingTable(name, columns) { [queries] (_) throws(QueryFault) in
            queries(context).map { query in
                let snapshot = query.snapshot
                let numbers = snapshot.statistics
                func time(_ microseconds: Int64?) -> LiteralValue {
                    microseconds.map { .wide(Int128($0) << 64) } ?? .null
                }
                let texts = ["lakehouse", "\(query.id).0.0.0", "\(query.id).0", query.id]
                let counts: [Int64?] = [
                    Int64(numbers.totalSplits),
                    Int64(
                        max(
                            0,
                            numbers.totalSplits - numbers.runningSplits - numbers.completedSplits)),
                    Int64(numbers.runningSplits), Int64(numbers.completedSplits),
                    numbers.elapsedMilliseconds, numbers.cpuMilliseconds, nil,
                    numbers.processedBytes, numbers.processedRows, numbers.processedBytes,
                    numbers.processedRows, nil, numbers.outputRows, numbers.processedBytes,
                    numbers.writtenBytes,
                ]
                return texts.map { .text($0) } + [.text(snapshot.state.rawValue)]
                    + counts.map { MetadataTables.integer($0) }
                    + [
                        time(query.createdMicroseconds), time(query.createdMicroseconds),
                        time(snapshot.endedMicroseconds), time(snapshot.endedMicroseconds),
                    ]
            }
        }
    }
}

/// `system.jdbc.tables` and `.columns`, with the columns that `DatabaseMetaData` promises.
enum JDBCTables {
    static func tables(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        ListingTable(
            name,
            textColumns(
                "table_cat", "table_schem", "table_name", "table_type", "remarks", "type_cat",
                "type_schem", "type_name", "self_referencing_col_name", "ref_generation")
        ) { (wanted) throws(QueryFault) in
            var rows: [[LiteralValue]] = []
            for catalog in catalogs.catalogNames(context) where wanted.allows("table_cat", catalog)
            {
                for entry in try InformationSchema.entries(
                    catalogs, context, catalog, wanted, schemaColumn: "table_schem")
                {
                    let isView =
                        entry.isView
                        && !MaterializedViewListing.isMaterialized(
                            catalogs, context,
                            TableName(catalog: catalog, schema: entry.schema, table: entry.name))
                    rows.append(
                        [
                            .text(catalog), .text(entry.schema), .text(entry.name),
                            .text(isView ? "VIEW" : "TABLE"),
                        ] + [LiteralValue](repeating: .null, count: 6))
                }
            }
            return rows
        }
    }

    static func columns(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        func number(_ name: String) -> TableColumn { TableColumn(name: name, type: .bigint) }
        let columns =
            textColumns("table_cat", "table_schem", "table_name", "column_name") + [
                number("data_type")
            ]
            + textColumns("type_name")
            + ["column_size", "buffer_length", "decimal_digits", "num_prec_radix", "nullable"].map(
                number)
            + textColumns("remarks", "column_def")
            + ["sql_data_type", "sql_datetime_sub", "char_octet_length", "ordinal_position"].map(
                number)
            + textColumns("is_nullable", "scope_catalog", "scope_schema", "scope_table")
            + [number("source_data_type")] + textColumns("is_autoincrement", "is_generatedcolumn")
        return ListingTable(name, columns) { (wanted) throws(QueryFault) in
            var rows: [[LiteralValue]] = []
            for catalog in catalogs.catalogNames(context) where wanted.allows("table_cat", catalog)
            {
                for entry in try InformationSchema.entries(
                    catalogs, context, catalog, wanted, schemaColumn: "table_schem")
                {
                    let table = TableName(catalog: catalog, schema: entry.schema, table: entry.name)
                    for (index, column) in InformationSchema.visibleColumns(
                        catalogs, context, table
                    )
                    .enumerated() {
                        rows.append(row(table, column, index + 1))
                    }
                }
            }
            return rows
        }
    }

    private static func row(_ table: TableName, _ column: TableColumn, _ position: Int)
        -> [LiteralValue]
    {
        let (size, digits, radix) = sizes(column.type)
        return [
            .text(table.catalog), .text(table.schema), .text(table.table), .text(column.name),
            .integer(jdbcType(column.type)), .text("\(column.type)"), size, .null, digits, radix,
            .integer(column.isNullable ? 1 : 0), .optional(column.comment),
            .optional(ColumnDefault.text(column)), .null, .null, size,
            .integer(Int64(position)), .text(column.isNullable ? "YES" : "NO"), .null, .null, .null,
            .null,
            .text("NO"), .text("NO"),
        ]
    }

    /// The number of `java.sql.Types`.
    static func jdbcType(_ type: LogicalType) -> Int64 {
        switch type {
        case .boolean: 16
        case .tinyint: -6
        case .smallint: 5
        case .integer: 4
        case .bigint: -5
        case .real: 7
        case .double: 8
        case .decimal: 3
        case .char: 1
        case .varchar: 12
        case .varbinary: -3
        case .date: 91
        case .time: 92
        case .timeWithTimeZone: 2013
        case .timestamp: 93
        case .timestampWithTimeZone: 2014
        case .array: 2003
        case .unknown: 0
        default: 2000
        }
    }

    private static func sizes(
        _ type: LogicalType
    ) -> (size: LiteralValue, digits: LiteralValue, radix: LiteralValue) {
        switch type {
        case .tinyint: (.integer(3), .integer(0), .integer(10))
        case .smallint: (.integer(5), .integer(0), .integer(10))
        case .integer: (.integer(10), .integer(0), .integer(10))
        case .bigint: (.integer(19), .integer(0), .integer(10))
        case .real: (.integer(24), .null, .integer(2))
        case .double: (.integer(53), .null, .integer(2))
        case .decimal(let precision, let scale):
            (.integer(Int64(precision)), .integer(Int64(scale)), .integer(10))
        case .varchar(let length): (.integer(Int64(length ?? 2_147_483_647)), .null, .null)
        case .char(let length): (.integer(Int64(length)), .null, .null)
        default: (.null, .null, .null)
        }
    }
}
