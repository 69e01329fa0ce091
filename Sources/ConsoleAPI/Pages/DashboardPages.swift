import Authority
import Bytes
import CivilTime
import Dashboards
import HTTPMessages
import Ledger

extension ConsolePages {
    var dashboardRoutes: [Route] {
        [
            page("/dashboards", .dashboards) { _, _, visitor in dashboardsPage(visitor) },
            page("/dashboards/{name}", .dashboards) { request, path, visitor in
                try dashboardPage(view(request, path, visitor), visitor)
            },
            tileRoute("/dashboards/{name}/tiles/{tile}") { view, tile, visitor in
                .html(
                    200,
                    TileView.content(
                        tile, result(of: tile, view, visitor), view, path: address(view),
                        feed: feed(of: tile, visitor)
                    ).text)
            },
            page("/dashboards/{name}/tiles/{tile}/rows", .dashboards) { request, path, visitor in
                let view = try view(request, path, visitor)
                return try rowsPage(tile(view, path), view, visitor)
            },
            tileRoute("/dashboards/{name}/tiles/{tile}/rows/csv") { view, tile, visitor in
                guard let sql = try view.rowsStatement(of: tile) else {
                    throw ConsoleNotFound("the tile names no rows behind it")
                }
                return try csv(sql, tile, "-rows", view, visitor)
            },
            tileRoute("/dashboards/{name}/tiles/{tile}/csv") { view, tile, visitor in
                try csv(view.statement(of: tile), tile, "", view, visitor)
            },
            tileRoute("/dashboards/{name}/tiles/{tile}/svg") { view, tile, visitor in
                let answer = try answer(
                    view.statement(of: tile), DashboardLimits.tileRows, view, visitor,
                    tile: tile.id)
                guard let drawing = TileView.standalone(tile, answer.data) else {
                    throw ConsoleNotFound("the tile has nothing to draw")
                }
                return attachment(drawing, "image/svg+xml", "\(tile.id).svg")
            },
            Route(.get, "/dashboards/{name}/events") { request, path in
                visit(request, csrfToken: nil, .dashboards) { visitor in
                    let document = try dashboard(path.required("name"), visitor)
                    return events(document, request, visitor)
                }
            },
        ]
    }

    /// A route of one tile of what the visitor looks at.
    private func tileRoute(
        _ path: String,
        _ body:
            @escaping @Sendable (DashboardView, DashboardTile, ConsoleVisitor) throws -> Response
    ) -> Route {
        Route(.get, path) { request, parameters in
            visit(request, csrfToken: nil, .dashboards) { visitor in
                let view = try view(request, parameters, visitor)
                return doors.authenticator.secured(
                    try body(view, try tile(view, parameters), visitor))
            }
        }
    }

    private func view(
        _ request: Request, _ path: PathParameters, _ visitor: ConsoleVisitor
    ) throws -> DashboardView {
        let document = try dashboard(path.required("name"), visitor)
        return DashboardView(
            document, try FilterState(request.queryItems.all, document.filters))
    }

    private func tile(_ view: DashboardView, _ path: PathParameters) throws -> DashboardTile {
        guard let tile = view.document.tile(path.required("tile")) else {
            throw ConsoleNotFound("there is no such tile")
        }
        return tile
    }

    private func address(_ view: DashboardView) -> String {
        "/dashboards/\(segment(view.document.name))"
    }

    /// A dashboard that the visitor may see.
    private func dashboard(
        _ name: String, _ visitor: ConsoleVisitor
    ) throws -> DashboardDocument {
        guard let document = doors.library()[name] else {
            throw ConsoleNotFound("there is no dashboard \(name)")
        }
        try doors.authorizer.require(visitor.context, .dashboardView, resource(name, visitor))
        return document
    }

    private func resource(_ name: String, _ visitor: ConsoleVisitor) -> Resource {
        Resource(tenant: visitor.context.tenant, kind: .dashboard, path: [name])
    }

