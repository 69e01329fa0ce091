import Authority
import HTTPMessages
import JSON
import TableCatalog

/// What the catalog does beyond Iceberg's own REST, at `/api/v1/warehouses/{warehouse}/…`. A warehouse
/// may be named with a branch: `silver@etl`.
///
///     GET    …/references                       branches and tags
///     POST   …/references                       {"name": "etl", "kind": "branch", "from": "main"}
///     DELETE …/references/{name}
///     GET    …/references/{name}/changes        what a branch changed, and how it would be merged
///     GET    …/references/{name}/commits        newest first; ?limit=
///     POST   …/references/{name}/merge          {"into": "main", "delete": true, "dryRun": false}
///     GET    …/dropped                          what can be had back
///     POST   …/undrop                           {"table": "sales.orders", "as": "sales.orders_old"}
///     GET    …/tables/{table}/tags              of the table and its columns
///     PATCH  …/tables/{table}/tags              {"column": "email", "set": {"pii": "email"}, "remove": []}
///     GET    …/tables/{table}/owner, PUT        {"owner": "ann"}
///     GET    …/tables/{table}/contracts
///     PUT    …/tables/{table}/contracts/{name}  {"rule": "not_null", "column": "id"}; DELETE removes it
///     GET    …/tables/{table}/reports           what clients told of their scans and commits
struct CatalogRoutes {
    let catalog: Catalog
    let door: APIDoor

    private static let base = "/api/v1/warehouses/{warehouse}"
    private static let bodyBytes = 1 << 20

    var routes: [Route] { referenceRoutes + tableRoutes }

    private var referenceRoutes: [Route] {
        let named = Self.base + "/references/{name}"
        return [
            route(.get, Self.base + "/references") { call in
                .array(
                    try catalog.references(call.context, warehouse: call.at.warehouse)
                        .map(Self.json))
            },
            route(.post, Self.base + "/references", status: 201) { call in
                let body = try call.body()
                let text = try body["kind"].optionalString() ?? "branch"
                guard let kind = ReferenceKind(rawValue: text) else {
                    throw CatalogError(
                        code: .invalidRequest, message: "a reference is a branch or a tag: \(text)")
                }
                return Self.json(
                    try catalog.createReference(
                        call.context, call.at.named(try body["name"].string()),
                        from: try body["from"].optionalString() ?? "main", kind: kind))
            },
            route(.delete, named) { call in
                .object([
                    ("deleted", .bool(try catalog.dropReference(call.context, call.reference)))
                ])
            },
            route(.get, named + "/changes") { call in
                .array(try catalog.diff(call.context, call.reference).map(Self.json))
            },
            route(.get, named + "/commits") { call in
                let limit = call.request.queryItems["limit"].flatMap { Int($0) } ?? 100
                return .array(
                    try catalog.log(call.context, call.reference, limit: limit).map(Self.json))
            },
            route(.post, named + "/merge") { call in
                let body = try call.body()
                let report = try catalog.merge(
                    call.context, call.reference, into: try body["into"].optionalString(),
                    deletes: try body["delete"].optionalBool() ?? false,
                    isDryRun: try body["dryRun"].optionalBool() ?? false)
                return .object([
                    ("source", .string(report.source.description)),
                    ("target", .string(report.target.description)),
                    ("commit", report.commitID.map { .int($0) } ?? .null),
                    ("merged", .bool(report.conflicts.isEmpty)),
                    ("changes", .array(report.changes.map(Self.json))),
                ])
            },
        ]
    }

    private var tableRoutes: [Route] {
        let table = Self.base + "/tables/{table}"
        return [
            route(.get, Self.base + "/dropped") { call in
                .array(try catalog.listDropped(call.context, call.at).map(Self.json))
            },
            route(.post, Self.base + "/undrop") { call in
                let body = try call.body()
                let name = try catalog.undrop(
                    call.context, call.at, TableIdentifier(dotted: try body["table"].string()),
                    id: try body["id"].optionalInt64(),
                    as: try body["as"].optionalString().map { TableIdentifier(dotted: $0) })
                return .object([("table", .string(name.description))])
            },
            route(.get, table + "/tags") { call in
                .array(try catalog.tags(call.context, call.at, call.table).map(Self.json))
            },
            route(.patch, table + "/tags") { call in
                let body = try call.body()
                try catalog.setTags(
                    call.context, call.at, call.table,
                    column: try body["column"].optionalString(),
                    set: try body["set"].optionalStringMap() ?? [:],
                    remove: try body["remove"].isPresent ? body["remove"].strings() : [])
                return .array(try catalog.tags(call.context, call.at, call.table).map(Self.json))
            },
            route(.get, table + "/owner") { call in
                .object([
                    ("owner", .string(try catalog.owner(call.context, call.at, call.table)))
                ])
            },
            route(.put, table + "/owner") { call in
                let owner = try call.body()["owner"].string()
                try catalog.setOwner(call.context, call.at, call.table, to: owner)
                return .object([("owner", .string(owner))])
            },
            route(.get, table + "/contracts") { call in
                .array(
                    try catalog.contracts(call.context, call.at, call.table).map(Self.json))
            },
            route(.put, table + "/contracts/{name}") { call in
                let contract = try Contract(name: call.path.required("name"), try call.body())
                try catalog.declare(contract, call.context, call.at, call.table)
                return Self.json(contract)
            },
            route(.delete, table + "/contracts/{name}") { call in
                .object([
                    (
                        "deleted",
                        .bool(
                            try catalog.removeContract(
                                call.context, call.at, call.table,
                                name: call.path.required("name")))
                    )
                ])
            },
            route(.get, table + "/reports") { call in
                .array(
                    try catalog.metricsReports(call.context, call.at, call.table).map(Self.json))
            },
        ]
    }

