import Diagnostics
import JSON
import Platform
import SQLite
import Telemetry

extension JobScheduler {
    /// Begins what the events of the sources ask for. Whether there were any, and none began a run.
    ///
    /// What nothing takes is told of when its batch is durable: outside of the transaction, and once.
    func takeEvents() throws -> Bool {
        defer { tellOfUntold() }
        var claims: [String: ObjectClaims] = [:]
        var (eventCount, runCount) = (0, 0)
        for source in sources {
            while true {
                let cursor =
                    try database.read { tx in
                        try tx.number("SELECT seq FROM cursors WHERE source = ?", source.name)
                    } ?? 0
                let events = try source.events(after: cursor, limit: JobLimits.eventBatch)
                guard let last = events.last else { break }
                eventCount += events.count
                let taken = try database.write { tx in
                    let transitions = transitions(tx)
                    var taken = Taken()
                    for event in events {
                        try take(event, of: source.name, transitions, &taken)
                    }
                    try tx.run(
                        """
                        INSERT INTO cursors (source, seq) VALUES (?, ?)
                        ON CONFLICT (source) DO UPDATE SET seq = excluded.seq
                        """, source.name, last.seq)
                    return taken
                }
                runCount += taken.runCount
                for object in taken.left {
                    tellOfUnclaimed(object, &claims)
                }
                try source.acknowledge(last.seq)
                if events.count < JobLimits.eventBatch { break }
            }
        }
        return eventCount > 0 && runCount == 0
    }

    /// What became of a batch of events.
    private struct Taken {
        var runCount = 0
        /// What came into a bucket that pipelines watch and began no run.
        var left: [LeftObject] = []
    }

    private func take(
        _ event: OutboxEvent, of source: String, _ transitions: RunTransitions,
        _ taken: inout Taken
    ) throws {
        guard ["object.created", "object.removed"].contains(event.kind),
            let value = try? JSONValue(parsing: event.payload),
            let bucket = try? value.cursor["bucket"].string(),
            let key = try? value.cursor["key"].string()
        else { return }
        var runCount = 0
        // Most objects are files of tables, in buckets that nothing watches.
        var isWatched = false
        for (pipeline, document) in transitions.documents where pipeline.tenant == event.tenant {
            isWatched =
                isWatched
                || document.triggers.contains { trigger in
                    if case .objectCreated(bucket, _, _) = trigger { true } else { false }
                }
            guard document.isEnabled else { continue }
            let isWanted = document.triggers.contains { trigger in
                switch (event.kind, trigger) {
                case ("object.created", .objectCreated(bucket, let prefix, let pattern)),
                    ("object.removed", .objectRemoved(bucket, let prefix, let pattern)):
                    key.utf8.starts(with: prefix.utf8) && pattern?.matches(key) ?? true
                default: false
                }
            }
            guard isWanted else { continue }
            runCount += 1
            do {
                _ = try transitions.addRun(
                    document, tenant: pipeline.tenant, id: entropy.uuid(),
                    RunTrigger(
                        kind: .event, key: "\(source):\(event.seq):\(document.name)",
                        requestedBy: "s3://\(bucket)/\(key)",
                        values: [
                            "event.bucket": bucket, "event.key": key,
                            "event.version": (try? value.cursor["version"].string()) ?? "",
                            "event.size": (try? value.cursor["sizeBytes"].int64()).map { "\($0)" }
                                ?? "",
                        ]))
            } catch let error as JobError where error.code == .limitExceeded {
                // Runs that cannot be queued must not hold the other events up.
                log.error(
                    "jobs.run_refused", "An event started no run.",
                    ["pipeline": .string(document.name), "cause": LogValue(error)])
            }
        }
        taken.runCount += runCount
        if isWatched, runCount == 0, event.kind == "object.created" {
            taken.left.append(LeftObject(tenant: event.tenant, bucket: bucket, key: key))
        }
    }
}
