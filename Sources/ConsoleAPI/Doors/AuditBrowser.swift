package import Authority
package import Ledger

/// Which entries are wanted; empty texts do not limit.
package struct AuditQuestion: Sendable, Hashable {
    package var principal = ""
    package var door = ""
    package var action = ""
    package var resource = ""
    package var decision = ""
    /// Entries before this one.
    package var before: Int64?
    package var limit = 100

    package init() {}
}

/// One line of the trail.
package struct AuditEntry: Sendable, Hashable {
    package var sequence: Int64
    package var atMicroseconds: Int64
    package var principal: String
    package var requestID: String
    package var door: String
    package var action: String
    package var resource: String
    package var decision: String
    package var detail: String

    package init(
        sequence: Int64, atMicroseconds: Int64, principal: String, requestID: String,
        door: String, action: String, resource: String, decision: String, detail: String
    ) {
        self.sequence = sequence
        self.atMicroseconds = atMicroseconds
        self.principal = principal
        self.requestID = requestID
        self.door = door
        self.action = action
        self.resource = resource
        self.decision = decision
        self.detail = detail
    }
}

/// Reads the trail, newest first.
package protocol AuditBrowser: Sendable {
    /// Entries, and where the next page begins. Throws when the visitor may not read the ledger.
    func entries(
        _ context: RequestContext, _ question: AuditQuestion
    ) throws -> (entries: [AuditEntry], next: Int64?)
}

/// The trail of the appliance.
package struct LedgerBrowser: AuditBrowser {
    private let ledger: AuditLedger
    private let authorizer: any Authorizer

    package init(ledger: AuditLedger, authorizer: any Authorizer) {
        self.ledger = ledger
        self.authorizer = authorizer
    }

    package func entries(
        _ context: RequestContext, _ question: AuditQuestion
    ) throws -> (entries: [AuditEntry], next: Int64?) {
        func wanted(_ text: String) -> String? { text.isEmpty ? nil : text }
        var filter = LedgerFilter()
        filter.principal = wanted(question.principal)
        filter.door = wanted(question.door)
        filter.action = wanted(question.action)
        filter.resourcePrefix = wanted(question.resource)
        filter.decision = wanted(question.decision)
        let page = try ledger.entries(
            context, authorizer: authorizer, filter, before: question.before,
            limit: question.limit)
        let entries = page.entries.map {
            AuditEntry(
                sequence: $0.sequence, atMicroseconds: $0.atMicroseconds,
                principal: $0.principalName, requestID: $0.requestID, door: $0.door,
                action: $0.action, resource: $0.resource, decision: $0.decision,
                detail: $0.detail)
        }
        return (entries, page.next)
    }
}
