package import Authority
import Iceberg
import SQLEngine
package import SQLPlanning
package import TableCatalog

/// A table that the checks of a run have looked at.
package struct GatedTable: Sendable {
    /// The table, by its warehouse without a reference.
    package var table: TableName
    package var reference: CatalogReference
    /// The checks, by name.
    package var names: [String]
    /// The state that was looked at last; nil: a table without one.
    package var snapshotID: Int64?
    /// Whether bad rows have left it after that.
    package var wasMoved: Bool
    /// The other tables that the checks read; nil: nobody can say which.
    package var reads: [TableName]?
}

extension TableChecks {
    /// What the checks of a run have looked at, by table.
    package func gate(_ context: RequestContext, runID: String) throws -> [GatedTable] {
        var found: [GatedTable] = []
        // The newest first: what they say of the state holds.
        for kept in try records.results(
            tenant: context.tenant, runID: runID, limit: QualityLimits.listedResults)
        {
            let outcome = kept.outcome
            let table = TableName(
                catalog: outcome.warehouse, schema: outcome.schema, table: outcome.table)
            let reference = CatalogReference(
                warehouse: outcome.warehouse, reference: outcome.reference)
            var place = found.firstIndex { $0.table == table && $0.reference == reference }
            if place == nil {
                place = found.count
                found.append(
                    GatedTable(
                        table: table, reference: reference, names: [],
                        snapshotID: outcome.snapshotID, wasMoved: false, reads: []))
            }
            guard let place else { continue }
            if !found[place].names.contains(outcome.check) {
                found[place].names.append(outcome.check)
            }
            if outcome.status == "quarantined", outcome.snapshotID == found[place].snapshotID {
                found[place].wasMoved = true
            }
            if let reads = kept.reads {
                found[place].reads?.append(contentsOf: reads.map(\.name))
            } else {
                found[place].reads = nil
            }
        }
        for place in found.indices {
            let uuid = try catalog.tableUUID(
                context, found[place].reference, Self.identifier(found[place].table))
            let checks = try records.checks(
                tenant: context.tenant, table: found[place].table, uuid: uuid)
            for name in found[place].names {
                if let others = checks.first(where: { $0.name == name })?.comparedTables {
                    found[place].reads?.append(contentsOf: others)
                } else {
                    found[place].reads = nil
                }
            }
        }
        return found.reversed()
    }

    /// Whether a table is another than its checks have looked at.
    package func hasChanged(_ context: RequestContext, _ gated: GatedTable) throws -> Bool {
        if try gated.wasMoved || isGone(context, gated) { return false }
        let present = try catalog.loadTable(
            context, gated.reference, Self.identifier(gated.table)
        ).metadata.currentSnapshot?.snapshotID
        return present != gated.snapshotID
    }

    /// Whether the run has dropped a table after it was looked at.
    private func isGone(_ context: RequestContext, _ gated: GatedTable) throws -> Bool {
        try catalog.tableUUID(context, gated.reference, Self.identifier(gated.table)) == nil
    }

    /// Runs the checks of a gate again, over the tables as they are now; throws `.gateRed` where one of
    /// severity `fail` fails. Nothing goes to quarantine.
    package func require(
        _ context: RequestContext, _ gate: [GatedTable], runID: String,
        branches: [String: String], log: (String) -> Void
    ) throws {
        var red: [String] = []
        for gated in gate where try !isGone(context, gated) {
            var request = AuditRequest(
                table: gated.table, reference: gated.reference, runID: runID)
            request.names = gated.names.sorted()
            request.branches = branches
            let report = try audit(context, request)
            for outcome in report.outcomes {
                log(
                    "\(gated.table): \(outcome.check) (\(outcome.severity)): \(outcome.status): "
                        + outcome.message)
            }
            red += report.failures.map { "\(gated.table): \($0.check) (\($0.message))" }
        }
        guard red.isEmpty else {
            throw QualityError(
                .gateRed,
                "nothing was published: the gate is red over what would be on main: "
                    + red.joined(separator: "; "),
                hint: "look at the rows on \(gate.first?.reference.description ?? "the branch")")
        }
    }
}

extension Check {
    /// The tables that it compares with, as its options name them; nil: nobody can say which. What a query
    /// of people's own reads is noted when it runs.
    fileprivate var comparedTables: [TableName]? {
        if let filter, Self.mayRead(filter) { return nil }
        switch rule {
        case .relationships(_, let table, _): return CheckFile.tableName(table).map { [$0] }
        case .condition(let text): return Self.mayRead(text) ? nil : []
        default: return []
        }
    }

    /// Whether there may be a subquery in a condition.
    private static func mayRead(_ text: String) -> Bool {
        let text = text.lowercased()
        return text.contains("select") || text.contains("table")
    }
}
