package import Authority

/// What the `scope` of an access token means to us. Source: RFC 6749 section 3.3.
///
/// Roles decide what a token's holder may do, so one token opens every door. A word `door:sql` narrows:
/// with one or more of them the token opens only the doors they name. Other words (`openid`, `catalog`,
/// which Iceberg clients send) are kept and limit nothing.
package enum TokenScope {
    /// Whether a token of this scope opens the door. The issuer's own (userinfo, introspection,
    /// exchange) is open to every token.
    package static func opens(_ door: Door, _ scope: String) -> Bool {
        guard door != .oidc, let doors = doors(scope) else { return true }
        return doors.contains(door.rawValue)
    }

    /// The scope of a token that is made out of another: what is asked for, but never more doors.
    package static func narrowed(_ wanted: String?, from scope: String) -> String {
        guard let wanted, !wanted.isEmpty else { return scope }
        guard let held = doors(scope) else { return wanted }
        let others = wanted.split(separator: " ").filter { !$0.hasPrefix(prefix) }.map(String.init)
        // Asked for doors that are not held leave none: `door:` alone opens nothing.
        let kept = doors(wanted)?.intersection(held) ?? held
        let named = kept.isEmpty ? [prefix] : kept.sorted().map { prefix + $0 }
        return (others + named).joined(separator: " ")
    }

    private static let prefix = "door:"

    /// The doors that a scope names; nil where it names none.
    private static func doors(_ scope: String) -> Set<String>? {
        let words = scope.split(separator: " ").filter { $0.hasPrefix(prefix) }
        return words.isEmpty ? nil : Set(words.map { String($0.dropFirst(prefix.utf8.count)) })
    }
}
