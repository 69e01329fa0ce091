package import JSON

/// One definition of a view: its SQL in one or more dialects.
package struct ViewVersion: Sendable, Hashable {
    package var versionID: Int
    package var schemaID: Int32
    package var timestampMilliseconds: Int64
    package var summary: [String: String]
    /// Each with `type`, `sql` and `dialect`.
    package var representations: [JSONObject]
    package var defaultCatalog: String?
    package var defaultNamespace: [String]

    package init(
        versionID: Int, schemaID: Int32, timestampMilliseconds: Int64, summary: [String: String],
        representations: [JSONObject], defaultCatalog: String?, defaultNamespace: [String]
    ) {
        self.versionID = versionID
        self.schemaID = schemaID
        self.timestampMilliseconds = timestampMilliseconds
        self.summary = summary
        self.representations = representations
        self.defaultCatalog = defaultCatalog
        self.defaultNamespace = defaultNamespace
    }

    package init(_ at: JSONCursor) throws {
        self.init(
            versionID: try at["version-id"].int(), schemaID: try at["schema-id"].int32(),
            timestampMilliseconds: try at["timestamp-ms"].int64(),
            summary: try at["summary"].optionalStringMap() ?? [:],
            representations: try at["representations"].elements().map { element in
                _ = try element["type"].string()
                return try element.object()
            }, defaultCatalog: try at["default-catalog"].optionalString(),
            defaultNamespace: try at["default-namespace"].strings())
    }

    /// The SQL of a dialect (compared without case); nil when there is none.
    package func sql(dialect: String) -> String? {
        for representation in representations {
            guard case .string(let own) = representation["dialect"],
                own.lowercased() == dialect.lowercased(),
                case .string(let sql) = representation["sql"]
            else { continue }
            return sql
        }
        return nil
    }

    package var json: JSONValue {
        var object = JSONObject([
            ("version-id", .int(versionID)), ("timestamp-ms", .int(timestampMilliseconds)),
            ("schema-id", .int(Int64(schemaID))),
            (
                "summary",
                .object(summary.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            ),
            ("representations", .array(representations.map { .object($0) })),
        ])
        if let defaultCatalog { object.append("default-catalog", .string(defaultCatalog)) }
        object.append("default-namespace", .array(defaultNamespace.map { .string($0) }))
        return .object(object)
    }
}

/// One change of a view. Source: REST catalog specification, `ViewUpdate`.
package enum ViewUpdate: Sendable {
    case assignUUID(String)
    case upgradeFormatVersion(Int)
    case addSchema(Schema)
    case setLocation(String)
    case setProperties([String: String])
    case removeProperties([String])
    case addVersion(ViewVersion)
    case setCurrentVersion(Int)

    package init(_ at: JSONCursor) throws {
        switch try at["action"].string() {
        case "assign-uuid": self = .assignUUID(try at["uuid"].string())
        case "upgrade-format-version":
            self = .upgradeFormatVersion(try at["format-version"].int())
        case "add-schema": self = .addSchema(try Schema(at["schema"]))
        case "set-location": self = .setLocation(try at["location"].string())
        case "set-properties": self = .setProperties(try at["updates"].stringMap())
        case "remove-properties": self = .removeProperties(try at["removals"].strings())
        case "add-view-version": self = .addVersion(try ViewVersion(at["view-version"]))
        case "set-current-view-version":
            self = .setCurrentVersion(try at["view-version-id"].int())
        case let unknown:
            throw IcebergError(
                code: .invalidUpdate, message: "unknown view update at \(at.path): \(unknown)")
        }
    }
}

/// A view's document. Source: Iceberg view specification.
package struct ViewMetadata: Sendable, Hashable {
    package var uuid: String
    package var location: String
    package var schemas: [Schema]
    package var currentVersionID: Int
    package var versions: [ViewVersion]
    /// When a version became current, oldest first.
    package var versionLog: [TableMetadata.SnapshotLogEntry]
    package var properties: [String: String]

    package var currentVersion: ViewVersion? {
        versions.first { $0.versionID == currentVersionID }
    }
    package var currentSchema: Schema? {
        currentVersion.flatMap { version in schemas.first { $0.schemaID == version.schemaID } }
    }

    package init(_ at: JSONCursor) throws {
        guard try at["format-version"].int() == 1 else {
            throw IcebergError(code: .unsupported, message: "unsupported view format version")
        }
        uuid = try at["view-uuid"].string()
        location = try at["location"].string()
        schemas = try at["schemas"].elements().map { try Schema($0) }
        currentVersionID = try at["current-version-id"].int()
        versions = try at["versions"].elements().map { try ViewVersion($0) }
        versionLog = try at["version-log"].elements().map {
            .init(
                timestampMilliseconds: try $0["timestamp-ms"].int64(),
                snapshotID: try $0["version-id"].int64())
        }
        properties = try at["properties"].optionalStringMap() ?? [:]
        guard currentVersion != nil else {
            throw at["current-version-id"].expected("the id of a version")
        }
    }

    private init(uuid: String, location: String) {
        self.uuid = uuid
        self.location = location
        schemas = []
        currentVersionID = 0
        versions = []
        versionLog = []
        properties = [:]
    }

    /// A new view.
    package static func create(
        uuid: String, location: String, schema: Schema, version: ViewVersion,
        properties: [String: String], nowMilliseconds: Int64
    ) throws(IcebergError) -> ViewMetadata {
        var own = version
        own.schemaID = -1
        return try ViewMetadata(uuid: uuid, location: location).applying(
            [
                .addSchema(schema), .addVersion(own), .setCurrentVersion(-1),
                .setProperties(properties),
            ], nowMilliseconds: nowMilliseconds)
    }

    /// Throws `.requirementFailed` unless it holds.
    package func check(_ requirement: TableRequirement) throws(IcebergError) {
        switch requirement {
        case .assertViewUUID(let wanted) where wanted.lowercased() == uuid.lowercased(): return
        case .assertViewUUID(let wanted):
            throw IcebergError(
                code: .requirementFailed,
                message: "requirement failed: view uuid changed: expected \(wanted), is \(uuid)")
        default:
            throw IcebergError(
                code: .invalidUpdate, message: "a requirement of tables given for a view")
        }
    }

    /// The view after the updates; -1 means "added last here".
    package func applying(
        _ updates: [ViewUpdate], nowMilliseconds: Int64
    ) throws(IcebergError) -> ViewMetadata {
        var next = self
        var lastSchemaID: Int32?
        var lastVersionID: Int?
        for update in updates {
            switch update {
            case .assignUUID(let new):
                guard new == next.uuid else {
                    throw Self.invalid("the uuid of a view cannot change")
                }
            case .upgradeFormatVersion(let version):
                guard version == 1 else {
                    throw Self.invalid("unsupported view format: \(version)")
                }
            case .addSchema(let schema):
                try schema.validate()
                if let same = next.schemas.first(where: { $0.hasSameFields(as: schema) }) {
                    lastSchemaID = same.schemaID
                } else {
                    var added = schema
                    added.schemaID = (next.schemas.map(\.schemaID).max() ?? -1) + 1
                    next.schemas.append(added)
                    lastSchemaID = added.schemaID
                }
            case .setLocation(let place): next.location = place
            case .setProperties(let set): next.properties.merge(set) { $1 }
            case .removeProperties(let names): for name in names { next.properties[name] = nil }
            case .addVersion(let version):
                var added = version
                if added.schemaID == -1 {
                    guard let lastSchemaID else {
                        throw Self.invalid("-1 given, but no schema added")
                    }
                    added.schemaID = lastSchemaID
                }
                guard next.schemas.contains(where: { $0.schemaID == added.schemaID }) else {
                    throw Self.invalid("a view version names no schema: \(added.schemaID)")
                }
                guard !added.representations.isEmpty else {
                    throw Self.invalid("a view version without SQL")
                }
                added.versionID = (next.versions.map(\.versionID).max() ?? 0) + 1
                next.versions.append(added)
                lastVersionID = added.versionID
            case .setCurrentVersion(let id):
                guard let wanted = id == -1 ? lastVersionID : id,
                    next.versions.contains(where: { $0.versionID == wanted })
                        || lastVersionID != nil && id > 0
                else { throw Self.invalid("no view version \(id)") }
                // A client numbers its version itself; the one added here has ours.
                next.currentVersionID =
                    next.versions.contains { $0.versionID == wanted }
                    ? wanted : lastVersionID ?? wanted
                next.versionLog.append(
                    .init(
                        timestampMilliseconds: nowMilliseconds,
                        snapshotID: Int64(next.currentVersionID)))
            }
        }
        guard next.currentVersion != nil else { throw Self.invalid("a view without a version") }
        let keep = max(1, Int(next.properties["version.history.num-entries"] ?? "") ?? 10)
        if next.versions.count > keep {
            let current = next.currentVersionID
            let recent = Set(next.versions.suffix(keep).map(\.versionID) + [current])
            next.versions.removeAll { !recent.contains($0.versionID) }
        }
        return next
    }

    private static func invalid(_ message: String) -> IcebergError {
        IcebergError(code: .invalidUpdate, message: message)
    }

    /// The document.
    package var json: JSONValue {
        .object([
            ("view-uuid", .string(uuid)), ("format-version", 1), ("location", .string(location)),
            ("schemas", .array(schemas.map(\.json))),
            ("current-version-id", .int(currentVersionID)),
            ("versions", .array(versions.map(\.json))),
            (
                "version-log",
                .array(
                    versionLog.map {
                        [
                            "timestamp-ms": .int($0.timestampMilliseconds),
                            "version-id": .int($0.snapshotID),
                        ]
                    })
            ),
            (
                "properties",
                .object(properties.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            ),
        ])
    }
}
