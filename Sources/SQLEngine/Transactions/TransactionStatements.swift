import Authority
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

/// START TRANSACTION, COMMIT, ROLLBACK, and what is allowed between them.
extension StatementRun {
    func startTransaction(
        isolation: IsolationLevel?, isReadOnly: Bool?
    ) throws(QueryFault) -> StatementOutcome {
        guard query.session.transactionID == nil else {
            throw QueryFault(.notSupported, "Nested transactions not supported")
        }
        guard query.session.keepsTransactions else {
            throw QueryFault(
                .notSupported, "Client does not support transactions",
                hint: "each statement commits by itself here; use a Trino client or lakehouse sql")
        }
        let catalog = try self.catalog()
        let id = engine.entropy.uuid()
        // Another request goes on with it: what cancels this one must not cancel that.
        let owner = RequestContext(
            principal: context.principal, requestID: context.requestID, door: context.door,
            tenant: context.tenant)
        let transaction: EngineTransaction
        do {
            let origins = try catalog.listWarehouses(context).map { catalogs.reference($0.name) }
            transaction = EngineTransaction(
                id: id, context: owner, isReadOnly: isReadOnly ?? false, isolation: isolation,
                createdMicroseconds: query.createdMicroseconds, catalog: catalog,
                try catalog.beginTransaction(owner, id: id, origins))
        } catch { throw Self.fault(error, about: "START TRANSACTION") }
        try engine.transactions.begin(transaction)
        changes.startedTransactionID = id
        return .done(updateType: "START TRANSACTION", count: nil)
    }

    /// COMMIT and ROLLBACK. The client's transaction is over, also where COMMIT fails.
    func endTransaction(commits: Bool) throws(QueryFault) -> StatementOutcome {
        guard let id = query.session.transactionID else {
            throw QueryFault(
                .notInTransaction, "No transaction in progress",
                hint: "statements outside of START TRANSACTION commit at once")
        }
        changes.clearsTransaction = true
        if commits {
            try engine.transactions.commit(id, query)
        } else {
            try engine.transactions.rollBack(id, query)
        }
        return .done(updateType: commits ? "COMMIT" : "ROLLBACK", count: nil)
    }

    /// Refuses statements whose effects a transaction could not take back.
    func requireTransactional(_ statement: Statement) throws(QueryFault) {
        guard catalogs.transaction != nil else { return }
        let isTransactional =
            switch statement.kind {
            case .createFunction, .dropFunction, .analyze, .createCatalog, .dropCatalog,
                .grant, .deny, .revoke, .createRole, .dropRole, .grantRoles, .revokeRoles,
                .setAuthorization, .policy, .model, .check:
                false
            case .reference(.list), .reference(.changes), .reference(.log): true
            case .reference: false
            case .alterTable(_, _, .execute), .alterMaterializedView(_, _, .execute): false
            default: true
            }
        if isTransactional { return }
        throw QueryFault(
            .notSupported, "This statement is not supported in a transaction",
            hint: "COMMIT or ROLLBACK first: it takes effect at once", span: statement.span)
    }
}

extension Statement {
    /// Whether the statement begins or ends a transaction, rather than run in it.
    var isTransactionControl: Bool {
        switch kind {
        case .startTransaction, .commit, .rollback: true
        default: false
        }
    }
}
