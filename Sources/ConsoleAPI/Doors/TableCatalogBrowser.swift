package import Authority
import CivilTime
import Diagnostics
import Iceberg
package import TableCatalog

/// Shows the catalog of the appliance. The catalog asks the authorizer.
package struct TableCatalogBrowser: CatalogBrowser {
    /// Names of one kind in a list.
    static let nameLimit = 1_000
    static let fileLimit = 500
    static let snapshotLimit = 200

    private let catalog: Catalog

    package init(catalog: Catalog) { self.catalog = catalog }

    package func warehouses(_ context: RequestContext) throws -> [ConsoleWarehouse] {
        try catalog.listWarehouses(context).map {
            ConsoleWarehouse(name: $0.name, location: $0.location)
        }
    }

    package func namespaces(
        _ context: RequestContext, warehouse: String
    ) throws -> ConsoleNames<[String]> {
        let page = try catalog.listNamespaces(
            context, CatalogReference(parsing: warehouse), limit: Self.nameLimit)
        return ConsoleNames(page.elements, hasMore: page.nextToken != nil)
    }

    package func namespace(
        _ context: RequestContext, warehouse: String, levels: [String]
    ) throws -> ConsoleNamespace {
        let at = CatalogReference(parsing: warehouse)
        let namespace = try catalog.namespace(context, at, levels)
        let inner = try catalog.listNamespaces(
            context, at, parent: levels, limit: Self.nameLimit)
        let tables = try catalog.listTables(context, at, levels, limit: Self.nameLimit)
        let views = try catalog.listViews(context, at, levels, limit: Self.nameLimit)
        return ConsoleNamespace(
            levels: namespace.levels, properties: namespace.properties,
            namespaces: ConsoleNames(inner.elements, hasMore: inner.nextToken != nil),
            tables: ConsoleNames(tables.elements.map(\.name), hasMore: tables.nextToken != nil),
            views: ConsoleNames(views.elements.map(\.name), hasMore: views.nextToken != nil))
    }

    package func table(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) throws -> ConsoleTable {
        let at = CatalogReference(parsing: warehouse)
        let identifier = TableIdentifier(namespace: levels, name: name)
        let loaded: LoadedTable
        do {
            loaded = try catalog.loadTable(context, at, identifier)
        } catch let error as CatalogError where error.code == .noSuchTable {
            return try view(context, at, identifier, error)
        }
        let metadata = loaded.metadata
        return ConsoleTable(
            warehouse: warehouse, levels: loaded.identifier.namespace,
            name: loaded.identifier.name, columns: columns(metadata.currentSchema),
            location: metadata.location, formatVersion: metadata.formatVersion,
            uuid: metadata.tableUUID,
            partitioning: metadata.defaultSpec.fields.filter { $0.transform != .void }.map {
                term($0.transform, $0.sourceID, metadata)
            },
            sorting: metadata.defaultSortOrder.fields.map {
                term($0.transform, $0.sourceID, metadata) + " " + $0.direction.rawValue
            },
            snapshots: metadata.snapshots.suffix(Self.snapshotLimit).reversed().map {
                ConsoleTable.SnapshotRow(
                    id: $0.snapshotID, atMilliseconds: $0.timestampMilliseconds,
                    operation: $0.operation ?? "", summary: $0.summary,
                    isCurrent: $0.snapshotID == metadata.currentSnapshotID)
            },
            references: metadata.references.keys.sorted(), files: files(context, loaded),
            properties: metadata.properties)
    }

    package func freshness(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) -> TableFreshness? {
        let loaded = try? catalog.loadTable(
            context, CatalogReference(parsing: warehouse),
            TableIdentifier(namespace: levels, name: name))
        guard let loaded else { return nil }
        let snapshot = loaded.metadata.currentSnapshot
        // Of a table that somebody sees in part, the number of all rows is not theirs to know.
        let rows = loaded.isUnrestricted ? snapshot.flatMap { RowCount($0.summary) } : nil
        return TableFreshness(
            atMilliseconds: snapshot?.timestampMilliseconds
                ?? loaded.metadata.lastUpdatedMilliseconds,
            rowCount: rows?.count)
    }

    // MARK: Parts

    private func view(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        _ missing: CatalogError
    ) throws -> ConsoleTable {
        let loaded: LoadedView
        do {
            loaded = try catalog.loadView(context, at, identifier)
        } catch let error as CatalogError where error.code == .noSuchView {
            throw missing
        }
        let metadata = loaded.metadata
        return ConsoleTable(
            warehouse: at.description, levels: loaded.identifier.namespace,
            name: loaded.identifier.name,
            columns: metadata.currentSchema.map { columns($0) } ?? [],
            location: metadata.location, uuid: metadata.uuid, properties: metadata.properties,
            viewSQL: metadata.currentVersion.flatMap {
                $0.sql(dialect: "trino") ?? $0.sql(dialect: "spark")
            } ?? "")
    }

    private func columns(_ schema: Schema) -> [ConsoleTable.Column] {
        schema.fields.map {
            ConsoleTable.Column(
                name: $0.name, type: typeText($0.type, depth: 0), isRequired: $0.isRequired,
                doc: $0.doc ?? "")
        }
    }

    private func term(_ transform: Transform, _ id: Int32, _ metadata: TableMetadata) -> String {
        let name = metadata.currentSchema.name(of: id) ?? "column \(id)"
        switch transform {
        case .identity: return name
        case .bucket(let count): return "bucket(\(name), \(count))"
        case .truncate(let width): return "truncate(\(name), \(width))"
        default: return "\(transform.name)(\(name))"
        }
    }

    private func files(
        _ context: RequestContext, _ loaded: LoadedTable
    ) -> ConsoleTable.Files {
        guard loaded.isUnrestricted else { return .withheld }
        do throws(IcebergError) {
            let plan = try TableScan(
                metadata: loaded.metadata, snapshot: loaded.metadata.currentSnapshot
            ).plan(catalog.manifests(context, of: loaded))
            var rows: [ConsoleTable.FileRow] = []
            var seenDeletes: Set<String> = []
            for task in plan.tasks {
                rows.append(row(task.file, loaded.metadata))
                for file in task.positionDeletes + task.equalityDeletes
                where seenDeletes.insert(file.path + "#\(file.contentOffset ?? 0)").inserted {
                    rows.append(row(file, loaded.metadata))
                }
                if rows.count >= Self.fileLimit { break }
            }
            return .listed(
                Array(rows.prefix(Self.fileLimit)), hasMore: plan.tasks.count > Self.fileLimit)
        } catch {
            return .failed(error.message)
        }
    }

    private func row(_ file: DataFile, _ metadata: TableMetadata) -> ConsoleTable.FileRow {
        let fields = metadata.spec(id: file.specID)?.fields ?? []
        let partition = zip(fields, file.partition).map { field, value in
            "\(field.name)=\(value.map { literalText($0, field.transform) } ?? "null")"
        }
        return ConsoleTable.FileRow(
            path: file.path,
            content: file.content == .data
                ? "data"
                : file.content == .positionDeletes ? "position deletes" : "equality deletes",
            format: file.format, partition: partition.joined(separator: "/"),
            rowCount: file.recordCount, sizeBytes: file.sizeBytes)
    }
}

