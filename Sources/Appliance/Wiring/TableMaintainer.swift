import Authority
import Iceberg
import Jobs
import Platform
import SQLEngine
import SQLFunctions
import SQLSyntax
import Synchronization
import TableCatalog

/// What is to be maintained, and how.
struct MaintenanceRequest: Sendable {
    /// Named as in SQL; empty: every table on main whose name does not begin with `_`.
    var tables: [(at: CatalogReference, identifier: TableIdentifier)] = []
    /// Instead of the policy's.
    var operations: [MaintenancePolicy.Operation]?
    /// Instead of the policy's.
    var retention: String?
    var isDryRun = false
    var runID: String
}

/// What came of it.
struct MaintenanceSummary: Sendable {
    var tables = 0
    var operations = 0
    var failures: [String] = []

    var sentence: String {
        let done = "\(operations) operations on \(tables) tables"
        return failures.isEmpty ? done : "\(done), \(failures.count) failed"
    }
}

/// Maintains tables by their policies, with the same statements that people use. What fails is logged and
/// does not keep the rest from being done.
final class TableMaintainer: Sendable {
    private let catalog: Catalog
    private let engine: QueryEngine
    private let clock: any WallClock
    private let scheduler = Mutex<JobScheduler?>(nil)

    init(catalog: Catalog, engine: QueryEngine, clock: any WallClock) {
        self.catalog = catalog
        self.engine = engine
        self.clock = clock
    }

    /// Lets it ask which branches runs still work on; before, no branch is dropped.
    func attach(_ jobs: JobScheduler) { scheduler.withLock { $0 = jobs } }

    /// Orphans are older than this, whatever a policy says: a client's writer may be at work that long
    /// before it commits.
    static let leastOrphanAge = MaintenanceDuration(milliseconds: 86_400_000, text: "1d")

    func run(
        _ context: RequestContext, _ request: MaintenanceRequest,
        log: (String) -> Void
    ) throws -> MaintenanceSummary {
        var summary = MaintenanceSummary()
        let isEverything = request.tables.isEmpty
        let tables = isEverything ? try allTables(context) : request.tables
        for (at, identifier) in tables {
            guard !context.cancellation.isCancelled else { break }
            let name = "\(at).\(identifier)"
            do {
                let policy = try catalog.maintenancePolicy(context, at, identifier)
                // Somebody who names a table means it.
                guard policy.isEnabled || !isEverything else { continue }
                summary.tables += 1
                for operation in request.operations ?? policy.operations {
                    guard !context.cancellation.isCancelled else { break }
                    summary.operations += 1
                    let failure = perform(operation, policy, at, identifier, context, request)
                    log("\(name): \(operation.rawValue): \(failure ?? "done")")
                    if let failure {
                        summary.failures.append("\(name): \(operation.rawValue): \(failure)")
                    }
                }
            } catch {
                let message = Self.text(of: error)
                log("\(name): \(message)")
                summary.failures.append("\(name): \(message)")
                try note("policy", at, identifier, message, isFailure: true, context, request)
            }
        }
        if isEverything { try expireBranches(context, request, &summary, log) }
        return summary
    }

    /// Does one operation; what went wrong, or nil.
    private func perform(
        _ operation: MaintenancePolicy.Operation, _ policy: MaintenancePolicy,
        _ at: CatalogReference, _ identifier: TableIdentifier, _ context: RequestContext,
        _ request: MaintenanceRequest
    ) -> String? {
        let retention = request.retention ?? policy.retention
        var arguments: [String] = []
        switch operation {
        case .optimize:
            arguments.append(
                "file_size_threshold => \(SQLFormatter.quoted(string: policy.fileSizeThreshold))")
        case .optimizeManifests: break
        case .expireSnapshots:
            arguments.append("retention_threshold => \(SQLFormatter.quoted(string: retention))")
            if let count = policy.retainLast { arguments.append("retain_last => \(count)") }
        case .removeOrphanFiles:
            let asked = MaintenanceDuration(retention)?.milliseconds ?? 0
            let age =
                asked < Self.leastOrphanAge.milliseconds ? Self.leastOrphanAge.text : retention
            arguments.append("retention_threshold => \(SQLFormatter.quoted(string: age))")
        }
        if request.isDryRun { arguments.append("dry_run => true") }
        let names = ["\(at)", identifier.namespace.joined(separator: "."), identifier.name]
        let sql =
            "ALTER TABLE \(names.map { SQLFormatter.quoted(name: $0) }.joined(separator: ".")) "
            + "EXECUTE \(operation.rawValue)"
            + (arguments.isEmpty ? "" : "(\(arguments.joined(separator: ", ")))")
        var session = QuerySession(catalog: at.warehouse)
        session.source = "maintenance"
        session.commitProperties = ["lakehouse.run-id": request.runID]
        // The policy is what decides here; it stands for the operator's will.
        for name in ["expire_snapshots_min_retention", "remove_orphan_files_min_retention"] {
            session.properties["\(at.warehouse).\(name)"] = "0s"
        }
        do {
            _ = try engine.run(sql, session: session, context: context)
            return nil
        } catch {
            let message = error.message
            // What failed before the operation began has left no trace of its own.
            let own = try? catalog.maintenance.records(context, runID: request.runID, limit: 50)
            let isLogged =
                own?.contains {
                    $0.operation == operation.rawValue && $0.at == at
                        && $0.namespace == identifier.namespace && $0.table == identifier.name
                        && $0.outcome == .failed
                } ?? false
            if !isLogged {
                try? note(
                    operation.rawValue, at, identifier, message, isFailure: true, context, request)
            }
            return message
        }
    }

