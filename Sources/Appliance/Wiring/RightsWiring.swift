import Authority
import Identity
import SQLEngine
import SQLFunctions

/// Roles and grants of SQL in the directory of identities.
///
/// A grant to a person is one of a role that only this person has: `rights-of-NAME`, made when it is needed.
struct RegistryRights: RightsDoor {
    let registry: IdentityRegistry

    private static let prefix = "rights-of-"

    func createRole(_ context: RequestContext, _ name: String) throws -> Bool {
        try answering { try registry.ensureRole(context, name: name).isNew }
    }

    func dropRole(_ context: RequestContext, _ name: String) throws -> Bool {
        do {
            try registry.deleteRole(context, name)
            return true
        } catch let error as IdentityError where error.code == .notFound { return false } catch {
            throw Self.fault(error)
        }
    }

    func roles(_ context: RequestContext) throws -> [String] {
        try answering {
            try registry.roles(context).map(\.name).filter { !$0.hasPrefix(Self.prefix) }
        }
    }

    func setRole(
        _ context: RequestContext, _ role: String, ofUser user: String, isAssigned: Bool
    ) throws {
        try answering {
            if isAssigned {
                try registry.assignRole(context, role, toAccount: user)
            } else {
                try registry.unassignRole(context, role, fromAccount: user)
            }
        }
    }

    func grant(_ context: RequestContext, _ grant: RightsGrant) throws {
        try answering {
            let role = try role(context, grant)
            if try existing(context, grant, role) != nil { return }
            try registry.addGrant(
                context,
                Grant(
                    effect: grant.isDenial ? .deny : .allow, actions: [grant.action.rawValue],
                    resource: Self.pattern(grant.path)), toRole: role)
        }
    }

    func revoke(_ context: RequestContext, _ grant: RightsGrant) throws -> Bool {
        try answering {
            let name = grant.isUser ? Self.prefix + grant.grantee : grant.grantee
            let known = try registry.roles(context).contains { $0.name == name }
            guard known, let found = try existing(context, grant, name) else { return false }
            try registry.removeGrant(context, found.id, fromRole: name)
            return true
        }
    }

    func grants(_ context: RequestContext) throws -> [RightsGrant] {
        try answering {
            var found: [RightsGrant] = []
            for role in try registry.roles(context) {
                let isUser = role.name.hasPrefix(Self.prefix)
                let name = isUser ? String(role.name.dropFirst(Self.prefix.count)) : role.name
                for grant in role.grants where grant.resource.hasPrefix("table:") {
                    let path = grant.resource.dropFirst("table:".count).split(separator: "/")
                    for action in grant.actions.compactMap(Action.init(rawValue:)) {
                        found.append(
                            RightsGrant(
                                grantee: name, isUser: isUser, action: action,
                                path: path.map(String.init), isDenial: grant.effect == .deny))
                    }
                }
            }
            return found
        }
    }

    // MARK: The directory

    private static func pattern(_ path: [String]) -> String {
        "table:" + path.joined(separator: "/")
    }

    /// The role that holds the grant; a person's own is made and assigned.
    private func role(_ context: RequestContext, _ grant: RightsGrant) throws -> String {
        guard grant.isUser else { return grant.grantee }
        let name = Self.prefix + grant.grantee
        try registry.ensureRole(
            context, name: name, description: "What SQL granted to \(grant.grantee) alone.")
        try registry.assignRole(context, name, toAccount: grant.grantee)
        return name
    }

    private func existing(
        _ context: RequestContext, _ grant: RightsGrant, _ role: String
    ) throws -> Grant? {
        try registry.role(context, named: role).grants.first {
            $0.effect == (grant.isDenial ? .deny : .allow)
                && $0.actions == [grant.action.rawValue] && $0.rowFilter == nil
                && $0.resource == Self.pattern(grant.path)
        }
    }

    private func answering<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch { throw Self.fault(error) }
    }

    private static func fault(_ error: any Error) -> any Error {
        guard let error = error as? IdentityError else { return error }
        let code: QueryFault.Code =
            switch error.code {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .builtIn, .lastAdministrator: .permissionDenied
            default: .invalidArguments
            }
        return QueryFault(code, error.message, hint: error.hint, cause: error)
    }
}
