package import Authority
import Iceberg
import JSON
import SQLite

/// What a merge did, or would do.
package struct MergeReport: Sendable, Hashable {
    package var source: CatalogReference
    package var target: CatalogReference
    package var changes: [BranchChange]
    /// The target's commit; nil when there was nothing to merge, and for a dry run.
    package var commitID: Int64?

    /// The changes that do not go together with the target's.
    package var conflicts: [BranchChange] { changes.filter { $0.outcome == .conflict } }
}

extension Catalog {
    /// Brings a branch's changes onto its parent: all tables, views and namespaces in one transaction, or
    /// nothing. The branch then stands where its parent stands, or is gone with `deletes`.
    ///
    /// Throws `.mergeConflict`, which names each table and its reason. With `isDryRun` it only tells.
    package func merge(
        _ context: RequestContext, _ at: CatalogReference, into target: String? = nil,
        deletes: Bool = false, isDryRun: Bool = false
    ) throws -> MergeReport {
        try merge(context, [at], into: target ?? "", deletes: deletes, isDryRun: isDryRun)[0]
    }

    /// Merges branches of several warehouses in one transaction. An empty `target` is each one's parent.
    package func merge(
        _ context: RequestContext, _ branches: [CatalogReference], into target: String = "",
        deletes: Bool = false, isDryRun: Bool = false
    ) throws -> [MergeReport] {
        for at in branches {
            guard at.reference != "main" else {
                throw CatalogError(
                    code: .invalidRequest, message: "main is nobody's branch: \(at)",
                    hint: "name a branch, such as \(at.warehouse)@etl")
            }
            try authorizer.require(context, .warehouseUse, resource(context, at, []))
            if deletes {
                try authorizer.require(context, .warehouseBranch, resource(context, at, []))
            }
        }
        return try merge(
            context, branches.map { Merging(source: $0, target: target) }, deletes: deletes,
            isDryRun: isDryRun)
    }

    /// One branch of a merge, and where it goes.
    struct Merging {
        var source: CatalogReference
        var target: String
        /// What must not have changed on the target since the branch began.
        var relied: Set<TableIdentifier> = []
    }

    /// Merges without asking for rights on the references themselves.
    func merge(
        _ context: RequestContext, _ merging: [Merging], deletes: Bool, isDryRun: Bool = false
    ) throws -> [MergeReport] {
        let section = pins.beginSection()
        defer { pins.endSection(section) }
        var attempt = 1
        while true {
            let plans = try merging.map {
                try mergePlan(context, $0.source, into: $0.target, relied: $0.relied)
            }
            if isDryRun { return plans.map { report($0, nil) } }
            try requireMergeable(context, plans)
            do {
                return try perform(context, plans, deletes: deletes)
            } catch is StaleMerge where attempt < Limits.mergeAttempts {
                attempt += 1
            } catch is StaleMerge {
                throw CatalogError(
                    code: .commitConflict,
                    message: "the tables changed \(attempt) times while they were being merged",
                    hint: "merge again when fewer write to them")
            }
        }
    }

    /// A state moved between plan and transaction: the merge is planned again.
    struct StaleMerge: Error {}

    func requireMergeable(_ context: RequestContext, _ plans: [MergePlan]) throws {
        let conflicts = plans.flatMap { plan in
            plan.conflicts.map { "\(plan.target.warehouse).\($0.subject): \($0.reason ?? "")" }
        }
        if !conflicts.isEmpty {
            let (from, to) = (plans[0].source.reference, plans[0].target.reference)
            guard !plans[0].isTransaction else {
                throw CatalogError(
                    code: .mergeConflict,
                    message:
                        "the transaction conflicts with others: \(conflicts.joined(separator: "; "))",
                    hint: "nothing of it was kept; begin again and repeat its statements")
            }
            throw CatalogError(
                code: .mergeConflict,
                message:
                    "\(from) cannot be merged into \(to): \(conflicts.joined(separator: "; "))",
                hint: "nothing was merged; make a new branch from \(to) and do these again there")
        }
        for plan in plans {
            for (action, identifier, kind) in plan.actions {
                try authorizer.require(
                    context, action,
                    resource(
                        context, plan.target, identifier.namespace, identifier.name, kind: kind))
            }
            for (row, _, step) in plan.namespaceSteps {
                let action: Action
                switch step {
                case .putNamespace: action = row.base == nil ? .namespaceCreate : .namespaceAlter
                case .dropNamespace: action = .namespaceDrop
                default: continue
                }
                try authorizer.require(
                    context, action, resource(context, plan.target, row.levels))
            }
        }
    }

