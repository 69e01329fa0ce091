import Authority
import Dashboards
import HTTPMessages

extension ConsolePages {
    var homeRoutes: [Route] {
        [page("/", .home) { _, _, visitor in home(visitor) }]
    }

    /// What runs, what there is, what happened last, how to connect. A part that the visitor may
    /// not see is left out.
    private func home(_ visitor: ConsoleVisitor) -> Page {
        let context = visitor.context
        let facts = doors.appliance.facts(context)
        var body: Markup = """
            <div class="head"><h1>Overview</h1>\
            <p class="note">lakehouse \(facts.version), started \
            \(moment(facts.startedMicroseconds, now: now))</p></div>
            """
        body += notices(facts) + counts(context, facts)
        body += "<div class=\"columns\">\n"
        body += recentQueries(context) + recentRuns(context) + freshness(context)
        body += services(facts)
        body += "</div>\n" + connect(facts)
        return Page(title: "Overview", body: body)
    }

    /// What happened to the server, and what was shown on it.
    private func notices(_ facts: ApplianceFacts) -> Markup {
        var notices = Markup()
        if let restart = facts.restart {
            let often: Markup =
                restart.count == 1
                ? "It is the first time" : "It is time \(countText(restart.count))"
            notices += """
                <p class="hint" role="status">The server ended by itself, by \(restart.ending), \
                \(moment(restart.atMicroseconds, now: now)), and was started again. \(often) since \
                somebody started it; nothing that was acknowledged is lost.</p>

                """
        }
        if facts.hasWalkthrough {
            notices += """
                <p class="hint">A walkthrough was made in this lakehouse: \
                <a href="/walkthrough">its steps and its receipt</a>.</p>

                """
        }
        return notices
    }

    private func counts(_ context: RequestContext, _ facts: ApplianceFacts) -> Markup {
        var cells: [(String, String)] = []
        if let counted = try? countTables(context) {
            let more = counted.isPartial ? "+" : ""
            cells.append(("warehouses", countText(counted.warehouses)))
            cells.append(("namespaces", countText(counted.namespaces) + more))
            cells.append(("tables", countText(counted.tables) + more))
        }
        if let count = facts.objectCount { cells.append(("objects", countText(count))) }
        if let bytes = facts.storedBytes { cells.append(("stored", byteText(bytes))) }
        let running = doors.queries.recent(context, mine: false, limit: Limits.listedQueries)
            .count { !$0.isDone }
        cells.append(("queries running", countText(running)))
        let items = cells.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as Markup }
        return "<dl class=\"facts\">\(items)</dl>\n"
    }

    private func countTables(
        _ context: RequestContext
    ) throws -> (warehouses: Int, namespaces: Int, tables: Int, isPartial: Bool) {
        // What connectors show belongs to others.
        let warehouses = try doors.catalog.warehouses(context).filter {
            $0.location.hasPrefix("s3://")
        }
        var namespaces = 0
        var tables = 0
        var isPartial = false
        for warehouse in warehouses {
            guard let names = try? doors.catalog.namespaces(context, warehouse: warehouse.name)
            else { continue }
            isPartial = isPartial || names.hasMore
            for levels in names.names {
                namespaces += 1
                guard namespaces <= Limits.countedNamespaces else {
                    isPartial = true
                    continue
                }
                guard
                    let inner = try? doors.catalog.namespace(
                        context, warehouse: warehouse.name, levels: levels)
                else { continue }
                tables += inner.tables.names.count
                isPartial = isPartial || inner.tables.hasMore || !inner.namespaces.names.isEmpty
            }
        }
        return (warehouses.count, namespaces, tables, isPartial)
    }

    private func recentQueries(_ context: RequestContext) -> Markup {
        let queries = Array(
            doors.queries.recent(context, mine: false, limit: Limits.listedQueries)
                .filter { !$0.isOfPage }.prefix(8))
        let list =
            queries.isEmpty
            ? "<p class=\"empty\">No query yet. <a href=\"/sql\">Run one.</a></p>"
            : queryTable(queries, hasUser: false)
        return """
            <section class="card" aria-labelledby="recent-queries">\
            <h2 id="recent-queries"><a href="/queries">Recent queries</a></h2>
            \(list)
            </section>

            """
    }

    private func recentRuns(_ context: RequestContext) -> Markup {
        guard let runs = try? doors.pipelines.runs(context, pipeline: nil, limit: 8) else {
            return Markup()
        }
        let list: Markup =
            runs.isEmpty
            ? "<p class=\"empty\">No pipeline has run yet.</p>"
            : runTable(runs, hasPipeline: true)
        return """
            <section class="card" aria-labelledby="recent-runs">\
            <h2 id="recent-runs"><a href="/pipelines">Pipeline runs</a></h2>
            \(list)
            </section>

            """
    }

    /// The tables that dashboards watch are those that people wait for.
    private func freshness(_ context: RequestContext) -> Markup {
        var tables: [[String]] = []
        for document in doors.library().all {
            for table in document.watch where !tables.contains(table) { tables.append(table) }
        }
        var rows: [[Markup]] = []
        for table in tables where rows.count < Limits.freshTables && table.count >= 3 {
            let levels = Array(table[1..<table.count - 1])
            let name = table[table.count - 1]
            guard
                let fresh = doors.catalog.freshness(
                    context, warehouse: table[0], levels: levels, name: name)
            else { continue }
            let path = tablePath(table[0], levels, name)
            rows.append([
                "<a href=\"\(path)\">\(table.joined(separator: "."))</a>",
                fresh.rowCount.map { "\(countText($0))" } ?? "",
                moment(fresh.atMilliseconds &* 1000, now: now),
            ])
        }
        guard !rows.isEmpty else { return Markup() }
        return """
            <section class="card" aria-labelledby="freshness"><h2 id="freshness">Freshness</h2>
            \(plainTable(["Table", "Rows", "Changed"], numeric: [1], rows, label: "Freshness"))
            </section>

            """
    }

    private func services(_ facts: ApplianceFacts) -> Markup {
        guard !facts.services.isEmpty else { return Markup() }
        let rows = facts.services.map { service -> [Markup] in
            ["\(service.name)", stateBadge(service.state), "\(service.note)"]
        }
        return """
            <section class="card" aria-labelledby="services"><h2 id="services">What runs</h2>
            \(plainTable(["Service", "State", ""], rows, label: "What runs"))
            </section>

            """
    }

    private func connect(_ facts: ApplianceFacts) -> Markup {
        guard !facts.connectHints.isEmpty else { return Markup() }
        let hints = facts.connectHints.map { hint -> Markup in
            """
            <details><summary>\(hint.tool)</summary>\
            <pre class="code" tabindex="0">\(hint.command)</pre></details>

            """
        }
        return """
            <section class="card" aria-labelledby="connect"><h2 id="connect">Connect</h2>
            \(hints)</section>
            """
    }
}
