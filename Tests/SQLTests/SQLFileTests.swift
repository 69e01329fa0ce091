import Diagnostics
import Foundation
import SQLFunctions
import Testing

/// Runs every .slt below Tests/SQL in every configuration.
struct SQLFileTests {
    /// Every file, by its path below Tests/SQL. LAKEHOUSE_SLT names a part of the paths that are wanted.
    static let paths: [String] = {
        let root = SQLTables.folder
        let wanted = ProcessInfo.processInfo.environment["LAKEHOUSE_SLT"] ?? ""
        let found =
            FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".slt") && (wanted.isEmpty || $0.contains(wanted)) }
            .sorted()
    }()

    @Test func `there are files to run`() {
        #expect(SQLFileTests.paths.count >= 20)
    }

    @Test(.timeLimit(.minutes(10)), arguments: SQLConfiguration.wanted)
    func `every file answers as expected`(_ configuration: SQLConfiguration) throws {
        let shared = try SQLBench(configuration, withCatalog: false)
        var recordCount = 0
        for path in SQLFileTests.paths {
            let text = try String(
                contentsOf: SQLTables.folder.appendingPathComponent(path), encoding: .utf8)
            let file = try SQLFile(path: path, text: text)
            let bench = file.needsCatalog ? try SQLBench(configuration, withCatalog: true) : shared
            for record in file.records where record.runs(in: configuration.name) {
                recordCount += 1
                if let problem = SQLFileTests.problem(record, bench) {
                    Issue.record(
                        "\(path):\(record.line) [\(configuration)]\n\(record.sql)\n\(problem)")
                }
            }
        }
        #expect(recordCount > 0)
    }

    /// What is wrong with the outcome of a record; nil when nothing is.
    private static func problem(_ record: SQLRecord, _ bench: SQLBench) -> String? {
        let rows: [[SQLCell]]
        do { rows = try bench.run(record.sql) } catch let fault as QueryFault {
            let text = words(fault)
            guard case .fails(let pattern) = record.kind else { return "failed: \(text)" }
            let isAsWanted =
                text.range(
                    of: pattern.replacingOccurrences(of: ".*", with: "[\\s\\S]*"),
                    options: [.regularExpression, .caseInsensitive]) != nil
            return isAsWanted ? nil : "failed: \(text)\nwanted: \(pattern)"
        } catch { return "failed: \(error)" }
        switch record.kind {
        case .succeeds: return nil
        case .fails(let pattern): return "did not fail\nwanted: \(pattern)"
        case .answers(let types, let wanted, let ignoresOrder):
            return difference(rows, wanted, types, ignoresOrder)
        }
    }

    /// Code, message and hint, and those of every cause.
    private static func words(_ fault: QueryFault) -> String {
        var text = "\(fault.code.rawValue): \(fault.message)\n\(fault.hint ?? "")"
        var cause = fault.cause
        while let inner = cause as? any Fault {
            text += "\n\(inner.message)\n\(inner.hint ?? "")"
            cause = inner.cause
        }
        return text
    }

    private static func difference(
        _ rows: [[SQLCell]], _ wanted: [[SQLCell]], _ types: [Character], _ ignoresOrder: Bool
    ) -> String? {
        func key(_ row: [SQLCell]) -> String { row.map(\.shown).joined(separator: "\t") }
        var (left, right) = (rows, wanted)
        if ignoresOrder {
            left.sort { key($0) < key($1) }
            right.sort { key($0) < key($1) }
        }
        let isSame =
            left.count == right.count
            && zip(left, right).allSatisfy { ours, theirs in
                ours.count == types.count
                    && zip(zip(ours, theirs), types).allSatisfy { $0.0.matches($0.1, type: $1) }
            }
        if isSame { return nil }
        if left.count > 30 || right.count > 30 {
            let place = zip(left, right).enumerated().first { key($1.0) != key($1.1) }
            let first = place.map { "row \($0): \(key($1.0))\nwanted: \(key($1.1))" } ?? ""
            return "\(left.count) rows, wanted \(right.count)\n\(first)"
        }
        return "got:\n\(left.map(key).joined(separator: "\n"))\nwanted:\n"
            + right.map(key).joined(separator: "\n")
    }
}
