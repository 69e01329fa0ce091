import SQLFunctions

/// Finds what a word may become: keywords, functions, catalogs, schemas, tables and the columns of the
/// tables that the statement names.
final class Completer {
    /// The first column of a listing's rows; none when the statement fails.
    private let ask: (String) -> [String]
    private var known: [String: [String]] = [:]
    private lazy var functions: [String] = {
        let registry = FunctionRegistry.standard
        let names = registry.allScalars.map(\.name) + registry.allAggregates.map(\.name)
        return Set(names.filter { !$0.hasPrefix("$") }).sorted()
    }()

    init(ask: @escaping (String) -> [String]) { self.ask = ask }

    /// Which part of the text is completed, and what it may become, in order.
    struct Proposal: Equatable {
        var range: Range<Int>
        var words: [String]

        /// What all words begin with.
        var common: String {
            guard var prefix = words.first else { return "" }
            for word in words.dropFirst() {
                while !word.lowercased().hasPrefix(prefix.lowercased()) { prefix.removeLast() }
            }
            return prefix
        }
    }

    /// Listings are asked anew: a statement ran and may have changed them.
    func forget() { known = [:] }

    func proposal(_ text: [Character], _ cursor: Int) -> Proposal {
        var start = cursor
        while start > 0, text[start - 1].isWordPart { start -= 1 }
        let typed = String(text[start..<cursor])
        var qualifier: [String] = []
        var at = start
        while at > 0, text[at - 1] == "." {
            var begin = at - 1
            while begin > 0, text[begin - 1].isWordPart || text[begin - 1] == "\"" { begin -= 1 }
            qualifier.insert(String(text[begin..<at - 1].filter { $0 != "\"" }), at: 0)
            at = begin
        }
        let before = text[..<at].split { !$0.isWordPart && $0 != "\"" && $0 != "." }
            .map { String($0) }
        let candidates =
            qualifier.isEmpty
            ? plain(before.last?.lowercased(), text) : below(qualifier, tables(in: text))
        let lowered = typed.lowercased()
        var seen: Set<String> = []
        let words = candidates.filter {
            $0.lowercased().hasPrefix(lowered) && seen.insert($0.lowercased()).inserted
        }
        let isLower = typed.contains { $0.isLowercase } || typed.isEmpty
        return Proposal(
            range: start..<cursor,
            words: words.map { Completer.keywordSet.contains($0) && isLower ? $0.lowercased() : $0 }
        )
    }

    /// Words that stand alone.
    private func plain(_ before: String?, _ text: [Character]) -> [String] {
        switch before {
        case "from", "join", "into", "update", "table", "describe", "desc", "analyze", "view":
            return listing("SHOW TABLES") + listing("SHOW SCHEMAS") + listing("SHOW CATALOGS")
        case "use", "schema": return listing("SHOW SCHEMAS") + listing("SHOW CATALOGS")
        case "catalog": return listing("SHOW CATALOGS")
        default:
            let own = tables(in: text).flatMap { columns(of: $0.name) }
            return own + tables(in: text).map(\.alias) + Completer.keywords + functions
        }
    }

    /// Words behind dots.
    private func below(
        _ qualifier: [String], _ tables: [(name: String, alias: String)]
    ) -> [String] {
        if qualifier.count == 1,
            let table = tables.first(where: { $0.alias.lowercased() == qualifier[0].lowercased() })
        {
            return columns(of: table.name)
        }
        let path = qualifier.map(Completer.quoted).joined(separator: ".")
        switch qualifier.count {
        case 1: return listing("SHOW TABLES FROM \(path)") + listing("SHOW SCHEMAS FROM \(path)")
        case 2: return listing("SHOW TABLES FROM \(path)")
        case 3: return columns(of: path)
        default: return []
        }
    }

    /// The tables behind FROM, JOIN, INTO and UPDATE, each with the name that its columns go by.
    private func tables(in text: [Character]) -> [(name: String, alias: String)] {
        let words = text.split {
            $0.isWhitespace || $0 == "," || $0 == "(" || $0 == ")" || $0 == ";"
        }
        .map { String($0) }
        var found: [(String, String)] = []
        for (index, word) in words.enumerated()
        where ["from", "join", "into", "update"].contains(word.lowercased()) {
            guard index + 1 < words.count else { continue }
            let name = words[index + 1]
            guard name.contains(where: \.isWordPart), !name.contains("'") else { continue }
            var alias = name.split(separator: ".").last.map { $0.filter { $0 != "\"" } } ?? name
            var next = index + 2
            if next < words.count, words[next].lowercased() == "as" { next += 1 }
            if next < words.count, words[next].allSatisfy(\.isWordPart),
                !Completer.keywordSet.contains(words[next].uppercased())
            {
                alias = words[next]
            }
            found.append((name, alias))
        }
        return found
    }

    private func columns(of table: String) -> [String] { listing("SHOW COLUMNS FROM \(table)") }

    private func listing(_ sql: String) -> [String] {
        if let names = known[sql] { return names }
        let names = ask(sql).map(Completer.quoted)
        known[sql] = names
        return names
    }

    /// A name as SQL must have it.
    private static func quoted(_ name: String) -> String {
        let isPlain =
            name.first.map { $0.isLetter || $0 == "_" } == true
            && name.allSatisfy { $0.isWordPart && !$0.isUppercase && $0 != "$" }
            && !keywordSet.contains(name.uppercased())
        return isPlain
            ? name
            : "\""
                + name.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\"\"") + "\""
    }

    private static let keywordSet = Set(keywords)

    /// What statements are made of.
    private static let keywords = """
        ALL ALTER ANALYZE AND ANY ARRAY AS ASC BETWEEN BY CALL CASE CAST CATALOGS COLUMN COLUMNS COMMENT COMMIT
        CREATE CROSS CUBE CURRENT_DATE CURRENT_TIMESTAMP DELETE DESC DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT
        EXECUTE EXISTS EXPLAIN EXTRACT FALSE FETCH FILTER FIRST FOLLOWING FROM FULL FUNCTIONS GRANT GROUP GROUPING
        HAVING IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN JSON_EXISTS JSON_QUERY JSON_TABLE JSON_VALUE LAST
        LATERAL LEFT LIKE LIMIT LISTAGG MATCHED MATERIALIZED MERGE NATURAL NOT NULL NULLS OFFSET ON OR ORDER OUTER
        OVER PARTITION PRECEDING PREPARE RANGE RECURSIVE REFRESH RENAME REPLACE REVOKE RIGHT ROLLBACK ROLLUP ROW
        ROWS SCHEMA SCHEMAS SELECT SESSION SET SETS SHOW START STATS TABLE TABLES THEN TIMESTAMP TRANSACTION TRUE
        TRUNCATE TRY_CAST UNBOUNDED UNION UNNEST UPDATE USE USING VALUES VIEW WHEN WHERE WINDOW WITH
        """.split(whereSeparator: \.isWhitespace).map { String($0) }
}
