import SQLite

/// Finished parts of a step, in the database.
struct PartProgress: StepProgress {
    let database: Database
    let run: String
    let step: String

    func isDone(_ part: String) throws -> Bool {
        try database.read { tx in
            try tx.exists(
                "SELECT 1 FROM progress WHERE run_id = ? AND step_id = ? AND part = ?", run, step,
                part)
        }
    }

    func markDone(_ part: String) throws {
        try database.writeGrouped { tx in
            _ = try tx.run(
                "INSERT OR IGNORE INTO progress (run_id, step_id, part) VALUES (?, ?, ?)", run,
                step, part)
        }
    }
}
