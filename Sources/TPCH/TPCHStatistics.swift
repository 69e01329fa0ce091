import SQLPlanning
import Vectors

/// What planning may know of a table without making a row: it follows from the rules of the content.
extension TPCHSchema {
    func statistics(_ scale: Double, _ columns: [TableColumn]) -> TableStatistics {
        let rows = rowCount(scale)
        var known: [Int: ColumnStatistics] = [:]
        for (index, field) in fields.enumerated() {
            var (distinct, low, high) = values(field.name, scale)
            // A text's own count of values follows from how it is made.
            if case .text(let length) = field.kind, length == 1 { distinct = distinct ?? 3 }
            let type = columns[index].type
            known[index] = ColumnStatistics(
                distinctCount: distinct.map { min($0, rows) }, nullFraction: 0,
                minimum: low.flatMap { literal($0, type) },
                maximum: high.flatMap { literal($0, type) },
                averageBytes: averageBytes(field.kind))
        }
        return TableStatistics(rowCount: rows, columns: known)
    }

    /// Distinct values, the least and the greatest: money in cents, dates in days.
    private func values(_ name: String, _ scale: Double) -> (Double?, Int64?, Int64?) {
        func keys(_ base: Int) -> (Double?, Int64?, Int64?) {
            let count = Self.count(base, scale)
            return (Double(count), 1, count)
        }
        switch name {
        case "orderkey":
            let count = Self.count(1_500_000, scale)
            return (Double(count), 1, OrdersRows.orderKey(count))
        case "custkey":
            let count = Self.count(150_000, scale)
            // Every third customer has no orders.
            return self == .orders
                ? (Double(count) * 2 / 3, 1, count) : (Double(count), 1, count)
        case "partkey": return keys(200_000)
        case "suppkey": return keys(10_000)
        case "nationkey": return (25, 0, 24)
        case "regionkey": return (5, 0, 4)
        case "linenumber": return (7, 1, 7)
        case "size": return (50, 1, 50)
        case "availqty": return (9999, 1, 9999)
        case "shippriority": return (1, 0, 0)
        case "quantity": return (50, 100, 5000)
        case "discount": return (11, 0, 10)
        case "tax": return (9, 0, 8)
        case "supplycost": return (99_901, 100, 100_000)
        case "acctbal": return (1_099_999, -99_999, 999_999)
        case "retailprice": return (Double(min(Self.count(200_000, scale), 32_000)), nil, nil)
        case "extendedprice": return (rowCount(scale) / 6, nil, nil)
        case "totalprice": return (rowCount(scale) * 0.97, nil, nil)
        case "orderdate": return (2406, 8035, 10_440)
        case "shipdate": return (2526, 8036, 10_561)
        case "commitdate": return (2466, 8065, 10_530)
        case "receiptdate": return (2555, 8037, 10_591)
        case "mktsegment", "orderpriority", "mfgr": return (5, nil, nil)
        case "brand": return (25, nil, nil)
        case "type": return (150, nil, nil)
        case "container": return (40, nil, nil)
        case "returnflag", "orderstatus": return (3, nil, nil)
        case "linestatus": return (2, nil, nil)
        case "shipinstruct": return (4, nil, nil)
        case "shipmode": return (7, nil, nil)
        case "clerk": return (max(1000, 1000 * scale), nil, nil)
        default: return (rowCount(scale), nil, nil)
        }
    }

    private func literal(_ value: Int64, _ type: LogicalType) -> LiteralValue? {
        switch type {
        case .double: .double(bits: (Double(value) / 100).bitPattern)
        case .varchar: nil
        default: .integer(value)
        }
    }

    private func averageBytes(_ kind: Kind) -> Double {
        switch kind {
        case .key, .money: 8
        case .number, .day: 4
        case .text(let length): length < 26 ? Double(length) * 0.8 : Double(length) * 0.62
        }
    }
}
