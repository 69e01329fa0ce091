import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

extension StatementRun {
    /// CREATE SCHEMA. A name with dots is a nested namespace, whose parent has to exist.
    func createSchema(_ create: CreateSchema) throws(QueryFault) -> StatementOutcome {
        let (catalogName, schema) = try schemaName(create.name)
        let (catalog, at) = try writable(catalogName, schema: schema, create.name)
        var properties: [String: String] = [:]
        for property in create.properties {
            guard property.name.description == "location" else {
                throw QueryFault(
                    .invalidTableProperty,
                    "Catalog '\(catalogName)' schema property '\(property.name)' does not exist",
                    hint: suggestion(property.name.description, ["location"]), span: property.span)
            }
            guard let value = property.value else { continue }
            properties["location"] = try text(value, of: property)
        }
        let levels = schema.split(separator: ".").map(String.init)
        let exists = try changing(schema) {
            do {
                _ = try catalog.namespace(context, at, levels)
                return true
            } catch let error as CatalogError where error.code == .noSuchNamespace { return false }
        }
        if exists {
            if create.ifNotExists { return .done(updateType: "CREATE SCHEMA", count: nil) }
            throw QueryFault(
                .schemaAlreadyExists, "Schema '\(catalogName).\(schema)' already exists",
                span: create.name.span)
        }
        do {
            try catalog.createNamespace(context, at, levels, properties: properties)
        } catch let error as CatalogError
            where error.code == .alreadyExists && create.ifNotExists
        {
            // Somebody else made it just now, which is what was asked for.
            return .done(updateType: "CREATE SCHEMA", count: nil)
        } catch { throw Self.fault(error, about: schema, exists: .schemaAlreadyExists) }
        return .done(updateType: "CREATE SCHEMA", count: nil)
    }

    /// DROP SCHEMA. CASCADE drops it with all that is in it, or nothing where something may not go.
    func dropSchema(
        _ name: QualifiedName, ifExists: Bool, cascade: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let (catalogName, schema) = try schemaName(name)
        let (catalog, at) = try writable(catalogName, schema: schema, name)
        let levels = schema.split(separator: ".").map(String.init)
        // Models would be gone at once: in a transaction a schema with models stays.
        let models = try modelsToDrop(
            of: catalogName, schema, cascade: cascade && catalogs.transaction == nil, name)
        do {
            if cascade {
                try catalog.dropNamespace(context, at, levels, withTables: .goLater)
            } else {
                try catalog.dropNamespace(context, at, levels)
            }
            for model in models { _ = try catalogs.models?.drop(context, model) }
        } catch let error as CatalogError where error.code == .noSuchNamespace {
            if !ifExists {
                throw QueryFault(
                    .schemaNotFound, "Schema '\(catalogName).\(schema)' does not exist",
                    hint: error.hint, span: name.span)
            }
        } catch let error as CatalogError where error.code == .namespaceNotEmpty {
            throw QueryFault(
                .schemaNotEmpty, "Cannot drop non-empty schema '\(schema)'",
                hint: "drop what is in it first, or write CASCADE", span: name.span, cause: error)
        } catch { throw Self.fault(error, about: schema) }
        return .done(updateType: "DROP SCHEMA", count: nil)
    }

    /// A property's value that has to be text.
    func text(_ value: Expression, of property: Property) throws(QueryFault) -> String {
        guard case (.bytes(let bytes), let type) = try evaluate(value), type.isText else {
            throw QueryFault(
                .invalidTableProperty, "property '\(property.name)' takes a text",
                span: value.span)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
