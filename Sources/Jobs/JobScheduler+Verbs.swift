package import Authority
import CivilTime
import Diagnostics
package import Platform
import SQLite

extension JobScheduler {
    // MARK: Pipelines

    /// Declares a pipeline, or declares it anew. Its owner is who declares it: runs act with the owner's
    /// rights, or with those of `run-as`, which takes the right to act for that account. `files` are contents that steps name by path. `source` is what messages call the text.
    @discardableResult
    package func declare(
        _ context: RequestContext, _ text: String, source: String, files: [String: String] = [:]
    ) throws -> PipelineSummary {
        let document = try PipelineParser(handlers: handlers, files: files).parse(
            text, source: source)
        try require(context, .pipelineEdit, document.name)
        if let runAs = document.runAs, runAs != context.principal.name {
            try authorizer.require(
                context, .impersonate,
                Resource(tenant: context.tenant, kind: .identity, path: [runAs]))
        }
        let key = PipelineKey(tenant: context.tenant, name: document.name)
        let next = try nextDue(document, after: clock.now().seconds)
        try database.write { tx in
            // The owner stays with a text that did not change, as at every start with the same seeds.
            try tx.run(
                """
                INSERT INTO pipelines (tenant, name, text, source, files, description, enabled, owner_id,
                    owner_name, owner_kind, declared_us, next_due_s)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (tenant, name) DO UPDATE SET source = excluded.source,
                    description = excluded.description, enabled = excluded.enabled,
                    owner_id = excluded.owner_id, owner_name = excluded.owner_name,
                    owner_kind = excluded.owner_kind, declared_us = excluded.declared_us,
                    next_due_s = excluded.next_due_s, fault = NULL, text = excluded.text,
                    files = excluded.files
                WHERE text != excluded.text OR files != excluded.files OR fault IS NOT NULL
                """, key.tenant, key.name, text, source, encodeMap(files), document.description,
                document.isEnabled, context.principal.id, context.principal.name,
                context.principal.kind.rawValue, tx.nowMicroseconds, next)
            try tx.emit(
                tenant: key.tenant, kind: "job.pipeline.declared",
                payload: #"{"name":"\#(key.name)"}"#)
        }
        var kept = document
        kept.isEnabled = try isEnabled(key) ?? document.isEnabled
        remember(key, kept)
        return try pipeline(context, document.name).summary
    }

    /// Removes a pipeline; runs that are there go on, and the history stays until it is old.
    package func removePipeline(_ context: RequestContext, _ name: String) throws {
        try require(context, .pipelineEdit, name)
        let key = PipelineKey(tenant: context.tenant, name: name)
        try database.write { tx in
            guard
                try tx.run("DELETE FROM pipelines WHERE tenant = ? AND name = ?", key.tenant, name)
                    > 0
            else { throw try noSuchPipeline(tx, key) }
            try tx.emit(
                tenant: key.tenant, kind: "job.pipeline.removed", payload: #"{"name":"\#(name)"}"#)
        }
        remember(key, nil)
    }

    /// Lets schedule and events start runs, or not; by hand runs can always be started.
    package func setEnabled(_ context: RequestContext, _ name: String, _ isEnabled: Bool) throws {
        try require(context, .pipelineEdit, name)
        let key = PipelineKey(tenant: context.tenant, name: name)
        let next = try document(key).flatMap { try nextDue($0, after: clock.now().seconds) }
        try database.write { tx in
            let changed = try tx.run(
                "UPDATE pipelines SET enabled = ?, next_due_s = ? WHERE tenant = ? AND name = ?",
                isEnabled, next, key.tenant, name)
            guard changed > 0 else { throw try noSuchPipeline(tx, key) }
            try tx.emit(
                tenant: key.tenant, kind: "job.pipeline.changed", payload: #"{"name":"\#(name)"}"#)
        }
        if var document = document(key) {
            document.isEnabled = isEnabled
            remember(key, document)
        }
    }

    /// The pipelines that the caller may see, by name.
    package func pipelines(_ context: RequestContext) throws -> [PipelineSummary] {
        try database.read { tx in
            try tx.query(
                "SELECT name FROM pipelines WHERE tenant = ? ORDER BY name", context.tenant
            ) {
                $0.string(0)
            }
            .filter { listing.decide(context, .pipelineView, resource(context, $0)).isAllowed }
            .map { try summary(tx, PipelineKey(tenant: context.tenant, name: $0)) }
        }
    }

    /// One pipeline with its declaration.
    package func pipeline(
        _ context: RequestContext, _ name: String
    ) throws -> (summary: PipelineSummary, text: String, document: PipelineDocument?) {
        try require(context, .pipelineView, name)
        let key = PipelineKey(tenant: context.tenant, name: name)
        return try database.read { tx in
            guard
                let text = try tx.text(
                    "SELECT text FROM pipelines WHERE tenant = ? AND name = ?", key.tenant, name)
            else { throw try noSuchPipeline(tx, key) }
            return (try summary(tx, key), text, document(key))
        }
    }

    private func isEnabled(_ key: PipelineKey) throws -> Bool? {
        try database.read { tx in
            try tx.number(
                "SELECT enabled FROM pipelines WHERE tenant = ? AND name = ?", key.tenant, key.name)
        }.map { $0 != 0 }
    }

    private func summary(_ tx: ReadTransaction, _ key: PipelineKey) throws -> PipelineSummary {
        let last = try tx.runs(
            where: "r.tenant = ? AND r.pipeline = ?", [key.tenant, key.name], limit: 1
        ).first
        let document = document(key)
        return try tx.first(
            "SELECT description, enabled, owner_name, next_due_s, fault FROM pipelines WHERE tenant = ? AND name = ?",
            key.tenant, key.name
        ) { row in
            PipelineSummary(
                name: key.name, description: row.string(0), isEnabled: row.bool(1),
                schedule: document?.schedule?.text, zone: document?.schedule?.zone.name,
                stepCount: document?.steps.count ?? 0, triggers: document?.triggers ?? [],
                owner: document?.runAs ?? row.string(2),
                nextDueMicroseconds: row.bool(1) ? row.int64OrNil(3).map { $0 &* 1_000_000 } : nil,
                lastRun: last, fault: row.stringOrNil(4))
        }
            ?? {
                throw try noSuchPipeline(tx, key)
            }()
    }

    // MARK: Runs

    /// Starts a run by hand. Parameters that are not given have their defaults.
    package func trigger(
        _ context: RequestContext, _ name: String, parameters: [String: String] = [:]
    ) throws -> RunRecord {
        try require(context, .pipelineRun, name)
        let key = PipelineKey(tenant: context.tenant, name: name)
        guard let document = document(key) else {
            throw try database.read { tx in try noSuchPipeline(tx, key) }
        }
        let known = document.parameters.map(\.name)
        for parameter in parameters.keys.sorted() where !known.contains(parameter) {
            throw JobError(
                .invalidParameter, "pipeline \(name) has no parameter \(parameter)",
                hint: nearestName(to: parameter, among: known).map { "did you mean \($0)?" }
                    ?? (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"))
        }
        for parameter in document.parameters
        where parameter.defaultValue == nil && parameters[parameter.name] == nil {
            throw JobError(
                .invalidParameter, "pipeline \(name) needs a value for \(parameter.name)",
                hint: "give it as \(parameter.name)=…")
        }
        let id = entropy.uuid()
        try database.write { tx in
            _ = try transitions(tx).addRun(
                document, tenant: key.tenant, id: id,
                RunTrigger(
                    kind: .manual, key: nil, requestedBy: context.principal.name,
                    parameters: parameters,
                    values: [
                        "run.scheduled_at": CivilFormat.rfc3339(utc: tx.nowMicroseconds)
                    ]))
        }
        wake()
        return try run(context, id).run
    }

    /// The latest runs, newest first; of one pipeline, or of all that the caller may see.
    package func runs(
        _ context: RequestContext, pipeline: String? = nil, before number: Int64? = nil,
        limit: Int = 100
    ) throws -> [RunRecord] {
        let count = min(max(limit, 1), JobLimits.listedRuns)
        if let pipeline { try require(context, .pipelineView, pipeline) }
        let found = try database.read { tx in
            try tx.runs(
                where: "r.tenant = ? AND (?2 IS NULL OR r.pipeline = ?2) AND r.number < ?3",
                [context.tenant, pipeline, number ?? .max], limit: count)
        }
        if pipeline != nil { return found }
        var visible: [String: Bool] = [:]
        return found.filter { run in
            if let known = visible[run.pipeline] { return known }
            let decision = listing.decide(
                context, .pipelineView, resource(context, run.pipeline))
            visible[run.pipeline] = decision.isAllowed
            return decision.isAllowed
        }
    }

    /// One run with its steps and attempts.
    package func run(_ context: RequestContext, _ id: String) throws -> RunDetail {
        let detail = try database.read { tx -> RunDetail? in
            guard
                let run = try tx.runs(
                    where: "r.tenant = ? AND r.id = ?", [context.tenant, id], limit: 1
                )
                .first
            else { return nil }
            return RunDetail(
                run: run, steps: try tx.steps(of: id), attempts: try tx.attempts(of: id))
        }
        guard let detail else { throw noSuchRun(id) }
        try require(context, .pipelineView, detail.run.pipeline)
        return detail
    }

    /// The lines of a run's attempts in the order of time, those of running attempts too.
    package func log(
        _ context: RequestContext, _ id: String, step: String? = nil, limit: Int = 10_000
    ) throws -> [LogLine] {
        _ = try run(context, id)
        var lines = try database.read { tx in
            try tx.query(
                """
                SELECT step_id, attempt, at_us, text FROM logs
                WHERE run_id = ? AND (?2 IS NULL OR step_id = ?2) ORDER BY seq LIMIT ?3
                """, values: [id, step, limit]
            ) { row in
                LogLine(
                    step: row.string(0), attempt: row.int(1), atMicroseconds: row.int64(2),
                    text: row.string(3))
            }
        }
        for (key, running) in allRunning() where key.hasPrefix("\(id)/") {
            lines += running.log.unwritten.filter { step == nil || $0.step == step }
        }
        lines.sort { $0.atMicroseconds < $1.atMicroseconds }
        return Array(lines.prefix(limit))
    }

    /// Stops a run: what waits is cancelled, what runs is told to end.
    package func cancel(_ context: RequestContext, _ id: String) throws -> RunRecord {
        let present = try run(context, id).run
        try require(context, .pipelineRun, present.pipeline)
        guard !present.state.isFinal else {
            throw JobError(.wrongState, "the run is over: \(present.state.rawValue)")
        }
        let key = PipelineKey(tenant: context.tenant, name: present.pipeline)
        try database.write { tx in
            try transitions(tx).cancel(id, key, newID: { entropy.uuid() })
        }
        for (attempt, running) in allRunning() where attempt.hasPrefix("\(id)/") {
            running.cancellation.cancel(.killed)
        }
        wake()
        return try run(context, id).run
    }

    /// Begins what failed or was skipped in a finished run again. Steps that succeeded stay, and the
    /// ids are the same, so that effects that were committed are found. Refused where those effects went
    /// with the run's branch.
    package func retry(_ context: RequestContext, _ id: String) throws -> RunRecord {
        let present = try run(context, id).run
        try require(context, .pipelineRun, present.pipeline)
        guard present.state == .failed || present.state == .cancelled else {
            throw JobError(
                .wrongState,
                "only a failed or cancelled run is begun again: \(present.state.rawValue)")
        }
        try requireBranch(context, of: id)
        let key = PipelineKey(tenant: context.tenant, name: present.pipeline)
        try database.write { tx in
            try transitions(tx).retry(id, key, newID: { entropy.uuid() })
        }
        wake()
        return try run(context, id).run
    }

    /// Waits until a run is over, or the deadline passes; returns the run as it is then.
    package func waitForRun(
        _ context: RequestContext, _ id: String, until deadline: MonotonicInstant
    ) throws -> RunDetail {
        while true {
            let seen = changes.current
            let detail = try run(context, id)
            if detail.run.state.isFinal || context.cancellation.isCancelled { return detail }
            let left = (deadline - SystemMonotonicClock().now()).wholeNanoseconds
            guard left > 0 else { return detail }
            changes.wait(past: seen, timeoutNanoseconds: UInt64(left))
        }
    }

    // MARK: Helpers

    private func resource(_ context: RequestContext, _ name: String) -> Resource {
        Resource(tenant: context.tenant, kind: .pipeline, path: [name])
    }

    private func require(
        _ context: RequestContext, _ action: Action, _ name: String
    ) throws(AccessDenied) {
        try authorizer.require(context, action, resource(context, name))
    }

    private func noSuchPipeline(_ tx: ReadTransaction, _ key: PipelineKey) throws -> JobError {
        let names = try tx.query("SELECT name FROM pipelines WHERE tenant = ?", key.tenant) {
            $0.string(0)
        }
        return JobError(
            .noSuchPipeline, "pipeline not found: \(key.name)",
            hint: nearestName(to: key.name, among: names).map { "did you mean \($0)?" })
    }

    private func noSuchRun(_ id: String) -> JobError {
        JobError(.noSuchRun, "run not found: \(id)", hint: "old runs are removed after a while")
    }
}
