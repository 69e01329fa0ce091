import DiskObjectStorage
import HTTPMessages

/// What browsers ask before and want to read after requests from pages of other sites.
/// Source: Fetch Standard, "CORS protocol"; Amazon S3 User Guide, "How does Amazon S3 evaluate the CORS
/// configuration on a bucket?".
struct CrossOrigin {
    let store: DiskObjectStore
    let target: S3Target

    private var rules: CORSRules? {
        target.bucket.isEmpty ? nil : store.corsRules(tenant: "main", bucket: target.bucket)
    }

    /// Answers `OPTIONS`.
    func preflight(_ request: Request) throws(S3Error) -> Response {
        guard let origin = request.fields["Origin"],
            let method = request.fields["Access-Control-Request-Method"]
        else {
            throw S3Error(
                .invalidRequest, "Insufficient information. Origin request header needed.")
        }
        let wanted = request.fields.values("Access-Control-Request-Headers")
            .flatMap { $0.split(separator: ",") }
            .map { $0.filter { $0 != " " }.lowercased() }
        guard let rules else {
            throw S3Error(.corsForbidden, "CORSResponse: CORS is not enabled for this bucket.")
        }
        guard let rule = rules.rule(origin: origin, method: method, headers: wanted) else {
            throw S3Error(.corsForbidden, "CORSResponse: This CORS request is not allowed.")
        }
        var response = Response(status: 200)
        open(&response, rule, origin: origin)
        if !wanted.isEmpty {
            response.fields["Access-Control-Allow-Headers"] = wanted.joined(separator: ", ")
        }
        if let seconds = rule.maxAgeSeconds {
            response.fields["Access-Control-Max-Age"] = String(seconds)
        }
        return response
    }

    /// Lets the page read an answer, if a rule says so.
    func open(_ response: inout Response, _ request: Request, origin: String) {
        guard
            let rule = rules?.rule(origin: origin, method: request.method.rawValue, headers: [])
        else { return }
        open(&response, rule, origin: origin)
    }

    private func open(_ response: inout Response, _ rule: CORSRules.Rule, origin: String) {
        response.fields["Access-Control-Allow-Origin"] = rule.allowsEveryOrigin ? "*" : origin
        if !rule.allowsEveryOrigin {
            response.fields["Access-Control-Allow-Credentials"] = "true"
        }
        response.fields["Access-Control-Allow-Methods"] = rule.methods.joined(separator: ", ")
        if !rule.exposedHeaders.isEmpty {
            response.fields["Access-Control-Expose-Headers"] = rule.exposedHeaders.joined(
                separator: ", ")
        }
        response.fields["Vary"] =
            "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
    }
}
