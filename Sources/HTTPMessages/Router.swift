import Diagnostics

/// Which requests an endpoint answers: a method, a path with placeholders, maybe a query item.
///
/// `{name}` takes one segment that is not empty; `{name+}`, at the end, takes one or more with their slashes.
/// A literal segment wins over `{name}`, which wins over `{name+}`. `query: "tagging"` wants the item to
/// be there, `query: "list-type=2"` with that value; of several that fit, the one with a query wins.
package struct RoutePattern: Sendable, Hashable, CustomStringConvertible {
    /// The method that the route answers.
    package let method: Method
    /// Segments; `{name}` takes one, `{name+}` the rest.
    package let path: String
    /// The item that has to be in the query, with or without a value.
    package let query: String?

    /// A pattern, checked when the router is made.
    package init(_ method: Method, _ path: String, query: String? = nil) {
        invariant(path.hasPrefix("/"), "a route's path begins with a slash")
        self.method = method
        self.path = path
        self.query = query
    }

    /// As it is written in the route list.
    package var description: String { "\(method.rawValue) \(path)\(query.map { "?\($0)" } ?? "")" }
}

/// What the placeholders of a path stand for, percent-decoded.
package struct PathParameters: Sendable {
    private var values: [(name: String, value: String)] = []
    /// No parameter.
    package init() {}
    /// The given parameters.
    package init(_ pairs: [(String, String)]) { values = pairs.map { (name: $0.0, value: $0.1) } }

    /// The decoded value of `{name}`.
    package subscript(_ name: String) -> String? { values.first { $0.name == name }?.value }

    /// The value of a placeholder that the pattern has.
    package func required(_ name: String) -> String {
        guard let value = self[name] else {
            preconditionFailure("the route has no such placeholder")
        }
        return value
    }

    mutating func append(_ name: String, _ value: String) {
        values.append((name: name, value: value))
    }
}

/// One endpoint: API targets export lists of them.
package struct Route: Sendable {
    /// Answers one request of a route, with the values of the route's `{name}` segments.
    package typealias Handler = @Sendable (Request, PathParameters) -> Response
    /// What it answers.
    package let pattern: RoutePattern
    /// Who answers.
    package let handler: Handler

    /// A route from its pattern.
    package init(_ pattern: RoutePattern, _ handler: @escaping Handler) {
        self.pattern = pattern
        self.handler = handler
    }

    /// A route from the parts of its pattern.
    package init(
        _ method: Method, _ path: String, query: String? = nil, _ handler: @escaping Handler
    ) {
        self.init(RoutePattern(method, path, query: query), handler)
    }
}

