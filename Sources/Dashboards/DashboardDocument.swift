import Diagnostics
import YAML

/// How much of a row a tile takes.
package enum TileWidth: String, Sendable, CaseIterable {
    case quarter, third, half, twoThirds = "two-thirds", full
}

/// One tile of a dashboard: a statement and how its result is shown.
package struct DashboardTile: Sendable {
    /// Unique in its dashboard; part of addresses.
    package var id: String
    package var kind: String
    package var title: String
    package var description: String
    package var sql: String
    package var width: TileWidth
    package var options: ChartOptions
    /// The text of a `markdown` tile, which has no statement.
    package var text = ""
    /// The filter that a click on a mark sets, and the column of the result that gives its value.
    package var click: (filter: String, column: String)?
    /// The statement of the rows behind the tile.
    package var rowsSQL: String?
    /// What stands for a filter's column in this tile's statements; nil keeps the filter away.
    package var filterColumns: [String: String?] = [:]
    /// The pipeline that brings the tile's rows; nil: unknown.
    package var fedBy: String?

    package init(
        id: String, kind: String, title: String, description: String = "", sql: String,
        width: TileWidth = .half, options: ChartOptions = ChartOptions()
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.description = description
        self.sql = sql
        self.width = width
        self.options = options
    }
}

/// A dashboard as its file says it.
package struct DashboardDocument: Sendable {
    /// Unique; part of addresses.
    package var name: String
    package var title: String
    package var description: String
    /// Catalog and schema for names without them.
    package var catalog: String?
    package var schema: String?
    /// The tables whose commits make the tiles move: catalog, schema levels, table.
    package var watch: [[String]]
    /// What visitors may narrow the tiles by, in the order of the page.
    package var filters: [DashboardFilter]
    package var tiles: [DashboardTile]

    package init(
        name: String, title: String, description: String = "", catalog: String? = nil,
        schema: String? = nil, watch: [[String]] = [], filters: [DashboardFilter] = [],
        tiles: [DashboardTile]
    ) {
        self.filters = filters
        self.name = name
        self.title = title
        self.description = description
        self.catalog = catalog
        self.schema = schema
        self.watch = watch
        self.tiles = tiles
    }

    package func tile(_ id: String) -> DashboardTile? { tiles.first { $0.id == id } }

    /// Reads a document. `path` stands in faults, and gives the name unless the file says one.
    package static func parse(
        _ text: String, path: String
    ) throws(DashboardError) -> DashboardDocument {
        do {
            return try DashboardReader(path: path).document(YAMLDocument.parse(text, name: path))
        } catch let error as DashboardError {
            throw error
        } catch let error as YAMLError {
            throw DashboardError(
                code: .invalidDocument, message: error.message, hint: error.hint, cause: error)
        } catch {
            throw DashboardError(
                code: .invalidDocument, message: "\(path): the file cannot be read", cause: error)
        }
    }
}

/// Turns the tree of a file into a document.
private struct DashboardReader {
    let path: String

    func document(_ root: YAMLNode) throws -> DashboardDocument {
        try root.allow(keys: [
            "name", "title", "description", "catalog", "schema", "watch", "fed_by", "filters",
            "tiles",
        ])
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.hasSuffix(".yml") ? String(file.dropLast(4)) : file
        let name = try root["name"]?.string() ?? stem
        guard Self.isName(name) else {
            throw fault(
                .invalidDocument, root["name"] ?? root,
                "a name has letters, digits, - and _, found \(name.prefix(60))")
        }
        let watch = try root["watch"]?.sequence() ?? []
        guard watch.count <= DashboardLimits.watchedTables else {
            throw fault(
                .limitExceeded, root["watch"] ?? root,
                "a dashboard watches at most \(DashboardLimits.watchedTables) tables")
        }
        let catalog = try root["catalog"]?.string()
        let schema = try root["schema"]?.string()
        let filters = try filters(root["filters"])
        let nodes = try root.required("tiles").sequence()
        guard !nodes.isEmpty, nodes.count <= DashboardLimits.tiles else {
            throw fault(
                .limitExceeded, root["tiles"] ?? root,
                "a dashboard has 1 to \(DashboardLimits.tiles) tiles, found \(nodes.count)")
        }
        let feed = try root["fed_by"]?.string()
        var tiles: [DashboardTile] = []
        for node in nodes {
            var tile = try tile(node, filters)
            tile.fedBy = tile.fedBy ?? feed
            guard !tiles.contains(where: { $0.id == tile.id }) else {
                throw fault(
                    .duplicateName, node["id"] ?? node, "two tiles have the id \(tile.id)",
                    hint: "give this one an id of its own")
            }
            tiles.append(tile)
        }
        return DashboardDocument(
            name: name, title: try root.required("title").string(),
            description: try root["description"]?.string() ?? "", catalog: catalog,
            schema: schema, watch: try watch.map { try table($0, catalog, schema) },
            filters: filters, tiles: tiles)
    }

