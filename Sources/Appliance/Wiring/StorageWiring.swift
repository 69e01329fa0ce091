import Authority
import CivilTime
import ConsoleAPI
import Dashboards
import DiskObjectStorage
import HTTPMessages
import Identity
import JSON
import ObjectStorage
import Platform
import S3API
import SQLEngine
import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// The buckets for the console's pages, over the object store and with the rights of the visitor.
struct StoreBrowser: StorageBrowser {
    let store: DiskObjectStore
    let identity: IdentityRegistry
    let clock: any WallClock
    let zones: TimeZones
    /// Scheme, host and port of the S3 door.
    let endpoint: String

    func buckets(_ context: RequestContext) throws -> [StorageBucket] {
        try store.buckets(context).map {
            StorageBucket(
                name: $0.name, createdMicroseconds: $0.createdMicroseconds, owner: owner($0.owner))
        }
    }

    func list(
        _ context: RequestContext, bucket: String, prefix: String, after: String?, limit: Int
    ) throws -> StoragePageful {
        let found = try store.list(
            context, bucket: bucket, prefix: prefix, delimiter: "/", after: after, limit: limit)
        return StoragePageful(
            folders: found.commonPrefixes, objects: found.objects.map { entry($0.description) },
            next: found.next)
    }

    func object(_ context: RequestContext, _ place: StoragePlace) throws -> StorageObject {
        object(
            try store.head(context, location(place), version: try version(place)))
    }

    func versions(
        _ context: RequestContext, _ place: StoragePlace, limit: Int
    ) throws -> [StorageVersion] {
        try store.listVersions(
            context, bucket: place.bucket, prefix: place.key, delimiter: nil, afterKey: nil,
            afterVersion: nil, limit: limit
        ).versions
            .filter { KeyOrder.areEqual($0.description.location.key, place.key) }
            .map {
                StorageVersion(
                    id: $0.id.text, sizeBytes: $0.description.sizeBytes,
                    modifiedMicroseconds: $0.description.modifiedMicroseconds,
                    isCurrent: $0.isLatest, isDeletion: $0.isMarker)
            }
    }

    func content(_ context: RequestContext, _ place: StoragePlace) throws -> StorageContent {
        let reader = try store.open(context, location(place), version: try version(place))
        return StorageContent(object: object(reader.record), stream: WholeObject(reader))
    }

    func upload(
        _ context: RequestContext, _ place: StoragePlace, contentType: String?,
        _ body: any RequestBody
    ) throws -> StorageObject {
        var attributes = ObjectAttributes()
        if let contentType { attributes.headers["content-type"] = contentType }
        let upload = try store.beginPut(context, location(place), attributes: attributes)
        while let bytes = try body.next() {
            try bytes.withUnsafeBytes { raw in try upload.append(raw) }
        }
        return object(try upload.finish())
    }

    func delete(_ context: RequestContext, _ place: StoragePlace) throws {
        _ = try store.delete(context, location(place), version: try version(place))
    }

    func share(
        _ context: RequestContext, _ place: StoragePlace, seconds: Int
    ) throws -> String {
        // Whoever may not read it cannot share it either, nor what is not there.
        _ = try object(context, place)
        // Wildcards in a key would widen the policy; the scope keeps such a key by itself.
        let policy =
            place.key.contains { "*?$".contains($0) }
            ? nil : Self.readPolicy(StorageNames.resource(bucket: place.bucket, key: place.key))
        let credential = try identity.temporaryCredential(
            context,
            scope: CredentialScope(
                areas: [.init(bucket: place.bucket, prefix: place.key)], isReadOnly: true),
            lifetime: .seconds(seconds),
            session: SessionLimits(
                role: context.assumedRole, policy: policy, name: "shared link"))
        return Presigner(
            accessKeyID: credential.accessKeyID, secretAccessKey: credential.secretAccessKey,
            sessionToken: credential.sessionToken
        ).url(
            endpoint: endpoint, bucket: place.bucket, key: place.key, seconds: seconds,
            nowMicroseconds: clock.now().microseconds,
            items: place.version.map { [("versionId", $0)] } ?? [])
    }

    func readers(_ context: RequestContext, _ place: StoragePlace) throws -> [StorageReader] {
        let location = location(place)
        return try identity.accounts(context).map { account in
            guard !account.isDisabled else {
                return StorageReader(
                    name: account.name, isAllowed: false, reason: "the account is disabled")
            }
            let asked = RequestContext(
                principal: try identity.principal(id: account.id), requestID: context.requestID,
                door: .s3, tenant: context.tenant)
            let decision = try store.decision(
                asked, .objectRead, location, by: identity.quietAuthorizer)
            return StorageReader(
                name: account.name, isAllowed: decision.isAllowed, reason: decision.reason)
        }
    }

    // MARK: Pieces

    private static func readPolicy(_ resource: String) -> String {
        let statement: JSONValue = .object([
            ("Effect", .string("Allow")),
            ("Action", .array([.string("s3:GetObject"), .string("s3:GetObjectVersion")])),
            ("Resource", .string(resource)),
        ])
        return JSONValue.object([
            ("Version", .string("2012-10-17")), ("Statement", .array([statement])),
        ]).encodedText()
    }

    private func location(_ place: StoragePlace) -> ObjectLocation {
        ObjectLocation(bucket: place.bucket, key: place.key)
    }

    private func version(_ place: StoragePlace) throws -> VersionID? {
        guard let text = place.version else { return nil }
        guard let version = VersionID(text) else {
            throw ObjectStoreError(
                code: .noSuchVersion, message: "there is no such version: \(text)")
        }
        return version
    }

