import Authority
import JSON
import Jobs
import Platform
import Quality
import SQLEngine
import SQLPlanning
import TableCatalog

/// The branches that a pipeline's run works on, made when its first step asks.
struct RunBranches {
    let catalog: Catalog

    /// The references of a run; made with the rights of the pipeline's owner, if they are not there yet.
    func open(_ context: RequestContext, _ branch: RunBranch) throws -> [CatalogReference] {
        try catalog.createReferences(
            context,
            warehouses(context, branch).map {
                CatalogReference(warehouse: $0, reference: branch.name)
            },
            mayExist: true
        ).map(\.at)
    }

    /// Whether the branch is there in all warehouses that it names, or in one where it names none: a
    /// warehouse may be younger than the run. Whoever asks.
    func isThere(_ branch: RunBranch) throws -> Bool {
        let context = Appliance.systemContext
        guard !branch.warehouses.isEmpty else { return try !isGone(context, branch) }
        return try branch.warehouses.allSatisfy { try has(context, branch, in: $0) }
    }

    /// Whether the branch is there in none of its warehouses.
    func isGone(_ context: RequestContext, _ branch: RunBranch) throws -> Bool {
        try !warehouses(context, branch).contains { try has(context, branch, in: $0) }
    }

    private func warehouses(_ context: RequestContext, _ branch: RunBranch) throws -> [String] {
        branch.warehouses.isEmpty
            ? try catalog.listWarehouses(context).map(\.name) : branch.warehouses
    }

    private func has(
        _ context: RequestContext, _ branch: RunBranch, in warehouse: String
    ) throws -> Bool {
        try catalog.references(context, warehouse: warehouse).contains {
            $0.at.reference == branch.name
        }
    }

    /// By warehouse: the branch that its plain name means in the run; empty for runs without one.
    func names(_ context: RequestContext, _ branch: RunBranch?) throws -> [String: String] {
        guard let branch else { return [:] }
        return Dictionary(
            try open(context, branch).map { ($0.warehouse, $0.reference) }
        ) { first, _ in first }
    }
}

/// Steps of kind `check`: a gate. A check of severity `fail` that fails is the step's failure.
///
///     with:
///       table: silver.banking.transactions     # or tables: [...]
///       checks: [known_currencies]             # only these; default all
///       quarantine: move                       # none (default), copy, move
///       quarantine-table: bad_transactions     # default <table>__quarantine
struct CheckStep: JobHandler {
    let checks: TableChecks
    let branches: RunBranches

    private static let options = ["table", "tables", "checks", "quarantine", "quarantine-table"]

    func problem(with options: JSONValue) -> OptionProblem? {
        guard case .object(let object) = options else {
            return OptionProblem(path: "", message: "a mapping with table is wanted")
        }
        if let problem = StepOptions.unknown(in: object, known: Self.options) { return problem }
        if case .string(let text)? = object["quarantine"], !text.contains("${"),
            QuarantineMode(rawValue: text) == nil
        {
            return OptionProblem(
                path: "quarantine", message: "not a way of quarantine: \(text)",
                hint: "none, copy or move")
        }
        let names = StepOptions.texts(object["table"]) + StepOptions.texts(object["tables"])
        guard !names.isEmpty else {
            return OptionProblem(path: "table", message: "the table is missing")
        }
        for name in names where !name.contains("${") && CheckFile.tableName(name) == nil {
            return OptionProblem(
                path: "table", message: "a table is named warehouse.namespace.table, not \(name)")
        }
        return nil
    }

    func run(_ step: StepRun) throws -> StepResult {
        let options = step.options.cursor
        let object = try options.object()
        let references = try branches.names(step.context, step.branch)
        var sentences: [String] = []
        var red: [String] = []
        var total: Int64 = 0
        for text in StepOptions.texts(object["table"]) + StepOptions.texts(object["tables"]) {
            guard let table = CheckFile.tableName(text) else {
                throw JobError(.invalidParameter, "not a table's name: \(text)")
            }
            let at = CatalogReference(parsing: table.catalog)
            var request = AuditRequest(
                table: TableName(
                    catalog: at.warehouse, schema: table.schema, table: table.table),
                reference: at.reference == "main"
                    ? CatalogReference(
                        warehouse: at.warehouse, reference: references[at.warehouse] ?? "main")
                    : at,
                runID: step.runID)
            request.stepID = step.stepID
            request.branches = references
            request.names = StepOptions.texts(object["checks"])
            request.quarantine =
                QuarantineMode(rawValue: try options["quarantine"].optionalString() ?? "none")
                ?? .none
            request.quarantineTable = try options["quarantine-table"].optionalString()
            let report = try checks.audit(step.context, request)
            for outcome in report.outcomes {
                step.log(
                    "\(text): \(outcome.check) (\(outcome.severity)): \(outcome.status): "
                        + outcome.message)
            }
            total += report.outcomes.first?.totalRows ?? 0
            sentences.append("\(text): \(report.sentence)")
            if !report.isGreen {
                red.append(
                    "\(text): "
                        + report.failures.map { "\($0.check) (\($0.message))" }
                        .joined(separator: ", "))
            }
        }
        guard red.isEmpty else {
            throw QualityError(
                .gateRed, "the gate is red: \(red.joined(separator: "; "))",
                hint: step.branch.map { "look at the rows on branch \($0.name)" })
        }
        return StepResult(message: sentences.joined(separator: "; "), rows: total)
    }

    /// Bad rows stay bad: trying again is of no use, unless a check could not be run.
    func isPermanent(_ error: any Error) -> Bool {
        if error is AccessDenied { return true }
        guard let fault = error as? QualityError else { return false }
        return fault.code != .countsDiffer && fault.code != .tableChanged
    }
}
