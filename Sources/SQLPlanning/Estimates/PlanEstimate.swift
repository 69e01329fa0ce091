import SQLFunctions
import Vectors

/// How many rows a plan probably gives, and what their columns look like.
package struct PlanEstimate {
    package var rows: Double
    var columns: [ColumnID: ColumnEstimate]

    /// Different values of a column, at most the rows.
    func distinct(_ id: ColumnID) -> Double {
        max(1, min(rows, columns[id]?.distinct ?? rows))
    }

    /// Fewer rows: no column has more different values than there are rows.
    func limited(to rows: Double) -> PlanEstimate {
        var copy = self
        copy.rows = max(0, rows)
        return copy
    }

    /// Bytes of a row.
    func width(_ outputs: [PlanColumn]) -> Double {
        outputs.reduce(8) { $0 + (columns[$1.id]?.averageBytes ?? 8) }
    }
}

extension LogicalPlan {
    /// Rows of a table of which nothing is known.
    private static var unknownRows: Double { 1_000 }

    /// The estimate, from the statistics of the tables upwards.
    package var estimate: PlanEstimate {
        switch self {
        case .scan(let node): return LogicalPlan.estimate(node)
        case .values(let node):
            return PlanEstimate(rows: Double(node.rows.count), columns: [:])
        case .filter(let input, let predicate):
            let below = input.estimate
            let share = Selectivity(columns: below.columns, rows: below.rows).of(
                all: predicate.conjuncts)
            return below.restricted(by: share, predicate.conjuncts)
        case .project(let input, let assignments):
            let below = input.estimate
            var columns: [ColumnID: ColumnEstimate] = [:]
            for assignment in assignments {
                if let id = assignment.expression.columnID {
                    columns[assignment.column.id] = below.columns[id]
                } else if assignment.expression.literalValue != nil {
                    columns[assignment.column.id] = ColumnEstimate(distinct: 1)
                } else {
                    let used = assignment.expression.columns
                    let distinct = used.reduce(1.0) { $0 * below.distinct($1) }
                    columns[assignment.column.id] = ColumnEstimate(
                        distinct: min(below.rows, distinct))
                }
            }
            return PlanEstimate(rows: below.rows, columns: columns)
        case .aggregate(let node): return LogicalPlan.estimate(node)
        case .join(let node): return LogicalPlan.estimate(node)
        case .window(let node): return node.input.estimate
        case .sort(let input, _), .rowNumber(let input, _): return input.estimate
        case .topN(let input, _, let count, _, _):
            let below = input.estimate
            return below.limited(to: min(below.rows, Double(count)))
        case .limit(let input, let count, let offset):
            let below = input.estimate
            let rest = max(0, below.rows - Double(offset))
            return below.limited(to: count.map { min(rest, Double($0)) } ?? rest)
        case .union(let inputs, let columns, let mapping):
            let parts = inputs.map(\.estimate)
            var result = PlanEstimate(rows: parts.reduce(0) { $0 + $1.rows }, columns: [:])
            for (index, column) in columns.enumerated() {
                let distinct = zip(parts, mapping).reduce(0.0) { $0 + $1.0.distinct($1.1[index]) }
                result.columns[column.id] = ColumnEstimate(distinct: distinct)
            }
            return result
        case .unnest(let node):
            let below = node.input.estimate
            return PlanEstimate(rows: below.rows * 5, columns: below.columns)
        case .singleRow(let input): return input.estimate.limited(to: 1)
        case .sample(let input, let percent):
            let below = input.estimate
            return below.limited(to: below.rows * percent / 100)
        }
    }

    private static func estimate(_ node: ScanNode) -> PlanEstimate {
        let statistics = node.table.statistics
        let rows = statistics?.rowCount ?? unknownRows
        var columns: [ColumnID: ColumnEstimate] = [:]
        let all =
            Array(zip(node.columns, node.tableColumns))
            + node.filterOnlyColumns.map { ($0.column, $0.tableColumn) }
        for (column, index) in all {
            columns[column.id] = estimate(column.type, statistics?.columns[index], rows)
        }
        let base = PlanEstimate(rows: rows, columns: columns)
        let share = Selectivity(columns: columns, rows: rows).of(all: node.filters)
        let result = base.restricted(by: share, node.filters)
        return node.limit.map { result.limited(to: min(result.rows, Double($0))) } ?? result
    }

