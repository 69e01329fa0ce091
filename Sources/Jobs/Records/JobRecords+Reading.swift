import JSON
import SQLite

extension ReadTransaction {
    private static var runColumns: String {
        """
        r.id, r.number, r.pipeline, r.state, r.trigger_kind, r.requested_by, r.parameters, r.created_us,
        r.started_us, r.finished_us, r.message,
        (SELECT coalesce(sum(rows), 0) FROM steps s WHERE s.run_id = r.id)
        """
    }

    /// Runs that satisfy a condition on `runs r`, newest first.
    func runs(
        where condition: String, _ values: [any SQLiteBindable], limit: Int
    ) throws -> [RunRecord] {
        try query(
            "SELECT \(Self.runColumns) FROM runs r WHERE \(condition) ORDER BY r.number DESC LIMIT ?",
            values: values + [limit]
        ) { row in
            RunRecord(
                id: row.string(0), number: row.int64(1), pipeline: row.string(2),
                state: RunState(rawValue: row.string(3)) ?? .failed,
                trigger: TriggerKind(rawValue: row.string(4)) ?? .manual,
                requestedBy: row.string(5), parameters: try decodeMap(row.string(6)),
                createdMicroseconds: row.int64(7), startedMicroseconds: row.int64OrNil(8),
                finishedMicroseconds: row.int64OrNil(9), message: row.stringOrNil(10),
                rows: row.int64(11))
        }
    }

    func steps(of run: String) throws -> [StepRecord] {
        try query(
            """
            SELECT id, kind, needs, state, attempts, started_us, finished_us, due_us, message, rows, details
            FROM steps WHERE run_id = ? ORDER BY position
            """, run
        ) { row in
            let state = StepState(rawValue: row.string(3)) ?? .failed
            return StepRecord(
                id: row.string(0), kind: row.string(1), needs: decodeList(row.string(2)),
                state: state,
                attempts: row.int(4), startedMicroseconds: row.int64OrNil(5),
                finishedMicroseconds: row.int64OrNil(6),
                dueMicroseconds: state == .queued ? row.int64OrNil(7) : nil,
                message: row.stringOrNil(8), rows: row.int64OrNil(9), details: row.stringOrNil(10))
        }
    }

    func attempts(of run: String) throws -> [AttemptRecord] {
        try query(
            """
            SELECT step_id, number, state, started_us, finished_us, message FROM attempts
            WHERE run_id = ? ORDER BY started_us, step_id, number
            """, run
        ) { row in
            AttemptRecord(
                step: row.string(0), number: row.int(1),
                state: AttemptState(rawValue: row.string(2)) ?? .failed,
                startedMicroseconds: row.int64(3), finishedMicroseconds: row.int64OrNil(4),
                message: row.stringOrNil(5))
        }
    }
}

func encodeMap(_ map: [String: String]) -> String {
    JSONValue.object(map.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        .encodedText()
}

func decodeMap(_ text: String) throws -> [String: String] {
    try JSONValue(parsing: text).cursor.stringMap()
}

func encodeList(_ list: [String]) -> String {
    JSONValue.array(list.map { .string($0) }).encodedText()
}

func decodeList(_ text: String) -> [String] {
    (try? JSONValue(parsing: text).cursor.strings()) ?? []
}
