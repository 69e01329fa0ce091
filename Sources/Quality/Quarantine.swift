import Authority
import SQLEngine
import SQLFunctions
import SQLSyntax
import TableCatalog
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
/// The quarantine table has the table's columns and `_run_id`, `_reasons`, `_quarantined_at`, `_origin`. What is
/// bad is found out once: `_origin` names each row's place in the table, and what leaves the table is what has
/// its place in quarantine. Each of the statements is recognisable by run, step and the table's snapshot, so
/// that a step that is done again changes nothing twice.
struct Quarantine {
    let audit: Audit
    let state: Audit.State
    let mode: QuarantineMode
    /// The quarantine table's name, in the table's schema.
    let name: String
    let step: String
    /// The checked table as policies know it.
    let source: TableKey

    static let ownColumns = [
        (name: "_run_id", type: "varchar"), (name: "_reasons", type: "array(varchar)"),
        (name: "_quarantined_at", type: "timestamp(6) with time zone"),
        (name: "_origin", type: "varchar"),
    ]

    /// Writes the rows that `checks` find bad; how many there are in this run.
    func run(_ checks: [Check], total: Int64?) throws -> Int64 {
        let place = CheckSQL.name(audit.reference, audit.schema, name)
        try makeTable(place)
        let ofRun = "\"_run_id\" = \(CheckSQL.text(audit.runID))"
        let inserted = try insert(checks, place, ofRun)
        let count =
            try audit.query("SELECT count(*) FROM \(place) WHERE \(ofRun)", audit.session())
            .rows.first?.first?.integer ?? 0
        guard mode == .move, count > 0 else { return count }
        let removed =
            try audit.query(
                """
                MERGE INTO \(state.sql.target) AS x
                USING (SELECT DISTINCT "_origin" FROM \(place)
                    WHERE \(ofRun) AND "_origin" IS NOT NULL) AS s
                ON \(Self.origin("x.\"$path\"", "x.\"$pos\"")) = s."_origin"
                WHEN MATCHED THEN DELETE
                """, session("remove")
            ).updateCount ?? 0
        guard removed >= inserted else {
            // Nothing is in quarantine that is in the table too.
            if removed == 0, inserted == count {
                _ = try audit.query("DELETE FROM \(place) WHERE \(ofRun)", audit.session())
            }
            throw changed("\(removed) of \(inserted) bad rows have left it")
        }
        let left =
            try audit.query("SELECT count(*) FROM \(state.sql.target)", audit.session())
            .rows.first?.first?.integer ?? 0
        if let total, left != total - removed {
            throw QualityError(
                .countsDiffer,
                "\(state.sql.target) had \(total) rows; \(left) are left and \(removed) have gone to "
                    + "quarantine",
                hint: "somebody else changed the table meanwhile: run the checks again")
        }
        return count
    }

    /// Writes the bad rows that this run has not written yet; how many.
    private func insert(_ checks: [Check], _ place: String, _ ofRun: String) throws -> Int64 {
        let columns = state.sql.columns.map { SQLFormatter.quoted(name: $0.name) }
        let own = Self.ownColumns.map { SQLFormatter.quoted(name: $0.name) }
        let values = columns.map { "b.\($0)" }.joined(separator: ", ")
        let origin = Self.origin("b.\"_path\"", "b.\"_pos\"")
        do {
            return try audit.query(
                """
                INSERT INTO \(place) (\((columns + own).joined(separator: ", ")))
                SELECT \(values), CAST(\(CheckSQL.text(audit.runID)) AS varchar),
                    CAST(b."_reasons" AS array(varchar)),
                    CAST(current_timestamp AS timestamp(6) with time zone), \(origin)
                FROM (\(try badRows(checks))) AS b
                WHERE \(origin) NOT IN (SELECT "_origin" FROM \(place)
                    WHERE \(ofRun) AND "_origin" IS NOT NULL)
                """, session("insert")
            ).updateCount ?? 0
        } catch let fault as QueryFault where fault.message.contains(CheckSQL.goneMark) {
            throw changed("nothing was moved", fault)
        }
    }

    private func changed(_ what: String, _ cause: (any Error)? = nil) -> QualityError {
        QualityError(
            .tableChanged, "\(state.sql.target) was rewritten by somebody else meanwhile: \(what)",
            hint: "run the checks again", cause: cause)
    }

    /// A row's place: its file, by a digest that tells nothing of partitions, and its position there.
    private static func origin(_ path: String, _ position: String) -> String {
        "to_hex(md5(to_utf8(\(path)))) || ':' || CAST(\(position) AS varchar)"
    }

    private func session(_ part: String) -> QuerySession {
        let snapshot = state.present.map { "@\($0)" } ?? ""
        return audit.session([
            "lakehouse.run-id": audit.runID,
            "lakehouse.step-id": "\(step)#\(part):\(audit.table)\(snapshot)",
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

    /// Makes the table, or gives it the columns that the checked one has got since. The checked table's
    /// policies hold for it, whatever it is called.
    private func makeTable(_ place: String) throws {
        let names = state.sql.columns.map { SQLFormatter.quoted(name: $0.name) }
        let own = Self.ownColumns.map {
            "CAST(NULL AS \($0.type)) AS \(SQLFormatter.quoted(name: $0.name))"
        }
        let isOfSource = QuarantineSources.text(adding: source, to: nil).map(Self.properties) ?? ""
        _ = try audit.query(
            """
            CREATE TABLE IF NOT EXISTS \(place) WITH (\(isOfSource)) AS
            SELECT \((names + own).joined(separator: ", ")) FROM \(state.sql.target) WITH NO DATA
            """, audit.session())
        let listing = CheckSQL.name(audit.reference, audit.schema, name + "$properties")
        let present = try audit.query(
            "SELECT value FROM \(listing) WHERE key = \(CheckSQL.text(QuarantineSources.property))",
            audit.session()
        ).rows.first?.first?.text
        if let text = QuarantineSources.text(adding: source, to: present) {
            _ = try audit.query(
                "ALTER TABLE \(place) SET PROPERTIES \(Self.properties(text))", audit.session())
        }
        let columns = try audit.query("SELECT * FROM \(place) LIMIT 0", audit.session()).columns
        let wanted = state.sql.columns.map { (name: $0.name, type: "\($0.type)") }
        for column in wanted + Self.ownColumns
        where !columns.contains(where: { $0.name == column.name }) {
            _ = try audit.query(
                "ALTER TABLE \(place) ADD COLUMN \(SQLFormatter.quoted(name: column.name)) "
                    + "\(column.type)", audit.session())
        }
    }

    private static func properties(_ text: String) -> String {
        "extra_properties = MAP(ARRAY[\(CheckSQL.text(QuarantineSources.property))], "
            + "ARRAY[\(CheckSQL.text(text))])"
    }
}
