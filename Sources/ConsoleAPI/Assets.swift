import Compression
import HTTPMessages

extension ConsolePages {
    /// Styles, modules, pictures. They hold nothing of anybody's, so everybody may read them, and they
    /// alone are compressed: the length of a compressed page would tell of the secrets in it (BREACH).
    var assetRoutes: [Route] {
        [
            Route(.get, "/assets/{name+}") { request, path in
                asset(path.required("name"), request)
            }
        ]
    }

    private func asset(_ name: String, _ request: Request) -> Response {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isSound = parts.allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".")
                && part.utf8.allSatisfy {
                    ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x2E
                        || $0 == 0x5F
                }
        }
        guard isSound, let type = mediaType(name), let bytes = doors.assets.bytes(name) else {
            return doors.authenticator.secured(.text(404, "no such file\n"))
        }
        let packed =
            request.acceptsEncoding("gzip") ? try? Compressor().compress(.gzip, bytes) : nil
        let tag = "\"\(fingerprintText(of: bytes))\(packed == nil ? "" : "-gzip")\""
        var response = Response(status: 200, contentType: type, bytes: packed ?? bytes)
        if packed != nil { response.fields["Content-Encoding"] = "gzip" }
        if let known = request.fields["If-None-Match"],
            known.split(separator: ",").contains(where: {
                let item = $0.drop { $0 == " " }
                return item == "*" || item == tag || item == "W/" + tag
            })
        {
            response = Response(status: 304)
        }
        response.fields["ETag"] = tag
        response.fields["Vary"] = "Accept-Encoding"
        // The browser keeps it, and asks each time: after an upgrade it is new at once.
        response.fields["Cache-Control"] = "no-cache"
        return doors.authenticator.secured(response)
    }

    private func mediaType(_ name: String) -> String? {
        let types = [
            "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
            "svg": "image/svg+xml", "png": "image/png", "txt": "text/plain; charset=utf-8",
        ]
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return types[String(name[name.index(after: dot)...])]
    }
}