    /// Drops the branches that failed runs left, as old as the warehouse's policy says.
    private func expireBranches(
        _ context: RequestContext, _ request: MaintenanceRequest,
        _ summary: inout MaintenanceSummary, _ log: (String) -> Void
    ) throws {
        guard let jobs = scheduler.withLock({ $0 }) else { return }
        for warehouse in try catalog.listWarehouses(context) {
            let at = CatalogReference(warehouse: warehouse.name)
            do {
                let policy = try catalog.maintenancePolicy(context, warehouse: warehouse.name)
                guard policy.isEnabled else { continue }
                let age = MaintenanceDuration(request.retention ?? policy.retention)
                // Before the branches are listed: a run that begins later has a new one.
                let used = try jobs.branchesInUse()
                let (dropped, failures) = try catalog.expireRunBranches(
                    context, warehouse: warehouse.name,
                    olderThanMicroseconds: clock.now().microseconds
                        - (age?.milliseconds ?? 0) * 1000,
                    isDryRun: request.isDryRun, isNeeded: used.contains)
                if dropped.isEmpty, failures.isEmpty { continue }
                summary.operations += 1
                summary.failures += failures.map { "\(warehouse.name): \($0)" }
                var message = "dropped: \(dropped.joined(separator: ", "))"
                if !failures.isEmpty {
                    message += "; not dropped: \(failures.joined(separator: "; "))"
                }
                log("\(warehouse.name): expire_run_branches: \(message)")
                try note(
                    "expire_run_branches", at, nil, message, isFailure: !failures.isEmpty, context,
                    request)
            } catch {
                let message = Self.text(of: error)
                log("\(warehouse.name): expire_run_branches: \(message)")
                summary.failures.append("\(warehouse.name): \(message)")
                try note(
                    "expire_run_branches", at, nil, message, isFailure: true, context, request)
            }
        }
    }

    private func note(
        _ operation: String, _ at: CatalogReference, _ identifier: TableIdentifier?,
        _ message: String, isFailure: Bool, _ context: RequestContext,
        _ request: MaintenanceRequest
    ) throws {
        let now = clock.now().microseconds
        var record = MaintenanceRecord(
            runID: request.runID, operation: operation, at: at,
            namespace: identifier?.namespace ?? [], table: identifier?.name ?? "",
            startedMicroseconds: now, isDryRun: request.isDryRun,
            requestedBy: context.principal.name)
        record.endedMicroseconds = now
        record.outcome = isFailure ? .failed : .finished
        record.message = message
        try catalog.maintenance.begin(context, &record)
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let error as CatalogError: error.message
        case let error as QueryFault: error.message
        default: "\(error)"
        }
    }

    /// Every table on every warehouse's main, by name.
    private func allTables(
        _ context: RequestContext
    ) throws -> [(at: CatalogReference, identifier: TableIdentifier)] {
        var found: [(at: CatalogReference, identifier: TableIdentifier)] = []
        for warehouse in try catalog.listWarehouses(context) {
            let at = CatalogReference(warehouse: warehouse.name)
            var open: [[String]] = [[]]
            while let parent = open.popLast() {
                let children = try catalog.listNamespaces(context, at, parent: parent).elements
                open += children.reversed()
                if parent.isEmpty { continue }
                for table in try catalog.listTables(context, at, parent).elements
                where !table.name.hasPrefix("_") { found.append((at, table)) }
            }
        }
        return found
    }
}
