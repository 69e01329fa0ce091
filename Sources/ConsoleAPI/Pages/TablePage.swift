import Dashboards
import HTTPMessages

extension ConsolePages {
    /// Everything of one table or view: columns, a sample, snapshots, files, properties.
    func tablePage(
        _ warehouse: String, _ levels: [String], _ name: String, _ visitor: ConsoleVisitor
    ) throws -> Page {
        let table = try doors.catalog.table(
            visitor.context, warehouse: warehouse, levels: levels, name: name)
        let isView = table.viewSQL != nil
        let fullName = sqlName([warehouse, levels.joined(separator: "."), table.name])
        let statement = "select * from \(fullName) limit 100"
        var body: Markup = """
            <div class="head"><h1>\(table.name)</h1>\
            <p class="note">\(isView ? "view" : "table") in \(warehouse).\
            \(levels.joined(separator: "."))</p>\
            \(isView ? Markup() : lineageLink(warehouse, levels, table.name))\
            <a class="button" href="/sql?q=\(segment(statement))">Query</a></div>
            <nav class="jump" aria-label="On this page"><a href="#columns">Columns</a>\
            <a href="#sample">Sample</a>\(isView ? Markup() : tableJumps)</nav>
            \(isView ? Markup() : facts(table))
            """
        if let sql = table.viewSQL {
            body += """
                <section class="card" aria-labelledby="definition"><h2 id="definition">Definition\
                </h2><pre class="code" tabindex="0">\(sql)</pre></section>

                """
        }
        body += columns(table)
        body += sample(fullName, visitor)
        if !isView { body += snapshots(table) + files(table) }
        body += propertiesCard(table.properties)
        return Page(
            title: table.name, body: body, trail: trail(warehouse, table.levels, table.name))
    }

    private func lineageLink(_ warehouse: String, _ levels: [String], _ name: String) -> Markup {
        "<a class=\"button\" href=\"\(tablePath(warehouse, levels, name))/lineage\">Lineage</a>"
    }

    private var tableJumps: Markup {
        "<a href=\"#snapshots\">Snapshots</a><a href=\"#files\">Files</a>"
    }

