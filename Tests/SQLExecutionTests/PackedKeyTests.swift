import SQLPlanning
import Testing
import Vectors

@testable import SQLExecution

/// Sorting by packed bits gives what comparing the values one by one gives, for keys that fit into the
/// bits, keys that do not, texts that begin alike or end in zeros, and NULLs at either end.
@Suite struct PackedKeyTests {
    private static let types: [LogicalType] = [
        .bigint, .text, .text, .boolean, .double, .decimal(precision: 38, scale: 0), .bigint,
    ]

    private static let texts = [
        "", "a", "a\0", "a\0\0", "a\0b", "ab", "b", "\0",
    ]

    /// Rows whose last column is their number; some of the others NULL.
    private static func rows(_ count: Int, seed: UInt64) -> [[LiteralValue]] {
        var state = seed
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let wide: [Int64] = [.min, .max, 0, -1, 1, 1 << 40]
        let doubles: [Double] = [-.infinity, -1.5, -0.0, 0, 2.25, .infinity, .nan]
        return (0..<count).map { number in
            let long = "common beginning of all " + String(repeating: "x", count: Int(next(9)))
            var row: [LiteralValue] = [
                .integer(next(3) == 0 ? wide[Int(next(6))] : Int64(next(40)) - 20),
                .bytes(Array(texts[Int(next(8))].utf8)),
                .bytes(Array((long + texts[Int(next(8))]).utf8)),
                .boolean(next(2) == 0),
                .double(bits: doubles[Int(next(7))].bitPattern),
                .wide((Int128(next(5)) - 2) << Int128(next(2) * 70)),
            ]
            for column in row.indices where next(9) == 0 { row[column] = .null }
            return row + [.integer(Int64(number))]
        }
    }

    /// Negative when the left value is less; doubles with NaN as the greatest, zeros equal.
    private static func compare(_ left: LiteralValue, _ right: LiteralValue) -> Int {
        switch (left, right) {
        case (.integer(let x), .integer(let y)): x < y ? -1 : x > y ? 1 : 0
        case (.wide(let x), .wide(let y)): x < y ? -1 : x > y ? 1 : 0
        case (.boolean(let x), .boolean(let y)): x == y ? 0 : y ? -1 : 1
        case (.bytes(let x), .bytes(let y)):
            x == y ? 0 : x.lexicographicallyPrecedes(y) ? -1 : 1
        case (.double(let x), .double(let y)):
            compare(Double(bitPattern: x), Double(bitPattern: y))
        default: 0
        }
    }

    private static func compare(_ left: Double, _ right: Double) -> Int {
        if left.isNaN || right.isNaN { return left.isNaN == right.isNaN ? 0 : left.isNaN ? 1 : -1 }
        return left < right ? -1 : left > right ? 1 : 0
    }

    private static func precedes(
        _ left: [LiteralValue], _ right: [LiteralValue], _ keys: [(column: Int, key: SortKey)]
    ) -> Bool {
        for (column, key) in keys {
            let (x, y) = (left[column], right[column])
            if case .null = x {
                if case .null = y { continue }
                return key.nullsFirst
            }
            if case .null = y { return !key.nullsFirst }
            let order = compare(x, y)
            if order != 0 { return (order < 0) == key.isAscending }
        }
        return false
    }

    @Test(
        arguments: [
            [0], [1], [2], [3], [4], [5], [3, 1], [1, 3, 0], [2, 0, 4], [0, 2], [5, 4, 1],
            [1, 2, 3, 4, 5, 0], [4, 5], [3, 5, 2],
        ], [1, 2, 3] as [UInt64])
    func ordersAsTheValuesDo(_ columns: [Int], _ seed: UInt64) {
        let rows = Self.rows(1500, seed: seed)
        var state = seed &* 77 &+ UInt64(columns.count)
        let plans = Plans()
        let (plan, outputs) = plans.table(Self.types, rows)
        var keys: [(column: Int, key: SortKey)] = columns.map { column in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return (
                column,
                SortKey(
                    column: outputs[column].id, isAscending: state >> 40 & 1 == 0,
                    nullsFirst: state >> 41 & 1 == 0)
            )
        }
        // The number last, so that one order is right.
        keys.append((6, SortKey(column: outputs[6].id)))
        let expected = rows.sorted { Self.precedes($0, $1, keys) }
            .map { $0.map(show).joined(separator: " ") }
        #expect(plans.ordered(.sort(plan, keys.map(\.key))) == expected)
    }
}
