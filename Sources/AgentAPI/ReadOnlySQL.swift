import SQLSyntax

/// The rule of this door: one statement that only reads.
enum ReadOnlySQL {
    /// Throws unless the text is one statement that reads.
    static func check(_ text: String) throws(AgentFault) {
        let statement: Statement
        do throws(SQLSyntaxError) { statement = try SQLParser.statement(text) } catch {
            throw AgentFault(.syntax, error.message, hint: error.hint)
        }
        guard statement.onlyReads else {
            let words = text.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
            throw AgentFault(
                .readOnly, "this door only reads; refused: \(words.prefix(60))",
                hint: "write a SELECT; changes are made by people and pipelines")
        }
    }
}
