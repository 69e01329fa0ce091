import Authority
import SQLFunctions
import SQLPlanning
import Vectors

/// Rights as `information_schema` lists them: one row for each table that a right reaches.
enum PrivilegeListing {
    private static let privileges: Set = ["SELECT", "INSERT", "UPDATE", "DELETE"]

    /// `information_schema.table_privileges`. Empty for those who may not see rights.
    static func table(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        let catalog = name.catalog
        return ListingTable(
            name,
            textColumns(
                "grantor", "grantor_type", "grantee", "grantee_type", "table_catalog",
                "table_schema", "table_name", "privilege_type", "is_grantable", "with_hierarchy")
        ) { (wanted) throws(QueryFault) in
            guard let rights = catalogs.systemTables.doors.rights,
                let grants = try? rights.grants(context)
            else { return [] }
            let concerned = grants.filter { !$0.isDenial && privileges.contains($0.privilege) }
            if concerned.isEmpty { return [] }
            var rows: [[LiteralValue]] = []
            for entry in try InformationSchema.entries(catalogs, context, catalog, wanted)
            where entry.schema != "information_schema" {
                let path =
                    [catalog] + entry.schema.split(separator: ".").map(String.init) + [entry.name]
                for grant in concerned where grant.object.reaches(path) {
                    rows.append([
                        .null, .null, .text(grant.grantee.name), .text(grant.grantee.kind.rawValue),
                        .text(catalog), .text(entry.schema), .text(entry.name),
                        .text(grant.privilege), .text("NO"), .null,
                    ])
                }
            }
            return rows
        }
    }

    /// `information_schema.roles`.
    static func roles(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        ListingTable(name, textColumns("role_name")) { (_) throws(QueryFault) in
            let roles = try? catalogs.systemTables.doors.rights?.roles(context)
            return (roles ?? context.principal.roles).sorted().map { [.text($0)] }
        }
    }
}

/// The tables of `system.metadata` with the properties that statements take, and those of `system.jdbc`
/// about types. Source: Trino documentation, "System connector".
enum PropertyListing {
    static let metadataNames = [
        "analyze_properties", "column_properties", "materialized_view_properties",
        "schema_properties", "table_properties",
    ]
    static let jdbcNames = [
        "attributes", "procedure_columns", "procedures", "pseudo_columns", "super_tables",
        "super_types", "types", "udts",
    ]

