import Bytes
import HTTPMessages
import SQLEngine

/// Reads the session out of a request's `X-Trino-…` fields.
///
/// Values are form-encoded. Lists come comma-joined or as repeated fields. Source:
/// `reference/trino-protocol.md`, section 3.
enum RequestSession {
    /// A field that cannot be understood: answered by 400.
    struct Malformed: Error {
        let message: String
    }

    static func read(_ fields: Fields) throws(Malformed) -> QuerySession {
        if fields.all.contains(where: { $0.name.lowercased().hasPrefix("x-presto-") }),
            fields.all.contains(where: { $0.name.lowercased().hasPrefix("x-trino-") })
        {
            throw Malformed(message: "X-Trino- and X-Presto- headers may not be mixed")
        }
        var session = QuerySession()
        session.catalog = value(fields, "Catalog")
        session.schema = value(fields, "Schema")
        if session.schema != nil, session.catalog == nil {
            throw Malformed(message: "Schema is set but catalog is not")
        }
        session.zone = value(fields, "Time-Zone")
        session.source = value(fields, "Source")
        session.clientInfo = value(fields, "Client-Info")
        session.userAgent = fields["User-Agent"].flatMap {
            $0.split(separator: " ").first.map { String($0.prefix(80)) }
        }
        session.traceToken = value(fields, "Trace-Token")
        session.language = value(fields, "Language")
        session.clientTags = list(fields, "Client-Tags")
        for (name, text) in try pairs(fields, "Session") {
            guard name.split(separator: ".", omittingEmptySubsequences: false).count <= 2 else {
                throw Malformed(message: "invalid X-Trino-Session header: \(name)")
            }
            session.properties[name] = text
        }
        for (name, text) in try pairs(fields, "Prepared-Statement") {
            session.prepared[name] = text
        }
        if let id = value(fields, "Transaction-Id") {
            session.keepsTransactions = true
            if id.uppercased() != "NONE" { session.transactionID = id }
        }
        return session
    }

    /// What the client says it understands.
    static func capabilities(_ fields: Fields) -> Set<String> {
        Set(list(fields, "Client-Capabilities"))
    }

    static func value(_ fields: Fields, _ name: String) -> String? {
        guard let text = fields["X-Trino-\(name)"] ?? fields["X-Presto-\(name)"] else { return nil }
        let trimmed = trimming(text)
        return trimmed.isEmpty ? nil : trimmed
    }

    static func list(_ fields: Fields, _ name: String) -> [String] {
        (fields.values("X-Trino-\(name)") + fields.values("X-Presto-\(name)"))
            .flatMap { $0.split(separator: ",") }
            .map { trimming(String($0)) }
            .filter { !$0.isEmpty }
    }

    private static func pairs(
        _ fields: Fields, _ name: String
    ) throws(Malformed) -> [(String, String)] {
        var found: [(String, String)] = []
        for item in list(fields, name) {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2,
                let key = percentDecoded(trimming(String(parts[0])), plusIsSpace: true),
                let text = percentDecoded(trimming(String(parts[1])), plusIsSpace: true),
                !key.isEmpty
            else { throw Malformed(message: "invalid X-Trino-\(name) header: \(item.prefix(60))") }
            found.append((key, text))
        }
        return found
    }

    private static func trimming(_ text: String) -> String {
        var slice = text[...]
        while slice.first == " " || slice.first == "\t" { slice.removeFirst() }
        while slice.last == " " || slice.last == "\t" { slice.removeLast() }
        return String(slice)
    }
}
