import Authority
import HTTPMessages
import JSON
import Platform
import TableCatalog

extension IcebergEndpoint {
    /// Signs a request to the store for a client that has no credentials of its own.
    static let signRequest = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces/{namespace}/tables/{table}/sign"
    ) { call in
        let body = try call.body()
        let table = try call.catalog.loadTable(call.context, call.warehouse, call.table)
        try call.requireUnrestricted(table)
        let provider = try body["provider"].optionalString() ?? "s3"
        guard provider == "s3" else {
            throw RequestFault("only requests to s3 are signed, not to \(provider)")
        }
        let (uri, method) = (try body["uri"].string(), try body["method"].string().uppercased())
        guard let place = SignedPlace(uri),
            let object = place.object(at: call.service.settings.s3Endpoint)
        else { throw RequestFault("the address is not of this store: \(uri)") }
        try call.requireWithin(table, object, place.query, method)
        guard let credentials = try call.vend(table),
            let accessKey = credentials.properties["s3.access-key-id"],
            let secret = credentials.properties["s3.secret-access-key"]
        else { throw RequestFault("this catalog does not sign requests") }
        let headers = try body["headers"].object().members.map { name, value in
            (name: name, values: try JSONCursor(value, path: "$.headers.\(name)").strings())
        }
        let signer = RequestSigner(
            accessKey: accessKey, secret: secret,
            sessionToken: credentials.properties["s3.session-token"] ?? "",
            region: try body["region"].string(),
            nowMicroseconds: call.service.clock.now().microseconds)
        let signed = signer.sign(method, place, headers)
        return call.json([
            "uri": .string(uri),
            "headers": .object(
                signed.map { ($0.name, .array($0.values.map { .string($0) })) }),
        ])
    }
}

extension IcebergCall {
    /// Refuses a request that is not about the table's files, or that the caller may not make. The
    /// credentials that sign reach no further either; said here, it is said clearly.
    fileprivate func requireWithin(
        _ table: LoadedTable, _ object: (bucket: String, key: String), _ query: QueryItems,
        _ method: String
    ) throws {
        let resource = Resource(
            tenant: context.tenant, kind: .table,
            path: [warehouse.warehouse] + table.identifier.namespace + [table.identifier.name])
        let reads = method == "GET" || method == "HEAD"
        guard reads || writes(resource) else {
            throw AccessDenied(
                principal: context.principal.name, action: .objectWrite, resource: resource,
                reason: "the table may be read, not written")
        }
        // Listing and deleting many name their keys elsewhere: the store checks those.
        let key = object.key.isEmpty ? query["prefix"] : object.key
        if object.key.isEmpty, query["delete"] != nil { return }
        let wanted = "s3://\(object.bucket)/\(key ?? "")"
        guard table.places.contains(where: { wanted == $0 || wanted.hasPrefix($0 + "/") }) else {
            throw AccessDenied(
                principal: context.principal.name, action: reads ? .objectRead : .objectWrite,
                resource: resource, reason: "\(wanted) is not one of its files")
        }
    }
}
