package import JSON

/// A type without parts. Source: Iceberg specification, "Primitive Types".
package enum PrimitiveType: Sendable, Hashable {
    case boolean, int, long, float, double, date, time, timestamp, timestamptz, string, uuid, binary
    case decimal(precision: Int, scale: Int)
    case fixed(Int)
    // Version 3.
    case timestampNanos, timestamptzNanos, unknown, variant
    case geometry(String?)
    case geography(String?)
}

/// A type of a column or of a part of one.
package indirect enum IcebergType: Sendable, Hashable {
    case primitive(PrimitiveType)
    case structure([NestedField])
    case list(elementID: Int32, element: IcebergType, elementRequired: Bool)
    case map(
        keyID: Int32, key: IcebergType, valueID: Int32, value: IcebergType, valueRequired: Bool)

    /// The type, if it has no parts.
    package var primitive: PrimitiveType? {
        if case .primitive(let type) = self { type } else { nil }
    }
}

/// A field of a struct; the columns of a table are the fields of the outermost one.
package struct NestedField: Sendable, Hashable {
    package var id: Int32
    package var name: String
    package var isRequired: Bool
    package var type: IcebergType
    package var doc: String?
    /// Version 3: the value of rows written before the column was added, as single-value JSON.
    package var initialDefault: JSONValue?
    /// Version 3: the value of rows that do not name the column.
    package var writeDefault: JSONValue?

    package init(
        id: Int32, name: String, isRequired: Bool, type: IcebergType, doc: String? = nil,
        initialDefault: JSONValue? = nil, writeDefault: JSONValue? = nil
    ) {
        self.id = id
        self.name = name
        self.isRequired = isRequired
        self.type = type
        self.doc = doc
        self.initialDefault = initialDefault
        self.writeDefault = writeDefault
    }
}

extension PrimitiveType {
    /// The type of a name such as `decimal(10, 2)`; nil when there is none.
    package init?(name: String) {
        switch name {
        case "boolean": self = .boolean
        case "int": self = .int
        case "long": self = .long
        case "float": self = .float
        case "double": self = .double
        case "date": self = .date
        case "time": self = .time
        case "timestamp": self = .timestamp
        case "timestamptz": self = .timestamptz
        case "timestamp_ns": self = .timestampNanos
        case "timestamptz_ns": self = .timestamptzNanos
        case "string": self = .string
        case "uuid": self = .uuid
        case "binary": self = .binary
        case "unknown": self = .unknown
        case "variant": self = .variant
        default:
            guard let (base, arguments) = Self.split(name) else { return nil }
            switch base {
            case "fixed":
                guard arguments.count == 1, let size = Int(arguments[0]), size > 0 else {
                    return nil
                }
                self = .fixed(size)
            case "decimal":
                guard arguments.count == 2, let precision = Int(arguments[0]),
                    let scale = Int(arguments[1]), 1...38 ~= precision, 0...precision ~= scale
                else { return nil }
                self = .decimal(precision: precision, scale: scale)
            case "geometry": self = .geometry(arguments.joined(separator: ", ").nonEmpty)
            case "geography": self = .geography(arguments.joined(separator: ", ").nonEmpty)
            default: return nil
            }
        }
    }

    /// `name(a, b)` or `name[a]` taken apart.
    private static func split(_ name: String) -> (String, [String])? {
        guard let open = name.firstIndex(where: { $0 == "(" || $0 == "[" }) else {
            return name == "geometry" || name == "geography" ? (name, []) : nil
        }
        guard name.last == (name[open] == "(" ? ")" : "]") else { return nil }
        let inside = name[name.index(after: open)...].dropLast()
        let base = String(name[..<open]).filter { $0 != " " }
        let arguments = inside.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        return (base, arguments)
    }

