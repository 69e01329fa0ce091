import CivilTime
import SQLFunctions
import SQLSyntax
import Vectors

/// A session property that clients may set.
struct SessionProperty: Sendable {
    enum Shape: Sendable {
        case flag, number, decimal, duration, size, text, zone, choice([String])
    }

    let name: String
    let shape: Shape
    let initial: String
    let summary: String

    init(_ name: String, _ shape: Shape, _ initial: String, _ summary: String) {
        self.name = name
        self.shape = shape
        self.initial = initial
        self.summary = summary
    }

    /// The SQL type, as SHOW SESSION prints it.
    var typeName: String {
        switch shape {
        case .flag: "boolean"
        case .number: "bigint"
        case .decimal: "double"
        case .duration, .size, .text, .zone, .choice: "varchar"
        }
    }

    /// Throws INVALID_SESSION_PROPERTY unless the value may be set.
    func check(_ text: String, _ type: LogicalType) throws(QueryFault) {
        let isRight: Bool
        switch shape {
        case .flag: isRight = type == .boolean
        case .number:
            isRight = Int64(text) != nil && [.tinyint, .smallint, .integer, .bigint].contains(type)
        case .decimal: isRight = Double(text) != nil && !type.isText
        case .text: isRight = type.isText
        case .duration: isRight = type.isText && Self.isDuration(text)
        case .size: isRight = type.isText && (try? TableProperties.bytes(text)) != nil
        case .zone: isRight = type.isText && TimeZoneKey(name: text) != nil
        case .choice(let values):
            guard type.isText, values.contains(text.uppercased()) else {
                throw QueryFault(
                    .invalidSessionProperty,
                    "Invalid value for session property '\(name)': \(text)",
                    hint: suggestion(text, values) ?? "one of \(values.joined(separator: ", "))")
            }
            return
        }
        guard isRight else {
            throw QueryFault(
                .invalidSessionProperty,
                "Unable to set session property '\(name)' to '\(text)': it takes a \(typeName)")
        }
    }

    /// `5m`, `1.50h`, `100ms`. Source: Trino documentation, "Properties reference, duration".
    private static func isDuration(_ text: String) -> Bool {
        for unit in ["ns", "us", "ms", "s", "m", "h", "d"] where text.hasSuffix(unit) {
            if let number = Double(text.dropLast(unit.count)), number >= 0 { return true }
        }
        return false
    }
}

