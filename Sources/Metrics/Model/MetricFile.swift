import Bytes
import CivilTime
import Diagnostics
import YAML

/// Reads `metrics.yml`. Everything is checked here, with file and line: names, expressions, joins that
/// must be many to one, words that would mean two things.
package enum MetricFile {
    /// Bytes of a file.
    package static let sizeLimit = 1 << 20
    /// Metrics, dimensions, tables or joins of one file.
    static let entryLimit = 500
    /// What `minimum_rows` may be at the most.
    static let minimumRowsLimit = 1_000_000_000

    /// The model that `text` declares; `path` stands in faults.
    package static func parse(_ text: String, path: String) throws(MetricError) -> MetricModel {
        do {
            let root = try YAMLDocument.parse(text, name: path)
            return try Reader(digest: digest(text), path: path).model(root)
        } catch let error as MetricError {
            throw error
        } catch let error as YAMLError {
            throw MetricError(.invalidFile, error.message, hint: error.hint, cause: error)
        } catch {
            throw MetricError(.invalidFile, "\(path): the file cannot be read", cause: error)
        }
    }

    static func digest(_ text: String) -> String {
        let hash = String(xxHash64(Array(text.utf8)), radix: 16)
        return String(repeating: "0", count: 16 - hash.count) + hash
    }
}

/// Turns the tree of a file into a model.
private struct Reader {
    let digest: String
    let path: String

    func model(_ root: YAMLNode) throws -> MetricModel {
        try root.allow(keys: [
            "name", "version", "title", "zone", "week_start", "tables", "joins", "dimensions",
            "metrics",
        ])
        let nameNode = try root.required("name")
        let name = try identifier(nameNode, "a model's name", dashes: true)
        let versionNode = try root.required("version")
        let version = try versionNode.integer()
        guard version >= 1 else { throw fault(versionNode, "a version is 1 or more") }
        var zone = TimeZoneKey.utc
        if let node = root["zone"] {
            do { zone = try TimeZoneKey.named(try node.string()) } catch let error
                as CivilTimeError
            {
                throw fault(node, error.message, hint: error.hint)
            }
        }
        if let node = root["week_start"], try node.string().lowercased() != "monday" {
            throw fault(node, "weeks are ISO weeks: week_start is monday")
        }
        var model = MetricModel(
            name: name, version: version, title: try root["title"]?.string() ?? name,
            digest: digest, path: path, zone: zone, tables: [], joins: [], dimensions: [],
            metrics: [])
        for node in try entries(root, "tables") { model.tables.append(try table(node, model)) }
        for node in try entries(root, "joins", isNeeded: false) {
            model.joins.append(try join(node, model))
        }
        for node in try entries(root, "dimensions", isNeeded: false) {
            model.dimensions.append(try dimension(node, model))
        }
        for node in try entries(root, "metrics") { model.metrics.append(try metric(node, model)) }
        try checkWords(root, model)
        return model
    }

    private func entries(
        _ root: YAMLNode, _ key: String, isNeeded: Bool = true
    ) throws -> [YAMLNode] {
        guard let node = isNeeded ? try root.required(key) : root[key] else { return [] }
        let list = try node.sequence()
        guard list.count <= MetricFile.entryLimit else {
            throw fault(node, "at most \(MetricFile.entryLimit) \(key) are read")
        }
        guard !isNeeded || !list.isEmpty else { throw fault(node, "\(key) are missing") }
        return list
    }

    // MARK: Tables and joins

    private func table(_ node: YAMLNode, _ model: MetricModel) throws -> ModelTable {
        try node.allow(keys: ["name", "source", "certified", "key", "time", "description"])
        let nameNode = try node.required("name")
        let name = try identifier(nameNode, "a table's name")
        guard model.table(name) == nil else {
            throw fault(nameNode, "the table is declared twice: \(name)")
        }
        let certified = try node.required("certified")
        guard try certified.boolean() else {
            throw fault(
                certified, "the table is not certified: \(name)",
                hint: "answers come from certified tables only; leave it out until it is")
        }
        let sourceNode = try node.required("source")
        let source = try sourceNode.string().split(separator: ".", omittingEmptySubsequences: false)
            .map(String.init)
        guard source.count >= 3, !source.contains("") else {
            throw fault(sourceNode, "a source is catalog.schema.table")
        }
        var time: TimeColumn?
        if let timeNode = node["time"] { time = try self.time(timeNode) }
        return ModelTable(
            name: name, source: source, key: try strings(node["key"]), time: time,
            description: try node["description"]?.string() ?? "")
    }