    private func filters(_ node: YAMLNode?) throws -> [DashboardFilter] {
        let nodes = try node?.sequence() ?? []
        guard nodes.count <= DashboardLimits.filters else {
            throw fault(
                .limitExceeded, node ?? nodes[0],
                "a dashboard has at most \(DashboardLimits.filters) filters")
        }
        var filters: [DashboardFilter] = []
        for node in nodes {
            let filter = try filter(node)
            guard !filters.contains(where: { $0.id == filter.id }) else {
                throw fault(
                    .duplicateName, node["id"] ?? node, "two filters have the id \(filter.id)")
            }
            filters.append(filter)
        }
        return filters
    }

    private func filter(_ node: YAMLNode) throws -> DashboardFilter {
        try node.allow(keys: ["id", "label", "kind", "type", "column", "values", "values_sql"])
        let idNode = try node.required("id")
        let id = try idNode.string()
        guard Self.isName(id), !DashboardFilter.reservedNames.contains(id) else {
            throw fault(
                .invalidDocument, idNode, "not an id for a filter: \(id.prefix(60))",
                hint: "letters, digits, - and _; not one of "
                    + DashboardFilter.reservedNames.sorted().joined(separator: ", "))
        }
        let kind: DashboardFilter.Kind = try choice(node["kind"]) ?? .select
        let values = try node["values"]?.sequence().map { try $0.string() } ?? []
        guard values.count <= DashboardLimits.offeredValues else {
            throw fault(
                .limitExceeded, node["values"] ?? node,
                "a filter offers at most \(DashboardLimits.offeredValues) values")
        }
        return DashboardFilter(
            id: id, label: try node["label"]?.string() ?? id, kind: kind,
            type: try choice(node["type"]) ?? .text, column: try node["column"]?.string() ?? id,
            values: values, valuesSQL: try node["values_sql"]?.string())
    }

