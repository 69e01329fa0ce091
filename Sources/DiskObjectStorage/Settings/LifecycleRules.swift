import CivilTime
import JSON
import ObjectStorage

/// When objects, older versions and unfinished uploads of a bucket go.
/// Source: Amazon S3 User Guide, "Managing the lifecycle of objects".
package struct LifecycleRules: Sendable, Hashable {
    /// What is meant, and when it goes.
    package struct Rule: Sendable, Hashable {
        package var id: String
        package var isEnabled: Bool
        package var prefix: String
        /// Whether the prefix stands beside no filter, as it did before there were any: so it is shown.
        package var hasPlainPrefix = false
        package var tags: [String: String]
        package var sizeAbove: Int64?
        package var sizeBelow: Int64?
        package var expiryDays: Int?
        /// Midnight, in microseconds since 1970-01-01 UTC.
        package var expiryMicroseconds: Int64?
        /// A delete marker with nothing behind it goes.
        package var removesLoneMarkers: Bool
        package var noncurrentDays: Int?
        /// So many of the newest noncurrent versions stay all the same.
        package var noncurrentKept: Int?
        package var uploadDays: Int?

        package init(id: String, isEnabled: Bool) {
            self.id = id
            self.isEnabled = isEnabled
            prefix = ""
            tags = [:]
            removesLoneMarkers = false
        }

        /// Whether tags and sizes are no matter.
        package var choosesByPrefixAlone: Bool {
            tags.isEmpty && sizeAbove == nil && sizeBelow == nil
        }

        /// Whether the rule is about an object.
        package func covers(key: String, sizeBytes: Int64, tags own: [String: String]) -> Bool {
            isEnabled && KeyOrder.hasPrefix(key, prefix)
                && (sizeAbove.map { sizeBytes > $0 } ?? true)
                && (sizeBelow.map { sizeBytes < $0 } ?? true)
                && tags.allSatisfy { own[$0.key] == $0.value }
        }

        /// When an object that was written then expires; nil: not by this rule.
        package func expiry(ofWrite microseconds: Int64) -> Int64? {
            if let expiryMicroseconds { return expiryMicroseconds }
            return expiryDays.map { LifecycleRules.midnight(microseconds, afterDays: $0) }
        }
    }

    package var rules: [Rule]

    package init(rules: [Rule]) { self.rules = rules }

    /// The midnight (UTC) that is at least so many days after a moment: what S3 counts by.
    package static func midnight(_ microseconds: Int64, afterDays days: Int) -> Int64 {
        let day: Int64 = 86_400_000_000
        let end = microseconds + Int64(days) * day
        return floorDivide(end + day - 1, day) * day
    }

    /// The first rule that an object expires by, and when.
    package func expiry(
        key: String, sizeBytes: Int64, tags: [String: String], writtenMicroseconds: Int64
    ) -> (rule: Rule, microseconds: Int64)? {
        rules.compactMap { rule -> (rule: Rule, microseconds: Int64)? in
            guard rule.covers(key: key, sizeBytes: sizeBytes, tags: tags) else { return nil }
            return rule.expiry(ofWrite: writtenMicroseconds).map { (rule, $0) }
        }.min { $0.microseconds < $1.microseconds }
    }

    /// As the index keeps it.
    package var text: String {
        JSONValue.array(
            rules.map { rule in
                var members: [(String, JSONValue)] = [
                    ("id", .string(rule.id)), ("enabled", .bool(rule.isEnabled)),
                    ("prefix", .string(rule.prefix)),
                    (
                        "tags",
                        .object(
                            rule.tags.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }
                        )
                    ),
                    ("loneMarkers", .bool(rule.removesLoneMarkers)),
                ]
                if rule.hasPlainPrefix { members.append(("plainPrefix", true)) }
                let numbers: [(String, Int64?)] = [
                    ("above", rule.sizeAbove), ("below", rule.sizeBelow),
                    ("days", rule.expiryDays.map(Int64.init)), ("date", rule.expiryMicroseconds),
                    ("noncurrentDays", rule.noncurrentDays.map(Int64.init)),
                    ("noncurrentKept", rule.noncurrentKept.map(Int64.init)),
                    ("uploadDays", rule.uploadDays.map(Int64.init)),
                ]
                for (name, number) in numbers {
                    if let number { members.append((name, .int(number))) }
                }
                return .object(members)
            }
        ).encodedText()
    }

    /// From the index.
    package init(text: String) throws {
        rules = try JSONValue(parsing: text).cursor.elements().map { at in
            var rule = Rule(id: try at["id"].string(), isEnabled: try at["enabled"].bool())
            rule.prefix = try at["prefix"].string()
            rule.hasPlainPrefix = try at["plainPrefix"].optionalBool() ?? false
            rule.tags = try at["tags"].stringMap()
            rule.removesLoneMarkers = try at["loneMarkers"].bool()
            rule.sizeAbove = try at["above"].optionalInt64()
            rule.sizeBelow = try at["below"].optionalInt64()
            rule.expiryDays = try at["days"].optionalInt()
            rule.expiryMicroseconds = try at["date"].optionalInt64()
            rule.noncurrentDays = try at["noncurrentDays"].optionalInt()
            rule.noncurrentKept = try at["noncurrentKept"].optionalInt()
            rule.uploadDays = try at["uploadDays"].optionalInt()
            return rule
        }
    }
}
