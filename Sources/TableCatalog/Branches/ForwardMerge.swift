package import Authority
import Iceberg
import JSON
import SQLite

// What was looked at on a branch is true of its parent after the merge when nothing happened there since:
// the parent then takes the branch's states as they are. Otherwise the branch takes in what happened,
// somebody looks at the combined state, and tries again.

/// What of the parent must be as the branch has it, besides the tables that the branch changed.
package enum ReliedTables: Sendable, Hashable {
    case some(Set<TableIdentifier>)
    /// All of the warehouse.
    case everything
}

/// What came of a merge that combines nothing.
package enum ForwardMerge: Sendable {
    case merged([MergeReport])
    /// Nothing was merged: these tables are not what they were when the branch began.
    case behind([String])
}

extension Catalog {
    /// Brings branches onto their parents if these are where the branches began: in all tables that a
    /// branch changed, and in those that are relied on. All in one transaction, or nothing.
    package func mergeForward(
        _ context: RequestContext, _ branches: [(at: CatalogReference, relied: ReliedTables)],
        deletes: Bool = false
    ) throws -> ForwardMerge {
        for (at, _) in branches {
            try authorizer.require(context, .warehouseUse, resource(context, at, []))
            if deletes {
                try authorizer.require(context, .warehouseBranch, resource(context, at, []))
            }
        }
        let section = pins.beginSection()
        defer { pins.endSection(section) }
        for _ in 1...Limits.mergeAttempts {
            var plans: [MergePlan] = []
            var behind: [String] = []
            for (at, relied) in branches {
                var plan = try mergePlan(context, at, into: "")
                let moved = try database.read { tx -> [TableIdentifier] in
                    plan.relied = try watched(tx, context, plan, relied)
                    let chain = try chain(tx, context, plan.target)
                    return try overtaken(tx, context, at, chain, plan.relied)
                }
                plans.append(plan)
                behind += moved.map { "\(at.warehouse).\($0)" }
            }
            guard behind.isEmpty else { return .behind(behind) }
            try requireMergeable(context, plans)
            do {
                return .merged(try perform(context, plans, deletes: deletes))
            } catch is StaleMerge { continue }
        }
        return .behind([])
    }

    /// What the merge of a plan relies on.
    private func watched(
        _ tx: ReadTransaction, _ context: RequestContext, _ plan: MergePlan, _ relied: ReliedTables
    ) throws -> Set<TableIdentifier> {
        switch relied {
        case .some(let tables): return tables.union(plan.rows.map(\.identifier))
        case .everything:
            // What happened on the parent left a row here.
            return Set(
                try tx.query(
                    "SELECT path, name FROM pointers WHERE tenant = ? AND warehouse = ? AND ref = ?",
                    context.tenant, plan.source.warehouse, plan.source.reference
                ) { TableIdentifier(namespace: $0.string(0).levels, name: $0.string(1)) })
        }
    }

    /// Takes into branches what happened on their parents since they began: tables that both changed are
    /// combined there as a merge would, and everything else is as the parent has it. Afterwards the
    /// branches begin where their parents are. Throws `.mergeConflict` where changes do not go together.
    package func catchUp(_ context: RequestContext, _ branches: [CatalogReference]) throws {
        for at in branches {
            guard at.reference != "main" else {
                throw CatalogError(
                    code: .invalidRequest, message: "main is nobody's branch: \(at)",
                    hint: "name a branch, such as \(at.warehouse)@etl")
            }
            try authorizer.require(context, .warehouseBranch, resource(context, at, []))
        }
        let section = pins.beginSection()
        defer { pins.endSection(section) }
        var attempt = 1
        while true {
            let plans = try branches.map { try mergePlan(context, $0, into: "") }
            try requireMergeable(context, plans)
            do { return try performCatchUp(context, plans) } catch is StaleMerge
                where attempt < Limits.mergeAttempts
            {
                attempt += 1
            } catch is StaleMerge {
                throw CatalogError(
                    code: .commitConflict,
                    message: "the tables changed \(attempt) times while they were being combined",
                    hint: "try again when fewer write to them")
            }
        }
    }

