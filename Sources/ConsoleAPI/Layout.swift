import Authority
import CivilTime
import Dashboards
import HTTPMessages

/// A part of the console: what the navigation leads to.
enum Section: String, CaseIterable, Sendable {
    case home, ask, sql, catalog, storage, pipelines, dashboards, queries, audit

    var name: String {
        switch self {
        case .home: "Home"
        case .ask: "Ask"
        case .sql: "SQL"
        case .catalog: "Catalog"
        case .storage: "Storage"
        case .pipelines: "Pipelines"
        case .dashboards: "Dashboards"
        case .queries: "Queries"
        case .audit: "Audit"
        }
    }

    var path: String { self == .home ? "/" : "/\(rawValue)" }
}

/// The frame around every page.
enum Layout {
    static func page(_ page: Page, _ section: Section, _ visitor: ConsoleVisitor) -> Markup {
        let links = Section.allCases.map { item -> Markup in
            let current: Markup = item == section ? " aria-current=\"page\"" : ""
            return "<li><a href=\"\(item.path)\"\(current)>\(item.name)</a></li>\n"
        }
        let scripts = page.scripts.map {
            "<script type=\"module\" src=\"/assets/\($0)\"></script>\n" as Markup
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(page.title) · lakehouse</title>
            <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="/assets/console.css">
            <link rel="stylesheet" href="/assets/charts.css">
            \(scripts)</head>
            <body>
            <a class="skip" href="#main">Skip to the content</a>
            <header class="bar">
            <a class="brand" href="/"><svg viewBox="0 0 24 24" aria-hidden="true"><path \
            d="M3 11 12 4l9 7v2H3z"/><path d="M3 16c3-2 6 2 9 0s6 2 9 0M3 20c3-2 6 2 9 0s6 2 9 0"/>\
            </svg>lakehouse</a>
            <nav aria-label="Main"><ul>
            \(links)</ul></nav>
            <div class="who"><span>\(visitor.context.principal.name)</span>\(logout(visitor))</div>
            </header>
            <main id="main" tabindex="-1">
            \(trail(page, section))\(page.body)
            </main>
            </body>
            </html>

            """
    }

    private static func logout(_ visitor: ConsoleVisitor) -> Markup {
        guard let token = visitor.csrfToken else { return Markup() }
        return """
            <form method="post" action="/logout">\
            <input type="hidden" name="csrf" value="\(token)">\
            <button class="quiet" type="submit">Log out</button></form>
            """
    }

    private static func trail(_ page: Page, _ section: Section) -> Markup {
        guard !page.trail.isEmpty else { return Markup() }
        var items: Markup = "<li><a href=\"\(section.path)\">\(section.name)</a></li>"
        for (index, part) in page.trail.enumerated() {
            items +=
                index == page.trail.count - 1
                ? "<li aria-current=\"page\">\(part.name)</li>"
                : "<li><a href=\"\(part.path)\">\(part.name)</a></li>"
        }
        return "<nav class=\"trail\" aria-label=\"Place\"><ol>\(items)</ol></nav>\n"
    }
}

// MARK: Pieces of pages

/// The field that proves a form to be ours.
func csrfField(_ visitor: ConsoleVisitor) -> Markup {
    guard let token = visitor.csrfToken else { return Markup() }
    return "<input type=\"hidden\" name=\"csrf\" value=\"\(token)\">"
}

/// A moment: how long ago, with the date behind it.
func moment(_ microseconds: Int64, now: Int64) -> Markup {
    let exact = CivilFormat.rfc3339(utc: microseconds, precision: 3)
    return """
        <time datetime="\(exact)" title="\(absolute(microseconds))">\
        \(agoText(microseconds, now: now))</time>
        """
}

/// A moment with its date.
func dated(_ microseconds: Int64) -> Markup {
    """
    <time datetime="\(CivilFormat.rfc3339(utc: microseconds, precision: 3))">\
    \(absolute(microseconds))</time>
    """
}

private func absolute(_ microseconds: Int64) -> String {
    CivilFormat.timestamp(microseconds, precision: 0) + " UTC"
}

/// `just now`, `5 min ago`, `in 2 h`; the date when it is further than a month.
func agoText(_ microseconds: Int64, now: Int64) -> String {
    let (difference, overflow) = now.subtractingReportingOverflow(microseconds)
    let seconds = difference.magnitude / 1_000_000
    guard !overflow, seconds < 30 * 86_400 else {
        return CivilFormat.date(Microseconds.day(of: microseconds))
    }
    let text: String
    switch seconds {
    case ..<5: return "just now"
    case ..<60: text = "\(seconds) s"
    case ..<3600: text = "\(seconds / 60) min"
    case ..<86_400: text = "\(seconds / 3600) h"
    default: text = counted(seconds / 86_400, "day")
    }
    return difference >= 0 ? text + " ago" : "in " + text
}

/// A state as a coloured word; the colour says nothing that the word does not.
func stateBadge(_ state: String) -> Markup {
    let kind: Markup
    switch state.lowercased() {
    case "finished", "succeeded", "ready", "allowed", "healthy", "holds": kind = "good"
    case "failed", "denied", "unhealthy", "refused": kind = "bad"
    case "running", "planning", "finishing", "starting": kind = "busy"
    default: kind = "idle"
    }
    return "<span class=\"badge \(kind)\">\(state.lowercased())</span>"
}

/// A table with plain heads; cells are markup already.
func plainTable(
    _ heads: [String], numeric: Set<Int> = [], _ rows: [[Markup]], label: String
) -> Markup {
    func kind(_ index: Int) -> Markup { numeric.contains(index) ? " class=\"number\"" : "" }
    let head = heads.enumerated().map {
        "<th scope=\"col\"\(kind($0.offset))>\($0.element)</th>" as Markup
    }
    let body = rows.map { row -> Markup in
        let cells = row.enumerated().map {
            "<td\(kind($0.offset))>\($0.element)</td>" as Markup
        }
        return "<tr>\(cells)</tr>\n"
    }
    return """
        <div class="scroll" tabindex="0" role="region" aria-label="\(label)"><table>
        <thead><tr>\(head)</tr></thead>
        <tbody>
        \(body)</tbody></table></div>
        """
}

/// The statement without the comment that tools put in front of it to say who they are.
private func withoutHeading(_ sql: String) -> Substring {
    let start = sql.drop { $0.isWhitespace }
    guard start.hasPrefix("/*"), let end = start.utf8.dropFirst(2).firstRange(of: "*/".utf8) else {
        return sql[...]
    }
    let rest = start[end.upperBound...].drop { $0.isWhitespace }
    return rest.isEmpty ? sql[...] : rest
}

/// One line of a statement for lists.
func statementLine(_ sql: String, letters: Int = 120) -> String {
    var line = ""
    var count = 0
    var isSpace = false
    for character in withoutHeading(sql).prefix(letters * 8) {
        if character.isWhitespace {
            isSpace = !line.isEmpty
            continue
        }
        if isSpace {
            line.append(" ")
            count += 1
        }
        isSpace = false
        line.append(character)
        count += 1
        if count >= letters { return line + "…" }
    }
    return line
}

/// A segment of a path.
func segment(_ text: String) -> String { PercentCoding.encode(text) }
