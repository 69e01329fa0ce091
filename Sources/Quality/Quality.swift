// Quality: what must hold of a table's rows, and what happens when it does not.
//
//     checks/*.yml, CREATE CHECK ─▶ CheckRule (parsed, validated) ─▶ quality.sqlite: checks
//     RUN CHECKS, CLI, a pipeline's step ─▶ Audit
//         1. the table's columns and snapshot, so that all of it looks at one state
//         2. one query for all row-level checks: each rule is a condition that a bad row meets
//         3. a query each for what needs groups or another table's figures
//         4. a sample of bad rows of each check that found some
//     ─▶ CheckOutcome ─▶ quality.sqlite: results ─▶ system.quality.quality_results
//     Quarantine: bad rows go to `<table>__quarantine` with their reasons, copied or moved
//
// Everything is SQL that the engine runs with the rights of whoever asks: a check can show nobody a row
// that they may not see, and who looks at results later sees rows only of tables of which they see all. A
// check that SQL declares is about the table, which it follows to other names, and about whatever has the
// name then, as policies are, until that has its own; one of a file is about the name. Nobody drops or
// replaces the check of a table by way of another that took its name.
//
// What is in quarantine has the policies of the table that it came from (`lakehouse.quarantine-of`), and
// leaves that table by the place it had there (`_origin`): what is bad is found out once.
//
// Rules say when a row is bad; NULL is not bad but for `not_null`. With `move` the rows of the table before
// are those after and those in quarantine, which is verified; of rows with one key that must be unique,
// the one that was there before stays. A red gate is an error of its step, and what needs the step is not
// done: a run on a branch is not published.
