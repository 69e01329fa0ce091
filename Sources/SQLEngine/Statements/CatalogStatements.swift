import Authority
import Diagnostics
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

/// CREATE CATALOG and its like, and definitions inside connected catalogs.
extension StatementRun {
    private func catalogDoor(_ node: any SyntaxNode) throws(QueryFault) -> any CatalogDoor {
        guard let door = engine.doors.catalogs else {
            throw QueryFault(
                .notSupported, "Catalogs cannot be connected here",
                hint: "start a server with `lakehouse serve`", span: node.span)
        }
        return door
    }

    /// What a statement does to catalogs themselves, or inside a connected one; nil for all others.
    func connectedDefinition(_ statement: Statement) throws(QueryFault) -> StatementOutcome? {
        switch statement.kind {
        case .createCatalog(let create): return try createCatalog(create)
        case .dropCatalog(let name, let ifExists, _):
            return try dropCatalog(name, ifExists: ifExists)
        case .createSchema(let create):
            let (name, schema) = try schemaName(create.name)
            guard let found = try changeable(name) else { return nil }
            for property in create.properties {
                throw QueryFault(
                    .invalidTableProperty,
                    "Catalog '\(name)' schema property '\(property.name)' does not exist",
                    span: property.span)
            }
            if try !found.createSchema(context, schema), !create.ifNotExists {
                throw QueryFault(
                    .schemaAlreadyExists, "Schema '\(name).\(schema)' already exists",
                    span: create.name.span)
            }
            return .done(updateType: "CREATE SCHEMA", count: nil)
        case .dropSchema(let node, let ifExists, let cascade):
            let (name, schema) = try schemaName(node)
            guard let found = try changeable(name) else { return nil }
            if try !found.dropSchema(context, schema, cascade: cascade), !ifExists {
                throw QueryFault(
                    .schemaNotFound, "Schema '\(name).\(schema)' does not exist",
                    hint: suggestion(schema, try catalogs.schemaNames(context, name)),
                    span: node.span)
            }
            return .done(updateType: "DROP SCHEMA", count: nil)
        case .createTable(let create):
            let name = try tableName(create.name)
            guard let found = try changeable(name.catalog) else { return nil }
            return try createTable(create, name, in: found)
        case .dropTable(let node, let ifExists):
            let name = try tableName(node)
            guard let found = try changeable(name.catalog) else { return nil }
            if try !found.dropTable(context, name), !ifExists {
                _ = try catalogs.resolve(context, name, version: .current, span: node.span)
            }
            return .done(updateType: "DROP TABLE", count: nil)
        case .call(let name, let arguments): return try callConnected(name, arguments)
        case .showCreate(.catalog, let name): return try showCreateCatalog(name)
        default: return nil
        }
    }

    func changeable(_ name: String) throws(QueryFault) -> (any ChangeableCatalog)? {
        try catalogs.connected(context, name) as? any ChangeableCatalog
    }

    // MARK: Catalogs

    private func createCatalog(_ create: CreateCatalog) throws(QueryFault) -> StatementOutcome {
        let door = try catalogDoor(create.name)
        let name = create.name.canonical
        if name == "system" || catalogs.isWarehouse(context, name) {
            if create.ifNotExists { return .done(updateType: "CREATE CATALOG", count: nil) }
            throw QueryFault(
                .alreadyExists, "Catalog '\(name)' already exists", span: create.name.span)
        }
        var properties: [String: String] = [:]
        for property in create.properties {
            let key = property.name.description
            guard properties[key] == nil else {
                throw QueryFault(
                    .invalidArguments, "Duplicate property: \(key)", span: property.span)
            }
            guard let value = property.value else { continue }
            let (literal, type) = try evaluate(value)
            guard let text = try self.text(of: literal, type) else { continue }
            properties[key] = text
        }
        if create.connector.canonical == "iceberg" {
            return try createWarehouse(create, properties)
        }
        if create.connector.canonical == "memory" {
            throw QueryFault(
                .notSupported, "Connector 'memory' is not supported",
                hint:
                    "CREATE CATALOG \(name) USING iceberg makes a catalog of one's own, whose tables stay",
                span: create.name.span)
        }
        let declaration = CatalogDeclaration(
            name: name, connector: create.connector.canonical, comment: create.comment,
            properties: properties)
        do throws(QueryFault) {
            if try !door.create(context, declaration, ifNotExists: create.ifNotExists),
                !create.ifNotExists
            {
                throw QueryFault(.alreadyExists, "Catalog '\(name)' already exists")
            }
        } catch {
            var fault = error
            if fault.span == nil { fault.span = create.name.span }
            throw fault
        }
        return .done(updateType: "CREATE CATALOG", count: nil)
    }