    private func report(_ plan: MergePlan, _ commitID: Int64?) -> MergeReport {
        MergeReport(
            source: plan.source, target: plan.target, changes: plan.changes, commitID: commitID)
    }

    func perform(
        _ context: RequestContext, _ plans: [MergePlan], deletes: Bool
    ) throws -> [MergeReport] {
        // Writers of the same tables wait, so that the plan is not overtaken again and again.
        let keys = plans.flatMap { plan in
            plan.rows.map { lockKey(context, plan.target, $0.identifier) }
        }
        return try serialized(keys) {
            var written: [String] = []
            var combined: [[Int: PreparedPointer]] = []
            do {
                for plan in plans {
                    combined.append(try combine(context, plan, &written))
                }
                let reports = try database.write { tx in
                    try dropSettled(tx)
                    return try zip(plans, combined).map { plan, prepared in
                        try apply(tx, context, plan, prepared, deletes: deletes)
                    }
                }
                writeObjects(of: combined.flatMap { $0.values })
                return reports
            } catch {
                // The transaction failed as a whole: nothing points at the files.
                manifests.discard(written)
                throw error
            }
        }
    }

    /// Works out the combined states, by the number of their step.
    func combine(
        _ context: RequestContext, _ plan: MergePlan, _ written: inout [String]
    ) throws -> [Int: PreparedPointer] {
        var prepared: [Int: PreparedPointer] = [:]
        for (index, entry) in plan.steps.enumerated() {
            guard case .combine(let merge, let steps, let pointer) = entry.step else { continue }
            do {
                let (metadata, paths) = try merge.apply(steps, snapshotProducer())
                written += paths
                let next = metadata.recordingPrevious(
                    merge.ours, metadataFile: pointer.metadataLocation)
                var entry = prepare(
                    next, pointer.identifier, kind: .table, version: pointer.version + 1, context)
                entry.pointer.owner = pointer.owner
                entry.expectedLocation = pointer.metadataLocation
                prepared[index] = entry
            } catch let obstacle as MergeObstacle {
                throw CatalogError(
                    code: .mergeConflict,
                    message:
                        "\(plan.sourceName) cannot be merged: \(pointer.identifier): \(obstacle.reason)"
                )
            }
        }
        return prepared
    }

    private func apply(
        _ tx: WriteTransaction, _ context: RequestContext, _ plan: MergePlan,
        _ combined: [Int: PreparedPointer], deletes: Bool
    ) throws -> MergeReport {
        let (source, target) = (plan.source, plan.target)
        guard try changedRows(tx, context, source) == plan.rows,
            try changedNamespaces(tx, context, source) == plan.namespaces
        else { throw StaleMerge() }
        let branch = try requireReference(tx, context, source)
        let chain = try chain(tx, context, target)
        guard try overtaken(tx, context, source, chain, plan.relied).isEmpty else {
            throw StaleMerge()
        }
        for (row, present, _) in plan.steps {
            let pointer = try findPointer(tx, context, target, chain, row.identifier)
            guard pointer?.metadataLocation == present else { throw StaleMerge() }
        }
        for (row, present, step) in plan.namespaceSteps {
            let found = try findNamespace(tx, context, target, chain, row.levels)
            guard found.map({ encodeProperties($0.properties) }) == present else {
                throw StaleMerge()
            }
            if case .putNamespace(let namespace) = step {
                try put(tx, context, target, namespace)
            }
        }
        for (index, entry) in plan.steps.enumerated() {
            try apply(tx, context, plan, entry.step, combined[index])
        }
        for (_, _, step) in plan.namespaceSteps.reversed() {
            if case .dropNamespace(let namespace) = step {
                try dropMerged(tx, context, plan, namespace)
            }
        }
        let merged = plan.changes.filter { $0.outcome != .same }
        if !merged.isEmpty {
            try record(
                tx, context, target,
                kind: plan.isTransaction
                    ? "catalog.transaction.committed" : "catalog.branch.merged",
                namespace: [], name: source.reference,
                details: [
                    ("from", .string(source.reference)),
                    ("tables", .array(merged.map { .string($0.subject) })),
                ])
        }
        let commitID = try requireReference(tx, context, target).commitID
        if deletes {
            try remove(tx, context, branch)
            if !plan.isTransaction {
                try emit(tx, context, source, "catalog.branch.deleted", [])
            }
        } else {
            try clear(tx, context, source)
            try tx.run(
                """
                UPDATE refs SET commit_id =
                    (SELECT commit_id FROM refs WHERE tenant = ?1 AND warehouse = ?2 AND name = ?3)
                WHERE tenant = ?1 AND warehouse = ?2 AND name = ?4
                """, context.tenant, source.warehouse, target.reference, source.reference)
        }
        return report(plan, merged.isEmpty ? nil : commitID)
    }

