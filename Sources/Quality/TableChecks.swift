package import Authority
import Diagnostics
import Iceberg
package import JSON
package import Platform
package import SQLEngine
import SQLFunctions
package import SQLPlanning
package import SQLite
import Synchronization
package import TableCatalog

/// What an audit came to.
package struct AuditReport: Sendable {
    /// One a check, by name.
    package var outcomes: [CheckOutcome]
    /// Rows that this run wrote to the quarantine table.
    package var quarantinedRows: Int64 = 0

    /// The outcomes that make a gate red.
    package var failures: [CheckOutcome] {
        outcomes.filter { $0.severity == "fail" && ($0.status == "failed" || $0.status == "error") }
    }
    /// Whether nothing of severity `fail` failed.
    package var isGreen: Bool { failures.isEmpty }

    /// One sentence for people.
    package var sentence: String {
        let bad = outcomes.filter { $0.status != "passed" }
        var text = "\(outcomes.count - bad.count) of \(outcomes.count) checks passed"
        if !bad.isEmpty {
            text +=
                ": "
                + bad.map { "\($0.check) \($0.status) (\($0.message))" }
                .joined(separator: "; ")
        }
        if quarantinedRows > 0 { text += "; \(quarantinedRows) rows are in quarantine" }
        return text
    }
}

/// What an audit is asked for.
package struct AuditRequest: Sendable {
    /// The table, by its warehouse without a reference.
    package var table: TableName
    package var reference: CatalogReference
    /// Only these checks; empty: all of the table's.
    package var names: [String] = []
    package var quarantine = QuarantineMode.none
    /// nil: `<table>__quarantine`.
    package var quarantineTable: String?
    /// Names the run; steps that are done again give the same.
    package var runID: String
    package var stepID = "check"
    /// By warehouse: the branch that plain names in people's queries mean.
    package var branches: [String: String] = [:]

    /// A request for all checks of a table, without quarantine.
    package init(table: TableName, reference: CatalogReference, runID: String) {
        self.table = table
        self.reference = reference
        self.runID = runID
    }
}

