import Dashboards
import HTTPMessages

extension ConsolePages {
    var pipelineRoutes: [Route] {
        [
            page("/pipelines", .pipelines) { _, _, visitor in try pipelinesPage(visitor) },
            page("/pipelines/{name}", .pipelines) { _, path, visitor in
                try pipelinePage(path.required("name"), visitor)
            },
            page("/pipelines/{name}/runs/{run}", .pipelines) { _, path, visitor in
                try runPage(path.required("name"), path.required("run"), visitor)
            },
            form("/pipelines/{name}/runs", .pipelines) { _, path, visitor in
                let name = path.required("name")
                let id = try doors.pipelines.start(visitor.context, pipeline: name)
                return .redirect(to: runPath(name, id))
            },
        ]
    }

    private func pipelinesPage(_ visitor: ConsoleVisitor) throws -> Page {
        let pipelines = try doors.pipelines.pipelines(visitor.context)
        let rows = pipelines.map { pipeline -> [Markup] in
            let last = pipeline.lastRun.map { run -> Markup in
                """
                <a href="\(runPath(pipeline.name, run.id))">\(stateBadge(run.state))</a> \
                \(moment(run.createdMicroseconds, now: now))
                """
            }
            let next = pipeline.nextRunMicroseconds.map { moment($0, now: now) }
            return [
                "<a href=\"/pipelines/\(segment(pipeline.name))\">\(pipeline.title)</a>",
                "\(statementLine(pipeline.triggers.joined(separator: "; "), letters: 60))",
                last ?? "never",
                pipeline.isPaused ? "paused" : next ?? "",
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">There is no pipeline. Add a file to <code>pipelines/</code>.</p>"
            : plainTable(
                ["Pipeline", "Starts", "Last run", "Next run"], rows, label: "Pipelines")
        let runs = try doors.pipelines.runs(
            visitor.context, pipeline: nil, limit: Limits.historyRows)
        let recent: Markup =
            runs.isEmpty
            ? ""
            : """
            <section class="card" aria-labelledby="runs"><h2 id="runs">Runs</h2>
            \(runTable(runs, hasPipeline: true))
            </section>
            """
        let waiting = waitingFiles(doors.pipelines.waitingFiles(visitor.context))
        return Page(
            title: "Pipelines",
            body:
                "<div class=\"head\"><h1>Pipelines</h1></div>\n\(waiting)\(list)\n\(recent)",
            refreshSeconds: refresh(runs))
    }

    /// What was put where no pipeline looks, and what to do with it.
    private func waitingFiles(_ waiting: WaitingFiles) -> Markup {
        guard !waiting.files.isEmpty || waiting.isCut else { return Markup() }
        let cut: Markup =
            waiting.isCut
            ? "<p class=\"note\">These are some of them: not all files were looked at.</p>" : ""
        let rows = waiting.files.map { file -> [Markup] in
            let page =
                "/storage/\(segment(file.bucket))/object?key=\(segment(file.key))"
            return [
                "<a href=\"\(page)\"><code>s3://\(file.bucket)/\(file.key)</code></a>",
                "<code>\(file.expected)</code>", "\(file.remedy)",
            ]
        }
        return """
            <section class="card" aria-labelledby="waiting"><h2 id="waiting">Files that no pipeline \
            takes</h2>
            \(plainTable(["File", "Expected", "What to do"], rows, label: "Files that no pipeline takes"))
            \(cut)</section>

            """
    }

    private func pipelinePage(_ name: String, _ visitor: ConsoleVisitor) throws -> Page {
        guard let pipeline = try doors.pipelines.pipeline(visitor.context, name: name) else {
            throw ConsoleNotFound("there is no pipeline \(name)")
        }
        let runs = try doors.pipelines.runs(
            visitor.context, pipeline: name, limit: Limits.listedRuns)
        let steps = pipeline.steps.map { step -> [Markup] in
            [
                "<code>\(step.name)</code>", "\(step.kind)",
                "\(step.needs.joined(separator: ", "))",
            ]
        }
        var body: Markup = """
            <div class="head"><h1>\(pipeline.title)</h1>\
            <p class="note">\(pipeline.triggers.joined(separator: "; "))</p>
            <form method="post" action="/pipelines/\(segment(name))/runs">\(csrfField(visitor))\
            <button type="submit">Run now</button></form></div>

            """
        if !pipeline.description.isEmpty { body += "<p>\(pipeline.description)</p>\n" }
        if pipeline.isPaused { body += "<p class=\"hint\">This pipeline is paused.</p>\n" }
        body += """
            <section class="card" aria-labelledby="steps"><h2 id="steps">Steps</h2>
            \(plainTable(["Step", "Kind", "After"], steps, label: "Steps"))
            </section>
            <section class="card" aria-labelledby="runs"><h2 id="runs">Runs</h2>
            \(runs.isEmpty ? "<p class=\"empty\">It has not run yet.</p>"
                : runTable(runs, hasPipeline: false))
            </section>
            """
        return Page(
            title: pipeline.title, body: body,
            trail: [(pipeline.title, "/pipelines/\(segment(name))")],
            refreshSeconds: refresh(runs))
    }

    private func runPage(
        _ pipeline: String, _ id: String, _ visitor: ConsoleVisitor
    ) throws -> Page {
        guard let (run, attempts) = try doors.pipelines.run(visitor.context, id: id),
            run.pipeline == pipeline
        else { throw ConsoleNotFound("there is no run \(id) of \(pipeline)") }
        var body: Markup = """
            <div class="head"><h1>Run of \(pipeline)</h1>\(stateBadge(run.state))\
            <p class="note">started by \(run.cause), \(moment(run.createdMicroseconds, now: now))\
            \(lasted(run.createdMicroseconds, run.endedMicroseconds))</p></div>

            """
        for attempt in attempts { body += card(attempt) }
        if attempts.isEmpty { body += "<p class=\"empty\">No step has begun yet.</p>" }
        return Page(
            title: "Run of \(pipeline)", body: body,
            trail: [
                (pipeline, "/pipelines/\(segment(pipeline))"), (id, runPath(pipeline, id)),
            ], refreshSeconds: refresh([run]))
    }

    private func card(_ attempt: PipelineAttempt) -> Markup {
        let again: Markup = attempt.number > 1 ? ", attempt \(attempt.number)" : ""
        var body: Markup = """
            <section class="card attempt"><h2>\(attempt.step)\(again)</h2>\
            <p class="note">\(stateBadge(attempt.state))

            """
        if let started = attempt.startedMicroseconds {
            body +=
                " " + dated(started) + lasted(started, attempt.endedMicroseconds)
        }
        body += "</p>\n"
        if let error = attempt.error { body += "<p class=\"fault\">\(error)</p>\n" }
        if !attempt.log.isEmpty {
            body += "<pre class=\"log\" tabindex=\"0\">\(attempt.log)</pre>\n"
        }
        return body + "</section>\n"
    }

    /// `, 1.2 s`.
    private func lasted(_ start: Int64, _ end: Int64?) -> Markup {
        guard let end else { return Markup() }
        let (difference, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow else { return Markup() }
        return ", \(durationText(milliseconds: difference / 1000))"
    }

    /// Pages with something that runs look again.
    private func refresh(_ runs: [PipelineRun]) -> Int? {
        runs.contains { $0.endedMicroseconds == nil && $0.state != "waiting" } ? 3 : nil
    }

    func runTable(_ runs: [PipelineRun], hasPipeline: Bool) -> Markup {
        let rows = runs.map { run -> [Markup] in
            let first: Markup =
                hasPipeline
                ? "<a href=\"\(runPath(run.pipeline, run.id))\">\(run.pipeline)</a>"
                : "<a href=\"\(runPath(run.pipeline, run.id))\"><code>\(run.id)</code></a>"
            let duration = run.endedMicroseconds.map {
                durationText(
                    milliseconds: $0.subtractingReportingOverflow(run.createdMicroseconds)
                        .partialValue / 1000)
            }
            return [
                first, stateBadge(run.state), "\(run.cause)",
                moment(run.createdMicroseconds, now: now), "\(duration ?? "")",
            ]
        }
        return plainTable(
            [hasPipeline ? "Pipeline" : "Run", "State", "Cause", "Started", "Took"],
            numeric: [4], rows, label: "Runs")
    }
}

func runPath(_ pipeline: String, _ run: String) -> String {
    "/pipelines/\(segment(pipeline))/runs/\(segment(run))"
}
