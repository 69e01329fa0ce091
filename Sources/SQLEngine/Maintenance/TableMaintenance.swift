import Authority
import Diagnostics
import Iceberg
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// ALTER TABLE … EXECUTE of what keeps a table in shape: Trino's procedures, arguments and metrics, and
/// `dry_run` for all of them. Every one leaves a row in `system.maintenance.log`.
extension StatementRun {
    /// Holds back files that are written from now on from the removal of orphans.
    func beginWriting() {
        guard let catalog = catalogs.catalog else { return }
        writing = catalog.pins.beginWriting(atMicroseconds: engine.clock.now().microseconds)
    }

    func maintain(
        _ table: IcebergTable, _ operation: MaintenancePolicy.Operation,
        _ arguments: [FunctionCall.Argument], _ filter: Expression?
    ) throws(QueryFault) -> StatementOutcome {
        let parameters: [String] =
            switch operation {
            case .optimize: ["file_size_threshold", "dry_run"]
            case .optimizeManifests: ["dry_run"]
            case .expireSnapshots:
                [
                    "retention_threshold", "retain_last", "clean_expired_metadata", "older_than",
                    "dry_run",
                ]
            case .removeOrphanFiles: ["retention_threshold", "older_than", "dry_run"]
            }
        let given = try ProcedureArguments(
            arguments, parameters, of: operation.rawValue, in: self)
        let isDryRun = try given.flag("dry_run") ?? false
        switch operation {
        case .optimize:
            var threshold: Int64 = 100 << 20
            if let text = try given.text("file_size_threshold") {
                threshold = try TableProperties.bytes(text)
            }
            let bytes = threshold
            try require(.tableInsert, on: table.name)
            return try logged(operation, table, isDryRun) { () throws(QueryFault) in
                try self.optimize(table, threshold: bytes, filter, isDryRun: isDryRun)
            }
        case .optimizeManifests:
            try require(.tableInsert, on: table.name)
            return try logged(operation, table, isDryRun) { () throws(QueryFault) in
                try self.optimizeManifests(table, isDryRun)
            }
        case .expireSnapshots:
            try require(.tableAlter, on: table.name)
            let limit = try limit(given, table, "expire", "expire_snapshots")
            var request = ExpiryRequest(
                olderThanMilliseconds: limit.milliseconds,
                retainLast: try given.count("retain_last"), isDryRun: isDryRun,
                graceMilliseconds: limit.grace)
            request.ownPin = table.pin
            request.cleansDefinitions = try given.flag("clean_expired_metadata") ?? false
            let wanted = request
            return try logged(operation, table, isDryRun) { () throws(QueryFault) in
                try self.expireSnapshots(table, wanted)
            }
        case .removeOrphanFiles:
            try require(.tableAlter, on: table.name)
            let limit = try limit(given, table, "remove_orphan", "remove_orphan_files")
            let (micros, overflow) = limit.milliseconds.multipliedReportingOverflow(by: 1000)
            let request = OrphanRequest(
                olderThanMicroseconds: overflow ? .min : micros, isDryRun: isDryRun,
                graceMilliseconds: limit.grace)
            return try logged(operation, table, isDryRun) { () throws(QueryFault) in
                try self.removeOrphanFiles(table, request)
            }
        }
    }

    /// What a maintenance did: the metrics, and a sentence for the log.
    typealias Maintained = (metrics: [(name: String, value: Int64)], message: String)

    // MARK: Operations

    private func optimizeManifests(
        _ table: IcebergTable, _ isDryRun: Bool
    ) throws(QueryFault) -> Maintained {
        let catalog = try catalog()
        let done = try changing("\(table.name)") {
            try catalog.optimizeManifests(
                context, table.reference, table.identifier, isDryRun: isDryRun,
                summary: commitSummary(rows: nil))
        }
        return (
            [
                ("rewritten_manifests_count", Int64(done.rewritten)),
                ("added_manifests_count", Int64(done.added)),
                ("kept_manifests_count", Int64(done.kept)),
                ("processed_entries_count", Int64(done.processedEntries)),
            ], "\(done.rewritten) manifests became \(done.added)"
        )
    }

    private func expireSnapshots(
        _ table: IcebergTable, _ request: ExpiryRequest
    ) throws(QueryFault) -> Maintained {
        let catalog = try catalog()
        let report = try changing("\(table.name)") {
            try catalog.expireSnapshots(context, table.reference, table.identifier, request)
        }
        var message =
            "\(report.expired.snapshotIDs.count) snapshots expired, \(report.deletedCount) files "
            + "with \(report.deletedBytes) bytes deleted"
        if !report.expired.references.isEmpty {
            message += "; gone: \(report.expired.references.joined(separator: ", "))"
        }
        if let reason = report.keptBecause { message += "; files stay, since \(reason)" }
        return (
            [
                ("deleted_data_files_count", Int64(report.count(.data))),
                (
                    "deleted_position_delete_files_count",
                    Int64(report.count(.positionDeletes))
                ),
                (
                    "deleted_equality_delete_files_count",
                    Int64(report.count(.equalityDeletes))
                ),
                ("deleted_manifest_files_count", Int64(report.count(.manifest))),
                ("deleted_manifest_lists_count", Int64(report.count(.manifestList))),
                ("deleted_statistics_files_count", Int64(report.count(.statistics))),
                ("deleted_bytes", report.deletedBytes),
                ("expired_snapshots_count", Int64(report.expired.snapshotIDs.count)),
                ("expired_references_count", Int64(report.expired.references.count)),
            ], message
        )
    }