    /// The type's name in metadata.
    package var name: String {
        switch self {
        case .boolean: "boolean"
        case .int: "int"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .date: "date"
        case .time: "time"
        case .timestamp: "timestamp"
        case .timestamptz: "timestamptz"
        case .timestampNanos: "timestamp_ns"
        case .timestamptzNanos: "timestamptz_ns"
        case .string: "string"
        case .uuid: "uuid"
        case .binary: "binary"
        case .unknown: "unknown"
        case .variant: "variant"
        case .fixed(let size): "fixed[\(size)]"
        case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
        case .geometry(let crs): crs.map { "geometry(\($0))" } ?? "geometry"
        case .geography(let crs): crs.map { "geography(\($0))" } ?? "geography"
        }
    }

    /// The first format version that has the type.
    package var formatVersion: Int {
        switch self {
        case .timestampNanos, .timestamptzNanos, .unknown, .variant, .geometry, .geography: 3
        default: 1
        }
    }

    /// Whether a column of this type may become one of `other` with the files as they are.
    package func canPromote(to other: PrimitiveType) -> Bool {
        switch (self, other) {
        case _ where self == other: true
        case (.int, .long), (.float, .double), (.unknown, _): true
        case (.decimal(let from, let scale), .decimal(let to, let same)):
            to >= from && same == scale
        default: false
        }
    }
}

extension String {
    var nonEmpty: String? { isEmpty ? nil : self }
}

extension IcebergType {
    init(_ at: JSONCursor, depth: Int = 0) throws {
        guard depth < Limits.typeDepth else {
            throw IcebergError(
                code: .limitExceeded, message: "a type nests deeper than \(Limits.typeDepth) levels"
            )
        }
        if at.isString {
            let name = try at.string()
            guard let type = PrimitiveType(name: name) else {
                throw IcebergError(
                    code: .unsupported, message: "unknown type at \(at.path): \(name)")
            }
            self = .primitive(type)
            return
        }
        switch try at["type"].string() {
        case "struct":
            self = .structure(
                try at["fields"].elements().map { try NestedField($0, depth: depth + 1) })
        case "list":
            self = .list(
                elementID: try at["element-id"].int32(),
                element: try IcebergType(at["element"], depth: depth + 1),
                elementRequired: try at["element-required"].bool())
        case "map":
            self = .map(
                keyID: try at["key-id"].int32(), key: try IcebergType(at["key"], depth: depth + 1),
                valueID: try at["value-id"].int32(),
                value: try IcebergType(at["value"], depth: depth + 1),
                valueRequired: try at["value-required"].bool())
        case let other:
            guard let type = PrimitiveType(name: other) else {
                throw IcebergError(
                    code: .unsupported, message: "unknown type at \(at.path): \(other)")
            }
            self = .primitive(type)
        }
    }

    /// The type as metadata writes it.
    package var json: JSONValue {
        switch self {
        case .primitive(let type): .string(type.name)
        case .structure(let fields):
            ["type": "struct", "fields": .array(fields.map(\.json))]
        case .list(let id, let element, let required):
            [
                "type": "list", "element-id": .int(Int64(id)), "element": element.json,
                "element-required": .bool(required),
            ]
        case .map(let keyID, let key, let valueID, let value, let required):
            [
                "type": "map", "key-id": .int(Int64(keyID)), "key": key.json,
                "value-id": .int(Int64(valueID)), "value": value.json,
                "value-required": .bool(required),
            ]
        }
    }
}

extension NestedField {
    init(_ at: JSONCursor, depth: Int = 0) throws {
        self.init(
            id: try at["id"].int32(), name: try at["name"].string(),
            isRequired: try at["required"].bool(), type: try IcebergType(at["type"], depth: depth),
            doc: try at["doc"].optionalString(), initialDefault: at["initial-default"].value,
            writeDefault: at["write-default"].value)
    }

    /// The field as metadata writes it.
    package var json: JSONValue {
        var object = JSONObject([
            ("id", .int(Int64(id))), ("name", .string(name)), ("required", .bool(isRequired)),
            ("type", type.json),
        ])
        if let doc { object.append("doc", .string(doc)) }
        if let initialDefault { object.append("initial-default", initialDefault) }
        if let writeDefault { object.append("write-default", writeDefault) }
        return .object(object)
    }
}
