package import SQLPlanning
import Vectors

/// How a catalog of TPC-H names and types its columns.
package struct TPCHStyle: Sendable, Hashable {
    /// `o_orderkey` instead of `orderkey`.
    package var hasPrefixes: Bool
    /// Money and quantities as decimal(12,2) instead of double.
    package var usesDecimals: Bool

    package init(hasPrefixes: Bool = false, usesDecimals: Bool = false) {
        self.hasPrefixes = hasPrefixes
        self.usesDecimals = usesDecimals
    }
}

/// The tables of TPC-H and their columns.
package enum TPCHSchema: String, Sendable, CaseIterable {
    case customer, lineitem, nation, orders, part, partsupp, region, supplier

    /// The schemas that are listed; any other `sf<n>` below 30,000 can be named.
    package static let schemas = [
        "tiny", "sf1", "sf100", "sf300", "sf1000", "sf3000", "sf10000",
    ]

    /// The scale that a schema's name means; nil for other names. From 30,000 on the reference draws keys
    /// from another generator, one row after the other, and content by morsels could not equal it.
    package static func scale(_ schema: String) -> Double? {
        if schema == "tiny" { return 0.01 }
        let digits = schema.dropFirst(2)
        guard schema.hasPrefix("sf"), digits.allSatisfy({ $0.isNumber || $0 == "." }),
            let scale = Double(digits), scale >= 0.001, scale < 30_000
        else { return nil }
        return scale
    }

    /// What columns are called before their own names in the standard.
    var prefix: String {
        switch self {
        case .customer: "c_"
        case .lineitem: "l_"
        case .nation: "n_"
        case .orders: "o_"
        case .part: "p_"
        case .partsupp: "ps_"
        case .region: "r_"
        case .supplier: "s_"
        }
    }

    /// What a column holds.
    enum Kind {
        case key, number, money, day
        case text(Int)
    }

    /// Names without prefix, and kinds, in the standard's order.
    var fields: [(name: String, kind: Kind)] {
        switch self {
        case .region: [("regionkey", .key), ("name", .text(25)), ("comment", .text(152))]
        case .nation:
            [
                ("nationkey", .key), ("name", .text(25)), ("regionkey", .key),
                ("comment", .text(152)),
            ]
        case .part:
            [
                ("partkey", .key), ("name", .text(55)), ("mfgr", .text(25)), ("brand", .text(10)),
                ("type", .text(25)), ("size", .number), ("container", .text(10)),
                ("retailprice", .money), ("comment", .text(23)),
            ]
        case .supplier:
            [
                ("suppkey", .key), ("name", .text(25)), ("address", .text(40)),
                ("nationkey", .key), ("phone", .text(15)), ("acctbal", .money),
                ("comment", .text(101)),
            ]
        case .partsupp:
            [
                ("partkey", .key), ("suppkey", .key), ("availqty", .number),
                ("supplycost", .money), ("comment", .text(199)),
            ]
        case .customer:
            [
                ("custkey", .key), ("name", .text(25)), ("address", .text(40)),
                ("nationkey", .key), ("phone", .text(15)), ("acctbal", .money),
                ("mktsegment", .text(10)), ("comment", .text(117)),
            ]
        case .orders:
            [
                ("orderkey", .key), ("custkey", .key), ("orderstatus", .text(1)),
                ("totalprice", .money), ("orderdate", .day), ("orderpriority", .text(15)),
                ("clerk", .text(15)), ("shippriority", .number), ("comment", .text(79)),
            ]
        case .lineitem:
            [
                ("orderkey", .key), ("partkey", .key), ("suppkey", .key), ("linenumber", .number),
                ("quantity", .money), ("extendedprice", .money), ("discount", .money),
                ("tax", .money), ("returnflag", .text(1)), ("linestatus", .text(1)),
                ("shipdate", .day), ("commitdate", .day), ("receiptdate", .day),
                ("shipinstruct", .text(25)), ("shipmode", .text(10)), ("comment", .text(44)),
            ]
        }
    }

    /// The columns as a catalog of that style shows them.
    package func columns(_ style: TPCHStyle) -> [TableColumn] {
        fields.map { name, kind in
            let type: LogicalType =
                switch kind {
                case .key: .bigint
                case .number: .integer
                case .money: style.usesDecimals ? .decimal(precision: 12, scale: 2) : .double
                case .day: .date
                case .text(let length): .varchar(length: length)
                }
            return TableColumn(
                name: style.hasPrefixes ? prefix + name : name, type: type, isNullable: false)
        }
    }

    // MARK: Sizes

    /// Parts, suppliers, customers, orders at a scale.
    static func count(_ base: Int, _ scale: Double) -> Int64 { Int64(Double(base) * scale) }

    /// Base rows: parts for partsupp, orders for lineitem.
    func baseRows(_ scale: Double) -> Int64 {
        switch self {
        case .region: 5
        case .nation: 25
        case .part, .partsupp: Self.count(200_000, scale)
        case .supplier: Self.count(10_000, scale)
        case .customer: Self.count(150_000, scale)
        case .orders, .lineitem: Self.count(1_500_000, scale)
        }
    }

    /// Rows; exact but for lineitem at scales that nobody counted.
    func rowCount(_ scale: Double) -> Double {
        switch self {
        case .partsupp: return Double(baseRows(scale)) * 4
        case .lineitem:
            let known: [Double: Double] = [
                0.01: 60_175, 0.1: 600_572, 1: 6_001_215, 10: 59_986_052, 100: 600_037_902,
                300: 1_799_989_091, 1000: 5_999_989_709, 3000: 18_000_048_306,
                10_000: 59_999_994_267,
            ]
            return known[scale] ?? Double(baseRows(scale)) * 4.0005
        default: return Double(baseRows(scale))
        }
    }
}
