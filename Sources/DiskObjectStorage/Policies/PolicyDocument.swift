import JSON
package import ObjectStorage

/// A policy in the language of IAM: of a bucket, or of a session that narrows what its holder may.
///
/// What this server does not know in a policy (an operator, a condition key, an element) is refused when
/// the policy is put: a denial that is silently never met would be a hole.
///
/// Source: IAM User Guide, "IAM JSON policy reference".
package struct PolicyDocument: Sendable, Hashable {
    /// What a matching statement does.
    package enum Effect: String, Sendable { case allow = "Allow", deny = "Deny" }

    /// Whom a statement of a bucket's policy is about.
    enum Principals: Sendable, Hashable {
        /// A session's policy: its holder.
        case holder
        case everyone
        case named([String])
        case allBut([String])
    }

    /// A list of patterns, or all that is not in it.
    struct Selection: Sendable, Hashable {
        var patterns: [String]
        var isNegated: Bool
    }

    struct Statement: Sendable, Hashable {
        var id: String?
        var effect: Effect
        var principals: Principals
        var actions: Selection
        var resources: Selection
        var conditions: [PolicyCondition]
    }

    /// Whose policy it is.
    package enum Kind: Sendable { case bucket, session }

    let statements: [Statement]

    /// Reads a bucket's policy out of the index.
    init(text: String) throws(ObjectStoreError) { try self.init(text: text, kind: .bucket) }

    /// Reads a policy; throws `.malformedPolicy` that says where.
    package init(text: String, kind: Kind) throws(ObjectStoreError) {
        guard text.utf8.count <= Limits.policyBytes else {
            throw malformedPolicy("a policy has at most \(Limits.policyBytes) bytes")
        }
        do {
            let root = try JSONValue(parsing: Array(text.utf8), depthLimit: 32).cursor
            try Self.checkMembers(root, ["Version", "Id", "Statement"])
            if let version = try root["Version"].optionalString(),
                version != "2012-10-17" && version != "2008-10-17"
            {
                throw malformedPolicy("the version is not known: \(version)")
            }
            let all =
                root["Statement"].isObject
                ? [root["Statement"]] : try root["Statement"].elements()
            guard !all.isEmpty, all.count <= Limits.policyStatements else {
                throw malformedPolicy("a policy has 1 to \(Limits.policyStatements) statements")
            }
            statements = try all.map { try Self.statement($0, kind) }
        } catch let fault as ObjectStoreError {
            throw fault
        } catch {
            throw malformedPolicy("\(error)")
        }
    }

    /// Throws `.malformedPolicy` unless every resource lies in the bucket.
    package func check(bucket: String) throws(ObjectStoreError) {
        for pattern in statements.flatMap(\.resources.patterns) {
            // A pattern for many buckets counts for this one only.
            let start = "arn:aws:s3:::"
            let name = pattern.dropFirst(start.count).prefix { $0 != "/" }
            guard pattern.hasPrefix(start), wildcardMatches(String(name), bucket) else {
                throw malformedPolicy("the policy has a resource of another bucket: \(pattern)")
            }
        }
    }

    /// Whether the policy lets in everybody, without a condition that holds only for some.
    package var isPublic: Bool {
        statements.contains { statement in
            guard statement.effect == .allow else { return false }
            switch statement.principals {
            case .everyone, .allBut: return !statement.conditions.contains(where: \.isLimiting)
            case .holder, .named: return false
            }
        }
    }

    private static func statement(_ at: JSONCursor, _ kind: Kind) throws -> Statement {
        try checkMembers(
            at,
            [
                "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
                "NotResource", "Condition",
            ])
        guard let effect = Effect(rawValue: try at["Effect"].string()) else {
            throw malformedPolicy("the effect is Allow or Deny: \(at.path)")
        }
        let actions = try selection(at, "Action")
        let resources = try selection(at, "Resource")
        for action in actions.patterns
        where action != "*" && !action.lowercased().hasPrefix("s3:") && kind == .bucket {
            throw malformedPolicy("the policy has an action of another service: \(action)")
        }
        for resource in resources.patterns
        where resource != "*" && !resource.hasPrefix("arn:aws:s3:::") {
            if kind == .session { continue }
            throw malformedPolicy("the policy has a resource that is none: \(resource)")
        }
        return Statement(
            id: try at["Sid"].optionalString(), effect: effect,
            principals: try principals(at, kind, effect), actions: actions, resources: resources,
            conditions: try conditions(at["Condition"]))
    }

    private static func selection(_ at: JSONCursor, _ name: String) throws -> Selection {
        let isNegated = at["Not" + name].isPresent
        guard isNegated != at[name].isPresent else {
            throw malformedPolicy("a statement has either \(name) or Not\(name): \(at.path)")
        }
        let found = try texts(at[isNegated ? "Not" + name : name])
        guard !found.isEmpty else { throw malformedPolicy("\(name) names nothing: \(at.path)") }
        return Selection(patterns: found, isNegated: isNegated)
    }

    private static func principals(
        _ at: JSONCursor, _ kind: Kind, _ effect: Effect
    ) throws -> Principals {
        let isNegated = at["NotPrincipal"].isPresent
        let place = at[isNegated ? "NotPrincipal" : "Principal"]
        if kind == .session {
            guard !place.isPresent else {
                throw malformedPolicy("a session's policy names no principal: \(place.path)")
            }
            return .holder
        }
        guard place.isPresent else {
            throw malformedPolicy("a statement wants a Principal: \(at.path)")
        }
        if isNegated && effect == .allow {
            throw malformedPolicy("NotPrincipal goes with Deny: \(place.path)")
        }
        if place.isString {
            guard try place.string() == "*", !isNegated else {
                throw malformedPolicy("a principal is * or a map: \(place.path)")
            }
            return .everyone
        }
        var names: [String] = []
        for member in try place.object().members {
            guard ["AWS", "CanonicalUser", "Federated", "Service"].contains(member.name) else {
                throw malformedPolicy("the sort of principal is not known: \(member.name)")
            }
            let found = try texts(place[member.name])
            // Services and providers of others never come here.
            if member.name == "AWS" || member.name == "CanonicalUser" { names += found }
        }
        if names.contains("*") && !isNegated { return .everyone }
        return isNegated ? .allBut(names) : .named(names)
    }

    private static func conditions(_ at: JSONCursor) throws -> [PolicyCondition] {
        guard at.isPresent else { return [] }
        var all: [PolicyCondition] = []
        for block in try at.object().members {
            for entry in try at[block.name].object().members {
                all.append(
                    try PolicyCondition(
                        operation: block.name, key: entry.name,
                        values: try texts(at[block.name][entry.name])))
            }
        }
        return all
    }

    /// One text, number or boolean, or a list of them.
    private static func texts(_ at: JSONCursor) throws -> [String] {
        switch at.value {
        case .string(let text): return [text]
        case .bool(let flag): return [flag ? "true" : "false"]
        case .number(let number): return [number.text]
        case .array(let values):
            return try values.indices.flatMap { index in
                try texts(JSONCursor(values[index], path: "\(at.path)[\(index)]"))
            }
        case .object, .null, nil: throw at.expected("a text or a list of texts")
        }
    }

    private static func checkMembers(_ at: JSONCursor, _ known: Set<String>) throws {
        for member in try at.object().members where !known.contains(member.name) {
            throw malformedPolicy("the element is not known: \(at.path).\(member.name)")
        }
    }
}

/// The fault of a policy that cannot be read.
func malformedPolicy(_ message: String) -> ObjectStoreError {
    ObjectStoreError(code: .malformedPolicy, message: message)
}
