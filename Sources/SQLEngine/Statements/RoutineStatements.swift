import Authority
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// CREATE, DROP and SHOW CREATE FUNCTION. A routine is a property of its namespace, so that it lives on
/// the catalog's branch and is dropped with the schema:
///
///     sql.function.NAME(TYPE, …)  =  FUNCTION NAME(x TYPE, …) RETURNS … …
extension StatementRun {
    func createFunction(
        _ function: FunctionSpecification, orReplace: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let name = try tableName(function.name)
        let (catalog, at) = try writable(name.catalog, schema: name.schema, function.name)
        try policyBinder.check(function)
        let key = try RoutineStorage.key(name.table, function.parameters.map(\.type))
        let levels = name.identifier.namespace
        let known = try routineProperties(name)
        guard orReplace || known[key] == nil else {
            throw QueryFault(
                .alreadyExists, "Function already exists: \(name)", span: function.name.span)
        }
        try changing("\(name)") {
            _ = try catalog.updateNamespace(
                context, at, levels, set: [key: RoutineStorage.text(of: function)], remove: [])
        }
        return .done(updateType: "CREATE FUNCTION", count: nil)
    }

    func dropFunction(
        _ written: QualifiedName, _ types: [TypeName], ifExists: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let name = try tableName(written)
        let (catalog, at) = try writable(name.catalog, schema: name.schema, written)
        let key = try RoutineStorage.key(name.table, types)
        let known = try routineProperties(name)
        guard known[key] != nil else {
            if ifExists { return .done(updateType: "DROP FUNCTION", count: nil) }
            let others = known.keys.filter { $0.hasPrefix(RoutineStorage.prefix(name.table)) }
            throw QueryFault(
                .functionNotFound, "Function not found: \(name)",
                hint: others.isEmpty
                    ? nil : "there is one with other parameters; name their types in parentheses",
                span: written.span)
        }
        try changing("\(name)") {
            _ = try catalog.updateNamespace(
                context, at, name.identifier.namespace, set: [:], remove: [key])
        }
        return .done(updateType: "DROP FUNCTION", count: nil)
    }

    func showCreateFunction(_ written: QualifiedName) throws(QueryFault) -> StatementOutcome {
        let name = try tableName(written)
        let texts = try catalogs.routines(context, name)
        guard !texts.isEmpty else {
            throw QueryFault(.notFound, "Function not found: \(name)", span: written.span)
        }
        return .rows(
            [QueryColumn(name: "Create Function", type: .text)],
            texts.map { [.text("CREATE " + $0)] })
    }

    private func routineProperties(_ name: TableName) throws(QueryFault) -> [String: String] {
        let catalog = try self.catalog()
        return try changing("\(name)") {
            try catalog.namespace(
                context, CatalogReference(parsing: name.catalog), name.identifier.namespace
            ).properties
        }
    }
}

/// How routines stand in the properties of a namespace.
enum RoutineStorage {
    /// What the keys of all routines of a name begin with.
    static func prefix(_ name: String) -> String { "\(prefixOfAll)\(name)(" }
    static let prefixOfAll = "sql.function."

    static func key(_ name: String, _ types: [TypeName]) throws(QueryFault) -> String {
        var names: [String] = []
        for type in types { names.append(try LogicalType(type).description) }
        return prefix(name) + names.joined(separator: ",") + ")"
    }

    static func text(of function: FunctionSpecification) -> String {
        let text = SQLFormatter.format(
            Statement(kind: .createFunction(function, orReplace: false), place: function.place))
        return text.hasPrefix("CREATE ") ? String(text.dropFirst("CREATE ".count)) : text
    }
}

extension EngineCatalogs {
    /// The texts of the routines of a name.
    func routines(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [String] {
        try routines(context, name, RoutineStorage.prefix(name.table))
    }

    /// The texts of all routines of the name's schema, in order of their names.
    func allRoutines(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [String] {
        try routines(context, name, RoutineStorage.prefixOfAll)
    }

    private func routines(
        _ context: RequestContext, _ name: TableName, _ prefix: String
    ) throws(QueryFault) -> [String] {
        guard let catalog, isWarehouse(context, name.catalog) else { return [] }
        do {
            let properties = try catalog.namespace(
                context, CatalogReference(parsing: name.catalog), name.identifier.namespace
            ).properties
            return properties.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
                .map(\.value)
        } catch let error as CatalogError where error.code == .noSuchNamespace {
            return []
        } catch is AccessDenied {
            // What one may not list is not there.
            return []
        } catch { throw Self.fault(error, about: "\(name)") }
    }
}
