import JSON
import ObjectStorage

/// What is refused of a bucket's openness to everybody.
/// Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
package struct PublicAccessBlock: Sendable, Hashable {
    package var blocksACLs: Bool
    package var ignoresACLs: Bool
    /// Policies that open the bucket to everybody cannot be put.
    package var blocksPolicies: Bool
    /// Policies that open the bucket to everybody open it to nobody without a name.
    package var restrictsBuckets: Bool

    package init(
        blocksACLs: Bool, ignoresACLs: Bool, blocksPolicies: Bool, restrictsBuckets: Bool
    ) {
        self.blocksACLs = blocksACLs
        self.ignoresACLs = ignoresACLs
        self.blocksPolicies = blocksPolicies
        self.restrictsBuckets = restrictsBuckets
    }

    /// As the index keeps it.
    package var text: String {
        JSONValue.object([
            ("blocksACLs", .bool(blocksACLs)), ("ignoresACLs", .bool(ignoresACLs)),
            ("blocksPolicies", .bool(blocksPolicies)),
            ("restrictsBuckets", .bool(restrictsBuckets)),
        ]).encodedText()
    }

    /// From the index.
    package init(text: String) throws {
        let root = try JSONValue(parsing: text).cursor
        self.init(
            blocksACLs: try root["blocksACLs"].bool(), ignoresACLs: try root["ignoresACLs"].bool(),
            blocksPolicies: try root["blocksPolicies"].bool(),
            restrictsBuckets: try root["restrictsBuckets"].bool())
    }
}

/// Which pages of other sites may read a bucket from a browser.
/// Source: Amazon S3 User Guide, "Using cross-origin resource sharing".
package struct CORSRules: Sendable, Hashable {
    /// Origins, methods and headers that go together.
    package struct Rule: Sendable, Hashable {
        package var id: String?
        package var origins: [String]
        package var methods: [String]
        package var allowedHeaders: [String]
        package var exposedHeaders: [String]
        package var maxAgeSeconds: Int?

        package init(
            id: String?, origins: [String], methods: [String], allowedHeaders: [String],
            exposedHeaders: [String], maxAgeSeconds: Int?
        ) {
            self.id = id
            self.origins = origins
            self.methods = methods
            self.allowedHeaders = allowedHeaders
            self.exposedHeaders = exposedHeaders
            self.maxAgeSeconds = maxAgeSeconds
        }

        /// Whether every origin is meant.
        package var allowsEveryOrigin: Bool { origins.contains("*") }

        func allows(_ header: String) -> Bool {
            allowedHeaders.contains { wildcardMatches($0.lowercased(), header.lowercased()) }
        }
    }

    package var rules: [Rule]

    package init(rules: [Rule]) { self.rules = rules }

    /// The first rule for an origin, a method and the headers that a page wants to send.
    package func rule(origin: String, method: String, headers: [String]) -> Rule? {
        rules.first { rule in
            rule.methods.contains(method)
                && rule.origins.contains { wildcardMatches($0, origin) }
                && headers.allSatisfy(rule.allows)
        }
    }

    /// As the index keeps it.
    package var text: String {
        let list = { (texts: [String]) in JSONValue.array(texts.map { .string($0) }) }
        return JSONValue.array(
            rules.map { rule in
                var members: [(String, JSONValue)] = [
                    ("origins", list(rule.origins)), ("methods", list(rule.methods)),
                    ("allowed", list(rule.allowedHeaders)), ("exposed", list(rule.exposedHeaders)),
                ]
                if let id = rule.id { members.append(("id", .string(id))) }
                if let age = rule.maxAgeSeconds { members.append(("age", .int(age))) }
                return .object(members)
            }
        ).encodedText()
    }

    /// From the index.
    package init(text: String) throws {
        rules = try JSONValue(parsing: text).cursor.elements().map { rule in
            Rule(
                id: try rule["id"].optionalString(), origins: try rule["origins"].strings(),
                methods: try rule["methods"].strings(),
                allowedHeaders: try rule["allowed"].strings(),
                exposedHeaders: try rule["exposed"].strings(),
                maxAgeSeconds: try rule["age"].optionalInt())
        }
    }
}

extension LockDefault {
    /// As the index keeps it.
    package var text: String {
        JSONValue.object([
            ("mode", .string(mode.rawValue)), ("count", .int(count)), ("isYears", .bool(isYears)),
        ]).encodedText()
    }

    /// From the index.
    package init(text: String) throws {
        let root = try JSONValue(parsing: text).cursor
        guard let mode = ObjectLock.Mode(rawValue: try root["mode"].string()) else {
            throw ObjectStoreError(
                code: .invalidSetting, message: "not a mode of object lock: \(text)")
        }
        self.init(mode: mode, count: try root["count"].int(), isYears: try root["isYears"].bool())
    }
}

/// Whether a text is what a pattern means: `*` any run of characters, `?` any one. By bytes; greedy with
/// one place to come back to, O(pattern · text).
package func wildcardMatches(_ pattern: String, _ text: String) -> Bool {
    let pattern = Array(pattern.utf8)
    let text = Array(text.utf8)
    var p = 0
    var t = 0
    var retry: (pattern: Int, text: Int)?
    while t < text.count {
        if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
            retry = (p + 1, t)
            p += 1
        } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
            p += 1
            t += 1
        } else if let again = retry {
            retry = (again.pattern, again.text + 1)
            p = again.pattern
            t = again.text + 1
        } else {
            return false
        }
    }
    while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
    return p == pattern.count
}
