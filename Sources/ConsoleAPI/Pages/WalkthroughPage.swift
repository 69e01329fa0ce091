import Authority
import Dashboards
package import HTTPMessages
import JSON

/// The walkthrough that this data directory was made by: its steps as they were said, with commands, results
/// and claims, and the receipt above them.
///
///     /walkthrough
///
/// What is said holds clear values that masks hide from others, so the page is the administrators' alone.
package struct WalkthroughPages: Sendable {
    private let pages: ConsolePages
    /// The words as the walkthrough writes them down; nil where there was none.
    private let transcript: @Sendable () -> [UInt8]?

    /// Beside the console's other pages, in their frame.
    package init(_ pages: ConsolePages, transcript: @escaping @Sendable () -> [UInt8]?) {
        self.pages = pages
        self.transcript = transcript
    }

    /// The routes for the console's port.
    package var routes: [Route] {
        [
            pages.page("/walkthrough", .home) { _, _, visitor in
                try pages.doors.authorizer.require(
                    visitor.context, .systemAdminister,
                    Resource(tenant: visitor.context.tenant, kind: .system, path: []))
                guard let bytes = transcript(),
                    let document = try? JSONValue(parsing: bytes).cursor
                else {
                    throw ConsoleNotFound(
                        "no walkthrough was made in this data directory",
                        hint: "lakehouse demo banking-fraud --keep")
                }
                return try page(document)
            }
        ]
    }

    private func page(_ document: JSONCursor) throws -> Page {
        let title = try document["demo"].string()
        let isRunning = try document["running"].bool()
        let steps = try document["steps"].elements().map { try section($0) }
        let jumps = try document["steps"].elements().map { step -> Markup in
            let number = try step["step"].int64()
            return
                "<a href=\"#step-\(number)\" title=\"\(try step["title"].string())\">\(number)</a>"
        }
        return Page(
            title: "Walkthrough \(title)",
            body: """
                <div class="head"><h1>Walkthrough \(title)</h1>\
                \(stateBadge(isRunning ? "running" : try document["complete"].bool() ? "succeeded" : "failed"))\
                </div>
                \(try receipt(document, isRunning: isRunning))
                <nav class="jump" aria-label="Steps">\(jumps)</nav>
                \(steps)
                """, trail: [("walkthrough", "")], refreshSeconds: isRunning ? 2 : nil)
    }

    /// What the last line says, and every claim with its evidence and time.
    private func receipt(_ document: JSONCursor, isRunning: Bool) throws -> Markup {
        let held = try document["claimsHeld"].int64()
        let claims = try document["claims"].int64()
        let facts: [(String, String)] = [
            ("claims hold", "\(countText(held))/\(countText(claims))"),
            ("took", durationText(milliseconds: try document["milliseconds"].int64())),
            ("peak memory", byteText(try document["peakMemoryBytes"].int64())),
            (
                "written",
                try document["bytesWritten"].optionalInt64().map { byteText($0) } ?? "unknown"
            ),
            ("rows", countText(try document["rows"].int64())),
            ("seed", "\(try document["seed"].int64())"),
            ("as of", try document["asOf"].string()),
        ]
        let cells = facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as Markup }
        let rows = try document["outcomes"].elements().map { outcome -> [Markup] in
            let number = try outcome["step"].int64()
            return [
                "<a href=\"#step-\(number)\">\(number)</a>",
                stateBadge(try outcome["holds"].bool() ? "holds" : "failed"),
                "<code>\(try outcome["id"].string())</code>",
                "\(try outcome["claim"].string())", "\(try outcome["evidence"].string())",
                "\(durationText(milliseconds: try outcome["milliseconds"].int64()))",
            ]
        }
        let failure = try document["failure"].optionalString()
            .map { "<p class=\"fault\">\($0)</p>\n" as Markup }
        return """
            <dl class="facts">\(cells)</dl>
            \(failure ?? Markup())<details class="card"\(isRunning ? Markup() : " open")>\
            <summary>Receipt</summary>
            \(plainTable(
                ["Step", "", "Claim", "What it says", "Evidence", "Time"], numeric: [5], rows,
                label: "Receipt"))
            </details>
            """
    }

    private func section(_ step: JSONCursor) throws -> Markup {
        let number = try step["step"].int64()
        var lines = Markup()
        for line in try step["lines"].elements() {
            let text = try line["text"].string()
            switch try line["kind"].string() {
            case "command": lines += "<pre class=\"code\" tabindex=\"0\">\(text)</pre>\n"
            case "claim":
                lines += """
                    <p>\(stateBadge(try line["holds"].bool() ? "holds" : "failed")) \(text) \
                    <code class="type">\(try line["id"].string())</code></p>

                    """
            default: lines += "<pre class=\"log\" tabindex=\"0\">\(text)</pre>\n"
            }
        }
        let time = try step["milliseconds"].optionalInt64()
            .map { "<p class=\"note\">\(durationText(milliseconds: $0))</p>" as Markup }
        return """
            <section class="card" id="step-\(number)"><h2>\(number) \(try step["title"].string())</h2>
            <p>\(try step["why"].string())</p>
            \(lines)\(time ?? Markup())</section>

            """
    }
}
