package import JSON

/// A schema: its kind, and the properties that the specification leaves to others.
package struct AvroSchema: Sendable, Hashable {
    /// The shapes of Avro.
    package indirect enum Kind: Sendable, Hashable {
        case null, boolean, int, long, float, double, bytes, string
        case array(AvroSchema)
        case map(AvroSchema)
        case union([AvroSchema])
        case record(name: String, fields: [AvroField])
        case enumeration(name: String, symbols: [String])
        case fixed(name: String, size: Int)
        /// A named type used again, also within itself.
        case reference(String)
    }

    package var kind: Kind
    /// `logicalType`, `precision`, `scale`, `element-id` and what else stood beside the type.
    package var properties: JSONObject

    package init(_ kind: Kind, properties: JSONObject = JSONObject()) {
        self.kind = kind
        self.properties = properties
    }

    /// The name of the logical type, if any.
    package var logicalType: String? {
        if case .string(let name) = properties["logicalType"] { name } else { nil }
    }

    /// A whole number among the properties: `precision`, `scale`, `element-id`.
    package func integer(_ name: String) -> Int? {
        if case .number(let number) = properties[name] { number.int64.map { Int($0) } } else { nil }
    }

    /// For a union of null and one other type, that type; the schema itself otherwise.
    package var unwrapped: AvroSchema {
        guard case .union(let branches) = kind else { return self }
        let others = branches.filter { $0.kind != .null }
        return others.count == 1 ? others[0] : self
    }
}

/// A field of a record.
package struct AvroField: Sendable, Hashable {
    package var name: String
    package var schema: AvroSchema
    /// The default as JSON, if the schema gives one.
    package var defaultValue: JSONValue?
    /// `field-id` and others.
    package var properties: JSONObject

    package init(
        name: String, schema: AvroSchema, defaultValue: JSONValue? = nil,
        properties: JSONObject = JSONObject()
    ) {
        self.name = name
        self.schema = schema
        self.defaultValue = defaultValue
        self.properties = properties
    }

    /// Iceberg's id of the field.
    package var fieldID: Int32? {
        guard case .number(let number) = properties["field-id"] else { return nil }
        return number.int64.flatMap { Int32(exactly: $0) }
    }
}

extension AvroSchema {
    /// Parses a schema; throws `.invalidSchema` with the path.
    package init(parsing text: [UInt8]) throws(AvroError) {
        do {
            var parser = SchemaParser()
            self = try parser.schema(try JSONValue(parsing: text).cursor, namespace: "", depth: 0)
        } catch let error as AvroError {
            throw error
        } catch {
            throw AvroError(
                code: .invalidSchema, message: "the Avro schema cannot be read", cause: error)
        }
    }

    /// The schema as JSON.
    package var json: JSONValue {
        switch kind {
        case .null: named("null")
        case .boolean: named("boolean")
        case .int: named("int")
        case .long: named("long")
        case .float: named("float")
        case .double: named("double")
        case .bytes: named("bytes")
        case .string: named("string")
        case .reference(let name): .string(name)
        case .union(let branches): .array(branches.map(\.json))
        case .array(let element): object([("type", "array"), ("items", element.json)])
        case .map(let value): object([("type", "map"), ("values", value.json)])
        case .enumeration(let name, let symbols):
            object([
                ("type", "enum"), ("name", .string(name)),
                ("symbols", .array(symbols.map { .string($0) })),
            ])
        case .fixed(let name, let size):
            object([("type", "fixed"), ("name", .string(name)), ("size", .int(size))])
        case .record(let name, let fields):
            object([
                ("type", "record"), ("name", .string(name)),
                ("fields", .array(fields.map(\.json))),
            ])
        }
    }

    private func named(_ name: String) -> JSONValue {
        properties.isEmpty ? .string(name) : object([("type", .string(name))])
    }

    private func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(JSONObject(members + properties.members.map { ($0.name, $0.value) }))
    }
}

extension AvroField {
    var json: JSONValue {
        var object = JSONObject([("name", .string(name)), ("type", schema.json)])
        if let defaultValue { object.append("default", defaultValue) }
        for property in properties.members { object.append(property.name, property.value) }
        return .object(object)
    }
}

/// Reads a schema and knows the names defined so far.
private struct SchemaParser {
    var names: Set<String> = []

