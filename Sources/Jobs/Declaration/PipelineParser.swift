import CivilTime
import Diagnostics
import JSON
import YAML

/// A fault of a step's options that its handler found.
package struct OptionProblem: Sendable, Hashable {
    /// Where, as `source.table`; empty: the options as a whole.
    package var path: String
    package var message: String
    package var hint: String?

    package init(path: String, message: String, hint: String? = nil) {
        self.path = path
        self.message = message
        self.hint = hint
    }
}

/// Reads a pipeline's YAML.
///
///     name: replicate                 # required
///     description: what it is for
///     run-as: etl                     # the account that runs act as; default: who declares it
///     enabled: true
///     schedule: {cron: "0 6 * * mon-fri", zone: Europe/Vienna, catch-up: true}   # or just "0 6 * * *"
///     parameters: {source: /var/bank.db, region: }                               # ${source} in options
///     triggers:
///       - {on: object_created, bucket: landing, prefix: bank/, pattern: "**/*.{csv,jsonl}"}
///       - {on: object_removed, bucket: landing, prefix: bank/}
///       - after: other-pipeline
///     concurrency: 1
///     retries: 2                      # defaults of the steps
///     backoff: 5s
///     timeout: 10m
///     steps:
///       - id: load
///         kind: ingest
///         needs: [other-step]
///         with: {…}                   # what the kind's handler wants
struct PipelineParser {
    /// The kinds there are, with their handlers; nil: what was checked when it was declared is not
    /// checked again.
    let handlers: [String: any JobHandler]?
    let files: [String: String]

    private static let keys = [
        "name", "description", "run-as", "enabled", "schedule", "parameters", "triggers",
        "concurrency", "branch",
        "retries", "backoff", "timeout", "steps",
    ]
    private static let stepKeys = ["id", "kind", "needs", "retries", "backoff", "timeout", "with"]
    /// What every run has, without declaration.
    static let runValues = ["run.id", "run.pipeline", "run.scheduled_at"]
    /// What runs have that an object's creation or removal started.
    static let eventValues = ["event.bucket", "event.key", "event.version", "event.size"]

    func parse(_ text: String, source: String) throws -> PipelineDocument {
        guard text.utf8.count <= JobLimits.documentBytes else {
            throw JobError(
                .limitExceeded, "a pipeline has at most \(JobLimits.documentBytes) bytes: \(source)"
            )
        }
        let root = try YAMLDocument.parse(text, name: source)
        try root.allow(keys: Self.keys)
        let nameNode = try root.required("name")
        let name = try identifier(nameNode, "a pipeline's name")
        var document = PipelineDocument(
            name: name, description: try root["description"]?.string() ?? "",
            runAs: try root["run-as"]?.string(),
            isEnabled: try root["enabled"]?.boolean() ?? true, schedule: nil, catchesUp: true,
            triggers: [], parameters: [], steps: [],
            concurrency: try root["concurrency"].map { try bounded($0, 1...1000) } ?? 1,
            branch: try branch(root),
            text: text, source: source, files: files)
        if let node = root["schedule"], !node.isNull { try schedule(node, &document) }
        for entry in try root["parameters"]?.mapping() ?? [] {
            document.parameters.append(
                PipelineParameter(
                    name: entry.key,
                    defaultValue: entry.value.isNull ? nil : try entry.value.string()))
        }
        for node in try root["triggers"]?.sequence() ?? [] {
            document.triggers.append(try trigger(node, of: name))
        }
        let stepsNode = try root.required("steps")
        let nodes = try stepsNode.sequence()
        guard !nodes.isEmpty, nodes.count <= JobLimits.steps else {
            throw invalid(stepsNode, "a pipeline has 1 to \(JobLimits.steps) steps")
        }
        for node in nodes { document.steps.append(try step(node, root, document)) }
        try checkPublishing(root, &document)
        try checkNeeds(nodes, document)
        return document
    }

