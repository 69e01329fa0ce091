import JSON

/// Says which groups of an answer rest on fewer rows than the metric is compared on: nothing is left out in
/// silence, and what is shown on few rows says so.
struct ThinGroups {
    let one: FrameSQL.Compared
    let frame: Frame
    /// Of the answer.
    let columns: [AskAnswer.Column]

    /// Groups that are looked at.
    static let limit = 10_000
    /// Groups that are named.
    private static let named = 5

    /// `thin` has the breakdowns, the metric and the numbers of rows; `shown` are the answer's rows.
    func notes(thin: MetricRows, shown: [[JSONValue]]) -> [String] {
        let width = frame.breakdowns.count
        let isCompared = frame.compares(one.metric.name)
        let present = Set(shown.map { name($0.prefix(width)) })
        var left: [String] = []
        var few: [String] = []
        for row in thin.rows where row.count > width + 1 {
            let counts = row[(width + 1)...].compactMap(count)
            let group = name(row.prefix(width))
            if isCompared, let now = counts.first, now < one.minimum {
                left.append("\(group) (\(value(row[width])) on \(Self.rows(now)))")
            } else if present.contains(group) {
                few.append(group.isEmpty ? Self.words(counts) : "\(group) (\(Self.words(counts)))")
            }
        }
        let label = one.metric.label
        var notes: [String] = []
        if !left.isEmpty {
            notes.append(
                "left out, since \(label) is compared on \(one.minimum) rows or more: "
                    + listed(left, isWhole: !thin.isTruncated))
        }
        if width == 0, let words = few.first {
            notes.append(
                "\(label) rests on \(words): fewer than the \(one.minimum) on which it is compared")
        } else if !few.isEmpty {
            notes.append(
                "\(label) rests on fewer than \(one.minimum) rows for "
                    + listed(few, isWhole: !thin.isTruncated))
        }
        return notes
    }

    private func name(_ cells: ArraySlice<JSONValue>) -> String {
        zip(cells, columns).map { AskText.cell($0, $1) }.joined(separator: ", ")
    }

    private func value(_ cell: JSONValue) -> String {
        let column = columns.first { $0.name == one.metric.name }
        return column.map { AskText.cell(cell, $0) } ?? cell.encodedText()
    }

    private func count(_ cell: JSONValue) -> Int64? {
        if case .number(let number) = cell { number.int64 } else { nil }
    }

    private static func rows(_ count: Int64) -> String { count == 1 ? "1 row" : "\(count) rows" }

    private static func words(_ counts: [Int64]) -> String {
        guard let now = counts.first, let before = counts.dropFirst().first else {
            return rows(counts.first ?? 0)
        }
        return "\(rows(now)), before \(rows(before))"
    }

    private func listed(_ groups: [String], isWhole: Bool) -> String {
        let more = groups.count - Self.named
        let names = groups.prefix(Self.named).joined(separator: ", ")
        return more > 0 ? "\(names) and \(more)\(isWhole ? "" : " or") more" : names
    }
}
