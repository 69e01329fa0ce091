import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

extension StatementRun {
    /// CREATE TABLE with columns; CREATE TABLE AS is `DataStatements`' work.
    func createTable(_ create: CreateTable) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "CREATE TABLE", count: nil)
        let name = try tableName(create.name)
        let (catalog, at) = try writable(name.catalog, schema: name.schema, create.name)
        if create.elements.isEmpty {
            throw QueryFault(
                .notSupported, "a table needs columns",
                hint: "write them in parentheses, or AS query",
                span: create.name.span)
        }
        if try isTaken(name, create.mode, create.name) { return outcome }
        let definition = try definition(create, name)
        if create.mode == .replace, let old = try existing(name, create.name) {
            try replace(old, definition, catalog, at)
            return outcome
        }
        try self.create(definition, name, ignoresExisting: create.mode == .ignore, catalog, at)
        return outcome
    }

    /// Makes a table without rows.
    func create(
        _ definition: TableDefinition, _ name: TableName, ignoresExisting: Bool, _ catalog: Catalog,
        _ at: CatalogReference
    ) throws(QueryFault) {
        do {
            _ = try catalog.createTable(
                context, at, namespace: name.identifier.namespace,
                definition.creation(named: name.table))
        } catch let error as CatalogError where error.code == .alreadyExists && ignoresExisting {
            return
        } catch { throw Self.fault(error, about: "\(name)") }
    }

    /// Replaces a table by an empty one; its history stays.
    func replace(
        _ old: IcebergTable, _ definition: TableDefinition, _ catalog: Catalog,
        _ at: CatalogReference
    ) throws(QueryFault) {
        let updates = try definition.replacing(old.metadata)
        try changing("\(old.name)") {
            _ = try catalog.commit(
                context, at,
                TableCommit(
                    identifier: old.identifier, requirements: old.metadata.unchanged,
                    updates: updates))
        }
    }

    /// Whether the name has a table already that the statement accepts; throws where it does not.
    func isTaken(
        _ name: TableName, _ mode: CreateMode, _ node: QualifiedName
    ) throws(QueryFault) -> Bool {
        if mode == .replace { return false }
        guard try exists(name) else { return false }
        if mode == .ignore { return true }
        throw QueryFault(.tableAlreadyExists, "Table '\(name)' already exists", span: node.span)
    }

    private func exists(_ name: TableName) throws(QueryFault) -> Bool {
        do throws(QueryFault) {
            _ = try catalogs.resolve(context, name, version: .current, span: nil)
            return true
        } catch {
            if error.code == .tableNotFound { return false }
            throw error
        }
    }

    /// The table that CREATE OR REPLACE replaces; nil where there is none.
    func existing(_ name: TableName, _ node: QualifiedName) throws(QueryFault) -> IcebergTable? {
        do throws(QueryFault) {
            switch try catalogs.resolve(context, name, version: .current, span: node.span) {
            case .table(let table as IcebergTable, _): return table
            case .table, .view:
                throw QueryFault(
                    .tableAlreadyExists, "'\(name)' exists and is not a table",
                    hint: "DROP VIEW it first", span: node.span)
            }
        } catch {
            if error.code == .tableNotFound { return nil }
            throw error
        }
    }

    private func definition(
        _ create: CreateTable, _ name: TableName
    ) throws(QueryFault) -> TableDefinition {
        var written = try TableProperties(create.properties, of: name.catalog, in: self)
        var fields: [NestedField] = []
        var names: Set<String> = []
        var nextID: Int32 = 0
        func add(_ field: NestedField, _ node: any SyntaxNode) throws(QueryFault) {
            guard names.insert(field.name.lowercased()).inserted else {
                throw QueryFault(
                    .duplicateColumnName, "Column name '\(field.name)' specified more than once",
                    span: node.span)
            }
            fields.append(field)
        }
        for element in create.elements {
            switch element {
            case .column(let column):
                if let value = column.defaultValue {
                    try Self.requireDefaults(written.formatVersion ?? 2, value)
                }
                try add(
                    try field(column, &nextID, formatVersion: written.formatVersion ?? 2), column)
            case .like(let source, let includesProperties):
                let like = try likeSource(source)
                for var field in like.fields {
                    nextID += 1
                    field.id = nextID
                    // Rows of the new table were all written with it.
                    field.initialDefault = nil
                    let version = includesProperties ? like.metadata?.formatVersion : nil
                    if (written.formatVersion ?? version ?? 2) < 3 { field.writeDefault = nil }
                    field.type = field.type.renumbered(&nextID)
                    try add(field, source)
                }
                if includesProperties, let metadata = like.metadata {
                    written.inherit(metadata)
                }
            }
        }
        return try TableDefinition(fields: fields, comment: create.comment, written)
    }

    /// One written column as a field with a fresh id.
    func field(
        _ column: ColumnDefinition, _ nextID: inout Int32, formatVersion: Int
    ) throws(QueryFault) -> NestedField {
        guard column.properties.isEmpty else {
            throw QueryFault(
                .notSupported, "Column properties are not supported", span: column.span)
        }
        guard let name = column.name.parts.last else {
            throw QueryFault(.missingColumnName, "Column name not specified", span: column.span)
        }
        do throws(QueryFault) {
            var field = try TableDefinition.field(
                name.canonical, LogicalType(column.type), isRequired: !column.isNullable,
                comment: column.comment, formatVersion: formatVersion, &nextID)
            if let value = column.defaultValue {
                field.writeDefault = try defaultValue(value, of: field)
            }
            return field
        } catch {
            var fault = error
            if fault.span == nil { fault.span = column.type.span }
            throw fault
        }
    }

    /// The columns of `LIKE t`, and what else an Iceberg table has.
    private func likeSource(
        _ name: QualifiedName
    ) throws(QueryFault) -> (fields: [NestedField], metadata: TableMetadata?) {
        let table = try tableName(name)
        switch try catalogs.resolve(context, table, version: .current, span: name.span) {
        case .table(let iceberg as IcebergTable, _):
            return (
                iceberg.fields.map { field in
                    var copy = field
                    copy.name = field.name.lowercased()
                    return copy
                }, iceberg.metadata
            )
        case .table(let other, _):
            return (try fields(of: other.columns.filter { !$0.isHidden }), nil)
        case .view(let view): return (try fields(of: view.columns), nil)
        }
    }

    private func fields(of columns: [TableColumn]) throws(QueryFault) -> [NestedField] {
        var nextID: Int32 = 0
        var fields: [NestedField] = []
        for column in columns {
            fields.append(
                try TableDefinition.field(
                    column.name, column.type, isRequired: !column.isNullable,
                    comment: column.comment, &nextID))
        }
        return fields
    }

    /// DROP TABLE: the table, and its files when it cannot be had back any more.
    func dropTable(_ name: QualifiedName, ifExists: Bool) throws(QueryFault) -> StatementOutcome {
        let table = try tableName(name)
        let (catalog, at) = try writable(table.catalog, schema: table.schema, name)
        do {
            try catalog.dropTable(context, at, table.identifier, files: .goLater)
        } catch let error as CatalogError
            where error.code == .noSuchTable || error.code == .noSuchNamespace
        {
            if !ifExists {
                if let view = try catalogs.view(context, table, catalog) {
                    throw QueryFault(
                        .tableNotFound,
                        "Table '\(table)' does not exist, but a view with that name does",
                        hint: "write DROP VIEW \(view.name)", span: name.span)
                }
                // Says whether the schema or the table is missing, with the nearest name.
                _ = try catalogs.resolve(context, table, version: .current, span: name.span)
            }
        } catch { throw Self.fault(error, about: "\(table)") }
        return .done(updateType: "DROP TABLE", count: nil)
    }

    // MARK: COMMENT

    /// COMMENT ON TABLE, VIEW and COLUMN; NULL takes the comment away.
    func comment(_ target: CommentTarget, _ text: String?) throws(QueryFault) -> StatementOutcome {
        switch target {
        case .table(let name):
            let table = try tableName(name)
            guard let found = try self.table(table, name) else { break }
            try alter(found) { metadata throws(QueryFault) in
                if let text { return [.setProperties(["comment": text])] }
                return metadata.properties["comment"] == nil ? [] : [.removeProperties(["comment"])]
            }
        case .view(let name): try commentView(name, text)
        case .column(let path):
            guard path.parts.count > 1, let column = path.parts.last else {
                throw QueryFault(
                    .missingColumnName, "COMMENT ON COLUMN takes table.column", span: path.span)
            }
            let name = QualifiedName(Array(path.parts.dropLast()), place: path.place)
            let table = try tableName(name)
            if case .view = try catalogs.resolve(context, table, version: .current, span: name.span)
            {
                try commentViewColumn(name, column, text)
                break
            }
            guard let found = try self.table(table, name) else { break }
            let one = QualifiedName([column], place: column.place)
            try alter(found) { metadata throws(QueryFault) in
                var evolution = SchemaEvolution(metadata)
                try evolution.update(one) { $0.doc = text }
                return evolution.updates
            }
        }
        return .done(updateType: "COMMENT", count: nil)
    }
}

extension TableProperties {
    /// Takes over what another table has and the statement does not say; its place is its own.
    mutating func inherit(_ other: TableMetadata) {
        stored.merge(other.properties.filter { $0.key != "comment" }) { own, _ in own }
        if partitioning == nil {
            partitioning = PartitionText.texts(other.defaultSpec, in: other.currentSchema)
        }
        if sortedBy == nil {
            sortedBy = PartitionText.texts(other.defaultSortOrder, in: other.currentSchema)
        }
        if formatVersion == nil { formatVersion = other.formatVersion }
        stored["write.data.path"] = nil
    }
}

extension TableMetadata {
    /// Holds as long as nobody commits to the table's rows, schema or layout.
    var unchanged: [TableRequirement] {
        [
            .assertTableUUID(tableUUID),
            .assertReferenceSnapshotID(
                reference: "main", snapshotID: references["main"]?.snapshotID),
            .assertCurrentSchemaID(currentSchemaID), .assertLastAssignedFieldID(lastColumnID),
            .assertDefaultSpecID(defaultSpecID), .assertDefaultSortOrderID(defaultSortOrderID),
        ]
    }
}
