import Authority
import Dashboards

extension ConsolePages {
    /// Codes of statements whose table nobody has made yet.
    static let absentCodes = ["TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"]

    /// Where a tile's rows come from, for one that has none: the pipeline, its last run, and a button for
    /// those who may start it.
    func feed(of tile: DashboardTile, _ visitor: ConsoleVisitor) -> Markup {
        guard let name = tile.fedBy else { return Markup() }
        guard let pipeline = try? doors.pipelines.pipeline(visitor.context, name: name) else {
            return
                "<div class=\"feed\"><p class=\"note\">Pipeline \(name) feeds this chart.</p></div>"
        }
        let last: Markup
        if let run = pipeline.lastRun {
            last = """
                its last run: <a href="\(runPath(name, run.id))">\(stateBadge(run.state))</a> \
                \(moment(run.createdMicroseconds, now: now))
                """
        } else {
            last = "it has not run yet"
        }
        let mayRun = doors.authorizer.decide(
            visitor.context, .pipelineRun,
            Resource(tenant: visitor.context.tenant, kind: .pipeline, path: [name])
        ).isAllowed
        let button: Markup =
            mayRun
            ? """
            <form method="post" action="/pipelines/\(segment(name))/runs">\(csrfField(visitor))\
            <button type="submit">Run now</button></form>
            """ : ""
        return """
            <div class="feed"><p class="note">Pipeline \
            <a href="/pipelines/\(segment(name))">\(pipeline.title)</a> feeds this chart; \(last).</p>\
            \(button)</div>
            """
    }
}
