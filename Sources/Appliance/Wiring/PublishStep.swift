import Authority
import JSON
import Jobs
import Quality
import SQLEngine
import SQLPlanning
import TableCatalog

/// Steps of kind `publish`: merge the run's branch, all warehouses and tables in one transaction.
///
/// What the run's checks have looked at is what is published. When main has moved since the branch began,
/// the branch takes that in, the checks run again over the combined state, and main takes it only if it
/// has not moved once more. A run without checks combines both sides' changes.
struct PublishStep: JobHandler {
    let catalog: Catalog
    let checks: TableChecks
    let branches: RunBranches

    /// How often the checks look at a combined state.
    static let rounds = 5
    /// The mark of a step that has begun to combine: what the branch holds may be unchecked.
    private static let combined = "combined"

    func problem(with options: JSONValue) -> OptionProblem? {
        guard case .object(let object) = options, let name = object.names.first else { return nil }
        return OptionProblem(path: name, message: "a publishing step has no options: \(name)")
    }

    func run(_ step: StepRun) throws -> StepResult {
        guard let branch = step.branch else {
            throw JobError(.wrongState, "the pipeline has no branch to publish")
        }
        // After a merge that an interrupted try has done there is nothing left.
        if step.attempt > 1, try branches.isGone(step.context, branch) {
            return StepResult(message: "\(branch.name) was published by an earlier try")
        }
        let references = try branches.open(step.context, branch)
        let gate = try checks.gate(step.context, runID: step.runID)
        let reports =
            gate.isEmpty
            ? try catalog.merge(step.context, references, deletes: true)
            : try publish(step, branch, references, gate)
        let changes = reports.flatMap { report in
            report.changes.filter { $0.entry != "namespace" && $0.outcome != .same }.map {
                (report.target.warehouse, $0)
            }
        }
        var rows: Int64 = 0
        for (warehouse, change) in changes {
            let delta = (change.rowCount ?? 0) - (change.baseRowCount ?? 0)
            rows += abs(delta)
            step.log(
                "\(warehouse).\(change.subject): \(change.change.rawValue), \(delta) rows, "
                    + change.outcome.rawValue)
        }
        return StepResult(message: "\(branch.name): \(changes.count) tables published", rows: rows)
    }

    private func publish(
        _ step: StepRun, _ branch: RunBranch, _ references: [CatalogReference],
        _ gate: [GatedTable]
    ) throws -> [MergeReport] {
        let names = Dictionary(references.map { ($0.warehouse, $0.reference) }) { first, _ in
            first
        }
        let merging = references.map { (at: $0, relied: relied(gate, at: $0)) }
        var isUnchecked = try wasCombined(step)
        if !isUnchecked {
            isUnchecked = try gate.contains { try checks.hasChanged(step.context, $0) }
        }
        return try Self.publish(
            branch.name, isUnchecked: isUnchecked,
            check: {
                try checks.require(
                    step.context, gate, runID: step.runID, branches: names, log: step.log)
            },
            merge: { try catalog.mergeForward(step.context, merging, deletes: true) },
            catchUp: { tables in
                step.log(
                    "main has moved (\(tables.joined(separator: ", "))): \(branch.name) takes that in"
                )
                _ = try step.once(Self.combined) { 0 }
                try catalog.catchUp(step.context, references)
            })
    }

    /// Merges what was checked: as often as main has moved, it is taken in and checked again.
    static func publish(
        _ branch: String, isUnchecked: Bool, check: () throws -> Void,
        merge: () throws -> ForwardMerge, catchUp: (_ moved: [String]) throws -> Void
    ) throws -> [MergeReport] {
        if isUnchecked { try check() }
        for _ in 1...rounds {
            switch try merge() {
            case .merged(let reports): return reports
            case .behind(let tables):
                try catchUp(tables)
                try check()
            }
        }
        if case .merged(let reports) = try merge() { return reports }
        throw QualityError(
            .mainMoved,
            "main moved too often: others wrote to the tables that were checked, \(rounds) times while "
                + "the checks ran; nothing was published",
            hint: "publish again when fewer write to them; branch \(branch) is kept")
    }

    /// The tables of a branch that the checks have looked at.
    private func relied(_ gate: [GatedTable], at: CatalogReference) -> ReliedTables {
        var tables: Set<TableIdentifier> = []
        for gated in gate {
            guard let reads = gated.reads else { return .everything }
            for name in [gated.table] + reads where name.catalog == at.warehouse {
                tables.insert(
                    TableIdentifier(
                        namespace: name.schema.split(separator: ".").map(String.init),
                        name: name.table))
            }
        }
        return .some(tables)
    }

    /// Whether an earlier try has begun to combine.
    private func wasCombined(_ step: StepRun) throws -> Bool {
        struct NotYet: Error {}
        do {
            _ = try step.once(Self.combined) { throw NotYet() }
            return true
        } catch is NotYet { return false }
    }

    func isPermanent(_ error: any Error) -> Bool {
        if let fault = error as? QualityError { return fault.code != .mainMoved }
        return error is AccessDenied || (error as? CatalogError)?.code == .mergeConflict
    }
}
