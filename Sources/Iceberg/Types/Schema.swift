package import JSON

/// The columns of a table at some time. Source: Iceberg specification, "Schemas and Data Types".
package struct Schema: Sendable, Hashable {
    package var schemaID: Int32
    package var fields: [NestedField]
    /// Ids of the columns that tell rows apart; not enforced.
    package var identifierFieldIDs: [Int32]

    package init(schemaID: Int32 = 0, fields: [NestedField], identifierFieldIDs: [Int32] = []) {
        self.schemaID = schemaID
        self.fields = fields
        self.identifierFieldIDs = identifierFieldIDs
    }

    /// Reads a schema and checks that its ids and names are unique.
    package init(_ at: JSONCursor) throws {
        guard case .structure(let fields) = try IcebergType(at) else {
            throw at["type"].expected("a struct")
        }
        self.init(
            schemaID: try at["schema-id"].isPresent ? at["schema-id"].int32() : 0, fields: fields,
            identifierFieldIDs: try at["identifier-field-ids"].optionalElements()?.map {
                try $0.int32()
            } ?? [])
        try validate()
    }

    /// The schema as metadata writes it.
    package var json: JSONValue {
        var object = JSONObject([
            ("type", "struct"), ("schema-id", .int(Int64(schemaID))),
            ("fields", .array(fields.map(\.json))),
        ])
        if !identifierFieldIDs.isEmpty {
            object.append(
                "identifier-field-ids", .array(identifierFieldIDs.map { .int(Int64($0)) }))
        }
        return .object(object)
    }

    /// Whether both have the same columns, whatever their ids as schemas.
    package func hasSameFields(as other: Schema) -> Bool {
        fields == other.fields && Set(identifierFieldIDs) == Set(other.identifierFieldIDs)
    }

    /// The field of an id at any depth. List elements and map parts count as fields here.
    package func field(id: Int32) -> NestedField? {
        var found: NestedField?
        visit { field, _ in if field.id == id { found = field } }
        return found
    }

    /// The column of a dotted name, exactly or, if that finds none, without case.
    package func field(named name: String) -> NestedField? {
        var exact: NestedField?
        var folded: NestedField?
        let lower = name.lowercased()
        visit { field, path in
            if exact == nil, path == name { exact = field }
            if folded == nil, path.lowercased() == lower { folded = field }
        }
        return exact ?? folded
    }

    /// The dotted name of a field.
    package func name(of id: Int32) -> String? {
        var found: String?
        visit { field, path in if field.id == id { found = path } }
        return found
    }

    /// The highest id in use.
    package var highestFieldID: Int32 {
        var highest: Int32 = 0
        visit { field, _ in highest = max(highest, field.id) }
        return highest
    }

    /// Every field with its dotted name, parents first.
    package func visit(_ body: (NestedField, String) -> Void) {
        for field in fields { Self.visit(field, prefix: "", body) }
    }

    private static func visit(
        _ field: NestedField, prefix: String, _ body: (NestedField, String) -> Void
    ) {
        let path = prefix.isEmpty ? field.name : "\(prefix).\(field.name)"
        body(field, path)
        switch field.type {
        case .primitive: return
        case .structure(let inner): for field in inner { visit(field, prefix: path, body) }
        case .list(let id, let element, let required):
            visit(
                NestedField(id: id, name: "element", isRequired: required, type: element),
                prefix: path, body)
        case .map(let keyID, let key, let valueID, let value, let required):
            visit(
                NestedField(id: keyID, name: "key", isRequired: true, type: key), prefix: path, body
            )
            visit(
                NestedField(id: valueID, name: "value", isRequired: required, type: value),
                prefix: path, body)
        }
    }

    /// The ids that are reached through structs only: those for which statistics and partitions mean
    /// one value a row.
    package var primitiveColumns: [NestedField] {
        var columns: [NestedField] = []
        func walk(_ fields: [NestedField]) {
            for field in fields {
                switch field.type {
                case .primitive: columns.append(field)
                case .structure(let inner): walk(inner)
                case .list, .map: continue
                }
            }
        }
        walk(fields)
        return columns
    }

    /// Throws `.invalidUpdate` for doubled ids or names and identifier fields that cannot be.
    package func validate() throws(IcebergError) {
        var ids: Set<Int32> = []
        var paths: Set<String> = []
        var doubled: String?
        visit { field, path in
            if !ids.insert(field.id).inserted { doubled = "field id \(field.id)" }
            if !paths.insert(path).inserted { doubled = "column \(path)" }
        }
        if let doubled {
            throw IcebergError(code: .invalidUpdate, message: "a schema has twice the \(doubled)")
        }
        guard ids.count <= Limits.fields else {
            throw IcebergError(
                code: .limitExceeded, message: "a schema has more than \(Limits.fields) fields")
        }
        for id in identifierFieldIDs {
            guard let field = field(id: id), field.isRequired, let type = field.type.primitive,
                type != .float, type != .double
            else {
                throw IcebergError(
                    code: .invalidUpdate,
                    message: "an identifier field has to be a required column, and no float: \(id)")
            }
        }
    }

    /// Throws `.invalidUpdate` for columns of type unknown, which hold nothing but NULL, that are required or
    /// have a default. Source: Iceberg specification, "Primitive Types".
    func requireOptionalUnknowns() throws(IcebergError) {
        var broken: String?
        visit { field, path in
            guard field.type.primitive == .unknown else { return }
            func isSet(_ value: JSONValue?) -> Bool { value.map { !$0.isNull } ?? false }
            if field.isRequired || isSet(field.initialDefault) || isSet(field.writeDefault) {
                broken = path
            }
        }
        if let broken {
            throw IcebergError(
                code: .invalidUpdate,
                message: "a column of type unknown is optional and has no default: \(broken)",
                hint: "leave out required and the defaults")
        }
    }

    /// The first format version that has all the types and defaults in use.
    package var requiredFormatVersion: Int {
        var version = 1
        visit { field, _ in
            if let type = field.type.primitive { version = max(version, type.formatVersion) }
            if let value = field.initialDefault, !value.isNull { version = 3 }
        }
        return version
    }

    /// The schema with fresh ids from 1, in Iceberg's order: a level's fields first, then what is
    /// in them. Returns also the map from old ids, for partition and sort fields.
    package func assigningFreshIDs(from first: Int32 = 1) -> (schema: Schema, ids: [Int32: Int32]) {
        var next = first
        var ids: [Int32: Int32] = [:]
        func fresh(_ old: Int32) -> Int32 {
            defer { next += 1 }
            ids[old] = next
            return next
        }
        func assign(_ type: IcebergType) -> IcebergType {
            switch type {
            case .primitive: return type
            case .structure(let fields): return .structure(assign(fields))
            case .list(let id, let element, let required):
                let own = fresh(id)
                return .list(elementID: own, element: assign(element), elementRequired: required)
            case .map(let keyID, let key, let valueID, let value, let required):
                let (ownKey, ownValue) = (fresh(keyID), fresh(valueID))
                let assignedKey = assign(key)
                return .map(
                    keyID: ownKey, key: assignedKey, valueID: ownValue, value: assign(value),
                    valueRequired: required)
            }
        }
        func assign(_ fields: [NestedField]) -> [NestedField] {
            var result = fields
            for index in result.indices { result[index].id = fresh(result[index].id) }
            for index in result.indices { result[index].type = assign(result[index].type) }
            return result
        }
        let fields = assign(fields)
        let schema = Schema(
            schemaID: schemaID, fields: fields,
            identifierFieldIDs: identifierFieldIDs.compactMap { ids[$0] })
        return (schema, ids)
    }
}
