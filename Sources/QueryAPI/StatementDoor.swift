import SQLFunctions
package import Authority
import Bytes
package import CivilTime
import Cryptography
package import HTTPMessages
package import Platform
package import SQLEngine
import Synchronization

/// The resource `/v1/statement`: takes statements, hands out pages, cancels.
///
/// Safe for any thread. A query that nobody polls for five minutes is abandoned.
package final class StatementDoor: Sendable {
    let engine: QueryEngine
    let authenticator: any QueryAuthenticator
    let authorizer: any Authorizer
    private let zones: TimeZones
    private let clock: any MonotonicClock
    private let entropy: any Entropy
    let segments: SegmentStore
    private let open = Mutex<[String: OpenQuery]>([:])
    private let lastSweep = Atomic<Int64>(0)

    /// How long the first answer waits for rows, and a poll for the next page.
    static let firstPatience = Duration.milliseconds(200)
    static let pollPatience = Duration.seconds(1)
    static let abandonAfter = Duration.seconds(300)
    static let statementBytes = 8 << 20

    package init(
        engine: QueryEngine, authenticator: any QueryAuthenticator, authorizer: any Authorizer,
        zones: TimeZones, clock: any MonotonicClock = SystemMonotonicClock(),
        entropy: any Entropy = SystemEntropy()
    ) {
        self.entropy = entropy
        segments = SegmentStore(entropy: entropy)
        self.engine = engine
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.zones = zones
        self.clock = clock
    }

    /// The routes of the protocol, in one list for the server.
    package var routes: [Route] {
        [
            Route(.post, "/v1/statement") { request, _ in self.submit(request) },
            Route(.head, "/v1/statement") { request, _ in self.probe(request) },
            Route(.get, "/v1/statement/executing/{id}/{slug}/{token}") { self.poll($0, $1) },
            Route(.head, "/v1/statement/executing/{id}/{slug}/{token}") { self.heartbeat($0, $1) },
            Route(.delete, "/v1/statement/executing/{id}/{slug}/{token}") { self.cancel($0, $1) },
        ] + segmentRoutes + informationRoutes
    }

    /// A query as its client sees it.
    final class OpenQuery: Sendable {
        let query: Query
        let slug: String
        let types: ClientTypes
        /// How the client wants its rows; nil: as plain JSON.
        let encoding: DataEncoding?
        let served: Mutex<Served>

        init(
            query: Query, slug: String, types: ClientTypes, encoding: DataEncoding?,
            at: MonotonicInstant
        ) {
            self.query = query
            self.slug = slug
            self.types = types
            self.encoding = encoding
            served = Mutex(Served(at: at))
        }
    }

    /// The token of the page that was served last, its answer, and when somebody last asked.
    struct Served {
        var token = -1
        var answer: Response?
        /// A page that was taken and waits for the next answer.
        var held: ResultPage?
        var at: MonotonicInstant
        /// Rows of all pages so far.
        var rowCount: Int64 = 0

        init(at: MonotonicInstant) { self.at = at }
    }

    // MARK: Taking statements

    private func probe(_ request: Request) -> Response {
        switch authenticator.authenticate(request) {
        case .failure(let refusal): refusal.response
        case .success: Response(status: 200)
        }
    }

    private func submit(_ request: Request) -> Response {
        sweep()
        let caller: Principal
        switch authenticator.authenticate(request) {
        case .failure(let refusal): return refusal.response
        case .success(let principal): caller = principal
        }
        var session: QuerySession
        do { session = try RequestSession.read(request.fields) } catch {
            return plain(400, error.message)
        }
        var context = RequestContext(principal: caller, requestID: request.requestID, door: .sql)
        // Who signed in decides, whomever the session acts as.
        let own = context
        session.mayActAs = { [self] name in actor(name, for: own) != nil }
        if let name = RequestSession.value(request.fields, "User"), name != caller.name {
            guard let other = actor(name, for: own) else {
                return plain(
                    403, "Access Denied: User \(caller.name) cannot impersonate user \(name)")
            }
            context.principal = other
        }
        let text: [UInt8]
        do { text = try request.body.readAll(limit: StatementDoor.statementBytes) } catch {
            return plain(
                error == .tooLarge(limit: Int64(StatementDoor.statementBytes)) ? 413 : 400,
                "\(error)")
        }
        guard let sql = String(validating: text, as: UTF8.self) else {
            return plain(400, "the statement is not UTF-8")
        }
        guard sql.utf8.contains(where: { $0 > 0x20 }) else {
            return plain(400, "SQL statement is empty")
        }
        let capabilities = RequestSession.capabilities(request.fields)
        let types = ClientTypes(isParametric: capabilities.contains("PARAMETRIC_DATETIME"))
        let query: Query
        do {
            query = try engine.submit(
                sql, session: session, context: context,
                encoder: TrinoEncoder(types: types, zones: zones))
        } catch {
            var response = plain(503, error.message)
            response.fields["Retry-After"] = "1"
            return response
        }
        let entry = OpenQuery(
            query: query, slug: entropy.hex(bytes: 16), types: types,
            encoding: DataEncoding.chosen(request.fields), at: clock.now())
        open.withLock { $0[query.id] = entry }
        return entry.served.withLock { served in
            answer(entry, token: 0, patience: StatementDoor.firstPatience, request, &served)
        }
    }

    /// The user of that name, where the caller is or may act as that user.
    private func actor(_ name: String, for caller: RequestContext) -> Principal? {
        if name == caller.principal.name { return caller.principal }
        let resource = Resource(kind: .identity, path: [name])
        guard let other = authenticator.principal(named: name),
            authorizer.decide(caller, .impersonate, resource).isAllowed
        else {
            authorizer.settleDenials()
            return nil
        }
        return other
    }

    // MARK: Handing out pages

    private func poll(_ request: Request, _ path: PathParameters) -> Response {
        guard let entry = find(path), let token = Int(path.required("token")) else {
            return plain(404, "Query not found")
        }
        return entry.served.withLock { served in
            if token == served.token, let answer = served.answer { return answer }
            if token <= served.token { return plain(410, "this page was acknowledged already") }
            guard token == served.token + 1 else { return plain(404, "there is no such page yet") }
            return answer(
                entry, token: token, patience: StatementDoor.pollPatience, request, &served)
        }
    }

    /// Makes the answer of `token` and remembers it. The last answer has no next URI; then the query is
    /// forgotten as soon as its client can no longer have missed it.
    private func answer(
        _ entry: OpenQuery, token: Int, patience: Duration, _ request: Request,
        _ served: inout Served
    ) -> Response {
        var (page, snapshot) =
            served.held == nil
            ? entry.query.nextPage(patience: patience) : (served.held, entry.query.snapshot)
        served.held = nil
        if snapshot.fault != nil { page = nil }
        let base = baseURL(request)
        let isLast = snapshot.state.isDone && !snapshot.hasPages
        if token == 0, entry.encoding != nil, !isLast { (served.held, page) = (page, nil) }
        let next =
            isLast
            ? nil : "\(base)/v1/statement/executing/\(entry.query.id)/\(entry.slug)/\(token + 1)"
        var document = ResultsDocument(
            query: entry.query, snapshot: snapshot, types: entry.types, base: base, nextURI: next,
            page: page)
        // The first answer has plain rows, which the Python client expects, and only where they are all:
        // the pages of a larger result are all encoded.
        let encoding = token > 0 ? entry.encoding : nil
        if let encoding {
            let all = page.map { [encoded($0, encoding, entry, served.rowCount)] } ?? []
            document.segments = (encoding, all.filter { $0.rowCount > 0 })
        }
        var response = Response(
            status: 200, contentType: "application/json", bytes: document.bytes())
        response.fields["Cache-Control"] = "no-store"
        if snapshot.state.isDone { addChanges(snapshot.changes, to: &response) }
        if let encoding {
            response.fields["X-Trino-\(DataEncoding.header)"] = encoding.rawValue
        }
        served.token = token
        served.answer = response
        served.at = clock.now()
        served.rowCount += Int64(page?.rowCount ?? 0)
        return response
    }

    /// A page as a segment: in the answer when it is small, else kept for its client.
    private func encoded(
        _ page: ResultPage, _ encoding: DataEncoding, _ entry: OpenQuery, _ offset: Int64
    ) -> Segment {
        var segment = encoding.segment(page, rowOffset: offset)
        if segment.bytes.count > DataEncoding.mostInline {
            segment.id = segments.keep(segment.bytes, of: entry.query.id, at: clock.now())
        }
        return segment
    }

    private func addChanges(_ changes: SessionChanges, to response: inout Response) {
        func encoded(_ text: String) -> String { percentEncoded(text, allowed: "-_.~") }
        func set(_ name: String, _ value: String) {
            response.fields.append("X-Trino-\(name)", value)
        }
        if let catalog = changes.catalog { set("Set-Catalog", catalog) }
        if let schema = changes.schema { set("Set-Schema", schema) }
        if let path = changes.path { set("Set-Path", path) }
        for (name, value) in changes.setProperties.sorted(by: { $0.key < $1.key }) {
            set("Set-Session", "\(name)=\(encoded(value))")
        }
        for name in changes.resetProperties { set("Clear-Session", name) }
        for (name, sql) in changes.addedPrepared.sorted(by: { $0.key < $1.key }) {
            set("Added-Prepare", "\(encoded(name))=\(encoded(sql))")
        }
        for name in changes.deallocatedPrepared { set("Deallocated-Prepare", encoded(name)) }
        for (catalog, role) in changes.roles.sorted(by: { $0.key < $1.key }) {
            set("Set-Role", "\(catalog)=\(encoded(role))")
        }
        if let user = changes.authorizationUser { set("Set-Authorization-User", user) }
        if changes.resetsAuthorization { set("Reset-Authorization-User", "true") }
        if let id = changes.startedTransactionID { set("Started-Transaction-Id", id) }
        if changes.clearsTransaction { set("Clear-Transaction-Id", "true") }
    }

    private func heartbeat(_ request: Request, _ path: PathParameters) -> Response {
        guard let entry = find(path) else { return Response(status: 404) }
        entry.served.withLock { $0.at = clock.now() }
        return Response(status: 200)
    }

    private func cancel(_ request: Request, _ path: PathParameters) -> Response {
        guard let entry = find(path) else { return Response(status: 404) }
        entry.query.cancel(.clientCancelled)
        segments.forget(query: entry.query.id)
        return Response(status: 204)
    }

    private func find(_ path: PathParameters) -> OpenQuery? {
        let id = path.required("id")
        guard let entry = open.withLock({ $0[id] }),
            constantTimeEqual(Array(entry.slug.utf8), Array(path.required("slug").utf8))
        else { return nil }
        return entry
    }

    /// Gives up queries that nobody asked about for long, and forgets those that are done.
    private func sweep() {
        let now = clock.now()
        let last = lastSweep.load(ordering: .relaxed)
        guard now.nanoseconds - last > 5_000_000_000 else { return }
        lastSweep.store(now.nanoseconds, ordering: .relaxed)
        let old = open.withLock { entries in
            let old = entries.values.filter { entry in
                now - entry.served.withLock { $0.at } > StatementDoor.abandonAfter
            }
            for entry in old { entries[entry.query.id] = nil }
            return old
        }
        for entry in old {
            if !entry.query.snapshot.state.isDone { entry.query.cancel(.deadline) }
            segments.forget(query: entry.query.id)
        }
    }

    // MARK: Shared

    /// `http://host:port` as the client reaches us, also behind a proxy that says so.
    func baseURL(_ request: Request) -> String {
        let scheme =
            request.fields["X-Forwarded-Proto"].flatMap {
                ["http", "https"].contains($0) ? $0 : nil
            }
            ?? (request.isSecure ? "https" : "http")
        let host = request.fields["X-Forwarded-Host"] ?? request.fields["Host"] ?? "localhost"
        return "\(scheme)://\(HostName.isValid(host) ? host : "localhost")"
    }

    func plain(_ status: Int, _ message: String) -> Response {
        Response(
            status: status, contentType: "text/plain; charset=utf-8", bytes: Array(message.utf8))
    }
}
