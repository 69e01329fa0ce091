package import Authority

extension IdentityRegistry {
    /// The principal of an account by its name, with groups and roles; throws for one that is unknown or
    /// disabled. For doors that let somebody act for somebody else, which they decide beforehand.
    package func principal(_ context: RequestContext, named name: String) throws -> Principal {
        try activePrincipal(find(name, context.tenant).id)
    }

    /// The principal of an account by its id, as it is now; throws for one that is gone or disabled. For work
    /// that goes on in somebody's name after they have left.
    package func principal(id: String) throws -> Principal { try activePrincipal(id) }
}
