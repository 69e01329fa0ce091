import Authority
import Diagnostics
import HTTPMessages
import Iceberg
import JSON
import TableCatalog

/// One endpoint: its route below `/iceberg`, and what it does.
struct IcebergEndpoint: Sendable {
    /// What an endpoint does with a call.
    typealias Work = @Sendable (IcebergCall) throws -> Response

    let method: Method
    let path: String
    /// The answer to a request that took effect before, for clients that send an idempotency key again;
    /// nil for endpoints that change nothing.
    let again: Work?
    let respond: Work

    init(_ method: Method, _ path: String, again: Work? = nil, respond: @escaping Work) {
        self.method = method
        self.path = path
        self.again = again
        self.respond = respond
    }

    /// Whether a failure of the server leaves open whether the change is in.
    var isCommit: Bool {
        method == .post && (path.hasSuffix("/{table}") || path.hasSuffix("/transactions/commit"))
    }

    /// The answer again where there is nothing to say.
    static let nothingAgain: Work = { _ in IcebergCall.noContent }

    /// Every endpoint; `config` advertises this list.
    static let all: [IcebergEndpoint] = [
        config, listNamespaces, createNamespace, loadNamespace, headNamespace, dropNamespace,
        updateNamespace, listTables, createTable, loadTable, headTable, commitTable, dropTable,
        renameTable, registerTable, unregisterTable, loadCredentials, signRequest,
        commitTransaction, reportMetrics, planTableScan, fetchPlanningResult, cancelPlanning,
        fetchScanTasks, listViews, createView, registerView, loadView, headView, replaceView,
        dropView, renameView, listFunctions, loadFunction,
    ]
}

/// A request on its way through an endpoint.
struct IcebergCall: Sendable {
    let service: IcebergService
    let context: RequestContext
    let request: Request
    let parameters: PathParameters
    /// The body, where it was read before the endpoint's turn.
    var readBody: [UInt8]?

    var catalog: Catalog { service.catalog }
    /// The warehouse, and the reference, that the prefix names.
    var warehouse: CatalogReference { CatalogReference(parsing: parameters.required("prefix")) }
    var namespace: [String] { Self.levels(parameters.required("namespace")) }
    var table: TableIdentifier {
        TableIdentifier(namespace: namespace, name: parameters.required("table"))
    }
    var view: TableIdentifier {
        TableIdentifier(namespace: namespace, name: parameters.required("view"))
    }

    static func levels(_ text: String) -> [String] {
        text.split(separator: Character(namespaceSeparator), omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// The body as JSON.
    func body() throws -> JSONCursor {
        try JSONValue(parsing: try readBody ?? bodyBytes()).cursor
    }

    /// The body as it came.
    func bodyBytes() throws -> [UInt8] {
        do throws(HTTPBodyError) { return try request.body.readAll(limit: Limits.bodyBytes) } catch
        {
            if case .tooLarge(let limit) = error {
                throw RequestFault("the body is larger than \(limit) bytes")
            }
            throw RequestFault("the body could not be read")
        }
    }

    /// `pageSize` and `pageToken`. Without a token everything is sent, as the specification says.
    func paging() throws -> (limit: Int?, token: String?) {
        let query = request.queryItems
        guard let text = query["pageToken"] else { return (nil, nil) }
        let token = try PageToken.key(in: text)
        guard let text = query["pageSize"] else {
            return (Limits.pageSize, token)
        }
        guard let size = Int(text), size > 0 else {
            throw RequestFault("pageSize has to be a number above 0: \(text)")
        }
        return (min(size, Limits.pageSize), token)
    }

    func json(_ value: JSONValue, status: Int = 200) -> Response {
        Response(status: status, contentType: "application/json", bytes: value.encoded())
    }

    static let noContent = Response(status: 204)

    static func identifier(_ at: JSONCursor) throws -> TableIdentifier {
        TableIdentifier(
            namespace: try at["namespace"].strings(), name: try at["name"].string())
    }

    static func json(_ identifier: TableIdentifier) -> JSONValue {
        [
            "namespace": .array(identifier.namespace.map { .string($0) }),
            "name": .string(identifier.name),
        ]
    }

    static func json(_ properties: [String: String]) -> JSONValue {
        .object(properties.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }

    func identifiers(_ page: Page<TableIdentifier>) -> Response {
        var object = JSONObject([("identifiers", .array(page.elements.map { Self.json($0) }))])
        if let token = page.nextToken {
            object.append("next-page-token", .string(PageToken.text(token)))
        }
        return json(.object(object))
    }
}

/// Limits of this API.
enum Limits {
    static let bodyBytes = 64 << 20
    static let pageSize = 10_000
    /// File tasks in one answer of scan planning; what is more is fetched by plan task.
    static let tasksPerAnswer = 1_000
    /// Plans kept for their clients, and for how long.
    static let keptPlans = 256
    static let planLifetimeMilliseconds: Int64 = 600_000
    /// Sets of vended credentials that are given out more than once.
    static let keptCredentials = 4_096
}
