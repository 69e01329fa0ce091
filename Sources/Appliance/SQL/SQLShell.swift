import Authority
import Diagnostics
import JSON
import Platform
import QueryAPI
import SQLEngine
import SQLFunctions
import CivilTime

/// Runs statements for the command line and prints their results.
final class SQLShell: PromptShell {
    /// How results are printed.
    enum Format: String, CaseIterable { case table, csv, json, markdown }

    private let engine: QueryEngine
    private let context: RequestContext
    private let zones: TimeZones
    private let streams: any CommandStreams
    var format: Format
    var showsTiming: Bool
    private let showsProgress: Bool
    /// What statements before changed: USE, SET SESSION, PREPARE.
    private(set) var session: QuerySession

    init(
        engine: QueryEngine, context: RequestContext, zones: TimeZones, session: QuerySession,
        format: Format, showsTiming: Bool, showsProgress: Bool, streams: any CommandStreams
    ) {
        self.engine = engine
        self.context = context
        self.zones = zones
        self.session = session
        self.session.keepsTransactions = true
        self.format = format
        self.showsTiming = showsTiming
        self.showsProgress = showsProgress
        self.streams = streams
    }

    /// Runs every statement of a text; stops at the first that fails. Whether all went well.
    func run(script: String) throws -> Bool {
        for statement in SQLShell.statements(of: script) {
            guard try run(statement: statement) else { return false }
        }
        return true
    }

    func listing(_ sql: String) -> [String] {
        let fresh = RequestContext(
            principal: context.principal, requestID: context.requestID, door: context.door)
        guard
            let query = try? engine.submit(
                sql, session: session, context: fresh, encoder: TrinoEncoder(zones: zones))
        else { return [] }
        var names: [String] = []
        while true {
            let (page, snapshot) = query.nextPage(patience: .seconds(5))
            if let page, let rows = try? JSONValue(parsing: [0x5B] + page.bytes + [0x5D]) {
                names += ResultTable.firstCells(rows)
            }
            if snapshot.state.isDone, !snapshot.hasPages { return names }
            // A listing that takes so long is none for a person who types.
            if page == nil {
                query.cancel(.clientCancelled)
                return []
            }
        }
    }

    private func run(statement: String) throws -> Bool {
        let begin = SystemMonotonicClock().now()
        let fresh = RequestContext(
            principal: context.principal, requestID: context.requestID, door: context.door)
        let query = try engine.submit(
            statement, session: session, context: fresh, encoder: TrinoEncoder(zones: zones))
        var table = ResultTable(format: format)
        var drewProgress = false
        while true {
            let (page, snapshot) = query.nextPage(patience: .milliseconds(500))
            if let page { try table.add(page, snapshot.columns ?? [], streams) }
            if snapshot.state.isDone, !snapshot.hasPages {
                if drewProgress { streams.complain("\r\u{1B}[K") }
                return finish(statement, snapshot, &table, since: begin)
            }
            if page == nil, showsProgress {
                streams.complain("\r" + progress(snapshot.statistics, since: begin))
                drewProgress = true
            }
        }
    }

    private func progress(_ numbers: QueryStatistics, since begin: MonotonicInstant) -> String {
        let seconds = (SystemMonotonicClock().now() - begin).fractionalSeconds
        return "\(numbers.completedSplits)/\(numbers.totalSplits) splits, "
            + "\(numbers.processedRows) rows, \(Int(seconds)) s"
    }

    private func finish(
        _ statement: String, _ snapshot: Query.Snapshot, _ table: inout ResultTable,
        since begin: MonotonicInstant
    ) -> Bool {
        // A COMMIT that fails ends the transaction too.
        if snapshot.changes.clearsTransaction { session.transactionID = nil }
        if let fault = snapshot.fault {
            streams.complain(SQLShell.text(of: fault, in: statement))
            return false
        }
        apply(snapshot.changes)
        let isUpdate = snapshot.updateType != nil
        if !isUpdate || format != .table { table.end(snapshot.columns ?? [], streams) }
        guard format == .table else { return true }
        if let type = snapshot.updateType {
            streams.write(snapshot.updateCount.map { "\(type): \($0) rows\n" } ?? "\(type)\n")
        }
        ResultTable.note(
            rows: isUpdate ? nil : table.rowCount,
            elapsed: showsTiming ? SystemMonotonicClock().now() - begin : nil, streams)
        return true
    }

    private func apply(_ changes: SessionChanges) {
        if let catalog = changes.catalog { session.catalog = catalog }
        if let schema = changes.schema { session.schema = schema }
        session.properties.merge(changes.setProperties) { $1 }
        for name in changes.resetProperties { session.properties[name] = nil }
        session.prepared.merge(changes.addedPrepared) { $1 }
        for name in changes.deallocatedPrepared { session.prepared[name] = nil }
        if let id = changes.startedTransactionID { session.transactionID = id }
    }

    /// A fault with the line it is about and a caret under the place.
    static func text(of fault: QueryFault, in statement: String) -> String {
        var text = "\(fault.code.rawValue): \(fault.message)\n"
        if let span = fault.span {
            let caret = span.caret(in: statement)
            if !caret.isEmpty { text += caret + "\n" }
        }
        if let hint = fault.hint { text += "hint: \(hint)\n" }
        return text
    }

    /// Splits a script at semicolons that stand outside of quotes and comments.
    static func statements(of script: String) -> [String] {
        var found: [String] = []
        var current: [UInt8] = []
        let bytes = Array(script.utf8)
        var at = 0
        func next(_ offset: Int) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 0x27 || byte == 0x22 {
                repeat {
                    current.append(bytes[at])
                    at += 1
                } while at < bytes.count && bytes[at] != byte
            } else if byte == 0x2D, next(1) == 0x2D {
                while at < bytes.count, bytes[at] != 0x0A { at += 1 }
                continue
            } else if byte == 0x2F, next(1) == 0x2A {
                at += 2
                while at < bytes.count, !(bytes[at] == 0x2A && next(1) == 0x2F) { at += 1 }
                at += 2
                current.append(0x20)
                continue
            } else if byte == 0x3B {
                found.append(String(decoding: current, as: UTF8.self))
                current = []
                at += 1
                continue
            }
            if at < bytes.count { current.append(bytes[at]) }
            at += 1
        }
        found.append(String(decoding: current, as: UTF8.self))
        return found.filter { $0.utf8.contains { $0 > 0x20 } }
    }
}