    private func apply(
        _ tx: WriteTransaction, _ context: RequestContext, _ plan: MergePlan,
        _ step: MergePlan.Step, _ combined: PreparedPointer?
    ) throws {
        let target = plan.target
        func note(_ kind: String, _ pointer: Pointer, _ snapshot: Snapshot? = nil) throws {
            try record(
                tx, context, target, kind: kind, namespace: pointer.identifier.namespace,
                name: pointer.identifier.name,
                details: [
                    ("uuid", .string(pointer.uuid)),
                    ("metadataLocation", .string(pointer.metadataLocation)),
                    ("mergedFrom", .string(plan.source.reference)),
                ] + Self.details(of: snapshot))
        }
        switch step {
        case .take(let pointer):
            try put(tx, context, target, pointer)
            try tx.run("DELETE FROM purges WHERE location = ?", pointer.location)
            guard plan.isTransaction else {
                try note("catalog.\(pointer.kind.rawValue).committed", pointer)
                break
            }
            let isNew = plan.steps.contains {
                $0.present == nil && $0.row.location == pointer.metadataLocation
            }
            try note(
                "catalog.\(pointer.kind.rawValue).\(isNew ? "created" : "committed")", pointer,
                pointer.kind == .table
                    ? try metadata(at: pointer.metadataLocation).metadata.currentSnapshot : nil)
        case .drop(let pointer):
            try remove(tx, context, target, pointer)
            if plan.isTransaction { try release(tx, context, plan, pointer) }
            try note("catalog.\(pointer.kind.rawValue).dropped", pointer)
        case .combine:
            guard let combined else { throw StaleMerge() }
            try journal(tx, combined)
            try put(tx, context, target, combined.pointer)
            try note("catalog.table.committed", combined.pointer)
        case .putNamespace, .dropNamespace, .none: break
        }
    }

    /// What becomes of the files of a table that a transaction dropped: as with DROP TABLE outside of one.
    /// A table that was only renamed keeps them.
    private func release(
        _ tx: WriteTransaction, _ context: RequestContext, _ plan: MergePlan, _ pointer: Pointer
    ) throws {
        let isTaken = plan.steps.contains {
            if case .take(let taken) = $0.step { taken.location == pointer.location } else { false }
        }
        if isTaken { return }
        let isTable = pointer.kind == .table
        let properties =
            isTable ? try? metadata(at: pointer.metadataLocation).metadata.properties : nil
        let days = try undropDays(
            tx, context, plan.target, pointer.identifier, properties ?? [:], .goLater)
        if isTable, days == 0 {
            try tx.run(
                "INSERT INTO purges (tenant, location, requested_us) VALUES (?, ?, ?)",
                context.tenant, pointer.location, tx.nowMicroseconds)
        } else {
            try keep(
                tx, context, plan.target, pointer, purges: isTable,
                days: isTable ? days : max(days, Limits.undropDays))
        }
    }

    /// Drops a namespace that the branch dropped, unless the target has put something into it.
    private func dropMerged(
        _ tx: WriteTransaction, _ context: RequestContext, _ plan: MergePlan,
        _ namespace: Namespace
    ) throws {
        let chain = try chain(tx, context, plan.target)
        if let inside = try firstInside(tx, context, plan.target, chain, namespace.levels) {
            throw CatalogError(
                code: .mergeConflict,
                message:
                    "\(plan.source) cannot be merged: it dropped the namespace "
                    + "\(namespace.levels.joined(separator: ".")), where \(plan.target.reference) has "
                    + inside)
        }
        try dropRow(tx, context, plan.target, chain, namespace)
    }
}
