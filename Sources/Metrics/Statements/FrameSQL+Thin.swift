/// Groups that rest on too few rows to be compared, by what the model says of the metric.
extension FrameSQL {
    /// A metric whose groups are counted.
    struct Compared {
        var metric: Metric
        /// The least number of rows on which it is compared.
        var minimum: Int
        /// The columns with the number of rows: of the period, and of the one that it is compared with.
        var columns: [String] {
            ["rows of \(metric.name)", "rows of \(metric.name) before"].map(SQLText.identifier)
        }
        var column: String { columns[0] }
    }

    /// The metrics of the frame that are to be compared on enough rows only.
    var guarded: [Compared] {
        frame.metrics.compactMap { name in
            guard let metric = model.metric(name), let minimum = metric.minimumRows else {
                return nil
            }
            return Compared(metric: metric, minimum: minimum)
        }
    }

    /// Those by which the frame compares its groups.
    var compared: [Compared] { guarded.filter { frame.compares($0.metric.name) } }

    /// The groups that rest on fewer rows than the metric wants, with the metric and the number of rows in
    /// each period; of those that meet the conditions on metrics.
    func thin(_ one: Compared, limit: Int) throws(MetricError) -> String {
        let parts = try self.parts()
        let isSimple = parts.count == 1 && frame.comparison == nil
        let rows =
            isSimple
            ? grouped(parts[0], frame.period, counting: [one]) : merged(parts, counting: [one])
        let counts = Array(one.columns.prefix(frame.comparison == nil ? 1 : 2))
        let names = frame.breakdowns.map { SQLText.identifier($0.column) }
        let columns = names + [SQLText.identifier(one.metric.name)] + counts
        let isThin = counts.map { "\($0) BETWEEN 1 AND \(one.minimum - 1)" }
        let conditions = thresholds() + ["(\(isThin.joined(separator: " OR ")))"]
        // Those first that would have come first.
        let isAscending =
            frame.ranking.map { !$0.isDescending }
            ?? frame.thresholds.contains { [.below, .atMost].contains($0.relation) }
        let order =
            SQLText.identifier(one.metric.name) + (isAscending ? " ASC" : " DESC") + " NULLS LAST"
        return "SELECT \(columns.joined(separator: ", "))\nFROM (\n\(rows)\n) AS \"rows\"\nWHERE "
            + conditions.joined(separator: "\n  AND ")
            + "\nORDER BY \(([order] + names).joined(separator: ", "))\nLIMIT \(limit)"
    }
}

extension Frame {
    /// Whether groups are chosen or ranked by the metric.
    func compares(_ metric: String) -> Bool {
        !breakdowns.isEmpty
            && (ranking?.metric == metric || thresholds.contains { $0.metric == metric })
    }
}
