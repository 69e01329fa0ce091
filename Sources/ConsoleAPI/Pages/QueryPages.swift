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
