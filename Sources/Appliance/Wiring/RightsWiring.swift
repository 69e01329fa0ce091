import Authority
import Identity
import SQLEngine
import SQLFunctions

/// The directory of identities says who may name a view.
extension IdentityRegistry: ViewGovernance {}

/// Roles and grants of SQL in the directory of identities.
struct RegistryRights: RightsDoor {
    let registry: IdentityRegistry

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
            try registry.roles(context).map(\.name).filter {
                PolicySubject(rightsRoleName: $0).kind == .role
            }
        }
    }

    func setRole(
        _ context: RequestContext, _ role: String, of grantee: RightsGrantee, isAssigned: Bool
    ) throws {
        try answering {
            try registry.setRole(
                context, role, of: Self.subject(grantee), isAssigned: isAssigned)
        }
    }

    func grant(_ context: RequestContext, _ grants: [RightsGrant]) throws {
        try answering { try registry.grant(context, grants.map(Self.right)) }
    }

    func revoke(_ context: RequestContext, _ grants: [RightsGrant]) throws {
        _ = try answering { try registry.revoke(context, grants.map(Self.right)) }
    }

    func grants(_ context: RequestContext) throws -> [RightsGrant] {
        try answering { try registry.catalogRights(context).map(Self.grant) }
    }

    // MARK: The directory's words

    private static func subject(_ grantee: RightsGrantee) -> PolicySubject {
        switch grantee.kind {
        case .user: PolicySubject(.user, grantee.name)
        case .role: PolicySubject(.role, grantee.name)
        case .group: PolicySubject(.group, grantee.name)
        }
    }

    private static func right(_ grant: RightsGrant) throws -> CatalogRight {
        guard let privilege = CatalogPrivilege(rawValue: grant.privilege) else {
            throw QueryFault(.invalidPrivilege, "Unknown privilege: '\(grant.privilege)'")
        }
        let kind: CatalogObject.Kind =
            switch grant.object.kind {
            case .catalog: .warehouse
            case .schema: .namespace
            case .table: .table
            case .view: .view
            }
        return CatalogRight(
            grantee: subject(grant.grantee), privilege: privilege,
            object: CatalogObject(kind, grant.object.path), isDenial: grant.isDenial)
    }

    private static func grant(_ right: CatalogRight) -> RightsGrant {
        let whom: RightsGrantee.Kind =
            switch right.grantee.kind {
            case .user: .user
            case .role: .role
            case .group: .group
            }
        let kind: RightsObject.Kind =
            switch right.object.kind {
            case .warehouse: .catalog
            case .namespace: .schema
            case .table: .table
            case .view: .view
            }
        return RightsGrant(
            grantee: RightsGrantee(whom, right.grantee.name),
            privilege: right.privilege.rawValue, object: RightsObject(kind, right.object.path),
            isDenial: right.isDenial)
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