/// Sends each request to the route that fits best.
///
/// HEAD is answered by the route of GET when it has none of its own (the server leaves the body out);
/// OPTIONS by the list of methods. A trailing slash is ignored where no route names it.
package struct Router: RequestHandler {
    private final class Node: Sendable {
        let literals: [String: Node]
        let single: (name: String, node: Node)?
        let rest: (name: String, routes: [Route])?
        let routes: [Route]

        init(
            literals: [String: Node], single: (name: String, node: Node)?,
            rest: (name: String, routes: [Route])?, routes: [Route]
        ) {
            self.literals = literals
            self.single = single
            self.rest = rest
            self.routes = routes
        }
    }

    /// Every route, in the order given: for documents and tests.
    package let routes: [Route]
    private let root: Node
    private let notFound: @Sendable (Request) -> Response
    private let notAllowed: @Sendable (Request, _ allow: String) -> Response

    /// Joins the routes into a tree by their segments.
    ///
    /// `notFound` and `notAllowed` answer what no route does; Allow is added to the latter's answer.
    package init(
        _ routes: [Route],
        notFound: @escaping @Sendable (Request) -> Response = { _ in .text(404, "no such page\n") },
        notAllowed: @escaping @Sendable (Request, _ allow: String) -> Response = { _, _ in
            .text(405, "the method is not allowed here\n")
        }
    ) {
        self.routes = routes
        self.notFound = notFound
        self.notAllowed = notAllowed
        root = Self.build(routes.map { ($0, Self.segments($0.pattern.path)) }, depth: 0)
    }

    /// The route that would answer, with its parameters.
    package func match(_ request: Request) -> (route: Route, parameters: PathParameters)? {
        let candidates = candidates(request)
        return best(candidates, request.method, request)
    }

    /// Answers by the best route; 404, or 405 with Allow, when there is none.
    package func respond(to request: Request) -> Response {
        let candidates = candidates(request)
        if let (route, parameters) = best(candidates, request.method, request) {
            return route.handler(request, parameters)
        }
        if request.method == .head, let (route, parameters) = best(candidates, .get, request) {
            return route.handler(request, parameters)
        }
        guard !candidates.isEmpty else { return notFound(request) }
        var methods: [String] = []
        for candidate in candidates {
            for route in candidate.routes where !methods.contains(route.pattern.method.rawValue) {
                methods.append(route.pattern.method.rawValue)
            }
        }
        if methods.contains("GET"), !methods.contains("HEAD") { methods.append("HEAD") }
        let allow = methods.sorted().joined(separator: ", ")
        if request.method == .options { return Response(status: 204).with("Allow", allow) }
        var response = notAllowed(request, allow)
        response.fields["Allow"] = allow
        return response
    }

    // MARK: Matching

    private struct Candidate {
        let routes: [Route]
        let parameters: PathParameters
    }

    /// Every node that the path reaches, best first.
    private func candidates(_ request: Request) -> [Candidate] {
        var found: [Candidate] = []
        let raw = request.rawPath.dropFirst()
        var segments: [Substring] = []
        var starts: [Substring.Index] = []
        var start = raw.startIndex
        for index in raw.utf8.indices where raw.utf8[index] == 0x2F {
            segments.append(raw[start..<index])
            starts.append(start)
            start = raw.utf8.index(after: index)
        }
        segments.append(raw[start...])
        starts.append(start)
        walk(root, raw, segments, starts, 0, PathParameters(), &found)
        return found
    }

    private func walk(
        _ node: Node, _ raw: Substring, _ segments: [Substring], _ starts: [Substring.Index],
        _ depth: Int,
        _ parameters: PathParameters, _ found: inout [Candidate]
    ) {
        if depth == segments.count || (depth == segments.count - 1 && segments[depth].isEmpty) {
            if !node.routes.isEmpty {
                found.append(Candidate(routes: node.routes, parameters: parameters))
            }
            return
        }
        if let segment = PercentCoding.decode(segments[depth]) {
            if let next = node.literals[segment] {
                walk(next, raw, segments, starts, depth + 1, parameters, &found)
            }
            if let (name, next) = node.single, !segment.isEmpty {
                var extended = parameters
                extended.append(name, segment)
                walk(next, raw, segments, starts, depth + 1, extended, &found)
            }
        }
        if let (name, routes) = node.rest, let value = PercentCoding.decode(raw[starts[depth]...]),
            !value.isEmpty
        {
            var extended = parameters
            extended.append(name, value)
            found.append(Candidate(routes: routes, parameters: extended))
        }
    }

    private func best(
        _ candidates: [Candidate], _ method: Method, _ request: Request
    ) -> (route: Route, parameters: PathParameters)? {
        for candidate in candidates {
            var plain: Route?
            var items: QueryItems?
            for route in candidate.routes where route.pattern.method == method {
                guard let query = route.pattern.query else {
                    plain = plain ?? route
                    continue
                }
                if request.rawQuery.isEmpty { continue }
                let known = items ?? request.queryItems
                items = known
                if Self.fits(query, known) { return (route, candidate.parameters) }
            }
            if let plain { return (plain, candidate.parameters) }
        }
        return nil
    }

    private static func fits(_ query: String, _ items: QueryItems) -> Bool {
        query.split(separator: "&").allSatisfy { wanted in
            guard let mark = wanted.firstIndex(of: "=") else { return items[String(wanted)] != nil }
            return items[String(wanted[..<mark])] == String(wanted[wanted.index(after: mark)...])
        }
    }

    // MARK: Building

    private enum Segment: Hashable {
        case literal(String)
        case single(String)
        case rest(String)
    }

    private static func segments(_ path: String) -> [Segment] {
        path.split(separator: "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("+") ? .rest(String(name.dropLast())) : .single(String(name))
        }
    }

    private static func build(_ routes: [(Route, [Segment])], depth: Int) -> Node {
        var here: [Route] = []
        var rest: (name: String, routes: [Route])?
        var literals: [String: [(Route, [Segment])]] = [:]
        var single: (name: String, routes: [(Route, [Segment])])?
        for (route, segments) in routes {
            guard depth < segments.count else {
                here.append(route)
                continue
            }
            switch segments[depth] {
            case .literal(let text): literals[text, default: []].append((route, segments))
            case .single(let name):
                invariant(
                    single == nil || single?.name == name,
                    "routes that share a path give its placeholder one name")
                single = (name, (single?.routes ?? []) + [(route, segments)])
            case .rest(let name):
                invariant(depth == segments.count - 1, "a placeholder for the rest is the last")
                invariant(
                    rest == nil || rest?.name == name,
                    "routes that share a path give its rest one name")
                rest = (name, (rest?.routes ?? []) + [route])
            }
        }
        // Those with a query first, so that the search finds the narrower one.
        func ordered(_ routes: [Route]) -> [Route] {
            routes.filter { $0.pattern.query != nil }.sorted {
                ($0.pattern.query ?? "").count > ($1.pattern.query ?? "").count
            }
                + routes.filter { $0.pattern.query == nil }
        }
        return Node(
            literals: literals.mapValues { build($0, depth: depth + 1) },
            single: single.map { ($0.name, build($0.routes, depth: depth + 1)) },
            rest: rest.map { ($0.name, ordered($0.routes)) }, routes: ordered(here))
    }
}
