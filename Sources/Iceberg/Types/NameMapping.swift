import JSON

/// What data files without field ids call the fields of a table. Source: Iceberg specification,
/// "Name Mapping Serialization".
package struct NameMapping: Sendable, Hashable {
    /// The table property that holds one.
    package static let property = "schema.name-mapping.default"

    /// The names of each field that has any, by its id.
    package private(set) var names: [Int32: [String]] = [:]

    /// Reads the property's JSON: a list of fields with their names and, for nested ones, fields.
    /// Throws `.corruptMetadata` for anything else.
    package init(parsing text: String) throws(IcebergError) {
        do {
            try collect(try JSONValue(parsing: Array(text.utf8)).cursor, depth: 0)
        } catch {
            throw IcebergError(
                code: .corruptMetadata,
                message: "no name mapping: \(Self.property)",
                hint: "set it to what the Iceberg specification calls a name mapping",
                cause: error)
        }
    }

    private mutating func collect(_ fields: JSONCursor, depth: Int) throws {
        guard depth < Limits.typeDepth else {
            throw IcebergError(
                code: .corruptMetadata,
                message: "a mapping nests over \(Limits.typeDepth) deep")
        }
        for field in try fields.elements() {
            let own = try field["names"].strings()
            if let id = Int32(exactly: try field["field-id"].optionalInt64() ?? -1), id >= 0 {
                names[id, default: []] += own
            }
            if field["fields"].isPresent { try collect(field["fields"], depth: depth + 1) }
        }
    }
}
