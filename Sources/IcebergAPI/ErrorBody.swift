import Authority
import Diagnostics
import HTTPMessages
import Iceberg
import JSON
import TableCatalog

/// A request that is wrong in itself.
struct RequestFault: Fault {
    enum Code: String, Sendable { case badRequest = "iceberg_api.bad_request" }
    let message: String
    var code: Code { .badRequest }
    var hint: String? { nil }
    init(_ message: String) { self.message = message }
}

/// What a client sees of a failure, with the specification's names.
struct ErrorBody {
    var status: Int
    var type: String
    var message: String

    init(status: Int, type: String, message: String) {
        self.status = status
        self.type = type
        self.message = message
    }

    /// What an endpoint's client sees. After a failure within a commit it is open whether the change is
    /// in, and clients must not clean up. A table whose namespace is missing is a missing table: Spark
    /// asks for `t.snapshots` that way, and looks further only then.
    init(_ error: any Error, of endpoint: IcebergEndpoint) {
        self.init(error, isCommit: endpoint.isCommit)
        if let error = error as? CatalogError, error.code == .noSuchNamespace {
            if endpoint.path.contains("/tables/{table}") { type = "NoSuchTableException" }
            if endpoint.path.contains("/views/{view}") { type = "NoSuchViewException" }
        }
    }

    init(_ error: any Error, isCommit: Bool = false) {
        let shown: (status: Int, type: String)
        switch error {
        case let error as CatalogError: shown = error.code.wire
        case let error as IcebergError: shown = error.code.wire
        case is FunctionMissing: shown = (404, "NoSuchFunctionException")
        case is AccessDenied: shown = (403, "ForbiddenException")
        case is JSONError, is RequestFault: shown = (400, "BadRequestException")
        case let error as PlanFault: shown = (404, error.type)
        default:
            shown = (500, isCommit ? "CommitStateUnknownException" : "InternalServerError")
        }
        self.init(status: shown.status, type: shown.type, message: Self.text(error))
    }

    /// The message with its hint; what failed inside is told with its own words.
    private static func text(_ error: any Error) -> String {
        if let missing = error as? FunctionMissing { return "function not found: \(missing.name)" }
        guard let fault = error as? any Fault else { return "internal error" }
        var text = fault.message
        if let hint = fault.hint { text += "; \(hint)" }
        if let cause = fault.cause as? any Fault { text += " (\(cause.message))" }
        return text
    }
}

extension CatalogError.Code {
    var wire: (status: Int, type: String) {
        switch self {
        case .noSuchWarehouse: (404, "NoSuchWarehouseException")
        case .noSuchNamespace: (404, "NoSuchNamespaceException")
        case .noSuchTable: (404, "NoSuchTableException")
        case .noSuchView: (404, "NoSuchViewException")
        case .noSuchReference, .noSuchFile: (404, "NotFoundException")
        case .alreadyExists: (409, "AlreadyExistsException")
        case .namespaceNotEmpty: (409, "NamespaceNotEmptyException")
        case .invalidName, .invalidRequest, .limitExceeded: (400, "BadRequestException")
        case .commitConflict, .mergeConflict: (409, "CommitFailedException")
        // Not 409: a client that rebases and tries again would be refused again.
        case .contractBroken: (422, "ContractViolationException")
        case .contradictoryRequest: (422, "UnprocessableEntityException")
        case .isProtected: (409, "ProtectedException")
        case .corruptTable: (500, "InternalServerError")
        case .storageFailed: (503, "ServiceUnavailableException")
        }
    }
}

extension IcebergError.Code {
    var wire: (status: Int, type: String) {
        switch self {
        case .requirementFailed, .conflict: (409, "CommitFailedException")
        case .invalidUpdate, .limitExceeded: (400, "BadRequestException")
        case .unsupported: (406, "UnsupportedOperationException")
        case .noSuchSnapshot, .noSuchReference: (404, "NotFoundException")
        case .corruptMetadata: (500, "InternalServerError")
        case .storageFailed: (503, "ServiceUnavailableException")
        case .foreignFile: (403, "ForbiddenException")
        }
    }
}

extension ErrorBody {
    /// An `ErrorModel`.
    var json: JSONValue {
        ["message": .string(message), "type": .string(type), "code": .int(status)]
    }
}

func errorResponse(_ error: ErrorBody) -> Response {
    let body: JSONValue = ["error": error.json]
    return Response(status: error.status, contentType: "application/json", bytes: body.encoded())
}
