import Dashboards
import Diagnostics
import HTTPMessages

extension ConsolePages {
    var sqlRoutes: [Route] {
        [
            page("/sql", .sql) { request, _, visitor in editor(request, visitor) },
            form("/sql", .sql) { form, _, visitor in
                layout(run(form, visitor), .sql, visitor)
            },
            Route(.post, "/api/v1/sql") { request, _ in answerSQL(request) },
        ]
    }

    /// The editor, empty or with a statement from `q` or from the history (`query`). Nothing runs
    /// by a link: only the form runs statements.
    private func editor(_ request: Request, _ visitor: ConsoleVisitor) -> Page {
        let query = request.queryItems
        var sql = query["q"] ?? ""
        if let id = query["query"], let known = doors.queries.query(visitor.context, id: id) {
            sql = known.summary.sql
        }
        return sqlPage(
            visitor, sql: sql, catalog: query["catalog"] ?? "", schema: query["schema"] ?? "",
            output: Markup())
    }

    private func run(_ form: QueryItems, _ visitor: ConsoleVisitor) -> Page {
        let sql = form["sql"] ?? ""
        let catalog = form["catalog"] ?? ""
        let schema = form["schema"] ?? ""
        let output: Markup
        do throws(QueryRunFault) {
            output = resultMarkup(try runSQL(visitor, sql, catalog, schema))
        } catch { output = faultMarkup(error, sql: sql) }
        return sqlPage(visitor, sql: sql, catalog: catalog, schema: schema, output: output)
    }

    func runSQL(
        _ visitor: ConsoleVisitor, _ sql: String, _ catalog: String, _ schema: String,
        limit: Int = Limits.resultRows, source: String = "SQL page"
    ) throws(QueryRunFault) -> QueryAnswer {
        guard sql.contains(where: { !$0.isWhitespace }) else {
            throw QueryRunFault(
                code: .init(rawValue: "SYNTAX_ERROR"), message: "there is no statement",
                hint: "type one, such as: show tables")
        }
        guard sql.utf8.count <= Limits.statementBytes else {
            throw QueryRunFault(
                code: .init(rawValue: "QUERY_TEXT_TOO_LARGE"),
                message: "a statement has at most \(Limits.statementBytes) bytes here")
        }
        var request = QueryRequest(
            sql, catalog: catalog.isEmpty ? nil : catalog,
            schema: schema.isEmpty ? nil : schema, rowLimit: limit)
        request.source = source
        request.mayChange = true
        return try doors.runner.run(visitor.context, request)
    }

    private func sqlPage(
        _ visitor: ConsoleVisitor, sql: String, catalog: String, schema: String, output: Markup
    ) -> Page {
        // What people and their tools have asked, without what pages ask for them.
        let history = doors.queries.recent(visitor.context, mine: true, limit: Limits.listedQueries)
            .filter { !$0.isOfPage }.prefix(Limits.historyRows)
        let lines = history.map { query -> Markup in
            """
            <li><a href="/sql?query=\(segment(query.id))">\(statementLine(query.sql))</a> \
            \(stateBadge(query.state)) <span class="note">\
            \(moment(query.createdMicroseconds, now: now))</span></li>

            """
        }
        let warehouses = (try? doors.catalog.warehouses(visitor.context)) ?? []
        let options = warehouses.map { warehouse -> Markup in
            let chosen: Markup = warehouse.name == catalog ? " selected" : ""
            return "<option\(chosen)>\(warehouse.name)</option>"
        }
        let list: Markup =
            lines.isEmpty
            ? "<p class=\"empty\">Nothing yet.</p>" : "<ul class=\"history\">\(lines)</ul>"
        return Page(
            title: "SQL",
            body: """
                <div class="head"><h1>SQL</h1></div>
                <form id="editor" class="editor" method="post" action="/sql">
                \(csrfField(visitor))
                <label class="unseen" for="sql">Statement</label>
                <textarea id="sql" name="sql" rows="8" spellcheck="false" autocomplete="off" \
                autocapitalize="off" autofocus placeholder="select …">
                \(sql)</textarea>
                <div class="controls">
                <label>Catalog <select name="catalog"><option value="">–</option>\(options)\
                </select></label>
                <label>Schema <input name="schema" value="\(schema)" size="14" \
                autocomplete="off" spellcheck="false"></label>
                <button type="submit">Run</button>
                <span class="note keys">Ctrl + Enter</span>
                </div>
                </form>
                <div id="output" class="output" aria-live="polite">\(output)</div>
                <section class="card" aria-labelledby="history"><h2 id="history">History</h2>
                \(list)
                </section>
                """, scripts: ["sql.js"])
    }

    private func resultMarkup(_ answer: QueryAnswer) -> Markup {
        var markup = Markup()
        for warning in answer.warnings { markup += "<p class=\"hint\">\(warning)</p>\n" }
        if let type = answer.updateType {
            let count = answer.updateCount.map { ", " + counted($0, "row") } ?? ""
            markup += "<p class=\"done\" role=\"status\">\(type)\(count)</p>\n"
        }
        let rows = answer.data.rows.count
        if !answer.data.columns.isEmpty {
            markup += """
                <p class="note" role="status">\(counted(rows, "row"))\
                \(answer.data.isTruncated ? ", the first of more" : ""), \
                \(durationText(milliseconds: answer.elapsedMilliseconds))\(details(answer.queryID))\
                </p>
                \(dataTable(answer.data, limit: Limits.resultRows))
                """
        } else {
            markup += """
                <p class="note">\(durationText(milliseconds: answer.elapsedMilliseconds))\
                \(details(answer.queryID))</p>
                """
        }
        return markup
    }

    private func details(_ id: String) -> Markup {
        id.isEmpty ? Markup() : " · <a href=\"/ui/query.html?\(segment(id))\">details</a>"
    }

    private func faultMarkup(_ fault: QueryRunFault, sql: String) -> Markup {
        var markup: Markup = "<p class=\"fault\" role=\"alert\">\(fault.message)</p>\n"
        if let span = fault.span {
            markup += "<pre class=\"caret\" tabindex=\"0\">\(caretText(sql, span))</pre>\n"
        }
        if let hint = fault.hint { markup += "<p class=\"hint\">\(hint)</p>\n" }
        return markup + """
            <p class="note"><code>\(fault.code.rawValue)</code>\
            \(details(fault.queryID ?? ""))</p>
            """
    }
}

/// The line that a span points into, cut to what fits beside it, with carets below.
func caretText(_ sql: String, _ span: SourceSpan) -> String {
    let lines = sql.split(separator: "\n", omittingEmptySubsequences: false)
    guard span.line >= 1, span.line <= lines.count, span.column >= 1 else { return "" }
    let line = Array(
        lines[span.line - 1].unicodeScalars.map { $0 == "\t" || $0 == "\r" ? " " : $0 })
    let at = min(span.column - 1, line.count)
    let start = max(0, at - 60)
    let end = min(line.count, start + 140)
    var text = ""
    text.unicodeScalars.append(contentsOf: line[start..<end])
    let prefix = "\(span.line) | "
    let carets = max(1, min(span.length, end - at))
    return prefix + text + "\n" + String(repeating: " ", count: prefix.count + at - start)
        + String(repeating: "^", count: carets)
}
