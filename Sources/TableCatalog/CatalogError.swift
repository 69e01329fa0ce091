import Diagnostics

/// What can go wrong at the catalog.
package struct CatalogError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case noSuchWarehouse = "catalog.no_such_warehouse"
        case noSuchNamespace = "catalog.no_such_namespace"
        case noSuchTable = "catalog.no_such_table"
        case noSuchView = "catalog.no_such_view"
        case noSuchReference = "catalog.no_such_reference"
        /// A file that was named to be taken in.
        case noSuchFile = "catalog.no_such_file"
        case alreadyExists = "catalog.already_exists"
        case namespaceNotEmpty = "catalog.namespace_not_empty"
        case invalidName = "catalog.invalid_name"
        case invalidRequest = "catalog.invalid_request"
        /// Parts of a request that exclude each other, or a key that stood for another request.
        case contradictoryRequest = "catalog.contradictory_request"
        /// It carries a mark that keeps it from being dropped.
        case isProtected = "catalog.is_protected"
        /// A contract of the table refuses the commit.
        case contractBroken = "catalog.contract_broken"
        case commitConflict = "catalog.commit_conflict"
        /// Two branches changed the same in ways that do not go together.
        case mergeConflict = "catalog.merge_conflict"
        /// The metadata of a table cannot be read; others work.
        case corruptTable = "catalog.corrupt_table"
        case storageFailed = "catalog.storage_failed"
        case limitExceeded = "catalog.limit_exceeded"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    package init(code: Code, message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}
