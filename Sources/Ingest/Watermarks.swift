package import Authority
import Iceberg
import SQLite
import TableCatalog

/// Up to where merges have read the source of a table.
package struct IngestWatermark: Sendable, Hashable {
    /// The highest value of the incremental column, as text; nil: everything is read.
    package var rows: String?
    /// The same of the table of deletions.
    package var deletions: String?
    /// The snapshot that the marks stand in, and when it was committed.
    package var snapshotID: Int64?
    package var atMicroseconds: Int64?
    /// Whether the marks were taken back: the next merge compares every row.
    package var isReset = false
}

extension Ingestor {
    /// The watermark of a merge's table; nil when there is no table.
    package func watermark(
        _ context: RequestContext, _ target: IngestTarget
    ) throws -> IngestWatermark? {
        let table = TargetTable(catalog: catalog, context: context, target: target)
        guard let metadata = try table.load() else { return nil }
        let marks = Watermarks(of: metadata)
        return IngestWatermark(
            rows: marks.rows.map(Watermarks.plain),
            deletions: marks.deletions.map(Watermarks.plain),
            snapshotID: marks.snapshot?.snapshotID,
            atMicroseconds: marks.snapshot.map { $0.timestampMilliseconds * 1000 },
            isReset: marks.isReset)
    }

    /// Takes the watermark back: the next merge reads the whole source and changes what differs. Whether
    /// there was one. The rows of the table stay.
    package func resetWatermark(
        _ context: RequestContext, _ target: IngestTarget
    ) throws -> Bool {
        let table = TargetTable(catalog: catalog, context: context, target: target)
        guard let metadata = try table.load(), let current = metadata.currentSnapshotID,
            Watermarks(of: metadata).snapshot != nil
        else { return false }
        try table.set(metadata, [IngestSummary.reset: "\(current)"])
        return true
    }
}

/// Up to where the source was read by the last commit.
struct Watermarks {
    var rows: SQLiteValue?
    var deletions: SQLiteValue?

    /// The snapshot that has the newer one.
    private(set) var snapshot: Snapshot?
    /// Whether the marks from before were taken back and nothing was committed since.
    private(set) var isReset = false

    init(of metadata: TableMetadata) {
        let reset = metadata.properties[IngestSummary.reset].flatMap { Int64($0) }
        isReset = reset != nil
        for snapshot in metadata.ancestors(of: metadata.currentSnapshotID) {
            if snapshot.snapshotID == reset { break }
            if rows == nil {
                rows = snapshot.summary[IngestSummary.watermark].flatMap(Self.parse)
            }
            if deletions == nil {
                deletions = snapshot.summary[IngestSummary.deletionsWatermark].flatMap(Self.parse)
            }
            if self.snapshot == nil, rows != nil || deletions != nil { self.snapshot = snapshot }
            if rows != nil, deletions != nil { break }
        }
        isReset = isReset && snapshot == nil
    }

    /// The highest values that are there now, as lines for the summary.
    func next(
        _ file: SQLiteFile, _ request: IngestRequest, _ table: String
    ) throws -> [String: String] {
        var lines: [String: String] = [:]
        if let column = request.incremental {
            lines[IngestSummary.watermark] = try highest(file, column, table, rows)
        }
        if let deletions = request.deletions, let column = deletions.incremental {
            lines[IngestSummary.deletionsWatermark] = try highest(
                file, column, deletions.table, self.deletions)
        }
        return lines
    }

    private func highest(
        _ file: SQLiteFile, _ column: String, _ table: String, _ before: SQLiteValue?
    ) throws -> String? {
        var value: SQLiteValue = .null
        let name = try SQLiteSource.column(column, in: try file.columns(of: table), of: table).name
        try file.connection.each(
            "SELECT max(\(SQLiteFile.quoted(name))) FROM \(SQLiteFile.quoted(table))", []
        ) { row in
            value = row.value(0)
            return false
        }
        return Self.text(value == .null ? before ?? .null : value)
    }

    /// With the kind in front, since SQLite orders numbers before texts.
    private static func text(_ value: SQLiteValue) -> String? {
        switch value {
        case .integer(let number): "integer:\(number)"
        case .real(let number): "real:\(number)"
        case .text(let text): "text:\(text)"
        case .blob, .null: nil
        }
    }

    /// The value as people write it.
    static func plain(_ value: SQLiteValue) -> String {
        switch value {
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .text(let text): text
        case .blob, .null: ""
        }
    }

    private static func parse(_ text: String) -> SQLiteValue? {
        if text.hasPrefix("integer:") { return Int64(text.dropFirst(8)).map { .integer($0) } }
        if text.hasPrefix("real:") { return Double(text.dropFirst(5)).map { .real($0) } }
        return text.hasPrefix("text:") ? .text(String(text.dropFirst(5))) : nil
    }
}