    private func dashboardsPage(_ visitor: ConsoleVisitor) -> Page {
        let library = doors.library()
        let documents = library.all.filter {
            doors.authorizer.decide(
                visitor.context, .dashboardView, resource($0.name, visitor)
            ).isAllowed
        }
        let items = documents.map { document -> Markup in
            """
            <li><a href="/dashboards/\(segment(document.name))">\(document.title)</a>\
            <p class="note">\(document.description)</p></li>

            """
        }
        let list: Markup =
            items.isEmpty
            ? "<p class=\"empty\">No dashboard yet. Add a file to <code>dashboards/</code>.</p>"
            : "<ul class=\"cards\">\n\(items)</ul>"
        let faults = library.faults.map {
            "<p class=\"fault\" role=\"alert\">\($0.message)</p>\n" as Markup
        }
        return Page(
            title: "Dashboards",
            body: "<div class=\"head\"><h1>Dashboards</h1></div>\n\(list)\n\(faults)")
    }

    private func dashboardPage(_ view: DashboardView, _ visitor: ConsoleVisitor) throws -> Page {
        let document = view.document
        // Before the tiles run: a commit in between is then seen as a change, not missed.
        let state = fingerprint(document, visitor.context)
        let results = tileResults(view, visitor)
        let tiles = zip(document.tiles, results).map {
            TileView.section($0, $1, view, path: address(view), feed: feed(of: $0, visitor))
        }
        let note: Markup =
            document.description.isEmpty ? "" : "<p class=\"note\">\(document.description)</p>"
        let past: Markup = view.state.isPast ? " data-past=\"\"" : ""
        return Page(
            title: document.title,
            body: """
                <div class="head"><h1>\(document.title)</h1>\(note)\
                <p class="live" id="live" role="status" hidden></p></div>
                \(filterForm(view, visitor))\
                <div class="tiles" data-dashboard="\(address(view))" \
                data-state="\(state)"\(past)>
                \(tiles)</div>
                """, scripts: ["dashboard.js"], trail: [(document.title, address(view))])
    }

    private func rowsPage(
        _ tile: DashboardTile, _ view: DashboardView, _ visitor: ConsoleVisitor
    ) throws -> Page {
        guard let sql = try view.rowsStatement(of: tile) else {
            throw ConsoleNotFound("the tile names no rows behind it")
        }
        let answer = try answer(sql, Limits.resultRows, view, visitor, tile: tile.id)
        let path = "\(address(view))/tiles/\(segment(tile.id))/rows"
        let chosen = describe(view)
        return Page(
            title: "\(tile.title): rows",
            body: """
                <div class="head"><h1>\(tile.title): rows</h1>\
                <p class="note">\(counted(answer.data.rows.count, "row"))\
                \(answer.data.isTruncated ? " and more" : "")\
                \(chosen.isEmpty ? "" : ", \(chosen)")</p>\
                <a class="button" href="\(path)/csv\(view.query())" download="">CSV</a></div>
                \(dataTable(answer.data, limit: Limits.resultRows, label: tile.title))
                """,
            trail: [
                (view.document.title, address(view) + view.query()),
                (tile.title, path),
            ])
    }

    // MARK: Statements

    private func tileResults(
        _ view: DashboardView, _ visitor: ConsoleVisitor
    ) -> [TileView.Result] {
        view.document.tiles.map { result(of: $0, view, visitor) }
    }

    private func result(
        of tile: DashboardTile, _ view: DashboardView, _ visitor: ConsoleVisitor
    ) -> TileView.Result {
        guard tile.kind != "markdown" else {
            return .answer(QueryAnswer(data: ChartData(columns: [], rows: [])))
        }
        do {
            return .answer(
                try answer(
                    view.statement(of: tile), DashboardLimits.tileRows, view, visitor,
                    tile: tile.id))
        } catch let fault as QueryRunFault {
            if tile.fedBy != nil, Self.absentCodes.contains(fault.code.rawValue) {
                return .absent(message: fault.message)
            }
            return .fault(message: fault.message, hint: fault.hint)
        } catch {
            return .fault(message: "\(error)", hint: nil)
        }
    }

    private func answer(
        _ sql: String, _ rowLimit: Int, _ view: DashboardView, _ visitor: ConsoleVisitor,
        tile: String? = nil
    ) throws(QueryRunFault) -> QueryAnswer {
        var request = QueryRequest(
            sql, catalog: view.document.catalog, schema: view.document.schema,
            rowLimit: rowLimit, asOf: view.state.at)
        request.reusesResults = true
        if let tag = view.state.tag {
            for (warehouse, names) in tags(view.document, visitor) where names.contains(tag) {
                request.references[warehouse] = tag
            }
            guard !request.references.isEmpty else {
                throw QueryRunFault(
                    code: QueryRunFault.Code(rawValue: "NOT_FOUND"),
                    message: "no warehouse of this dashboard has a tag \(tag)")
            }
        }
        request.source =
            AuditLedger.dashboardSource + view.document.name + (tile.map { "/" + $0 } ?? "")
        return try doors.runner.run(visitor.context, request)
    }

