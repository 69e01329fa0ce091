import SQLFunctions
import Authority
import CivilTime
import HTTPMessages
import JSON
import SQLEngine

extension StatementDoor {
    /// What clients and operators ask beside statements: server information and lists of queries.
    var informationRoutes: [Route] {
        [
            Route(.get, "/v1/info") { _, _ in self.information() },
            Route(.get, "/v1/info/state") { _, _ in self.json("\"ACTIVE\"") },
            Route(.get, "/v1/status") { _, _ in self.information() },
            Route(.get, "/v1/query") { request, _ in self.list(request) },
            Route(.get, "/v1/query/{id}") { self.show($0, $1) },
            Route(.delete, "/v1/query/{id}") { self.kill($0, $1) },
            Route(.put, "/v1/query/{id}/killed") { self.kill($0, $1) },
        ]
    }

    private func json(_ text: String, status: Int = 200) -> Response {
        Response(status: status, contentType: "application/json", bytes: Array(text.utf8))
    }

    private func information() -> Response {
        let seconds = Double(engine.uptimeMilliseconds) / 1000
        let hundredths = Int(seconds / 60 * 100)
        let fraction = hundredths % 100
        let document: JSONValue = .object([
            ("nodeId", "lakehouse"),
            ("nodeVersion", .object([("version", .string(QueryEngine.version))])),
            ("environment", "lakehouse"), ("coordinator", true), ("coordinatorId", "lakehouse"),
            ("starting", false), ("state", "ACTIVE"),
            ("uptime", .string("\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)m")),
        ])
        return json(document.encodedText())
    }

    private func context(_ request: Request) -> Result<RequestContext, QueryRefusal> {
        authenticator.authenticate(request).map {
            RequestContext(principal: $0, requestID: request.requestID, door: .sql)
        }
    }

    private func list(_ request: Request) -> Response {
        switch context(request) {
        case .failure(let refusal): return refusal.response
        case .success(let context):
            let queries = engine.queries(context).map { description(of: $0, request) }
            return json(JSONValue.array(queries).encodedText())
        }
    }

    private func show(_ request: Request, _ path: PathParameters) -> Response {
        switch context(request) {
        case .failure(let refusal): return refusal.response
        case .success(let context):
            let id = path.required("id")
            guard let query = engine.queries(context).first(where: { $0.id == id }) else {
                return plain(410, "Query not found")
            }
            return json(description(of: query, request).encodedText())
        }
    }

    private func kill(_ request: Request, _ path: PathParameters) -> Response {
        switch context(request) {
        case .failure(let refusal): return refusal.response
        case .success(let context):
            do {
                try engine.kill(context, queryID: path.required("id"))
                return Response(status: 204)
            } catch {
                return plain(error.code == .permissionDenied ? 403 : 410, error.message)
            }
        }
    }

    private func description(of query: Query, _ request: Request) -> JSONValue {
        let snapshot = query.snapshot
        var members: [(String, JSONValue)] = [
            ("queryId", .string(query.id)), ("state", .string(snapshot.state.rawValue)),
            ("query", .string(query.sql)),
            ("self", .string("\(baseURL(request))/v1/query/\(query.id)")),
            (
                "session",
                .object([
                    ("user", .string(query.context.principal.name)),
                    ("source", query.session.source.map { .string($0) } ?? .null),
                    ("catalog", query.session.catalog.map { .string($0) } ?? .null),
                    ("schema", query.session.schema.map { .string($0) } ?? .null),
                ])
            ),
            (
                "queryStats",
                .object([
                    ("createTime", .string(CivilFormat.rfc3339(utc: query.createdMicroseconds))),
                    (
                        "endTime",
                        snapshot.endedMicroseconds.map { .string(CivilFormat.rfc3339(utc: $0)) }
                            ?? .null
                    ),
                    ("elapsedTime", .string("\(snapshot.statistics.elapsedMilliseconds).00ms")),
                    ("totalCpuTime", .string("\(snapshot.statistics.cpuMilliseconds).00ms")),
                    ("processedInputPositions", .int(snapshot.statistics.processedRows)),
                    ("outputPositions", .int(snapshot.statistics.outputRows)),
                    (
                        "peakTotalMemoryReservation",
                        .string("\(snapshot.statistics.peakMemoryBytes)B")
                    ),
                ])
            ),
        ]
        if let fault = snapshot.fault {
            members.append(("errorType", .string(fault.code.trino.category.rawValue)))
            members.append(
                (
                    "errorCode",
                    .object([
                        ("code", .int(fault.code.trino.number)),
                        ("name", .string(fault.code.rawValue)),
                        ("type", .string(fault.code.trino.category.rawValue)),
                    ])
                ))
        }
        return .object(members)
    }
}
