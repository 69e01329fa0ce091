import Authority
import CivilTime
import Identity
import JSON
import Jobs
import Platform

/// `lakehouse pipeline …`.
enum PipelineCommands {
    static let all =
        [list, show, run, runs, log, cancel, retry] + [pause, resume, declare, remove]

    // MARK: Pipelines

    private static let list = Command(
        "pipeline list", "lists pipelines with their next and last run", options: [Listing.json],
        example: "lakehouse pipeline list --json",
        place: .appliance { appliance, parsed, streams in
            let found = try appliance.jobs.pipelines(commandContext())
            defer {
                tellOfUnclaimed(appliance, streams)
                CheckCommands.tellOfProblems(appliance, streams)
            }
            if parsed.has("json") {
                let values = found.map { PipelineJSON.pipeline($0) }
                streams.write(JSONValue.array(values).encodedText(.pretty) + "\n")
                return 0
            }
            let rows = found.map { summary in
                [
                    .string(summary.name), .bool(!summary.isEnabled), .string(summary.owner),
                    .array(PipelineJSON.causes(summary).map { .string($0) }),
                    Listing.time(summary.nextDueMicroseconds),
                    summary.lastRun.map { .string($0.state.rawValue) } ?? .null,
                ] as [JSONValue]
            }
            Listing.print(
                ["name", "paused", "runs as", "started by", "next run", "last run"], rows,
                asJSON: false, streams)
            return 0
        })

    /// Notes about files that no pipeline takes, on standard error: lists stay lists.
    private static func tellOfUnclaimed(_ appliance: Appliance, _ streams: any CommandStreams) {
        let waiting = UnclaimedObjects(
            jobs: appliance.jobs, objects: appliance.objects,
            quiet: appliance.identity.quietAuthorizer
        ).all(commandContext())
        for file in waiting.files {
            streams.complain("note: no pipeline takes \(file.uri): \(file.remedy)\n")
        }
        if waiting.isCut {
            streams.complain("note: these are some of such files; not all were looked at\n")
        }
    }

    private static let show = Command(
        "pipeline show", arguments: "NAME", "shows a pipeline: what starts it, its steps, its text",
        options: [Listing.json], example: "lakehouse pipeline show landing",
        place: .appliance { appliance, parsed, streams in
            let name = try parsed.required(0, "NAME")
            let (summary, text, document) = try appliance.jobs.pipeline(commandContext(), name)
            if parsed.has("json") {
                let value = PipelineJSON.pipeline(summary, document, text: text)
                streams.write(value.encodedText(.pretty) + "\n")
                return 0
            }
            streams.write(description(summary, document) + "\n" + text)
            if !text.hasSuffix("\n") { streams.write("\n") }
            return 0
        })

    private static func description(
        _ summary: PipelineSummary, _ document: PipelineDocument?
    ) -> String {
        var text = summary.name + (summary.isEnabled ? "" : " (paused)") + "\n"
        func add(_ label: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            text += "  \(label)\(String(repeating: " ", count: 12 - label.count))\(value)\n"
        }
        func time(_ microseconds: Int64?) -> String? {
            microseconds.map { CivilFormat.rfc3339(utc: $0, precision: 0) }
        }
        add("what for", summary.description)
        add("runs as", summary.owner)
        add("started by", PipelineJSON.causes(summary).joined(separator: ", "))
        add("next run", time(summary.nextDueMicroseconds))
        add(
            "last run",
            summary.lastRun.map {
                "\($0.state.rawValue) \(time($0.finishedMicroseconds) ?? "") \($0.id)"
            })
        add("fault", summary.fault)
        for parameter in document?.parameters ?? [] {
            add(
                "parameter",
                parameter.name + (parameter.defaultValue.map { " (default '\($0)')" } ?? ""))
        }
        for step in document?.steps ?? [] {
            let needs = step.needs.isEmpty ? "" : " after \(step.needs.joined(separator: ", "))"
            add("step", "\(step.id) (\(step.kind))\(needs)")
        }
        return text
    }

    private static func enabling(_ verb: String, _ summary: String, _ isEnabled: Bool) -> Command {
        Command(
            "pipeline \(verb)", arguments: "NAME", summary,
            example: "lakehouse pipeline \(verb) landing",
            place: .appliance { appliance, parsed, _ in
                try appliance.jobs.setEnabled(
                    commandContext(), try parsed.required(0, "NAME"), isEnabled)
                return 0
            })
    }
    private static let pause = enabling(
        "pause", "lets schedule and events start no more runs", false)
    private static let resume = enabling(
        "resume", "lets schedule and events start runs again", true)

    private static let remove = Command(
        "pipeline remove", arguments: "NAME", "removes a pipeline; its runs stay in the history",
        example: "lakehouse pipeline remove nightly",
        place: .appliance { appliance, parsed, _ in
            try appliance.jobs.removePipeline(commandContext(), try parsed.required(0, "NAME"))
            return 0
        })

