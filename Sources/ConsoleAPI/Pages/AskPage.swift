import CivilTime
import Dashboards
import Diagnostics
import HTTPMessages
import JSON
import Metrics

extension ConsolePages {
    /// The box for questions. A question runs by the form only; a link may fill the box.
    var askRoutes: [Route] {
        [
            page("/ask", .ask) { request, _, visitor in
                askPage(visitor, question: request.queryItems["q"] ?? "", output: Markup())
            },
            form("/ask", .ask) { form, _, visitor in
                layout(asked(form, visitor), .ask, visitor)
            },
        ]
    }

    private func asked(_ form: QueryItems, _ visitor: ConsoleVisitor) -> Page {
        let question = form["question"] ?? ""
        guard let asker = doors.asker else {
            return askPage(visitor, question: question, output: Markup())
        }
        do throws(MetricError) {
            var request = AskRequest(question, rowLimit: Limits.resultRows)
            if let text = form["frame"] { request.frame = try frame(text) }
            if form["follow"] != nil, let text = form["previous"] {
                request.previous = try frame(text)
            }
            let outcome = try asker.ask(visitor.context, request)
            var last = form["previous"] ?? ""
            if case .answered(let answer) = outcome {
                last = answer.reading.frame.json.encodedText()
            }
            return askPage(
                visitor, question: question, output: markup(outcome, visitor), previous: last)
        } catch {
            return askPage(
                visitor, question: question,
                output: """
                    <p class="fault" role="alert">\(error.message)</p>
                    \(error.hint.map { "<p class=\"hint\">\($0)</p>" as Markup })
                    """)
        }
    }

    private func frame(_ text: String) throws(MetricError) -> Frame {
        guard let value = try? JSONValue(parsing: Array(text.utf8), depthLimit: 16) else {
            throw MetricError(.invalidFrame, "the frame cannot be read")
        }
        return try Frame(value.cursor)
    }

    private func askPage(
        _ visitor: ConsoleVisitor, question: String, output: Markup, previous: String = ""
    ) -> Page {
        let follow: Markup =
            previous.isEmpty
            ? Markup()
            : """
            <label><input type="checkbox" name="follow" value="1" checked> goes on from the \
            last answer</label>
            """
        return Page(
            title: "Ask",
            body: """
                <div class="head"><h1>Ask</h1></div>
                <form id="ask" class="editor" method="post" action="/ask">
                \(csrfField(visitor))
                <input type="hidden" name="previous" value="\(previous)">
                <label class="unseen" for="question">Question</label>
                <input id="question" name="question" value="\(question)" size="60" maxlength="1000" \
                autocomplete="off" autofocus required \
                placeholder="Which regions saw a fraud rate above 5 % last week?">
                <div class="controls"><button type="submit">Ask</button>\(follow)</div>
                </form>
                <div id="output" class="output" aria-live="polite">\(output)</div>
                \(words(visitor))
                """)
    }

    /// What can be asked for.
    private func words(_ visitor: ConsoleVisitor) -> Markup {
        let models = doors.asker?.models(visitor.context) ?? []
        guard !models.isEmpty else {
            return """
                <p class="empty">There is no metric to ask for. Add a file to \
                <code>metrics/</code> in the data directory.</p>
                """
        }
        let cards = models.map { model -> Markup in
            let metrics = model.metrics.map { metric -> Markup in
                "<dt>\(metric.label)</dt><dd>\(metric.description.isEmpty ? metric.synonyms.joined(separator: ", ") : metric.description)</dd>\n"
            }
            return """
                <section class="card" aria-label="\(model.title)"><h2>\(model.title)</h2>
                <p class="note">\(model.name), version \(model.version), times in \
                \(model.zone.name)</p>
                <dl>\(metrics)</dl>
                <p class="note">by \(model.dimensions.map(\.label).joined(separator: ", "))</p>
                </section>

                """
        }
        return Markup() + cards.joined()
    }

    // MARK: Outcomes

