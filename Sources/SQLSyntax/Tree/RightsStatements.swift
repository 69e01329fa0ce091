/// Who is granted something.
package struct Grantee: SyntaxNode {
    /// The statements about rights: GRANT, DENY, REVOKE and those of roles.
    package enum Kind: Sendable, Hashable {
        /// Neither USER nor ROLE is written.
        case unspecified
        case user
        case role
        /// Beyond Trino: all who are in a group.
        case group
        case currentUser
        case currentRole
    }
    package let kind: Kind
    /// Empty for CURRENT_USER and CURRENT_ROLE.
    package let name: String
    package let place: Place
}

/// All privileges, or those that are named.
package enum Privileges: Sendable, Hashable {
    case all
    case some([PrivilegeName])
}

/// A privilege of GRANT, such as SELECT or CREATE BRANCH; always upper case.
package struct PrivilegeName: SyntaxNode {
    package let name: String
    package let place: Place
}

/// What rights are on; the kind is TABLE where none is written.
package struct GrantObject: SyntaxNode {
    /// `TABLE`, `SCHEMA`, `VIEW`, `MATERIALIZED VIEW`, `CATALOG`, `FUNCTION` or `BRANCH`.
    package let kind: String
    /// Whether the kind was written.
    package let isKindWritten: Bool
    package let name: QualifiedName
    /// `BRANCH b IN TABLE t`.
    package let branch: Identifier?
    package let place: Place
}
