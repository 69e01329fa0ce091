import Authority
import Dashboards
import Diagnostics
import HTTPMessages
import JSON
import Ledger

/// The ledger's pages: one id, or one row of a table, from its source to its viewers.
///
///     /trace/{id}                                a request, query, run or snapshot
///     /trace?table=…&column=…&value=…            a row
///     /api/v1/trace/{id}, /api/v1/trace?…        the same as JSON
extension GovernancePages {
    var traceRoutes: [Route] {
        [
            pages.page("/trace", .audit) { request, _, visitor in
                try rowPage(request.queryItems, visitor)
            },
            pages.page("/trace/{id}", .audit) { _, path, visitor in
                try idPage(path.required("id"), visitor)
            },
            Route(.get, "/api/v1/trace") { request, _ in
                answer(request) { visitor in
                    let query = request.queryItems
                    return json(try trace(query, visitor))
                }
            },
            Route(.get, "/api/v1/trace/{id}") { request, path in
                answer(request) { visitor in
                    .object([
                        (
                            "entries",
                            .array(
                                try trail.trace(visitor.context, id: path.required("id"))
                                    .map(json))
                        )
                    ])
                }
            },
        ]
    }

    // MARK: One id

    private func idPage(_ id: String, _ visitor: ConsoleVisitor) throws -> Page {
        let entries = try trail.trace(visitor.context, id: id)
        let rows = entries.map { entry -> [Markup] in
            [
                dated(entry.atMicroseconds), "\(entry.principalName)", "\(entry.door)",
                "<code>\(entry.action)</code>", "<code>\(entry.resource)</code>",
                stateBadge(entry.decision), Self.links(entry),
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">Nothing in the ledger carries this id.</p>"
            : plainTable(
                ["Time", "Who", "Door", "Action", "What", "Decision", "Leads to"], rows,
                label: "Trace")
        return Page(
            title: "Trace \(id)",
            body: """
                <div class="head"><h1>Trace</h1></div>
                <p>Everything that carries <code>\(id)</code>: a request, a query, a run or a \
                snapshot.</p>
                \(list)
                """, trail: [("trace", "/trace"), (id, "/trace/\(segment(id))")])
    }

    private static func links(_ entry: LedgerEntry) -> Markup {
        var ids: [(String, String)] = [("request", entry.requestID)]
        let detail = JSONCursor(try? JSONValue(parsing: entry.detail))
        for (name, key) in [("query", "queryId"), ("run", "runId")] {
            if let id = try? detail[key].string() { ids.append((name, id)) }
        }
        if let snapshot = try? detail["snapshotId"].int64() {
            ids.append(("snapshot", String(snapshot)))
        }
        return ids.filter { !$0.1.isEmpty && $0.1 != "-" }.reduce(Markup()) { all, id in
            all + link(id.0, id.1) + " "
        }
    }

    private static func link(_ name: String, _ id: String) -> Markup {
        "<a href=\"/trace/\(segment(id))\" title=\"\(id)\">\(name)</a>"
    }

    // MARK: One row

    private func trace(_ query: QueryItems, _ visitor: ConsoleVisitor) throws -> RowTrace {
        try RowTrace(
            self, visitor.context, table: try TracedTable(query["table"] ?? ""),
            column: query["column"] ?? "", value: query["value"] ?? "",
            derivedBefore: query[Self.derivedBefore].flatMap { Int64($0) },
            readersBefore: query[Self.readersBefore].flatMap { Int64($0) })
    }

    private static let derivedBefore = "derived-before"
    private static let readersBefore = "readers-before"

    /// A link to the next page of one of the lists.
    private func older(_ trace: RowTrace, _ name: String, _ next: Int64?) -> Markup {
        guard let next else { return Markup() }
        let items = [
            ("table", trace.table.text), ("column", trace.column), ("value", trace.value),
            (name, String(next)),
        ]
        let query = items.map { "\($0)=\(segment($1))" }.joined(separator: "&")
        return "<p class=\"pager\"><a href=\"/trace?\(query)\">older</a></p>"
    }

    private func rowPage(_ query: QueryItems, _ visitor: ConsoleVisitor) throws -> Page {
        let table = query["table"] ?? ""
        let column = query["column"] ?? ""
        let value = query["value"] ?? ""
        let isAsked = !table.isEmpty && !column.isEmpty
        let body: Markup =
            isAsked
            ? markup(try trace(query, visitor)) : Markup()
        return Page(
            title: "Trace",
            body: """
                <div class="head"><h1>Trace a row</h1></div>
                <form class="controls filters" method="get" action="/trace">
                <label>Table <input name="table" value="\(table)" size="36" required \
                placeholder="catalog.schema.table" autocomplete="off" spellcheck="false"></label>
                <label>Column <input name="column" value="\(column)" size="16" required \
                placeholder="id" autocomplete="off" spellcheck="false"></label>
                <label>Value <input name="value" value="\(value)" size="20" autocomplete="off" \
                spellcheck="false"></label>
                <button type="submit">Trace</button>
                </form>
                \(body)
                """)
    }

    private func markup(_ trace: RowTrace) -> Markup {
        let versions = trace.versions.reversed().map { version -> Markup in
            let values: Markup =
                version.values.map { row in
                    plainTable(
                        trace.columns, [row.map { "\($0.plainText)" as Markup }],
                        label: "The row then")
                } ?? "<p>The row is gone.</p>"
            return """
                <li><h3>\(version.committedAt) · snapshot \
                \(Self.link(String(version.snapshotID), String(version.snapshotID)))</h3>
                \(version.commit.map(origin) ?? "<p class=\"note\">The ledger has no commit of it.</p>")
                \(Self.sources(version))
                \(values)</li>
                """
        }
        let history: Markup =
            versions.isEmpty
            ? "<p class=\"empty\">No state of the table that you may see has such a row.</p>"
            : "<ol class=\"trace\" reversed>\(versions)</ol>"
        let derived = trace.derived.items.map { commit -> [Markup] in
            [
                dated(commit.entry.atMicroseconds),
                "<code class=\"path\">\(Self.tableName(commit.entry.resource))</code>",
                "\(commit.entry.principalName)",
                commit.snapshotID.map { Self.link(String($0), String($0)) } ?? "",
                commit.runID.map { Self.link($0, $0) } ?? "",
            ]
        }
        let onward: Markup =
            derived.isEmpty
            ? "<p class=\"empty\">No other table was made from this one.</p>"
            : plainTable(
                ["Time", "Table", "By", "Snapshot", "Run"], derived, label: "Derived tables")
                + older(trace, Self.derivedBefore, trace.derived.next)
        return """
            <h2>The row</h2>
            \(history)
            \(trace.isCut ? "<p class=\"note\">Older states of the table were not looked at.</p>" : "")
            <h2>Tables made from this one</h2>
            \(onward)
            <h2>Charts that read it</h2>
            \(charts(trace))
            <h2>Who read the table</h2>
            \(viewers(trace))
            """
    }

    /// `silver.sales.orders` of the ledger's `table:silver/sales/orders`.
    private static func tableName(_ resource: String) -> String {
        TracedTable(resource: resource)?.text ?? resource
    }

    /// Who wrote a snapshot, and by what.
    private func origin(_ commit: TracedCommit) -> Markup {
        let run = commit.runID.map { id -> Markup in " in run \(Self.link(id, id))" }
        let query = commit.queryID.map { id -> Markup in " by query \(Self.link(id, id))" }
        return """
            <p>Written by \(commit.entry.principalName) through \(commit.entry.door)\(run)\(query), \
            request \(Self.link(commit.entry.requestID, commit.entry.requestID)).</p>
            """
    }

    /// What a state of the row came from: tables, and at their beginning files and databases.
    private static func sources(_ version: RowTrace.Version) -> Markup {
        let steps = version.sources.map { step -> Markup in
            let files = step.origins.enumerated().map { index, name -> Markup in
                "\(index == 0 ? "" : ", ")<code>\(name)</code>"
            }
            let origin: Markup = files.isEmpty ? "" : ", loaded from \(files)"
            return """
                <li><code>\(step.table.text)</code>\
                \(step.snapshotID.map { " at snapshot " + link(String($0), String($0)) })\(origin)</li>
                """
        }
        return steps.isEmpty ? "" : "<p>Made from:</p>\n<ul>\(steps)</ul>"
    }

    /// The charts that read the table while it held the row, or what was made from it, and for whom.
    private func charts(_ trace: RowTrace) -> Markup {
        let rows = trace.charts.charts.map { chart -> [Markup] in
            let read = chart.read
            return [
                Self.chartLink(read.source ?? ""),
                "<code class=\"path\">\(Self.tableName(read.resource))</code>",
                "\(chart.kind.words)",
                "\(read.entry.principalName)", dated(read.entry.atMicroseconds),
                read.queryID.map { Self.link($0, $0) } ?? "",
                read.snapshotID.map { Self.link(String($0), String($0)) } ?? "",
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">No dashboard has read it.</p>"
            : "<p class=\"note\">A chart's filters and its viewer's policies may have left the row "
                + "out.</p>"
                + plainTable(
                    ["Chart", "Reads", "What it read", "For", "Last", "Query", "Snapshot"], rows,
                    label: "Charts")
        let cut: Markup =
            trace.charts.isCut
            ? "<p class=\"note\">There are more charts or tables than are looked at here: the list is "
                + "not all.</p>" : ""
        return list + cut
    }

    /// `dashboard fraud-overview/by-region` as a link to the tile.
    private static func chartLink(_ source: String) -> Markup {
        let name = source.dropFirst(AuditLedger.dashboardSource.count)
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        guard let dashboard = parts.first else { return "\(source)" }
        let place = parts.count > 1 ? "#tile-" + segment(parts[1]) : ""
        return "<a href=\"/dashboards/\(segment(dashboard))\(place)\">\(String(name))</a>"
    }

    private func viewers(_ trace: RowTrace) -> Markup {
        guard let readers = trace.readers else {
            return "<p class=\"note\">You may not read the ledger.</p>"
        }
        let rows = readers.items.map { read -> [Markup] in
            [
                dated(read.entry.atMicroseconds), "\(read.entry.principalName)",
                "\(read.source ?? "unnamed")", "\(read.entry.door)",
                read.queryID.map { Self.link($0, $0) } ?? "",
                read.snapshotID.map { Self.link(String($0), String($0)) } ?? "",
            ]
        }
        return rows.isEmpty
            ? "<p class=\"empty\">Nobody yet.</p>"
            : plainTable(
                ["Time", "Who", "Application", "Door", "Query", "Snapshot"], rows,
                label: "Readers") + older(trace, Self.readersBefore, readers.next)
    }

    // MARK: JSON

    private func answer(
        _ request: Request, _ body: (ConsoleVisitor) throws -> JSONValue
    ) -> Response {
        let secured = pages.doors.authenticator.secured
        do throws(ConsoleRefusal) {
            guard
                let visitor = try pages.doors.authenticator.authenticate(request, csrfToken: nil)
            else {
                return secured(Self.fault(401, "request.no_credential", "send a bearer token", nil))
            }
            do { return secured(.json(200, try body(visitor).encoded())) } catch {
                let status = FaultPage(error).page.status
                guard let fault = error as? any Fault else {
                    return secured(Self.fault(status, "trace.failed", "\(error)", nil))
                }
                return secured(Self.fault(status, fault.codeText, fault.message, fault.hint))
            }
        } catch { return error.response }
    }

    private static func fault(
        _ status: Int, _ code: String, _ message: String, _ hint: String?
    ) -> Response {
        .json(
            status,
            JSONValue.object([
                (
                    "error",
                    .object([
                        ("code", .string(code)), ("message", .string(message)),
                        ("hint", hint.map { .string($0) } ?? .null),
                    ])
                )
            ]).encoded())
    }

    private func json(_ entry: LedgerEntry) -> JSONValue {
        .object([
            ("sequence", .int(entry.sequence)), ("atMicroseconds", .int(entry.atMicroseconds)),
            ("principal", .string(entry.principalName)), ("requestId", .string(entry.requestID)),
            ("door", .string(entry.door)), ("action", .string(entry.action)),
            ("resource", .string(entry.resource)), ("decision", .string(entry.decision)),
            ("detail", (try? JSONValue(parsing: entry.detail)) ?? .null),
        ])
    }

    private func json(_ commit: TracedCommit) -> JSONValue {
        .object([
            ("resource", .string(commit.entry.resource)),
            ("snapshotId", commit.snapshotID.map { .string(String($0)) } ?? .null),
            ("principal", .string(commit.entry.principalName)),
            ("door", .string(commit.entry.door)), ("requestId", .string(commit.entry.requestID)),
            ("queryId", commit.queryID.map { .string($0) } ?? .null),
            ("runId", commit.runID.map { .string($0) } ?? .null),
            ("reads", .array(commit.reads.map(json))),
        ])
    }

    private func json(_ read: TracedRead) -> JSONValue {
        .object([
            ("resource", .string(read.resource)),
            ("snapshotId", read.snapshotID.map { .string(String($0)) } ?? .null),
            ("queryId", read.queryID.map { .string($0) } ?? .null),
            ("principal", .string(read.entry.principalName)), ("door", .string(read.entry.door)),
            ("application", read.source.map { .string($0) } ?? .null),
        ])
    }

    private func json(_ chart: RowCharts.Chart) -> JSONValue {
        guard case .object(var object) = json(chart.read) else { return .null }
        object.append("holds", .string(chart.kind.rawValue))
        return .object(object)
    }

    private func json(_ step: RowSources.Step) -> JSONValue {
        .object([
            ("table", .string(step.table.text)),
            ("snapshotId", step.snapshotID.map { .string(String($0)) } ?? .null),
            ("origins", .array(step.origins.map { .string($0) })),
        ])
    }

    /// A place to go on from, as text: it may be larger than every reader keeps.
    private func json(_ next: Int64?) -> JSONValue { next.map { .string(String($0)) } ?? .null }

    private func json(_ trace: RowTrace) -> JSONValue {
        .object([
            ("table", .string(trace.table.text)), ("column", .string(trace.column)),
            ("value", .string(trace.value)),
            (
                "versions",
                .array(
                    trace.versions.map { version in
                        .object([
                            ("snapshotId", .string(String(version.snapshotID))),
                            ("committedAt", .string(version.committedAt)),
                            (
                                "row",
                                version.values.map { row in
                                    .object(
                                        zip(trace.columns, row).map {
                                            ($0, $1.isNull ? .null : .string($1.plainText))
                                        })
                                } ?? .null
                            ),
                            ("commit", version.commit.map(json) ?? .null),
                            ("sources", .array(version.sources.map(json))),
                        ])
                    })
            ),
            ("derived", .array(trace.derived.items.map(json))),
            ("derivedNext", json(trace.derived.next)),
            ("charts", .array(trace.charts.charts.map(json))),
            ("chartsCut", .bool(trace.charts.isCut)),
            ("readers", trace.readers.map { .array($0.items.map(json)) } ?? .null),
            ("readersNext", json(trace.readers?.next)),
        ])
    }
}
