import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Source: Amazon S3 API Reference, "GetBucketCors".
enum GetBucketCors: S3Operation {
    static let name = "GetBucketCors"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "cors"
    static let permission = "s3:GetBucketCORS"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        guard let rules = try call.store.bucketState(call.context, call.target.bucket).cors else {
            throw S3Error(.noSuchCORS, "The CORS configuration does not exist")
        }
        var writer = XMLWriter()
        writer.element("CORSConfiguration", attributes: s3Namespace) { writer in
            for rule in rules.rules {
                writer.element("CORSRule") { writer in
                    writer.element("ID", rule.id)
                    for method in rule.methods { writer.element("AllowedMethod", method) }
                    for origin in rule.origins { writer.element("AllowedOrigin", origin) }
                    for name in rule.allowedHeaders { writer.element("AllowedHeader", name) }
                    for name in rule.exposedHeaders { writer.element("ExposeHeader", name) }
                    if let age = rule.maxAgeSeconds { writer.element("MaxAgeSeconds", age) }
                }
            }
        }
        return xmlResponse(200, writer)
    }
}

/// Source: Amazon S3 API Reference, "PutBucketCors".
enum PutBucketCors: S3Operation {
    static let name = "PutBucketCors"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "cors"
    static let permission = "s3:PutBucketCORS"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let root = try call.document(limit: 64 * 1024)
        let found = root.all("CORSRule")
        guard root.name == "CORSConfiguration", !found.isEmpty, found.count <= 100 else {
            throw S3Error(.malformedXML, "a CORSConfiguration has 1 to 100 rules")
        }
        let rules = CORSRules(rules: try found.map(rule))
        try call.store.set(call.context, bucket: call.target.bucket, .cors, rules.text)
        return Response(status: 200)
    }

    private static func rule(_ element: XMLElement) throws(S3Error) -> CORSRules.Rule {
        let texts = { (name: String) in element.all(name).map(\.text) }
        let methods = texts("AllowedMethod")
        let origins = texts("AllowedOrigin")
        guard !methods.isEmpty, !origins.isEmpty else {
            throw S3Error(.malformedXML, "a rule has a method and an origin")
        }
        for method in methods where !["GET", "PUT", "POST", "DELETE", "HEAD"].contains(method) {
            throw S3Error(
                .invalidRequest,
                "Found unsupported HTTP method in CORS config. Unsupported method is \(method)")
        }
        for pattern in origins + texts("AllowedHeader")
        where pattern.utf8.filter({ $0 == UInt8(ascii: "*") }).count > 1 {
            throw S3Error(.invalidRequest, "\(pattern) can not have more than one wildcard.")
        }
        let age = element.text(of: "MaxAgeSeconds")
        guard age.map({ Int($0).map { $0 >= 0 } ?? false }) ?? true else {
            throw S3Error(.malformedXML, "MaxAgeSeconds is a number of seconds")
        }
        return CORSRules.Rule(
            id: element.text(of: "ID"), origins: origins, methods: methods,
            allowedHeaders: texts("AllowedHeader"), exposedHeaders: texts("ExposeHeader"),
            maxAgeSeconds: age.flatMap { Int($0) })
    }
}

/// Source: Amazon S3 API Reference, "DeleteBucketCors".
enum DeleteBucketCors: S3Operation {
    static let name = "DeleteBucketCors"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket
    static let query: String? = "cors"
    static let permission = "s3:PutBucketCORS"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        try call.store.set(call.context, bucket: call.target.bucket, .cors, nil)
        return .noContent
    }
}