    /// One of the words of a type.
    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ node: YAMLNode?
    ) throws -> Choice? {
        guard let node else { return nil }
        guard let known = Choice(rawValue: try node.string()) else {
            throw fault(
                .invalidDocument, node, "not known here: \(node.text ?? "")",
                hint: "one of: " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return known
    }

    /// `click: region`, or `click: {filter: region, column: name}`.
    private func click(
        _ node: YAMLNode?, _ filters: [DashboardFilter]
    ) throws -> (filter: String, column: String)? {
        guard let node else { return nil }
        let filterNode: YAMLNode
        var column: String?
        if node.text != nil {
            filterNode = node
        } else {
            try node.allow(keys: ["filter", "column"])
            filterNode = try node.required("filter")
            column = try node["column"]?.string()
        }
        let id = try filterNode.string()
        guard let filter = filters.first(where: { $0.id == id }),
            filter.kind == .select || filter.kind == .multiple
        else {
            throw fault(
                .invalidDocument, filterNode,
                "no filter of kind select or multiple has the id \(id.prefix(60))",
                hint: nearestName(to: id, among: filters.map(\.id)).map { "did you mean \($0)?" })
        }
        return (id, column ?? id)
    }

    private func filterColumns(
        _ node: YAMLNode?, _ filters: [DashboardFilter]
    ) throws -> [String: String?] {
        guard let node else { return [:] }
        try node.allow(keys: filters.map(\.id))
        var columns: [String: String?] = [:]
        for filter in filters {
            guard let value = node[filter.id] else { continue }
            columns[filter.id] = .some(value.isNull ? nil : try value.string())
        }
        return columns
    }

    private func tile(_ node: YAMLNode, _ filters: [DashboardFilter]) throws -> DashboardTile {
        try node.allow(keys: [
            "id", "kind", "title", "description", "sql", "text", "width", "options", "click",
            "rows", "filters", "fed_by",
        ])
        let kindNode = try node.required("kind")
        let kind = try kindNode.string()
        guard let chart = chartKinds[kind] else {
            let names = chartKinds.keys.sorted()
            throw fault(
                .unknownKind, kindNode, "unknown kind of chart: \(kind.prefix(60))",
                hint: nearestName(to: kind, among: names).map { "did you mean \($0)?" }
                    ?? "kinds: \(names.joined(separator: ", "))")
        }
        let title = try node.required("title").string()
        let id = try node["id"]?.string() ?? Self.slug(title)
        guard Self.isName(id) else {
            throw fault(
                .invalidDocument, node["id"] ?? node,
                "an id has letters, digits, - and _, found \(id.prefix(60))",
                hint: "add id: to the tile")
        }
        let isText = kind == "markdown"
        let sql = try node.required(isText ? "text" : "sql")
        guard try sql.string().contains(where: { !$0.isWhitespace }) else {
            throw fault(.invalidDocument, sql, "the tile has no \(isText ? "text" : "SQL")")
        }
        var width = chart.usualWidth
        if let widthNode = node["width"] {
            guard let known = TileWidth(rawValue: try widthNode.string()) else {
                throw fault(
                    .invalidDocument, widthNode, "not a width: \(widthNode.text ?? "")",
                    hint: "widths: "
                        + TileWidth.allCases.map(\.rawValue).joined(separator: ", "))
            }
            width = known
        }
        var options = ChartOptions()
        if let optionsNode = node["options"], !optionsNode.isNull {
            options = try read(optionsNode, kind, chart)
        }
        var tile = DashboardTile(
            id: id, kind: kind, title: title,
            description: try node["description"]?.string() ?? "",
            sql: isText ? "" : try sql.string(), width: width, options: options)
        if isText { tile.text = try sql.string() }
        tile.click = try click(node["click"], filters)
        tile.rowsSQL = try node["rows"]?.string()
        tile.filterColumns = try filterColumns(node["filters"], filters)
        tile.fedBy = try node["fed_by"]?.string()
        return tile
    }

    private func read(
        _ node: YAMLNode, _ kind: String, _ chart: ChartKind
    ) throws -> ChartOptions {
        do throws(YAMLError) {
            try node.allow(keys: chart.options)
        } catch {
            guard error.code == .unknownKey else { throw error }
            let known =
                chart.options.isEmpty
                ? "\(kind) takes no options"
                : "options of \(kind): \(chart.options.sorted().joined(separator: ", "))"
            // The parser's own hint is the nearest name, or all of them where none is near.
            let nearest = error.hint.flatMap { $0.hasPrefix("did you mean") ? $0 + " " : nil } ?? ""
            throw DashboardError(
                code: .unknownOption, message: error.message, hint: nearest + known, cause: error)
        }
        var options = ChartOptions()
        options.x = try node["x"]?.string()
        options.series = try node["series"]?.string()
        options.compare = try node["compare"]?.string()
        if let y = node["y"] {
            options.y = try y.text.map { [$0] } ?? y.sequence().map { try $0.string() }
        }
        if let format = node["format"] {
            guard let known = NumberFormat(rawValue: try format.string()) else {
                throw fault(
                    .invalidDocument, format, "not a format: \(format.text ?? "")",
                    hint: "formats: "
                        + NumberFormat.allCases.map(\.rawValue).joined(separator: ", "))
            }
            options.format = known
        }
        options.unit = try node["unit"]?.string() ?? ""
        options.threshold = try node["threshold"]?.double()
        options.startsAtZero = try node["zero"]?.boolean()
        options.decimals = try node["decimals"].map { try bounded($0, 0...9) }
        options.bins = try node["bins"].map { try bounded($0, 1...100) }
        options.limit = try node["limit"].map { try bounded($0, 1...1000) }
        if let percent = node["percent"] {
            options.percentColumns = try percent.sequence().map { try $0.string() }
        }
        if let bars = node["bars"] {
            options.barColumns = try bars.sequence().map { try $0.string() }
        }
        options.showsTrend = try node["trend"]?.boolean() ?? false
        options.isStacked = try node["stacked"]?.boolean() ?? true
        options.isVertical = try node["vertical"]?.boolean() ?? false
        options.showsTotals = try node["totals"]?.boolean() ?? false
        options.size = try node["size"]?.string()
        return options
    }

    private func bounded(_ node: YAMLNode, _ range: ClosedRange<Int>) throws -> Int {
        let value = try node.integer()
        guard range.contains(value) else {
            throw fault(
                .limitExceeded, node,
                "wanted is \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        return value
    }

    /// `gold.banking.mart`, with double quotes around parts that hold dots; shorter names take the
    /// dashboard's catalog and schema.
    private func table(
        _ node: YAMLNode, _ catalog: String?, _ schema: String?
    ) throws -> [String] {
        let text = try node.string()
        var parts: [String] = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: parts.append("")
            default: parts[parts.count - 1].append(character)
            }
        }
        if parts.count == 1, let schema { parts.insert(schema, at: 0) }
        if parts.count == 2, let catalog { parts.insert(catalog, at: 0) }
        guard parts.count >= 3, !isQuoted, !parts.contains("") else {
            throw fault(
                .invalidDocument, node, "not the name of a table: \(text.prefix(120))",
                hint: "write catalog.schema.table")
        }
        return parts
    }

    private func fault(
        _ code: DashboardError.Code, _ node: YAMLNode, _ text: String, hint: String? = nil
    ) -> DashboardError {
        DashboardError(
            code: code, message: "\(path):\(node.span.line):\(node.span.column): \(text)",
            hint: hint)
    }

    static func isName(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x5F
            }
    }

    /// `Fraud rate by region` as `fraud-rate-by-region`.
    static func slug(_ title: String) -> String {
        var slug = ""
        for character in title.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                slug.append(character)
            } else if !slug.isEmpty, !slug.hasSuffix("-") {
                slug.append("-")
            }
        }
        while slug.hasSuffix("-") { slug.removeLast() }
        return slug
    }
}
