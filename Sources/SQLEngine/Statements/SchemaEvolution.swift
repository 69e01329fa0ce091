import Diagnostics
import Iceberg
import SQLFunctions
import SQLSyntax

/// Changes of a table's columns, as a new schema. Paths go into rows by field name, into arrays by
/// `element`, into maps by `key` and `value`.
struct SchemaEvolution {
    private let metadata: TableMetadata
    private(set) var schema: Schema
    /// The highest id given out so far.
    var lastColumnID: Int32

    init(_ metadata: TableMetadata) {
        self.metadata = metadata
        schema = metadata.currentSchema
        lastColumnID = metadata.lastColumnID
    }

    /// What makes the new schema the table's; nothing where it is as before.
    var updates: [TableUpdate] {
        if schema.hasSameFields(as: metadata.currentSchema) { return [] }
        return [.addSchema(schema, lastColumnID: lastColumnID), .setCurrentSchema(-1)]
    }

    /// Whether there is a column of that path.
    func has(_ path: QualifiedName) -> Bool { Self.find(path.canonicalParts, schema.fields) != nil }

    /// Adds a field; its path's parent has to be a row, or the table.
    mutating func add(
        _ field: NestedField, at path: QualifiedName, _ position: ColumnPosition?
    ) throws(QueryFault) {
        let parent = Array(path.canonicalParts.dropLast())
        try changeFields(of: parent, path) { fields throws(QueryFault) in
            guard !fields.contains(where: { $0.name.lowercased() == field.name }) else {
                throw QueryFault(
                    .columnAlreadyExists, "Column '\(path)' already exists", span: path.span)
            }
            switch position {
            case .first: fields.insert(field, at: 0)
            case .last, nil: fields.append(field)
            case .after(let other):
                guard
                    let index = fields.firstIndex(where: {
                        $0.name.lowercased() == other.canonical
                    })
                else { throw Self.unknown(other.canonical, fields, other) }
                fields.insert(field, at: index + 1)
            }
        }
    }

    /// Takes a field away. Partition and sort fields need their columns.
    mutating func drop(_ path: QualifiedName) throws(QueryFault) {
        guard let dropped = Self.find(path.canonicalParts, schema.fields) else {
            throw Self.unknown(path.description, schema.fields, path)
        }
        var gone: Set<Int32> = []
        Schema(fields: [dropped]).visit { field, _ in gone.insert(field.id) }
        let isPartitioned = metadata.partitionSpecs.contains { spec in
            spec.fields.contains { $0.transform != .void && gone.contains($0.sourceID) }
        }
        guard !isPartitioned else {
            throw QueryFault(
                .notSupported, "Cannot drop column which is used by a partition spec: \(path)",
                span: path.span)
        }
        guard !metadata.defaultSortOrder.fields.contains(where: { gone.contains($0.sourceID) })
        else {
            throw QueryFault(
                .notSupported, "Cannot drop sort field: \(path)",
                hint: "SET PROPERTIES sorted_by = ARRAY[] first", span: path.span)
        }
        try changeFields(of: Array(path.canonicalParts.dropLast()), path) {
            fields throws(QueryFault) in
            guard fields.count > 1 else {
                throw QueryFault(
                    .notSupported, "Cannot drop the only column in a table", span: path.span)
            }
            fields.removeAll { $0.id == dropped.id }
        }
        schema.identifierFieldIDs.removeAll { gone.contains($0) }
    }

    /// Changes a field in place.
    mutating func update(
        _ path: QualifiedName, _ change: (inout NestedField) throws(QueryFault) -> Void
    ) throws(QueryFault) {
        let name = path.canonicalParts[path.parts.count - 1]
        try changeFields(of: Array(path.canonicalParts.dropLast()), path) {
            fields throws(QueryFault) in
            guard let index = fields.firstIndex(where: { $0.name.lowercased() == name }) else {
                throw Self.unknown(name, fields, path)
            }
            try change(&fields[index])
        }
    }

    mutating func rename(_ path: QualifiedName, to name: Identifier) throws(QueryFault) {
        let parent = Array(path.canonicalParts.dropLast())
        guard Self.find(parent + [name.canonical], schema.fields) == nil else {
            throw QueryFault(
                .columnAlreadyExists, "Column '\(name.canonical)' already exists", span: name.span)
        }
        try update(path) { $0.name = name.canonical }
    }

    /// A wider type for a column. Only promotions keep the files as they are.
    mutating func promote(_ path: QualifiedName, to type: IcebergType) throws(QueryFault) {
        try update(path) { field throws(QueryFault) in
            guard let from = field.type.primitive, let to = type.primitive,
                from.canPromote(to: to)
            else {
                throw QueryFault(
                    .notSupported,
                    "Failed to set column type: \(field.name) cannot change its type",
                    hint: "integer may become bigint, real double, and decimals more digits",
                    span: path.span)
            }
            field.type = type
        }
    }

    // MARK: Walking

    private mutating func changeFields(
        of parent: [String], _ path: QualifiedName,
        _ change: (inout [NestedField]) throws(QueryFault) -> Void
    ) throws(QueryFault) {
        if parent.isEmpty { return try change(&schema.fields) }
        guard let index = schema.fields.firstIndex(where: { $0.name.lowercased() == parent[0] })
        else { throw Self.unknown(parent[0], schema.fields, path) }
        schema.fields[index].type = try Self.changed(
            schema.fields[index].type, parent.dropFirst(), path, change)
    }

    private static func changed(
        _ type: IcebergType, _ rest: ArraySlice<String>, _ path: QualifiedName,
        _ change: (inout [NestedField]) throws(QueryFault) -> Void
    ) throws(QueryFault) -> IcebergType {
        switch type {
        case .structure(var fields):
            guard let name = rest.first else {
                try change(&fields)
                return .structure(fields)
            }
            guard let index = fields.firstIndex(where: { $0.name.lowercased() == name }) else {
                throw unknown(name, fields, path)
            }
            fields[index].type = try changed(fields[index].type, rest.dropFirst(), path, change)
            return .structure(fields)
        case .list(let id, let element, let required) where rest.first == "element":
            return .list(
                elementID: id, element: try changed(element, rest.dropFirst(), path, change),
                elementRequired: required)
        case .map(let keyID, let key, let valueID, let value, let required)
        where rest.first == "value":
            return .map(
                keyID: keyID, key: key, valueID: valueID,
                value: try changed(value, rest.dropFirst(), path, change), valueRequired: required)
        default:
            throw QueryFault(
                .columnNotFound, "'\(path)' does not lead into a row", span: path.span)
        }
    }

    private static func find(_ path: [String], _ fields: [NestedField]) -> NestedField? {
        guard let first = path.first,
            let field = fields.first(where: { $0.name.lowercased() == first })
        else { return nil }
        if path.count == 1 { return field }
        var type = field.type
        var rest = path.dropFirst()
        while let step = rest.first {
            switch type {
            case .structure(let inner): return find(Array(rest), inner)
            case .list(_, let element, _) where step == "element": type = element
            case .map(_, _, _, let value, _) where step == "value": type = value
            default: return nil
            }
            rest = rest.dropFirst()
        }
        return nil
    }

    private static func unknown(
        _ name: String, _ fields: [NestedField], _ node: any SyntaxNode
    ) -> QueryFault {
        QueryFault(
            .columnNotFound, "Column '\(name)' does not exist",
            hint: suggestion(name, fields.map(\.name)), span: node.span)
    }
}
