import Authority
import Iceberg
import SQLite

/// What a merge of one branch will do, worked out on states that the transaction compares again.
struct MergePlan {
    /// What happens to one name of the target.
    enum Step {
        /// The target takes the branch's pointer.
        case take(Pointer)
        case drop(Pointer)
        /// Both sides' changes, combined.
        case combine(ThreeWayMerge, ThreeWayMerge.Plan, onto: Pointer)
        case putNamespace(Namespace)
        case dropNamespace(Namespace)
        /// Nothing to do.
        case none
    }

    var source: CatalogReference
    var target: CatalogReference
    var rows: [BranchRow] = []
    var namespaces: [BranchNamespaceRow] = []
    /// By row: where the target's pointer was, and what is to be done.
    var steps: [(row: BranchRow, present: String?, step: Step)] = []
    var namespaceSteps: [(row: BranchNamespaceRow, present: String?, step: Step)] = []
    var changes: [BranchChange] = []
    /// Whether the source is a transaction's own reference.
    var isTransaction = false
    /// What must not have changed on the target since the branch began.
    var relied: Set<TableIdentifier> = []
    /// The rights that the changes need on the target.
    var actions: [(action: Action, identifier: TableIdentifier, kind: EntryKind)] = []

    var conflicts: [BranchChange] { changes.filter { $0.outcome == .conflict } }

    /// How messages call the source.
    var sourceName: String { isTransaction ? "the transaction" : source.reference }
}

extension Catalog {
    /// Works out a merge into the branch's parent; `target` says what the caller believes that to be,
    /// empty when the parent is meant, nil when only the difference is asked for.
    func mergePlan(
        _ context: RequestContext, _ at: CatalogReference, into target: String?,
        relied: Set<TableIdentifier> = []
    ) throws -> MergePlan {
        let (plan, sources) = try database.read { tx -> (MergePlan, [Sources]) in
            _ = try chain(tx, context, at)
            let reference = try requireReference(tx, context, at)
            guard reference.kind != .tag || target == nil else {
                throw CatalogError(
                    code: .invalidRequest, message: "\(at) is a tag, and only branches are merged",
                    hint: "create a branch from it")
            }
            guard let parent = reference.parent else {
                if target == nil { return (MergePlan(source: at, target: at), []) }
                throw CatalogError(
                    code: .invalidRequest, message: "main has nothing to be merged into: \(at)")
            }
            if let target, !target.isEmpty, target.lowercased() != parent {
                throw CatalogError(
                    code: .invalidRequest,
                    message:
                        "\(at) was made from \(parent), and is merged there, not into \(target)"
                )
            }
            let onto = CatalogReference(warehouse: at.warehouse, reference: parent)
            let chain = try chain(tx, context, onto)
            var plan = MergePlan(source: at, target: onto)
            plan.isTransaction = reference.kind == .transaction
            plan.relied = relied
            plan.rows = try changedRows(tx, context, at)
            plan.namespaces = try changedNamespaces(tx, context, at)
            for row in plan.namespaces {
                let present = try findNamespace(tx, context, onto, chain, row.levels)
                planNamespace(row, present, &plan)
            }
            for identifier in try overtaken(tx, context, at, chain, relied) {
                plan.changes.append(
                    BranchChange(
                        namespace: identifier.namespace, name: identifier.name, entry: "table",
                        change: .changed, outcome: .conflict,
                        reason: "it changed on \(parent) after \(plan.sourceName) read it"))
            }
            let own = try self.chain(tx, context, at)
            let sources = try plan.rows.map { row in
                Sources(
                    row: row,
                    ours: try findPointer(tx, context, onto, chain, row.identifier),
                    theirs: try findPointer(tx, context, at, own, row.identifier),
                    hasNamespace: try findNamespace(
                        tx, context, onto, chain, row.identifier.namespace) != nil)
            }
            return (plan, sources)
        }
        var full = plan
        for source in sources { try planRow(source, &full) }
        return full
    }

    /// A changed row with the pointers of both sides.
    private struct Sources {
        var row: BranchRow
        var ours: Pointer?
        var theirs: Pointer?
        var hasNamespace: Bool
    }

