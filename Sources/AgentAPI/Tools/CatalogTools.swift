import Authority
import Diagnostics
import JSON
import SQLSyntax

/// Which catalogs there are.
struct ListCatalogsTool: AgentTool {
    let sql: any AgentSQL
    let name = "list_catalogs"
    let title = "List catalogs"
    let description = "The catalogs (warehouses) that you may use, with their schemas."
    let parameters: [AgentParameter] = []

    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue {
        let names = try sql.run(
            context, "SHOW CATALOGS", catalog: nil, schema: nil, limits: AgentLimits(rows: 1000))
        let catalogs = try names.rows.compactMap(\.first).map { value -> JSONValue in
            let name = (try? JSONCursor(value).string()) ?? ""
            let schemas = try sql.run(
                context, "SHOW SCHEMAS FROM \(SQLFormatter.quoted(name: name))", catalog: nil,
                schema: nil, limits: AgentLimits(rows: 1000))
            return .object([
                ("name", value), ("schemas", .array(schemas.rows.compactMap(\.first))),
            ])
        }
        return .object([("catalogs", .array(catalogs))])
    }
}

/// Which tables a catalog has.
struct ListTablesTool: AgentTool {
    let sql: any AgentSQL
    let name = "list_tables"
    let title = "List tables"
    let description = "The tables and views of a catalog, or of one of its schemas."
    let parameters = [
        AgentParameter(
            name: "catalog", type: "string", description: "A name of list_catalogs.",
            isRequired: true),
        AgentParameter(name: "schema", type: "string", description: "Only this schema."),
    ]

    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue {
        let catalog = try arguments.requiredText("catalog")
        var text =
            "SELECT table_schema, table_name, table_type FROM "
            + "\(SQLFormatter.quoted(name: catalog)).information_schema.tables WHERE "
        if let schema = try arguments.optionalText("schema") {
            text += "table_schema = \(SQLFormatter.quoted(string: schema.lowercased()))"
        } else {
            text += "table_schema <> 'information_schema'"
        }
        let found = try sql.run(
            context, text + " ORDER BY 1, 2", catalog: nil, schema: nil,
            limits: AgentLimits(rows: Limits.listedTables))
        return .object([
            ("catalog", .string(catalog)),
            (
                "tables",
                .array(
                    found.rows.filter { $0.count == 3 }.map { row in
                        .object([
                            ("schema", row[0]), ("name", row[1]),
                            ("kind", row[2] == "VIEW" ? "view" : "table"),
                        ])
                    })
            ),
            ("isComplete", .bool(!found.isTruncated)),
        ])
    }
}

/// What a table is: columns with types, comments and tags, rows, and what of it the caller sees.
struct DescribeTableTool: AgentTool {
    let sql: any AgentSQL
    let name = "describe_table"
    let title = "Describe a table"
    let description =
        "Columns of a table or view with types, comments and tags, how many rows you see, and which "
        + "row filters and masks apply to you."
    let parameters = [
        AgentParameter(
            name: "table", type: "string", description: "The full name: catalog.schema.table.",
            isRequired: true)
    ]

    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue {
        let table = try TableReference(try arguments.requiredText("table"))
        func rows(_ text: String) throws -> [[JSONValue]] {
            try sql.run(
                context, text, catalog: nil, schema: nil, limits: AgentLimits(rows: 5000)
            ).rows
        }
        let columns = try rows("DESCRIBE \(table.quoted)")
        let comments = try rows(
            """
            SELECT comment FROM system.metadata.table_comments
            WHERE catalog_name = \(table.literal(0)) AND schema_name = \(table.literal(1))
              AND table_name = \(table.literal(2))
            """)
        // Views have neither tags nor policies of their own.
        let tags = (try? rows("SHOW TAGS ON \(table.quoted)")) ?? []
        let access = (try? rows("SHOW EFFECTIVE ACCESS ON \(table.quoted)")) ?? []
        let count = try rows("SELECT count(*) FROM \(table.quoted)")
        func tagged(_ column: JSONValue) -> [JSONValue] {
            tags.filter { $0.count == 3 && $0[1] == column }.map { $0[2] }
        }
        let policies = access.filter {
            $0.count == 5 && ($0[0] == "row filter" || $0[0] == "mask")
        }
        return .object([
            ("table", .string(table.name)),
            ("comment", comments.first?.first ?? .null),
            ("tags", .array(tagged(.null))),
            ("rowCount", count.first?.first ?? .null),
            (
                "columns",
                .array(
                    columns.filter { $0.count >= 4 }.map { row in
                        .object([
                            ("name", row[0]), ("type", row[1]),
                            ("comment", row[3] == "" ? .null : row[3]),
                            ("tags", .array(tagged(row[0]))),
                            (
                                "isMasked",
                                .bool(policies.contains { $0[0] == "mask" && $0[2] == row[0] })
                            ),
                        ])
                    })
            ),
            (
                "policies",
                .array(
                    policies.map { row in
                        .object([
                            ("kind", row[0]), ("name", row[1]), ("column", row[2]),
                            ("through", row[3]),
                        ])
                    })
            ),
        ])
    }
}

/// A table's full name, as text for SQL.
struct TableReference {
    private let parts: [String]

    init(_ text: String) throws(AgentFault) {
        do throws(SQLSyntaxError) { parts = try SQLParser.name(text).canonicalParts } catch {
            throw AgentFault(.badArgument, "not a table's name: \(text)", hint: error.message)
        }
        guard parts.count == 3 else {
            throw AgentFault(
                .badArgument, "a table's name has three parts, not \(parts.count): \(text)",
                hint: "write catalog.schema.table, as list_tables shows them")
        }
    }

    var name: String { parts.joined(separator: ".") }
    var quoted: String { parts.map { SQLFormatter.quoted(name: $0) }.joined(separator: ".") }
    func literal(_ index: Int) -> String { SQLFormatter.quoted(string: parts[index]) }
}
