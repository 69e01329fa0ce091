package import Authority
import Platform
import SQLite
import Synchronization

/// A request that its sender may send again: the key, and a digest of what was asked.
package struct IdempotencyKey: Sendable, Hashable {
    package var key: String
    /// Tells apart two requests that came with one key.
    package var request: String

    /// A key as it was sent, and a digest of its request.
    package init(key: String, request: String) {
        self.key = key
        self.request = request
    }
}

/// What is known of a key.
package enum IdempotencyState: Sendable {
    /// It was not seen before.
    case new
    /// The request took effect; its answer is made anew.
    case effective
    /// The request was refused, with this answer.
    case refused(status: Int, body: [UInt8])
}

extension Catalog {
    /// Runs a request that came with a key at most once: `body` gets what is known of it. Requests with
    /// one key of one principal wait for each other.
    ///
    /// The effect is noted in the transaction of the effect itself, so that no crash between the two
    /// makes it happen twice. Throws `.contradictoryRequest` when the key stood for another request.
    package func once<Result>(
        _ context: RequestContext, _ key: IdempotencyKey,
        _ body: (IdempotencyState) throws -> Result
    ) throws -> Result {
        let turn = ["idempotency", context.tenant, context.principal.id, key.key]
        return try serialized([turn.joined(separator: "\u{0}")]) {
            let found = try database.read { tx in
                try tx.first(
                    """
                    SELECT request, status, body FROM idempotency
                    WHERE tenant = ? AND principal = ? AND key = ? AND at_us > ?
                    """, context.tenant, context.principal.id, key.key,
                    clock.now().microseconds - Limits.idempotencyMicroseconds,
                    row: { ($0.string(0), $0.intOrNil(1), $0.bytesOrNil(2)) })
            }
            if let (request, status, text) = found {
                guard request == key.request else {
                    throw CatalogError(
                        code: .contradictoryRequest,
                        message: "the idempotency key stood for another request: \(key.key)",
                        hint: "take a new key for each operation")
                }
                if let status, status >= 400 {
                    return try body(.refused(status: status, body: text ?? []))
                }
                return try body(.effective)
            }
            keyed.withLock { $0[context.requestID] = key }
            defer { keyed.withLock { $0[context.requestID] = nil } }
            return try body(.new)
        }
    }

    /// Keeps a refusal, to be given again.
    package func keepRefusal(
        _ context: RequestContext, _ key: IdempotencyKey, status: Int, body: [UInt8]
    ) throws {
        try database.writeGrouped { tx in try note(tx, context, key, status: status, body: body) }
    }

    /// Notes with a transaction that its request took effect.
    func noteEffect(_ tx: WriteTransaction, _ context: RequestContext) throws {
        guard let key = keyed.withLock({ $0[context.requestID] }) else { return }
        try note(tx, context, key, status: nil, body: nil)
    }

    private func note(
        _ tx: WriteTransaction, _ context: RequestContext, _ key: IdempotencyKey, status: Int?,
        body: [UInt8]?
    ) throws {
        try tx.run(
            "DELETE FROM idempotency WHERE at_us <= ?",
            tx.nowMicroseconds - Limits.idempotencyMicroseconds)
        try tx.run(
            """
            INSERT OR REPLACE INTO idempotency (tenant, principal, key, request, status, body, at_us)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, context.tenant, context.principal.id, key.key, key.request, status, body,
            tx.nowMicroseconds)
    }
}
