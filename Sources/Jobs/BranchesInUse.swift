import SQLite

extension JobScheduler {
    /// The branches of runs that are not over: maintenance leaves them alone, however old they are.
    package func branchesInUse() throws -> Set<String> {
        let values = try records.read { tx in
            try tx.query("SELECT run_values FROM runs WHERE state IN ('queued', 'running')") {
                try decodeMap($0.string(0))
            }
        }
        return Set(values.compactMap { RunBranch(values: $0)?.name })
    }
}
