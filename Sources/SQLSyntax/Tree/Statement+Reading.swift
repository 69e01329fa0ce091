extension Statement {
    /// Whether the statement only reads, by its syntax tree: a text that looks harmless may not be.
    ///
    /// Only what is known to read is. EXPLAIN ANALYZE runs its statement, so it reads with one that
    /// reads; EXPLAIN runs nothing and may show the plan of a change. Prepared statements do not count:
    /// the text that EXECUTE runs is not in front of us. CALL runs procedures.
    package var onlyReads: Bool {
        switch kind {
        case .query, .showCatalogs, .showSchemas, .showTables, .showColumns, .showCreate,
            .showFunctions, .showCreateFunction, .showSession, .showStats, .showBranches,
            .showRoles,
            .showGrants, .showRoleGrants, .describeOutputQuery:
            true
        case .model(let model):
            switch model {
            case .show, .describe: true
            case .create, .drop: false
            }
        case .check(let check):
            if case .list = check { true } else { false }
        case .policy(let policy):
            switch policy {
            case .showRowFilters, .showMasks, .showTags, .showEffectiveAccess: true
            default: false
            }
        case .explain(let inner, _): inner.isShown
        case .explainAnalyze(let inner, _): inner.onlyReads
        default: false
        }
    }

    /// What EXPLAIN may have behind it: a query or a change of rows, and no statement that would run.
    private var isShown: Bool {
        switch kind {
        case .insert, .delete, .update, .merge, .createTableAsSelect: true
        default: onlyReads
        }
    }
}
