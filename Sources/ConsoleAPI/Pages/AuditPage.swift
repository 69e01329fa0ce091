import Authority
import Dashboards
import HTTPMessages

extension ConsolePages {
    var auditRoutes: [Route] {
        [page("/audit", .audit) { request, _, visitor in try auditPage(request, visitor) }]
    }

    /// The ledger with filters that are part of the address, so that a view can be sent to
    /// somebody.
    private func auditPage(_ request: Request, _ visitor: ConsoleVisitor) throws -> Page {
        let query = request.queryItems
        var question = AuditQuestion()
        question.principal = query["principal"] ?? ""
        question.door = query["door"] ?? ""
        question.action = query["action"] ?? ""
        question.resource = query["resource"] ?? ""
        question.decision = query["decision"] ?? ""
        question.before = query["before"].flatMap { Int64($0) }
        question.limit = Limits.auditRows
        let (entries, next) = try doors.audit.entries(visitor.context, question)
        let rows = entries.map { entry -> [Markup] in
            [
                dated(entry.atMicroseconds), "\(entry.principal)", "\(entry.door)",
                "<code>\(entry.action)</code>", "<code>\(entry.resource)</code>",
                stateBadge(entry.decision), details(entry),
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">No entry fits.</p>"
            : plainTable(
                ["Time", "Who", "Door", "Action", "What", "Decision", ""], rows, label: "Audit")
        return Page(
            title: "Audit",
            body: """
                <div class="head"><h1>Audit</h1></div>
                \(filters(question))
                \(list)
                \(next.map { older(question, $0) })
                <p class="note">Changes and refusals are on disk when they are answered. Allowed \
                reads are written some moments later: a crash may lose those of the last second.</p>
                """)
    }

    private func details(_ entry: AuditEntry) -> Markup {
        """
        <details><summary>more</summary><p class="note">request <code>\(entry.requestID)</code></p>\
        <pre class="code">\(entry.detail)</pre></details>
        """
    }

    private func filters(_ question: AuditQuestion) -> Markup {
        func choice(_ name: Markup, _ label: Markup, _ value: String, _ all: [String]) -> Markup {
            let options = all.map { item -> Markup in
                let chosen: Markup = item == value ? " selected" : ""
                return "<option\(chosen)>\(item)</option>"
            }
            return """
                <label>\(label) <select name="\(name)"><option value="">all</option>\(options)\
                </select></label>

                """
        }
        func field(_ name: Markup, _ label: Markup, _ value: String, _ help: Markup) -> Markup {
            """
            <label>\(label) <input name="\(name)" value="\(value)" placeholder="\(help)" size="16" \
            autocomplete="off" spellcheck="false"></label>

            """
        }
        return """
            <form class="controls filters" method="get" action="/audit">
            \(field("principal", "Who", question.principal, "name"))\
            \(choice("door", "Door", question.door, Door.allCases.map(\.rawValue)))\
            \(field("action", "Action", question.action, "table."))\
            \(field("resource", "What", question.resource, "table:silver/"))\
            \(choice("decision", "Decision", question.decision, ["allowed", "denied"]))\
            <button type="submit">Filter</button>
            </form>
            """
    }

    private func older(_ question: AuditQuestion, _ next: Int64) -> Markup {
        var items = QueryItems()
        let parts = [
            ("principal", question.principal), ("door", question.door),
            ("action", question.action), ("resource", question.resource),
            ("decision", question.decision), ("before", String(next)),
        ]
        for (name, value) in parts where !value.isEmpty { items.append(name, value) }
        return "<p><a class=\"button\" rel=\"next\" href=\"/audit?\(items.encoded)\">Older</a></p>"
    }
}
