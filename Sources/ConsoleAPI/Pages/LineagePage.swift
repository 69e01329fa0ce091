import Dashboards
import HTTPMessages
import JSON

/// What a table is made of: the tables behind it with their rows, and for each column the columns that its
/// values come from, down to where they entered the lakehouse.
///
///     /catalog/{warehouse}/{namespace}/{table}/lineage
///
/// Statements say it in the snapshots that they commit (`lakehouse.column-lineage`). Tables are read as the
/// visitor: of one that they may not see there is the name, which the table above it tells, and nothing else.
extension ConsolePages {
    var lineageRoutes: [Route] {
        [
            page("/catalog/{warehouse}/{namespace}/{table}/lineage", .catalog) { _, path, visitor in
                try lineagePage(
                    path.required("warehouse"), levels(path.required("namespace")),
                    path.required("table"), visitor)
            }
        ]
    }

    private func lineagePage(
        _ warehouse: String, _ levels: [String], _ name: String, _ visitor: ConsoleVisitor
    ) throws -> Page {
        let table = try doors.catalog.table(
            visitor.context, warehouse: warehouse, levels: levels, name: name)
        let root = LineageTable(
            warehouse: warehouse, schema: table.levels.joined(separator: "."), name: table.name)
        let graph = LineageGraph(root, table) { other in
            try? doors.catalog.table(
                visitor.context, warehouse: other.warehouse,
                levels: other.schema.split(separator: ".").map(String.init), name: other.name)
        }
        let path = tablePath(warehouse, table.levels, table.name)
        let known = graph.columns[root] ?? [:]
        let rows = table.columns.map { column -> [Markup] in
            let direct = known[column.name.lowercased()] ?? []
            return [
                "<code>\(column.name)</code>", "<code class=\"type\">\(column.type)</code>",
                names(direct), names(graph.origins(of: root, column.name.lowercased())),
            ]
        }
        let body: Markup =
            known.isEmpty
            ? """
            <p class="empty">No statement says what this table is made of: its rows came by files, by a \
            pipeline's ingest or from another engine.</p>
            """
            : """
            <section class="card" aria-labelledby="graph"><h2 id="graph">Tables</h2>
            \(graph.drawing(of: root))
            </section>
            <section class="card" aria-labelledby="columns"><h2 id="columns">Columns</h2>
            \(plainTable(
                ["Column", "Type", "Made of", "Comes from"], rows, label: "Columns"))
            <p class="note">A column without sources counts rows or is a constant. Keys of joins and \
            conditions decide which rows there are and are not listed.</p></section>
            """
        return Page(
            title: "Lineage of \(table.name)",
            body: """
                <div class="head"><h1>Lineage of \(table.name)</h1>\
                <a class="button" href="\(path)">Table</a></div>
                \(body)
                """, trail: trail(warehouse, table.levels, table.name) + [("lineage", "")])
    }

    private func names(_ columns: [LineageColumn]) -> Markup {
        let parts = columns.map { column -> Markup in
            let path = tablePath(
                column.table.warehouse, column.table.schema.split(separator: ".").map(String.init),
                column.table.name)
            let full = "\(column.table.warehouse).\(column.table.schema).\(column.table.name)"
            return """
                <div><a href="\(path)/lineage" title="\(full)">\(column.table.name)</a>\
                .\(column.column)</div>
                """
        }
        return "\(parts)"
    }
}

/// A table's name on the page.
struct LineageTable: Hashable {
    let warehouse: String
    let schema: String
    let name: String

    var text: String { "\(warehouse).\(schema).\(name)" }
}

/// A column of a table.
struct LineageColumn: Hashable {
    let table: LineageTable
    let column: String
}

/// The tables behind a table, and how their columns hang together.
struct LineageGraph {
    static let summaryKey = "lakehouse.column-lineage"
    private static let tableLimit = 60

    /// Of each table: what its columns are made of, by the column's name in lower case.
    private(set) var columns: [LineageTable: [String: [LineageColumn]]] = [:]
    /// Rows of the tables that the visitor sees whole.
    private(set) var rows: [LineageTable: String] = [:]
    /// In the order in which they were found.
    private var order: [LineageTable] = []
    /// The tables behind each table, by those columns alone that `root` is made of.
    private var inputs: [LineageTable: Set<LineageTable>] = [:]

    /// Follows the columns that `root` is made of as far as `load` gives their tables.
    init(_ root: LineageTable, _ table: ConsoleTable, load: (LineageTable) -> ConsoleTable?) {
        add(root, table)
        var waiting = (columns[root] ?? [:]).keys.sorted()
            .map { LineageColumn(table: root, column: $0) }
        var seen = Set(waiting)
        while let next = waiting.popLast() {
            for source in columns[next.table]?[next.column] ?? [] {
                if !order.contains(source.table) {
                    guard order.count < Self.tableLimit else { continue }
                    add(source.table, load(source.table))
                }
                if source.table != next.table {
                    inputs[next.table, default: []].insert(source.table)
                }
                let below = LineageColumn(table: source.table, column: source.column.lowercased())
                if seen.insert(below).inserted { waiting.append(below) }
            }
        }
    }

    private mutating func add(_ name: LineageTable, _ found: ConsoleTable?) {
        order.append(name)
        guard let found else { return }
        columns[name] = Self.read(found)
        if case .listed = found.files {
            rows[name] = found.snapshots.first { $0.isCurrent }
                .flatMap { RowCount($0.summary) }.map { countText($0.count) }
        }
    }

