/// Somebody who asks: a person, a service account, or the appliance itself.
package struct Principal: Sendable, Hashable {
    /// What stands behind the name.
    package enum Kind: String, Sendable { case user, service, system, anonymous }

    /// Stable identifier; survives renames.
    package var id: String
    /// The name that people see in audits, SQL's `current_user` and errors.
    package var name: String
    package var kind: Kind
    /// Names of the groups; the `groups` claim of tokens.
    package var groups: [String]
    /// Names of the roles that grants refer to.
    package var roles: [String]

    package init(id: String, name: String, kind: Kind, groups: [String] = [], roles: [String] = [])
    {
        self.id = id
        self.name = name
        self.kind = kind
        self.groups = groups
        self.roles = roles
    }

    /// The appliance itself: recovery, seeds, maintenance.
    package static let system = Principal(id: "system", name: "system", kind: .system)
    /// Nobody: a request without a credential.
    package static let anonymous = Principal(id: "anonymous", name: "anonymous", kind: .anonymous)
}
