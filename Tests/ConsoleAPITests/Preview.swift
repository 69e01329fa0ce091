import ConsoleAPI
import Dashboards
import Foundation
import HTTPMessages
import Testing

/// Writes pages to a directory, to look at them in a browser: `CONSOLE_PREVIEW=DIR`, with `web/`
/// copied to `DIR/assets`.
@Suite struct Preview {
    static let directory = ProcessInfo.processInfo.environment["CONSOLE_PREVIEW"]

    @Test("Pages are written for looking at", .enabled(if: directory != nil))
    func write() throws {
        let directory = try #require(Self.directory)
        var console = try Console()
        console.library = try Gallery.library()
        let pages = [
            ("home", "/"), ("sql", "/sql?query=q0"), ("catalog", "/catalog/silver/banking"),
            ("table", "/catalog/silver/banking/transactions"), ("pipelines", "/pipelines"),
            ("run", "/pipelines/nightly/runs/r7"), ("queries", "/queries"),
            ("query", "/ui/query.html?q0"), ("audit", "/audit"),
        ]
        for (name, path) in pages {
            let html = text(console.send(.get, path))
            try save(html, name, directory)
        }
        let result = text(
            console.send(.post, "/sql", body: "csrf=right&sql=fail%0A++custmer+from+t"))
        try save(result, "sql-fault", directory)
        try save(try Gallery.page(console), "dashboard", directory)
    }

    private func save(_ html: String, _ name: String, _ directory: String) throws {
        let local = html.replacingOccurrences(of: "\"/assets/", with: "\"assets/")
            .replacingOccurrences(
                of: "<script type=\"module\"[^>]*></script>", with: "", options: .regularExpression)
        try Data(local.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name).html"))
    }
}