/// A type as SQL writes it; deep ones are cut.
private func typeText(_ type: IcebergType, depth: Int) -> String {
    guard depth < 8 else { return "…" }
    switch type {
    case .primitive(let primitive): return primitiveText(primitive)
    case .structure(let fields):
        let parts = fields.map { "\($0.name) \(typeText($0.type, depth: depth + 1))" }
        return "row(\(parts.joined(separator: ", ")))"
    case .list(_, let element, _): return "array(\(typeText(element, depth: depth + 1)))"
    case .map(_, let key, _, let value, _):
        return "map(\(typeText(key, depth: depth + 1)), \(typeText(value, depth: depth + 1)))"
    }
}

private func primitiveText(_ type: PrimitiveType) -> String {
    switch type {
    case .boolean: "boolean"
    case .int: "integer"
    case .long: "bigint"
    case .float: "real"
    case .double: "double"
    case .date: "date"
    case .time: "time(6)"
    case .timestamp: "timestamp(6)"
    case .timestamptz: "timestamp(6) with time zone"
    case .timestampNanos: "timestamp(9)"
    case .timestamptzNanos: "timestamp(9) with time zone"
    case .string: "varchar"
    case .uuid: "uuid"
    case .binary: "varbinary"
    case .fixed(let size): "fixed(\(size))"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .variant: "variant"
    case .geometry: "geometry"
    case .geography: "geography"
    case .unknown: "unknown"
    }
}

/// A partition's value as people read it.
private func literalText(_ value: Literal, _ transform: Transform) -> String {
    switch value {
    case .boolean(let flag): return flag ? "true" : "false"
    case .int(let number):
        switch transform {
        case .year: return String(1970 + Int(number))
        case .month:
            let months = Int(number)
            let year = 1970 + (months >= 0 ? months / 12 : (months - 11) / 12)
            let month = months - (year - 1970) * 12 + 1
            return "\(year)-\(month < 10 ? "0" : "")\(month)"
        case .hour:
            return CivilFormat.timestamp(Int64(number) * 3_600_000_000, precision: 0)
        case .day: return CivilFormat.date(number)
        default: return String(number)
        }
    case .long(let number): return String(number)
    case .float(let number): return number.description
    case .double(let number): return number.description
    case .date(let days): return CivilFormat.date(days)
    case .time(let time): return CivilFormat.time(time, precision: 6)
    case .timestamp(let time), .timestamptz(let time):
        return CivilFormat.timestamp(time, precision: 6)
    case .timestampNanos(let time), .timestamptzNanos(let time):
        return CivilFormat.timestamp(floorDivide(time, 1000), precision: 6)
    case .string(let text): return text
    case .uuid(let bytes), .fixed(let bytes), .binary(let bytes):
        return bytes.prefix(16).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    case .decimal(let unscaled, let scale): return decimalText(unscaled, scale)
    }
}

private func decimalText(_ unscaled: Int128, _ scale: Int) -> String {
    guard scale > 0 else { return String(unscaled) }
    var digits = String(unscaled.magnitude)
    if digits.utf8.count <= scale {
        digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
    }
    return (unscaled < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
}