    /// What clients see of the catalog's faults.
    static func status(_ code: CatalogError.Code) -> Int {
        switch code {
        case .noSuchWarehouse, .noSuchNamespace, .noSuchTable, .noSuchView, .noSuchReference,
            .noSuchFile:
            404
        case .alreadyExists, .namespaceNotEmpty, .commitConflict, .mergeConflict, .isProtected: 409
        case .contractBroken, .contradictoryRequest: 422
        case .invalidName, .invalidRequest, .limitExceeded: 400
        case .corruptTable: 500
        case .storageFailed: 503
        }
    }

    // MARK: Calls

    /// A request on its way.
    private struct Call {
        let context: RequestContext
        let request: Request
        let path: PathParameters

        var at: CatalogReference { CatalogReference(parsing: path.required("warehouse")) }
        var reference: CatalogReference { at.named(path.required("name")) }
        var table: TableIdentifier { TableIdentifier(dotted: path.required("table")) }

        func body() throws -> JSONCursor {
            let bytes = try request.body.readAll(limit: CatalogRoutes.bodyBytes)
            return bytes.isEmpty
                ? JSONValue.object([]).cursor : try JSONValue(parsing: bytes).cursor
        }
    }

    private func route(
        _ method: HTTPMessages.Method, _ path: String, status: Int = 200,
        _ body: @escaping @Sendable (Call) throws -> JSONValue
    ) -> Route {
        Route(RoutePattern(method, path)) { [door] request, parameters in
            door.answer(request) { context in
                let call = Call(context: context, request: request, path: parameters)
                return (status, try body(call))
            }
        }
    }

    // MARK: JSON

    private static func number(_ value: Int64?) -> JSONValue { value.map { .int($0) } ?? .null }
    private static func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

    private static func json(_ reference: ReferenceRecord) -> JSONValue {
        .object([
            ("warehouse", .string(reference.at.warehouse)),
            ("name", .string(reference.at.reference)), ("kind", .string(reference.kind.rawValue)),
            ("from", text(reference.parent)), ("createdBy", .string(reference.createdBy)),
            ("createdAt", Listing.time(reference.createdMicroseconds)),
            ("commit", number(reference.commitID)),
        ])
    }

    private static func json(_ commit: CommitRecord) -> JSONValue {
        .object([
            ("commit", .int(commit.id)), ("parent", number(commit.parent)),
            ("reference", .string(commit.reference)), ("at", Listing.time(commit.atMicroseconds)),
            ("by", .string(commit.principal)), ("operation", .string(commit.operation)),
            ("subject", .string(commit.subject)),
        ])
    }

    private static func json(_ change: BranchChange) -> JSONValue {
        .object([
            ("name", .string(change.subject)), ("kind", .string(change.entry)),
            ("change", .string(change.change.rawValue)),
            ("outcome", .string(change.outcome.rawValue)), ("reason", text(change.reason)),
            ("baseSnapshot", number(change.baseSnapshotID)),
            ("snapshot", number(change.snapshotID)), ("baseRows", number(change.baseRowCount)),
            ("rows", number(change.rowCount)),
        ])
    }

    private static func json(_ entry: DroppedEntry) -> JSONValue {
        .object([
            ("id", .int(entry.id)), ("name", .string(entry.identifier.description)),
            ("kind", .string(entry.kind.rawValue)), ("uuid", .string(entry.uuid)),
            ("droppedAt", Listing.time(entry.droppedMicroseconds)),
            ("droppedBy", .string(entry.droppedBy)),
            ("expiresAt", Listing.time(entry.expiresMicroseconds)),
            ("purges", .bool(entry.purges)),
        ])
    }

    private static func json(_ tag: TableTag) -> JSONValue {
        .object([
            ("column", text(tag.column)), ("tag", .string(tag.tag)),
            ("value", .string(tag.value)), ("setBy", .string(tag.setBy)),
        ])
    }

    private static func json(_ contract: Contract) -> JSONValue {
        guard case .object(let rule) = contract.json else { return contract.json }
        return .object(
            [("name", .string(contract.name))] + rule.members.map { ($0.name, $0.value) })
    }

    private static func json(_ report: MetricsReport) -> JSONValue {
        .object([
            ("kind", .string(report.kind)), ("snapshot", number(report.snapshotID)),
            ("by", .string(report.principal)), ("at", Listing.time(report.atMicroseconds)),
            ("report", (try? JSONValue(parsing: report.body)) ?? .string(report.body)),
        ])
    }
}

extension CatalogReference {
    /// Another reference of the same warehouse.
    fileprivate func named(_ name: String) -> CatalogReference {
        CatalogReference(warehouse: warehouse, reference: name)
    }
}

extension TableIdentifier {
    /// Reads `namespace.table`; the namespace may have dots.
    init(dotted text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        self.init(namespace: Array(parts.dropLast()), name: parts.last ?? "")
    }
}