    private func planNamespace(
        _ row: BranchNamespaceRow, _ present: Namespace?, _ plan: inout MergePlan
    ) {
        let state = present.map { encodeProperties($0.properties) }
        var change = BranchChange(
            namespace: row.levels, name: "", entry: "namespace",
            change: row.properties == nil ? .dropped : row.base == nil ? .created : .changed,
            outcome: .forward)
        var step = MergePlan.Step.none
        if state == row.properties {
            change.outcome = .same
        } else if state == row.base, let text = row.properties {
            step = .putNamespace(
                Namespace(levels: row.levels, properties: (try? decodeProperties(text)) ?? [:]))
        } else if state == row.base, let present {
            step = .dropNamespace(present)
        } else {
            change.outcome = .conflict
            change.reason =
                state == nil
                ? "\(plan.target.reference) dropped it, \(plan.sourceName) changed it"
                : "it changed on \(plan.sourceName) and on \(plan.target.reference)"
        }
        plan.changes.append(change)
        plan.namespaceSteps.append((row, state, step))
    }

    private func planRow(_ source: Sources, _ plan: inout MergePlan) throws {
        let row = source.row
        let (our, their) = (plan.target.reference, plan.sourceName)
        var change = BranchChange(
            namespace: row.identifier.namespace, name: row.identifier.name,
            entry: row.kind.rawValue,
            change: row.location == nil ? .dropped : row.base == nil ? .created : .changed,
            outcome: .forward)
        var (base, theirs): (TableMetadata?, TableMetadata?)
        if row.kind == .table {
            // Without its first state a table can still be taken over as a whole.
            base = row.base.flatMap { try? metadata(at: $0).metadata }
            theirs = try row.location.map { try metadata(at: $0).metadata }
            change.baseSnapshotID = base?.headID
            change.snapshotID = theirs?.headID
            change.baseRowCount = row.base == nil ? 0 : base?.headRowCount
            change.rowCount = row.location == nil ? 0 : theirs?.headRowCount
        }
        let present = source.ours?.metadataLocation
        var step = MergePlan.Step.none
        func conflict(_ reason: String) {
            change.outcome = .conflict
            change.reason = reason
        }
        if present == row.location {
            change.outcome = .same
        } else if present == row.base {
            if let pointer = source.theirs, row.location != nil {
                step = .take(pointer)
                if !source.hasNamespace, !isCreated(row.identifier.namespace, plan) {
                    conflict("its namespace was dropped on \(our)")
                }
            } else if let pointer = source.ours {
                step = .drop(pointer)
            }
        } else if row.location == nil {
            conflict("\(their) dropped it, \(our) changed it")
        } else if source.ours == nil {
            conflict("\(our) dropped it, \(their) changed it")
        } else if row.base == nil {
            conflict("both \(their) and \(our) created it")
        } else if let base, let theirs, let pointer = source.ours, pointer.kind == .table {
            let merge = ThreeWayMerge(
                base: base, ours: try metadata(at: pointer.metadataLocation).metadata,
                theirs: theirs, ourName: our, theirName: their)
            do throws(MergeObstacle) {
                step = .combine(merge, try merge.plan(), onto: pointer)
                change.outcome = .combined
            } catch { conflict(error.reason) }
        } else {
            conflict("it changed on \(their) and on \(our)")
        }
        plan.changes.append(change)
        plan.steps.append((row, present, step))
        for action in Self.actions(change, base, theirs) {
            plan.actions.append((action, row.identifier, row.kind))
        }
    }

    private func isCreated(_ levels: [String], _ plan: MergePlan) -> Bool {
        plan.namespaceSteps.contains {
            if case .putNamespace = $0.step { $0.row.levels.folded == levels.folded } else { false }
        }
    }

    /// What a change does to the target, in the authorizer's words.
    private static func actions(
        _ change: BranchChange, _ base: TableMetadata?, _ theirs: TableMetadata?
    ) -> [Action] {
        if change.outcome == .same || change.outcome == .conflict { return [] }
        switch change.change {
        case .created: return [.tableCreate]
        case .dropped: return [.tableDrop]
        case .changed: break
        }
        guard let base, let theirs else { return [.tableAlter] }
        var actions: Set<Action> = []
        for snapshot in theirs.ancestors(of: theirs.headID)
            .prefix(while: { $0.snapshotID != base.headID })
        {
            switch snapshot.operation {
            case "append", "replace": actions.insert(.tableInsert)
            case "delete": actions.insert(.tableDelete)
            default: actions.insert(.tableUpdate)
            }
        }
        let isAltered =
            theirs.currentSchema != base.currentSchema || theirs.properties != base.properties
            || theirs.defaultSpecID != base.defaultSpecID
            || theirs.defaultSortOrderID != base.defaultSortOrderID || actions.isEmpty
        if isAltered { actions.insert(.tableAlter) }
        return actions.sorted { $0.rawValue < $1.rawValue }
    }
}
