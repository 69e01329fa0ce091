import Authority
import Bytes
import CivilTime
import Cryptography
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import Platform
import XML

/// Takes an object from a form in a browser. The form carries its own permission: a signed policy.
/// Source: Amazon S3 API Reference, "Browser-Based Uploads Using POST".
enum PostObject: S3Operation {
    static let name = "PostObject"
    static let method = Method.post
    static let scope = S3Target.Scope.bucket
    static let permission = "s3:PutObject"

    static func respond(_ call: S3Call) throws -> Response {
        throw S3Error(
            .methodNotAllowed, "The specified method is not allowed against this resource")
    }

    /// Reads the form, finds who signed its policy, and writes the object as that principal.
    static func respond(
        _ request: Request, _ target: S3Target, store: DiskObjectStore, region: String,
        now: WallTime, find: (String, _ sessionToken: String?) throws(S3Error) -> S3Credential
    ) throws -> Response {
        var form = try FormReader(request)
        let fields = try form.readFields()
        guard let template = fields["key"], !template.isEmpty else {
            throw S3Error(.invalidArgument, "Bucket POST must contain a field named 'key'.")
        }
        let key = template.replacing("${filename}", with: form.fileName)
        let credential = try verified(
            fields, bucket: target.bucket, key: key, region: region, now: now, find: find)
        var context = RequestContext(
            principal: credential.principal, requestID: request.requestID, door: .s3)
        context.assumedRole = credential.assumedRole
        context.facts = RequestFacts(
            operation: permission, sourceAddress: request.remoteAddress,
            isSecure: request.isSecure,
            values: conditionValues(fields, session: credential.sessionName))
        // The operation's own view of the request: the form's fields are its headers.
        var inner = request
        inner.fields = Fields(
            fields.values.filter { $0.key != "policy" && $0.key != "key" }
                .sorted { $0.key < $1.key }
                .map { ($0.key == "acl" ? "x-amz-acl" : $0.key, $0.value) })
        if inner.fields["Content-Type"] == nil { inner.fields["Content-Type"] = form.fileType }
        let call = S3Call(
            request: inner,
            target: S3Target(bucket: target.bucket, key: key, query: QueryItems()),
            signature: try .anonymous(inner), credential: credential, context: context,
            store: store, region: region, nowMicroseconds: now.microseconds)
        let tags = try tags(fields)
        let record = try write(call.giving(tags), tags, &form, limits: fields.policy?.lengths)
        return answer(call, request, fields, record)
    }

    private static func write(
        _ call: S3Call, _ tags: [String: String], _ form: inout FormReader,
        limits: ClosedRange<Int64>?
    ) throws -> ObjectRecord {
        try call.allow(.objectWrite)
        try call.allowWhatComesAlong(tags: !tags.isEmpty)
        try refuseACL(call)
        let checks = try BodyChecks(call)
        var attributes = try ObjectAttributes(call)
        attributes.tags = tags
        let upload = try call.store.beginPut(
            call.context, call.location, attributes: attributes, checksums: checks.algorithms)
        var size: Int64 = 0
        try form.readFile { piece in
            size += Int64(piece.count)
            if let limits, size > limits.upperBound {
                throw S3Error(
                    .entityTooLarge, "Your proposed upload exceeds the maximum allowed size")
            }
            try upload.append(piece)
        }
        if let limits, size < limits.lowerBound {
            throw S3Error(
                .entityTooSmall, "Your proposed upload is smaller than the minimum allowed size")
        }
        return try upload.finish(expected: checks.expected(trailers: [:]), by: "Post")
    }

    /// The tags of the form: a field with the document of PutObjectTagging.
    private static func tags(_ fields: FormFields) throws(S3Error) -> [String: String] {
        guard let text = fields["tagging"] else { return [:] }
        guard let root = try? XMLElement(parsing: Array(text.utf8)) else {
            throw S3Error(.malformedXML, "the field tagging is not a document")
        }
        let tags = try TagText.read(root)
        try TagText.check(tags, limit: Limits.objectTags)
        return tags
    }

