/// One SQL statement.
package struct Statement: SyntaxNode {
    package let kind: Kind
    package let place: Place

    package init(kind: Kind, place: Place) {
        self.kind = kind
        self.place = place
    }

    /// The statements (`SqlBase.g4`, rule `statement`).
    package indirect enum Kind: Sendable, Hashable {
        case query(Query)

        // Data.
        case insert(Insert)
        case delete(Delete)
        case update(Update)
        case merge(Merge)
        case truncateTable(QualifiedName)

        // Schemas.
        case createSchema(CreateSchema)
        case dropSchema(QualifiedName, ifExists: Bool, cascade: Bool)
        case renameSchema(QualifiedName, to: Identifier)

        // Tables.
        case createTable(CreateTable)
        case createTableAsSelect(CreateTableAsSelect)
        case dropTable(QualifiedName, ifExists: Bool)
        case alterTable(QualifiedName, ifExists: Bool, TableChange)
        case comment(CommentTarget, String?)
        case analyze(QualifiedName, properties: [Property])

        // Views.
        case createView(CreateView)
        case dropView(QualifiedName, ifExists: Bool)
        case renameView(QualifiedName, ifExists: Bool, to: QualifiedName)
        /// `ALTER VIEW v REFRESH`.
        case refreshView(QualifiedName)
        case createMaterializedView(CreateMaterializedView)
        case refreshMaterializedView(QualifiedName)
        case dropMaterializedView(QualifiedName, ifExists: Bool)
        case alterMaterializedView(QualifiedName, ifExists: Bool, MaterializedViewChange)

        // Branches.
        case createBranch(CreateBranch)
        case dropBranch(Identifier, table: QualifiedName, ifExists: Bool)
        case fastForwardBranch(Identifier, table: QualifiedName, to: Identifier)
        case showBranches(QualifiedName)
        /// Branches and tags of a whole catalog.
        case reference(ReferenceStatement)

        // Checks.
        case check(CheckStatement)

        /// Models in SQL.
        case model(ModelStatement)

        // Catalogs.
        case createCatalog(CreateCatalog)
        case dropCatalog(Identifier, ifExists: Bool, cascade: Bool)

        // Routines.
        case createFunction(FunctionSpecification, orReplace: Bool)
        case dropFunction(QualifiedName, types: [TypeName], ifExists: Bool)
        case showCreateFunction(QualifiedName)
        case call(QualifiedName, [FunctionCall.Argument])

        // Looking around.
        case use(catalog: Identifier?, schema: Identifier)
        case showCatalogs(LikePattern?)
        case showSchemas(catalog: Identifier?, LikePattern?)
        case showTables(schema: QualifiedName?, LikePattern?)
        /// DESCRIBE and DESC arrive here too.
        case showColumns(QualifiedName, LikePattern?)
        case showCreate(CreateKind, QualifiedName)
        case showFunctions(schema: QualifiedName?, LikePattern?)
        case showSession(LikePattern?)
        case showStats(StatsTarget)
        case explain(Statement, [ExplainOption])
        case explainAnalyze(Statement, isVerbose: Bool)

        // Prepared statements.
        case prepare(Identifier, Statement)
        case execute(Identifier, [Expression])
        /// The text of the statement and its place, so that errors inside it can be shown.
        case executeImmediate(String, [Expression])
        case deallocate(Identifier)
        case describeInput(Identifier)
        case describeOutput(Identifier)
        /// `DESCRIBE OUTPUT (query)`.
        case describeOutputQuery(Query)

        // Session and transactions.
        case setSession(QualifiedName, Expression)
        case resetSession(QualifiedName)
        case setSessionAuthorization(String)
        case resetSessionAuthorization
        /// nil is LOCAL.
        case setTimeZone(Expression?)
        case setPath([QualifiedName])
        case setRole(RoleChoice, catalog: Identifier?)
        case startTransaction(isolation: IsolationLevel?, isReadOnly: Bool?)
        case commit
        case rollback

        // Rights.
        case grant(Privileges, on: GrantObject, to: Grantee, withGrantOption: Bool)
        case deny(Privileges, on: GrantObject, to: Grantee)
        case revoke(Privileges, on: GrantObject, from: Grantee, grantOptionFor: Bool)
        case createRole(Identifier, admin: Grantee?, catalog: Identifier?)
        case dropRole(Identifier, ifExists: Bool, catalog: Identifier?)
        case grantRoles(
            [Identifier], to: [Grantee], withAdminOption: Bool, grantedBy: Grantee?,
            catalog: Identifier?)
        case revokeRoles(
            [Identifier], from: [Grantee], adminOptionFor: Bool, grantedBy: Grantee?,
            catalog: Identifier?)
        case setAuthorization(GrantObject, Grantee)
        case showGrants(on: GrantObject?)
        case showRoles(isCurrent: Bool, catalog: Identifier?)
        case showRoleGrants(catalog: Identifier?)

        // Row filters, masks, tags.
        case policy(PolicyStatement)
    }
}

/// `LIKE 'pattern' [ESCAPE 'c']`.
package struct LikePattern: Sendable, Hashable {
    package let pattern: String
    package let escape: String?
}

/// What SHOW CREATE shows.
package enum CreateKind: String, Sendable, Hashable, CaseIterable {
    case table = "TABLE"
    case view = "VIEW"
    case materializedView = "MATERIALIZED VIEW"
    case schema = "SCHEMA"
    case catalog = "CATALOG"
}

/// What SHOW STATS is asked about.
package enum StatsTarget: Sendable, Hashable {
    case table(QualifiedName)
    case query(Query)
}

/// One option in the parentheses of EXPLAIN.
package enum ExplainOption: Sendable, Hashable {
    case type(ExplainType)
    case format(ExplainFormat)
}

/// Which plan EXPLAIN shows.
package enum ExplainType: String, Sendable, Hashable, CaseIterable {
    case logical = "LOGICAL"
    case distributed = "DISTRIBUTED"
    case validate = "VALIDATE"
    case io = "IO"
}

/// How EXPLAIN writes the plan.
package enum ExplainFormat: String, Sendable, Hashable, CaseIterable {
    case text = "TEXT"
    case graphviz = "GRAPHVIZ"
    case json = "JSON"
}

/// The isolation levels of START TRANSACTION, by their spelling.
package enum IsolationLevel: String, Sendable, Hashable, CaseIterable {
    case readUncommitted = "READ UNCOMMITTED"
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// What SET ROLE takes: all, none or one role.
package enum RoleChoice: Sendable, Hashable {
    case all
    case none
    case role(Identifier)
}

/// `name = value` in WITH and SET PROPERTIES; no value is DEFAULT.
package struct Property: SyntaxNode {
    /// Usually one part; session properties may have a catalog before it.
    package let name: QualifiedName
    package let value: Expression?
    package let place: Place
}
