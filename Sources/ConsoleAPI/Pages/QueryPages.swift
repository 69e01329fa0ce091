import Dashboards
import HTTPMessages

extension ConsolePages {
    var queryRoutes: [Route] {
        [
            page("/queries", .queries) { request, _, visitor in
                queriesPage(mine: request.queryItems["mine"] != nil, visitor)
            },
            // The address that Trino's clients print; the id is the whole query.
            page("/ui/query.html", .queries) { request, _, visitor in
                try queryPage(PercentCoding.decode(request.rawQuery) ?? "", visitor)
            },
            form("/queries/{id}/cancel", .queries) { _, path, visitor in
                let id = path.required("id")
                try doors.queries.cancel(visitor.context, id: id)
                return .redirect(to: "/ui/query.html?\(segment(id))")
            },
        ]
    }

    private func queriesPage(mine: Bool, _ visitor: ConsoleVisitor) -> Page {
        let queries = doors.queries.recent(
            visitor.context, mine: mine, limit: Limits.listedQueries)
        let list: Markup =
            queries.isEmpty
            ? "<p class=\"empty\">No query yet.</p>" : queryTable(queries, hasUser: true)
        let all: Markup = mine ? "" : " aria-current=\"page\""
        let own: Markup = mine ? " aria-current=\"page\"" : ""
        return Page(
            title: "Queries",
            body: """
                <div class="head"><h1>Queries</h1></div>
                <nav class="jump" aria-label="Which"><a href="/queries"\(all)>All</a>\
                <a href="/queries?mine"\(own)>Mine</a></nav>
                \(list)
                """, refreshSeconds: queries.contains { !$0.isDone } ? 3 : nil)
    }

    private func queryPage(_ id: String, _ visitor: ConsoleVisitor) throws -> Page {
        guard let query = doors.queries.query(visitor.context, id: id) else {
            throw ConsoleNotFound(
                "there is no query \(id)", hint: "finished queries are kept for some time only")
        }
        let summary = query.summary
        var body: Markup = """
            <div class="head"><h1>Query</h1>\(stateBadge(summary.state))\
            <p class="note"><code>\(summary.id)</code> by \(summary.user), \
            \(moment(summary.createdMicroseconds, now: now)), \
            \(durationText(milliseconds: summary.elapsedMilliseconds))</p>

            """
        if !summary.isDone {
            body += """
                <form method="post" action="/queries/\(segment(id))/cancel">\(csrfField(visitor))\
                <button type="submit" class="danger">Cancel</button></form>
                """
        }
        body += "</div>\n"
        if let error = summary.error {
            body += "<p class=\"fault\" role=\"alert\">\(error)</p>\n"
            if let hint = query.errorHint { body += "<p class=\"hint\">\(hint)</p>\n" }
            if let code = query.errorCode { body += "<p class=\"note\"><code>\(code)</code></p>\n" }
        }
        for warning in query.warnings { body += "<p class=\"hint\">\(warning)</p>\n" }
        body += """
            <section class="card" aria-labelledby="statement"><h2 id="statement">Statement</h2>
            <pre class="code" tabindex="0">\(summary.sql)</pre>
            <p><a class="button" href="/sql?query=\(segment(id))">To the editor</a></p></section>

            """
        if !query.statistics.isEmpty {
            let items = query.statistics.map {
                "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as Markup
            }
            body += """
                <section class="card" aria-labelledby="statistics"><h2 id="statistics">Statistics\
                </h2><dl class="facts small">\(items)</dl></section>

                """
        }
        body += pipelinesCard(query.pipelines)
        if let plan = query.plan {
            body += """
                <section class="card" aria-labelledby="plan"><h2 id="plan">Plan</h2>
                <pre class="code plan" tabindex="0">\(plan)</pre></section>
                """
        }
        return Page(
            title: "Query \(summary.id)", body: body,
            trail: [(summary.id, "/ui/query.html?\(segment(id))")],
            refreshSeconds: summary.isDone ? nil : 2)
    }

    /// The pipelines as they work: an operator a row, its share of the time as a bar.
    private func pipelinesCard(_ pipelines: [[QueryDetails.Step]]) -> Markup {
        let drawn = pipelines.filter { !$0.isEmpty }
        guard !drawn.isEmpty else { return Markup() }
        let all = max(drawn.joined().reduce(0) { $0 + $1.milliseconds }, 0.001)
        var tables = Markup()
        for (number, pipeline) in drawn.enumerated() {
            let rows = pipeline.map { step -> [Markup] in
                var name: Markup = "<strong>\(step.name)</strong>"
                if !step.detail.isEmpty { name += " <code>\(step.detail)</code>" }
                if !step.remarks.isEmpty {
                    name +=
                        "<br><span class=\"note\">\(step.remarks.joined(separator: "; "))</span>"
                }
                var memory: Markup =
                    step.memoryBytes > 0 ? "\(byteText(Int64(step.memoryBytes)))" : Markup()
                if step.spilledBytes > 0 {
                    memory +=
                        "<br><span class=\"note\">spilled \(byteText(Int64(step.spilledBytes)))</span>"
                }
                return [
                    name, "\(countText(step.inputRows))", "\(countText(step.outputRows))",
                    """
                    \(durationText(milliseconds: Int64(step.milliseconds.rounded()))) \
                    <meter min="0" max="1000" value="\(Int(step.milliseconds / all * 1000))">\
                    </meter>
                    """, memory,
                ]
            }
            tables += """
                <h3>Pipeline \(number + 1)</h3>
                \(plainTable(
                    ["Operator", "Rows in", "Rows out", "Time", "Memory"], numeric: [1, 2, 3, 4],
                    rows, label: "Pipeline \(number + 1)"))

                """
        }
        return """
            <section class="card pipelines" aria-labelledby="pipelines"><h2 id="pipelines">\
            Pipelines</h2>
            \(tables)</section>

            """
    }

    func queryTable(_ queries: [QuerySummary], hasUser: Bool) -> Markup {
        let rows = queries.map { query -> [Markup] in
            var row: [Markup] = [
                """
                <a class="statement" href="/ui/query.html?\(segment(query.id))">\
                \(statementLine(query.sql, letters: hasUser ? 120 : 70))</a>
                """,
                stateBadge(query.state),
            ]
            if hasUser { row.append("\(query.user)") }
            row += [
                moment(query.createdMicroseconds, now: now),
                "\(durationText(milliseconds: query.elapsedMilliseconds))",
                "\(countText(query.rowCount))",
            ]
            return row
        }
        let heads =
            ["Statement", "State"] + (hasUser ? ["User"] : []) + ["Started", "Took", "Rows"]
        return plainTable(
            heads, numeric: [heads.count - 2, heads.count - 1], rows, label: "Queries")
    }
}
