package import Authority
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// Roles and their grants, as the engine wants them: the directory of identities supplies them. Asked with
/// the caller's context, and refuses those who may not administer it.
package protocol RightsDoor: Sendable {
    /// Makes a role; false where there is one of the name.
    func createRole(_ context: RequestContext, _ name: String) throws -> Bool
    /// Removes a role; false where there is none.
    func dropRole(_ context: RequestContext, _ name: String) throws -> Bool
    /// The names of all roles; those of a warehouse begin with its name and a dot.
    func roles(_ context: RequestContext) throws -> [String]
    /// Gives a role to a person or a group, or takes it. Throws ROLE_NOT_FOUND and NOT_FOUND.
    func setRole(
        _ context: RequestContext, _ role: String, of grantee: RightsGrantee, isAssigned: Bool
    ) throws
    /// Allows or denies several things to somebody: all of them or none.
    func grant(_ context: RequestContext, _ grants: [RightsGrant]) throws
    /// Takes away what was granted so, at once; what was not stays away.
    func revoke(_ context: RequestContext, _ grants: [RightsGrant]) throws
    /// Every right that the caller may know of.
    func grants(_ context: RequestContext) throws -> [RightsGrant]
}

/// Who has a right.
package struct RightsGrantee: Sendable, Hashable {
    /// What the name is a name of.
    package enum Kind: String, Sendable {
        case user = "USER"
        case role = "ROLE"
        case group = "GROUP"
    }

    package var kind: Kind
    package var name: String

    /// Somebody by kind and name.
    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// What a right is on. One on a catalog or a schema holds for all that is in it.
package struct RightsObject: Sendable, Hashable {
    /// The words of the grammar.
    package enum Kind: String, Sendable {
        case catalog = "CATALOG"
        case schema = "SCHEMA"
        case table = "TABLE"
        case view = "VIEW"
    }

    package var kind: Kind
    /// Catalog, levels of the schema, table or view.
    package var path: [String]

    /// A thing by its kind and path.
    package init(_ kind: Kind, _ path: [String]) {
        self.kind = kind
        self.path = path
    }

    /// Whether it is the same thing: names are the same in any case.
    func isSame(as other: RightsObject) -> Bool {
        kind == other.kind
            && path.map { $0.lowercased() } == other.path.map { $0.lowercased() }
    }

    /// Whether the right reaches a table or view.
    func reaches(_ path: [String]) -> Bool {
        let own = self.path.map { $0.lowercased() }
        let other = path.map { $0.lowercased() }
        return kind == .table || kind == .view ? own == other : other.starts(with: own)
    }
}

/// One right of somebody.
package struct RightsGrant: Sendable, Hashable {
    package var grantee: RightsGrantee
    /// `SELECT`, `CREATE BRANCH`.
    package var privilege: String
    package var object: RightsObject
    package var isDenial: Bool

    /// A right, or its denial.
    package init(
        grantee: RightsGrantee, privilege: String, object: RightsObject, isDenial: Bool = false
    ) {
        self.grantee = grantee
        self.privilege = privilege
        self.object = object
        self.isDenial = isDenial
    }
}

/// CREATE ROLE, GRANT, DENY, REVOKE and the listings of rights.
extension StatementRun {
    func rights(_ statement: Statement) throws(QueryFault) -> StatementOutcome? {
        switch statement.kind {
        case .createRole(let name, _, _):
            let door = try rightsDoor(statement)
            let isNew = try administering { try door.createRole(context, name.canonical) }
            guard isNew else {
                throw QueryFault(
                    .roleAlreadyExists, "Role '\(name.canonical)' already exists", span: name.span)
            }
            return .done(updateType: "CREATE ROLE", count: nil)
        case .dropRole(let name, let ifExists, _):
            let door = try rightsDoor(statement)
            let wasThere = try administering { try door.dropRole(context, name.canonical) }
            guard wasThere || ifExists else { throw try unknownRole(name, door) }
            return .done(updateType: "DROP ROLE", count: nil)
        case .grantRoles(let roles, let grantees, let withAdmin, _, let catalog):
            return try assign(roles, of: catalog, grantees, true, withAdmin, statement)
        case .revokeRoles(let roles, let grantees, let adminOption, _, let catalog):
            return try assign(roles, of: catalog, grantees, false, adminOption, statement)
        case .grant(let privileges, let object, let grantee, let withGrant):
            guard !withGrant else { throw Self.noOption("GRANT", grantee) }
            return try change(privileges, object, grantee, "GRANT", statement)
        case .deny(let privileges, let object, let grantee):
            return try change(privileges, object, grantee, "DENY", statement)
        case .revoke(let privileges, let object, let grantee, let optionOnly):
            guard !optionOnly else { throw Self.noOption("GRANT", grantee) }
            return try change(privileges, object, grantee, "REVOKE", statement)
        case .showGrants(let object): return try showGrants(object, statement)
        case .showRoleGrants(let catalog):
            return .rows(
                [QueryColumn(name: "Role Grants", type: .text)],
                ofCatalog(catalog, context.principal.roles.sorted()).map { [.text($0)] })
        default: return nil
        }
    }

    private func rightsDoor(_ statement: Statement) throws(QueryFault) -> any RightsDoor {
        guard let door = engine.rights else {
            throw QueryFault(
                .notSupported, "this engine has no directory of roles", span: statement.span)
        }
        return door
    }

    private func administering<Result>(_ body: () throws -> Result) throws(QueryFault) -> Result {
        do { return try body() } catch { throw EngineCatalogs.fault(error, about: "rights") }
    }

    private func unknownRole(
        _ name: Identifier, _ door: any RightsDoor
    ) throws(QueryFault) -> QueryFault {
        let known = try administering { try door.roles(context) }
        return QueryFault(
            .roleNotFound, "Role '\(name.canonical)' does not exist",
            hint: suggestion(name.canonical, known), span: name.span)
    }

    /// The roles of the directory; nil where there is none, and for who may not look at it.
    func allRoles() throws(QueryFault) -> [String]? {
        guard let door = engine.rights else { return nil }
        do { return try administering { try door.roles(context) } } catch {
            guard error.code == .permissionDenied else { throw error }
            return nil
        }
    }

    /// SHOW CURRENT ROLES: the caller's. SHOW ROLES: all, of those who may see them. Of a catalog: those
    /// that every warehouse has, by their short names.
    func showRoles(
        isCurrent: Bool, catalog: Identifier?
    ) throws(QueryFault) -> StatementOutcome {
        let own = context.principal.roles.sorted()
        let shown = isCurrent ? own : try allRoles() ?? own
        return .rows(
            [QueryColumn(name: "Role", type: .text)], ofCatalog(catalog, shown).map { [.text($0)] })
    }

    /// The roles of a warehouse, without its name; all where none is named.
    private func ofCatalog(_ catalog: Identifier?, _ roles: [String]) -> [String] {
        guard let catalog else { return roles }
        let prefix = catalog.canonical + "."
        return roles.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    private static func noOption(_ what: String, _ node: any SyntaxNode) -> QueryFault {
        QueryFault(
            .notSupported, "WITH \(what) OPTION is not supported",
            hint: "who may administer identities may grant", span: node.span)
    }

    private func named(_ grantee: Grantee) throws(QueryFault) -> RightsGrantee {
        switch grantee.kind {
        case .user, .unspecified: RightsGrantee(.user, grantee.name)
        case .role: RightsGrantee(.role, grantee.name)
        case .group: RightsGrantee(.group, grantee.name)
        case .currentUser: RightsGrantee(.user, context.principal.name)
        case .currentRole:
            throw QueryFault(
                .notSupported, "CURRENT_ROLE is not supported as a grantee", span: grantee.span)
        }
    }

    private func assign(
        _ roles: [Identifier], of catalog: Identifier?, _ grantees: [Grantee], _ isAssigned: Bool,
        _ withAdmin: Bool, _ statement: Statement
    ) throws(QueryFault) -> StatementOutcome {
        let door = try rightsDoor(statement)
        guard !withAdmin else { throw Self.noOption("ADMIN", statement) }
        // A warehouse's own administrator may give its roles and need not see all others.
        let known = try allRoles()
        var names: [String] = []
        for role in roles {
            let name = (catalog.map { $0.canonical + "." } ?? "") + role.canonical
            guard known?.contains(name) != false else {
                throw QueryFault(
                    .roleNotFound, "Role '\(name)' does not exist",
                    hint: suggestion(name, known ?? []), span: role.span)
            }
            names.append(name)
        }
        for grantee in grantees {
            let whom = try named(grantee)
            guard whom.kind != .role else {
                throw QueryFault(
                    .notSupported, "Roles cannot be granted to roles", span: grantee.span)
            }
            for name in names {
                try administering {
                    try door.setRole(context, name, of: whom, isAssigned: isAssigned)
                }
            }
        }
        return .done(updateType: isAssigned ? "GRANT ROLE" : "REVOKE ROLE", count: nil)
    }

    // MARK: Privileges

    /// What ALL PRIVILEGES stands for.
    private static let allPrivileges = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"]
    /// Those that are given by name alone.
    private static let otherPrivileges = ["ALTER", "DROP", "CREATE BRANCH"]

    private func change(
        _ privileges: Privileges, _ object: GrantObject, _ grantee: Grantee, _ verb: String,
        _ statement: Statement
    ) throws(QueryFault) -> StatementOutcome {
        let door = try rightsDoor(statement)
        let whom = try named(grantee)
        if whom.kind == .role, let known = try allRoles() {
            guard known.contains(whom.name.lowercased()) || known.contains(whom.name) else {
                throw QueryFault(
                    .roleNotFound, "Role '\(whom.name)' does not exist",
                    hint: suggestion(whom.name, known), span: grantee.span)
            }
        }
        let place =
            verb == "REVOKE" ? try revokedObject(object, door) : try rightsObject(object)
        var wanted: [String] = []
        switch privileges {
        case .all: wanted = Self.allPrivileges
        case .some(let names):
            for privilege in names {
                let known = Self.allPrivileges + Self.otherPrivileges
                guard known.contains(privilege.name),
                    privilege.name != "CREATE BRANCH" || place.kind == .catalog
                else {
                    throw QueryFault(
                        .invalidPrivilege, "Unknown privilege: '\(privilege.name)'",
                        hint: "there are \(known.sorted().joined(separator: ", "))"
                            + "; CREATE BRANCH on a CATALOG", span: privilege.span)
                }
                wanted.append(privilege.name)
            }
        }
        // What was denied is taken back as well, as in the standard.
        let sorts = verb == "REVOKE" ? [false, true] : [verb == "DENY"]
        let grants = wanted.flatMap { privilege in
            sorts.map {
                RightsGrant(grantee: whom, privilege: privilege, object: place, isDenial: $0)
            }
        }
        try administering {
            if verb == "REVOKE" {
                try door.revoke(context, grants)
            } else {
                try door.grant(context, grants)
            }
        }
        return .done(updateType: verb, count: nil)
    }

    /// What a right is taken away from. What the caller cannot see, such as a table denied to the caller
    /// by mistake, is known by the rights on it that the caller administers.
    private func revokedObject(
        _ object: GrantObject, _ door: any RightsDoor
    ) throws(QueryFault) -> RightsObject {
        do throws(QueryFault) { return try rightsObject(object) } catch {
            let kinds: [RightsObject.Kind]
            let path: [String]
            switch object.kind {
            case "TABLE", "VIEW", "MATERIALIZED VIEW":
                let name = try tableName(object.name)
                kinds = [.table, .view]
                path = [name.catalog] + name.identifier.namespace + [name.table]
            case "SCHEMA":
                let (catalog, schema) = try schemaName(object.name)
                kinds = [.schema]
                path = [catalog] + schema.split(separator: ".").map(String.init)
            default: throw error
            }
            let known = try administering { try door.grants(context) }.map(\.object)
            let found = known.first { object in
                kinds.contains { RightsObject($0, path).isSame(as: object) }
            }
            guard let found else { throw error }
            return found
        }
    }

    /// What rights are on; tables, views and schemas have to exist.
    private func rightsObject(_ object: GrantObject) throws(QueryFault) -> RightsObject {
        switch object.kind {
        case "TABLE", "VIEW", "MATERIALIZED VIEW":
            let name = try tableName(object.name)
            var kind = RightsObject.Kind.table
            switch try catalogs.resolve(context, name, version: .current, span: object.name.span) {
            case .table(let table, _) where table is IcebergTable: break
            case .table where catalogs.isConnected(context, name.catalog): break
            case .view: kind = .view
            case .table:
                throw QueryFault(
                    .notSupported, "Rights cannot be granted on \(name)", span: object.name.span)
            }
            return RightsObject(kind, [name.catalog] + name.identifier.namespace + [name.table])
        case "SCHEMA":
            let (catalog, schema) = try schemaName(object.name)
            guard try catalogs.schemaNames(context, catalog).contains(schema) else {
                throw QueryFault(
                    .schemaNotFound, "Schema '\(catalog).\(schema)' does not exist",
                    span: object.name.span)
            }
            return RightsObject(.schema, [catalog] + schema.split(separator: ".").map(String.init))
        case "CATALOG": return RightsObject(.catalog, [object.name.canonicalParts[0]])
        default:
            throw QueryFault(
                .notSupported, "Rights on a \(object.kind.lowercased()) are not supported",
                hint: "grant on a TABLE, VIEW, SCHEMA or CATALOG", span: object.place.span)
        }
    }

    /// SHOW GRANTS: rights on tables; those on a table itself where one is named.
    private func showGrants(
        _ object: GrantObject?, _ statement: Statement
    ) throws(QueryFault) -> StatementOutcome {
        let columns = [
            "Grantor", "Grantor Type", "Grantee", "Grantee Type", "Catalog", "Schema", "Table",
            "Privilege", "Grantable", "With Hierarchy",
        ].map { QueryColumn(name: $0, type: .text) }
        let door = try rightsDoor(statement)
        let wanted = try object.map { object throws(QueryFault) in try rightsObject(object) }
        var rows: [[LiteralValue]] = []
        for grant in try administering({ try door.grants(context) })
        where wanted?.isSame(as: grant.object) ?? true {
            let path = grant.object.path
            let isEntry = grant.object.kind == .table || grant.object.kind == .view
            let schema = isEntry ? path[1..<(path.count - 1)] : path[1...]
            rows.append([
                .null, .null, .text(grant.grantee.name), .text(grant.grantee.kind.rawValue),
                .text(path[0]),
                grant.object.kind == .catalog ? .text("*") : .text(schema.joined(separator: ".")),
                isEntry ? .text(path[path.count - 1]) : .text("*"),
                .text((grant.isDenial ? "DENY " : "") + grant.privilege), .text("NO"), .null,
            ])
        }
        return .rows(columns, rows)
    }
}

extension QueryEngine {
    /// Lets GRANT, REVOKE and roles reach the directory of identities.
    package func attach(rights: any RightsDoor) { doors.rights = rights }

    var rights: (any RightsDoor)? { doors.rights }
}