    private func schedule(_ node: YAMLNode, _ document: inout PipelineDocument) throws {
        var cron = node
        var zone = TimeZoneKey.utc
        if case .mapping = node.kind {
            try node.allow(keys: ["cron", "zone", "catch-up"])
            cron = try node.required("cron")
            if let zoneNode = node["zone"] {
                do throws(CivilTimeError) { zone = try TimeZoneKey.named(try text(zoneNode)) } catch
                {
                    throw invalid(zoneNode, error.message, hint: error.hint)
                }
            }
            document.catchesUp = try node["catch-up"]?.boolean() ?? true
        }
        let line = try cron.string()
        do throws(JobError) { document.schedule = try CronSchedule(line, zone: zone) } catch {
            throw invalid(cron, error.message, hint: error.hint)
        }
    }

    private func text(_ node: YAMLNode) throws(CivilTimeError) -> String { node.text ?? "" }

    private func trigger(_ node: YAMLNode, of pipeline: String) throws -> PipelineTrigger {
        try node.allow(keys: ["on", "after", "bucket", "prefix", "pattern"])
        if let after = node["after"] {
            try node.allow(keys: ["after"])
            let name = try identifier(after, "a pipeline's name")
            guard name != pipeline else { throw invalid(after, "a pipeline cannot follow itself") }
            return .after(name)
        }
        let on = try node.required("on")
        let event = try on.string()
        let events = ["object_created", "object_removed"]
        guard events.contains(event) else {
            throw invalid(
                on, "unknown event: \(event)",
                hint: nearestName(to: event, among: events).map { "did you mean \($0)?" }
                    ?? "events: \(events.joined(separator: ", "))")
        }
        var pattern: GlobPattern?
        if let patternNode = node["pattern"] {
            pattern = GlobPattern(try patternNode.string())
            guard pattern != nil else {
                throw invalid(patternNode, "not a pattern: \(try patternNode.string())")
            }
        }
        let bucket = try node.required("bucket").string()
        let prefix = try node["prefix"]?.string() ?? ""
        return event == "object_created"
            ? .objectCreated(bucket: bucket, prefix: prefix, pattern: pattern)
            : .objectRemoved(bucket: bucket, prefix: prefix, pattern: pattern)
    }

    private func step(
        _ node: YAMLNode, _ root: YAMLNode, _ document: PipelineDocument
    ) throws -> StepDocument {
        try node.allow(keys: Self.stepKeys)
        let idNode = try node.required("id")
        let id = try identifier(idNode, "a step's id")
        guard !document.steps.contains(where: { $0.id == id }) else {
            throw invalid(idNode, "two steps have the id \(id)")
        }
        let kindNode = try node.required("kind")
        let kind = try kindNode.string()
        if let handlers, handlers[kind] == nil {
            throw invalid(
                kindNode, "unknown kind of step: \(kind)",
                hint: nearestName(to: kind, among: handlers.keys).map { "did you mean \($0)?" }
                    ?? "kinds: \(handlers.keys.sorted().joined(separator: ", "))")
        }
        func setting<Value>(_ key: String, _ read: (YAMLNode) throws -> Value) throws -> Value? {
            try (node[key] ?? root[key]).map(read)
        }
        let with = node["with"]
        var options = try with.map { try json($0) } ?? .object(JSONObject())
        if let with { options = try inlining(options, with) }
        try checkReferences(options, with ?? node, document)
        if let problem = handlers?[kind]?.problem(with: options) {
            let place = problem.path.split(separator: ".").reduce(with ?? node) {
                $0[String($1)] ?? $0
            }
            throw invalid(place, "step \(id): \(problem.message)", hint: problem.hint)
        }
        return StepDocument(
            id: id, kind: kind,
            needs: try node["needs"].map { try names($0) } ?? [],
            retries: try setting("retries") { try bounded($0, 0...JobLimits.retries) } ?? 0,
            backoff: try setting("backoff") { try duration($0) } ?? .seconds(5),
            timeout: try setting("timeout") { try duration($0) }, options: options)
    }

    /// Puts the content of `file` into `sql`.
    private func inlining(_ options: JSONValue, _ node: YAMLNode) throws -> JSONValue {
        guard case .object(let object) = options, case .string(let path)? = object["file"],
            let fileNode = node["file"]
        else { return options }
        guard let content = files[path] else {
            throw invalid(
                fileNode, "the file is not there: \(path)",
                hint: nearestName(to: path, among: files.keys).map { "did you mean \($0)?" })
        }
        var result = JSONObject()
        for (name, value) in object.members where name != "file" { result.append(name, value) }
        result.append("sql", .string(content))
        return .object(result)
    }

