import JSON
import SQLEngine
import SQLFunctions
import SQLPlanning
import TableCatalog

/// Looks at a check before it is kept: whether the columns are there, with types that do, and whether the
/// SQL in its options can be planned. Nothing is read but names and types.
struct CheckTrial {
    let check: Check
    let at: CatalogReference
    let query: QueryRun

    /// Throws a `CheckRefusal` with the option that is wrong. A table that whoever declares the check may
    /// not read, or that is still in an open transaction, is not looked at.
    func run() throws {
        var session = QuerySession(catalog: at.description, schema: check.table.schema)
        session.source = "checks"
        let name = CheckSQL.name(at, check.table.schema, check.table.table)
        let columns: [QueryColumn]
        do {
            columns = try query("SELECT * FROM \(name) LIMIT 0", session).columns
        } catch is QueryFault { return }
        let sql = CheckSQL(
            at: at, schema: check.table.schema, table: check.table.table, snapshotID: nil,
            columns: columns)
        do {
            // Columns first: a message about them says more than one about a query.
            for column in check.rule.columns { _ = try sql.column(column) }
            for question in try sql.questions(check) {
                _ = try query("EXPLAIN \(question)", session)
            }
            try sample(sql, session)
            try makeValues(sql, session)
            try compareBounds(sql, session)
        } catch let error as QualityError {
            throw error.refusal
        } catch let fault as QueryFault {
            throw CheckRefusal(
                fault.code, "\(option): \(Self.withoutPlace(fault.message))", hint: fault.hint,
                place: .option(option))
        }
    }

    /// A query of people's own is also asked for the rows that it finds.
    private func sample(_ sql: CheckSQL, _ session: QuerySession) throws {
        guard case .customQuery(let text) = check.rule else { return }
        let columns = try query(sql.everything(of: text), session).columns
        if let sample = try sql.sample(check, columns: columns) {
            _ = try query("EXPLAIN \(sample)", session)
        }
    }

    /// Values and bounds have to be some of the column's type.
    private func makeValues(_ sql: CheckSQL, _ session: QuerySession) throws {
        var literals: [String] = []
        switch check.rule {
        case .acceptedValues(let column, let values):
            for value in values { literals.append(try sql.literal(value, for: column)) }
        case .range(let column, let lower, let upper):
            for bound in [lower, upper] {
                if let bound { literals.append(try sql.literal(bound, for: column)) }
            }
        default: return
        }
        _ = try query("SELECT \(literals.joined(separator: ", "))", session)
    }

    /// Refuses a range whose bounds, as values of the column's type, stand the wrong way round.
    private func compareBounds(_ sql: CheckSQL, _ session: QuerySession) throws {
        guard case .range(let column, let lower?, let upper?) = check.rule else { return }
        let (least, most) = (
            try sql.literal(lower, for: column), try sql.literal(upper, for: column)
        )
        let answer = try query("SELECT CASE WHEN \(least) > \(most) THEN 1 END", session)
        if answer.rows.first?.first?.integer == 1 {
            throw QualityError.crossedBounds(check.kind, Self.words(lower), Self.words(upper))
        }
    }

    private static func words(_ bound: JSONValue) -> String {
        switch bound {
        case .string(let text): text
        case .number(let number): number.text
        default: ""
        }
    }

    /// The option whose SQL can be wrong.
    private var option: String {
        switch check.rule {
        case .customQuery, .reconcile: "sql"
        case .condition: "condition"
        case .relationships: "to"
        case .acceptedValues: "values"
        case .range: check.options["min"] == nil ? "max" : "min"
        default: check.filter == nil ? "column" : "where"
        }
    }

    /// The message without `line 1:23: `, which is a place in a query that nobody wrote.
    private static func withoutPlace(_ message: String) -> String {
        let parts = message.split(separator: ": ", maxSplits: 1)
        guard parts.count == 2, parts[0].hasPrefix("line ") else { return message }
        return String(parts[1])
    }
}

extension QualityError {
    /// The same as the statement's fault, at its option.
    var refusal: CheckRefusal {
        let code: QueryFault.Code =
            switch self.code {
            case .noSuchCheck: .notFound
            case .noSuchColumn: .columnNotFound
            case .alreadyExists: .alreadyExists
            case .invalidCheck, .gateRed, .countsDiffer, .tableChanged, .mainMoved:
                .invalidArguments
            }
        return CheckRefusal(
            code, message, hint: hint, place: option.map { .option($0) } ?? .kind)
    }
}
