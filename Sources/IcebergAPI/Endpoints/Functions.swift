import Authority
import Bytes
import HTTPMessages
package import JSON
import TableCatalog

/// A function that SQL made, as the specification shows it. Source: Iceberg specification, "SQL UDF".
package struct FunctionText: Sendable {
    package var parameters: [(name: String, type: JSONValue)]
    package var returnType: JSONValue
    /// The expression that it returns, or its whole text where it is more than one.
    package var sql: String
    package var isDeterministic: Bool
    package var isCalledOnNull: Bool
    package var comment: String?

    /// A function by its parts; types as the specification writes them.
    package init(
        parameters: [(name: String, type: JSONValue)], returnType: JSONValue, sql: String,
        isDeterministic: Bool, isCalledOnNull: Bool, comment: String?
    ) {
        self.parameters = parameters
        self.returnType = returnType
        self.sql = sql
        self.isDeterministic = isDeterministic
        self.isCalledOnNull = isCalledOnNull
        self.comment = comment
    }
}

/// Reads the text that the catalog keeps of a function; nil for one that cannot be shown.
package typealias FunctionReader = @Sendable (_ text: String) -> FunctionText?

private let functions = "/v1/{prefix}/namespaces/{namespace}/functions"

// Functions of SQL are properties of their namespace, `sql.function.NAME(TYPE, …)`; here they are read.
// They are made with SQL: the specification has no endpoint for it.
extension IcebergEndpoint {
    static let listFunctions = IcebergEndpoint(.get, functions) { call in
        let (limit, token) = try call.paging()
        let levels = call.namespace
        // What cannot be shown is not there: the two endpoints say the same.
        let names = try call.keptFunctions().filter { !call.shown($0.value).isEmpty }
            .keys.sorted().filter { $0 > token ?? "" }
        let shown = limit.map { Array(names.prefix($0)) } ?? names
        var object = JSONObject([
            (
                "identifiers",
                .array(shown.map { .array((levels + [$0]).map { .string($0) }) })
            )
        ])
        if shown.count < names.count, let last = shown.last {
            object.append("next-page-token", .string(PageToken.text(last)))
        }
        return call.json(.object(object))
    }

    static let loadFunction = IcebergEndpoint(.get, functions + "/{function}") { call in
        let wanted = call.parameters.required("function").lowercased()
        let texts = try call.keptFunctions()[wanted] ?? []
        let definitions = call.shown(texts)
        guard !definitions.isEmpty else {
            throw FunctionMissing(name: (call.namespace + [wanted]).joined(separator: "."))
        }
        let changed = try call.catalog.namespaceChangedMilliseconds(
            call.context, call.warehouse, call.namespace)
        return call.json([
            "metadata": call.metadata(of: wanted, definitions, changedMilliseconds: changed)
        ])
    }
}

/// A function that is not there.
struct FunctionMissing: Error {
    let name: String
}

extension IcebergCall {
    /// The definitions that can be shown.
    fileprivate func shown(_ texts: [String]) -> [FunctionText] {
        texts.compactMap { service.functionReader?($0) }
    }

    /// The texts of the namespace's functions by name.
    fileprivate func keptFunctions() throws -> [String: [String]] {
        let prefix = "sql.function."
        var found: [String: [String]] = [:]
        let properties = try catalog.namespace(context, warehouse, namespace).properties
        for (key, text) in properties.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
            let rest = key.dropFirst(prefix.count)
            guard let end = rest.firstIndex(of: "(") else { continue }
            found[String(rest[..<end]), default: []].append(text)
        }
        return found
    }

    /// A `FunctionMetadata`: one version of each definition, for the catalog keeps the present one alone.
    fileprivate func metadata(
        of name: String, _ definitions: [FunctionText], changedMilliseconds: Int64
    ) -> JSONValue {
        let shown = definitions.map { definition -> JSONValue in
            var members: [(String, JSONValue)] = [
                ("definition-id", .string(definition.id)),
                (
                    "parameters",
                    .array(
                        definition.parameters.map { ["type": $0.type, "name": .string($0.name)] })
                ), ("return-type", definition.returnType), ("function-type", "udf"),
                ("current-version-id", 1),
                (
                    "versions",
                    .array([
                        [
                            "version-id": 1, "deterministic": .bool(definition.isDeterministic),
                            "on-null-input":
                                .string(definition.isCalledOnNull ? "call" : "return-null"),
                            "timestamp-ms": .int(changedMilliseconds),
                            "representations": .array([
                                [
                                    "type": "sql", "dialect": "trino",
                                    "sql": .string(definition.sql),
                                ]
                            ]),
                        ]
                    ])
                ),
            ]
            if let comment = definition.comment { members.append(("doc", .string(comment))) }
            return .object(members)
        }
        return [
            "function-uuid": .string(uuid(of: name)), "format-version": 1,
            "definitions": .array(shown),
            "definition-log": .array([
                [
                    "timestamp-ms": .int(changedMilliseconds),
                    "definition-versions": .array(
                        definitions.map {
                            ["definition-id": .string($0.id), "version-id": 1]
                        }),
                ]
            ]),
        ]
    }

    /// The same for the same name: RFC 9562 version 8, out of two hashes.
    private func uuid(of name: String) -> String {
        let text = ([context.tenant, warehouse.description] + namespace + [name])
            .joined(separator: "\u{1F}")
        var bytes: [UInt8] = []
        for part in ["function 0", "function 1"] {
            var hash = xxHash64(Array((part + text).utf8))
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: hash))
                hash >>= 8
            }
        }
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }
            .joined(separator: "-")
    }
}

extension FunctionText {
    /// The parameters' types, as the specification parts them.
    fileprivate var id: String {
        parameters.map { Self.name(of: $0.type) }.joined(separator: ",")
    }

    private static func name(of type: JSONValue) -> String {
        if case .string(let name) = type { return name }
        let at = type.cursor
        func part(_ member: String) -> String {
            at[member].value.map { name(of: $0) } ?? "unknown"
        }
        switch try? at["type"].string() {
        case "list": return "list<\(part("element"))>"
        case "map": return "map<\(part("key")),\(part("value"))>"
        default:
            let fields = (try? at["fields"].elements()) ?? []
            let parts = fields.map { field in
                let name = (try? field["name"].string()) ?? ""
                return "\(name):\(field["type"].value.map { Self.name(of: $0) } ?? "unknown")"
            }
            return "struct<\(parts.joined(separator: ","))>"
        }
    }
}