    /// One of the tables above; nil for other names.
    static func table(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable? {
        switch "\(name.schema).\(name.table)" {
        case "metadata.table_properties":
            properties(name, catalogs, context, TableProperties.names.map(described))
        case "metadata.materialized_view_properties":
            properties(
                name, catalogs, context,
                TableProperties.names.filter { $0 != "location" }.map(described) + [
                    ("storage_schema", "varchar", "Schema of the storage table")
                ])
        case "metadata.schema_properties":
            properties(
                name, catalogs, context, [("location", "varchar", "Base location of the schema")])
        case "metadata.analyze_properties":
            properties(
                name, catalogs, context, [("columns", "array(varchar)", "Columns to be analyzed")])
        case "metadata.column_properties": properties(name, catalogs, context, [])
        case "jdbc.types": types(name)
        case "jdbc.attributes":
            empty(
                name, "type_cat", "type_schem", "type_name", "attr_name", "data_type:n",
                "attr_type_name", "attr_size:n", "decimal_digits:n", "num_prec_radix:n",
                "nullable:n", "remarks", "attr_def", "sql_data_type:n", "sql_datetime_sub:n",
                "char_octet_length:n", "ordinal_position:n", "is_nullable", "scope_catalog",
                "scope_schema", "scope_table", "source_data_type:n")
        case "jdbc.procedures":
            empty(
                name, "procedure_cat", "procedure_schem", "procedure_name", "remarks",
                "procedure_type:n", "specific_name")
        case "jdbc.procedure_columns":
            empty(
                name, "procedure_cat", "procedure_schem", "procedure_name", "column_name",
                "column_type:n", "data_type:n", "type_name", "precision:n", "length:n", "scale:n",
                "radix:n", "nullable:n", "remarks", "column_def", "sql_data_type:n",
                "sql_datetime_sub:n", "char_octet_length:n", "ordinal_position:n", "is_nullable",
                "specific_name")
        case "jdbc.pseudo_columns":
            empty(
                name, "table_cat", "table_schem", "table_name", "column_name", "data_type:n",
                "column_size:n", "decimal_digits:n", "num_prec_radix:n", "column_usage",
                "remarks", "char_octet_length:n", "is_nullable")
        case "jdbc.super_tables":
            empty(name, "table_cat", "table_schem", "table_name", "supertable_name")
        case "jdbc.super_types":
            empty(
                name, "type_cat", "type_schem", "type_name", "supertype_cat", "supertype_schem",
                "supertype_name")
        case "jdbc.udts":
            empty(
                name, "type_cat", "type_schem", "type_name", "class_name", "data_type:n",
                "remarks", "base_type:n")
        default: nil
        }
    }

    /// A table that exists for drivers and has no rows; numbers are marked by `:n`.
    private static func empty(_ name: TableName, _ columns: String...) -> ListingTable {
        let columns = columns.map { text in
            text.hasSuffix(":n")
                ? TableColumn(name: String(text.dropLast(2)), type: .bigint)
                : TableColumn(name: text, type: .text)
        }
        return ListingTable(name, columns) { (_) throws(QueryFault) in [] }
    }

    private typealias Described = (name: String, type: String, summary: String)

    private static func described(_ name: String) -> Described {
        switch name {
        case "format": (name, "varchar", "File format of the table's data")
        case "format_version": (name, "integer", "Version of Iceberg's format")
        case "partitioning": (name, "array(varchar)", "Partition transforms")
        case "sorted_by": (name, "array(varchar)", "Sorted columns")
        case "location": (name, "varchar", "Where the table keeps its files")
        case "extra_properties": (name, "map(varchar, varchar)", "Further properties of Iceberg")
        case "max_commit_retry", "max_previous_versions": (name, "integer", "")
        case "delete_after_commit_enabled", "object_store_layout_enabled": (name, "boolean", "")
        case "orc_bloom_filter_fpp": (name, "double", "")
        case "orc_bloom_filter_columns", "parquet_bloom_filter_columns":
            (name, "array(varchar)", "Columns with Bloom filters")
        default: (name, "varchar", "")
        }
    }

    private static func properties(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext,
        _ properties: [Described]
    ) -> ListingTable {
        ListingTable(
            name,
            textColumns("catalog_name", "property_name", "default_value", "type", "description")
        ) { (wanted) throws(QueryFault) in
            catalogs.catalogNames(context)
                .filter { wanted.allows("catalog_name", $0) && catalogs.isWarehouse(context, $0) }
                .flatMap { catalog in
                    properties.sorted { $0.name < $1.name }.map {
                        [
                            .text(catalog), .text($0.name), .text(initial[$0.name] ?? ""),
                            .text($0.type), .text($0.summary),
                        ]
                    }
                }
        }
    }

    private static let initial = [
        "format": "PARQUET", "format_version": "2", "partitioning": "[]", "sorted_by": "[]",
    ]

    /// `DatabaseMetaData.getTypeInfo`. Source: JDBC, and Trino's `TypesJdbcTable`.
    private static func types(_ name: TableName) -> ListingTable {
        func number(_ name: String) -> TableColumn { TableColumn(name: name, type: .bigint) }
        func flag(_ name: String) -> TableColumn { TableColumn(name: name, type: .boolean) }
        let columns =
            textColumns("type_name") + [number("data_type"), number("precision")]
            + textColumns("literal_prefix", "literal_suffix", "create_params")
            + [
                number("nullable"), flag("case_sensitive"), number("searchable"),
                flag("unsigned_attribute"), flag("fixed_prec_scale"), flag("auto_increment"),
            ] + textColumns("local_type_name")
            + [
                number("minimum_scale"), number("maximum_scale"), number("sql_data_type"),
                number("sql_datetime_sub"), number("num_prec_radix"),
            ]
        return ListingTable(name, columns) { (_) throws(QueryFault) in
            known.map { type, precision, scale, radix in
                let hasCase = type.isText
                let isUnsigned = !type.isNumeric
                return [
                    .text("\(type)".split(separator: "(").first.map(String.init) ?? ""),
                    .integer(JDBCTables.jdbcType(type)),
                    precision.map { .integer($0) } ?? .null, .null, .null, .null, .integer(1),
                    .boolean(hasCase), .integer(3), .boolean(isUnsigned), .boolean(false), .null,
                    .null, scale.map { _ in .integer(0) } ?? .null,
                    scale.map { .integer($0) } ?? .null, .null, .null,
                    radix.map { .integer($0) } ?? .null,
                ]
            }
        }
    }

    private static let known:
        [(type: LogicalType, precision: Int64?, scale: Int64?, radix: Int64?)] = [
            (.boolean, nil, nil, nil), (.bigint, 19, nil, 10), (.integer, 10, nil, 10),
            (.smallint, 5, nil, 10), (.tinyint, 3, nil, 10), (.real, 24, nil, 2),
            (.double, 53, nil, 2), (.varbinary, 2_147_483_647, nil, nil),
            (.text, 2_147_483_647, nil, nil), (.char(length: 65_536), 65_536, nil, nil),
            (.date, 10, nil, nil), (.time(precision: 12), 21, nil, nil),
            (.timestamp(precision: 12), 32, nil, nil),
            (.timestampWithTimeZone(precision: 12), 64, nil, nil),
            (.decimal(precision: 38, scale: 0), 38, 38, 10),
        ]
}
