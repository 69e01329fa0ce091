import Foundation

/// A file of SQL records with what they must answer.
///
///     # name: joins/inner            a comment; `# needs: catalog` gives the file an Iceberg catalog
///     skipif parquet optimizer-off   the next record is not run in these configurations
///     onlyif default                 … or only in these
///
///     statement ok                   runs; rows are not looked at
///     insert into t values (1)
///
///     statement error REGEX          fails; the code, message and hint match, in any case
///     select nope
///
///     query ITR rowsort              one letter a column: I whole numbers, R floating point (compared
///     select a, b, c from t          with a relative error of 1e-9), T and B and D texts as they are
///     ----
///     1<tab>two words<tab>0.5
///
/// Rows are compared in order; `rowsort` sorts both sides first. Columns are separated by tabs, or by
/// single spaces where the line has no tab; a single column is the whole line. NULL is a NULL,
/// `(empty)` the empty text, `\t`, `\n`, `\\` are escapes; arrays, maps and rows are JSON.
struct SQLFile {
    let path: String
    /// Whether the file wants to create tables.
    var needsCatalog = false
    var records: [SQLRecord] = []

    init(path: String, text: String) throws(SQLFileError) {
        self.path = path
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[
            ...]
        var number = 0
        var skips: Set<String> = []
        var only: Set<String>?
        func next() -> String? {
            number += 1
            return lines.popFirst()
        }
        while let line = next() {
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            if first.hasPrefix("#") {
                if line.hasPrefix("# needs: catalog") { needsCatalog = true }
                continue
            }
            switch first {
            case "skipif": skips.formUnion(words.dropFirst())
            case "onlyif": only = Set(words.dropFirst())
            case "statement", "query":
                let start = number
                var sql: [String] = []
                var rows: [String]?
                while let line = next(), !line.isEmpty || rows == nil && sql.isEmpty {
                    if line == "----", first == "query" {
                        rows = []
                    } else if rows == nil {
                        sql.append(line)
                    } else {
                        rows?.append(line)
                    }
                }
                let kind = try SQLFile.kind(line, words, rows, at: "\(path):\(start)")
                records.append(
                    SQLRecord(
                        line: start, sql: sql.joined(separator: "\n"), kind: kind, skips: skips,
                        only: only))
                skips = []
                only = nil
            default: throw SQLFileError("\(path):\(number): not a record: \(line)")
            }
        }
    }

    private static func kind(
        _ line: String, _ words: [String], _ rows: [String]?, at place: String
    ) throws(SQLFileError) -> SQLRecord.Kind {
        if words[0] == "statement" {
            switch words.dropFirst().first {
            case "ok"?: return .succeeds
            case "error"?:
                let pattern = line.dropFirst("statement error".count).drop { $0 == " " }
                return .fails(pattern: String(pattern))
            default: throw SQLFileError("\(place): wants `statement ok` or `statement error REGEX`")
            }
        }
        guard words.count >= 2, let rows else {
            throw SQLFileError("\(place): wants `query TYPES`, and rows behind ----")
        }
        let types = Array(words[1])
        guard types.allSatisfy({ "BIRTD".contains($0) }) else {
            throw SQLFileError("\(place): types are B, I, R, T and D: \(words[1])")
        }
        var expected: [[SQLCell]] = []
        for row in rows { expected.append(try cells(row, count: types.count, at: place)) }
        let isSorted = words.dropFirst(2).contains("rowsort")
        return .answers(types: types, rows: expected, ignoresOrder: isSorted)
    }

    private static func cells(
        _ line: String, count: Int, at place: String
    ) throws(SQLFileError) -> [SQLCell] {
        let parts: [Substring]
        if count == 1 {
            parts = [line[...]]
        } else {
            parts = line.split(
                separator: line.contains("\t") ? "\t" : " ", omittingEmptySubsequences: false)
        }
        guard parts.count == count else {
            throw SQLFileError("\(place): \(parts.count) values where \(count) are wanted: \(line)")
        }
        return parts.map { SQLCell(text: unescaped(String($0))) }
    }

    private static func unescaped(_ text: String) -> String? {
        if text == "NULL" { return nil }
        if text == "(empty)" { return "" }
        guard text.contains("\\") else { return text }
        var result = ""
        var rest = text[...]
        while let letter = rest.popFirst() {
            guard letter == "\\", let escaped = rest.popFirst() else {
                result.append(letter)
                continue
            }
            switch escaped {
            case "t": result.append("\t")
            case "n": result.append("\n")
            default: result.append(escaped)
            }
        }
        return result
    }
}

/// One statement and what must come of it.
struct SQLRecord {
    enum Kind {
        case succeeds
        case fails(pattern: String)
        case answers(types: [Character], rows: [[SQLCell]], ignoresOrder: Bool)
    }
    let line: Int
    let sql: String
    let kind: Kind
    let skips: Set<String>
    let only: Set<String>?

    func runs(in configuration: String) -> Bool {
        !skips.contains(configuration) && (only?.contains(configuration) ?? true)
    }
}

/// A value as text; nil for NULL.
struct SQLCell: Equatable {
    let text: String?

    /// Whether two values of a column of this letter are the same.
    func matches(_ other: SQLCell, type: Character) -> Bool {
        guard type == "R", let left = text.flatMap(Double.init),
            let right = other.text.flatMap(Double.init)
        else { return text == other.text }
        if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
        if left == right { return true }
        return abs(left - right) <= 1e-9 * max(abs(left), abs(right))
    }

    var shown: String {
        guard let text else { return "NULL" }
        if text.isEmpty { return "(empty)" }
        return text.replacingOccurrences(of: "\\", with: "\\\\")
            .replacingOccurrences(of: "\t", with: "\\t").replacingOccurrences(of: "\n", with: "\\n")
    }
}

/// A file that breaks the format.
struct SQLFileError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