    private func csv(
        _ sql: String, _ tile: DashboardTile, _ suffix: String, _ view: DashboardView,
        _ visitor: ConsoleVisitor
    ) throws -> Response {
        let answer = try answer(sql, Limits.exportedRows, view, visitor, tile: tile.id)
        let stem = tile.id + suffix
        // A cut is told where people see it.
        let name = answer.data.isTruncated ? "\(stem)-first-\(Limits.exportedRows)" : stem
        return attachment(csvText(answer.data), "text/csv; charset=utf-8", name + ".csv")
    }

    private func attachment(_ text: String, _ type: String, _ name: String) -> Response {
        var response = Response(status: 200, contentType: type, bytes: Array(text.utf8))
        response.fields["Content-Disposition"] = "attachment; filename=\"\(name)\""
        response.fields["Cache-Control"] = "no-store"
        return response
    }

    // MARK: Filters

    private func filterForm(_ view: DashboardView, _ visitor: ConsoleVisitor) -> Markup {
        let document = view.document
        let moments = self.moments(document, visitor)
        let tags = Set(self.tags(document, visitor).values.joined()).sorted()
        guard !document.filters.isEmpty || !moments.isEmpty else { return Markup() }
        let fields = document.filters.map { field($0, view, visitor) }
        let reset: Markup =
            view.state.isEmpty
            ? "" : "<a class=\"button quiet\" href=\"\(address(view))\">Reset</a>"
        return """
            <form class="filters" method="get" action="\(address(view))" id="filters">
            \(fields)\(moments.isEmpty ? "" : momentField(moments, tags, view))\
            <button type="submit">Apply</button>\(reset)
            </form>

            """
    }

    private func field(
        _ filter: DashboardFilter, _ view: DashboardView, _ visitor: ConsoleVisitor
    ) -> Markup {
        let chosen = view.state.values(filter.id)
        switch filter.kind {
        case .text:
            return """
                <label>\(filter.label) <input type="search" name="\(filter.id)" \
                value="\((chosen.first ?? nil) ?? "")" maxlength="200"></label>

                """
        case .dateRange, .numberRange:
            let ends = view.state.ends(filter.id)
            let type: Markup =
                filter.kind == .dateRange
                ? "type=\"date\"" : "type=\"number\" step=\"any\""
            return """
                <fieldset><legend>\(filter.label)</legend>\
                <input \(type) name="\(filter.id).from" value="\(ends.lower)" \
                aria-label="from"> – <input \(type) name="\(filter.id).to" value="\(ends.upper)" \
                aria-label="to"></fieldset>

                """
        case .select, .multiple:
            var offered = offeredValues(filter, view, visitor)
            for value in chosen where !offered.contains(value) { offered.append(value) }
            return filter.kind == .select
                ? selectField(filter, offered, chosen) : choices(filter, offered, chosen)
        }
    }

    private func selectField(
        _ filter: DashboardFilter, _ offered: [String?], _ chosen: [String?]
    ) -> Markup {
        let options = offered.map { value -> Markup in
            // NULL has a name of its own in addresses; a select can only send one name.
            guard let value else { return Markup() }
            let mark: Markup = chosen.contains(value) ? " selected=\"\"" : ""
            return "<option\(mark)>\(value)</option>"
        }
        return """
            <label>\(filter.label) <select name="\(filter.id)"><option value="">All</option>\
            \(options)</select></label>

            """
    }

    private func choices(
        _ filter: DashboardFilter, _ offered: [String?], _ chosen: [String?]
    ) -> Markup {
        let boxes = offered.map { value -> Markup in
            let mark: Markup = chosen.contains(value) ? " checked=\"\"" : ""
            let field: Markup =
                value.map { "name=\"\(filter.id)\" value=\"\($0)\"" }
                ?? "name=\"\(filter.id).none\" value=\"1\""
            return """
                <label><input type="checkbox" \(field)\(mark)> \(value ?? "(none)")</label>

                """
        }
        let summary = chosen.isEmpty ? "all" : "\(chosen.count)"
        return """
            <details class="choices"><summary>\(filter.label): \(summary)</summary>
            <div>\(boxes)</div></details>

            """
    }

