import Dashboards
import Diagnostics
import HTTPMessages
import JSON

extension ConsolePages {
    /// `POST /api/v1/sql`: `{"sql": …, "catalog": …, "schema": …, "limit": …}` gives columns and
    /// rows.
    ///
    /// Numbers are JSON numbers where every reader keeps them (doubles, integers up to 2⁵³); larger
    /// integers, decimals, dates and timestamps are texts. An error has code, message, hint and
    /// place.
    func answerSQL(_ request: Request) -> Response {
        let visitor: ConsoleVisitor
        do throws(ConsoleRefusal) {
            guard let known = try doors.authenticator.authenticate(request, csrfToken: nil)
            else {
                return secured(
                    .json(401, error("request.no_credential", "log in, or send a bearer token")))
            }
            visitor = known
        } catch { return error.response }
        let body: JSONCursor
        do {
            let bytes = try request.body.readAll(limit: Limits.formBytes)
            body = try JSONValue(parsing: bytes, depthLimit: 8).cursor
        } catch let failure as JSONError {
            return secured(.json(400, error(failure.code.rawValue, failure.message)))
        } catch {
            return secured(.json(400, self.error("request.body", "the body cannot be read")))
        }
        let sql: String
        let catalog: String
        let schema: String
        let limit: Int
        do {
            sql = try body["sql"].string()
            catalog = try body["catalog"].optionalString() ?? ""
            schema = try body["schema"].optionalString() ?? ""
            limit = try body["limit"].optionalInt() ?? Limits.resultRows
        } catch {
            return secured(.json(400, self.error("request.body", "\(error)")))
        }
        guard (1...Limits.resultRows).contains(limit) else {
            return secured(
                .json(400, error("request.limit", "limit lies between 1 and \(Limits.resultRows)"))
            )
        }
        do throws(QueryRunFault) {
            let answer = try runSQL(
                visitor, sql, catalog, schema, limit: limit, source: source(request, visitor))
            return secured(.json(200, resultJSON(answer)))
        } catch {
            return secured(
                .json(error.code == .permissionDenied ? 403 : 400, faultJSON(error, sql: sql)))
        }
    }

    /// Who asks, for the ledger: the page in a browser, or a program by its name.
    private func source(_ request: Request, _ visitor: ConsoleVisitor) -> String {
        guard visitor.csrfToken == nil else { return "SQL page" }
        let program = request.fields["User-Agent"].flatMap { $0.split(separator: " ").first }
        return program.map { "api " + $0.prefix(80) } ?? "api"
    }

    private func secured(_ response: Response) -> Response {
        doors.authenticator.secured(response)
    }

    private func error(_ code: String, _ message: String) -> [UInt8] {
        JSONValue.object([
            ("error", .object([("code", .string(code)), ("message", .string(message))]))
        ]).encoded()
    }

    private func faultJSON(_ fault: QueryRunFault, sql: String) -> [UInt8] {
        var members: [(String, JSONValue)] = [
            ("code", .string(fault.code.rawValue)), ("message", .string(fault.message)),
        ]
        if let hint = fault.hint { members.append(("hint", .string(hint))) }
        if let span = fault.span {
            members.append(("line", .int(span.line)))
            members.append(("column", .int(span.column)))
            members.append(("length", .int(span.length)))
            members.append(("caret", .string(caretText(sql, span))))
        }
        var answer: [(String, JSONValue)] = [("error", .object(members))]
        if let id = fault.queryID { answer.append(("queryId", .string(id))) }
        return JSONValue.object(answer).encoded()
    }

    private func resultJSON(_ answer: QueryAnswer) -> [UInt8] {
        var writer = JSONWriter(capacity: 1 << 14)
        writer.beginObject()
        writer.member("queryId", answer.queryID)
        writer.member("elapsedMilliseconds", answer.elapsedMilliseconds)
        writer.member("isTruncated", answer.data.isTruncated)
        if let type = answer.updateType { writer.member("updateType", type) }
        if let count = answer.updateCount { writer.member("updateCount", count) }
        writer.member("warnings")
        writer.beginArray()
        for warning in answer.warnings { writer.string(warning) }
        writer.endArray()
        writer.member("columns")
        writer.beginArray()
        for column in answer.data.columns {
            writer.beginObject()
            writer.member("name", column.name)
            writer.member("type", column.type)
            writer.member("isNumeric", column.isNumeric)
            writer.endObject()
        }
        writer.endArray()
        writer.member("rows")
        writer.beginArray()
        for row in answer.data.rows.indices {
            writer.beginArray()
            for column in answer.data.columns.indices {
                write(answer.data.value(row, column), to: &writer)
            }
            writer.endArray()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private func write(_ value: ChartValue, to writer: inout JSONWriter) {
        switch value {
        case .null: writer.null()
        case .boolean(let flag): writer.bool(flag)
        case .integer(let number) where number.magnitude <= 1 << 53: writer.int(number)
        case .number(let number) where number.isFinite: writer.double(number)
        default: writer.string(value.text)
        }
    }
}
