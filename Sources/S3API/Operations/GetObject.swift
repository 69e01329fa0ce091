import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import Synchronization

/// Reads an object or a part of it. Source: Amazon S3 API Reference, "GetObject".
enum GetObject: S3Operation {
    static let name = "GetObject"
    static let method = Method.get
    static let scope = S3Target.Scope.object

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let reader = try call.store.open(
            call.context, call.location, version: call.version())
        return try answer(call, reader.record, reader: reader)
    }

    private static func withoutChecksums(_ fields: Fields) -> Fields {
        var kept = fields
        for name in fields.all.map(\.name) where name.hasPrefix("x-amz-checksum-") {
            kept[name] = nil
        }
        return kept
    }

    /// The answer to GET, and with no reader to HEAD.
    static func answer(
        _ call: S3Call, _ record: ObjectRecord, reader: StoredObjectReader?
    ) throws -> Response {
        let object = record.description
        try refuseOverrides(call)
        var fields = describe(record, call)
        switch Conditions(call.request.fields).check(object) {
        case .holds: break
        case .failed:
            throw S3Error(.preconditionFailed, "At least one of the pre-conditions did not hold")
        case .notModified:
            // Without a body there is nothing to compare a checksum with; botocore would try.
            return Response(status: 304, fields: withoutChecksums(fields))
        }
        let part = try partRange(call, record)
        var range = part?.range ?? 0..<object.sizeBytes
        var status = part == nil ? 200 : 206
        if let field = call.header("Range"), part == nil, isCurrent(call, object) {
            switch ByteRange(field, sizeBytes: object.sizeBytes) {
            case .whole: break
            case .part(let wanted):
                range = wanted
                status = 206
            case .unsatisfiable:
                throw S3Error(.invalidRange, "The requested range is not satisfiable")
            }
        }
        if status == 206, object.sizeBytes > 0 {
            fields.append(
                "Content-Range", ByteRange.contentRange(range, sizeBytes: object.sizeBytes))
            // The checksums are of the whole object and would be compared with what is sent of it.
            fields = withoutChecksums(fields)
            if let checksums = part?.checksums, call.wantsChecksums { fields.append(checksums) }
        }
        let length = range.upperBound - range.lowerBound
        guard let reader else {
            return Response(
                status: status, fields: fields, body: .stream(length: length, NoBytes()))
        }
        // The first piece is read before the head goes out, so that damage there is an error and not a cut.
        if length <= Int64(ObjectBody.pieceBytes) {
            // Whole: a piece ends at the next boundary, which a short range may well cross.
            let bytes = length > 0 ? try reader.bytes(range) : []
            return Response(status: status, fields: fields, body: .bytes(bytes))
        }
        let body = ObjectBody(reader: reader, range: range)
        try body.prepare()
        return Response(status: status, fields: fields, body: .stream(length: length, body))
    }

    /// Who signs may have the answer say what it likes; a link of anybody's making must not.
    private static func refuseOverrides(_ call: S3Call) throws(S3Error) {
        guard call.context.principal.kind == .anonymous,
            call.target.query.all.contains(where: { isOverride($0.name) })
        else { return }
        throw S3Error(
            .invalidRequest,
            "Request specific response headers cannot be used for anonymous GET requests.")
    }

    /// `If-Range` lets a range hold only for the version that the client has.
    private static func isCurrent(_ call: S3Call, _ object: ObjectDescription) -> Bool {
        guard let condition = call.header("If-Range") else { return true }
        if let date = HTTPDate.parse(condition) {
            return object.modifiedMicroseconds / 1_000_000 <= date
        }
        return plainETag(condition) == object.etag
    }

    /// The bytes of the part that is asked for, and their checksums; nil when none is.
    private static func partRange(
        _ call: S3Call, _ record: ObjectRecord
    ) throws -> (range: Range<Int64>, checksums: ObjectChecksums)? {
        guard let text = call.query("partNumber") else { return nil }
        guard let number = Int(text), number >= 1, number <= Limits.partCount else {
            throw S3Error(.invalidArgument, "partNumber must be from 1 to \(Limits.partCount)")
        }
        if call.header("Range") != nil {
            throw S3Error(
                .invalidRequest, "Cannot specify both Range header and partNumber query parameter")
        }
        if record.partCount == 0 {
            guard number == 1 else {
                throw S3Error(.invalidPartNumber, "The requested partnumber is not satisfiable")
            }
            return (0..<record.description.sizeBytes, record.checksums)
        }
        var start: Int64 = 0
        for part in try call.store.parts(
            call.context, call.location, version: call.version())
        {
            let end = start + part.sizeBytes
            if part.number == number, end <= record.description.sizeBytes {
                // A part is said to be summed as the object is, though its own value is of its own bytes.
                return (
                    start..<end,
                    ObjectChecksums(type: record.checksums.type, values: part.checksums.values)
                )
            }
            start = end
        }
        throw S3Error(.invalidPartNumber, "The requested partnumber is not satisfiable")
    }
}

/// Reads an object as the client takes it.
final class ObjectBody: ResponseStream {
    static let pieceBytes = 256 * 1024

    private let reader: any ObjectReader
    private let end: Int64
    private let state: Mutex<(at: Int64, ready: [UInt8]?)>

    init(reader: any ObjectReader, range: Range<Int64>) {
        self.reader = reader
        end = range.upperBound
        state = Mutex((at: range.lowerBound, ready: nil))
    }

    /// Reads the first piece.
    func prepare() throws {
        let piece = try next()
        state.withLock { $0.ready = piece }
    }

    func next() throws -> [UInt8]? {
        let step = state.withLock { state -> (ready: [UInt8]?, at: Int64, count: Int64) in
            if let ready = state.ready {
                state.ready = nil
                return (ready, 0, 0)
            }
            // Up to the next boundary, so that whole pages are read.
            let piece = Int64(Self.pieceBytes)
            let stop = min(end, (state.at / piece + 1) * piece)
            let at = state.at
            state.at = stop
            return (nil, at, stop - at)
        }
        if let ready = step.ready { return ready }
        return step.count > 0 ? try reader.bytes(step.at..<(step.at + step.count)) : nil
    }
}

/// The body of an answer to HEAD, which only has a length.
private final class NoBytes: ResponseStream {
    func next() throws -> [UInt8]? { nil }
}

/// Describes an object. Source: Amazon S3 API Reference, "HeadObject".
enum HeadObject: S3Operation {
    static let name = "HeadObject"
    static let permission = "s3:GetObject"
    static let method = Method.head
    static let scope = S3Target.Scope.object

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let record = try call.store.head(
            call.context, call.location, version: call.version())
        return try GetObject.answer(call, record, reader: nil)
    }
}
