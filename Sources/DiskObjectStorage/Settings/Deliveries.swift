import Authority
import CivilTime
import JSON
package import ObjectStorage
import Platform
import SQLite

/// A notice that is due at a webhook.
package struct Delivery: Sendable, Hashable {
    package let id: Int64
    package let url: String
    /// JSON in the form of S3's event messages.
    package let body: String
    /// How often it was tried before.
    package let attempts: Int
}

/// At least once: an event becomes rows of `deliveries` in the transaction that moves the consumer's
/// cursor past it, and a row goes only when its receiver has answered.
extension DiskObjectStore {
    /// The consumer of the outbox that feeds webhooks; known only while a bucket has some.
    private static let webhookConsumer = "webhooks"
    /// Waits between attempts: 1 s, doubling up to 10 minutes.
    private static func wait(afterAttempts attempts: Int) -> Int64 {
        min(600, Int64(1) << Int64(min(attempts, 10))) * 1_000_000
    }

    /// Begins or stops to keep events for webhooks, after the settings changed.
    func watchForWebhooks(_ tx: WriteTransaction) throws {
        let isWanted = try tx.exists(
            "SELECT 1 FROM bucket_settings WHERE name = ?", BucketSetting.notifications.rawValue)
        if isWanted {
            let last = try tx.number("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") ?? 0
            try tx.run(
                "INSERT OR IGNORE INTO outbox_cursors (consumer, seq) VALUES (?, ?)",
                Self.webhookConsumer, last)
        } else {
            try tx.run("DELETE FROM outbox_cursors WHERE consumer = ?", Self.webhookConsumer)
        }
        tx.afterCommit { [webhookChanges] in webhookChanges.raise() }
    }

    /// Whether there is anything to tell anybody: a bucket with notifications, or a notice on its way.
    package func hasWebhooks() throws(ObjectStoreError) -> Bool {
        try storing("look for webhooks") {
            try database.read { tx in
                try tx.exists(
                    "SELECT 1 FROM outbox_cursors WHERE consumer = ?", Self.webhookConsumer)
                    || tx.exists("SELECT 1 FROM deliveries LIMIT 1")
            }
        }
    }

    /// Turns new events into deliveries. Returns how many events it looked at.
    @discardableResult
    package func queueDeliveries(region: String) throws(ObjectStoreError) -> Int {
        try storing("queue notices for webhooks") {
            let isWatched = try database.read { tx in
                try tx.exists(
                    "SELECT 1 FROM outbox_cursors WHERE consumer = ?", Self.webhookConsumer)
            }
            guard isWatched else { return 0 }
            let events = try database.pendingEvents(
                for: Self.webhookConsumer, limit: Limits.upkeepBatch)
            guard let last = events.last else { return 0 }
            var notices: [(url: String, body: String)] = []
            for event in events { notices += try self.notices(of: event, region: region) }
            try database.write { tx in
                for notice in notices {
                    try tx.run(
                        "INSERT INTO deliveries (url, body, next_us) VALUES (?, ?, ?)", notice.url,
                        notice.body, tx.nowMicroseconds)
                }
                try tx.run(
                    """
                    DELETE FROM deliveries WHERE id <=
                        (SELECT max(id) FROM deliveries) - \(Limits.waitingDeliveries)
                    """)
                try tx.advanceCursor(of: Self.webhookConsumer, to: last.seq)
            }
            return events.count
        }
    }

    /// Notices whose time has come, oldest first.
    package func dueDeliveries(limit: Int) throws(ObjectStoreError) -> [Delivery] {
        try storing("look for due notices") {
            let now = clock.now().microseconds
            return try database.read { tx in
                try tx.query(
                    """
                    SELECT id, url, body, attempts FROM deliveries WHERE next_us <= ?
                    ORDER BY next_us, id LIMIT ?
                    """, now, limit
                ) { row in
                    Delivery(
                        id: row.int64(0), url: row.string(1), body: row.string(2),
                        attempts: row.int(3))
                }
            }
        }
    }

