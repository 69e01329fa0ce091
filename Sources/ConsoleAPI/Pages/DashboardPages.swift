import Authority
import Bytes
import Dashboards
import HTTPMessages

extension ConsolePages {
    var dashboardRoutes: [Route] {
        [
            page("/dashboards", .dashboards) { _, _, visitor in dashboardsPage(visitor) },
            page("/dashboards/{name}", .dashboards) { _, path, visitor in
                dashboardPage(try dashboard(path.required("name"), visitor), visitor)
            },
            Route(.get, "/dashboards/{name}/tiles/{tile}") { request, path in
                visit(request, csrfToken: nil, .dashboards) { visitor in
                    let document = try dashboard(path.required("name"), visitor)
                    guard let tile = document.tile(path.required("tile")) else {
                        throw ConsoleNotFound("there is no such tile")
                    }
                    let content = TileView.content(tile, result(of: tile, document, visitor))
                    return doors.authenticator.secured(.html(200, content.text))
                }
            },
            Route(.get, "/dashboards/{name}/events") { request, path in
                visit(request, csrfToken: nil, .dashboards) { visitor in
                    let document = try dashboard(path.required("name"), visitor)
                    return events(document, request, visitor)
                }
            },
        ]
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
        let documents = doors.library().all.filter {
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
        return Page(
            title: "Dashboards", body: "<div class=\"head\"><h1>Dashboards</h1></div>\n\(list)")
    }

    private func dashboardPage(_ document: DashboardDocument, _ visitor: ConsoleVisitor) -> Page {
        // Before the tiles run: a commit in between is then seen as a change, not missed.
        let state = fingerprint(document, visitor.context)
        let tiles = document.tiles.map {
            TileView.section($0, result(of: $0, document, visitor))
        }
        let note: Markup =
            document.description.isEmpty ? "" : "<p class=\"note\">\(document.description)</p>"
        return Page(
            title: document.title,
            body: """
                <div class="head"><h1>\(document.title)</h1>\(note)\
                <p class="live" id="live" role="status" hidden></p></div>
                <div class="tiles" data-dashboard="/dashboards/\(segment(document.name))" \
                data-state="\(state)">
                \(tiles)</div>
                """, scripts: ["dashboard.js"],
            trail: [(document.title, "/dashboards/\(segment(document.name))")])
    }

    private func result(
        of tile: DashboardTile, _ document: DashboardDocument, _ visitor: ConsoleVisitor
    ) -> TileView.Result {
        do throws(QueryRunFault) {
            return .answer(
                try doors.runner.run(
                    visitor.context,
                    QueryRequest(
                        tile.sql, catalog: document.catalog, schema: document.schema,
                        rowLimit: DashboardLimits.tileRows)))
        } catch {
            return .fault(message: error.message, hint: error.hint)
        }
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
