import HTTPMessages
import JSON

/// The interface `/api/v1` as an OpenAPI document, at `/api/v1/openapi.json`.
///
/// Paths, methods and placeholders are those of the routes themselves, so that nothing is described that is
/// not there; `OpenAPIWords` adds what a route does and takes. Source: OpenAPI Specification 3.1.0.
struct OpenAPIDocument {
    private static let path = "/api/v1/openapi.json"
    private static let prefix = "/api/v1/"

    /// The route of the document, for those with a credential; it describes `routes` and itself.
    static func route(_ routes: [Route], publicURL: @escaping @Sendable () -> String, door: APIDoor)
        -> Route
    {
        let patterns =
            (routes.map(\.pattern) + [RoutePattern(.get, path)]).filter {
                $0.path.hasPrefix(prefix)
            }
        return Route(.get, path) { request, _ in
            door.answer(request) { _ in (200, document(patterns, publicURL: publicURL())) }
        }
    }

    private static func document(_ patterns: [RoutePattern], publicURL: String) -> JSONValue {
        let words = Dictionary(OpenAPIWords.all.map { ($0.route, $0) }) { first, _ in first }
        var paths: [(String, [(String, JSONValue)])] = []
        for pattern in patterns.sorted(by: { $0.path < $1.path }) {
            let entry = (
                pattern.method.rawValue.lowercased(),
                operation(pattern, words["\(pattern.method.rawValue) \(pattern.path)"])
            )
            if paths.last?.0 == pattern.path {
                paths[paths.count - 1].1.append(entry)
            } else {
                paths.append((pattern.path, [entry]))
            }
        }
        return .object([
            ("openapi", .string("3.1.0")),
            (
                "info",
                .object([
                    ("title", .string("lakehouse")), ("version", .string(CommandLine.version)),
                    (
                        "description",
                        .string(
                            "People, credentials, SQL, pipelines and what the catalog does beyond "
                                + "Iceberg's own REST interface.")
                    ),
                ])
            ),
            ("servers", .array([.object([("url", .string(publicURL))])])),
            ("paths", .object(paths.map { ($0.0, .object($0.1)) })),
            ("components", components),
            (
                "security",
                .array(["bearer", "basic"].map { .object([($0, .array([]))]) })
            ),
        ])
    }

    // MARK: Operations

    private static func operation(_ pattern: RoutePattern, _ words: OpenAPIWords?) -> JSONValue {
        let segments = pattern.path.dropFirst(prefix.count).split(separator: "/").map(String.init)
        let names = segments.filter { $0.hasPrefix("{") }.map(plain)
        let identifier = ([pattern.method.rawValue.lowercased()] + segments.map(plain))
            .joined(separator: "_")
        var members: [(String, JSONValue)] = [
            ("operationId", .string(identifier)),
            ("tags", .array([.string(tag(segments))])),
        ]
        if let words { members.append(("summary", .string(words.summary))) }
        let parameters =
            names.map { parameter($0, in: "path", isRequired: true, schema("")) }
            + fields(words?.query ?? "").map {
                parameter($0.name, in: "query", isRequired: $0.isRequired, schema($0.type))
            }
        if !parameters.isEmpty { members.append(("parameters", .array(parameters))) }
        if let words, !words.body.isEmpty { members.append(("requestBody", body(words.body))) }
        let failure = JSONValue.object([("$ref", .string("#/components/responses/Fault"))])
        members.append(
            (
                "responses",
                .object([
                    (
                        "2XX",
                        .object([
                            ("description", .string("It is done.")),
                            ("content", content(.object([]))),
                        ])
                    ), ("4XX", failure), ("5XX", failure),
                ])
            ))
        return .object(members)
    }

    /// What a path is about: `tables` for `warehouses/{warehouse}/tables/…`.
    private static func tag(_ segments: [String]) -> String {
        let words = segments.filter { !$0.hasPrefix("{") }
        return words.first == "warehouses" && words.count > 1
            ? words[1] : words.first.map { $0 == "openapi.json" ? "openapi" : $0 } ?? ""
    }

    private static func plain(_ segment: String) -> String {
        String(segment.filter { $0 != "{" && $0 != "}" && $0 != "+" })
    }

    private static func parameter(
        _ name: String, in place: String, isRequired: Bool, _ schema: JSONValue
    ) -> JSONValue {
        .object([
            ("name", .string(name)), ("in", .string(place)), ("required", .bool(isRequired)),
            ("schema", schema),
        ])
    }

    private static func body(_ notation: String) -> JSONValue {
        let fields = fields(notation)
        let needed = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        var members: [(String, JSONValue)] = [
            ("type", .string("object")),
            ("properties", .object(fields.map { ($0.name, schema($0.type)) })),
        ]
        if !needed.isEmpty { members.append(("required", .array(needed))) }
        return .object([
            ("required", .bool(!needed.isEmpty)), ("content", content(.object(members))),
        ])
    }

    private static func content(_ schema: JSONValue) -> JSONValue {
        .object([("application/json", .object([("schema", schema)]))])
    }

    // MARK: Notation

    private static func fields(
        _ notation: String
    ) -> [(name: String, type: String, isRequired: Bool)] {
        notation.split(separator: " ").map { word in
            let parts = word.split(separator: ":")
            let isRequired = parts[0].hasSuffix("!")
            return (
                String(isRequired ? parts[0].dropLast() : parts[0]),
                parts.count > 1 ? String(parts[1]) : "", isRequired
            )
        }
    }

    private static func schema(_ type: String) -> JSONValue {
        func plain(_ name: String) -> JSONValue { .object([("type", .string(name))]) }
        return switch type {
        case "": plain("string")
        case "any": .object([])
        case "strings": .object([("type", .string("array")), ("items", plain("string"))])
        case "objects": .object([("type", .string("array")), ("items", plain("object"))])
        default: plain(type)
        }
    }

    private static let components: JSONValue = .object([
        (
            "securitySchemes",
            .object([
                (
                    "bearer",
                    .object([("type", .string("http")), ("scheme", .string("bearer"))])
                ),
                ("basic", .object([("type", .string("http")), ("scheme", .string("basic"))])),
            ])
        ),
        (
            "responses",
            .object([
                (
                    "Fault",
                    .object([
                        (
                            "description",
                            .string("What went wrong, a code that stays, and what to do next.")
                        ),
                        (
                            "content",
                            content(
                                .object([
                                    ("type", .string("object")),
                                    (
                                        "properties",
                                        .object([
                                            (
                                                "error",
                                                .object([
                                                    ("type", .string("object")),
                                                    (
                                                        "properties",
                                                        .object(
                                                            ["code", "message", "hint"].map {
                                                                ($0, schema(""))
                                                            })
                                                    ),
                                                ])
                                            )
                                        ])
                                    ),
                                ]))
                        ),
                    ])
                )
            ])
        ),
    ])
}
