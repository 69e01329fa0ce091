import SQLEngine
import SQLSyntax
import Vectors

/// What becomes of bad rows.
package enum QuarantineMode: String, Sendable, CaseIterable {
    /// They stay where they are.
    case none
    /// They are also written to the quarantine table; the table keeps them.
    case copy
    /// They leave the table for the quarantine table.
    case move
}

/// Brings bad rows, with the names of the checks that they fail, to a table beside theirs.
///
/// The quarantine table has the table's columns and `_run_id`, `_reasons`, `_quarantined_at`. Each of the
/// statements is recognisable by run and step, so that a step that is done again changes nothing twice.
struct Quarantine {
    let audit: Audit
    let state: Audit.State
    let mode: QuarantineMode
    /// The quarantine table's name, in the table's schema.
    let name: String
    let step: String

    static let ownColumns = ["_run_id", "_reasons", "_quarantined_at"]

    /// Writes the rows that `checks` find bad; how many there are in this run.
    func run(_ checks: [Check], total: Int64?) throws -> Int64 {
        let place = CheckSQL.name(audit.reference, audit.schema, name)
        try makeTable(place)
        let columns = state.sql.columns.map { SQLFormatter.quoted(name: $0.name) }
        let own = Self.ownColumns.map { SQLFormatter.quoted(name: $0) }
        let values = columns.map { "b.\($0)" }.joined(separator: ", ")
        _ = try audit.query(
            """
            INSERT INTO \(place) (\((columns + own).joined(separator: ", ")))
            SELECT \(values), CAST(\(CheckSQL.text(audit.runID)) AS varchar),
                CAST(b."_reasons" AS array(varchar)),
                CAST(current_timestamp AS timestamp(6) with time zone)
            FROM (\(try badRows(checks))) AS b
            """, session("insert"))
        let count =
            try audit.query(
                "SELECT count(*) FROM \(place) WHERE \"_run_id\" = \(CheckSQL.text(audit.runID))",
                audit.session()
            ).rows.first?.first?.integer ?? 0
        guard mode == .move, count > 0 else { return count }
        _ = try audit.query(
            """
            MERGE INTO \(state.sql.target) AS x
            USING (SELECT b."_path", b."_pos" FROM (\(try badRows(checks))) AS b) AS s
            ON x."$path" = s."_path" AND x."$pos" = s."_pos" WHEN MATCHED THEN DELETE
            """, session("remove"))
        let left =
            try audit.query("SELECT count(*) FROM \(state.sql.target)", audit.session())
            .rows.first?.first?.integer ?? 0
        // After a step that is done again the state has lost its bad rows already.
        if let total, left != total, left + count != total {
            throw QualityError(
                .countsDiffer,
                "\(state.sql.target) had \(total) rows; \(left) are left and \(count) are in quarantine",
                hint: "somebody else changed the table meanwhile: run the checks again")
        }
        return count
    }

    private func session(_ part: String) -> QuerySession {
        audit.session([
            "lakehouse.run-id": audit.runID,
            "lakehouse.step-id": "\(step)#\(part):\(audit.table)",
        ])
    }

    /// The bad rows with reasons and their places in the table.
    private func badRows(_ checks: [Check]) throws(QualityError) -> String {
        var flags: [String] = []
        var joins: [String] = []
        var reasons: [String] = []
        var ages: String?
        for (index, check) in checks.enumerated() {
            var found = try state.sql.condition(check, join: index)
            if found == nil {
                found = try state.sql.surplus(check)
                if found != nil { ages = state.sql.ages }
            }
            guard let bad = found else { continue }
            if let join = try state.sql.join(check, index) { joins.append(join) }
            flags.append("\(bad) AS \"_f\(index)\"")
            reasons.append("CASE WHEN \"_f\(index)\" THEN \(CheckSQL.text(check.name)) END")
        }
        let names = state.sql.columns.map { SQLFormatter.quoted(name: $0.name) }
        return """
            SELECT \(names.joined(separator: ", ")), "_path", "_pos", r AS "_reasons"
            FROM (SELECT \(names.joined(separator: ", ")), "_path", "_pos",
                    filter(ARRAY[\(reasons.joined(separator: ", "))], x -> x IS NOT NULL) AS r
                FROM (SELECT \(names.map { "t.\($0)" }.joined(separator: ", ")),
                        t."$path" AS "_path", t."$pos" AS "_pos", \(flags.joined(separator: ", "))
                    FROM \(state.sql.source) AS t \(ages ?? "") \(joins.joined(separator: " "))) AS flagged) AS rated
            WHERE cardinality(r) > 0
            """
    }

    /// Makes the table, or gives it the columns that the checked one has got since.
    private func makeTable(_ place: String) throws {
        let names = state.sql.columns.map { SQLFormatter.quoted(name: $0.name) }
        _ = try audit.query(
            """
            CREATE TABLE IF NOT EXISTS \(place) AS
            SELECT \(names.joined(separator: ", ")), CAST(NULL AS varchar) AS "_run_id",
                CAST(NULL AS array(varchar)) AS "_reasons",
                CAST(NULL AS timestamp(6) with time zone) AS "_quarantined_at"
            FROM \(state.sql.target) WITH NO DATA
            """, audit.session())
        let present = try audit.query("SELECT * FROM \(place) LIMIT 0", audit.session()).columns
        for column in state.sql.columns where !present.contains(where: { $0.name == column.name }) {
            _ = try audit.query(
                "ALTER TABLE \(place) ADD COLUMN \(SQLFormatter.quoted(name: column.name)) "
                    + "\(column.type)", audit.session())
        }
    }
}
