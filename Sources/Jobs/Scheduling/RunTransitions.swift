import JSON
import Platform
import SQLite

/// A pipeline by tenant and name.
struct PipelineKey: Hashable, Sendable {
    var tenant: String
    var name: String
}

/// What starts a run.
struct RunTrigger {
    var kind: TriggerKind
    /// Unique for what must not start two runs: an event's number, a due time; nil: by hand.
    var key: String?
    var requestedBy: String
    var parameters: [String: String] = [:]
    /// The run's own values: `event.key` and so on.
    var values: [String: String] = [:]
}

/// A step that a worker is to run.
struct Claim: Sendable {
    let run: String
    let step: String
    let kind: String
    let pipeline: PipelineKey
    let attempt: Int
    let options: String
    let values: [String: String]
    let timeoutMicroseconds: Int64?
    let ownerID: String
    let ownerName: String
    let ownerKind: String
}

/// How an attempt ended.
enum AttemptOutcome {
    case succeeded(StepResult)
    case failed(String, isPermanent: Bool)
    case cancelled
    case interrupted
}

/// The changes of states, each within one transaction.
struct RunTransitions {
    let tx: WriteTransaction
    let documents: [PipelineKey: PipelineDocument]

    var now: Int64 { tx.nowMicroseconds }

    /// Adds a run with its steps; nil when its trigger had made one already.
    func addRun(
        _ document: PipelineDocument, tenant: String, id: String, _ trigger: RunTrigger
    ) throws -> String? {
        let waiting = try tx.number(
            "SELECT count(*) FROM runs WHERE tenant = ? AND pipeline = ? AND state = 'queued'",
            tenant,
            document.name)
        guard waiting ?? 0 < JobLimits.waitingRuns else {
            throw JobError(
                .limitExceeded, "\(JobLimits.waitingRuns) runs of \(document.name) wait already")
        }
        var parameters: [String: String] = [:]
        for parameter in document.parameters {
            if let value = trigger.parameters[parameter.name] ?? parameter.defaultValue {
                parameters[parameter.name] = value
            }
        }
        var values = trigger.values
        values["run.id"] = id
        values["run.pipeline"] = document.name
        RunBranch.add(document.branch, runID: id, to: &values)
        let added = try tx.run(
            """
            INSERT OR IGNORE INTO runs (id, tenant, pipeline, state, trigger_kind, trigger_key, requested_by,
                parameters, run_values, created_us)
            VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)
            """, id, tenant, document.name, trigger.kind.rawValue, trigger.key, trigger.requestedBy,
            encodeMap(parameters), encodeMap(values), now)
        guard added > 0 else { return nil }
        for (position, step) in document.steps.enumerated() {
            try tx.run(
                """
                INSERT INTO steps (run_id, id, position, kind, needs, options, retries, backoff_us, timeout_us,
                    state)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')
                """, id, step.id, position, step.kind, encodeList(step.needs),
                step.options.encodedText(), step.retries, step.backoff.wholeNanoseconds / 1000,
                step.timeout.map { $0.wholeNanoseconds / 1000 })
        }
        try changed(id, document.name, tenant)
        return id
    }

    /// Starts waiting runs as far as their pipelines allow.
    func startRuns() throws {
        let waiting = try tx.query(
            "SELECT DISTINCT tenant, pipeline FROM runs WHERE state = 'queued'"
        ) { PipelineKey(tenant: $0.string(0), name: $0.string(1)) }
        for key in waiting {
            let running =
                try tx.number(
                    "SELECT count(*) FROM runs WHERE tenant = ? AND pipeline = ? AND state = 'running'",
                    key.tenant, key.name) ?? 0
            let room = Int64(documents[key]?.concurrency ?? 1) - running
            guard room > 0 else { continue }
            let ids = try tx.query(
                """
                SELECT id FROM runs WHERE tenant = ? AND pipeline = ? AND state = 'queued'
                ORDER BY number LIMIT ?
                """, key.tenant, key.name, room
            ) { $0.string(0) }
            for id in ids {
                try tx.run(
                    "UPDATE runs SET state = 'running', started_us = ? WHERE id = ?", now, id)
                try tx.run(
                    "UPDATE steps SET state = 'queued', due_us = ? WHERE run_id = ? AND needs = '[]'",
                    now,
                    id)
                try changed(id, key.name, key.tenant)
            }
        }
    }

