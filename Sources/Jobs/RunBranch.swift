package import Authority
import SQLite

/// The branch that a run works on: write, audit, publish.
///
///     branch: true                 # every warehouse; or a list: [silver, gold]
///     steps: … a step of kind check …, a step of kind publish
///
/// All steps of the run read and write the branch, and nobody else sees any of it before the step of kind
/// `publish` has merged it. A run that fails leaves its branch, for people to look at.
package struct RunBranch: Sendable, Hashable {
    /// `run_` and the beginning of the run's id.
    package var name: String
    /// The warehouses that are branched; empty: all.
    package var warehouses: [String]

    /// Whether the branch is there in every warehouse that the run branches.
    package typealias Lookup = @Sendable (RequestContext, RunBranch) throws -> Bool

    static let nameKey = "run.branch"
    static let warehousesKey = "run.branch.warehouses"

    /// What a run's values say; nil for runs that work where everybody does.
    init?(values: [String: String]) {
        guard let name = values[Self.nameKey] else { return nil }
        self.name = name
        let list = values[Self.warehousesKey] ?? ""
        warehouses = list.split(separator: ",").map(String.init)
    }

    /// Adds what the steps of a new run need to know.
    static func add(_ warehouses: [String]?, runID: String, to values: inout [String: String]) {
        guard let warehouses else { return }
        values[nameKey] = "run_" + runID.lowercased().filter { $0 != "-" }.prefix(16)
        values[warehousesKey] = warehouses.joined(separator: ",")
    }
}

extension JobScheduler {
    /// Refuses to begin a run again whose finished work went with its branch: what comes next would work
    /// on a new branch without it, and publish that.
    func requireBranch(_ context: RequestContext, of id: String) throws {
        let values = try records.read { tx in
            try tx.first("SELECT run_values FROM runs WHERE id = ?", id, row: { $0.string(0) })
        }
        guard let branch = try values.flatMap({ RunBranch(values: try decodeMap($0)) }) else {
            return
        }
        let done = try records.read { tx in
            try tx.number(
                """
                SELECT (SELECT count(*) FROM steps WHERE run_id = ? AND state = 'succeeded')
                    + (SELECT count(*) FROM progress WHERE run_id = ?)
                """, id, id)
        }
        guard done ?? 0 > 0, try !branchIsThere(context, branch) else { return }
        throw JobError(
            .wrongState,
            "the run's branch \(branch.name) is not there any more, and the work of its finished "
                + "steps went with it", hint: "start a new run of the pipeline")
    }
}
