package import Authority

extension IdentityRegistry {
    /// The principal of an account by its name, with groups and roles; throws for one that is unknown or
    /// disabled. For doors that let somebody act for somebody else, which they decide beforehand.
    package func principal(_ context: RequestContext, named name: String) throws -> Principal {
        try activePrincipal(find(name, context.tenant).id)
    }
}