    private func performCatchUp(_ context: RequestContext, _ plans: [MergePlan]) throws {
        let keys = plans.flatMap { plan in
            plan.rows.flatMap { row in
                [plan.target, plan.source].map { lockKey(context, $0, row.identifier) }
            }
        }
        try serialized(keys) {
            var written: [String] = []
            var combined: [[Int: PreparedPointer]] = []
            do {
                for plan in plans { combined.append(try combine(context, plan, &written)) }
                try database.write { tx in
                    try dropSettled(tx)
                    for (plan, prepared) in zip(plans, combined) {
                        try takeIn(tx, context, plan, prepared)
                    }
                }
                writeObjects(of: combined.flatMap { $0.values })
            } catch {
                // The transaction failed as a whole: nothing points at the files.
                manifests.discard(written)
                throw error
            }
        }
    }

    private func takeIn(
        _ tx: WriteTransaction, _ context: RequestContext, _ plan: MergePlan,
        _ combined: [Int: PreparedPointer]
    ) throws {
        let source = plan.source
        guard try changedRows(tx, context, source) == plan.rows,
            try changedNamespaces(tx, context, source) == plan.namespaces
        else { throw StaleMerge() }
        let chain = try chain(tx, context, plan.target)
        for (row, present, _) in plan.steps {
            let pointer = try findPointer(tx, context, plan.target, chain, row.identifier)
            guard pointer?.metadataLocation == present else { throw StaleMerge() }
        }
        for (row, present, _) in plan.namespaceSteps {
            let found = try findNamespace(tx, context, plan.target, chain, row.levels)
            guard found.map({ encodeProperties($0.properties) }) == present else {
                throw StaleMerge()
            }
        }
        try handDown(tx, context, source)
        for (index, entry) in plan.steps.enumerated() {
            let identifier = entry.row.identifier
            if case .combine = entry.step {
                guard let prepared = combined[index] else { throw StaleMerge() }
                try journal(tx, prepared)
                try put(tx, context, source, prepared.pointer)
                try tx.run(
                    """
                    UPDATE pointers SET base_location = ?
                    WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? AND folded = ?
                    """, entry.present, context.tenant, source.warehouse, source.reference,
                    identifier.namespace.folded, identifier.name.lowercased())
                try record(
                    tx, context, source, kind: "catalog.table.committed",
                    namespace: identifier.namespace, name: identifier.name,
                    details: [
                        ("uuid", .string(prepared.pointer.uuid)),
                        ("metadataLocation", .string(prepared.pointer.metadataLocation)),
                        ("mergedFrom", .string(plan.target.reference)),
                    ])
            } else if entry.present == entry.row.location {
                try tx.run(
                    """
                    DELETE FROM pointers
                    WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? AND folded = ?
                    """, context.tenant, source.warehouse, source.reference,
                    identifier.namespace.folded, identifier.name.lowercased())
            }
        }
        for (row, present, _) in plan.namespaceSteps where present == row.properties {
            try tx.run(
                """
                DELETE FROM namespaces
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND folded = ?
                """, context.tenant, source.warehouse, source.reference, row.levels.folded)
        }
        // What the branch did not change is what the parent has now.
        try tx.run(
            """
            DELETE FROM pointers WHERE tenant = ? AND warehouse = ? AND ref = ?
                AND CASE WHEN is_dropped THEN NULL ELSE metadata_location END IS base_location
            """, context.tenant, source.warehouse, source.reference)
        try tx.run(
            """
            DELETE FROM namespaces WHERE tenant = ? AND warehouse = ? AND ref = ?
                AND CASE WHEN is_dropped THEN NULL ELSE properties END IS base_properties
            """, context.tenant, source.warehouse, source.reference)
    }
}
