import Authority
import Diagnostics
import JSON

/// Runs a query.
struct QueryTool: AgentTool {
    let sql: any AgentSQL
    let name = "query"
    let title = "Query"
    let description =
        "Runs one SELECT (also SHOW, DESCRIBE, EXPLAIN) in Trino's dialect as you and gives its rows. "
        + "Statements that change anything are refused."
    let parameters = [
        AgentParameter(
            name: "sql", type: "string", description: "One statement.", isRequired: true),
        AgentParameter(
            name: "catalog", type: "string", description: "For names without a catalog."),
        AgentParameter(name: "schema", type: "string", description: "For names without a schema."),
        AgentParameter(
            name: "limit", type: "integer",
            description:
                "How many rows at the most: \(Limits.defaultRows) unless told, up to \(Limits.mostRows)."
        ),
    ]

    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue {
        let text = try arguments.requiredText("sql")
        var limit = Limits.defaultRows
        if arguments["limit"].isPresent {
            guard let wanted = try? arguments["limit"].int(), wanted >= 1 else {
                throw AgentFault(.badArgument, "limit has to be a whole number above 0")
            }
            limit = min(wanted, Limits.mostRows)
        }
        try ReadOnlySQL.check(text)
        let found = try sql.run(
            context, text, catalog: try arguments.optionalText("catalog"),
            schema: try arguments.optionalText("schema"), limits: AgentLimits(rows: limit))
        return .object([
            (
                "columns",
                .array(
                    found.columns.map {
                        .object([("name", .string($0.name)), ("type", .string($0.type))])
                    })
            ),
            ("rows", .array(found.rows.map { .array($0) })),
            ("rowCount", .int(found.rows.count)), ("isTruncated", .bool(found.isTruncated)),
            ("queryId", .string(found.queryID)),
        ])
    }
}

/// Answers a question in words.
struct AskTool: AgentTool {
    let ask: any AgentAsk
    let name = "ask"
    let title = "Ask"
    let description =
        "Answers a question in plain words over the certified metrics: the reading, the SQL, rows, and "
        + "the tables and snapshot behind them. It refuses what it cannot read. A question that goes on "
        + "from an answer (and the week before?) comes with that answer's frame as previous; of several "
        + "readings, one is chosen by sending its frame back."
    let parameters = [
        AgentParameter(
            name: "question", type: "string",
            description: "Such as: which regions saw a fraud rate above 5 % last week?",
            isRequired: true),
        AgentParameter(
            name: "previous", type: "object",
            description: "The member frame of the answer that the question goes on from."),
        AgentParameter(
            name: "frame", type: "object",
            description: "The frame of a reading that was offered, to answer just that one."),
    ]

    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue {
        let question = try arguments.requiredText("question")
        guard question.utf8.count <= Limits.questionBytes else {
            throw AgentFault(
                .badArgument, "a question has at most \(Limits.questionBytes) bytes")
        }
        return try ask.ask(
            context, question: question, previous: try arguments.optionalObject("previous"),
            frame: try arguments.optionalObject("frame"))
    }
}

/// Where a table comes from.
struct LineageTool: AgentTool {
    let lineage: any AgentLineage
    let name = "lineage"
    let title = "Lineage"
    let description =
        "The tables that a table was made from, as its commits tell: who wrote which snapshot, by "
        + "which run or statement, reading what."
    let parameters = [
        AgentParameter(
            name: "table", type: "string", description: "The full name: catalog.schema.table.",
            isRequired: true)
    ]

    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue {
        try lineage.upstream(
            context, table: try TableReference(try arguments.requiredText("table")).name)
    }
}