    /// CREATE CATALOG .. USING iceberg: a further warehouse.
    private func createWarehouse(
        _ create: CreateCatalog, _ properties: [String: String]
    ) throws(QueryFault) -> StatementOutcome {
        guard let door = engine.doors.warehouses else {
            throw QueryFault(
                .notSupported, "Warehouses cannot be made here",
                hint: "start a server with `lakehouse serve`", span: create.name.span)
        }
        if let other = create.properties.first(where: { $0.name.description != "location" }) {
            throw QueryFault(
                .invalidArguments, "Configuration property '\(other.name)' was not used",
                hint: "a catalog of the connector iceberg takes location only", span: other.span)
        }
        let name = create.name.canonical
        let isTaken = try catalogDoor(create.name).isDeclared(name)
        if isTaken, create.ifNotExists { return .done(updateType: "CREATE CATALOG", count: nil) }
        guard !isTaken else {
            throw QueryFault(
                .alreadyExists, "Catalog '\(name)' already exists", span: create.name.span)
        }
        do {
            try door.createWarehouse(context, name: name, location: properties["location"])
        } catch {
            var fault = EngineCatalogs.fault(error, about: name)
            if fault.span == nil { fault.span = create.name.span }
            throw fault
        }
        return .done(updateType: "CREATE CATALOG", count: nil)
    }

    private func dropCatalog(
        _ name: Identifier, ifExists: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let door = try catalogDoor(name)
        if catalogs.isWarehouse(context, name.canonical) || name.canonical == "system" {
            throw QueryFault(
                .notSupported, "Catalog '\(name.canonical)' is a warehouse and cannot be dropped",
                hint: "DROP CATALOG is for catalogs that CREATE CATALOG made", span: name.span)
        }
        do throws(QueryFault) {
            if try !door.drop(context, name.canonical), !ifExists {
                throw catalogs.unknownCatalog(context, name.canonical, span: name.span)
            }
        } catch {
            var fault = error
            if fault.span == nil { fault.span = name.span }
            throw fault
        }
        return .done(updateType: "DROP CATALOG", count: nil)
    }

    /// SHOW CREATE CATALOG: the statement that would make it again, but for its secrets.
    private func showCreateCatalog(_ name: QualifiedName) throws(QueryFault) -> StatementOutcome {
        let door = try catalogDoor(name)
        guard let declaration = try door.declaration(context, name.description) else {
            let isOther =
                catalogs.isWarehouse(context, name.description) || name.description == "system"
            if isOther {
                throw QueryFault(
                    .notSupported, "Catalog '\(name)' was not made by CREATE CATALOG",
                    span: name.span)
            }
            throw catalogs.unknownCatalog(context, name.description, span: name.span)
        }
        var text =
            "CREATE CATALOG \(SQLFormatter.quoted(name: declaration.name)) USING "
            + SQLFormatter.quoted(name: declaration.connector)
        if let comment = declaration.comment {
            text += "\nCOMMENT \(SQLFormatter.quoted(string: comment))"
        }
        if !declaration.properties.isEmpty {
            let lines = declaration.properties.sorted { $0.key < $1.key }.map {
                "   \(SQLFormatter.quoted(name: $0.key)) = \(SQLFormatter.quoted(string: $0.value))"
            }
            text += "\nWITH (\n" + lines.joined(separator: ",\n") + "\n)"
        }
        return .rows([QueryColumn(name: "Create Catalog", type: .text)], [[.text(text)]])
    }

    // MARK: Inside

