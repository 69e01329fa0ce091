/// Statements about the branches and tags of a whole catalog. Those of one table are Iceberg's own:
/// `CREATE BRANCH b IN TABLE t`.
package enum ReferenceStatement: Sendable, Hashable {
    /// What is made, dropped or listed.
    package enum Kind: String, Sendable, Hashable {
        case branch = "BRANCH"
        case tag = "TAG"
    }

    /// `CREATE BRANCH|TAG [IF NOT EXISTS] name [IN [CATALOG] c] [FROM ref]`.
    case create(Kind, Identifier, catalog: Identifier?, from: Identifier?, ifNotExists: Bool)
    /// `DROP BRANCH|TAG [IF EXISTS] name [IN [CATALOG] c]`.
    case drop(Kind, Identifier, catalog: Identifier?, ifExists: Bool)
    /// `MERGE BRANCH name [IN [CATALOG] c] [INTO ref] [AND DROP] [DRY RUN]`.
    case merge(Identifier, catalog: Identifier?, into: Identifier?, drops: Bool, isDryRun: Bool)
    /// `SHOW BRANCHES [FROM|IN [CATALOG] c]`, `SHOW TAGS FROM|IN CATALOG c`: without CATALOG, tags are
    /// those of tables and columns.
    case list(Kind, catalog: Identifier?)
    /// `SHOW BRANCH CHANGES name [IN [CATALOG] c]`.
    case changes(Identifier, catalog: Identifier?)
    /// `SHOW BRANCH LOG name [IN [CATALOG] c]`.
    case log(Identifier, catalog: Identifier?)
}
