import CivilTime
import JSON
import SQLite

/// A value of a measure at a moment.
package struct Sample: Sendable, Hashable {
    package var measure: String
    package var atMicroseconds: Int64
    package var value: Double
}

/// A change of an alert, newest first in lists.
package struct AlertEvent: Sendable, Hashable {
    package var atMicroseconds: Int64
    package var rule: String
    /// `firing` or `ok`.
    package var state: String
    package var value: Double
    package var threshold: Double
    package var summary: String
}

/// `operations.sqlite`.
final class OperationsStore: Sendable {
    let database: Database

    /// How long samples are kept.
    static let keptMicroseconds: Int64 = 7 * 86_400_000_000
    /// How long changes of alerts are kept.
    static let keptEventMicroseconds: Int64 = 90 * 86_400_000_000
    /// Samples that one question gives at the most.
    static let sampleLimit = 2_000_000

    init(path: String, nowMicroseconds: @escaping @Sendable () -> Int64) throws {
        database = try Database(
            path: path, migrations: operationsMigrations, nowMicroseconds: nowMicroseconds)
    }

    // MARK: Samples

    func samples(
        measures: [String]?, since: Int64?, until: Int64?
    ) throws -> [Sample] {
        let wanted = Set(measures ?? Measure.allCases.map(\.rawValue)).sorted()
        var found: [Sample] = []
        for measure in wanted {
            found += try database.read { tx in
                try tx.query(
                    """
                    SELECT at_us, value FROM samples
                    WHERE measure = ? AND at_us >= ? AND at_us < ? ORDER BY at_us LIMIT ?
                    """, measure, since ?? .min, until ?? .max, Self.sampleLimit
                ) { Sample(measure: measure, atMicroseconds: $0.int64(0), value: $0.double(1)) }
            }
        }
        return found
    }

    /// What a counter grew by since a moment.
    func sum(_ measure: Measure, since: Int64) throws -> Double {
        try database.read { tx in
            try tx.query(
                "SELECT coalesce(sum(value), 0.0) FROM samples WHERE measure = ? AND at_us >= ?",
                measure.rawValue, since
            ) { $0.double(0) }
        }.first ?? 0
    }

    // MARK: Alerts

    /// The alerts as the last look left them; states of rules that are gone are passed over.
    func alerts() throws -> [Alert] {
        try database.read { tx in
            try tx.query(
                "SELECT rule, state, since_us, value, threshold, summary FROM alerts"
            ) { row -> Alert? in
                guard let rule = AlertRule(rawValue: row.string(0)),
                    let state = Alert.State(rawValue: row.string(1))
                else { return nil }
                return Alert(
                    rule: rule, state: state, sinceMicroseconds: row.int64(2),
                    value: row.double(3), threshold: row.double(4), summary: row.string(5))
            }
        }.compactMap { $0 }
    }

    func events(limit: Int) throws -> [AlertEvent] {
        try database.read { tx in
            try tx.query(
                """
                SELECT at_us, rule, state, value, threshold, summary FROM alert_events
                ORDER BY id DESC LIMIT ?
                """, limit
            ) {
                AlertEvent(
                    atMicroseconds: $0.int64(0), rule: $0.string(1), state: $0.string(2),
                    value: $0.double(3), threshold: $0.double(4), summary: $0.string(5))
            }
        }
    }

    /// Writes a look: samples, states of alerts, and for those that began or ceased to fire a line in
    /// their history and, if somebody wants it, a notice.
    func write(
        _ values: [Measure: Double], _ alerts: [Alert], changed: [Alert], source: String?,
        now: Int64
    ) throws {
        try database.write { tx in
            for (measure, value) in values {
                try tx.run(
                    "INSERT OR REPLACE INTO samples (measure, at_us, value) VALUES (?, ?, ?)",
                    measure.rawValue, now, value)
            }
            for alert in alerts {
                try tx.run(
                    """
                    INSERT OR REPLACE INTO alerts (rule, state, since_us, value, threshold, summary)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """, alert.rule.rawValue, alert.state.rawValue, alert.sinceMicroseconds,
                    alert.value, alert.threshold, alert.summary)
            }
            for alert in changed {
                try tx.run(
                    """
                    INSERT INTO alert_events (at_us, rule, state, value, threshold, summary)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """, now, alert.rule.rawValue, alert.state.rawValue, alert.value,
                    alert.threshold, alert.summary)
                guard let source else { continue }
                try tx.run(
                    "INSERT INTO notices (body, made_us, attempts, next_us) VALUES (?, ?, 0, ?)",
                    Self.notice(alert, source: source, now: now), now, now)
            }
        }
    }

    /// Removes what is older than is kept.
    func trim(now: Int64) throws {
        try database.write { tx in
            try tx.run("DELETE FROM samples WHERE at_us < ?", now - Self.keptMicroseconds)
            try tx.run(
                "DELETE FROM alert_events WHERE at_us < ?", now - Self.keptEventMicroseconds)
        }
    }

    /// What is sent of a change. `text` is what chat rooms show.
    private static func notice(_ alert: Alert, source: String, now: Int64) -> String {
        let state = alert.state == .firing ? "firing" : "resolved"
        return JSONValue.object([
            ("alert", .string(alert.rule.rawValue)), ("state", .string(state)),
            ("summary", .string(alert.summary)), ("value", .double(alert.value)),
            ("threshold", .double(alert.threshold)),
            ("at", .string(CivilFormat.rfc3339(utc: now, precision: 0))),
            ("source", .string(source)),
            ("text", .string("\(alert.rule.rawValue) \(state): \(alert.summary) (\(source))")),
        ]).encodedText()
    }

    // MARK: Notices

    /// A notice that waits to be taken.
    struct Notice {
        let id: Int64
        let body: String
        let attempts: Int
        let madeMicroseconds: Int64
    }

    /// Notices whose time has come, oldest first.
    func dueNotices(now: Int64) throws -> [Notice] {
        try database.read { tx in
            try tx.query(
                """
                SELECT id, body, attempts, made_us FROM notices WHERE next_us <= ?
                ORDER BY id LIMIT 100
                """, now
            ) {
                Notice(
                    id: $0.int64(0), body: $0.string(1), attempts: $0.int(2),
                    madeMicroseconds: $0.int64(3))
            }
        }
    }

    func removeNotice(_ id: Int64) throws {
        try database.write { tx in try tx.run("DELETE FROM notices WHERE id = ?", id) }
    }

    func delayNotice(_ id: Int64, until microseconds: Int64) throws {
        try database.write { tx in
            try tx.run(
                "UPDATE notices SET attempts = attempts + 1, next_us = ? WHERE id = ?",
                microseconds, id)
        }
    }
}

let operationsMigrations: [Migration] = [
    Migration(
        1, "samples and alerts",
        sql: """
            CREATE TABLE samples (
                measure TEXT NOT NULL, at_us INTEGER NOT NULL, value REAL NOT NULL,
                PRIMARY KEY (measure, at_us)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE alerts (
                rule TEXT PRIMARY KEY, state TEXT NOT NULL, since_us INTEGER NOT NULL,
                value REAL NOT NULL, threshold REAL NOT NULL, summary TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE alert_events (
                id INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, rule TEXT NOT NULL,
                state TEXT NOT NULL, value REAL NOT NULL, threshold REAL NOT NULL,
                summary TEXT NOT NULL
            ) STRICT;
            CREATE TABLE notices (
                id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, made_us INTEGER NOT NULL,
                attempts INTEGER NOT NULL, next_us INTEGER NOT NULL
            ) STRICT;
            """)
]