    private func time(_ node: YAMLNode) throws -> TimeColumn {
        try node.allow(keys: ["column", "type", "grain"])
        let kind: TimeColumn.Kind = try choice(node["type"], "type") ?? .timestamp
        let usual = kind == .date ? DateUnit.day : .second
        let grain: DateUnit = try choice(node["grain"], "grain") ?? usual
        return TimeColumn(
            column: try node.required("column").string(), kind: kind, grain: grain)
    }

    private func join(_ node: YAMLNode, _ model: MetricModel) throws -> ModelJoin {
        try node.allow(keys: ["from", "to", "on", "kind", "cardinality"])
        let fromNode = try node.required("from")
        let from = try known(fromNode, model.tables.map(\.name), "table")
        let toNode = try node.required("to")
        let to = try known(toNode, model.tables.map(\.name), "table")
        let onNode = try node.required("on")
        var pairs: [ModelJoin.Pair] = []
        for entry in try onNode.mapping() {
            pairs.append(ModelJoin.Pair(from: entry.key, to: try entry.value.string()))
        }
        guard !pairs.isEmpty, from != to else {
            throw fault(node, "a join needs two tables, and on")
        }
        let cardinality = try node.required("cardinality")
        guard try cardinality.string() == "many-to-one" else {
            throw fault(
                cardinality, "a certified join is many-to-one",
                hint: "any other would count rows twice; join from the side with many rows")
        }
        let key = model.table(to)?.key ?? []
        guard !key.isEmpty, Set(key).isSubset(of: pairs.map(\.to)) else {
            throw fault(
                onNode, "the join does not cover the key of \(to)",
                hint: key.isEmpty
                    ? "declare key: [..] of \(to)" : "its key: \(key.joined(separator: ", "))")
        }
        return ModelJoin(
            from: from, to: to, columns: pairs, kind: try choice(node["kind"], "kind") ?? .left)
    }

    // MARK: Dimensions and metrics

    private func dimension(_ node: YAMLNode, _ model: MetricModel) throws -> Dimension {
        try node.allow(keys: [
            "name", "label", "table", "column", "expression", "type", "synonyms", "values",
            "value_synonyms", "description",
        ])
        let nameNode = try node.required("name")
        let name = try identifier(nameNode, "a dimension's name")
        guard model.dimension(name) == nil else {
            throw fault(nameNode, "the dimension is declared twice: \(name)")
        }
        let table = try known(node.required("table"), model.tables.map(\.name), "table")
        let expression: String
        if let expressionNode = node["expression"] {
            guard node["column"] == nil else {
                throw fault(expressionNode, "a dimension has a column or an expression")
            }
            let scan = try self.scan(expressionNode, model)
            guard scan.tables == [table] else {
                throw fault(expressionNode, "a dimension reads its own table only: \(table)")
            }
            guard scan.calls.allSatisfy({ !SQLScan.aggregates.contains($0) }) else {
                throw fault(expressionNode, "a dimension has no aggregate")
            }
            expression = try expressionNode.string()
        } else {
            let column = try node["column"]?.string() ?? name
            expression = "\(table).\(SQLText.identifier(column))"
        }
        let kind: Dimension.Kind = try choice(node["type"], "type") ?? .text
        var values = kind == .text ? Dimension.Values.index : .none
        if let valuesNode = node["values"] {
            if case .sequence = valuesNode.kind {
                values = .listed(try strings(valuesNode))
            } else {
                switch try valuesNode.string() {
                case "index": values = .index
                case "none": values = .none
                default: throw fault(valuesNode, "values is index, none or a list")
                }
            }
            guard kind == .text || values == .none else {
                throw fault(valuesNode, "only a text dimension has words for its values")
            }
        }
        var valueSynonyms: [String: [String]] = [:]
        for entry in try node["value_synonyms"]?.mapping() ?? [] {
            valueSynonyms[entry.key] = try strings(entry.value)
        }
        return Dimension(
            name: name, label: try node["label"]?.string() ?? spoken(name), table: table,
            expression: expression, kind: kind, synonyms: try strings(node["synonyms"]),
            values: values, valueSynonyms: valueSynonyms,
            description: try node["description"]?.string() ?? "")
    }

