import Authority
import ConsoleAPI
import Dashboards
import HTTPMessages
import Testing

struct FeedTests {
    private func console(fedBy feed: String?, _ sql: String) throws -> Console {
        var console = try Console()
        var tile = DashboardTile(id: "one", kind: "bar", title: "One", sql: sql)
        tile.fedBy = feed
        console.library = try DashboardLibrary([
            DashboardDocument(name: "sales", title: "Sales", tiles: [tile])
        ])
        return console
    }

    @Test(arguments: ["empty", "absent"])
    func aTileWithoutRowsNamesThePipelineAndOffersToRunIt(_ sql: String) throws {
        let console = try console(fedBy: "nightly", sql)
        for path in ["/dashboards/sales", "/dashboards/sales/tiles/one"] {
            let page = text(console.send(.get, path))
            #expect(page.contains("href=\"/pipelines/nightly\""))
            #expect(page.contains("its last run"))
            #expect(page.contains("action=\"/pipelines/nightly/runs\""))
            #expect(page.contains("name=\"csrf\" value=\"right\""))
            #expect(page.contains("Run now"))
            #expect(!page.contains("class=\"fault\""))
        }
        let start = console.send(
            .post, "/pipelines/nightly/runs",
            [("Content-Type", "application/x-www-form-urlencoded")], body: "csrf=right")
        #expect(start.status == 303 && console.pipelines.started == ["nightly"])
    }

    @Test func whoMayNotRunItSeesOnlyItsName() throws {
        var console = try console(fedBy: "nightly", "empty")
        console.authorizer.denied = [.pipelineRun]
        let page = text(console.send(.get, "/dashboards/sales"))
        #expect(page.contains("href=\"/pipelines/nightly\"") && !page.contains("Run now"))
        let unknown = try self.console(fedBy: "gone \(hostile)", "empty")
        let other = text(unknown.send(.get, "/dashboards/sales"))
        #expect(other.contains("feeds this chart") && !other.contains("Run now"))
        #expect(!other.contains("<script>alert"))
    }

    @Test func tilesWithRowsAndTilesOfUnknownOriginSayNothing() throws {
        for (feed, sql) in [("nightly", "select 1"), (nil, "empty")] as [(String?, String)] {
            let page = text(try console(fedBy: feed, sql).send(.get, "/dashboards/sales"))
            #expect(!page.contains("Run now") && !page.contains("class=\"feed\""))
        }
        // Without a feed a missing table stays what it is.
        let missing = text(try console(fedBy: nil, "absent").send(.get, "/dashboards/sales"))
        #expect(missing.contains("class=\"fault\""))
    }

    @Test func aFileNamesTheFeedOfAllItsTilesOrOfOne() throws {
        let document = try DashboardDocument.parse(
            """
            title: T
            fed_by: nightly
            tiles:
              - {kind: bar, title: A, sql: select 1}
              - {kind: bar, title: B, sql: select 1, fed_by: other}
            """, path: "t.yml")
        #expect(document.tiles.map(\.fedBy) == ["nightly", "other"])
    }
}
