import Authority
import Dashboards
import Ledger

/// Where a state of a row came from: the files and tables outside, through the tables between.
///
///     file or database ─▶ table at a snapshot ─▶ … ─▶ the row
///
/// A commit names what its statement read; in each of those tables the row of the same value is looked up
/// in the state that was read. Its own column tells the file, or else the summaries of the snapshots
/// that loaded the table. All of it is read by SQL as the visitor.
final class RowSources {
    /// A step on the way back.
    struct Step {
        let table: TracedTable
        let snapshotID: Int64?
        /// The files and databases outside; none where the rows were made by SQL alone.
        let origins: [String]
    }

    /// How many tables one behind the other are followed, and how many files are named.
    static let depth = 6
    private static let files = 5

    private let column: String
    private let value: String
    private let trail: any TraceBrowser
    private let context: RequestContext
    private let rows: (String, Int) throws -> ChartData
    private var known: [String: [String]] = [:]

    /// `rows` runs SQL as the visitor.
    init(
        column: String, value: String, trail: any TraceBrowser, context: RequestContext,
        rows: @escaping (String, Int) throws -> ChartData
    ) {
        self.column = column
        self.value = value
        self.trail = trail
        self.context = context
        self.rows = rows
    }

    /// The steps behind a commit, nearest first: the row's own table where it was loaded, and what its
    /// statement read.
    func steps(_ table: TracedTable, snapshotID: Int64, _ commit: TracedCommit?) -> [Step] {
        var seen: Set<String> = []
        var found: [Step] = []
        let own = origins(table, snapshotID)
        if !own.isEmpty, commit?.reads.isEmpty ?? true {
            found.append(Step(table: table, snapshotID: snapshotID, origins: own))
        }
        follow(commit, from: table, 0, &seen, &found)
        return found
    }

    private func follow(
        _ commit: TracedCommit?, from table: TracedTable, _ depth: Int, _ seen: inout Set<String>,
        _ found: inout [Step]
    ) {
        guard let commit, depth < Self.depth else { return }
        for read in commit.reads {
            guard let next = TracedTable(resource: read.resource), next.path != table.path,
                seen.insert("\(next.text)#\(read.snapshotID ?? 0)").inserted
            else { continue }
            found.append(
                Step(
                    table: next, snapshotID: read.snapshotID,
                    origins: read.snapshotID.map { origins(next, $0) } ?? []))
            guard let snapshot = read.snapshotID else { continue }
            let maker = try? trail.commits(context, table: next.path, snapshotID: snapshot).first
            follow(maker, from: next, depth + 1, &seen, &found)
        }
    }

    /// The files and databases that the table's row came from, in that state of the table.
    private func origins(_ table: TracedTable, _ snapshotID: Int64) -> [String] {
        let key = "\(table.text)#\(snapshotID)"
        if let answer = known[key] { return answer }
        let answer = rowsFile(table, snapshotID) ?? loads(table, snapshotID)
        known[key] = answer
        return answer
    }

    /// What the row itself says; nil where it says nothing, or there is no such row or column.
    private func rowsFile(_ table: TracedTable, _ snapshotID: Int64) -> [String]? {
        let sql = """
            SELECT DISTINCT "_source_file" FROM \(table.quoted) FOR VERSION AS OF \(snapshotID)
            WHERE CAST(\(quotedName(column)) AS varchar) = \(quotedText(value)) LIMIT \(Self.files)
            """
        guard let data = try? rows(sql, Self.files) else { return nil }
        let names = data.rows.compactMap(\.first).filter { !$0.isNull }.map(\.plainText)
        return names.isEmpty ? nil : names
    }

    /// What the snapshots up to that one were loaded from.
    private func loads(_ table: TracedTable, _ snapshotID: Int64) -> [String] {
        let snapshots = table.metadata("snapshots")
        let sql = """
            SELECT DISTINCT element_at(summary, 'lakehouse.source') AS source FROM \(snapshots)
            WHERE element_at(summary, 'lakehouse.source') IS NOT NULL AND committed_at <=
                (SELECT max(committed_at) FROM \(snapshots) WHERE snapshot_id = \(snapshotID))
            ORDER BY 1 LIMIT \(Self.files)
            """
        guard let data = try? rows(sql, Self.files) else { return [] }
        return data.rows.compactMap(\.first).map(\.plainText)
    }
}

extension TracedTable {
    /// `table:silver/sales/orders` of the ledger; nil for anything else.
    init?(resource: String) {
        guard resource.hasPrefix("table:") else { return nil }
        let path = resource.dropFirst(6).split(separator: "/").joined(separator: ".")
        guard let table = try? TracedTable(path) else { return nil }
        self = table
    }
}
