import Authority
import ConsoleAPI
import Dashboards
import HTTPMessages
import Synchronization

/// One bucket with a table, a note, a picture, a page that would run as ours, and what is uploaded.
final class FakeStorage: StorageBrowser {
    private let kept = Mutex<[String: (type: String, bytes: [UInt8])]>([
        "a/b.csv": ("text/csv", Array("id\n1\n".utf8)),
        "a/note.txt": ("text/plain", Array(hostile.utf8)),
        "a/cat.png": ("image/png", [0x89, 0x50]),
        "a/evil.html": ("text/html", Array(hostile.utf8)),
    ])
    private let asked = Mutex<[String]>([])
    var calls: [String] { asked.withLock { $0 } }

    private func found(
        _ context: RequestContext, _ place: StoragePlace
    ) throws -> (type: String, bytes: [UInt8]) {
        guard context.principal.name != "eve" else {
            throw AccessDenied(
                principal: "eve", action: .objectRead,
                resource: Resource(kind: .object, path: [place.bucket, place.key]),
                reason: "no grant")
        }
        guard let object = kept.withLock({ $0[place.key] }) else {
            throw ConsoleNotFound("no such object", hint: nil)
        }
        return object
    }

    func buckets(_ context: RequestContext) throws -> [StorageBucket] {
        [
            StorageBucket(
                name: "landing", createdMicroseconds: 1_795_000_000_000_000, owner: hostile)
        ]
    }

    func list(
        _ context: RequestContext, bucket: String, prefix: String, after: String?, limit: Int
    ) throws -> StoragePageful {
        StoragePageful(
            folders: [prefix + hostile + "/"],
            objects: kept.withLock { $0.keys }.sorted().map {
                StorageEntry(
                    key: $0, sizeBytes: 4096, modifiedMicroseconds: 1_795_000_000_000_000)
            }, next: "a/z")
    }

    func object(_ context: RequestContext, _ place: StoragePlace) throws -> StorageObject {
        let object = try found(context, place)
        return StorageObject(
            entry: StorageEntry(
                key: place.key, sizeBytes: Int64(object.bytes.count),
                modifiedMicroseconds: 1_795_000_000_000_000),
            contentType: object.type, etag: "e", owner: hostile,
            details: [.init("x-amz-meta-a", hostile)])
    }

    func versions(
        _ context: RequestContext, _ place: StoragePlace, limit: Int
    ) throws -> [StorageVersion] {
        [("v2", true, true), ("v1", false, false)].map {
            StorageVersion(
                id: $0.0, sizeBytes: 3, modifiedMicroseconds: 1_795_000_000_000_000,
                isCurrent: $0.1, isDeletion: $0.2)
        }
    }

    func preview(_ context: RequestContext, _ place: StoragePlace) throws -> StoragePreview {
        let object = try found(context, place)
        switch object.type {
        case "text/csv":
            return .rows(
                ChartData(columns: [ChartColumn(hostile, "varchar")], rows: [[.text(hostile)]]))
        case "image/png": return .image
        default: return .text(String(decoding: object.bytes, as: UTF8.self), hasMore: true)
        }
    }

    func content(_ context: RequestContext, _ place: StoragePlace) throws -> StorageContent {
        StorageContent(
            object: try object(context, place), stream: OnePiece(try found(context, place).bytes))
    }

    func upload(
        _ context: RequestContext, _ place: StoragePlace, contentType: String?,
        _ body: any RequestBody
    ) throws -> StorageObject {
        let bytes = try body.readAll(limit: 1 << 20)
        kept.withLock { $0[place.key] = (contentType ?? "", bytes) }
        return try object(context, place)
    }

    func delete(_ context: RequestContext, _ place: StoragePlace) throws {
        asked.withLock { $0.append("delete \(place.key) \(place.version ?? "-")") }
    }

    func share(
        _ context: RequestContext, _ place: StoragePlace, seconds: Int
    ) throws -> String { "http://localhost:9000/landing/x?for=\(seconds)&\(hostile)" }

    func readers(_ context: RequestContext, _ place: StoragePlace) throws -> [StorageReader] {
        [
            StorageReader(name: "ada", isAllowed: true, reason: "role \(hostile)"),
            StorageReader(name: "eve", isAllowed: false, reason: "no grant"),
        ]
    }
}

private final class OnePiece: ResponseStream {
    private let rest: Mutex<[UInt8]?>
    init(_ bytes: [UInt8]) { rest = Mutex(bytes) }
    func next() throws -> [UInt8]? {
        rest.withLock { bytes in
            defer { bytes = nil }
            return bytes
        }
    }
}
