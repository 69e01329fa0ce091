import Glibc

/// One connection to a PostgreSQL server.
package final class PostgresConnection: @unchecked Sendable {
    // Safe because whoever holds it has it alone: pools lend it to one at a time.

    private let library: LibPQ
    private let handle: LibPQ.Connection
    /// Whether the connection can be used again.
    package private(set) var isUsable = true

    /// Connects. `options` are libpq's keywords; `dbname` may be a URI, and later keywords go before
    /// what it says. Throws `.libraryMissing` and `.cannotConnect`.
    package init(_ options: [(name: String, value: String)]) throws(PostgresError) {
        guard let library = LibPQ.shared else {
            throw PostgresError(
                .libraryMissing, "libpq, the PostgreSQL client library, is not installed",
                hint: "install it (Debian: apt-get install libpq5) and try again")
        }
        let names = options.map { strdup($0.name) }
        let values = options.map { strdup($0.value) }
        defer { for text in names + values { free(text) } }
        var nameList: [UnsafePointer<CChar>?] = names.map { UnsafePointer($0) } + [nil]
        var valueList: [UnsafePointer<CChar>?] = values.map { UnsafePointer($0) } + [nil]
        guard let handle = library.connect(&nameList, &valueList, 1) else {
            throw PostgresError(.cannotConnect, "no memory for a connection")
        }
        guard library.status(handle) == LibPQ.connectionOK else {
            let reason = Self.text(library.errorMessage(handle))
            // It must be finished even when it failed.
            library.finish(handle)
            throw PostgresError(
                .cannotConnect, Self.sentence(reason),
                hint: reason.contains("authentication")
                    ? "check connection-user and connection-password"
                    : "check connection-url, and that the server accepts connections from here")
        }
        // Notices would go to our standard error.
        _ = library.setNoticeReceiver(handle, { _, _ in }, nil)
        self.library = library
        self.handle = handle
    }

    deinit { library.finish(handle) }

    /// Runs one statement and hands each row to `row` until it answers false. `isStopped` is asked a few
    /// times a second while the server is silent; the statement is cancelled there when it says so.
    package func query(
        _ sql: String, isStopped: () -> Bool = { false }, row: (PostgresRow) throws -> Bool
    ) throws {
        guard isUsable, library.sendQuery(handle, sql) == 1 else { throw lost() }
        _ = library.setSingleRowMode(handle)
        var failure: (any Error)?
        var isWanted = true
        while true {
            if try !wait(isStopped, isWanted: &isWanted, failure: &failure) { continue }
            guard let answer = library.getResult(handle) else { break }
            defer { library.clear(answer) }
            switch library.resultStatus(answer) {
            case LibPQ.singleTuple:
                guard isWanted else { continue }
                do {
                    if try !row(PostgresRow(library: library, answer: answer)) {
                        isWanted = false
                        cancel()
                    }
                } catch {
                    failure = error
                    isWanted = false
                    cancel()
                }
            case LibPQ.tuplesOK, LibPQ.commandOK: break
            default:
                // What a cancellation of ours left behind is no failure.
                let state = Self.text(library.resultErrorField(answer, LibPQ.fieldState))
                if !isWanted { continue }
                let hint = Self.text(library.resultErrorField(answer, LibPQ.fieldHint))
                failure = PostgresError(
                    state == "57014" ? .cancelled : .queryFailed,
                    Self.sentence(Self.text(library.resultErrorField(answer, LibPQ.fieldMessage))),
                    hint: hint.isEmpty ? nil : hint, state: state.isEmpty ? nil : state)
                isWanted = false
            }
        }
        if let failure { throw failure }
    }

    /// Waits until an answer can be taken without blocking; false: look again.
    private func wait(
        _ isStopped: () -> Bool, isWanted: inout Bool, failure: inout (any Error)?
    ) throws -> Bool {
        guard library.isBusy(handle) == 1 else { return true }
        if isWanted, isStopped() {
            isWanted = false
            failure = PostgresError(.cancelled, "the statement was cancelled")
            cancel()
        }
        var poller = pollfd(fd: library.socket(handle), events: Int16(POLLIN), revents: 0)
        // Short, so that a cancelled query is gone at once.
        let ready = poll(&poller, 1, 50)
        if ready < 0, errno != EINTR { throw lost() }
        if ready > 0, library.consumeInput(handle) != 1 { throw lost() }
        return false
    }

    /// Asks the server to end the statement that runs.
    private func cancel() {
        guard let request = library.getCancel(handle) else { return }
        var reason = [CChar](repeating: 0, count: 256)
        _ = library.cancel(request, &reason, Int32(reason.count))
        library.freeCancel(request)
    }

    private func lost() -> PostgresError {
        isUsable = false
        return PostgresError(
            .connectionLost, Self.sentence(Self.text(library.errorMessage(handle))),
            hint: "run the query again")
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }

    /// The first line without what stands for "error".
    private static func sentence(_ text: String) -> String {
        let line = text.split(separator: "\n").first.map(String.init) ?? "the server said nothing"
        return line.hasPrefix("ERROR:  ") ? String(line.dropFirst(8)) : line
    }
}

/// The present row of a running statement; valid only inside the closure that received it.
package struct PostgresRow {
    let library: LibPQ
    let answer: LibPQ.Answer

    /// Whether the column is NULL.
    package func isNull(_ column: Int) -> Bool { library.isNull(answer, 0, Int32(column)) == 1 }

    /// Lends the column's text, which is empty for NULL.
    package func withText<Result>(
        _ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        try body(
            UnsafeBufferPointer(
                start: library.value(answer, 0, Int32(column)),
                count: Int(library.length(answer, 0, Int32(column)))))
    }

    /// The column's text; empty for NULL.
    package func string(_ column: Int) -> String {
        withText(column) { String(decoding: $0, as: UTF8.self) }
    }

    /// The column's text; nil for NULL.
    package func stringOrNil(_ column: Int) -> String? { isNull(column) ? nil : string(column) }
}
