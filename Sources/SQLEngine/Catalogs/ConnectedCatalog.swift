package import Authority
package import SQLExecution
package import SQLFunctions
package import SQLPlanning

/// A catalog that is no warehouse of ours: another database, generated data, files. The engine reads its
/// tables as any others.
package protocol ConnectedCatalog: AnyObject, Sendable {
    /// The connector, as `CREATE CATALOG … USING` names it.
    var connector: String { get }
    /// Whether everybody who may run SQL may read all of it, as generated data.
    var isOpen: Bool { get }
    /// The schemas, without `information_schema`.
    func schemas(_ context: RequestContext) throws(QueryFault) -> [String]
    /// Tables and views of a schema; empty where there is no such schema.
    func relations(
        _ context: RequestContext, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)]
    /// A table in its present state; nil where there is none.
    func table(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> (any PlannedTable)?
}

/// A connected catalog that computes more than scans on its own side.
package protocol ComputingCatalog: ConnectedCatalog {
    /// A table whose rows are those of the plan, columns in the order of the plan's outputs; nil when the
    /// source's answer would not surely be ours. All tables of the plan are this catalog's.
    func computed(_ plan: LogicalPlan) -> (any ExecutableTable)?
}

/// A connected catalog in which SQL makes schemas and tables. Its verbs ask the authorizer.
package protocol ChangeableCatalog: ConnectedCatalog {
    /// Makes a schema; false where there is one of the name.
    func createSchema(_ context: RequestContext, _ name: String) throws(QueryFault) -> Bool
    /// Removes a schema, with its tables where `cascade`; false where there is none.
    func dropSchema(
        _ context: RequestContext, _ name: String, cascade: Bool
    ) throws(QueryFault) -> Bool
    /// Makes a table that does not exist.
    func createTable(
        _ context: RequestContext, _ name: TableName, _ definition: ConnectedTableDefinition
    ) throws(QueryFault)
    /// Removes a table; false where there is none.
    func dropTable(_ context: RequestContext, _ name: TableName) throws(QueryFault) -> Bool
    /// The procedures of the catalog's schema `system`: their parameters by name, required ones first.
    var procedures: [ConnectedProcedure] { get }
    /// Runs one of the procedures.
    func call(
        _ context: RequestContext, _ procedure: String, _ arguments: [LiteralValue?]
    ) throws(QueryFault)
    /// The properties of a table as `SHOW CREATE TABLE` writes them: names and SQL expressions.
    func properties(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [(name: String, value: String)]
}

/// A procedure that CALL finds.
package struct ConnectedProcedure: Sendable {
    package var name: String
    package var parameters: [String]
    /// How many of the parameters must be given.
    package var required: Int

    package init(name: String, parameters: [String], required: Int) {
        self.name = name
        self.parameters = parameters
        self.required = required
    }
}

/// What CREATE TABLE says of a table of a connected catalog.
package struct ConnectedTableDefinition: Sendable {
    /// Empty: the catalog finds out.
    package var columns: [TableColumn]
    package var comment: String?
    /// By name, evaluated; texts, lists of texts, numbers, flags.
    package var properties: [String: LiteralValue]

    package init(
        columns: [TableColumn], comment: String? = nil, properties: [String: LiteralValue]
    ) {
        self.columns = columns
        self.comment = comment
        self.properties = properties
    }
}

/// What CREATE CATALOG says.
package struct CatalogDeclaration: Sendable, Hashable {
    package var name: String
    package var connector: String
    package var comment: String?
    /// By name. Secrets are replaced by asterisks wherever a declaration is shown.
    package var properties: [String: String]

    package init(
        name: String, connector: String, comment: String? = nil, properties: [String: String]
    ) {
        self.name = name
        self.connector = connector
        self.comment = comment
        self.properties = properties
    }
}

/// The connected catalogs, as the engine wants them.
package protocol CatalogDoor: Sendable {
    /// The names that the caller may use, in order.
    func names(_ context: RequestContext) -> [String]
    /// Whether there is a catalog of that name, whoever may use it; asks nobody for rights.
    func isDeclared(_ name: String) -> Bool
    /// The catalog of that name; nil where there is none that the caller may use. Connects no sooner than
    /// something is asked of it.
    func connected(
        _ context: RequestContext, _ name: String
    ) throws(QueryFault) -> (any ConnectedCatalog)?
    /// What of a table the caller may see.
    func decision(_ context: RequestContext, _ name: TableName) -> Decision
    /// Adds a catalog after checking its properties; false where there is one of the name and
    /// `ifNotExists` allows that. Asks for the right to administer the system.
    func create(
        _ context: RequestContext, _ declaration: CatalogDeclaration, ifNotExists: Bool
    ) throws(QueryFault) -> Bool
    /// Removes a catalog, not what it stands for; false where there is none.
    func drop(_ context: RequestContext, _ name: String) throws(QueryFault) -> Bool
    /// How a catalog was declared, without secrets; nil where there is none.
    func declaration(
        _ context: RequestContext, _ name: String
    ) throws(QueryFault) -> CatalogDeclaration?
}

extension QueryEngine {
    /// Lets SQL reach catalogs that are no warehouses.
    package func attach(catalogs: any CatalogDoor) { doors.catalogs = catalogs }
}
