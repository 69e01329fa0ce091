/// `CREATE SCHEMA [IF NOT EXISTS] name [AUTHORIZATION owner] [WITH (…)]`.
package struct CreateSchema: Sendable, Hashable {
    package let name: QualifiedName
    package let ifNotExists: Bool
    package let owner: Grantee?
    package let properties: [Property]
}

/// What to do when the name is taken.
package enum CreateMode: Sendable, Hashable {
    case fail, ignore, replace
}

/// `CREATE [OR REPLACE] TABLE name (elements) [COMMENT text] [WITH (…)]`.
package struct CreateTable: Sendable, Hashable {
    package let name: QualifiedName
    package let mode: CreateMode
    package let elements: [TableElement]
    package let comment: String?
    package let properties: [Property]
}

/// What stands in the parentheses of CREATE TABLE: a column, or LIKE another table.
package enum TableElement: Sendable, Hashable {
    case column(ColumnDefinition)
    /// `LIKE t [INCLUDING|EXCLUDING PROPERTIES]`.
    case like(QualifiedName, includingProperties: Bool)
}

/// `name type [DEFAULT e] [NOT NULL] [COMMENT '..'] [WITH (..)]`; the name may be a path into rows.
package struct ColumnDefinition: SyntaxNode {
    package let name: QualifiedName
    package let type: TypeName
    package let defaultValue: Expression?
    package let isNullable: Bool
    package let comment: String?
    package let properties: [Property]
    package let place: Place
}

/// `CREATE TABLE name [(columns)] … AS query [WITH [NO] DATA]`.
package struct CreateTableAsSelect: Sendable, Hashable {
    package let name: QualifiedName
    package let mode: CreateMode
    package let columns: [Identifier]
    package let comment: String?
    package let properties: [Property]
    package let query: Query
    package let withData: Bool
}

/// What ALTER TABLE does. Columns are paths: `a.b` is field b of row a.
package indirect enum TableChange: Sendable, Hashable {
    case rename(to: QualifiedName)
    case addColumn(ColumnDefinition, ifNotExists: Bool, ColumnPosition?)
    case dropColumn(QualifiedName, ifExists: Bool)
    case renameColumn(QualifiedName, to: Identifier, ifExists: Bool)
    case setDataType(QualifiedName, TypeName)
    case setDefault(QualifiedName, Expression)
    case dropDefault(QualifiedName)
    case dropNotNull(QualifiedName)
    case setProperties([Property])
    case execute(Identifier, [FunctionCall.Argument], filter: Expression?)
}

/// Where ADD COLUMN puts the new column.
package enum ColumnPosition: Sendable, Hashable {
    case first
    case last
    case after(Identifier)
}

/// What COMMENT ON is about.
package enum CommentTarget: Sendable, Hashable {
    case table(QualifiedName)
    case view(QualifiedName)
    /// The last part is the column.
    case column(QualifiedName)
}

/// Whose rights a view reads with.
package enum ViewSecurity: String, Sendable, Hashable {
    case definer = "DEFINER"
    case invoker = "INVOKER"
}

/// `CREATE [OR REPLACE] VIEW name … AS query`.
package struct CreateView: Sendable, Hashable {
    package let name: QualifiedName
    package let orReplace: Bool
    package let comment: String?
    package let security: ViewSecurity?
    package let properties: [Property]
    package let query: Query
}

/// `CREATE [OR REPLACE] MATERIALIZED VIEW name … AS query`.
package struct CreateMaterializedView: Sendable, Hashable {
    package let name: QualifiedName
    package let orReplace: Bool
    package let ifNotExists: Bool
    package let gracePeriod: IntervalLiteral?
    package let whenStale: StaleBehavior?
    package let comment: String?
    package let properties: [Property]
    package let query: Query
}

/// What a reader of a stale materialized view gets (`WHEN STALE`).
package enum StaleBehavior: String, Sendable, Hashable {
    case inline = "INLINE"
    case fail = "FAIL"
}

/// What ALTER MATERIALIZED VIEW changes.
package indirect enum MaterializedViewChange: Sendable, Hashable {
    case rename(to: QualifiedName)
    case setProperties([Property])
    case execute(Identifier, [FunctionCall.Argument], filter: Expression?)
}

/// `CREATE [OR REPLACE] BRANCH [IF NOT EXISTS] name … IN TABLE table [FROM reference]`.
package struct CreateBranch: Sendable, Hashable {
    package let name: Identifier
    package let table: QualifiedName
    package let mode: CreateMode
    package let from: Identifier?
    package let properties: [Property]
}

/// `CREATE CATALOG [IF NOT EXISTS] c USING connector [COMMENT '..'] [AUTHORIZATION o] [WITH (..)]`.
package struct CreateCatalog: Sendable, Hashable {
    package let name: Identifier
    package let ifNotExists: Bool
    package let connector: Identifier
    package let comment: String?
    package let owner: Grantee?
    package let properties: [Property]
}