    /// The receiver has answered, or has to be asked again later.
    package func settle(
        _ delivery: Delivery, isDelivered: Bool
    ) throws(ObjectStoreError) {
        try storing("settle a notice") {
            _ = try database.writeGrouped { tx in
                if isDelivered {
                    try tx.run("DELETE FROM deliveries WHERE id = ?", delivery.id)
                } else {
                    try tx.run(
                        "UPDATE deliveries SET attempts = attempts + 1, next_us = ? WHERE id = ?",
                        tx.nowMicroseconds + Self.wait(afterAttempts: delivery.attempts),
                        delivery.id)
                }
            }
        }
    }

    private func notices(
        of event: OutboxEvent, region: String
    ) throws -> [(url: String, body: String)] {
        guard event.kind == "object.created" || event.kind == "object.removed" else { return [] }
        let payload = try JSONValue(parsing: event.payload).cursor
        let bucket = try payload["bucket"].string()
        let key = try payload["key"].string()
        guard let rules = try state(event.tenant, bucket)?.notifications else { return [] }
        let name: String
        if event.kind == "object.created" {
            name = "s3:ObjectCreated:" + (try payload["by"].optionalString() ?? "Put")
        } else {
            let isMarker = try payload["isMarker"].optionalBool() == true
            name = "s3:ObjectRemoved:" + (isMarker ? "DeleteMarkerCreated" : "Delete")
        }
        return try rules.rules.filter { $0.covers(event: name, key: key) }.map { rule in
            (rule.url, try notice(event, payload, rule, name: name, region: region))
        }
    }

    /// One message. Source: Amazon S3 User Guide, "Event message structure".
    private func notice(
        _ event: OutboxEvent, _ payload: JSONCursor, _ rule: NotificationRules.Rule, name: String,
        region: String
    ) throws -> String {
        let bucket = try payload["bucket"].string()
        let who = try payload["principalName"].optionalString() ?? ""
        var object: [(String, JSONValue)] = [
            ("key", .string(Self.formEncoded(try payload["key"].string())))
        ]
        if let size = try payload["sizeBytes"].optionalInt64() {
            object.append(("size", .int(size)))
        }
        if let etag = try payload["etag"].optionalString() {
            object.append(("eTag", .string(etag)))
        }
        if let version = try payload["version"].optionalString() {
            object.append(("versionId", .string(version)))
        }
        let number = String(event.seq, radix: 16).uppercased()
        object.append(
            ("sequencer", .string(String(repeating: "0", count: 16 - number.count) + number)))
        let record = JSONValue.object([
            ("eventVersion", "2.1"), ("eventSource", "lakehouse:s3"),
            ("awsRegion", .string(region)),
            ("eventTime", .string(CivilFormat.rfc3339(utc: event.atMicroseconds))),
            ("eventName", .string(String(name.dropFirst(3)))),
            ("userIdentity", .object([("principalId", .string(who))])),
            (
                "responseElements",
                .object([
                    ("x-amz-request-id", .string(try payload["requestID"].optionalString() ?? ""))
                ])
            ),
            (
                "s3",
                .object([
                    ("s3SchemaVersion", "1.0"), ("configurationId", .string(rule.id)),
                    (
                        "bucket",
                        .object([
                            ("name", .string(bucket)),
                            (
                                "arn",
                                .string(StorageNames.resource(bucket: bucket, key: ""))
                            ),
                        ])
                    ), ("object", .object(object)),
                ])
            ),
        ])
        return JSONValue.object([("Records", .array([record]))]).encodedText()
    }

    /// As S3 writes keys into its messages: percent-encoded, a blank as a plus.
    private static func formEncoded(_ key: String) -> String {
        var text = ""
        for byte in key.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x2F, 0x2A:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x20: text += "+"
            default:
                let digits = String(byte, radix: 16).uppercased()
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}
