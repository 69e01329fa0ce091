import Authority
import Dashboards
import HTTPMessages

extension ConsolePages {
    var storageRoutes: [Route] {
        guard let storage = doors.storage else { return [] }
        let pages = StoragePages(pages: self, storage: storage)
        return pages.listRoutes + pages.objectRoutes + pages.transferRoutes
    }
}

/// Buckets and what is in them. Every address names the object by the parameter `key`, since keys may
/// hold any character, also slashes at either end.
struct StoragePages {
    let pages: ConsolePages
    let storage: any StorageBrowser

    var listRoutes: [Route] {
        [
            pages.page("/storage", .storage) { _, _, visitor in try bucketsPage(visitor) },
            pages.page("/storage/{bucket}", .storage) { request, path, visitor in
                try listPage(path.required("bucket"), request.queryItems, visitor)
            },
        ]
    }

    private func bucketsPage(_ visitor: ConsoleVisitor) throws -> Page {
        let buckets = try storage.buckets(visitor.context)
        let rows = buckets.map { bucket -> [Markup] in
            [
                "<a href=\"\(bucketPath(bucket.name))\">\(bucket.name)</a>",
                dated(bucket.createdMicroseconds), "\(bucket.owner)",
            ]
        }
        let list: Markup =
            rows.isEmpty
            ? "<p class=\"empty\">There is no bucket that you may list.</p>"
            : plainTable(["Bucket", "Created", "Owner"], rows, label: "Buckets")
        return Page(
            title: "Storage", body: "<div class=\"head\"><h1>Storage</h1></div>\n\(list)")
    }

    private func listPage(
        _ bucket: String, _ query: QueryItems, _ visitor: ConsoleVisitor
    ) throws -> Page {
        let prefix = query["prefix"] ?? ""
        let found = try storage.list(
            visitor.context, bucket: bucket, prefix: prefix, after: query["after"],
            limit: Limits.listedObjects)
        let folders = found.folders.map { folder -> [Markup] in
            [
                "<a href=\"\(listPath(bucket, prefix: folder))\">\(tail(folder, prefix))</a>",
                Markup(), Markup(),
            ]
        }
        let objects = found.objects.map { object -> [Markup] in
            [
                """
                <a href="\(objectPath(StoragePlace(bucket: bucket, key: object.key)))">\
                \(tail(object.key, prefix))</a>
                """,
                "\(byteText(object.sizeBytes))",
                moment(object.modifiedMicroseconds, now: pages.now),
            ]
        }
        var list: Markup =
            folders.isEmpty && objects.isEmpty
            ? "<p class=\"empty\">Nothing is here.</p>\n"
            : plainTable(
                ["Name", "Size", "Changed"], numeric: [1], folders + objects, label: "Objects")
        if let next = found.next {
            list += """
                <p><a class="button" href="\(listPath(bucket, prefix: prefix, after: next))">\
                More</a></p>

                """
        }
        let token = visitor.csrfToken.map { " data-csrf=\"\($0)\"" as Markup } ?? Markup()
        let name = prefix.isEmpty ? bucket : tail(prefix, parent(of: prefix))
        return Page(
            title: name,
            body: """
                <div class="head"><h1>\(name)</h1>\
                <p class="note">\(prefix.isEmpty ? "bucket" : "in the bucket \(bucket)")</p></div>
                <form class="drop card" id="upload" data-bucket="\(bucket)" \
                data-prefix="\(prefix)"\(token)>
                <label>Upload into <code>\(bucket)/\(prefix)</code>: drop files here, or choose \
                them <input type="file" name="files" multiple="multiple"></label>
                <ul class="uploads" aria-live="polite"></ul>
                </form>
                \(list)
                """, scripts: ["storage.js"], trail: trail(bucket, prefix))
    }

    // MARK: Places

    /// The bucket, and each folder down to the prefix.
    func trail(_ bucket: String, _ prefix: String) -> [(name: String, path: String)] {
        var trail = [(name: bucket, path: bucketPath(bucket))]
        var reached = ""
        for part in prefix.split(separator: "/", omittingEmptySubsequences: false).dropLast() {
            reached += part + "/"
            trail.append((part.isEmpty ? "/" : String(part), listPath(bucket, prefix: reached)))
        }
        return trail
    }

    func bucketPath(_ bucket: String) -> String { "/storage/\(segment(bucket))" }

    func listPath(_ bucket: String, prefix: String, after: String? = nil) -> String {
        bucketPath(bucket) + "?prefix=\(segment(prefix))"
            + (after.map { "&after=\(segment($0))" } ?? "")
    }

    /// The address of an object's page, or of what is done with it: `/storage/{bucket}/{verb}?key=`.
    func objectPath(_ place: StoragePlace, _ verb: String = "object") -> String {
        bucketPath(place.bucket) + "/\(verb)?key=\(segment(place.key))"
            + (place.version.map { "&version=\(segment($0))" } ?? "")
    }

    /// What of a key is behind the prefix; the whole key where nothing is.
    func tail(_ key: String, _ prefix: String) -> String {
        let rest = key.utf8.dropFirst(prefix.utf8.count)
        return rest.isEmpty ? key : String(decoding: rest, as: UTF8.self)
    }

    /// `a/b/` for `a/b/c` and `a/b/c/`.
    func parent(of key: String) -> String {
        let name = key.hasSuffix("/") ? key.dropLast() : key[...]
        guard let slash = name.lastIndex(of: "/") else { return "" }
        return String(name[...slash])
    }

    /// The object that an address means.
    func place(_ path: PathParameters, _ query: QueryItems) throws -> StoragePlace {
        guard let key = query["key"], !key.isEmpty else {
            throw ConsoleNotFound("no object is named", hint: "name it by the parameter key")
        }
        return StoragePlace(bucket: path.required("bucket"), key: key, version: query["version"])
    }
}
