import Authority
import CivilTime
import Dashboards
package import HTTPMessages

/// Pages about who may see what, and where things came from and went.
package struct GovernancePages: Sendable {
    let pages: ConsolePages
    let trail: any TraceBrowser

    /// Beside the console's other pages, in their frame.
    package init(_ pages: ConsolePages, trail: any TraceBrowser) {
        self.pages = pages
        self.trail = trail
    }

    /// The routes for the console's port.
    package var routes: [Route] { [accessRoute] + traceRoutes }

    private var accessRoute: Route {
        pages.page("/access", .audit) { request, _, visitor in
            try accessPage(request.queryItems, visitor)
        }
    }

    /// "Why may X see this?": `/access?table=silver.sales.orders&user=ana`. The answer is what
    /// `SHOW EFFECTIVE ACCESS` says, so the page can tell no more than the statement.
    private func accessPage(_ query: QueryItems, _ visitor: ConsoleVisitor) throws -> Page {
        let table = query["table"] ?? ""
        let user = query["user"] ?? ""
        var answer = Markup()
        if !table.isEmpty {
            var sql = "SHOW EFFECTIVE ACCESS ON \(try TracedTable(table).quoted)"
            if !user.isEmpty { sql += " FOR USER \(quotedName(user))" }
            var request = QueryRequest(sql, rowLimit: 1000)
            request.source = "access page"
            let found = try pages.doors.runner.run(visitor.context, request)
            let rows = found.data.rows.map { row -> [Markup] in
                let cells = row.map(\.plainText)
                return [
                    badge(cells[0]), "\(cells[1])", "<code>\(cells[2])</code>", "\(cells[3])",
                    "<code>\(cells[4])</code>",
                ]
            }
            answer = """
                <p>What \(user.isEmpty ? visitor.context.principal.name : user) sees of \
                <code>\(table)</code>, and why:</p>
                \(plainTable(["What", "Name", "Column", "Through", "Detail"], rows, label: "Access"))
                <p class="note">The same in SQL: <code>\(sql)</code></p>
                """
        }
        return Page(
            title: "Access",
            body: """
                <div class="head"><h1>Why may somebody see this?</h1></div>
                <form class="controls filters" method="get" action="/access">
                <label>Table <input name="table" value="\(table)" size="36" required \
                placeholder="catalog.schema.table" autocomplete="off" spellcheck="false"></label>
                <label>Who <input name="user" value="\(user)" size="16" placeholder="you" \
                autocomplete="off" spellcheck="false"></label>
                <button type="submit">Explain</button>
                </form>
                \(answer)
                """)
    }

    private func badge(_ kind: String) -> Markup {
        let colour: Markup =
            switch kind {
            case "grant": "good"
            case "denial": "bad"
            case "mask", "row filter": "busy"
            default: "idle"
            }
        return "<span class=\"badge \(colour)\">\(kind)</span>"
    }
}

/// A name in double quotes, as SQL wants it.
func quotedName(_ name: String) -> String {
    "\""
        + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        + "\""
}

/// A text in single quotes, as SQL wants it.
func quotedText(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}

/// A table that an address names: `catalog.schema.table`; dots between the first and the last are the
/// schema's own.
struct TracedTable {
    let catalog: String
    let schema: String
    let name: String

    init(_ text: String) throws(ConsoleNotFound) {
        let parts = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }) else {
            throw ConsoleNotFound(
                "not a table's name: \(text)", hint: "write catalog.schema.table")
        }
        catalog = parts[0]
        name = parts[parts.count - 1]
        schema = parts[1..<(parts.count - 1)].joined(separator: ".")
    }

    var quoted: String { "\(quotedName(catalog)).\(quotedName(schema)).\(quotedName(name))" }
    /// A metadata table of it, such as `$snapshots`.
    func metadata(_ kind: String) -> String {
        "\(quotedName(catalog)).\(quotedName(schema)).\(quotedName("\(name)$\(kind)"))"
    }
    /// As the ledger keeps it.
    var path: [String] {
        [String(catalog.prefix { $0 != "@" })] + schema.split(separator: ".").map(String.init)
            + [name]
    }
    var text: String { "\(catalog).\(schema).\(name)" }
}

extension ChartValue {
    /// The value as one reads it, without formatting.
    var plainText: String {
        switch self {
        case .null: ""
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .decimal(let text), .text(let text): text
        case .date(let days): CivilFormat.date(days)
        case .timestamp(let microseconds): CivilFormat.timestamp(microseconds, precision: 6)
        }
    }
}
