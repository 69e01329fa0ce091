import SQLite

/// Finished parts of a step, in the database.
struct PartProgress: StepProgress {
    let database: Database
    let run: String
    let step: String

    func rows(ofDone part: String) throws -> Int64? {
        try database.read { tx in
            try tx.number(
                "SELECT rows FROM progress WHERE run_id = ? AND step_id = ? AND part = ?", run,
                step, part)
        }
    }

    func markDone(_ part: String, rows: Int64) throws {
        try database.writeGrouped { tx in
            _ = try tx.run(
                "INSERT OR IGNORE INTO progress (run_id, step_id, part, rows) VALUES (?, ?, ?, ?)",
                run, step, part, rows)
            // What is given up after several lost processes is a step that gets nowhere.
            _ = try tx.run(
                "UPDATE steps SET lost = 0 WHERE run_id = ? AND id = ? AND lost > 0", run, step)
        }
    }
}
