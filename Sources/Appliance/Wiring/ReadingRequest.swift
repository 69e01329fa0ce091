import Dashboards
import SQLSyntax

extension QueryRequest {
    /// Throws `READ_ONLY_VIOLATION` for what changes something; what cannot be read as SQL is left to
    /// the engine, which says where.
    func requireReading() throws(QueryRunFault) {
        guard let statement = try? SQLParser.statement(sql), !statement.onlyReads else { return }
        throw QueryRunFault(
            code: .readOnly,
            message: "a page only reads, and this statement changes something: "
                + sql.split(whereSeparator: \.isWhitespace).prefix(3).joined(separator: " "),
            hint: "write a SELECT; changes are made in the SQL editor and by pipelines")
    }
}