    private static func answer(
        _ call: S3Call, _ request: Request, _ fields: FormFields, _ record: ObjectRecord
    ) -> Response {
        let etag = "\"\(record.description.etag)\""
        var response: Response
        let redirect = fields["success_action_redirect"] ?? fields["redirect"] ?? ""
        if redirect.hasPrefix("http://") || redirect.hasPrefix("https://"),
            redirect.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            response = Response(status: 303)
            let query =
                "bucket=\(PercentCoding.encode(call.target.bucket))"
                + "&key=\(PercentCoding.encode(call.target.key))&etag=\(PercentCoding.encode(etag))"
            response.fields["Location"] =
                redirect + (redirect.contains("?") ? "&" : "?") + query
        } else if fields["success_action_status"] == "201" {
            var writer = XMLWriter()
            let path = "/\(call.target.bucket)/" + PercentCoding.encode(call.target.key, .path)
            let scheme = request.isSecure ? "https" : "http"
            writer.element("PostResponse") { writer in
                writer.element(
                    "Location", "\(scheme)://\(request.fields["Host"] ?? "localhost")\(path)")
                writer.element("Bucket", call.target.bucket)
                writer.element("Key", call.target.key)
                writer.element("ETag", etag)
            }
            response = xmlResponse(201, writer)
        } else {
            response = Response(status: fields["success_action_status"] == "200" ? 200 : 204)
        }
        response.fields["ETag"] = etag
        response.fields.append(version: record, call)
        return response
    }

    /// Who signed the policy, after the form was compared with it.
    private static func verified(
        _ fields: FormFields, bucket: String, key: String, region: String, now: WallTime,
        find: (String, _ sessionToken: String?) throws(S3Error) -> S3Credential
    ) throws(S3Error) -> S3Credential {
        guard let text = fields["policy"] else {
            if fields["x-amz-signature"] != nil || fields["signature"] != nil {
                throw S3Error(.invalidArgument, "Bucket POST must contain a field named 'policy'.")
            }
            return .anonymous
        }
        let credential =
            try isVersion2(fields)
            ? version2(fields, policy: text, find: find)
            : version4(fields, policy: text, region: region, find: find)
        guard let policy = fields.policy else {
            throw S3Error(.invalidPolicyDocument, "Invalid Policy: it cannot be read")
        }
        try policy.check(fields, bucket: bucket, key: key, now: now)
        return credential
    }

    private static func isVersion2(_ fields: FormFields) -> Bool {
        fields["awsaccesskeyid"] != nil && fields["x-amz-signature"] == nil
            && fields["x-amz-algorithm"] == nil
    }

    private static func conditionValues(
        _ fields: FormFields, session: String?
    ) -> [String: String] {
        var values: [String: String] = [:]
        values["s3:object-lock-mode"] = fields["x-amz-object-lock-mode"]
        values["s3:object-lock-legal-hold"] = fields["x-amz-object-lock-legal-hold"]
        guard fields["policy"] != nil else { return values }
        values["s3:signatureversion"] = isVersion2(fields) ? "AWS" : "AWS4-HMAC-SHA256"
        values["s3:authtype"] = "POST"
        values[sessionNameKey] = session
        return values
    }

    /// Source: Amazon S3 Developer Guide, "Browser-Based Uploads Using POST (AWS Signature Version 2)".
    private static func version2(
        _ fields: FormFields, policy: String,
        find: (String, _ sessionToken: String?) throws(S3Error) -> S3Credential
    ) throws(S3Error) -> S3Credential {
        guard let key = fields["awsaccesskeyid"], let signature = fields["signature"] else {
            throw S3Error(
                .invalidArgument,
                "Bucket POST must contain a field named 'Signature'. "
                    + "If it is specified, please check the order of the fields.")
        }
        let credential = try find(key, fields["x-amz-security-token"])
        guard SignatureV2.isSignature(signature, of: policy, secret: credential.secret) else {
            throw S3Error(
                .signatureDoesNotMatch,
                "The request signature we calculated does not match the signature you provided",
                hint: "by signature version 2: it is base64 of HMAC-SHA1 over the field policy")
        }
        return credential
    }

    private static func version4(
        _ fields: FormFields, policy text: String, region: String,
        find: (String, _ sessionToken: String?) throws(S3Error) -> S3Credential
    ) throws(S3Error) -> S3Credential {
        guard fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256",
            let claim = fields["x-amz-credential"].flatMap(SignatureV4.credential),
            claim.service == "s3", let signature = fields["x-amz-signature"]
        else {
            throw S3Error(
                .accessDenied,
                "a form's policy wants the fields of AWS4-HMAC-SHA256, or AWSAccessKeyId and signature"
            )
        }
        guard isOfRegion(claim.region, region) else {
            var error = S3Error(
                .authorizationQueryParametersError,
                "Error parsing the X-Amz-Credential field; "
                    + "the region '\(claim.region)' is wrong; expecting '\(region)'")
            error.region = region
            throw error
        }
        let credential = try find(claim.key, fields["x-amz-security-token"])
        let key = SignatureV4.signingKey(credential.secret, scope: claim.scope)
        guard constantTimeEqual(hexText(HMAC.sha256(key: key, text)), signature) else {
            throw S3Error(
                .signatureDoesNotMatch,
                "The request signature we calculated does not match the signature you provided")
        }
        return credential
    }
}
