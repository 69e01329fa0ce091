import Authority
import Bytes
import HTTPMessages
import Iceberg
import JSON
import Platform
import TableCatalog

extension IcebergCall {
    /// A `LoadTableResult`: where the metadata is, the metadata, and how to reach the files.
    func answer(_ table: LoadedTable, snapshots: SnapshotMode = .all) throws -> Response {
        try requireUnrestricted(table)
        var writer = JSONWriter(capacity: table.metadataText.count + 1024)
        writer.beginObject()
        if !table.metadataLocation.isEmpty {
            writer.member("metadata-location", table.metadataLocation)
        }
        writer.member("metadata")
        switch snapshots {
        case .all: writer.raw(table.metadataText)
        case .references: writer.value(table.metadata.onlyReferencedSnapshots.json)
        }
        var config = service.settings.storage
        let signs = wantsSigning
        let credentials = signs ? nil : try vend(table)
        if let credentials {
            config.merge(credentials.properties) { $1 }
            config["client.refresh-credentials-endpoint"] = path(table.identifier, "credentials")
        }
        if signs {
            config["s3.remote-signing-enabled"] = "true"
            config["s3.signer"] = "S3V4RestSigner"
            for name in ["signer.endpoint", "s3.signer.endpoint"] {
                config[name] = path(table.identifier, "sign")
            }
        }
        writer.member("config")
        writer.value(Self.json(config))
        if let credentials {
            writer.member("storage-credentials")
            writer.value(storageCredentials(table, credentials))
        }
        if signs {
            writer.member("remote-signing-config")
            writer.value(["properties": [:], "headers": [:]])
        }
        writer.endObject()
        var response = Response(
            status: 200, contentType: "application/json", bytes: writer.bytes)
        if !table.metadataLocation.isEmpty {
            response.fields["ETag"] = etag(table.metadataLocation, snapshots)
        }
        return response
    }

    /// Credentials for the table's files; nil when nobody vends, or the caller sees only a part of
    /// the table.
    func vend(_ table: LoadedTable) throws -> VendedCredentials? {
        guard let vendor = service.vendor, table.isUnrestricted else { return nil }
        let resource = Resource(
            tenant: context.tenant, kind: .table,
            path: [warehouse.warehouse] + table.identifier.namespace + [table.identifier.name])
        let canWrite = writes(resource)
        let own = try catalog.ownPlaces(context, warehouse, table)
        let wanted = KeptCredentials.Key(
            tenant: context.tenant, principal: context.principal.id, table: resource.path,
            locations: table.places, own: own, canWrite: canWrite, period: period(vendor))
        return try service.credentials.get(wanted) {
            try vendor.credentials(
                context, table: resource.path, locations: table.places, own: own,
                canWrite: canWrite)
        }
    }

    /// Whether the caller may change rows of a table.
    func writes(_ resource: Resource) -> Bool {
        [Action.tableInsert, .tableUpdate, .tableDelete].contains {
            service.authorizer.decide(context, $0, resource).isAllowed
        }
    }

    /// Whether the client wants its requests signed here, and no credentials.
    private var wantsSigning: Bool {
        guard let field = request.fields["X-Iceberg-Access-Delegation"] else { return false }
        let wanted =
            field
            .split(separator: ",").map { $0.filter { $0 != " " } }
        return service.vendor != nil && wanted.contains("remote-signing")
            && !wanted.contains("vended-credentials")
    }

    /// Which half of a credential's life the time falls in: what was vended in one lives through the next.
    private func period(_ vendor: any CredentialVendor) -> Int64 {
        service.clock.now().milliseconds / max(1, vendor.lifetimeMilliseconds / 2)
    }

    func storageCredentials(_ table: LoadedTable, _ credentials: VendedCredentials) -> JSONValue {
        var config = credentials.properties
        config["s3.session-token-expires-at-ms"] = String(credentials.expiresMilliseconds)
        return [["prefix": .string(table.metadata.location), "config": Self.json(config)]]
    }

    private func path(_ identifier: TableIdentifier, _ last: String) -> String {
        let namespace = percentEncoded(identifier.namespace.joined(separator: namespaceSeparator))
        return "v1/\(percentEncoded(warehouse.description, allowed: "@"))/namespaces/\(namespace)"
            + "/tables/\(percentEncoded(identifier.name))/\(last)"
    }

    /// Names the state, the kind of answer and the caller, and changes in time before credentials that
    /// came with it expire: a 304 never leaves a client with dead ones.
    func etag(_ metadataLocation: String, _ snapshots: SnapshotMode) -> String {
        let period = service.vendor.map(period) ?? 0
        let text = [
            metadataLocation, snapshots.rawValue, context.principal.id, String(period),
            wantsSigning ? "signs" : "",
        ].joined(separator: " ")
        return "\"\(String(xxHash64(Array(text.utf8)), radix: 16))\""
    }
}

/// Which snapshots a client wants to see.
enum SnapshotMode: String, Sendable {
    case all
    case references = "refs"
}

extension TableMetadata {
    /// The metadata with those snapshots only that a branch or tag points at.
    fileprivate var onlyReferencedSnapshots: TableMetadata {
        var copy = self
        var wanted = Set(references.values.map(\.snapshotID))
        if let currentSnapshotID { wanted.insert(currentSnapshotID) }
        copy.snapshots.removeAll { !wanted.contains($0.snapshotID) }
        return copy
    }
}
