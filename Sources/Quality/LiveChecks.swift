import Authority
import Diagnostics
import SQLEngine
import SQLPlanning
import SQLite
import Synchronization
import TableCatalog

/// A folder with files of checks, which may change at any time.
package struct CheckFolder: Sendable {
    let path: String
    /// The files that are there, each with what tells one state of it from another.
    let files: @Sendable () -> [String: String]
    let text: @Sendable (_ path: String) throws -> String
    /// Told once of each mistake.
    let note: @Sendable (_ problem: String) -> Void

    /// The folder's files, how they are read, and who is told of mistakes in them.
    package init(
        path: String,
        files: @escaping @Sendable () -> [String: String],
        text: @escaping @Sendable (_ path: String) throws -> String,
        note: @escaping @Sendable (_ problem: String) -> Void
    ) {
        self.path = path
        self.files = files
        self.text = text
        self.note = note
    }
}

/// What is known of the folder's files.
struct LiveChecks: Sendable {
    var folder: CheckFolder?
    /// By path: the state that was read.
    var seen: [String: String] = [:]
    /// By path: why a file is not followed.
    var problems: [String: String] = [:]
    /// By path: tables that were not there when the file was read.
    var waiting: [String: [TableName]] = [:]
    var isBusy = false
}

extension TableChecks {
    /// Follows the files of a folder from now on.
    package func attach(folder: CheckFolder) {
        // What files declared that are gone since goes too.
        let declared = (try? records.checks(tenant: Self.fileContext.tenant)) ?? []
        let sources = Set(declared.map(\.source)).filter { $0.hasPrefix(folder.path + "/") }
        live.withLock { live in
            live.folder = folder
            for source in sources { live.seen[source] = "" }
        }
        refresh()
    }

    /// What is wrong with the files of checks, with file and line. The checks that a file declared before
    /// the mistake are still there.
    package var problems: [String] {
        refresh()
        return live.withLock { live in
            live.problems.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Declares what has changed in the folder. A file with a mistake changes nothing.
    func refresh() {
        guard let folder = live.withLock({ $0.folder }) else { return }
        let present = folder.files()
        let known = live.withLock { live -> LiveChecks? in
            if live.isBusy { return nil }
            live.isBusy = true
            return live
        }
        guard var known else { return }
        let context = Self.fileContext
        for path in known.seen.keys where present[path] == nil {
            do {
                try withdraw(context, path)
                (known.seen[path], known.problems[path], known.waiting[path]) = (nil, nil, nil)
            } catch { note(error, path, &known, folder) }
        }
        for (path, state) in present.sorted(by: { $0.key < $1.key })
        where known.seen[path] != state || isThereNow(context, known.waiting[path]) {
            known.seen[path] = state
            known.waiting[path] = nil
            do {
                let text = try folder.text(path)
                let absent = try trial(context, CheckFile.parse(text, source: path))
                try declare(context, text, source: path)
                known.problems[path] = nil
                if !absent.isEmpty { known.waiting[path] = absent }
            } catch { note(error, path, &known, folder) }
        }
        known.isBusy = false
        known.folder = folder
        let now = known
        live.withLock { $0 = now }
    }

    /// Files speak with the appliance's own rights.
    private static let fileContext = RequestContext(
        principal: .system, requestID: "checks", door: .event)

    private func note(
        _ error: any Error, _ path: String, _ known: inout LiveChecks, _ folder: CheckFolder
    ) {
        var text = (error as? any Fault)?.message ?? "\(error)"
        if let hint = (error as? any Fault)?.hint { text += " (\(hint))" }
        if !text.hasPrefix(path) { text = "\(path): \(text)" }
        if known.problems[path] != text { folder.note(text) }
        known.problems[path] = text
    }

    /// Looks at checks before they are kept, as `CREATE CHECK` does; the tables that are not there yet.
    private func trial(_ context: RequestContext, _ checks: [Check]) throws -> [TableName] {
        var absent: [TableName] = []
        let engine = engine
        for check in checks {
            let at = CatalogReference(warehouse: check.table.catalog)
            guard try catalog.tableUUID(context, at, Self.identifier(check.table)) != nil else {
                if !absent.contains(check.table) { absent.append(check.table) }
                continue
            }
            do {
                try CheckTrial(check: check, at: at) { sql, session in
                    try engine.run(sql, session: session, context: context)
                }.run()
            } catch let refusal as CheckRefusal {
                throw QualityError(
                    .invalidCheck, "\(check.place): \(refusal.message)", hint: refusal.hint)
            }
        }
        return absent
    }

    private func isThereNow(_ context: RequestContext, _ tables: [TableName]?) -> Bool {
        (tables ?? []).contains { table in
            let found = try? catalog.tableUUID(
                context, CatalogReference(warehouse: table.catalog), Self.identifier(table))
            return found.flatMap { $0 } != nil
        }
    }

    /// Takes the checks of a file away that is not there any more.
    private func withdraw(_ context: RequestContext, _ source: String) throws {
        try records.database.write { tx in
            try tx.run(
                "DELETE FROM checks WHERE tenant = ? AND source = ?", context.tenant, source)
        }
    }
}
