import Authority
import Iceberg
import JSON
import Platform
import SQLite
import Synchronization

/// One commit to one table that waits for the table's turn.
final class WaitingCommit: Sendable {
    let context: RequestContext
    let at: CatalogReference
    let commit: TableCommit
    private let state = Mutex<Result<PreparedPointer, any Error>?>(nil)

    init(_ context: RequestContext, _ at: CatalogReference, _ commit: TableCommit) {
        self.context = context
        self.at = at
        self.commit = commit
    }

    /// What became of it; nil: nobody has worked on it yet.
    var outcome: Result<PreparedPointer, any Error>? { state.withLock { $0 } }

    func finish(_ outcome: Result<PreparedPointer, any Error>) {
        state.withLock { $0 = outcome }
    }
}

/// Commits by the lock key of their table, in the order in which they came. Who gets a table's turn takes
/// along all that wait for it: many writers to one table share a transaction and its sync, and each still
/// makes a state of its own with a metadata file of its own.
final class CommitLine: Sendable {
    private let waiting = Mutex<[String: [WaitingCommit]]>([:])

    func join(_ key: String, _ commit: WaitingCommit) {
        waiting.withLock { $0[key, default: []].append(commit) }
    }

    /// The first that wait for a table.
    func take(_ key: String, limit: Int) -> [WaitingCommit] {
        waiting.withLock { waiting in
            guard let line = waiting[key] else { return [] }
            let rest = Array(line.dropFirst(limit))
            waiting[key] = rest.isEmpty ? nil : rest
            return Array(line.prefix(limit))
        }
    }
}

extension Catalog {
    /// Commits to one table, in one transaction with others that wait for the same turn.
    func commitInLine(
        _ context: RequestContext, _ at: CatalogReference, _ commit: TableCommit
    ) throws -> PreparedPointer {
        let key = lockKey(context, at, commit.identifier)
        let own = WaitingCommit(context, at, commit)
        line.join(key, own)
        let prepared = try serialized([key]) {
            while true {
                if let outcome = own.outcome { return try outcome.get() }
                swing(line.take(key, limit: Limits.commitsPerTurn))
            }
        }
        // The table's turn is over: the commit is durable, and the next need not wait for the object.
        writeObjects(of: prepared.text.isEmpty ? [] : [prepared])
        return prepared
    }

    /// Works out the states one after the other and swings the pointer over all of them. A commit that is
    /// refused leaves the others alone.
    private func swing(_ batch: [WaitingCommit]) {
        var prepared: [(waiting: WaitingCommit, entry: PreparedPointer)] = []
        var last: PreparedPointer?
        for waiting in batch {
            do {
                let entry = try next(waiting.context, waiting.at, waiting.commit, after: last)
                if !entry.text.isEmpty { last = entry }
                prepared.append((waiting, entry))
            } catch { waiting.finish(.failure(error)) }
        }
        do {
            try swing(prepared)
            for (waiting, entry) in prepared { waiting.finish(.success(entry)) }
        } catch  where prepared.count == 1 {
            prepared[0].waiting.finish(.failure(error))
        } catch {
            // One of them, or none: each is tried alone and hears its own reason.
            for (waiting, _) in prepared {
                waiting.finish(
                    Result {
                        let entry = try next(waiting.context, waiting.at, waiting.commit)
                        try swing([(waiting, entry)])
                        return entry
                    })
            }
        }
    }

    private func swing(
        _ prepared: [(waiting: WaitingCommit, entry: PreparedPointer)]
    ) throws {
        let changed = prepared.filter { !$0.entry.text.isEmpty }
        guard let first = changed.first?.waiting else { return }
        try database.writeGrouped { tx in
            try dropSettled(tx)
            let chain = try chain(tx, first.context, first.at)
            for (waiting, entry) in changed {
                try swing(tx, waiting.context, waiting.at, chain, entry)
                try record(
                    tx, waiting.context, waiting.at,
                    kind: entry.expectedLocation == nil
                        ? "catalog.table.created" : "catalog.table.committed",
                    namespace: entry.pointer.identifier.namespace,
                    name: entry.pointer.identifier.name,
                    details: Self.details(of: waiting.commit, entry))
            }
        }
        for (_, entry) in changed {
            if let metadata = entry.metadata {
                cache.insert(entry.pointer.metadataLocation, metadata, text: entry.text)
            }
        }
    }
}
