/// The certified way from a metric's table to those that a question touches.
struct JoinPath {
    /// In the order of the FROM clause.
    private(set) var joins: [ModelJoin] = []

    /// Finds the joins that lead from `base` to every table; nil for `missing` when one cannot be
    /// reached, or can be reached by two ways.
    init(from base: String, to tables: some Sequence<String>, in model: MetricModel)
        throws(MetricError)
    {
        for table in tables where table != base {
            let ways = JoinPath.ways(from: base, to: table, in: model)
            guard let way = ways.first else {
                throw MetricError(
                    .invalidFrame, "no certified join leads from \(base) to \(table)",
                    hint: "declare one under joins, many to one")
            }
            guard ways.count == 1 else {
                throw MetricError(
                    .invalidFrame, "two certified joins lead from \(base) to \(table)",
                    hint: "declare the table twice, under two names")
            }
            for join in way where !joins.contains(join) { joins.append(join) }
        }
    }

    /// Every way without a loop; a model has few joins.
    static func ways(
        from base: String, to table: String, in model: MetricModel
    ) -> [[ModelJoin]] {
        var found: [[ModelJoin]] = []
        func go(_ place: String, _ way: [ModelJoin], _ seen: Set<String>) {
            guard found.count < 2 else { return }
            if place == table {
                found.append(way)
                return
            }
            for join in model.joins where join.from == place && !seen.contains(join.to) {
                go(join.to, way + [join], seen.union([join.to]))
            }
        }
        go(base, [], [base])
        return found
    }
}