/// The session properties that are known. Clients of Trino set many of them; what this engine has no use
/// for is taken and changes nothing, since a failed SET SESSION stops their whole run.
enum SessionProperties {
    static let system: [SessionProperty] = [
        SessionProperty("time_zone_id", .zone, "", "Time zone id for the current session"),
        SessionProperty("query_max_run_time", .duration, "100d", "Maximum run time of a query"),
        SessionProperty(
            "query_max_execution_time", .duration, "100d", "Maximum execution time of a query"),
        SessionProperty(
            "query_max_planning_time", .duration, "10m", "Maximum planning time of a query"),
        SessionProperty("query_max_cpu_time", .duration, "1000000000d", "Maximum CPU time"),
        SessionProperty("query_max_scan_physical_bytes", .size, "", "Maximum bytes scanned"),
        SessionProperty("query_max_memory", .size, "20GB", "Maximum memory of a query"),
        SessionProperty("query_max_memory_per_node", .size, "20GB", "Maximum memory on a node"),
        SessionProperty("query_max_total_memory", .size, "40GB", "Maximum total memory of a query"),
        SessionProperty("query_priority", .number, "1", "The priority of queries"),
        SessionProperty("resource_overcommit", .flag, "false", "Use resources not guaranteed"),
        SessionProperty(
            "join_distribution_type", .choice(["AUTOMATIC", "BROADCAST", "PARTITIONED"]),
            "AUTOMATIC", "Join distribution type"),
        SessionProperty(
            "join_reordering_strategy", .choice(["NONE", "ELIMINATE_CROSS_JOINS", "AUTOMATIC"]),
            "AUTOMATIC", "Join reordering strategy"),
        SessionProperty("join_max_broadcast_table_size", .size, "100MB", "Broadcast limit"),
        SessionProperty("max_reordered_joins", .number, "8", "Most joins to reorder as one group"),
        SessionProperty("max_recursion_depth", .number, "10", "Maximum depth of recursion"),
        SessionProperty("task_concurrency", .number, "16", "Local parallel jobs of a worker"),
        SessionProperty("task_min_writer_count", .number, "1", "Minimum writers of a task"),
        SessionProperty("task_max_writer_count", .number, "64", "Maximum writers of a task"),
        SessionProperty("task_scale_writers_enabled", .flag, "true", "Scale writers in a task"),
        SessionProperty("scale_writers", .flag, "true", "Scale out writers by data"),
        SessionProperty("redistribute_writes", .flag, "true", "Force parallel distributed writes"),
        SessionProperty("use_preferred_write_partitioning", .flag, "true", "Write by partition"),
        SessionProperty("writer_scaling_min_data_processed", .size, "120MB", "Data a writer"),
        SessionProperty("hash_partition_count", .number, "100", "Partitions for joins"),
        SessionProperty("max_hash_partition_count", .number, "100", "Maximum partitions"),
        SessionProperty("min_hash_partition_count", .number, "4", "Minimum partitions"),
        SessionProperty("spill_enabled", .flag, "true", "Enable spilling to disk"),
        SessionProperty("enable_dynamic_filtering", .flag, "true", "Enable dynamic filtering"),
        SessionProperty("enable_large_dynamic_filters", .flag, "false", "Large dynamic filters"),
        SessionProperty("dynamic_filtering_wait_timeout", .duration, "0s", "Wait for filters"),
        SessionProperty("use_cost_based_partitioning", .flag, "true", "Partition by cost"),
        SessionProperty("use_table_scan_node_partitioning", .flag, "true", "Partition by scan"),
        SessionProperty("push_aggregation_through_outer_join", .flag, "true", "Push aggregation"),
        SessionProperty("push_partial_aggregation_through_join", .flag, "false", "Push partials"),
        SessionProperty("optimize_hash_generation", .flag, "false", "Hash only once"),
        SessionProperty("distinct_aggregations_strategy", .text, "AUTOMATIC", "DISTINCT strategy"),
        SessionProperty("mark_distinct_strategy", .text, "AUTOMATIC", "Mark distinct strategy"),
        SessionProperty("prefer_partial_aggregation", .flag, "true", "Prefer partial aggregation"),
        SessionProperty("distributed_sort", .flag, "true", "Parallelize sort"),
        SessionProperty("colocated_join", .flag, "true", "Use colocated joins"),
        SessionProperty("ignore_stats_calculator_failures", .flag, "true", "Ignore failures"),
        SessionProperty("collect_plan_statistics_for_all_queries", .flag, "false", "Plan stats"),
        SessionProperty("statistics_precalculation_for_pushdown_enabled", .flag, "true", "Stats"),
        SessionProperty("filter_and_project_min_output_page_size", .size, "500kB", "Page size"),
        SessionProperty("filter_and_project_min_output_page_row_count", .number, "256", "Rows"),
        SessionProperty(
            "retry_policy", .choice(["NONE", "QUERY", "TASK"]), "NONE", "Retry policy"),
        SessionProperty("query_retry_attempts", .number, "4", "Maximum number of query retries"),
        SessionProperty("task_retry_attempts_per_task", .number, "4", "Maximum task retries"),
        SessionProperty("exchange_compression_codec", .text, "NONE", "Codec of exchanges"),
        SessionProperty("spooling_enabled", .flag, "true", "Protocol with encoded segments"),
        SessionProperty("hide_inaccessible_columns", .flag, "false", "Hide forbidden columns"),
        SessionProperty("legacy_materialized_view_grace_period", .flag, "false", "Legacy"),
        SessionProperty("allow_unsafe_pushdown", .flag, "false", "Allow unsafe push down"),
        SessionProperty("omit_datetime_type_precision", .flag, "false", "Leave out precisions"),
        SessionProperty(
            VerificationMode.property, .choice(VerificationMode.allCases.map(\.rawValue)), "NONE",
            "Another way of running queries, with the same answers"),
        SessionProperty("execution_policy", .text, "phased", "Policy for scheduling"),
        SessionProperty("fault_tolerant_execution_max_partition_count", .number, "50", "FTE"),
    ]

