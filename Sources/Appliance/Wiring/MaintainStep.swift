import Authority
import JSON
import Jobs
import Quality
import SQLPlanning
import TableCatalog

/// Steps of kind `maintain`: tables by their policies.
///
///     with:
///       all: true                              # every table on main but _*, and branches of failed runs
///       table: silver.banking.transactions     # or tables: [...]
///       operations: [optimize, expire_snapshots]
///       retention: 3d
///       dry-run: false
struct MaintainStep: JobHandler {
    let maintainer: TableMaintainer

    private static let options = ["all", "table", "tables", "operations", "retention", "dry-run"]

    func problem(with options: JSONValue) -> OptionProblem? {
        guard case .object(let object) = options else {
            return OptionProblem(path: "", message: "a mapping with all or table is wanted")
        }
        if let problem = StepOptions.unknown(in: object, known: Self.options) { return problem }
        let names = StepOptions.texts(object["table"]) + StepOptions.texts(object["tables"])
        let isAll = object["all"] == .bool(true)
        guard isAll != !names.isEmpty else {
            return OptionProblem(
                path: "table", message: "either all: true or the tables are wanted")
        }
        for name in names where !name.contains("${") && CheckFile.tableName(name) == nil {
            return OptionProblem(
                path: "table", message: "a table is named warehouse.namespace.table, not \(name)")
        }
        for text in StepOptions.texts(object["operations"]) where !text.contains("${") {
            do throws(CatalogError) {
                _ = try MaintenancePolicy.operations(text, "operations")
            } catch {
                return OptionProblem(path: "operations", message: error.message, hint: error.hint)
            }
        }
        if case .string(let text)? = object["retention"], !text.contains("${"),
            MaintenanceDuration(text) == nil
        {
            return OptionProblem(
                path: "retention", message: "not a length of time: \(text)",
                hint: "write it as 7d or 36h")
        }
        return nil
    }

    func run(_ step: StepRun) throws -> StepResult {
        guard case .object(let object) = step.options else {
            throw JobError(.invalidParameter, "a mapping is wanted")
        }
        if let problem = problem(with: step.options) {
            throw JobError(.invalidParameter, "\(problem.path): \(problem.message)")
        }
        var request = MaintenanceRequest(runID: step.runID)
        for text in StepOptions.texts(object["table"]) + StepOptions.texts(object["tables"]) {
            guard let name = CheckFile.tableName(text) else {
                throw JobError(.invalidParameter, "not a table's name: \(text)")
            }
            request.tables.append(
                (
                    CatalogReference(parsing: name.catalog),
                    TableIdentifier(
                        namespace: name.schema.split(separator: ".").map(String.init),
                        name: name.table)
                ))
        }
        let operations = StepOptions.texts(object["operations"])
        if !operations.isEmpty {
            request.operations = try MaintenancePolicy.operations(
                operations.joined(separator: ","), "operations")
        }
        if case .string(let text)? = object["retention"] { request.retention = text }
        request.isDryRun = object["dry-run"] == .bool(true)
        let summary = try maintainer.run(step.context, request, log: step.log)
        guard summary.failures.isEmpty else {
            throw ApplianceError(
                .failed,
                "\(summary.sentence): \(summary.failures.prefix(5).joined(separator: "; "))",
                hint: "system.maintenance.log has all of them")
        }
        return StepResult(message: summary.sentence, rows: 0)
    }

    /// The next night tries again.
    func isPermanent(_ error: any Error) -> Bool { true }
}
