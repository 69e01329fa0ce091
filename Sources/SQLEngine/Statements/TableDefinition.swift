import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import TableFiles
import Vectors

/// What a new table is to be, before the catalog knows of it.
struct TableDefinition {
    var schema: Schema
    var spec: PartitionSpec
    var order: SortOrder
    /// Properties of the Iceberg table, with `format-version` and `comment`.
    var properties: [String: String]
    var location: String?

    /// Columns and properties together. Throws INVALID_TABLE_PROPERTY where they do not fit.
    init(
        fields: [NestedField], comment: String?, _ written: TableProperties
    ) throws(QueryFault) {
        schema = Schema(fields: fields)
        spec = try PartitionText.spec(written.partitioning ?? [], in: schema)
        order = try PartitionText.order(written.sortedBy ?? [], in: schema)
        properties = written.stored
        if let version = written.formatVersion { properties["format-version"] = String(version) }
        if let comment { properties["comment"] = comment }
        location = written.location
    }

    /// The definition as the catalog takes it.
    func creation(named name: String) -> TableCreation {
        TableCreation(
            name: name, schema: schema, spec: spec, sortOrder: order, properties: properties,
            location: location)
    }

    /// A column of a table of `formatVersion`; `nextID` is counted up for it and its parts.
    static func field(
        _ name: String, _ type: LogicalType, isRequired: Bool = false, comment: String? = nil,
        formatVersion: Int = 2, _ nextID: inout Int32
    ) throws(QueryFault) -> NestedField {
        nextID += 1
        let id = nextID
        do throws(TableFileError) {
            return NestedField(
                id: id, name: name, isRequired: isRequired,
                type: try IcebergTypes.icebergType(
                    type, &nextID, formatVersion: formatVersion), doc: comment)
        } catch {
            throw QueryFault(
                .notSupported, "\(error.message) (column \(name))", hint: error.hint, cause: error)
        }
    }

    // MARK: Replacement

    /// The updates that make this table out of an existing one. Its history stays: snapshots remain, only
    /// `main` points nowhere until new data comes.
    ///
    /// A column keeps its id where name and kind stay, so that old snapshots and new files agree on what
    /// an id means; others get ids above all that were ever given out.
    func replacing(_ old: TableMetadata) throws(QueryFault) -> [TableUpdate] {
        var next = old.lastColumnID
        var mapped: [Int32: Int32] = [:]
        var fields: [NestedField] = []
        for field in schema.fields {
            var copy = field
            let same = old.currentSchema.fields.first {
                $0.name.lowercased() == field.name.lowercased()
            }
            if let same, let from = same.type.primitive, let to = field.type.primitive,
                from.canPromote(to: to)
            {
                copy.id = same.id
            } else {
                next += 1
                copy.id = next
                copy.type = field.type.renumbered(&next)
            }
            mapped[field.id] = copy.id
            fields.append(copy)
        }
        var newSpec = spec
        for index in newSpec.fields.indices {
            guard let id = mapped[newSpec.fields[index].sourceID] else {
                throw QueryFault(
                    .notSupported,
                    "Tables partitioned by nested fields cannot be replaced, only created")
            }
            newSpec.fields[index].sourceID = id
        }
        var newOrder = order
        for index in newOrder.fields.indices {
            guard let id = mapped[newOrder.fields[index].sourceID] else {
                throw QueryFault(
                    .notSupported,
                    "Tables sorted by nested fields cannot be replaced, only created")
            }
            newOrder.fields[index].sourceID = id
        }
        // The old spec may name columns that go, the new one columns that come: between the two the
        // table is unpartitioned.
        var updates: [TableUpdate] = [
            .removeSnapshotReference("main"),
            .addSpec(.unpartitioned, hasFieldIDs: false), .setDefaultSpec(-1),
            .addSortOrder(.unsorted), .setDefaultSortOrder(-1),
            .addSchema(Schema(fields: fields), lastColumnID: next), .setCurrentSchema(-1),
        ]
        if !newSpec.fields.isEmpty {
            updates += [.addSpec(newSpec, hasFieldIDs: false), .setDefaultSpec(-1)]
        }
        if !newOrder.fields.isEmpty {
            updates += [.addSortOrder(newOrder), .setDefaultSortOrder(-1)]
        }
        let stale = ["comment"].filter { properties[$0] == nil && old.properties[$0] != nil }
        if !stale.isEmpty { updates.append(.removeProperties(stale)) }
        var set = properties
        if let version = set["format-version"].flatMap({ Int($0) }), version <= old.formatVersion {
            set["format-version"] = nil
        }
        if !set.isEmpty { updates.append(.setProperties(set)) }
        return updates
    }
}

extension IcebergType {
    /// The same type with fresh ids for its parts, counted on from `next`.
    func renumbered(_ next: inout Int32) -> IcebergType {
        switch self {
        case .primitive: return self
        case .structure(let fields):
            var result = fields
            for index in result.indices {
                next += 1
                result[index].id = next
                result[index].type = result[index].type.renumbered(&next)
            }
            return .structure(result)
        case .list(_, let element, let required):
            next += 1
            let id = next
            return .list(
                elementID: id, element: element.renumbered(&next), elementRequired: required)
        case .map(_, let key, _, let value, let required):
            next += 2
            let (keyID, valueID) = (next - 1, next)
            return .map(
                keyID: keyID, key: key.renumbered(&next), valueID: valueID,
                value: value.renumbered(&next), valueRequired: required)
        }
    }
}