    /// Takes up to `limit` steps that are due and leases them to this process.
    func claim(_ limit: Int, lease: String) throws -> [Claim] {
        guard limit > 0 else { return [] }
        let due = try tx.query(
            """
            SELECT s.run_id, s.id, s.kind, r.tenant, r.pipeline, s.attempts, s.options, r.parameters,
                r.run_values, s.timeout_us, p.owner_id, p.owner_name, p.owner_kind
            FROM steps s JOIN runs r ON r.id = s.run_id
            LEFT JOIN pipelines p ON p.tenant = r.tenant AND p.name = r.pipeline
            WHERE s.state = 'queued' AND s.due_us <= ? ORDER BY s.due_us, r.number, s.position LIMIT ?
            """, now, limit
        ) { row in
            let own = try decodeMap(row.string(8))
            return Claim(
                run: row.string(0), step: row.string(1), kind: row.string(2),
                pipeline: PipelineKey(tenant: row.string(3), name: row.string(4)),
                attempt: row.int(5) + 1, options: row.string(6),
                values: try decodeMap(row.string(7)).merging(own) { _, own in own },
                timeoutMicroseconds: row.int64OrNil(9), ownerID: row.string(10),
                ownerName: row.string(11), ownerKind: row.string(12))
        }
        for claim in due {
            try tx.run(
                """
                UPDATE steps SET state = 'running', attempts = ?, started_us = coalesce(started_us, ?),
                    message = NULL WHERE run_id = ? AND id = ?
                """, claim.attempt, now, claim.run, claim.step)
            try tx.run(
                """
                INSERT INTO attempts (run_id, step_id, number, state, lease, started_us)
                VALUES (?, ?, ?, 'running', ?, ?)
                """, claim.run, claim.step, claim.attempt, lease, now)
            try changed(claim.run, claim.pipeline.name, claim.pipeline.tenant)
        }
        return due
    }

    /// Ends an attempt, and with it perhaps the step and the run; `newID` gives ids for runs that follow.
    func finish(_ claim: Claim, _ outcome: AttemptOutcome, newID: () -> String) throws {
        let (state, message): (AttemptState, String?) =
            switch outcome {
            case .succeeded(let result): (.succeeded, result.message)
            case .failed(let message, _): (.failed, message)
            case .cancelled: (.cancelled, "cancelled")
            case .interrupted: (.interrupted, "the process was stopped")
            }
        let ended = try tx.run(
            """
            UPDATE attempts SET state = ?, finished_us = ?, message = ?
            WHERE run_id = ? AND step_id = ? AND number = ? AND state = 'running'
            """, state.rawValue, now, message, claim.run, claim.step, claim.attempt)
        guard ended > 0 else { return }
        let isCancelled = try tx.exists(
            "SELECT 1 FROM runs WHERE id = ? AND cancel_requested = 1", claim.run)
        switch outcome {
        case .succeeded(let result):
            try tx.run(
                """
                UPDATE steps SET state = 'succeeded', finished_us = ?, message = ?, rows = ?, details = ?
                WHERE run_id = ? AND id = ?
                """, now, result.message, result.rows,
                result.details.isEmpty ? nil : JSONValue.object(result.details).encodedText(),
                claim.run, claim.step)
        case .interrupted where !isCancelled:
            try tx.run(
                "UPDATE steps SET state = 'queued', due_us = ? WHERE run_id = ? AND id = ?", now,
                claim.run, claim.step)
        case .cancelled, .interrupted:
            try tx.run(
                """
                UPDATE steps SET state = 'cancelled', finished_us = ?, message = 'cancelled'
                WHERE run_id = ? AND id = ?
                """, now, claim.run, claim.step)
        case .failed(let message, let isPermanent):
            try fail(claim, message, isFinal: isPermanent || isCancelled)
        }
        try settle(claim.run, claim.pipeline, newID: newID)
    }