    private static func estimate(
        _ type: LogicalType, _ known: ColumnStatistics?, _ rows: Double
    ) -> ColumnEstimate {
        var result = ColumnEstimate()
        result.nullFraction = known?.nullFraction ?? 0
        result.minimum = known?.minimum?.position(as: type)
        result.maximum = known?.maximum?.position(as: type)
        result.averageBytes = known?.averageBytes ?? (type.physical == .string ? 20 : 8)
        if let distinct = known?.distinctCount {
            result.distinct = max(1, min(rows, distinct))
            if let minimum = result.minimum, let maximum = result.maximum,
                type.isInteger || type == .date
            {
                result.distinct = max(1, min(result.distinct ?? rows, maximum - minimum + 1))
            }
        } else if type == .boolean {
            result.distinct = 2
        } else if let minimum = result.minimum, let maximum = result.maximum,
            type.isInteger || type == .date
        {
            result.distinct = max(1, min(rows, maximum - minimum + 1))
        } else if type.physical == .string {
            // Text without a sketch: neither a key nor a flag.
            result.distinct = max(1, min(rows, max(10, rows * 0.1)))
        } else {
            result.distinct = max(1, rows * 0.5)
        }
        return result
    }

    private static func estimate(_ node: AggregateNode) -> PlanEstimate {
        let below = node.input.estimate
        var columns: [ColumnID: ColumnEstimate] = [:]
        var groups = 1.0
        for key in node.keys {
            columns[key.id] = below.columns[key.id]
            groups = min(below.rows, groups * below.distinct(key.id))
        }
        if node.keys.count > 1 { groups = min(groups, below.rows * 0.9) }
        let rows =
            node.keys.isEmpty ? 1 : max(1, groups) * Double(max(1, node.groupingSets?.count ?? 1))
        return PlanEstimate(rows: rows, columns: columns)
    }

    private static func estimate(_ node: JoinNode) -> PlanEstimate {
        let left = node.left.estimate
        let right = node.right.estimate
        switch node.kind {
        case .semi, .anti, .nullAwareAnti:
            let share = node.matchShare(left, right)
            let kept = node.kind == .semi ? share : max(0.05, 1 - share)
            var result = left.limited(to: left.rows * kept)
            if node.kind == .semi {
                for equality in node.equalities {
                    result.columns[equality.left]?.distinct = min(
                        left.distinct(equality.left), right.distinct(equality.right))
                }
            }
            return result
        case .mark: return left
        default: break
        }
        var columns = left.columns
        columns.merge(right.columns) { first, _ in first }
        var selectivity = 1.0
        for equality in node.equalities {
            selectivity /= max(left.distinct(equality.left), right.distinct(equality.right))
        }
        if node.equalities.count > 1 {
            // Together the columns are probably a key of the smaller table behind them.
            let base = min(
                node.left.baseRows(of: Set(node.equalities.map(\.left))),
                node.right.baseRows(of: Set(node.equalities.map(\.right))))
            selectivity = max(selectivity, 1 / max(1, base))
        }
        if let residual = node.residual {
            selectivity *= Selectivity(columns: columns, rows: left.rows * right.rows).of(
                all: residual.conjuncts)
        }
        var rows = left.rows * right.rows * selectivity
        switch node.kind {
        case .left: rows = max(rows, left.rows)
        case .right: rows = max(rows, right.rows)
        case .full: rows = max(rows, left.rows + right.rows - rows)
        default: break
        }
        return PlanEstimate(rows: rows, columns: columns)
    }
}

extension JoinNode {
    /// Which share of the left rows has a match, for semi joins.
    func matchShare(_ left: PlanEstimate, _ right: PlanEstimate) -> Double {
        var share = right.rows > 0 ? 1.0 : 0
        for equality in equalities {
            share = min(share, right.distinct(equality.right) / left.distinct(equality.left))
        }
        if residual != nil { share *= 0.7 }
        return min(1, share)
    }
}

extension PlanEstimate {
    /// The rows that pass a filter; equalities leave one value.
    func restricted(by share: Double, _ conditions: [BoundExpression]) -> PlanEstimate {
        var result = limited(to: rows * share)
        for condition in conditions {
            switch condition {
            case .comparison(.equal, .column(let id, _), .literal),
                .comparison(.equal, .literal, .column(let id, _)):
                result.columns[id]?.distinct = 1
            case .inList(.column(let id, _), let list):
                result.columns[id]?.distinct = Double(list.count)
            case .comparison(let op, let left, let right):
                // Bounds move.
                let flipped = right.columnID != nil
                guard let id = left.columnID ?? right.columnID,
                    let value = left.position ?? right.position,
                    let minimum = result.columns[id]?.minimum,
                    let maximum = result.columns[id]?.maximum,
                    maximum > minimum
                else { continue }
                switch flipped ? op.flipped : op {
                case .less, .lessOrEqual:
                    result.columns[id]?.maximum = min(maximum, max(minimum, value))
                case .greater, .greaterOrEqual:
                    result.columns[id]?.minimum = max(minimum, min(maximum, value))
                default: continue
                }
                if let low = result.columns[id]?.minimum, let high = result.columns[id]?.maximum,
                    let distinct = result.columns[id]?.distinct
                {
                    result.columns[id]?.distinct = max(
                        1, distinct * (high - low) / (maximum - minimum))
                }
            default: continue
            }
        }
        return result
    }
}
