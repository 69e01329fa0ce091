package import Authority
import CSQLite
import Diagnostics
import Glibc
import Synchronization

/// One numbered, forward step of a schema.
package struct Migration: Sendable {
    package let number: Int
    package let name: String
    let apply: @Sendable (WriteTransaction) throws -> Void

    package init(
        _ number: Int, _ name: String, apply: @escaping @Sendable (WriteTransaction) throws -> Void
    ) {
        self.number = number
        self.name = name
        self.apply = apply
    }

    /// A migration that is a script.
    package init(_ number: Int, _ name: String, sql: String) {
        self.init(number, name) { tx in try tx.script(sql) }
    }
}

/// One database file, opened once for the life of the process.
package final class Database: @unchecked Sendable {
    // Safe because the writer is used under `writerLock`, the readers' pool and the group's queue under
    // their own conditions. Order where they meet: group before writer; the pool is a leaf.

    package let path: String
    /// Wakes the consumers of the outbox.
    package let signal = OutboxSignal()
    private let nowMicroseconds: @Sendable () -> Int64

    private let writerLock = Condition()
    private var writer: Connection?
    /// The thread inside the writer, so that a nested write is a fault and not a deadlock; 0: nobody.
    private let writerThread = Atomic<UInt>(0)

    private let pool = Condition()
    private var idleReaders: [Connection] = []
    private var readerCount = 0
    private var isClosed = false

    private let group = Condition()
    private var queue: [GroupedWrite] = []
    private var hasLeader = false

    /// Opens or creates the file and brings its schema to the last migration, in one transaction.
    ///
    /// Throws `.newerSchema` when the file was written by a later version of the product.
    package init(
        path: String, migrations: [Migration], nowMicroseconds: @escaping @Sendable () -> Int64
    ) throws {
        self.path = path
        self.nowMicroseconds = nowMicroseconds
        writer = try Connection(path: path, mode: .writer)
        try migrate(migrations)
    }

    deinit { close() }

    /// Runs one transaction and commits it durably; a throwing closure rolls it back.
    @discardableResult
    package func write<Result>(
        cancellation: Cancellation? = nil, _ body: (WriteTransaction) throws -> Result
    ) throws -> Result {
        try withWriter { connection in
            connection.watch(cancellation)
            defer { if cancellation != nil { connection.watch(nil) } }
            let tx = WriteTransaction(connection: connection, nowMicroseconds: nowMicroseconds())
            try connection.script("BEGIN IMMEDIATE")
            let result: Result
            do {
                result = try body(tx)
                // A commit must not be interrupted half way by the caller's cancellation.
                if cancellation != nil { connection.watch(nil) }
                try connection.script("COMMIT")
            } catch {
                if !connection.isAutocommit { try? connection.script("ROLLBACK") }
                throw error
            }
            finish([tx])
            return result
        }
    }

    /// Runs a small write in a transaction that it shares with those of other threads: one commit, one
    /// sync for all. Returns after that commit; a throwing closure undoes only its own changes.
    @discardableResult
    package func writeGrouped<Result>(_ body: (WriteTransaction) throws -> Result) throws -> Result
    {
        try withoutActuallyEscaping(body) { body in
            var outcome: Swift.Result<Result, any Error>?
            try withUnsafeMutablePointer(to: &outcome) { slot in
                let entry = GroupedWrite { tx in slot.pointee = .success(try body(tx)) }
                takePart(entry)
                if let failure = entry.failure { throw failure }
            }
            guard let outcome else {
                throw SQLiteError(code: .badStatement, message: "a grouped write did not run")
            }
            return try outcome.get()
        }
    }

    /// Runs a closure over one snapshot.
    package func read<Result>(
        cancellation: Cancellation? = nil, _ body: (ReadTransaction) throws -> Result
    ) throws -> Result {
        let connection = try takeReader()
        defer { giveBack(connection) }
        connection.watch(cancellation)
        defer { if cancellation != nil { connection.watch(nil) } }
        try connection.script("BEGIN")
        // A read leaves nothing behind; ending it cannot lose anything.
        defer { try? connection.script("ROLLBACK") }
        return try body(ReadTransaction(connection: connection))
    }

    /// The schema's version: the number of the last migration.
    package func schemaVersion() throws -> Int {
        try read { tx in Int(try tx.number("PRAGMA user_version") ?? 0) }
    }

    /// What SQLite's own check finds wrong with the file; empty when it is sound.
    package func integrityProblems() throws -> [String] {
        try read { tx in
            try tx.query("PRAGMA integrity_check(100)") { $0.string(0) }.filter { $0 != "ok" }
        }
    }

    /// Copies a consistent snapshot into a new file while others read and write.
    package func copy(to target: String) throws {
        let destination = try Connection(path: target, mode: .writer)
        let source = try takeReader()
        defer { giveBack(source) }
        guard let backup = sqlite3_backup_init(destination.handle, "main", source.handle, "main")
        else {
            throw SQLiteError(
                status: sqlite3_errcode(destination.handle), handle: destination.handle,
                doing: "copy to \(target)")
        }
        let status = sqlite3_backup_step(backup, -1)
        sqlite3_backup_finish(backup)
        guard status == SQLITE_DONE else {
            throw SQLiteError(
                status: status, handle: destination.handle, doing: "copy to \(target)")
        }
    }

    /// Folds the log into the file and closes every connection. Later calls throw `.closed`.
    package func close() {
        pool.withLock {
            isClosed = true
            idleReaders = []
            pool.wakeAll()
        }
        writerLock.withLock {
            guard let connection = writer else { return }
            try? connection.script("PRAGMA wal_checkpoint(TRUNCATE)")
            writer = nil
        }
    }

    // MARK: The writer

    private func withWriter<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        let current = UInt(pthread_self())
        if writerThread.load(ordering: .relaxed) == current {
            throw SQLiteError(
                code: .badStatement, message: "a write began inside a write of the same database")
        }
        writerLock.lock()
        defer { writerLock.unlock() }
        guard let connection = writer else {
            throw SQLiteError(code: .closed, message: closedMessage)
        }
        writerThread.store(current, ordering: .relaxed)
        defer { writerThread.store(0, ordering: .relaxed) }
        return try body(connection)
    }

    private func finish(_ transactions: [WriteTransaction]) {
        var emitted = 0
        for transaction in transactions {
            emitted += transaction.emittedCount
            transaction.didCommit()
        }
        if emitted > 0 { signal.raise() }
    }

    private var closedMessage: String { "the database is closed: \(path)" }

    // MARK: Grouped writes

    /// Waits until the entry was committed or failed. Whoever finds no leader leads: it commits all
    /// that queued up while the former commit was syncing.
    private func takePart(_ entry: GroupedWrite) {
        group.lock()
        queue.append(entry)
        while !entry.isDone {
            if hasLeader {
                group.wait()
                continue
            }
            hasLeader = true
            let batch = Array(queue.prefix(Limits.groupedWrites))
            queue.removeFirst(batch.count)
            group.unlock()
            commit(batch)
            group.lock()
            for member in batch { member.isDone = true }
            hasLeader = false
            group.wakeAll()
        }
        group.unlock()
    }

    private func commit(_ batch: [GroupedWrite]) {
        do {
            try withWriter { connection in
                var rest = batch[...]
                while !rest.isEmpty { rest = commitRun(rest, on: connection) }
            }
        } catch {
            for member in batch where member.failure == nil { member.failure = error }
        }
    }

    /// Commits as many members as one transaction takes; returns those that still wait, which is none
    /// unless a grave error (full disk) ended the transaction in the middle.
    private func commitRun(
        _ members: ArraySlice<GroupedWrite>, on connection: Connection
    ) -> ArraySlice<GroupedWrite> {
        var open: [(member: GroupedWrite, tx: WriteTransaction)] = []
        do {
            try connection.script("BEGIN IMMEDIATE")
            for (index, member) in zip(members.indices, members) {
                let tx = WriteTransaction(
                    connection: connection, nowMicroseconds: nowMicroseconds())
                do {
                    try tx.savepoint { try member.run(tx) }
                    open.append((member, tx))
                } catch {
                    member.failure = error
                    if connection.isAutocommit {
                        for earlier in open { earlier.member.failure = error }
                        return members[(index + 1)...]
                    }
                }
            }
            try connection.script("COMMIT")
        } catch {
            if !connection.isAutocommit { try? connection.script("ROLLBACK") }
            for member in members where member.failure == nil { member.failure = error }
            return []
        }
        finish(open.map(\.tx))
        return []
    }

    // MARK: Readers

    private func takeReader() throws(SQLiteError) -> Connection {
        pool.lock()
        while true {
            if isClosed {
                pool.unlock()
                throw SQLiteError(code: .closed, message: closedMessage)
            }
            if let connection = idleReaders.popLast() {
                pool.unlock()
                return connection
            }
            if readerCount < Limits.readers { break }
            pool.wait()
        }
        readerCount += 1
        pool.unlock()
        do {
            return try Connection(path: path, mode: .reader)
        } catch {
            pool.withLock {
                readerCount -= 1
                pool.wakeOne()
            }
            throw error
        }
    }

    private func giveBack(_ connection: Connection) {
        pool.withLock {
            if isClosed || idleReaders.count >= Limits.idleReaders {
                readerCount -= 1
            } else {
                idleReaders.append(connection)
            }
            pool.wakeOne()
        }
    }

    // MARK: Schema

    private func migrate(_ migrations: [Migration]) throws {
        for (index, migration) in migrations.enumerated() {
            invariant(migration.number == index + 1, "migrations are numbered from 1 without gaps")
        }
        try withWriter { connection in
            var version = 0
            try connection.each("PRAGMA user_version", []) { row in
                version = row.int(0)
                return false
            }
            guard version <= migrations.count else {
                throw SQLiteError(
                    code: .newerSchema,
                    message: "\(path) has schema version \(version), "
                        + "and this program knows up to \(migrations.count)",
                    hint: "use the version of the product that wrote it, or a later one")
            }
            var hasOutbox = false
            try connection.each("SELECT 1 FROM sqlite_schema WHERE name = 'outbox'", []) { _ in
                hasOutbox = true
                return false
            }
            if hasOutbox && version == migrations.count { return }
            let tx = WriteTransaction(connection: connection, nowMicroseconds: nowMicroseconds())
            try connection.script("BEGIN IMMEDIATE")
            do {
                try connection.script(outboxSchema)
                for migration in migrations.dropFirst(version) { try migration.apply(tx) }
                try connection.script("PRAGMA user_version = \(migrations.count)")
                try connection.script("COMMIT")
            } catch {
                if !connection.isAutocommit { try? connection.script("ROLLBACK") }
                throw error
            }
        }
    }
}

/// One caller's part of a shared commit.
private final class GroupedWrite: @unchecked Sendable {
    // Safe because the leader alone touches it between queueing and `isDone`, and the caller waits.
    let run: (WriteTransaction) throws -> Void
    var failure: (any Error)?
    var isDone = false

    init(run: @escaping (WriteTransaction) throws -> Void) { self.run = run }
}
