import JSON
import ObjectStorage

/// Which changes of a bucket are told to whom.
/// Source: Amazon S3 User Guide, "Amazon S3 Event Notifications". The receiver is a URL.
package struct NotificationRules: Sendable, Hashable {
    /// One receiver and what it wants to know.
    package struct Rule: Sendable, Hashable {
        package var id: String
        /// Where notices go: `http://…` or `https://…`.
        package var url: String
        /// Such as `s3:ObjectCreated:*`.
        package var events: [String]
        package var prefix: String
        package var suffix: String

        package init(id: String, url: String, events: [String], prefix: String, suffix: String) {
            self.id = id
            self.url = url
            self.events = events
            self.prefix = prefix
            self.suffix = suffix
        }

        func covers(event: String, key: String) -> Bool {
            events.contains { wildcardMatches($0, event) } && KeyOrder.hasPrefix(key, prefix)
                && key.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        }
    }

    /// What may be asked for.
    package static let events: Set<String> = [
        "s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
    ]

    package var rules: [Rule]

    package init(rules: [Rule]) { self.rules = rules }

    /// As the index keeps it.
    package var text: String {
        JSONValue.array(
            rules.map { rule in
                .object([
                    ("id", .string(rule.id)), ("url", .string(rule.url)),
                    ("events", .array(rule.events.map { .string($0) })),
                    ("prefix", .string(rule.prefix)), ("suffix", .string(rule.suffix)),
                ])
            }
        ).encodedText()
    }

    /// From the index.
    package init(text: String) throws {
        rules = try JSONValue(parsing: text).cursor.elements().map { at in
            Rule(
                id: try at["id"].string(), url: try at["url"].string(),
                events: try at["events"].strings(), prefix: try at["prefix"].string(),
                suffix: try at["suffix"].string())
        }
    }
}
