import Authority
import DiskObjectStorage
import Jobs
import ObjectStorage

/// Which objects a command means by a place: one, all under a prefix, or those that a pattern fits.
struct ObjectSelection {
    /// An object with the name that it has below the folder that was named.
    struct Found {
        var location: ObjectLocation
        var name: String
        var sizeBytes: Int64
    }

    /// What is typed: `s3://bucket/key`, `s3://bucket/prefix` with `isRecursive`, or with `*`, `?`, `**`.
    static func find(_ appliance: Appliance, _ text: String, isRecursive: Bool) throws -> [Found] {
        let place = try ObjectPlace(text)
        let start = place.key.prefix { !"*?".contains($0) }
        let isPattern = start.count < place.key.count
        guard isRecursive || isPattern else { return [try one(appliance, try place.object())] }
        // A key may have a star of its own.
        if isPattern, !isRecursive, let object = try? one(appliance, place.object()) {
            return [object]
        }
        let folder = start.lastIndex(of: "/").map { start[...$0].count } ?? 0
        let pattern = isPattern ? GlobPattern(isRecursive ? place.key + "**" : place.key) : nil
        guard !isPattern || pattern != nil else {
            throw ApplianceError(.usage, "not a pattern: \(text)", hint: "close its braces")
        }
        var found: [Found] = []
        try appliance.eachObject(place.bucket, String(start), delimiter: nil) { object in
            let name = String(object.location.key.dropFirst(folder))
            guard pattern?.matches(object.location.key) ?? true else { return }
            found.append(
                Found(location: object.location, name: name, sizeBytes: object.sizeBytes))
        }
        guard !found.isEmpty || !isPattern else {
            throw ApplianceError(.notFound, "no object fits \(text)")
        }
        return found
    }

    private static func one(_ appliance: Appliance, _ location: ObjectLocation) throws -> Found {
        let record = try appliance.objects.head(commandContext(), location)
        return Found(
            location: location,
            name: location.key.split(separator: "/").last.map(String.init) ?? location.key,
            sizeBytes: record.description.sizeBytes)
    }
}

/// What a file's name says of its bytes.
enum ContentType {
    /// nil where the name says nothing.
    static func guess(_ name: String) -> String? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return byEnding[name[name.index(after: dot)...].lowercased()]
    }

    private static let byEnding = [
        "csv": "text/csv", "tsv": "text/tab-separated-values", "txt": "text/plain",
        "log": "text/plain", "md": "text/markdown", "html": "text/html", "css": "text/css",
        "js": "text/javascript", "xml": "application/xml", "json": "application/json",
        "jsonl": "application/x-ndjson", "ndjson": "application/x-ndjson",
        "yml": "application/yaml", "yaml": "application/yaml", "pdf": "application/pdf",
        "parquet": "application/vnd.apache.parquet", "avro": "application/avro",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
        "svg": "image/svg+xml", "webp": "image/webp", "gz": "application/gzip",
        "zst": "application/zstd", "zip": "application/zip", "tar": "application/x-tar",
        "bz2": "application/x-bzip2", "xz": "application/x-xz",
    ]
}