    private func entry(_ object: ObjectDescription) -> StorageEntry {
        StorageEntry(
            key: object.location.key, sizeBytes: object.sizeBytes,
            modifiedMicroseconds: object.modifiedMicroseconds)
    }

    /// The name behind the id.
    private func owner(_ text: String) -> String {
        String(text.split(separator: " ", maxSplits: 1).last ?? "")
    }

    private func object(_ record: ObjectRecord) -> StorageObject {
        var details = [QueryDetails.Statistic("ETag", record.description.etag)]
        func add(_ map: [String: String], _ name: (String) -> String) {
            details += map.sorted { $0.key < $1.key }.map { .init(name($0.key), $0.value) }
        }
        add(
            Dictionary(
                record.checksums.values.map { ($0.key.rawValue, $0.value) },
                uniquingKeysWith: { first, _ in first })
        ) { "checksum \($0)" }
        add(record.attributes.headers.filter { $0.key != "content-type" }) { $0 }
        add(record.attributes.userMetadata) { "x-amz-meta-\($0)" }
        add(record.attributes.tags) { "tag \($0)" }
        if record.partCount > 0 { details.append(.init("parts", "\(record.partCount)")) }
        return StorageObject(
            entry: entry(record.description),
            contentType: record.attributes.headers["content-type"], etag: record.description.etag,
            owner: owner(record.owner), details: details)
    }
}

extension StoreBrowser {
    /// What of a text is shown.
    private static let textBytes: Int64 = 64 << 10
    private static let previewRows = 20

    func preview(_ context: RequestContext, _ place: StoragePlace) throws -> StoragePreview {
        let reader = try store.open(context, location(place), version: try version(place))
        let type = reader.record.attributes.headers["content-type"] ?? ""
        if reader.description.sizeBytes == 0 { return .none("It is empty.") }
        if StorageContent.pictures.contains(type) { return .image }
        let key = place.key.lowercased()
        if let kind = FileKind(key) {
            do { return .rows(try rows(context, kind, reader)) } catch {
                // What only looks like rows by its name may still be a text.
                guard kind != .parquet, let text = try text(reader) else {
                    return .none("It cannot be read as \(kind.name).")
                }
                return text
            }
        }
        return try text(reader) ?? .none("There is no preview of this kind of file.")
    }

    private enum FileKind {
        case parquet, csv, jsonLines

        init?(_ key: String) {
            func ends(_ suffixes: String...) -> Bool { suffixes.contains { key.hasSuffix($0) } }
            if ends(".parquet", ".pq") {
                self = .parquet
            } else if ends(".csv", ".tsv") {
                self = .csv
            } else if ends(".jsonl", ".ndjson") {
                self = .jsonLines
            } else {
                return nil
            }
        }

        var name: String {
            switch self {
            case .parquet: "Parquet"
            case .csv: "CSV"
            case .jsonLines: "JSON lines"
            }
        }
    }

    /// The first rows, by an engine that knows this file alone.
    private func rows(
        _ context: RequestContext, _ kind: FileKind, _ reader: StoredObjectReader
    ) throws -> ChartData {
        let name = TableName(catalog: "preview", schema: "default", table: "object")
        let limit = 128 << 20
        let budget = MemoryBudget(limitBytes: limit)
        let table: any PlannedTable =
            switch kind {
            case .parquet: try ParquetFilesTable(name: name, files: [reader])
            case .csv:
                try TextFilesTable(name: name, files: [reader], format: .csv, budget: budget)
            case .jsonLines:
                try TextFilesTable(name: name, files: [reader], format: .jsonLines, budget: budget)
            }
        let files = LocalFileSystem()
        let spill = try files.makeTemporaryDirectory(prefix: "lakehouse-preview")
        defer { try? files.removeTree(spill) }
        var configuration = QueryEngineConfiguration(spillDirectory: spill)
        configuration.threadCount = 1
        configuration.memoryLimitBytes = limit
        let engine = QueryEngine(
            configuration, catalog: nil, store: nil, authorizer: OpenAuthorizer(), tables: [table],
            zones: zones)
        return try EngineQueryRunner(engine: engine, zones: zones).run(
            context,
            QueryRequest(
                "SELECT * FROM preview.default.object LIMIT \(Self.previewRows)",
                rowLimit: Self.previewRows)
        ).data
    }

    /// The beginning, when it is UTF-8 without control characters; nil when it is not.
    private func text(_ reader: StoredObjectReader) throws -> StoragePreview? {
        let size = reader.description.sizeBytes
        var bytes = try reader.bytes(0..<min(size, Self.textBytes))
        let hasMore = size > Self.textBytes
        // A character that the cut went through is left off.
        if hasMore {
            while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
            if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        }
        let isText = bytes.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        guard isText, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return .text(text, hasMore: hasMore)
    }
}

/// An object as its reader takes it.
private final class WholeObject: ResponseStream {
    private static let pieceBytes: Int64 = 256 << 10
    private let reader: StoredObjectReader
    private let at = Mutex<Int64>(0)

    init(_ reader: StoredObjectReader) { self.reader = reader }

    func next() throws -> [UInt8]? {
        let size = reader.description.sizeBytes
        let range = at.withLock { at in
            let end = min(size, at + Self.pieceBytes)
            defer { at = end }
            return at..<end
        }
        return range.isEmpty ? nil : try reader.bytes(range)
    }
}
