import Dashboards
import HTTPMessages

extension ConsolePages {
    var catalogRoutes: [Route] {
        [
            page("/catalog", .catalog) { _, _, visitor in try warehousesPage(visitor) },
            page("/catalog/{warehouse}", .catalog) { _, path, visitor in
                try warehousePage(path.required("warehouse"), visitor)
            },
            page("/catalog/{warehouse}/{namespace}", .catalog) { _, path, visitor in
                try namespacePage(
                    path.required("warehouse"), levels(path.required("namespace")), visitor)
            },
            page("/catalog/{warehouse}/{namespace}/{table}", .catalog) { _, path, visitor in
                try tablePage(
                    path.required("warehouse"), levels(path.required("namespace")),
                    path.required("table"), visitor)
            },
        ]
    }

    private func warehousesPage(_ visitor: ConsoleVisitor) throws -> Page {
        let warehouses = try doors.catalog.warehouses(visitor.context)
        let rows = warehouses.map { warehouse -> [Markup] in
            [
                "<a href=\"\(warehousePath(warehouse.name))\">\(warehouse.name)</a>",
                "<code>\(warehouse.location)</code>",
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">There is no warehouse that you may use.</p>"
            : plainTable(["Warehouse", "Location"], rows, label: "Warehouses")
        return Page(
            title: "Catalog", body: "<div class=\"head\"><h1>Catalog</h1></div>\n\(list)")
    }

    private func warehousePage(_ warehouse: String, _ visitor: ConsoleVisitor) throws -> Page {
        let names = try doors.catalog.namespaces(visitor.context, warehouse: warehouse)
        let list: Markup =
            names.names.isEmpty
            ? "<p class=\"empty\">There is no namespace yet.</p>"
            : nameList(
                names.names.map { ($0.joined(separator: "."), namespacePath(warehouse, $0)) },
                hasMore: names.hasMore)
        return Page(
            title: warehouse,
            body: """
                <div class="head"><h1>\(warehouse)</h1><p class="note">warehouse</p></div>
                <section class="card"><h2>Namespaces</h2>
                \(list)
                </section>
                """, trail: [(warehouse, warehousePath(warehouse))])
    }

    private func namespacePage(
        _ warehouse: String, _ levels: [String], _ visitor: ConsoleVisitor
    ) throws -> Page {
        let namespace = try doors.catalog.namespace(
            visitor.context, warehouse: warehouse, levels: levels)
        func card(_ title: Markup, _ names: [(String, String)], _ hasMore: Bool) -> Markup {
            names.isEmpty
                ? Markup()
                : "<section class=\"card\"><h2>\(title)</h2>\n\(nameList(names, hasMore: hasMore))"
                    + "</section>\n"
        }
        var body: Markup = """
            <div class="head"><h1>\(namespace.levels.joined(separator: "."))</h1>\
            <p class="note">namespace in \(warehouse)</p></div>
            <div class="columns">

            """
        let tables = namespace.tables.names.map {
            ($0, tablePath(warehouse, namespace.levels, $0))
        }
        body += card("Tables", tables, namespace.tables.hasMore)
        let views = namespace.views.names.map { ($0, tablePath(warehouse, namespace.levels, $0)) }
        body += card("Views", views, namespace.views.hasMore)
        let inner = namespace.namespaces.names.map {
            ($0.joined(separator: "."), namespacePath(warehouse, $0))
        }
        body += card("Namespaces", inner, namespace.namespaces.hasMore)
        if tables.isEmpty, views.isEmpty, inner.isEmpty {
            body += "<p class=\"empty\">Nothing is in this namespace yet.</p>\n"
        }
        body += "</div>\n" + propertiesCard(namespace.properties)
        return Page(
            title: namespace.levels.joined(separator: "."), body: body,
            trail: trail(warehouse, namespace.levels))
    }

    private func nameList(_ names: [(String, String)], hasMore: Bool) -> Markup {
        let items = names.map { "<li><a href=\"\($0.1)\">\($0.0)</a></li>\n" as Markup }
        let more: Markup =
            hasMore ? "<p class=\"note\">The first \(countText(names.count)) of more.</p>\n" : ""
        return "<ul class=\"names\">\n\(items)</ul>\n\(more)"
    }

    func trail(
        _ warehouse: String, _ levels: [String], _ table: String? = nil
    ) -> [(name: String, path: String)] {
        var trail = [(name: warehouse, path: warehousePath(warehouse))]
        for count in levels.indices {
            trail.append((levels[count], namespacePath(warehouse, Array(levels[...count]))))
        }
        if let table { trail.append((table, tablePath(warehouse, levels, table))) }
        return trail
    }

    func propertiesCard(_ properties: [String: String]) -> Markup {
        guard !properties.isEmpty else { return Markup() }
        let rows = properties.sorted { $0.key < $1.key }.map { pair -> [Markup] in
            ["<code>\(pair.key)</code>", "\(pair.value)"]
        }
        return """
            <section class="card" aria-labelledby="properties"><h2 id="properties">Properties</h2>
            \(plainTable(["Name", "Value"], rows, label: "Properties"))
            </section>

            """
    }
}

// MARK: Addresses

/// Levels stand in one segment, as in the Iceberg REST protocol, since names may hold dots.
func levels(_ segment: String) -> [String] {
    segment.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
}

func warehousePath(_ warehouse: String) -> String { "/catalog/\(segment(warehouse))" }

func namespacePath(_ warehouse: String, _ levels: [String]) -> String {
    warehousePath(warehouse) + "/" + segment(levels.joined(separator: "\u{1F}"))
}

func tablePath(_ warehouse: String, _ levels: [String], _ table: String) -> String {
    namespacePath(warehouse, levels) + "/" + segment(table)
}

/// A name as SQL wants it: quoted unless it is plain.
func sqlName(_ parts: [String]) -> String {
    parts.map { part in
        let isPlain =
            part.utf8.first.map { $0 &- 0x61 < 26 || $0 == 0x5F } ?? false
            && part.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x5F }
        if isPlain, !reservedWords.contains(part) { return part }
        return "\""
            + part.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }.joined(separator: ".")
}

/// Words that SQL keeps to itself. Source: Trino documentation, "Keywords and identifiers".
private let reservedWords: Set<String> = [
    "alter", "and", "as", "between", "by", "case", "cast", "constraint", "create", "cross", "cube",
    "current_catalog", "current_date", "current_path", "current_role", "current_schema",
    "current_time", "current_timestamp", "current_user", "deallocate", "delete", "describe",
    "distinct", "drop", "else", "end", "escape", "except", "execute", "exists", "extract", "false",
    "for", "from", "full", "group", "grouping", "having", "in", "inner", "insert", "intersect",
    "into", "is", "join", "json_array", "json_exists", "json_object", "json_query", "json_table",
    "json_value", "left", "like", "listagg", "localtime", "localtimestamp", "natural", "normalize",
    "not", "null", "on", "or", "order", "outer", "prepare", "recursive", "right", "rollup",
    "select", "skip", "table", "then", "trim", "true", "uescape", "union", "unnest", "using",
    "values", "when", "where", "with",
]