    /// What a filter offers to this visitor; nil among them stands for NULL.
    private func offeredValues(
        _ filter: DashboardFilter, _ view: DashboardView, _ visitor: ConsoleVisitor
    ) -> [String?] {
        guard let sql = filter.valuesSQL else { return filter.values }
        guard let answer = try? answer(sql, DashboardLimits.offeredValues, view, visitor) else {
            return filter.values
        }
        return answer.data.rows.indices.map { row in
            let value = answer.data.value(row, 0)
            return value.isNull ? nil : value.text
        }
    }

    /// The moments at which a watched table changed, newest first.
    private func moments(_ document: DashboardDocument, _ visitor: ConsoleVisitor) -> [Int64] {
        var all: Set<Int64> = []
        for table in document.watch {
            all.formUnion(
                doors.watch.moments(visitor.context, table: table, limit: Limits.moments))
        }
        return Array(all.sorted(by: >).prefix(Limits.moments))
    }

    /// The tags of the warehouses that the dashboard watches or takes its names from.
    private func tags(
        _ document: DashboardDocument, _ visitor: ConsoleVisitor
    ) -> [String: [String]] {
        let warehouses = Set(
            document.watch.compactMap(\.first) + [document.catalog].compactMap { $0 })
        return Dictionary(
            uniqueKeysWithValues: warehouses.map {
                ($0, doors.watch.tags(visitor.context, warehouse: $0))
            })
    }

    private func momentField(
        _ moments: [Int64], _ tags: [String], _ view: DashboardView
    ) -> Markup {
        var offered = moments
        if let at = view.state.at, !offered.contains(at) {
            offered.append(at)
            offered.sort(by: >)
        }
        let options = offered.map { moment -> Markup in
            let mark: Markup = moment == view.state.at ? " selected=\"\"" : ""
            return """
                <option value="\(CivilFormat.rfc3339(utc: moment, precision: 3))"\(mark)>\
                \(CivilFormat.timestamp(moment, precision: 3)) UTC</option>
                """
        }
        let tagged = tags.map { tag -> Markup in
            let mark: Markup = tag == view.state.tag ? " selected=\"\"" : ""
            return "<option value=\"tag:\(tag)\"\(mark)>tag \(tag)</option>"
        }
        return """
            <label>State <select name="at" data-slider=""><option value="">now</option>\(options)\
            \(tagged)</select></label>

            """
    }

    /// What is chosen, in words.
    private func describe(_ view: DashboardView) -> String {
        var parts = view.document.filters.compactMap { filter -> String? in
            let values = view.state.values(filter.id)
            guard !values.isEmpty else { return nil }
            return "\(filter.label): \(values.map { $0 ?? "(none)" }.joined(separator: ", "))"
        }
        if let at = view.state.at {
            parts.append("as of \(CivilFormat.timestamp(at, precision: 3)) UTC")
        }
        if let tag = view.state.tag { parts.append("at tag \(tag)") }
        return parts.joined(separator: "; ")
    }

    // MARK: Moving

    private func events(
        _ document: DashboardDocument, _ request: Request, _ visitor: ConsoleVisitor
    ) -> Response {
        let known = request.fields["Last-Event-ID"] ?? request.queryItems["since"]
        let context = visitor.context
        let stream = DashboardEvents(known: known, watch: doors.watch) {
            fingerprint(document, context)
        }
        var response = Response(
            status: 200, fields: Fields([("Content-Type", "text/event-stream")]),
            body: .chunked(stream))
        response.fields["Cache-Control"] = "no-store"
        return doors.authenticator.secured(response)
    }

    /// A text that changes when one of the watched tables does.
    private func fingerprint(_ document: DashboardDocument, _ context: RequestContext) -> String {
        let states = document.watch.map { doors.watch.state(context, table: $0) ?? "-" }
        return fingerprintText(of: Array(states.joined(separator: "\n").utf8))
    }
}

/// Sixteen hexadecimal digits that stand for the bytes.
func fingerprintText(of bytes: [UInt8]) -> String {
    let hash = bytes.withUnsafeBytes { xxHash64($0) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