    private func createTable(
        _ create: CreateTable, _ name: TableName, in catalog: any ChangeableCatalog
    ) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "CREATE TABLE", count: nil)
        guard create.mode != .replace else {
            throw QueryFault(
                .notSupported, "Catalog '\(name.catalog)' does not support replacing tables",
                hint: "DROP TABLE it first", span: create.name.span)
        }
        let schemas = try catalog.schemas(context)
        guard schemas.contains(name.schema) else {
            throw QueryFault(
                .schemaNotFound, "Schema '\(name.schema)' does not exist",
                hint: suggestion(name.schema, schemas)
                    ?? "CREATE SCHEMA \(name.catalog).\(name.schema) makes it",
                span: create.name.span)
        }
        if try catalog.table(context, name) != nil {
            if create.mode == .ignore { return outcome }
            throw QueryFault(
                .tableAlreadyExists, "Table '\(name)' already exists", span: create.name.span)
        }
        var properties: [String: LiteralValue] = [:]
        for property in create.properties {
            guard let value = property.value else { continue }
            properties[property.name.description] = try evaluate(value).0
        }
        let definition = ConnectedTableDefinition(
            columns: try columns(create), comment: create.comment, properties: properties)
        do throws(QueryFault) {
            try catalog.createTable(context, name, definition)
        } catch {
            var fault = error
            if fault.span == nil { fault.span = create.name.span }
            throw fault
        }
        return outcome
    }

    private func columns(_ create: CreateTable) throws(QueryFault) -> [TableColumn] {
        var columns: [TableColumn] = []
        for element in create.elements {
            switch element {
            case .column(let column):
                guard column.defaultValue == nil, column.properties.isEmpty,
                    let name = column.name.parts.last
                else {
                    throw QueryFault(
                        .notSupported, "Columns of external tables have a name and a type only",
                        span: column.span)
                }
                guard !columns.contains(where: { $0.name == name.canonical }) else {
                    throw QueryFault(
                        .duplicateColumnName,
                        "Column name '\(name.canonical)' specified more than once",
                        span: column.span)
                }
                columns.append(
                    TableColumn(
                        name: name.canonical, type: try LogicalType(column.type),
                        comment: column.comment))
            case .like(let source, _):
                throw QueryFault(
                    .notSupported, "LIKE is not supported for external tables", span: source.span)
            }
        }
        return columns
    }

    /// CALL of a procedure of a connected catalog; nil for others.
    private func callConnected(
        _ name: QualifiedName, _ arguments: [FunctionCall.Argument]
    ) throws(QueryFault) -> StatementOutcome? {
        let parts = name.canonicalParts
        let catalogName = parts.count == 3 ? parts[0] : parts.count == 2 ? session.catalog : nil
        guard let catalogName, parts[parts.count - 2] == "system",
            let catalog = try changeable(catalogName)
        else { return nil }
        let known = catalog.procedures
        guard let procedure = known.first(where: { $0.name == parts[parts.count - 1] }) else {
            throw QueryFault(
                .procedureNotFound, "Procedure not registered: \(name)",
                hint: suggestion(parts[parts.count - 1], known.map(\.name))
                    ?? "there is \(known.map(\.name).joined(separator: ", "))", span: name.span)
        }
        try catalog.call(
            context, procedure.name,
            try bound(arguments, procedure.parameters, required: procedure.required, name))
        return .done(updateType: "CALL", count: nil)
    }
}

extension StatementRun {
    /// What optimized plans leave to their sources.
    var sourceComputing: SourceComputing {
        SourceComputing { [catalogs, context] name in
            (try? catalogs.connected(context, name)) as? any ComputingCatalog
        }
    }

    /// The WITH clause of a table of a connected catalog; empty for others.
    func connectedProperties(_ name: TableName) throws(QueryFault) -> String {
        guard let found = try changeable(name.catalog) else { return "" }
        let properties = try found.properties(context, name)
        if properties.isEmpty { return "" }
        return "\nWITH (\n"
            + properties.map { "   \($0.name) = \($0.value)" }.joined(separator: ",\n") + "\n)"
    }
}