    // MARK: Runs

    private static let run = Command(
        "pipeline run", arguments: "NAME",
        "starts a run; with --wait exits with 0 only if it succeeded",
        options: [
            CommandOption("parameter", value: "KEY=VALUE", "a parameter's value; repeatable"),
            CommandOption("wait", "waits for the end and shows the progress"),
            CommandOption(
                "timeout", value: "SECONDS", "how long to wait at the most (default: no limit)"),
            Listing.json,
        ],
        example: "lakehouse pipeline run replicate --parameter source=bank.sqlite --wait",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let name = try parsed.required(0, "NAME")
            let parameters = try parameters(parsed)
            if parsed.has("wait"), !appliance.jobs.isRunning {
                throw ApplianceError(
                    .noServer, "nobody would run it: no server has the directory open",
                    hint: "start one with `lakehouse serve`, or leave out --wait")
            }
            let run = try appliance.jobs.trigger(context, name, parameters: parameters)
            let isJSON = parsed.has("json")
            guard parsed.has("wait") else {
                if isJSON {
                    streams.write(PipelineJSON.run(run).encodedText(.pretty) + "\n")
                } else {
                    let when =
                        appliance.jobs.isRunning
                        ? "" : " (begins when a server opens the directory)"
                    streams.write("\(run.id)\(when)\n")
                }
                return 0
            }
            let seconds = try parsed.integer("timeout")
            if let seconds, seconds < 1 {
                throw ApplianceError(.usage, "--timeout wants seconds: \(seconds)")
            }
            let watch = RunWatch(appliance.jobs, context, streams)
            let detail = try watch.follow(run.id, for: seconds.map { .seconds($0) })
            if isJSON {
                streams.write(PipelineJSON.run(detail).encodedText(.pretty) + "\n")
            } else {
                streams.write(RunWatch.sentence(detail.run) + "\n")
            }
            switch detail.run.state {
            case .succeeded: return 0
            case .failed, .cancelled: return 1
            case .queued, .running:
                streams.complain("lakehouse: it goes on: lakehouse pipeline log \(run.id)\n")
                return 3
            }
        })

    private static func parameters(_ parsed: ParsedArguments) throws -> [String: String] {
        var found: [String: String] = [:]
        for pair in parsed.values("parameter") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ApplianceError(.usage, "--parameter wants KEY=VALUE: \(pair)")
            }
            found[String(parts[0])] = String(parts[1])
        }
        return found
    }

    private static let runs = Command(
        "pipeline runs", arguments: "[NAME]", "lists the latest runs, newest first",
        options: [
            CommandOption("limit", value: "N", "how many (default 20, at most 1000)"), Listing.json,
        ],
        example: "lakehouse pipeline runs landing --limit 5",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let name = parsed.positional.first
            // So that a name nobody has is a fault and not an empty list.
            if let name { _ = try appliance.jobs.pipeline(context, name) }
            let found = try appliance.jobs.runs(
                context, pipeline: name, limit: try parsed.integer("limit") ?? 20)
            if parsed.has("json") {
                let values = found.map { PipelineJSON.run($0) }
                streams.write(JSONValue.array(values).encodedText(.pretty) + "\n")
                return 0
            }
            let rows = found.map { run in
                [
                    .string(run.id), .string(run.pipeline), .string(run.state.rawValue),
                    .string(run.requestedBy), Listing.time(run.createdMicroseconds),
                    RunWatch.duration(run).map { .string($0) } ?? .null, .int(run.rows),
                    run.message.map { .string($0) } ?? .null,
                ] as [JSONValue]
            }
            Listing.print(
                ["run", "pipeline", "state", "asked by", "created", "took", "rows", "message"],
                rows, asJSON: false, streams)
            return 0
        })

    private static let log = Command(
        "pipeline log", arguments: "RUN|NAME",
        "prints the log of a run, or of a pipeline's latest run",
        options: [
            CommandOption("step", value: "ID", "only this step"),
            CommandOption("json", "prints one JSON object a line"),
        ],
        example: "lakehouse pipeline log landing --step load",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let id = try runID(appliance, try parsed.required(0, "RUN"))
            let detail = try appliance.jobs.run(context, id)
            if let step = parsed["step"], !detail.steps.contains(where: { $0.id == step }) {
                throw ApplianceError(
                    .notFound, "the run has no step \(step)",
                    hint: "it has \(detail.steps.map(\.id).joined(separator: ", "))")
            }
            let lines = try appliance.jobs.log(context, id, step: parsed["step"])
            for line in lines {
                if parsed.has("json") {
                    streams.write(PipelineJSON.line(line).encodedText() + "\n")
                } else {
                    let time = CivilFormat.rfc3339(utc: line.atMicroseconds, precision: 3)
                    streams.write("\(time) \(line.step)/\(line.attempt)  \(line.text)\n")
                }
            }
            if !parsed.has("json") { streams.write(RunWatch.sentence(detail.run) + "\n") }
            return 0
        })

    private static func change(
        _ verb: String, _ summary: String,
        _ body: @escaping @Sendable (JobScheduler, String) throws -> RunRecord
    ) -> Command {
        Command(
            "pipeline \(verb)", arguments: "RUN|NAME", summary, options: [Listing.json],
            example: "lakehouse pipeline \(verb) landing",
            place: .appliance { appliance, parsed, streams in
                let id = try runID(appliance, try parsed.required(0, "RUN"))
                let run = try body(appliance.jobs, id)
                streams.write(
                    (parsed.has("json")
                        ? PipelineJSON.run(run).encodedText(.pretty) : RunWatch.sentence(run))
                        + "\n"
                )
                return 0
            })
    }
    private static let cancel = change(
        "cancel", "stops a run: what waits is dropped, what runs is told to end"
    ) { try $0.cancel(commandContext(), $1) }
    private static let retry = change(
        "retry", "begins what failed in a run again; what succeeded stays"
    ) { try $0.retry(commandContext(), $1) }

    /// A run by its id, or the latest of the pipeline with the name.
    private static func runID(_ appliance: Appliance, _ text: String) throws -> String {
        let context = commandContext()
        do { return try appliance.jobs.run(context, text).run.id } catch let error as JobError
            where error.code == .noSuchRun
        {
            do {
                let latest = try appliance.jobs.pipeline(context, text).summary.lastRun
                guard let latest else {
                    throw ApplianceError(.notFound, "the pipeline has never run: \(text)")
                }
                return latest.id
            } catch let other as JobError where other.code == .noSuchPipeline {
                throw ApplianceError(
                    .notFound, "neither a run nor a pipeline: \(text)",
                    hint: other.hint ?? "`lakehouse pipeline runs` lists runs")
            }
        }
    }

    // MARK: Declaring

    private static let declareOptions = [
        CommandOption(
            "sql-folder", value: "DIR", "texts that steps name (default: the folder of FILE)"),
        Listing.json,
    ]

    private static let declare = Command(
        "pipeline declare", arguments: "FILE.yml", "declares a pipeline, or declares it anew",
        options: declareOptions, example: "lakehouse pipeline declare pipelines/nightly.yml",
        place: .here { parsed, streams in
            let path = try parsed.required(0, "FILE.yml")
            let configuration = try CommandLine.configuration(parsed)
            let directory = configuration.text("data")
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            let text = try PipelineFolder.text(path)
            let files = try PipelineFolder.texts(in: parsed["sql-folder"] ?? folder)
            let bundle = JSONValue.object([
                ("source", .string(path)), ("text", .string(text)),
                ("files", .object(files.sorted { $0.key < $1.key }.map { ($0, .string($1)) })),
            ])
            guard ControlClient.isServed(directory) else {
                let appliance = try Appliance.opening(configuration)
                defer { appliance.close() }
                return try take(bundle, appliance, isJSON: parsed.has("json"), streams)
            }
            let relay = GivenInput(bundle.encoded(), over: streams)
            return try ControlClient.run(
                ["pipeline", "declare"] + (parsed.has("json") ? ["--json"] : []),
                directory: directory, wantsInput: true, streams: relay)
        })

    /// The same inside of a server: file and texts come as one JSON object on standard input.
    static let declareInside = Command(
        "pipeline declare", declare.summary, options: declareOptions, example: declare.example,
        place: .appliance { appliance, parsed, streams in
            try take(
                try JSONValue(parsing: try streams.readInput()), appliance,
                isJSON: parsed.has("json"), streams)
        })

    private static func take(
        _ bundle: JSONValue, _ appliance: Appliance, isJSON: Bool, _ streams: any CommandStreams
    ) throws -> Int32 {
        let summary = try appliance.jobs.declare(
            commandContext(), try bundle.cursor["text"].string(),
            source: try bundle.cursor["source"].string(),
            files: try bundle.cursor["files"].stringMap())
        streams.write(
            isJSON
                ? PipelineJSON.pipeline(summary).encodedText(.pretty) + "\n"
                : "declared \(summary.name)\n")
        return 0
    }
}

/// Streams with an input of their own.
private final class GivenInput: CommandStreams {
    private let input: [UInt8]
    private let under: any CommandStreams

    init(_ input: [UInt8], over streams: any CommandStreams) {
        self.input = input
        under = streams
    }

    func write(_ text: String) { under.write(text) }
    func complain(_ text: String) { under.complain(text) }
    func readInput() throws -> [UInt8] { input }
}
