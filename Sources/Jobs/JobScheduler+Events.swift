import Diagnostics
import JSON
import Platform
import SQLite
import Telemetry

extension JobScheduler {
    /// Begins what the events of the sources ask for. Whether there were any, and none began a run.
    func takeEvents() throws -> Bool {
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
                try database.write { tx in
                    for event in events {
                        runCount += try take(event, of: source.name, transitions(tx))
                    }
                    try tx.run(
                        """
                        INSERT INTO cursors (source, seq) VALUES (?, ?)
                        ON CONFLICT (source) DO UPDATE SET seq = excluded.seq
                        """, source.name, last.seq)
                }
                try source.acknowledge(last.seq)
                if events.count < JobLimits.eventBatch { break }
            }
        }
        return eventCount > 0 && runCount == 0
    }

    private func take(
        _ event: OutboxEvent, of source: String, _ transitions: RunTransitions
    ) throws -> Int {
        guard ["object.created", "object.removed"].contains(event.kind),
            let value = try? JSONValue(parsing: event.payload),
            let bucket = try? value.cursor["bucket"].string(),
            let key = try? value.cursor["key"].string()
        else { return 0 }
        var runCount = 0
        for (pipeline, document) in transitions.documents
        where pipeline.tenant == event.tenant && document.isEnabled {
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
        if runCount == 0, event.kind == "object.created" {
            tellOfUnclaimed(bucket, key, tenant: event.tenant)
        }
        return runCount
    }
}