    private func metric(_ node: YAMLNode, _ model: MetricModel) throws -> Metric {
        try node.allow(keys: [
            "name", "label", "table", "kind", "expression", "numerator", "denominator", "filters",
            "format", "unit", "decimals", "minimum_rows", "synonyms", "description",
        ])
        let nameNode = try node.required("name")
        let name = try identifier(nameNode, "a metric's name")
        guard model.metric(name) == nil, model.dimension(name) == nil else {
            throw fault(nameNode, "the name is declared twice: \(name)")
        }
        let table = try known(node.required("table"), model.tables.map(\.name), "table")
        let kind: Metric.Kind = try choice(node.required("kind"), "kind") ?? .additive
        let expression = try aggregate(
            node.required(kind == .ratio ? "numerator" : "expression"), kind, table, model)
        var denominator: String?
        if kind == .ratio {
            denominator = try aggregate(node.required("denominator"), kind, table, model)
        } else if let other = node["denominator"] ?? node["numerator"] {
            throw fault(other, "only a ratio has a numerator and a denominator")
        }
        var filters: [String] = []
        for filter in try node["filters"]?.sequence() ?? [] {
            let scan = try self.scan(filter, model)
            try reach(scan.tables, from: table, filter, model)
            guard scan.calls.allSatisfy({ !SQLScan.aggregates.contains($0) }) else {
                throw fault(filter, "a filter is about rows: it has no aggregate")
            }
            filters.append(try filter.string())
        }
        var decimals: Int?
        if let decimalsNode = node["decimals"] {
            let count = try decimalsNode.integer()
            guard (0...9).contains(count) else { throw fault(decimalsNode, "decimals: 0 to 9") }
            decimals = count
        }
        return Metric(
            name: name, label: try node["label"]?.string() ?? spoken(name), table: table,
            kind: kind, expression: expression, denominator: denominator, filters: filters,
            format: try choice(node["format"], "format") ?? .number,
            unit: try node["unit"]?.string() ?? "", decimals: decimals,
            minimumRows: try minimumRows(node["minimum_rows"], kind),
            synonyms: try strings(node["synonyms"]),
            description: try node["description"]?.string() ?? "")
    }

    /// Sums and counts are what they are on any number of rows.
    private func minimumRows(_ node: YAMLNode?, _ kind: Metric.Kind) throws -> Int? {
        guard let node else { return nil }
        guard kind != .additive else {
            throw fault(
                node, "an additive metric has no minimum_rows",
                hint: "a sum of few rows is exact; a ratio or an average of few says little")
        }
        let count = try node.integer()
        guard (1...MetricFile.minimumRowsLimit).contains(count) else {
            throw fault(node, "minimum_rows: 1 to \(MetricFile.minimumRowsLimit)")
        }
        return count
    }

    private func aggregate(
        _ node: YAMLNode, _ kind: Metric.Kind, _ table: String, _ model: MetricModel
    ) throws -> String {
        let scan = try self.scan(node, model)
        try reach(scan.tables, from: table, node, model)
        guard scan.calls.contains(where: SQLScan.aggregates.contains) else {
            throw fault(
                node, "the expression has no aggregate",
                hint: "a metric is a number over many rows, such as sum(\(table).amount)")
        }
        guard kind != .additive || isSum(scan) else {
            throw fault(
                node, "an additive metric is one sum, count or count_if, without DISTINCT",
                hint: "use kind: ratio for a quotient of sums, kind: other for the rest")
        }
        return try node.string()
    }

    private func isSum(_ scan: SQLScan) -> Bool {
        guard let outermost = scan.outermostCall, !scan.hasDistinct else { return false }
        return ["sum", "count", "count_if"].contains(outermost)
    }

