import SQLSyntax

/// Whether a statement only reads, by its syntax tree: a text that looks harmless may not be.
///
/// Only what is known to read passes. EXPLAIN ANALYZE runs its statement, so it passes with one that
/// reads; EXPLAIN runs nothing and may show any plan. Prepared statements are refused as such: the text
/// that EXECUTE runs is not in front of us. CALL runs procedures.
enum ReadOnlySQL {
    /// Throws unless the text is one statement that reads.
    static func check(_ text: String) throws(AgentFault) {
        let statement: Statement
        do throws(SQLSyntaxError) { statement = try SQLParser.statement(text) } catch {
            throw AgentFault(.syntax, error.message, hint: error.hint)
        }
        guard reads(statement) else {
            let words = text.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
            throw AgentFault(
                .readOnly, "this door only reads; refused: \(words.prefix(60))",
                hint: "write a SELECT; changes are made by people and pipelines")
        }
    }

    static func reads(_ statement: Statement) -> Bool {
        switch statement.kind {
        case .query, .showCatalogs, .showSchemas, .showTables, .showColumns, .showCreate,
            .showFunctions, .showSession, .showStats, .showBranches, .showRoles,
            .describeOutputQuery:
            true
        case .model(let model):
            switch model {
            case .show, .describe: true
            case .create, .drop: false
            }
        case .check(let check):
            if case .list = check { true } else { false }
        case .policy(let policy):
            switch policy {
            case .showRowFilters, .showMasks, .showTags, .showEffectiveAccess: true
            default: false
            }
        case .explain(let inner, _): explains(inner)
        case .explainAnalyze(let inner, _): reads(inner)
        default: false
        }
    }

    /// EXPLAIN shows the plan of a query or a change; it must not hold another statement that runs.
    private static func explains(_ statement: Statement) -> Bool {
        switch statement.kind {
        case .insert, .delete, .update, .merge, .createTableAsSelect: true
        default: reads(statement)
        }
    }
}