/// The checks of an appliance: declared, run, recorded. One a process.
package final class TableChecks: CheckDoor {
    let records: CheckRecords
    /// The files that declare checks.
    let live = Mutex(LiveChecks())
    let engine: QueryEngine
    let catalog: Catalog
    private let authorizer: any Authorizer
    /// Decides what listings show, without a trail.
    private let quiet: any Authorizer
    private let clock: any WallClock
    private let monotonic: any MonotonicClock
    private let entropy: any Entropy

    /// Opens or creates `quality.sqlite`. `quiet` decides what listings show; nil: the authorizer.
    package init(
        databasePath: String, engine: QueryEngine, catalog: Catalog, authorizer: any Authorizer,
        quiet: (any Authorizer)? = nil, clock: any WallClock,
        monotonic: any MonotonicClock = SystemMonotonicClock(),
        entropy: any Entropy
    ) throws {
        records = CheckRecords(
            database: try Database(
                path: databasePath, migrations: qualityMigrations,
                nowMicroseconds: { clock.now().microseconds }))
        self.engine = engine
        self.catalog = catalog
        self.authorizer = authorizer
        self.quiet = quiet ?? authorizer
        self.clock = clock
        self.monotonic = monotonic
        self.entropy = entropy
    }

    /// The database, for backups, the ledger and checks.
    package var database: Database { records.database }

    /// Closes the database; later verbs fail.
    package func close() { records.database.close() }

    // MARK: Declarations

    package func create(
        _ context: RequestContext, table: TableName, name: String, kind: String,
        options: JSONObject, replaces: Bool, mayExist: Bool, query: @escaping QueryRun
    ) throws {
        let at = CatalogReference(parsing: table.catalog)
        let table = Self.plain(table)
        try authorizer.require(context, .tableAlter, resource(context, table))
        let check: Check
        do throws(QualityError) {
            check = try Check(
                table: table, name: name, kind: kind, options: options, source: "sql")
        } catch { throw error.refusal }
        try CheckTrial(check: check, at: at, query: query).run()
        let uuid = try catalog.tableUUID(context, at, Self.identifier(table))
        let isNew = try records.database.write { tx in
            try records.put(
                tx, tenant: context.tenant, check, uuid: uuid, follows: true,
                by: context.principal.name, replaces: replaces, isThere: isThere(context, table))
        }
        guard isNew || mayExist else {
            throw CheckRefusal(
                .alreadyExists, "\(table) has a check \(check.name) already",
                hint: "write CREATE OR REPLACE CHECK", place: .name)
        }
    }

    package func drop(_ context: RequestContext, table: TableName, name: String) throws -> Bool {
        let at = CatalogReference(parsing: table.catalog)
        let table = Self.plain(table)
        try authorizer.require(context, .tableAlter, resource(context, table))
        let uuid = try catalog.tableUUID(context, at, Self.identifier(table))
        let removal = try records.database.write { tx in
            try records.remove(
                tx, tenant: context.tenant, table: table, uuid: uuid, name: name,
                isThere: isThere(context, table))
        }
        if case .ofAnotherTable = removal {
            throw CheckRefusal(
                .notFound,
                "the check \(name) belongs to another table, which was called \(table) before",
                hint: "drop it where that table is now, or give this one its own with "
                    + "CREATE OR REPLACE CHECK", place: .name)
        }
        return removal == .removed
    }

    /// Whether the table of an id is still there, under whatever name.
    private func isThere(
        _ context: RequestContext, _ table: TableName
    ) -> (String) throws -> Bool {
        { try self.catalog.hasTable(context, warehouse: table.catalog, uuid: $0) }
    }

    /// Declares the checks of a file; those that it declared before and does not any more are gone.
    /// Returns how many there are.
    @discardableResult
    package func declare(
        _ context: RequestContext, _ text: String, source: String
    ) throws -> Int {
        let checks = try CheckFile.parse(text, source: source)
        var uuids: [TableName: String] = [:]
        for table in Set(checks.map(\.table)) {
            try authorizer.require(context, .tableAlter, resource(context, table))
            uuids[table] = try catalog.tableUUID(
                context, CatalogReference(warehouse: table.catalog), Self.identifier(table))
        }
        try records.database.write { tx in
            try tx.run(
                "DELETE FROM checks WHERE tenant = ? AND source = ?", context.tenant, source)
            for check in checks {
                guard
                    try records.put(
                        tx, tenant: context.tenant, check, uuid: uuids[check.table],
                        follows: false, by: context.principal.name, replaces: false,
                        isThere: isThere(context, check.table))
                else {
                    throw QualityError(
                        .alreadyExists,
                        "\(source): \(check.table) has a check \(check.name) from elsewhere",
                        hint: "give it another name, or drop the other")
                }
            }
        }
        return checks.count
    }

    package func list(
        _ context: RequestContext, table: TableName?
    ) throws -> [DeclaredCheck] {
        try declared(context, table)
            .filter { maySee(context, $0.table) }
            .map { check in
                DeclaredCheck(
                    table: check.table.description, name: check.name, kind: check.kind.rawValue,
                    severity: check.severity.rawValue,
                    options: JSONValue.object(check.options).encodedText(), source: check.source)
            }
    }

    private func declared(_ context: RequestContext, _ table: TableName?) throws -> [Check] {
        refresh()
        guard let table else { return try records.checks(tenant: context.tenant) }
        let plain = Self.plain(table)
        guard maySee(context, plain) else { return [] }
        let uuid = try catalog.tableUUID(
            context, CatalogReference(parsing: table.catalog), Self.identifier(plain))
        return try records.checks(tenant: context.tenant, table: plain, uuid: uuid)
    }

    /// Warehouse, levels of the schema, table.
    static func path(_ table: TableName) -> [String] {
        [table.catalog] + table.schema.split(separator: ".").map(String.init) + [table.table]
    }

    static func identifier(_ table: TableName) -> TableIdentifier {
        TableIdentifier(
            namespace: table.schema.split(separator: ".").map(String.init), name: table.table)
    }

    // MARK: Results

    package func results(_ context: RequestContext) throws -> [CheckOutcome] {
        try results(context, table: nil, runID: nil, limit: QualityLimits.listedResults)
    }

    /// Results of a table or a run, newest first. Rows are shown to those alone who see all of the tables
    /// that the check read; others get the counts.
    package func results(
        _ context: RequestContext, table: TableName?, runID: String? = nil, limit: Int = 1000
    ) throws -> [CheckOutcome] {
        let found = try records.results(
            tenant: context.tenant, table: table.map(Self.plain), runID: runID,
            limit: min(max(limit, 1), QualityLimits.listedResults))
        var sight = ResultSight(context: context, catalog: catalog, authorizer: quiet)
        return found.compactMap { sight.shown($0) }
    }

    // MARK: Runs

    package func run(
        _ context: RequestContext, table: TableName, at reference: CatalogReference,
        names: [String], query: @escaping QueryRun
    ) throws -> [CheckOutcome] {
        var request = AuditRequest(
            table: Self.plain(table), reference: reference, runID: entropy.uuid())
        request.names = names
        do { return try audit(context, request, query: query).outcomes } catch let error
            as QualityError
        { throw error.refusal }
    }

    /// Runs a table's checks at one state of it and records what they find.
    package func audit(
        _ context: RequestContext, _ request: AuditRequest, query: QueryRun? = nil
    ) throws -> AuditReport {
        let table = request.table
        let metadata = try catalog.loadTable(
            context, request.reference, Self.identifier(table)
        ).metadata
        try records.adopt(tenant: context.tenant, table: table, uuid: metadata.tableUUID)
        let checks = try wanted(context, request, metadata.tableUUID)
        let engine = engine
        let audit = Audit(
            context: context, reference: request.reference, schema: table.schema,
            table: table.table, checks: checks, runID: request.runID,
            branches: request.branches.merging(
                [request.reference.warehouse: request.reference.reference]
            ) { first, _ in first }, clock: clock, monotonic: monotonic,
            query: query
                ?? { sql, session in
                    try engine.run(sql, session: session, context: context)
                })
        // A snapshot that was written before the latest change of columns has not all of them.
        let current = metadata.currentSnapshot
        let isPresent = current?.schemaID.map { $0 == metadata.currentSchemaID } ?? false
        let state = try audit.state(
            snapshotID: isPresent ? current?.snapshotID : nil, present: current?.snapshotID,
            formatVersion: metadata.formatVersion)
        let began = clock.now().microseconds
        let (total, findings) = audit.run(state)
        var report = AuditReport(
            outcomes: zip(checks, findings).map { check, finding in
                outcome(
                    context, request, check, finding, total: total, at: began,
                    snapshotID: current?.snapshotID)
            })
        if request.quarantine != .none {
            report.quarantinedRows = try quarantine(
                request, audit, state, &report, checks, total: total, uuid: metadata.tableUUID)
        }
        let kept = zip(report.outcomes, zip(checks, findings)).map { outcome, found in
            KeptOutcome(
                outcome: outcome, uuid: metadata.tableUUID,
                reads: Self.reads(found.0, found.1, besides: metadata.tableUUID))
        }
        try records.add(tenant: context.tenant, kept)
        return report
    }

    /// The tables besides its own that a check's words and rows come from; nil where nobody can say.
    private static func reads(
        _ check: Check, _ finding: Audit.Finding, besides uuid: String
    ) -> [ComparedTable]? {
        // What a query said before it failed may be of any table.
        if finding.fault != nil, check.rule.readsOthers || check.filter != nil { return nil }
        return finding.reads.map { reads in
            Set(
                reads.filter { $0.uuid != uuid }.map {
                    ComparedTable(name: plain($0.name), uuid: $0.uuid)
                }
            ).sorted { ($0.name.description, $0.uuid) < ($1.name.description, $1.uuid) }
        }
    }

    private func wanted(
        _ context: RequestContext, _ request: AuditRequest, _ uuid: String
    ) throws -> [Check] {
        refresh()
        let all = try records.checks(
            tenant: context.tenant, table: request.table, uuid: uuid)
        guard !all.isEmpty else {
            throw QualityError(
                .noSuchCheck, "no checks are declared for \(request.table)",
                hint: "CREATE CHECK name ON \(request.table) USING not_null WITH (column = 'c')")
        }
        if request.names.isEmpty { return all }
        return try request.names.map { name in
            guard let check = all.first(where: { $0.name == name.lowercased() }) else {
                throw QualityError(
                    .noSuchCheck, "\(request.table) has no check \(name)",
                    hint: nearestName(to: name, among: all.map(\.name)).map {
                        "did you mean \($0)?"
                    })
            }
            return check
        }
    }

    private func outcome(
        _ context: RequestContext, _ request: AuditRequest, _ check: Check,
        _ finding: Audit.Finding, total: Int64?, at moment: Int64, snapshotID: Int64?
    ) -> CheckOutcome {
        var status = "passed"
        if finding.fault != nil {
            status = "error"
        } else if finding.failing ?? 0 > 0 {
            status = check.severity == .warn ? "warned" : "failed"
        }
        return CheckOutcome(
            runID: request.runID, atMicroseconds: moment, warehouse: request.reference.warehouse,
            reference: request.reference.reference, schema: request.table.schema,
            table: request.table.table, snapshotID: snapshotID, check: check.name,
            kind: check.kind.rawValue, severity: check.severity.rawValue, status: status,
            failingRows: finding.failing, totalRows: total,
            message: finding.fault ?? finding.message, samples: finding.samplesJSON,
            elapsedMilliseconds: finding.milliseconds, requestedBy: context.principal.name)
    }

    /// Brings the rows that fail checks of severity `fail` into quarantine. Where they leave the table,
    /// their checks hold for what is left.
    private func quarantine(
        _ request: AuditRequest, _ audit: Audit, _ state: Audit.State, _ report: inout AuditReport,
        _ checks: [Check], total: Int64?, uuid: String
    ) throws -> Int64 {
        let chosen = zip(checks, report.outcomes).filter { check, outcome in
            check.rule.isRowLevel && check.severity == .fail && outcome.status != "error"
        }
        guard !chosen.isEmpty else { return 0 }
        let wasDone = try records.results(
            tenant: audit.context.tenant, runID: request.runID, limit: 1)
        // An earlier try of the same step may have moved rows and then been cut off.
        guard chosen.contains(where: { $0.1.status == "failed" }) || !wasDone.isEmpty else {
            return 0
        }
        let work = Quarantine(
            audit: audit, state: state, mode: request.quarantine,
            name: request.quarantineTable ?? request.table.table + "__quarantine",
            step: request.stepID,
            source: TableKey(uuid: uuid, path: Self.path(request.table)))
        let count = try work.run(chosen.map(\.0), total: total)
        if request.quarantine == .move {
            let names = Set(chosen.map(\.0.name))
            for index in report.outcomes.indices
            where names.contains(report.outcomes[index].check)
                && report.outcomes[index].status == "failed"
            {
                report.outcomes[index].status = "quarantined"
            }
        }
        return count
    }

    // MARK: Names and rights

    /// The table without the reference of its catalog's name.
    private static func plain(_ table: TableName) -> TableName {
        TableName(
            catalog: CatalogReference(parsing: table.catalog).warehouse, schema: table.schema,
            table: table.table)
    }

    private func maySee(_ context: RequestContext, _ table: TableName) -> Bool {
        quiet.decide(context, .tableSelect, resource(context, table)).isAllowed
    }

    private func resource(_ context: RequestContext, _ table: TableName) -> Resource {
        Resource(tenant: context.tenant, kind: .table, path: Self.path(table))
    }
}
