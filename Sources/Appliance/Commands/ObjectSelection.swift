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

    /// How a command that selects so tells of it in its help.
    static let notes = """
        A name may be a pattern, in quotes so that the shell leaves it alone: * and ? stand for characters within
        a folder, ** for any, {csv,json} for one of several. An object whose key is the name, letter by letter,
        is meant before any pattern (with --recursive: objects whose keys begin with it); with --raw nothing is
        a pattern.
        """
    static let raw = CommandOption("raw", "takes names letter by letter: no * ? { } is a pattern")

    /// Whether a key as typed may stand for others.
    static func isPattern(_ key: String) -> Bool { key.contains(where: isSpecial) }

    private static func isSpecial(_ character: Character) -> Bool { "*?{".contains(character) }

    /// What is typed: `s3://bucket/key`, `s3://bucket/prefix` with `isRecursive`, or with `*`, `?`, `**`, `{a,b}`.
    ///
    /// What exists under the name as it stands comes before what it fits as a pattern: a key with a star stays
    /// within reach, and nothing beside it is touched. `--raw` is s5cmd's.
    static func find(
        _ appliance: Appliance, _ text: String, isRecursive: Bool, isRaw: Bool = false
    ) throws -> [Found] {
        let place = try ObjectPlace(text)
        let isPattern = !isRaw && isPattern(place.key)
        guard isRecursive || isPattern else { return [try one(appliance, try place.object())] }
        if !isPattern { return try list(appliance, place.bucket, under: place.key) }
        if isRecursive {
            let found = try list(appliance, place.bucket, under: place.key)
            if !found.isEmpty { return found }
        } else if !place.key.hasSuffix("/") {
            do { return [try one(appliance, try place.object())] } catch let error
                as ObjectStoreError where error.code == .noSuchKey
            {}
        }
        guard let pattern = GlobPattern(isRecursive ? place.key + "**" : place.key) else {
            throw ApplianceError(
                .usage, "not a pattern: \(text)", hint: "close its braces, or say --raw")
        }
        let start = String(place.key.prefix { !isSpecial($0) })
        let found = try list(appliance, place.bucket, under: start) {
            pattern.matches($0)
        }
        guard !found.isEmpty else {
            throw ApplianceError(.notFound, "no object fits \(text)")
        }
        return found
    }

    /// The objects whose keys begin with `prefix`, by the names that they have below its folder.
    private static func list(
        _ appliance: Appliance, _ bucket: String, under prefix: String,
        where fits: (String) -> Bool = { _ in true }
    ) throws -> [Found] {
        let folder = prefix.lastIndex(of: "/").map { prefix[...$0].count } ?? 0
        var found: [Found] = []
        try appliance.eachObject(bucket, prefix, delimiter: nil) { object in
            guard fits(object.location.key) else { return }
            let name = String(object.location.key.dropFirst(folder))
            found.append(
                Found(location: object.location, name: name, sizeBytes: object.sizeBytes))
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
