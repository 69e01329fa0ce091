import Authority
import Diagnostics
import Iceberg
import TableCatalog
import TableFiles
import Vectors

/// The table that rows go to: made when absent, evolved when the source has more.
struct TargetTable {
    let catalog: Catalog
    let context: RequestContext
    let target: IngestTarget

    var reference: CatalogReference { CatalogReference(parsing: target.warehouse) }
    var identifier: TableIdentifier {
        TableIdentifier(namespace: target.namespace, name: target.table)
    }

    /// The table as it is; nil when there is none.
    func load() throws -> TableMetadata? {
        do {
            return try catalog.loadTable(context, reference, identifier).metadata
        } catch let error as CatalogError
            where error.code == .noSuchTable || error.code == .noSuchNamespace
        {
            return nil
        }
    }

    /// Works a table out with the source's columns, and makes its namespace if need be. The table itself
    /// comes to be with its first rows.
    func stage(_ request: IngestRequest, columns: [SourceColumn]) throws -> TableMetadata {
        var next = Int32(columns.count)
        var fields: [NestedField] = []
        for (index, column) in columns.enumerated() {
            fields.append(
                NestedField(
                    id: Int32(index) + 1, name: column.name, isRequired: false,
                    type: try IcebergTypes.icebergType(column.type, &next)))
        }
        let schema = Schema(fields: fields)
        let spec = PartitionSpec(
            specID: 0,
            fields: try request.partition.enumerated().map {
                try PartitionField.parse($1, in: schema, id: 1000 + Int32($0))
            })
        try createNamespace()
        return try catalog.createTable(
            context, reference, namespace: target.namespace,
            TableCreation(
                name: target.table, schema: schema, spec: spec, properties: request.properties),
            isStaged: true
        ).metadata
    }

    /// Makes a staged table with what `updates` bring. Throws `.conflict` when somebody else made one of the
    /// name meanwhile.
    func make(_ staged: TableMetadata, _ updates: [TableUpdate] = []) throws -> TableMetadata {
        do {
            return try catalog.commit(
                context, reference,
                TableCommit(
                    identifier: identifier, requirements: [.assertCreate],
                    updates: staged.creationUpdates + updates)
            ).metadata
        } catch let error as IcebergError where error.code == .requirementFailed {
            throw IcebergError(
                code: .conflict, message: "\(target) was made by somebody else meanwhile",
                hint: "load it again", cause: error)
        }
    }

    private func createNamespace() throws {
        for depth in 1...max(1, target.namespace.count) where depth <= target.namespace.count {
            let levels = Array(target.namespace.prefix(depth))
            do {
                _ = try catalog.namespace(context, reference, levels)
            } catch let error as CatalogError where error.code == .noSuchNamespace {
                do { _ = try catalog.createNamespace(context, reference, levels) } catch let error
                    as CatalogError where error.code == .alreadyExists
                {
                    continue
                }
            }
        }
    }

    /// Gives properties values.
    func set(_ metadata: TableMetadata, _ properties: [String: String]) throws {
        try update(metadata, .setProperties(properties))
    }

    /// Takes properties away.
    func remove(_ metadata: TableMetadata, _ names: [String]) throws {
        try update(metadata, .removeProperties(names))
    }

    private func update(_ metadata: TableMetadata, _ update: TableUpdate) throws {
        _ = try catalog.commit(
            context, reference,
            TableCommit(
                identifier: identifier, requirements: [.assertTableUUID(metadata.tableUUID)],
                updates: [update]))
    }

    /// Adds and widens columns as planned; the table afterwards.
    func evolve(
        _ metadata: TableMetadata, _ plan: ColumnPlan, isStaged: Bool
    ) throws -> TableMetadata {
        guard plan.changesSchema else { return metadata }
        var schema = metadata.currentSchema
        for index in schema.fields.indices {
            if let wide = plan.promoted[schema.fields[index].id] {
                schema.fields[index].type = .primitive(wide)
            }
        }
        var next = metadata.lastColumnID
        for column in plan.added {
            next += 1
            let id = next
            schema.fields.append(
                NestedField(
                    id: id, name: column.name, isRequired: false,
                    type: try IcebergTypes.icebergType(column.type, &next)))
        }
        if isStaged {
            // Nobody has seen the first schema: this one takes its place.
            var staged = metadata
            staged.schemas = [schema]
            staged.lastColumnID = next
            return staged
        }
        return try catalog.commit(
            context, reference,
            TableCommit(
                identifier: identifier,
                requirements: [
                    .assertTableUUID(metadata.tableUUID),
                    .assertCurrentSchemaID(metadata.currentSchemaID),
                ],
                updates: [.addSchema(schema, lastColumnID: next), .setCurrentSchema(-1)])
        ).metadata
    }
}

/// Partition fields in Trino's words.
enum PartitionField {
    static func parse(
        _ text: String, in schema: Schema, id: Int32
    ) throws(IngestError) -> PartitionSpec.Field {
        let trimmed = text.filter { $0 != " " }
        var transform = Transform.identity
        var column = trimmed
        if let open = trimmed.firstIndex(of: "("), trimmed.hasSuffix(")") {
            let word = trimmed[..<open].lowercased()
            let arguments = trimmed[trimmed.index(after: open)...].dropLast().split(separator: ",")
                .map(String.init)
            column = arguments.first ?? ""
            let number =
                arguments.count == 2 ? Int32(arguments[1]).flatMap { $0 > 0 ? $0 : nil } : nil
            switch (word, arguments.count, number) {
            case ("year", 1, _): transform = .year
            case ("month", 1, _): transform = .month
            case ("day", 1, _): transform = .day
            case ("hour", 1, _): transform = .hour
            case ("bucket", 2, let count?): transform = .bucket(count)
            case ("truncate", 2, let width?): transform = .truncate(width)
            default:
                throw fault(
                    "not a partition field: \(text)",
                    "write column, year(c), month(c), day(c), hour(c), bucket(c, 16) or truncate(c, 4)"
                )
            }
        }
        guard
            let field = schema.fields.first(where: { $0.name.lowercased() == column.lowercased() })
        else {
            throw fault(
                "the partition's column is not in the source: \(column)",
                nearestName(to: column, among: schema.fields.map(\.name)).map {
                    "did you mean \($0)?"
                })
        }
        guard let type = field.type.primitive, transform.resultType(for: type) != nil else {
            throw fault("\(transform.name) does not take the column \(field.name)", nil)
        }
        let name: String =
            switch transform {
            case .identity: field.name
            case .bucket: "\(field.name)_bucket"
            case .truncate: "\(field.name)_trunc"
            default: "\(field.name)_\(transform.name)"
            }
        return PartitionSpec.Field(
            sourceID: field.id, fieldID: id, name: name, transform: transform)
    }

    private static func fault(_ message: String, _ hint: String?) -> IngestError {
        IngestError(.invalidOptions, message, hint: hint, option: "partition")
    }
}
