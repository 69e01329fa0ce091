import Authority
import Dashboards
import Diagnostics
import TableCatalog

/// What a page shows when it cannot show what it should.
struct FaultPage {
    let page: Page

    init(_ error: any Error) {
        switch error {
        case let error as ConsoleNotFound:
            page = Self.page(404, "Not found", error.what, error.hint)
        case let error as AccessDenied:
            page = Self.page(403, "Not allowed", error.message, error.reason)
        case let error as CatalogError:
            page = Self.page(
                Self.status(error.code),
                error.code.rawValue.contains("no_such") ? "Not found" : "That did not work",
                error.message, error.hint)
        case let error as QueryRunFault:
            page = Self.page(
                error.code == .permissionDenied ? 403 : 400, "That did not work", error.message,
                error.hint)
        case let error as DashboardError:
            page = Self.page(400, "That did not work", error.message, error.hint)
        case let error as any Fault:
            let status = Self.status(ofCode: error.codeText)
            let title =
                switch status {
                case 403: "Not allowed"
                case 404: "Not found"
                default: "That did not work"
                }
            page = Self.page(status, title, error.message, error.hint)
        default:
            page = Self.page(500, "That did not work", "the page cannot be shown", nil)
        }
    }

    /// The status of a fault of a domain that the pages know only by its code.
    static func status(ofCode code: String) -> Int {
        if code.hasSuffix(".access_denied") { return 403 }
        if code.contains(".no_such_") || code.hasSuffix(".delete_marker") { return 404 }
        if code.hasSuffix(".storage_full") { return 507 }
        return code.hasPrefix("object.invalid_") ? 400 : 500
    }

    private static func page(
        _ status: Int, _ title: String, _ message: String, _ hint: String?
    ) -> Page {
        Page(
            title: title,
            body: """
                <h1>\(title)</h1>
                <p class="fault" role="alert">\(message)</p>
                \(hint.map { "<p class=\"hint\">\($0)</p>" as Markup })
                """, status: status)
    }

    private static func status(_ code: CatalogError.Code) -> Int {
        switch code {
        case .noSuchWarehouse, .noSuchNamespace, .noSuchTable, .noSuchView, .noSuchReference,
            .noSuchFile:
            404
        case .alreadyExists, .namespaceNotEmpty, .commitConflict, .mergeConflict, .isProtected: 409
        case .contractBroken, .contradictoryRequest: 422
        case .invalidName, .invalidRequest, .limitExceeded: 400
        case .corruptTable, .storageFailed: 500
        }
    }
}
