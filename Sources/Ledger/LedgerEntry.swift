import Diagnostics

/// One row of the trail.
package struct LedgerEntry: Sendable, Hashable {
    /// Ascends in the order of writing.
    package var sequence: Int64
    package var tenant: String
    /// When it happened, in microseconds since 1970.
    package var atMicroseconds: Int64
    package var principalID: String
    /// The person's name at that time.
    package var principalName: String
    package var requestID: String
    package var door: String
    /// `table.select`, or the kind of the event: `identity.user.created`.
    package var action: String
    /// `table:silver/sales/orders`.
    package var resource: String
    /// `allowed`, `denied`.
    package var decision: String
    /// JSON.
    package var detail: String
}

/// Which rows are wanted; nil members do not limit.
package struct LedgerFilter: Sendable {
    package var sinceMicroseconds: Int64?
    package var untilMicroseconds: Int64?
    /// Name or id.
    package var principal: String?
    package var requestID: String?
    package var door: String?
    /// The action, or a family with a dot at its end: `table.`.
    package var action: String?
    /// The beginning of the resource.
    package var resourcePrefix: String?
    package var decision: String?

    package init() {}
}

/// Rows, newest first, and where the next page begins.
package struct LedgerPage: Sendable {
    package let entries: [LedgerEntry]
    /// Give it back as `before`; nil when these were the last.
    package let next: Int64?
}

/// What was wrong with a question to the ledger.
package struct LedgerError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case invalidLimit = "ledger.invalid_limit"
    }

    package let code: Code
    package let message: String
    package let hint: String?
}