    /// Queues the step for its next try, or gives it up.
    private func fail(_ claim: Claim, _ message: String, isFinal: Bool) throws {
        let (retries, backoff, failed) =
            try tx.first(
                "SELECT retries, backoff_us, failed FROM steps WHERE run_id = ? AND id = ?",
                claim.run,
                claim.step, row: { ($0.int64(0), $0.int64(1), $0.int64(2)) }) ?? (0, 0, 0)
        if !isFinal, failed < retries {
            // Doubles with each failure, up to a day.
            let shift = Int64(1) << min(failed, 20)
            let (product, overflow) = backoff.multipliedReportingOverflow(by: shift)
            let wait = overflow ? 86_400_000_000 : min(product, 86_400_000_000)
            try tx.run(
                """
                UPDATE steps SET state = 'queued', failed = failed + 1, due_us = ?, message = ?
                WHERE run_id = ? AND id = ?
                """, now + wait, message, claim.run, claim.step)
        } else {
            try tx.run(
                """
                UPDATE steps SET state = 'failed', failed = failed + 1, finished_us = ?, message = ?
                WHERE run_id = ? AND id = ?
                """, now, message, claim.run, claim.step)
        }
    }

    /// Queues the steps whose needs are done, skips those whose needs failed, and ends the run when
    /// nothing is left.
    func settle(_ run: String, _ pipeline: PipelineKey, newID: () -> String) throws {
        var states: [String: StepState] = [:]
        var waiting: [(id: String, needs: [String])] = []
        for step in try tx.steps(of: run) {
            states[step.id] = step.state
            if step.state == .waiting { waiting.append((step.id, step.needs)) }
        }
        let isCancelled = try tx.exists(
            "SELECT 1 FROM runs WHERE id = ? AND cancel_requested = 1", run)
        var moved = true
        while moved {
            moved = false
            for (id, needs) in waiting where states[id] == .waiting {
                let present = needs.map { states[$0] ?? .failed }
                let next: StepState
                if isCancelled {
                    next = .cancelled
                } else if present.allSatisfy({ $0 == .succeeded }) {
                    next = .queued
                } else if present.contains(where: { [.failed, .skipped, .cancelled].contains($0) })
                {
                    next = .skipped
                } else {
                    continue
                }
                states[id] = next
                moved = true
                try tx.run(
                    "UPDATE steps SET state = ?, due_us = ?, finished_us = ? WHERE run_id = ? AND id = ?",
                    next.rawValue, now, next == .queued ? nil : now, run, id)
            }
        }
        let isOpen = states.values.contains { [.waiting, .queued, .running].contains($0) }
        if !isOpen { try end(run, pipeline, states, isCancelled: isCancelled, newID: newID) }
        try changed(run, pipeline.name, pipeline.tenant)
    }

    private func end(
        _ run: String, _ pipeline: PipelineKey, _ states: [String: StepState], isCancelled: Bool,
        newID: () -> String
    ) throws {
        let state: RunState =
            states.values.contains(.failed)
            ? .failed
            : isCancelled || states.values.contains(.cancelled) ? .cancelled : .succeeded
        let message = try tx.text(
            """
            SELECT id || ': ' || message FROM steps WHERE run_id = ? AND state = 'failed'
            ORDER BY finished_us, position LIMIT 1
            """, run)
        try tx.run(
            "UPDATE runs SET state = ?, finished_us = ?, message = ? WHERE id = ?", state.rawValue,
            now,
            message, run)
        // A failed run may be begun again, and then goes on with the parts that are not done.
        guard state == .succeeded else { return }
        try tx.run("DELETE FROM progress WHERE run_id = ?", run)
        let followers = documents.filter { key, document in
            key.tenant == pipeline.tenant && document.isEnabled
                && document.triggers.contains(.after(pipeline.name))
        }
        for (key, document) in followers.sorted(by: { $0.key.name < $1.key.name }) {
            _ = try addRun(
                document, tenant: key.tenant, id: newID(),
                RunTrigger(
                    kind: .after, key: "after:\(run):\(key.name)", requestedBy: pipeline.name))
        }
    }