    mutating func schema(
        _ at: JSONCursor, namespace: String, depth: Int
    ) throws -> AvroSchema {
        guard depth < Limits.depth else {
            throw AvroError(
                code: .limitExceeded, message: "a schema nests deeper than \(Limits.depth)")
        }
        switch at.value {
        case .string(let name): return AvroSchema(try kind(named: name, namespace: namespace, at))
        case .array:
            var branches: [AvroSchema] = []
            for element in try at.elements() {
                branches.append(try schema(element, namespace: namespace, depth: depth + 1))
            }
            return AvroSchema(.union(branches))
        case .object(let object):
            return try complex(at, object, namespace: namespace, depth: depth)
        default: throw at.expected("a schema")
        }
    }

    private mutating func complex(
        _ at: JSONCursor, _ object: JSONObject, namespace: String, depth: Int
    ) throws -> AvroSchema {
        // `{"type": {"type": …}}` wraps a schema once more.
        guard case .string(let type) = object["type"] else {
            return try schema(at["type"], namespace: namespace, depth: depth + 1)
        }
        var known: Set<String> = ["type"]
        let kind: AvroSchema.Kind
        switch type {
        case "array":
            known.insert("items")
            kind = .array(try schema(at["items"], namespace: namespace, depth: depth + 1))
        case "map":
            known.insert("values")
            kind = .map(try schema(at["values"], namespace: namespace, depth: depth + 1))
        case "record", "error":
            known.formUnion(["name", "namespace", "fields", "doc", "aliases"])
            let (name, inner) = try define(at, namespace)
            var fields: [AvroField] = []
            for field in try at["fields"].elements() {
                fields.append(try self.field(field, namespace: inner, depth: depth + 1))
            }
            kind = .record(name: name, fields: fields)
        case "enum":
            known.formUnion(["name", "namespace", "symbols", "doc", "aliases", "default"])
            kind = .enumeration(
                name: try define(at, namespace).name, symbols: try at["symbols"].strings())
        case "fixed":
            known.formUnion(["name", "namespace", "size", "doc", "aliases"])
            let size = try at["size"].int()
            guard size >= 0, size <= Limits.blockBytes else { throw at["size"].expected("a size") }
            kind = .fixed(name: try define(at, namespace).name, size: size)
        default: kind = try self.kind(named: type, namespace: namespace, at)
        }
        let properties = object.members.filter { !known.contains($0.name) }.map {
            ($0.name, $0.value)
        }
        return AvroSchema(kind, properties: JSONObject(properties))
    }

    private mutating func field(
        _ at: JSONCursor, namespace: String, depth: Int
    ) throws -> AvroField {
        let known: Set<String> = ["name", "type", "default", "doc", "order", "aliases"]
        let properties = try at.object().members.filter { !known.contains($0.name) }
        return AvroField(
            name: try at["name"].string(),
            schema: try schema(at["type"], namespace: namespace, depth: depth),
            defaultValue: at["default"].value,
            properties: JSONObject(properties.map { ($0.name, $0.value) }))
    }

    /// Notes the full name of a type before its inside is read, so that it may refer to itself.
    private mutating func define(
        _ at: JSONCursor, _ namespace: String
    ) throws -> (name: String, namespace: String) {
        let name = try at["name"].string()
        let own = try at["namespace"].optionalString() ?? namespace
        let full = name.contains(".") || own.isEmpty ? name : "\(own).\(name)"
        names.insert(full)
        let inner = full.lastIndex(of: ".").map { String(full[..<$0]) } ?? ""
        return (full, inner)
    }

    private func kind(
        named name: String, namespace: String, _ at: JSONCursor
    ) throws -> AvroSchema.Kind {
        switch name {
        case "null": return .null
        case "boolean": return .boolean
        case "int": return .int
        case "long": return .long
        case "float": return .float
        case "double": return .double
        case "bytes": return .bytes
        case "string": return .string
        default:
            let full = name.contains(".") || namespace.isEmpty ? name : "\(namespace).\(name)"
            if names.contains(full) { return .reference(full) }
            if names.contains(name) { return .reference(name) }
            throw AvroError(code: .invalidSchema, message: "unknown type at \(at.path): \(name)")
        }
    }
}