    private func scan(_ node: YAMLNode, _ model: MetricModel) throws -> SQLScan {
        let text = try node.string()
        do throws(SQLScan.Problem) {
            return try SQLScan(text, known: model.tables.map(\.name))
        } catch {
            throw MetricError(
                .invalidExpression,
                "\(node.name):\(node.span.line):\(node.span.column): \(error.message)",
                hint: error.hint)
        }
    }

    private func reach(
        _ tables: [String], from base: String, _ node: YAMLNode, _ model: MetricModel
    ) throws {
        do throws(MetricError) {
            _ = try JoinPath(from: base, to: tables, in: model)
        } catch { throw fault(node, error.message, hint: error.hint) }
    }

    // MARK: Words

    /// A name may not stand for two metrics, or two dimensions, and not be one of the grammar's own.
    /// A synonym may: questions that use it are then read both ways.
    private func checkWords(_ root: YAMLNode, _ model: MetricModel) throws {
        var owners: [String: String] = [:]
        func check(_ word: String, _ owner: String, _ node: YAMLNode, isName: Bool) throws {
            let key = Tokenizer.phrase(word)
            guard !key.isEmpty else { throw fault(node, "an empty name or synonym: \(owner)") }
            guard !Lexicon.isReserved(key) else {
                throw fault(
                    node, "the word belongs to the grammar of questions: \(word)",
                    hint: "choose a synonym of more than one word")
            }
            if let other = owners[key], other != owner {
                throw fault(node, "the words mean \(other) already: \(word)")
            }
            if isName { owners[key] = owner }
        }
        let metrics = try root["metrics"]?.sequence() ?? []
        let dimensions = try root["dimensions"]?.sequence() ?? []
        for (node, metric) in zip(metrics, model.metrics) {
            for name in Set([metric.label, spoken(metric.name)]) {
                try check(name, "the metric \(metric.name)", node, isName: true)
            }
        }
        for (node, metric) in zip(metrics, model.metrics) {
            for name in metric.synonyms {
                try check(name, "the metric \(metric.name)", node, isName: false)
            }
        }
        owners = [:]
        for (node, dimension) in zip(dimensions, model.dimensions) {
            for name in Set([dimension.label, spoken(dimension.name)]) {
                try check(name, "the dimension \(dimension.name)", node, isName: true)
            }
        }
        for (node, dimension) in zip(dimensions, model.dimensions) {
            for name in dimension.synonyms {
                try check(name, "the dimension \(dimension.name)", node, isName: false)
            }
        }
    }

    // MARK: Scalars

    private func identifier(
        _ node: YAMLNode, _ what: String, dashes: Bool = false
    ) throws -> String {
        let text = try node.string()
        let isGood =
            text.utf8.first.map { $0 >= 0x61 && $0 <= 0x7A } ?? false
            && text.utf8.allSatisfy {
                ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F
                    || (dashes && $0 == 0x2D)
            }
        guard isGood, text.utf8.count <= 64 else {
            throw fault(node, "\(what) has small letters, digits and _: \(text)")
        }
        return text
    }

    private func known(
        _ node: YAMLNode, _ names: [String], _ what: String
    ) throws -> String {
        let name = try node.string()
        guard names.contains(name) else {
            throw fault(
                node, "unknown \(what): \(name)",
                hint: nearestName(to: name, among: names).map { "did you mean \($0)?" }
                    ?? "known: \(names.joined(separator: ", "))")
        }
        return name
    }

    private func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ node: YAMLNode?, _ what: String
    ) throws -> Value? {
        guard let node else { return nil }
        let text = try node.string()
        if let value = Value(rawValue: text) { return value }
        let names = Value.allCases.map(\.rawValue)
        throw fault(
            node, "unknown \(what): \(text)",
            hint: nearestName(to: text, among: names).map { "did you mean \($0)?" }
                ?? "known: \(names.joined(separator: ", "))")
    }

    private func strings(_ node: YAMLNode?) throws -> [String] {
        guard let node else { return [] }
        return try node.sequence().map { try $0.string() }
    }

    private func fault(_ node: YAMLNode, _ text: String, hint: String? = nil) -> MetricError {
        MetricError(
            .invalidFile, "\(node.name):\(node.span.line):\(node.span.column): \(text)",
            hint: hint)
    }
}

/// `fraud_rate` as people say it.
func spoken(_ name: String) -> String { name.split(separator: "_").joined(separator: " ") }
