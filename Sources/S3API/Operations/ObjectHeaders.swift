import CivilTime
import DiskObjectStorage
import HTTPMessages
import ObjectStorage

/// The header fields that are kept with an object and given back.
private let keptHeaders = [
    "content-type", "content-encoding", "content-disposition", "content-language", "cache-control",
    "expires",
]

/// Whether an item of the query gives a header of the answer another value.
func isOverride(_ name: String) -> Bool {
    name.hasPrefix("response-") && keptHeaders.contains(String(name.dropFirst(9)))
}

extension ObjectAttributes {
    /// From the headers of a write.
    init(_ call: S3Call) throws(S3Error) {
        self.init()
        for name in keptHeaders { headers[name] = call.header(name) }
        if let encoding = headers["content-encoding"] {
            // The framing of the request is not the object's encoding.
            let rest = encoding.split(separator: ",").map { $0.filter { $0 != " " } }
                .filter { $0.lowercased() != "aws-chunked" && !$0.isEmpty }
            headers["content-encoding"] = rest.isEmpty ? nil : rest.joined(separator: ", ")
        }
        for field in call.request.fields.all {
            let name = field.name.lowercased()
            guard name.hasPrefix("x-amz-meta-") else { continue }
            let key = String(name.dropFirst(11))
            userMetadata[key] = userMetadata[key].map { "\($0),\(field.value)" } ?? field.value
        }
        if let text = call.header("x-amz-tagging"), call.header("x-amz-copy-source") == nil {
            tags = try TagText.read(header: text)
            try TagText.check(tags, limit: Limits.objectTags)
        }
        lock = try ObjectLock(call)
        try Self.refuseWhatIsNotBuilt(call)
    }

    /// What a client asks for and would not get is refused, not forgotten.
    private static func refuseWhatIsNotBuilt(_ call: S3Call) throws(S3Error) {
        for name in [
            "x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption",
            "x-amz-website-redirect-location",
        ] where !(call.header(name) ?? "").isEmpty {
            throw S3Error(
                .notImplemented, "the header \(name) asks for something that is not offered")
        }
    }
}

/// The fields that describe an object, for GET, HEAD and 304.
func describe(_ record: ObjectRecord, _ call: S3Call) -> Fields {
    var fields = Fields()
    let object = record.description
    fields.append("ETag", "\"\(object.etag)\"")
    fields.append(
        "Last-Modified", HTTPDate.format(floorDivide(object.modifiedMicroseconds, 1_000_000)))
    fields.append("Accept-Ranges", "bytes")
    var headers = record.attributes.headers
    if headers["content-type"] == nil { headers["content-type"] = "binary/octet-stream" }
    for name in keptHeaders {
        if let override = call.query("response-" + name) { headers[name] = override }
    }
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) where isFieldValue(value) {
        fields.append(name, value)
    }
    for (name, value) in record.attributes.userMetadata.sorted(by: { $0.key < $1.key }) {
        fields.append("x-amz-meta-" + name, value)
    }
    fields.append(version: record, call)
    if !record.attributes.tags.isEmpty {
        fields.append("x-amz-tagging-count", String(record.attributes.tags.count))
    }
    fields.append(record.attributes.lock)
    fields.append(expiryOf: record, call)
    if record.partCount > 0, call.query("partNumber") != nil {
        fields.append("x-amz-mp-parts-count", String(record.partCount))
    }
    if call.wantsChecksums { fields.append(record.checksums) }
    return fields
}

extension S3Call {
    /// Whether the client asks for the checksums of what it reads.
    var wantsChecksums: Bool { header("x-amz-checksum-mode")?.uppercased() == "ENABLED" }
}

/// Whether a text may stand in a field: an override comes from a URL that somebody signed, and must not
/// smuggle in a line of its own.
private func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
}

/// What the client asks of the object that is there. Source: RFC 9110, section 13.2.2.
struct Conditions {
    private let ifMatch: String?
    private let ifNoneMatch: String?
    private let modifiedSince: Int64?
    private let unmodifiedSince: Int64?

    /// `prefix` is `x-amz-copy-source-` for the source of a copy.
    init(_ fields: Fields, prefix: String = "") {
        ifMatch = fields[prefix + "if-match"]
        ifNoneMatch = fields[prefix + "if-none-match"]
        modifiedSince = fields[prefix + "if-modified-since"].flatMap(HTTPDate.parse)
        unmodifiedSince = fields[prefix + "if-unmodified-since"].flatMap(HTTPDate.parse)
    }

    enum Outcome { case holds, notModified, failed }

    func check(_ object: ObjectDescription) -> Outcome {
        let modified = floorDivide(object.modifiedMicroseconds, 1_000_000)
        if let ifMatch {
            if !Self.matches(ifMatch, object.etag) { return .failed }
        } else if let unmodifiedSince, modified > unmodifiedSince {
            return .failed
        }
        if let ifNoneMatch {
            if Self.matches(ifNoneMatch, object.etag) { return .notModified }
        } else if let modifiedSince, modified <= modifiedSince {
            return .notModified
        }
        return .holds
    }

    static func matches(_ list: String, _ etag: String) -> Bool {
        list.split(separator: ",").contains { entry in
            let tag = plainETag(String(entry))
            return tag == "*" || tag == etag
        }
    }
}

/// Without blanks, the weak mark and quotes.
func plainETag(_ text: String) -> String {
    var tag = text.filter { $0 != " " }
    if tag.hasPrefix("W/") { tag = String(tag.dropFirst(2)) }
    if tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") {
        tag = String(tag.dropFirst().dropLast())
    }
    return tag
}

/// The entity tag that the object must not have: `If-None-Match` with one.
func unwantedETag(_ call: S3Call) -> String? {
    call.header("If-None-Match").map(plainETag).flatMap { $0 == "*" ? nil : $0 }
}

/// The condition of a write: `If-None-Match: *` or `If-Match`.
func writePrecondition(_ call: S3Call) throws(S3Error) -> WritePrecondition {
    switch (call.header("If-Match"), call.header("If-None-Match")) {
    case (nil, nil): return .none
    case (nil, .some(let tag)):
        return plainETag(tag) == "*" ? .absent : .none
    case (.some(let tag), nil): return .etag(plainETag(tag))
    case (.some, .some):
        throw S3Error(.invalidRequest, "If-Match and If-None-Match contradict each other")
    }
}