    private func markup(_ outcome: AskOutcome, _ visitor: ConsoleVisitor) -> Markup {
        switch outcome {
        case .refused(_, let refusal):
            let items = refusal.suggestions.map { "<li>\($0)</li>" as Markup }
            return """
                <p class="fault" role="alert">\(refusal.message)</p>
                <ul class="hint">\(items)</ul>
                <p class="note"><code>\(refusal.code.rawValue)</code></p>
                """
        case .ambiguous(let question, let readings):
            let forms = readings.map { reading -> Markup in
                """
                <li><form method="post" action="/ask">\(csrfField(visitor))\
                <input type="hidden" name="question" value="\(question)">\
                <input type="hidden" name="frame" value="\(reading.frame.json.encodedText())">\
                <button type="submit">\(reading.text)</button></form></li>

                """
            }
            return """
                <p class="hint" role="status">The question can be read in more than one way.</p>
                <ol>\(forms)</ol>
                """
        case .answered(let answer): return markup(answer)
        }
    }

    private func markup(_ answer: AskAnswer) -> Markup {
        var markup: Markup = "<p class=\"done\" role=\"status\">\(answer.reading.text)</p>\n"
        for correction in answer.reading.corrections {
            markup += "<p class=\"hint\">\(correction.typed) was read as \(correction.read)</p>\n"
        }
        for note in answer.reading.notes { markup += "<p class=\"hint\">\(note)</p>\n" }
        markup += chart(answer)
        let rows = answer.rows.map { row in
            zip(row, answer.columns).map { Markup(escaping: AskText.cell($0, $1)) }
        }
        let numeric = Set(answer.columns.indices.filter { !answer.columns[$0].format.isEmpty })
        markup += plainTable(
            answer.columns.map(\.label), numeric: numeric, rows, label: answer.question)
        if rows.isEmpty { markup += "<p class=\"empty\">No rows.</p>\n" }
        let tables = answer.tables.map { table -> Markup in
            """
            <li><code>\(table.name)</code>, \
            \(table.snapshotID.map { "snapshot \($0)" } ?? "no snapshot"), \
            \(table.policy.isEmpty ? "all rows" : "policy: \(table.policy)")</li>
            """
        }
        return markup + """
            <details><summary>How this was answered</summary>
            <ul>\(tables)</ul>
            <p class="note">\(answer.scannedRows) rows, \
            \(AskText.bytes(answer.scannedBytes)) scanned in \(answer.milliseconds) ms; \
            model \(answer.model.name) version \(answer.model.version) \
            (\(answer.model.digest)); as of \(answer.asOf); read by the \(answer.readBy); \
            <a href="/ui/query.html?\(segment(answer.queryID))">query</a></p>
            <pre tabindex="0">\(answer.sql)</pre>
            </details>
            """
    }

    /// The suggested chart, drawn as a dashboard's tile is; a table needs none.
    private func chart(_ answer: AskAnswer) -> Markup {
        guard answer.chart.kind != "table", !answer.rows.isEmpty else { return Markup() }
        var options = ChartOptions()
        options.x = answer.chart.x
        options.y = answer.chart.y
        options.series = answer.chart.series
        options.compare = answer.chart.compare
        if answer.chart.format == "percent" { options.format = .percent }
        if answer.chart.format == "currency" {
            options.unit = answer.columns.first { $0.name == answer.chart.y.first }?.unit ?? ""
        }
        if let threshold = answer.reading.frame.thresholds.first,
            threshold.metric == answer.chart.y.first, answer.chart.kind == "bar"
        {
            options.threshold = Double(threshold.value.text)
        }
        let tile = DashboardTile(
            id: "answer", kind: answer.chart.kind, title: answer.reading.text, sql: answer.sql,
            width: .full, options: options)
        let document = DashboardDocument(name: "ask", title: "Ask", tiles: [tile])
        let data = ChartData(
            columns: answer.columns.map { ChartColumn($0.name, $0.type) },
            rows: answer.rows.map { row in
                zip(row, answer.columns).map { Self.chartValue($0, $1.type) }
            }, isTruncated: answer.isTruncated)
        let view = DashboardView(document, FilterState())
        return TileView.chart(tile, data, view, path: "/ask")
    }

    private static func chartValue(_ value: JSONValue, _ type: String) -> ChartValue {
        switch value {
        case .null: return .null
        case .bool(let flag): return .boolean(flag)
        case .number(let number):
            if let whole = number.int64 { return .integer(whole) }
            return .number(number.double ?? .nan)
        case .string(let text):
            if type.hasPrefix("decimal") { return .decimal(text) }
            if type == "date", let day = CivilParse.date(text) { return .date(day) }
            if type.hasPrefix("timestamp"), let time = CivilParse.timestamp(text) {
                return .timestamp(time.microseconds)
            }
            return .text(text)
        case .array, .object: return .text(value.encodedText())
        }
    }
}