    private func removeOrphanFiles(
        _ table: IcebergTable, _ request: OrphanRequest
    ) throws(QueryFault) -> Maintained {
        let catalog = try catalog()
        let report = try changing("\(table.name)") {
            try catalog.removeOrphanFiles(context, table.reference, table.identifier, request)
        }
        var message = "\(report.deletedFiles) files with \(report.deletedBytes) bytes deleted"
        if let reason = report.keptBecause { message += "; files stay, since \(reason)" }
        if !report.examples.isEmpty {
            let names = report.examples.prefix(3).joined(separator: ", ")
            message += ": \(names)\(report.deletedFiles > 3 ? ", …" : "")"
        }
        return (
            [
                ("processed_manifests_count", Int64(report.processedManifests)),
                ("active_files_count", Int64(report.activeFiles)),
                ("scanned_files_count", Int64(report.scannedFiles)),
                ("deleted_files_count", Int64(report.deletedFiles)),
                ("deleted_bytes", report.deletedBytes),
            ], message
        )
    }

    // MARK: Limits in time

    /// The moment before which things may go, and for how long states stay that somebody may have loaded.
    ///
    /// Throws INVALID_PROCEDURE_ARGUMENT for a retention that is shorter than the session's
    /// `…_min_retention`, which is 7d.
    private func limit(
        _ given: ProcedureArguments, _ table: IcebergTable, _ word: String, _ procedure: String
    ) throws(QueryFault) -> (milliseconds: Int64, grace: Int64) {
        let now = engine.clock.now().milliseconds
        let property = "\(procedure)_min_retention"
        let warehouse = CatalogReference(parsing: table.name.catalog).warehouse
        let session = query.session.properties
        let setting =
            session["\(table.name.catalog).\(property)"]
            ?? session["\(warehouse).\(property)"]
        let configured = MaintenanceDuration(engine.configuration.minimumRetention)
        let minimum =
            setting.flatMap { MaintenanceDuration($0) } ?? configured
            ?? Self.defaultRetention
        let wanted: MaintenanceDuration
        let moment: Int64
        if given.isGiven("older_than") {
            guard !given.isGiven("retention_threshold"),
                let microseconds = try given.moment("older_than", in: self)
            else {
                throw QueryFault(
                    .invalidProcedureArgument,
                    "older_than and retention_threshold exclude each other")
            }
            moment = microseconds / 1000
            let seconds = Double(max(0, now - moment)) / 1000
            wanted = MaintenanceDuration("\(Int64(seconds))s") ?? Self.defaultRetention
        } else {
            wanted = try given.duration("retention_threshold") ?? Self.defaultRetention
            moment = now - wanted.milliseconds
        }
        guard now - moment >= minimum.milliseconds else {
            throw QueryFault(
                .invalidProcedureArgument,
                "Retention specified (\(wanted.text)) is shorter than the minimum retention "
                    + "configured in the system (\(minimum.text)). Minimum retention can be changed "
                    + "with maintenance.min-retention configuration property or "
                    + "\(warehouse).\(property) session property",
                hint: "what is newer may be in use by clients that the server does not see")
        }
        return (moment, min(Self.graceMilliseconds, max(0, now - moment)))
    }

    /// Seven days.
    private static var defaultRetention: MaintenanceDuration {
        MaintenanceDuration(milliseconds: 7 * 86_400_000, text: "7.00d")
    }

    /// As long as vended credentials live: whoever loaded the table before has to load it again.
    private static let graceMilliseconds: Int64 = 3_600_000

    // MARK: The log

    private func logged(
        _ operation: MaintenancePolicy.Operation, _ table: IcebergTable, _ isDryRun: Bool,
        _ body: () throws(QueryFault) -> Maintained
    ) throws(QueryFault) -> StatementOutcome {
        let catalog = try catalog()
        var record = MaintenanceRecord(
            runID: query.session.commitProperties["lakehouse.run-id"] ?? query.id,
            operation: operation.rawValue, at: table.reference,
            namespace: table.identifier.namespace, table: table.identifier.name,
            startedMicroseconds: engine.clock.now().microseconds, isDryRun: isDryRun,
            requestedBy: context.principal.name)
        try changing("\(table.name)") {
            record.before = try catalog.footprint(context, table.reference, table.identifier)
            try catalog.maintenance.begin(context, &record)
        }
        do throws(QueryFault) {
            let done = try body()
            record.outcome = .finished
            record.message = done.message
            try changing("\(table.name)") {
                record.after = try catalog.footprint(context, table.reference, table.identifier)
            }
            try end(&record, catalog)
            return .rows(
                [
                    QueryColumn(name: "metric_name", type: .text),
                    QueryColumn(name: "metric_value", type: .bigint),
                ], done.metrics.map { [.text($0.name), .integer($0.value)] })
        } catch {
            record.outcome = .failed
            record.message = error.message
            try end(&record, catalog)
            throw error
        }
    }

    private func end(
        _ record: inout MaintenanceRecord, _ catalog: Catalog
    ) throws(QueryFault) {
        record.endedMicroseconds = engine.clock.now().microseconds
        let ended = record
        try changing("the log of maintenance") { try catalog.maintenance.end(ended) }
    }
}
