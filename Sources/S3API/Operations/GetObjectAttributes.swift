import ObjectStorage
import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Tells what is asked of an object. Source: Amazon S3 API Reference, "GetObjectAttributes".
enum GetObjectAttributes: S3Operation {
    static let name = "GetObjectAttributes"
    static let permission = "s3:GetObject"
    static let method = Method.get
    static let scope = S3Target.Scope.object
    static let query: String? = "attributes"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let wanted = Set(
            call.request.fields.values("x-amz-object-attributes").flatMap { list in
                list.split(separator: ",").map { $0.filter { $0 != " " } }
            })
        let known: Set = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
        guard !wanted.isEmpty, wanted.isSubset(of: known) else {
            throw S3Error(.invalidArgument, "x-amz-object-attributes must name what is wanted")
        }
        let record = try call.store.head(
            call.context, call.location, version: call.version())
        guard case .holds = Conditions(call.request.fields).check(record.description) else {
            throw S3Error(.preconditionFailed, "At least one of the pre-conditions did not hold")
        }
        let parts = wanted.contains("ObjectParts") ? try PartsPage(call, record) : nil
        var writer = XMLWriter()
        writer.element("GetObjectAttributesResponse", attributes: s3Namespace) { writer in
            if wanted.contains("ETag") { writer.element("ETag", record.description.etag) }
            if wanted.contains("Checksum"), !record.checksums.values.isEmpty {
                writer.element("Checksum") { $0.checksums(record.checksums, withType: true) }
            }
            if let parts, record.partCount > 0 { parts.write(&writer) }
            if wanted.contains("StorageClass") { writer.element("StorageClass", "STANDARD") }
            if wanted.contains("ObjectSize") {
                writer.element("ObjectSize", record.description.sizeBytes)
            }
        }
        var response = xmlResponse(200, writer)
        response.fields["Last-Modified"] = HTTPDate.format(
            record.description.modifiedMicroseconds / 1_000_000)
        response.fields.append(version: record, call)
        return response
    }

    private struct PartsPage {
        let total: Int
        let after: Int
        let limit: Int
        let parts: [PartRecord]
        let isCut: Bool

        init(_ call: S3Call, _ record: ObjectRecord) throws {
            let text = { (name: String) in call.header(name).flatMap { Int($0) } }
            total = record.partCount
            after = max(0, text("x-amz-part-number-marker") ?? 0)
            limit = min(1000, max(1, text("x-amz-max-parts") ?? 1000))
            let found = try call.store.parts(
                call.context, call.location, version: call.version(), after: after,
                limit: limit + 1)
            isCut = found.count > limit
            parts = Array(found.prefix(limit))
        }

        func write(_ writer: inout XMLWriter) {
            writer.element("ObjectParts") { writer in
                // The API calls it TotalPartsCount; on the wire it is this.
                writer.element("PartsCount", total)
                writer.element("PartNumberMarker", after)
                if isCut { writer.element("NextPartNumberMarker", parts.last?.number ?? after) }
                writer.element("MaxParts", limit)
                writer.element("IsTruncated", isCut)
                // S3 names the parts one by one only where they have checksums.
                for part in parts where !part.checksums.values.isEmpty {
                    writer.element("Part") { writer in
                        writer.element("PartNumber", part.number)
                        writer.element("Size", part.sizeBytes)
                        writer.checksums(part.checksums, withType: false)
                    }
                }
            }
        }
    }
}
