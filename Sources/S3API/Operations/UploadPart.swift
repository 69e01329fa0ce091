import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Takes a part. Source: Amazon S3 API Reference, "UploadPart".
enum UploadPart: S3Operation {
    static let name = "UploadPart"
    static let permission = "s3:PutObject"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let query: String? = "uploadId"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        let checks = try BodyChecks(call)
        var algorithms = checks.algorithms
        if let named = try checksumAlgorithm(call.header("x-amz-sdk-checksum-algorithm")) {
            algorithms.insert(named)
        }
        let part = try call.store.beginPart(
            call.context, call.location, uploadID: call.query("uploadId") ?? "",
            number: try partNumber(call), checksums: algorithms)
        let expected = try call.receive(checks) { try part.append($0) }
        let record = try part.finish(expected: expected)
        var response = Response(status: 200)
        response.fields["ETag"] = "\"\(record.etag)\""
        for (algorithm, value) in record.checksums.values {
            response.fields[BodyChecks.fieldName(algorithm)] = value
        }
        return response
    }
}

/// The part that a request is about.
func partNumber(_ call: S3Call) throws(S3Error) -> Int {
    guard let text = call.query("partNumber"), let number = Int(text), number >= 1,
        number <= Limits.partCount
    else {
        throw S3Error(
            .invalidArgument,
            "Part number must be an integer between 1 and \(Limits.partCount), inclusive")
    }
    return number
}

/// Copies a range of an object into a part. Source: Amazon S3 API Reference, "UploadPartCopy".
enum UploadPartCopy: S3Operation {
    static let name = "UploadPartCopy"
    static let permission = "s3:PutObject"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let query: String? = "uploadId"
    static let header: String? = "x-amz-copy-source"

    static func respond(_ call: S3Call) throws -> Response {
        let (source, version) = try copySource(call)
        try call.allow(.objectRead, bucket: source.bucket, key: source.key, version: version)
        try call.allow(.objectWrite)
        let reader = try call.store.open(call.context, source, version: version)
        let size = reader.description.sizeBytes
        try requireConditions(
            Conditions(call.request.fields, prefix: "x-amz-copy-source-"), reader.description)
        let range = try copyRange(call.header("x-amz-copy-source-range"), size)
        let part = try call.store.beginPart(
            call.context, call.location, uploadID: call.query("uploadId") ?? "",
            number: try partNumber(call))
        let body = ObjectBody(reader: reader, range: range)
        while let piece = try body.next() {
            try piece.withUnsafeBytes { try part.append($0) }
        }
        let record = try part.finish()
        var writer = XMLWriter()
        writer.element("CopyPartResult", attributes: s3Namespace) { writer in
            writer.element("LastModified", xmlTime(record.modifiedMicroseconds))
            writer.element("ETag", "\"\(record.etag)\"")
            writer.checksums(record.checksums, withType: false)
        }
        var response = xmlResponse(200, writer)
        if let version { response.fields["x-amz-copy-source-version-id"] = version.text }
        return response
    }

    /// Both ends must be named and lie within the source.
    private static func copyRange(_ text: String?, _ size: Int64) throws(S3Error) -> Range<Int64> {
        guard let text else { return 0..<size }
        let ends = text.hasPrefix("bytes=") ? text.dropFirst(6).split(separator: "-") : []
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0,
            first <= last
        else {
            throw S3Error(
                .invalidArgument,
                "The x-amz-copy-source-range value must be of the form bytes=first-last")
        }
        guard last < size else {
            throw S3Error(
                .invalidRange, "The range lies outside of the source, which has \(size) bytes")
        }
        return first..<(last + 1)
    }
}
