import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

extension StatementRun {
    /// ALTER TABLE in all its forms.
    func alterTable(
        _ name: QualifiedName, ifExists: Bool, _ change: TableChange, _ statement: Statement
    ) throws(QueryFault) -> StatementOutcome {
        let updateType = Self.updateType(change)
        let outcome = StatementOutcome.done(updateType: updateType, count: nil)
        let tableName = try self.tableName(name)
        _ = try writable(tableName.catalog, schema: tableName.schema, name)
        guard let table = try self.table(tableName, ifExists: ifExists, name) else {
            return outcome
        }
        switch change {
        case .rename(let target): try rename(table, to: target)
        case .addColumn(let column, let ifNotExists, let position):
            try alter(table) { metadata throws(QueryFault) in
                try self.added(column, ifNotExists: ifNotExists, position, metadata)
            }
        case .dropColumn(let path, let ifExists):
            try alter(table) { metadata throws(QueryFault) in
                var evolution = SchemaEvolution(metadata)
                if ifExists, !evolution.has(path) { return [] }
                try evolution.drop(path)
                return evolution.updates
            }
        case .renameColumn(let path, let target, let ifExists):
            try alter(table) { metadata throws(QueryFault) in
                var evolution = SchemaEvolution(metadata)
                if ifExists, !evolution.has(path) { return [] }
                try evolution.rename(path, to: target)
                return evolution.updates
            }
        case .setDataType(let path, let written):
            try alter(table) { metadata throws(QueryFault) in
                var evolution = SchemaEvolution(metadata)
                var unused: Int32 = metadata.lastColumnID
                let field = try TableDefinition.field(
                    path.description, LogicalType(written),
                    formatVersion: metadata.formatVersion, &unused)
                try evolution.promote(path, to: field.type)
                return evolution.updates
            }
        case .dropNotNull(let path):
            try alter(table) { metadata throws(QueryFault) in
                var evolution = SchemaEvolution(metadata)
                try evolution.update(path) { $0.isRequired = false }
                return evolution.updates
            }
        case .setProperties(let properties): try setProperties(table, properties)
        case .setDefault(let path, let value): try setDefault(table, path, value)
        case .dropDefault(let path): try setDefault(table, path, nil)
        case .execute(let procedure, let arguments, let filter):
            return try execute(procedure, on: table, arguments, filter)
        }
        return outcome
    }

    private static func updateType(_ change: TableChange) -> String {
        switch change {
        case .rename: "RENAME TABLE"
        case .addColumn: "ADD COLUMN"
        case .dropColumn: "DROP COLUMN"
        case .renameColumn: "RENAME COLUMN"
        case .setDataType: "SET COLUMN TYPE"
        case .setDefault: "SET DEFAULT"
        case .dropDefault: "DROP DEFAULT"
        case .dropNotNull: "DROP NOT NULL"
        case .setProperties: "SET PROPERTIES"
        case .execute: "ALTER TABLE EXECUTE"
        }
    }

    private func added(
        _ column: ColumnDefinition, ifNotExists: Bool, _ position: ColumnPosition?,
        _ metadata: TableMetadata
    ) throws(QueryFault) -> [TableUpdate] {
        var evolution = SchemaEvolution(metadata)
        if evolution.has(column.name) {
            if ifNotExists { return [] }
            throw QueryFault(
                .columnAlreadyExists, "Column '\(column.name)' already exists", span: column.span)
        }
        guard column.isNullable else {
            throw QueryFault(
                .notSupported, "Adding NOT NULL columns is not supported",
                hint: "rows that are there already would have no value", span: column.span)
        }
        if let value = column.defaultValue {
            guard column.name.parts.count == 1 else {
                throw QueryFault(
                    .notSupported, "Default values of fields in rows are not supported",
                    span: value.span)
            }
            try Self.requireDefaults(metadata.formatVersion, value)
        }
        var field = try self.field(
            column, &evolution.lastColumnID, formatVersion: metadata.formatVersion)
        // Rows that are there have it too.
        field.initialDefault = field.writeDefault
        try evolution.add(field, at: column.name, position)
        return evolution.updates
    }

    private func rename(
        _ table: IcebergTable, to target: QualifiedName
    ) throws(QueryFault) {
        let name = try renamed(table.name, to: target)
        let (catalog, at) = try writable(table.name.catalog, schema: name.schema, target)
        try changing("\(name)") {
            try catalog.renameTable(
                context, at, from: table.identifier, to: name.identifier)
        }
    }

    /// The full name that a rename gives: what the target leaves out is as before.
    func renamed(
        _ source: TableName, to target: QualifiedName
    ) throws(QueryFault) -> TableName {
        let parts = target.canonicalParts
        var name = source
        name.table = parts[parts.count - 1]
        if parts.count > 1 { name.schema = parts[parts.count - 2] }
        guard parts.count < 3 || (parts.count == 3 && parts[0] == source.catalog) else {
            throw QueryFault(
                .notSupported, "Tables and views cannot move to another catalog",
                span: target.span)
        }
        return name
    }

    func setProperties(
        _ table: IcebergTable, _ properties: [Property]
    ) throws(QueryFault) {
        let written = try TableProperties(properties, of: table.name.catalog, in: self)
        guard written.location == nil else {
            throw QueryFault(
                .notSupported, "The following properties cannot be updated: location")
        }
        try alter(table) { metadata throws(QueryFault) in
            let schema = metadata.currentSchema
            var updates: [TableUpdate] = []
            if let version = written.formatVersion, version != metadata.formatVersion {
                updates.append(.upgradeFormatVersion(version))
            }
            if let texts = written.partitioning {
                var spec = try PartitionText.spec(texts, in: schema)
                if metadata.formatVersion == 1 {
                    // In version 1 fields have no ids of their own: old ones stay as void.
                    spec = Self.keepingPlaces(spec, of: metadata.defaultSpec)
                }
                updates += [.addSpec(spec, hasFieldIDs: false), .setDefaultSpec(-1)]
            }
            if let texts = written.sortedBy {
                updates += [
                    .addSortOrder(try PartitionText.order(texts, in: schema)),
                    .setDefaultSortOrder(-1),
                ]
            }
            let gone = written.removed.filter { metadata.properties[$0] != nil }
            if !gone.isEmpty { updates.append(.removeProperties(gone)) }
            if !written.stored.isEmpty { updates.append(.setProperties(written.stored)) }
            return updates
        }
    }

    private static func keepingPlaces(
        _ spec: PartitionSpec, of old: PartitionSpec
    ) -> PartitionSpec {
        var fields = old.fields
        var rest = spec.fields
        for index in fields.indices {
            let same = rest.firstIndex {
                $0.sourceID == fields[index].sourceID && $0.transform == fields[index].transform
            }
            if let same { rest.remove(at: same) } else { fields[index].transform = .void }
        }
        return PartitionSpec(specID: 0, fields: fields + rest)
    }
}