    private func facts(_ table: ConsoleTable) -> Markup {
        let current = table.snapshots.first { $0.isCurrent }
        var cells: [(String, Markup)] = []
        func number(_ key: String) -> Int64? { current?.summary[key].flatMap { Int64($0) } }
        if let current, let rows = RowCount(current.summary) {
            cells.append((rows.isExact ? "rows" : "rows at most", "\(countText(rows.count))"))
        }
        if let bytes = number("total-files-size") { cells.append(("size", "\(byteText(bytes))")) }
        if let files = number("total-data-files") {
            cells.append(("data files", "\(countText(files))"))
        }
        cells.append(("snapshots", "\(countText(table.snapshots.count))"))
        if let current {
            cells.append(("changed", moment(current.atMilliseconds &* 1000, now: now)))
        }
        let items = cells.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as Markup }
        var lines: [Markup] = ["format version \(table.formatVersion)"]
        if !table.partitioning.isEmpty {
            lines.append(
                "partitioned by <code>\(table.partitioning.joined(separator: ", "))</code>")
        }
        if !table.sorting.isEmpty {
            lines.append("sorted by <code>\(table.sorting.joined(separator: ", "))</code>")
        }
        lines.append("<code>\(table.location)</code>")
        return """
            <dl class="facts">\(items)</dl>
            <p class="note">\(lines.joined(separator: " · "))</p>

            """
    }

    private func columns(_ table: ConsoleTable) -> Markup {
        let rows = table.columns.map { column -> [Markup] in
            [
                "<code>\(column.name)</code>", "<code class=\"type\">\(column.type)</code>",
                column.isRequired ? "required" : "", "\(column.doc)",
            ]
        }
        return """
            <section class="card" aria-labelledby="columns"><h2 id="columns">Columns</h2>
            \(plainTable(["Name", "Type", "", "Comment"], rows, label: "Columns"))
            </section>

            """
    }

    /// Through the engine, so that filters and masks hold.
    private func sample(_ fullName: String, _ visitor: ConsoleVisitor) -> Markup {
        let content: Markup
        do throws(QueryRunFault) {
            var request = QueryRequest(
                "select * from \(fullName) limit \(Limits.sampleRows)",
                rowLimit: Limits.sampleRows)
            request.source = "table page"
            let answer = try doors.runner.run(visitor.context, request)
            content =
                answer.data.rows.isEmpty
                ? "<p class=\"empty\">No rows.</p>"
                : dataTable(answer.data, limit: Limits.sampleRows, label: "Sample")
        } catch {
            content = "<p class=\"fault\">\(error.message)</p>"
        }
        return """
            <section class="card" aria-labelledby="sample"><h2 id="sample">Sample</h2>
            \(content)
            </section>

            """
    }

    private func snapshots(_ table: ConsoleTable) -> Markup {
        let rows = table.snapshots.map { snapshot -> [Markup] in
            func number(_ key: String) -> Int64 {
                snapshot.summary[key].flatMap { Int64($0) } ?? 0
            }
            func change(_ plus: Int64, _ minus: Int64) -> Markup {
                let parts = [
                    plus > 0 ? "+" + countText(plus) : "", minus > 0 ? "−" + countText(minus) : "",
                ]
                return "\(parts.filter { !$0.isEmpty }.joined(separator: " "))"
            }
            let total = RowCount(snapshot.summary)
            // A row that a position delete hides is gone, and is not gone again with its file.
            let gone = number("deleted-records").addingReportingOverflow(
                number("added-position-deletes")
                    .subtractingReportingOverflow(number("removed-position-deletes")).partialValue
            ).partialValue
            return [
                "<code>\(snapshot.id)</code>\(snapshot.isCurrent ? currentBadge : Markup())",
                dated(snapshot.atMilliseconds &* 1000), "\(snapshot.operation)",
                change(number("added-records"), gone),
                change(number("added-data-files"), number("deleted-data-files")),
                total.map { "\($0.isExact ? "" : "at most ")\(countText($0.count))" } ?? "",
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">No snapshot yet: nothing was written.</p>"
            : plainTable(
                ["Snapshot", "Time", "Operation", "Rows", "Files", "Rows in all"],
                numeric: [3, 4, 5], rows, label: "Snapshots")
        let references: Markup =
            table.references.count > 1
            ? "<p class=\"note\">Branches and tags: \(table.references.joined(separator: ", "))</p>"
            : ""
        return """
            <section class="card" aria-labelledby="snapshots"><h2 id="snapshots">Snapshots</h2>
            \(list)
            \(references)</section>

            """
    }

    private var currentBadge: Markup { " <span class=\"badge good\">current</span>" }

    private func files(_ table: ConsoleTable) -> Markup {
        let content: Markup
        switch table.files {
        case .withheld:
            content = """
                <p class="empty">You see part of this table, so its files are not shown.</p>
                """
        case .failed(let message): content = "<p class=\"fault\">\(message)</p>"
        case .listed(let files, let hasMore):
            let rows = files.map { file -> [Markup] in
                [
                    "<code class=\"path\">\(shortPath(file.path, table.location))</code>",
                    "\(file.content)", "\(file.format.lowercased())", "\(file.partition)",
                    "\(countText(file.rowCount))", "\(byteText(file.sizeBytes))",
                ]
            }
            let list: Markup =
                rows.isEmpty
                ? "<p class=\"empty\">No files.</p>"
                : plainTable(
                    ["File", "Holds", "Format", "Partition", "Rows", "Size"], numeric: [4, 5],
                    rows, label: "Files")
            content =
                list
                + (hasMore
                    ? "<p class=\"note\">The first \(countText(files.count)) of more.</p>" : "")
        }
        return """
            <section class="card" aria-labelledby="files"><h2 id="files">Files</h2>
            \(content)
            </section>

            """
    }

    /// A path below the table's location without it.
    private func shortPath(_ path: String, _ location: String) -> String {
        guard !location.isEmpty, path.hasPrefix(location + "/") else { return path }
        return String(path.dropFirst(location.count + 1))
    }
}
