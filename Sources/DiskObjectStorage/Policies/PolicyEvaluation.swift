package import Authority
import CivilTime

/// One request as policies see it.
package struct PolicyQuestion: Sendable {
    /// `s3:GetObject`.
    package var operation: String
    /// `arn:aws:s3:::bucket/key`.
    package var resource: String
    package var principal: Principal
    /// The role that was assumed.
    package var assumedRole: String?
    package var facts: RequestFacts?
    package var nowMicroseconds: Int64
    /// The tags of the object that is asked for; empty where there is none, or no policy asks.
    package var existingTags: [String: String]

    package init(
        operation: String, resource: String, principal: Principal, assumedRole: String? = nil,
        facts: RequestFacts?, nowMicroseconds: Int64, existingTags: [String: String] = [:]
    ) {
        self.existingTags = existingTags
        self.operation = operation
        self.resource = resource
        self.principal = principal
        self.assumedRole = assumedRole
        self.facts = facts
        self.nowMicroseconds = nowMicroseconds
    }

    /// The value of a condition key, in lower case; nil where the request says nothing.
    func value(of key: String) -> String? {
        switch key {
        case "aws:sourceip": facts?.sourceAddress
        case "aws:securetransport": facts.map { $0.isSecure ? "true" : "false" }
        case "aws:username":
            principal.kind == .anonymous || assumedRole != nil ? nil : principal.name
        case "aws:userid":
            principal.kind == .anonymous
                ? "anonymous"
                : assumedRole.map { StorageNames.sessionID($0, session: sessionName) }
                    ?? principal.id
        case "aws:principalarn":
            principal.kind == .anonymous
                ? nil
                : assumedRole.map { StorageNames.role($0) } ?? StorageNames.user(principal.name)
        case "aws:principaltype":
            principal.kind == .anonymous
                ? "Anonymous" : assumedRole == nil ? "User" : "AssumedRole"
        case "aws:currenttime": CivilFormat.rfc3339(utc: nowMicroseconds)
        case "aws:epochtime": String(floorDivide(nowMicroseconds, 1_000_000))
        default:
            if key.hasPrefix(PolicyCondition.existingTag) {
                existingTags[String(key.dropFirst(PolicyCondition.existingTag.count))]
            } else {
                facts?.values[key]
            }
        }
    }

    /// A pattern with `${aws:username}` and its like filled in; an unknown one fits nothing.
    func filled(_ pattern: String) -> String {
        guard pattern.contains("${") else { return pattern }
        var text = ""
        var rest = pattern[...]
        while let start = rest.range(ofText: "${") {
            text += rest[..<start.lowerBound]
            let behind = rest[start.upperBound...]
            guard let end = behind.firstIndex(of: "}") else {
                return text + rest[start.lowerBound...]
            }
            let name = String(behind[..<end])
            // A value must not work as a pattern; NUL is in no key and no name.
            let value =
                ["*", "?", "$"].contains(name) ? name : value(of: PolicyCondition.normal(name))
            text += value.map { $0.contains("*") || $0.contains("?") ? "\u{0}" : $0 } ?? "\u{0}"
            rest = behind[behind.index(after: end)...]
        }
        return text + rest
    }

    /// What the session was called when its role was assumed.
    private var sessionName: String { facts?.values[sessionNameKey] ?? principal.name }

    /// Every name by which a policy may mean the one who asks: a session of a role is the role and the
    /// session, and nobody else. Source: IAM User Guide, "AWS JSON policy elements: Principal".
    var names: [String] {
        if principal.kind == .anonymous { return [] }
        let account = [StorageNames.account, "arn:aws:iam::\(StorageNames.account):root"]
        guard let assumedRole else { return account + personalNames }
        return account + [
            StorageNames.role(assumedRole),
            StorageNames.assumedRole(assumedRole, session: sessionName),
        ]
    }

    /// The names of the person or service itself. Whom a policy shuts out by name it shuts out in their
    /// sessions of roles too; S3 would let the session in, where the role is another account's thing.
    var personalNames: [String] {
        if principal.kind == .anonymous { return [] }
        return [principal.id, principal.name, StorageNames.user(principal.name)]
            + (assumedRole == nil ? principal.roles.map { StorageNames.role($0) } : [])
            + principal.groups.map { "arn:aws:iam::\(StorageNames.account):group/\($0)" }
    }
}

extension Substring {
    fileprivate func range(ofText text: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
            at = index(after: at)
        }
        return nil
    }
}

/// The names of things in the language of S3's policies. There is one account.
package enum StorageNames {
    /// Stands where S3 has the number of the account.
    package static let account = "000000000000"

    /// A person or a service account, a role, and a session of one.
    package static func user(_ name: String) -> String { "arn:aws:iam::\(account):user/\(name)" }
    package static func role(_ name: String) -> String { "arn:aws:iam::\(account):role/\(name)" }
    package static func assumedRole(_ role: String, session: String) -> String {
        "arn:aws:sts::\(account):assumed-role/\(role)/\(session)"
    }

    /// The id of a session of a role: a role's name is its id here.
    package static func sessionID(_ role: String, session: String) -> String {
        "\(role):\(session)"
    }

    /// The bucket, or an object in it.
    package static func resource(bucket: String, key: String) -> String {
        key.isEmpty ? "arn:aws:s3:::\(bucket)" : "arn:aws:s3:::\(bucket)/\(key)"
    }
}

/// Where the facts of a request have the name of the session that sent it. No condition asks for it.
package let sessionNameKey = "lakehouse:sessionname"

/// The condition key that asks for a tag which a request gives to an object.
package func requestTagKey(_ name: String) -> String { PolicyCondition.requestTag + name }

extension PolicyDocument {
    /// Whether it asks for the tags that an object has, so that these have to be looked up.
    package var asksForExistingTags: Bool {
        statements.contains { statement in
            statement.conditions.contains { $0.key.hasPrefix(PolicyCondition.existingTag) }
                || statement.resources.patterns.contains {
                    $0.lowercased().contains(PolicyCondition.existingTag)
                }
        }
    }

    /// What the policy says: a denial beats every allowance. The reason names the statement.
    package func judge(_ question: PolicyQuestion) -> ResourceVerdict {
        var allowing: Statement?
        for statement in statements where statement.applies(to: question) {
            if statement.effect == .deny {
                return .denies("the policy denies it" + statement.name)
            }
            if allowing == nil { allowing = statement }
        }
        return allowing.map { .allows("the policy allows it" + $0.name) } ?? .silent
    }
}

extension PolicyDocument.Statement {
    fileprivate var name: String { id.map { ": \($0)" } ?? "" }

    fileprivate func applies(to question: PolicyQuestion) -> Bool {
        guard includes(question),
            actions.isNegated
                != actions.patterns.contains(where: {
                    wildcardMatches($0.lowercased(), question.operation.lowercased())
                }),
            resources.isNegated
                != resources.patterns.contains(where: {
                    wildcardMatches(question.filled($0), question.resource)
                })
        else { return false }
        return conditions.allSatisfy { $0.holds(question) }
    }

    private func includes(_ question: PolicyQuestion) -> Bool {
        switch principals {
        case .holder, .everyone: true
        case .named(let names):
            isOne(of: names, question.names)
                || effect == .deny && isOne(of: names, question.personalNames)
        case .allBut(let names): !isOne(of: names, question.names)
        }
    }

    private func isOne(of names: [String], _ own: [String]) -> Bool {
        names.contains { name in own.contains { $0 == name } }
    }
}