    /// Every `${name}` has to be a parameter or one of the run's own values.
    private func checkReferences(
        _ options: JSONValue, _ node: YAMLNode, _ document: PipelineDocument
    ) throws {
        var known = document.parameters.map(\.name) + Self.runValues
        let hasEvents = document.triggers.contains {
            switch $0 {
            case .objectCreated, .objectRemoved: true
            case .after: false
            }
        }
        if hasEvents { known += Self.eventValues }
        if document.branch != nil { known.append(RunBranch.nameKey) }
        for name in Substitution.references(in: options) where !known.contains(name) {
            throw invalid(
                node, "the parameter is not declared: \(name)",
                hint: nearestName(to: name, among: known).map { "did you mean \($0)?" }
                    ?? "declare it under parameters, or write $${ for a plain ${")
        }
    }

    private func checkNeeds(_ nodes: [YAMLNode], _ document: PipelineDocument) throws {
        let ids = document.steps.map(\.id)
        for (node, step) in zip(nodes, document.steps) {
            for need in step.needs where !ids.contains(need) || need == step.id {
                throw invalid(
                    node["needs"] ?? node,
                    "step \(step.id) needs a step that is not there: \(need)",
                    hint: nearestName(to: need, among: ids.filter { $0 != step.id })
                        .map { "did you mean \($0)?" })
            }
        }
        // Takes away steps whose needs are all gone until nothing moves: what is left is a ring.
        var left = document.steps
        while let index = left.firstIndex(where: { step in
            !step.needs.contains { need in left.contains { $0.id == need } }
        }) { left.remove(at: index) }
        if let first = left.first,
            let place = document.steps.firstIndex(where: { $0.id == first.id })
        {
            throw invalid(
                nodes[place],
                "steps need each other in a ring: \(left.map(\.id).joined(separator: ", "))")
        }
    }

    // MARK: Values

    private func identifier(_ node: YAMLNode, _ what: String) throws -> String {
        let text = try node.string()
        let isPlain = text.utf8.allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39)
                || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E
        }
        guard !text.isEmpty, text.utf8.count <= 128, isPlain else {
            throw invalid(node, "\(what) has letters, digits, - _ and . only: \(text)")
        }
        return text
    }

    private func names(_ node: YAMLNode) throws -> [String] {
        if node.text != nil { return [try node.string()] }
        return try node.sequence().map { try $0.string() }
    }

    private func bounded(_ node: YAMLNode, _ range: ClosedRange<Int>) throws -> Int {
        let value = try node.integer()
        guard range.contains(value) else {
            throw invalid(
                node, "a number from \(range.lowerBound) to \(range.upperBound) is wanted")
        }
        return value
    }

    /// `500ms`, `5s`, `10m`, `2h`, `1d`.
    private func duration(_ node: YAMLNode) throws -> Duration {
        let text = try node.string()
        let digits = text.prefix { $0.isNumber }
        let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let number = Int(digits), number < 1_000_000_000,
            let unit = units[String(text[digits.endIndex...])]
        else {
            throw invalid(node, "not a duration: \(text)", hint: "write 500ms, 5s, 10m, 2h or 1d")
        }
        return .milliseconds(number * unit)
    }

    private func json(_ node: YAMLNode) throws -> JSONValue {
        switch node.kind {
        case .sequence(let elements): return .array(try elements.map { try json($0) })
        case .mapping(let entries):
            return .object(try entries.map { ($0.key, try json($0.value)) })
        case .scalar(let text, let isPlain):
            if !isPlain { return .string(text) }
            if node.isNull { return .null }
            if let flag = try? node.boolean() { return .bool(flag) }
            if let whole = try? node.integer() { return .int(Int64(whole)) }
            return .string(text)
        }
    }

    func invalid(_ node: YAMLNode, _ message: String, hint: String? = nil) -> JobError {
        JobError(
            .invalidPipeline, "\(node.name):\(node.span.line):\(node.span.column): \(message)",
            hint: hint)
    }
}
