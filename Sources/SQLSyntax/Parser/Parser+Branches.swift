import Diagnostics

// Branches and tags of a whole catalog.

extension Parser {
    /// After CREATE BRANCH or TAG, where no table is named.
    func createReference(
        _ kind: ReferenceStatement.Kind, _ name: Identifier, ifNotExists: Bool
    ) throws(SQLSyntaxError) -> Statement.Kind {
        let catalog = try inCatalog()
        let from: Identifier? = take("FROM") ? try identifier() : nil
        return .reference(
            .create(kind, name, catalog: catalog, from: from, ifNotExists: ifNotExists))
    }

    /// After CREATE TAG.
    func createTag() throws(SQLSyntaxError) -> Statement.Kind {
        let ifNotExists = ifNotExists()
        return try createReference(.tag, try identifier(), ifNotExists: ifNotExists)
    }

    /// After DROP BRANCH or TAG and its name, where no table is named.
    func dropReference(
        _ kind: ReferenceStatement.Kind, _ name: Identifier, ifExists: Bool
    ) throws(SQLSyntaxError) -> Statement.Kind {
        .reference(.drop(kind, name, catalog: try inCatalog(), ifExists: ifExists))
    }

    /// After DROP TAG.
    func dropTag() throws(SQLSyntaxError) -> Statement.Kind {
        let ifExists = ifExists()
        return try dropReference(.tag, try identifier(), ifExists: ifExists)
    }

    /// After MERGE BRANCH.
    func mergeBranch() throws(SQLSyntaxError) -> Statement.Kind {
        let name = try identifier()
        let catalog = try inCatalog()
        let into: Identifier? = take("INTO") ? try identifier() : nil
        let drops = take("AND", "DROP")
        return .reference(
            .merge(
                name, catalog: catalog, into: into, drops: drops, isDryRun: take("DRY", "RUN")))
    }

    /// After SHOW: branches and tags of a catalog; nil where something else is shown.
    func showReferences() throws(SQLSyntaxError) -> Statement.Kind? {
        if at("TAGS") {
            advance()
            return .reference(.list(.tag, catalog: try fromCatalog()))
        }
        if at("BRANCHES") {
            advance()
            // A table is named with TABLE before it, as in Trino, or by more than one part.
            let isTable =
                (token.word == "IN" || token.word == "FROM")
                && (next("TABLE") || (next(".", 2) && isName(peek())))
            if isTable {
                advance()
                _ = take("TABLE")
                return .showBranches(try qualifiedName())
            }
            return .reference(.list(.branch, catalog: try fromCatalog()))
        }
        if take("BRANCH", "CHANGES") {
            let name = try identifier()
            return .reference(.changes(name, catalog: try inCatalog()))
        }
        if take("BRANCH", "LOG") {
            let name = try identifier()
            return .reference(.log(name, catalog: try inCatalog()))
        }
        return nil
    }

    /// `IN [CATALOG] c`, if it is here.
    private func inCatalog() throws(SQLSyntaxError) -> Identifier? {
        take("IN") ? try catalogName() : nil
    }

    /// `FROM|IN [CATALOG] c`, if it is here.
    private func fromCatalog() throws(SQLSyntaxError) -> Identifier? {
        take("FROM") || take("IN") ? try catalogName() : nil
    }

    private func catalogName() throws(SQLSyntaxError) -> Identifier {
        if at("CATALOG"), isName(peek()) { advance() }
        return try identifier()
    }
}
