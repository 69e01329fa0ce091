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
    /// The names of all roles.
    func roles(_ context: RequestContext) throws -> [String]
    /// Gives a role to a person, or takes it. Throws ROLE_NOT_FOUND and NOT_FOUND.
    func setRole(
        _ context: RequestContext, _ role: String, ofUser user: String, isAssigned: Bool
    ) throws
    /// Allows or denies actions on resources to a role or a person.
    func grant(_ context: RequestContext, _ grant: RightsGrant) throws
    /// Takes actions away again; false where they were not granted so.
    func revoke(_ context: RequestContext, _ grant: RightsGrant) throws -> Bool
    /// Every grant on tables that the caller may see.
    func grants(_ context: RequestContext) throws -> [RightsGrant]
}

/// One right of a role or a person.
package struct RightsGrant: Sendable, Hashable {
    /// A role, or a person where `isUser`.
    package var grantee: String
    package var isUser: Bool
    package var action: Action
    /// The levels of the resource's path: warehouse, namespace, table; `*` and `**` as in policies.
    package var path: [String]
    package var isDenial: Bool

    package init(
        grantee: String, isUser: Bool, action: Action, path: [String], isDenial: Bool = false
    ) {
        self.grantee = grantee
        self.isUser = isUser
        self.action = action
        self.path = path
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
        case .grantRoles(let roles, let grantees, let withAdmin, _, _):
            return try assign(roles, grantees, true, withAdmin, statement)
        case .revokeRoles(let roles, let grantees, let adminOption, _, _):
            return try assign(roles, grantees, false, adminOption, statement)
        case .grant(let privileges, let object, let grantee, let withGrant):
            guard !withGrant else { throw Self.noOption("GRANT", grantee) }
            return try change(privileges, object, grantee, "GRANT", statement)
        case .deny(let privileges, let object, let grantee):
            return try change(privileges, object, grantee, "DENY", statement)
        case .revoke(let privileges, let object, let grantee, let optionOnly):
            guard !optionOnly else { throw Self.noOption("GRANT", grantee) }
            return try change(privileges, object, grantee, "REVOKE", statement)
        case .showGrants(let object): return try showGrants(object, statement)
        case .showRoleGrants:
            return .rows(
                [QueryColumn(name: "Role Grants", type: .text)],
                context.principal.roles.sorted().map { [.text($0)] })
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

    private static func noOption(_ what: String, _ node: any SyntaxNode) -> QueryFault {
        QueryFault(
            .notSupported, "WITH \(what) OPTION is not supported",
            hint: "who may administer identities may grant", span: node.span)
    }

    /// The name of who is meant, and whether it is a person's.
    private func named(_ grantee: Grantee) throws(QueryFault) -> (name: String, isUser: Bool) {
        switch grantee.kind {
        case .user, .unspecified: (grantee.name, true)
        case .role: (grantee.name, false)
        case .currentUser: (context.principal.name, true)
        case .currentRole:
            throw QueryFault(
                .notSupported, "CURRENT_ROLE is not supported as a grantee", span: grantee.span)
        }
    }

    private func assign(
        _ roles: [Identifier], _ grantees: [Grantee], _ isAssigned: Bool, _ withAdmin: Bool,
        _ statement: Statement
    ) throws(QueryFault) -> StatementOutcome {
        let door = try rightsDoor(statement)
        guard !withAdmin else { throw Self.noOption("ADMIN", statement) }
        let known = try administering { try door.roles(context) }
        for role in roles where !known.contains(role.canonical) {
            throw try unknownRole(role, door)
        }
        for grantee in grantees {
            let (name, isUser) = try named(grantee)
            guard isUser else {
                throw QueryFault(
                    .notSupported, "Roles cannot be granted to roles", span: grantee.span)
            }
            for role in roles {
                try administering {
                    try door.setRole(
                        context, role.canonical, ofUser: name, isAssigned: isAssigned)
                }
            }
        }
        return .done(updateType: isAssigned ? "GRANT ROLE" : "REVOKE ROLE", count: nil)
    }

    // MARK: Privileges

    /// The actions that a privilege of Trino's stands for.
    private static let actions: [String: [Action]] = [
        "SELECT": [.tableSelect], "INSERT": [.tableInsert], "UPDATE": [.tableUpdate],
        "DELETE": [.tableDelete], "CREATE": [.tableCreate],
    ]

    private func change(
        _ privileges: Privileges, _ object: GrantObject, _ grantee: Grantee, _ verb: String,
        _ statement: Statement
    ) throws(QueryFault) -> StatementOutcome {
        let door = try rightsDoor(statement)
        let (name, isUser) = try named(grantee)
        if !isUser {
            let known = try administering { try door.roles(context) }
            guard known.contains(name.lowercased()) || known.contains(name) else {
                throw QueryFault(
                    .roleNotFound, "Role '\(name)' does not exist", hint: suggestion(name, known),
                    span: grantee.span)
            }
        }
        let path = try path(of: object)
        var wanted: [Action] = []
        switch privileges {
        case .all: wanted = [.tableSelect, .tableInsert, .tableUpdate, .tableDelete, .tableCreate]
        case .some(let names):
            for privilege in names {
                guard let actions = Self.actions[privilege.name] else {
                    throw QueryFault(
                        .invalidPrivilege, "Unknown privilege: '\(privilege.name)'",
                        hint: "there are \(Self.actions.keys.sorted().joined(separator: ", "))",
                        span: privilege.span)
                }
                wanted += actions
            }
        }
        for action in wanted {
            var grant = RightsGrant(
                grantee: name, isUser: isUser, action: action, path: path,
                isDenial: verb == "DENY")
            if verb == "REVOKE" {
                // What was denied is taken back as well, as in the standard.
                _ = try administering { try door.revoke(context, grant) }
                grant.isDenial = true
                _ = try administering { try door.revoke(context, grant) }
            } else {
                try administering { try door.grant(context, grant) }
            }
        }
        return .done(updateType: verb, count: nil)
    }

    /// The path of what rights are on; tables and schemas have to exist.
    private func path(of object: GrantObject) throws(QueryFault) -> [String] {
        switch object.kind {
        case "TABLE", "VIEW":
            let name = try tableName(object.name)
            switch try catalogs.resolve(context, name, version: .current, span: object.name.span) {
            case .table(let table, _) where table is IcebergTable: break
            case .table where catalogs.isConnected(context, name.catalog): break
            case .view: break
            case .table:
                throw QueryFault(
                    .notSupported, "Rights cannot be granted on \(name)", span: object.name.span)
            }
            return [name.catalog] + name.identifier.namespace + [name.table]
        case "SCHEMA":
            let (catalog, schema) = try schemaName(object.name)
            guard try catalogs.schemaNames(context, catalog).contains(schema) else {
                throw QueryFault(
                    .schemaNotFound, "Schema '\(catalog).\(schema)' does not exist",
                    span: object.name.span)
            }
            return [catalog] + schema.split(separator: ".").map(String.init) + ["*"]
        case "CATALOG": return [object.name.canonicalParts[0], "**"]
        default:
            throw QueryFault(
                .notSupported, "Rights on a \(object.kind.lowercased()) are not supported",
                hint: "grant on a TABLE, SCHEMA or CATALOG", span: object.place.span)
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
        let wanted = try object.map { object throws(QueryFault) in try path(of: object) }
        var rows: [[LiteralValue]] = []
        for grant in try administering({ try door.grants(context) }) {
            guard wanted == nil || wanted == grant.path, grant.path.count >= 2,
                let privilege = Self.actions.first(where: { $0.value == [grant.action] })?.key
            else { continue }
            rows.append([
                .null, .null, .text(grant.grantee), .text(grant.isUser ? "USER" : "ROLE"),
                .text(grant.path[0]),
                .text(grant.path[1..<(grant.path.count - 1)].joined(separator: ".")),
                .text(grant.path[grant.path.count - 1]),
                .text((grant.isDenial ? "DENY " : "") + privilege), .text("NO"), .null,
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