    /// Properties of every Iceberg catalog, set as `catalog.name`.
    static let catalog: [SessionProperty] = [
        SessionProperty("compression_codec", .text, "ZSTD", "Compression codec of new files"),
        SessionProperty("target_max_file_size", .size, "512MB", "Target size of written files"),
        SessionProperty("idle_writer_min_file_size", .size, "16MB", "Least size of idle files"),
        SessionProperty("parquet_writer_block_size", .size, "128MB", "Row group size"),
        SessionProperty("parquet_writer_page_size", .size, "1MB", "Page size"),
        SessionProperty("parquet_writer_batch_size", .number, "10000", "Rows of a batch"),
        SessionProperty("parquet_max_read_block_size", .size, "16MB", "Read block size"),
        SessionProperty("sorted_writing_enabled", .flag, "true", "Write files in their order"),
        SessionProperty(
            "dynamic_filtering_wait_timeout", .duration, "1s", "Wait for dynamic filters"),
        SessionProperty(
            "expire_snapshots_min_retention", .duration, "7d", "Least retention of snapshots"),
        SessionProperty(
            "remove_orphan_files_min_retention", .duration, "7d", "Least age of orphan files"),
        SessionProperty("merge_manifests_on_write", .flag, "true", "Merge manifests on write"),
        SessionProperty("incremental_refresh_enabled", .flag, "true", "Refresh by increments"),
        SessionProperty("query_partition_filter_required", .flag, "false", "Require filters"),
        SessionProperty("statistics_enabled", .flag, "true", "Use table statistics"),
        SessionProperty("extended_statistics_enabled", .flag, "true", "Use distinct counts"),
        SessionProperty("collect_extended_statistics_on_write", .flag, "true", "Collect on write"),
        SessionProperty("projection_pushdown_enabled", .flag, "true", "Read nested fields only"),
        SessionProperty("minimum_assigned_split_weight", .decimal, "0.05", "Least split weight"),
        SessionProperty("experimental_split_size", .size, "128MB", "Split size"),
        SessionProperty("use_file_size_from_metadata", .flag, "true", "Trust sizes in metadata"),
        SessionProperty("remote_file_system_cache_enabled", .flag, "true", "Cache files"),
    ]

    /// The property of a name. Throws INVALID_SESSION_PROPERTY with the nearest one.
    static func find(
        _ name: QualifiedName, _ catalogs: [String]
    ) throws(QueryFault) -> SessionProperty {
        let parts = name.canonicalParts
        switch parts.count {
        case 1:
            if let found = system.first(where: { $0.name == parts[0] }) { return found }
            throw QueryFault(
                .invalidSessionProperty, "Session property '\(name)' does not exist",
                hint: suggestion(parts[0], system.map(\.name)), span: name.span)
        case 2:
            guard catalogs.contains(parts[0]) else {
                throw QueryFault(
                    .catalogNotFound, "Catalog '\(parts[0])' not found",
                    hint: suggestion(parts[0], catalogs), span: name.span)
            }
            if let found = catalog.first(where: { $0.name == parts[1] }) { return found }
            throw QueryFault(
                .invalidSessionProperty, "Session property '\(name)' does not exist",
                hint: suggestion(parts[1], catalog.map(\.name)), span: name.span)
        default:
            throw QueryFault(
                .invalidSessionProperty, "Invalid session property '\(name)'", span: name.span)
        }
    }

    /// A zone's name in its proper form. Throws INVALID_ARGUMENTS with the nearest one.
    static func zone(_ name: String, _ node: any SyntaxNode) throws(QueryFault) -> String {
        do throws(CivilTimeError) { return try TimeZoneKey.named(name).name } catch {
            throw QueryFault(
                .invalidArguments, "'\(name)' is not a valid time zone", hint: error.hint,
                span: node.span, cause: error)
        }
    }
}