    /// Stops a run: what has not begun is cancelled at once; what runs is told by the caller.
    func cancel(_ run: String, _ pipeline: PipelineKey, newID: () -> String) throws {
        try tx.run("UPDATE runs SET cancel_requested = 1 WHERE id = ?", run)
        try tx.run(
            """
            UPDATE steps SET state = 'cancelled', finished_us = ?, message = 'cancelled'
            WHERE run_id = ? AND state IN ('waiting', 'queued')
            """, now, run)
        try settle(run, pipeline, newID: newID)
    }

    /// Takes the attempts of former processes as lost and queues their steps again; returns how many.
    func recover(lease: String, newID: () -> String) throws -> Int {
        let lost = try tx.query(
            """
            SELECT a.run_id, a.step_id, a.number, s.lost, r.tenant, r.pipeline
            FROM attempts a JOIN steps s ON s.run_id = a.run_id AND s.id = a.step_id
            JOIN runs r ON r.id = a.run_id
            WHERE a.state = 'running' AND a.lease != ?
            """, lease
        ) { row in
            (
                run: row.string(0), step: row.string(1), number: row.int(2), lost: row.int(3),
                pipeline: PipelineKey(tenant: row.string(4), name: row.string(5))
            )
        }
        for attempt in lost {
            try tx.run(
                """
                UPDATE attempts SET state = 'lost', finished_us = ?, message = 'the process ended'
                WHERE run_id = ? AND step_id = ? AND number = ?
                """, now, attempt.run, attempt.step, attempt.number)
            if attempt.lost < JobLimits.lostAttempts {
                try tx.run(
                    """
                    UPDATE steps SET state = 'queued', lost = lost + 1, due_us = ?
                    WHERE run_id = ? AND id = ?
                    """, now, attempt.run, attempt.step)
            } else {
                try tx.run(
                    """
                    UPDATE steps SET state = 'failed', finished_us = ?,
                        message = 'the process ended in the middle of it, again and again'
                    WHERE run_id = ? AND id = ?
                    """, now, attempt.run, attempt.step)
            }
            if try tx.exists(
                "SELECT 1 FROM runs WHERE id = ? AND cancel_requested = 1", attempt.run)
            {
                try cancel(attempt.run, attempt.pipeline, newID: newID)
            } else {
                try settle(attempt.run, attempt.pipeline, newID: newID)
            }
        }
        return lost.count
    }

    /// Begins a finished run's failed, skipped and cancelled steps again.
    func retry(_ run: String, _ pipeline: PipelineKey, newID: () -> String) throws {
        try tx.run(
            """
            UPDATE steps SET state = 'waiting', failed = 0, lost = 0, finished_us = NULL, message = NULL
            WHERE run_id = ? AND state IN ('failed', 'skipped', 'cancelled')
            """, run)
        try tx.run(
            """
            UPDATE runs SET state = 'running', finished_us = NULL, message = NULL, cancel_requested = 0
            WHERE id = ?
            """, run)
        try settle(run, pipeline, newID: newID)
    }

    /// The event that a run changed; consoles look again.
    func changed(_ run: String, _ pipeline: String, _ tenant: String) throws {
        try tx.emit(
            tenant: tenant, kind: "job.run.changed",
            payload: JSONValue.object([("run", .string(run)), ("pipeline", .string(pipeline))])
                .encodedText())
    }
}