    /// What the snapshots say, the newest first: of each column the last statement that wrote it.
    private static func read(_ table: ConsoleTable) -> [String: [LineageColumn]] {
        var found: [String: [LineageColumn]] = [:]
        for snapshot in table.snapshots {
            guard let text = snapshot.summary[summaryKey],
                case .object(let members)? = try? JSONValue(parsing: text)
            else { continue }
            for name in members.names where found[name.lowercased()] == nil {
                guard case .array(let sources)? = members[name] else { continue }
                found[name.lowercased()] = sources.compactMap { source in
                    guard case .array(let parts) = source, parts.count == 4 else { return nil }
                    let texts = parts.compactMap { part -> String? in
                        if case .string(let text) = part { text } else { nil }
                    }
                    guard texts.count == 4 else { return nil }
                    return LineageColumn(
                        table: LineageTable(
                            warehouse: texts[0], schema: texts[1], name: texts[2]),
                        column: texts[3])
                }
            }
        }
        return found
    }

    /// Where a column's values entered: columns of tables that nothing says more about.
    func origins(of table: LineageTable, _ column: String) -> [LineageColumn] {
        var found: Set<LineageColumn> = []
        var seen: Set<LineageColumn> = []
        var waiting = columns[table]?[column] ?? []
        while let next = waiting.popLast() {
            guard seen.insert(next).inserted else { continue }
            let further = columns[next.table]?[next.column.lowercased()] ?? []
            if further.isEmpty { found.insert(next) } else { waiting += further }
        }
        return found.sorted { ($0.table.text, $0.column) < ($1.table.text, $1.column) }
    }

    // MARK: Drawing

    private static let boxWidth = 220.0
    private static let boxHeight = 46.0
    private static let gapAcross = 70.0
    private static let gapDown = 16.0

    private func inputs(of table: LineageTable) -> [LineageTable] {
        (inputs[table] ?? []).sorted { $0.text < $1.text }
    }

    /// The graph from left, where rows came in, to right.
    func drawing(of root: LineageTable) -> Markup {
        var depth: [LineageTable: Int] = [:]
        func place(_ table: LineageTable, _ path: [LineageTable]) {
            // Tables that feed each other would never end.
            guard !path.contains(table), path.count > depth[table] ?? -1 else { return }
            depth[table] = path.count
            for input in inputs(of: table) { place(input, path + [table]) }
        }
        place(root, [])
        let deepest = depth.values.max() ?? 0
        var points: [LineageTable: (x: Double, y: Double)] = [:]
        var tallest = 0
        for level in 0...deepest {
            let tables = order.filter { depth[$0] == level }.sorted { $0.text < $1.text }
            tallest = max(tallest, tables.count)
            for (place, table) in tables.enumerated() {
                points[table] = (
                    Double(deepest - level) * (Self.boxWidth + Self.gapAcross) + 1,
                    Double(place) * (Self.boxHeight + Self.gapDown) + 1
                )
            }
        }
        var lines = Markup()
        var boxes = Markup()
        for (table, point) in points.sorted(by: { $0.key.text < $1.key.text }) {
            for input in inputs(of: table) {
                guard let from = points[input] else { continue }
                let start = (x: from.x + Self.boxWidth, y: from.y + Self.boxHeight / 2)
                let end = (x: point.x, y: point.y + Self.boxHeight / 2)
                let middle = (start.x + end.x) / 2
                lines += """
                    <path class="flow" d="M\(at: start.x) \(at: start.y)C\(at: middle) \
                    \(at: start.y) \(at: middle) \(at: end.y) \(at: end.x) \(at: end.y)"/>
                    """
            }
            boxes += box(table, point, isRoot: table == root)
        }
        let width = Double(deepest + 1) * (Self.boxWidth + Self.gapAcross) - Self.gapAcross + 2
        let height = Double(tallest) * (Self.boxHeight + Self.gapDown) - Self.gapDown + 2
        let list = inputs(of: root).map(\.text).joined(separator: ", ")
        return """
            <div class="scroll lineage" tabindex="0" role="region" aria-label="Tables">\
            <svg width="\(at: width)" height="\(at: height)" viewBox="0 0 \(at: width) \
            \(at: height)" role="img"><title>\(root.text) is made of \(list)</title>
            \(lines)\(boxes)</svg></div>
            """
    }

    private func box(
        _ table: LineageTable, _ point: (x: Double, y: Double), isRoot: Bool
    ) -> Markup {
        let path = tablePath(
            table.warehouse, table.schema.split(separator: ".").map(String.init), table.name)
        let name = table.name.count > 28 ? table.name.prefix(27) + "…" : table.name[...]
        let rows = self.rows[table].map { "\($0) rows" } ?? ""
        let below = ["\(table.warehouse).\(table.schema)", rows].filter { !$0.isEmpty }
            .joined(separator: " · ")
        return """
            <a href="\(path)/lineage"><title>\(table.text)</title>\
            <rect class="\(isRoot ? "table root" : "table")" x="\(at: point.x)" y="\(at: point.y)" \
            width="\(at: Self.boxWidth)" height="\(at: Self.boxHeight)" rx="6"/>\
            <text class="label" x="\(at: point.x + 10)" y="\(at: point.y + 19)">\(String(name))</text>\
            <text class="tick" x="\(at: point.x + 10)" y="\(at: point.y + 36)">\(below)</text></a>
            """
    }
}
