package import JSON

/// What must still hold for a commit to happen. Source: REST catalog specification,
/// `TableRequirement` and `ViewRequirement`.
package enum TableRequirement: Sendable, Hashable {
    case assertCreate
    case assertTableUUID(String)
    case assertViewUUID(String)
    /// The snapshot that a branch or tag points at; nil: it must not exist.
    case assertReferenceSnapshotID(reference: String, snapshotID: Int64?)
    case assertLastAssignedFieldID(Int32)
    case assertCurrentSchemaID(Int32)
    case assertLastAssignedPartitionID(Int32)
    case assertDefaultSpecID(Int32)
    case assertDefaultSortOrderID(Int32)

    package init(_ at: JSONCursor) throws {
        switch try at["type"].string() {
        case "assert-create": self = .assertCreate
        case "assert-table-uuid": self = .assertTableUUID(try at["uuid"].string())
        case "assert-view-uuid": self = .assertViewUUID(try at["uuid"].string())
        case "assert-ref-snapshot-id":
            self = .assertReferenceSnapshotID(
                reference: try at["ref"].string(),
                snapshotID: try at["snapshot-id"].optionalInt64())
        case "assert-last-assigned-field-id":
            self = .assertLastAssignedFieldID(try at["last-assigned-field-id"].int32())
        case "assert-current-schema-id":
            self = .assertCurrentSchemaID(try at["current-schema-id"].int32())
        case "assert-last-assigned-partition-id":
            self = .assertLastAssignedPartitionID(try at["last-assigned-partition-id"].int32())
        case "assert-default-spec-id":
            self = .assertDefaultSpecID(try at["default-spec-id"].int32())
        case "assert-default-sort-order-id":
            self = .assertDefaultSortOrderID(try at["default-sort-order-id"].int32())
        case let unknown:
            throw IcebergError(
                code: .invalidUpdate, message: "unknown requirement at \(at.path): \(unknown)")
        }
    }

    /// Throws `.requirementFailed` unless it holds; `metadata` is nil where there is no table.
    package func check(_ metadata: TableMetadata?) throws(IcebergError) {
        guard let metadata else {
            if self == .assertCreate { return }
            throw failed("the table does not exist")
        }
        switch self {
        case .assertCreate: throw failed("the table exists already")
        case .assertViewUUID: throw failed("it is a table, not a view")
        case .assertTableUUID(let uuid):
            guard uuid.lowercased() == metadata.tableUUID.lowercased() else {
                throw failed("table uuid changed: expected \(uuid), is \(metadata.tableUUID)")
            }
        case .assertReferenceSnapshotID(let name, let expected):
            let found = metadata.references[name]?.snapshotID
            guard found == expected else {
                throw failed(
                    "\(name) changed: expected snapshot \(text(expected)), is \(text(found))")
            }
        case .assertLastAssignedFieldID(let id):
            try equal("last assigned field id", id, metadata.lastColumnID)
        case .assertCurrentSchemaID(let id):
            try equal("current schema id", id, metadata.currentSchemaID)
        case .assertLastAssignedPartitionID(let id):
            try equal("last assigned partition id", id, metadata.lastPartitionID)
        case .assertDefaultSpecID(let id):
            try equal("default spec id", id, metadata.defaultSpecID)
        case .assertDefaultSortOrderID(let id):
            try equal("default sort order id", id, metadata.defaultSortOrderID)
        }
    }

    private func equal(_ what: String, _ wanted: Int32, _ found: Int32) throws(IcebergError) {
        guard wanted == found else {
            throw failed("\(what) changed: expected \(wanted), is \(found)")
        }
    }

    private func text(_ id: Int64?) -> String { id.map(String.init) ?? "none" }

    private func failed(_ message: String) -> IcebergError {
        IcebergError(
            code: .requirementFailed, message: "requirement failed: \(message)",
            hint: "load the table again and repeat the change on its present state")
    }
}
