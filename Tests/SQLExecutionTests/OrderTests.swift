import SQLPlanning
import Testing
import Vectors

@testable import SQLExecution

@Suite struct OrderTests {
    private static func expected(_ sample: Sample) -> [String] {
        sample.rows.sorted { left, right in
            let (x, y) = (show(left[1]), show(right[1]))
            if x != y { return x > y }
            if left[0] != right[0] {
                guard let p = integer(left[0]) else { return true }
                guard let q = integer(right[0]) else { return false }
                return p < q
            }
            for column in [4, 2] {
                let (p, q) = (integer(left[column]) ?? 0, integer(right[column]) ?? 0)
                if p != q { return p < q }
            }
            return double(left[3]) < double(right[3])
        }.map(line)
    }

    private static func keys(_ columns: [PlanColumn]) -> [SortKey] {
        [
            SortKey(column: columns[1].id, isAscending: false),
            SortKey(column: columns[0].id, nullsFirst: true), SortKey(column: columns[4].id),
            SortKey(column: columns[2].id), SortKey(column: columns[3].id),
        ]
    }

    @Test(arguments: Configuration.allCases)
    func sortsByAllKeys(_ configuration: Configuration) {
        let sample = Sample(5000)
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(Sample.types, sample.rows)
        #expect(plans.ordered(.sort(plan, Self.keys(columns))) == Self.expected(sample))
    }

    @Test(arguments: Configuration.allCases)
    func topNIsTheBeginningOfTheSort(_ configuration: Configuration) {
        let sample = Sample(20_000)
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(Sample.types, sample.rows)
        let top = LogicalPlan.topN(plan, Self.keys(columns), count: 25, offset: 7, withTies: false)
        #expect(plans.ordered(top) == Array(Self.expected(sample).dropFirst(7).prefix(25)))
    }

    @Test func tiesWithTheLastRowStay() {
        let plans = Plans()
        let (plan, columns) = plans.table(
            [.bigint], [[.integer(2)], [.integer(1)], [.integer(2)], [.integer(3)]])
        let top = LogicalPlan.topN(
            plan, [SortKey(column: columns[0].id)], count: 2, offset: 0, withTies: true)
        #expect(plans.ordered(top) == ["1", "2", "2"])
    }

    @Test(arguments: Configuration.allCases)
    func limitLetsSoManyThrough(_ configuration: Configuration) {
        let plans = Plans(configuration)
        let (plan, _) = plans.table(Sample.types, Sample(5000).rows)
        #expect(plans.ordered(.limit(plan, count: 1234, offset: 100)).count == 1234)
        #expect(plans.ordered(.limit(plan, count: nil, offset: 4990)).count == 10)
    }

    @Test(arguments: Configuration.allCases)
    func windowsSeeTheirPartition(_ configuration: Configuration) {
        let sample = Sample(1500)
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(Sample.types, sample.rows)
        let running = WindowFrame(unit: .range, start: .unboundedPreceding, end: .currentRow)
        let whole = WindowFrame(unit: .range, start: .unboundedPreceding, end: .unboundedFollowing)
        let node = WindowNode(
            input: plan, partitionBy: [columns[1].id], orderBy: [SortKey(column: columns[2].id)],
            calls: [
                plans.window("rank", [], .bigint, running),
                plans.window("sum", [columns[4]], .decimal(precision: 38, scale: 2), running),
                plans.window("count", [], .bigint, whole),
            ])
        var expected: [String] = []
        for row in sample.rows {
            let value = integer(row[2]) ?? 0
            var rank = 1
            var total = 0
            var sum: Int64 = 0
            for other in sample.rows where other[1] == row[1] {
                let key = integer(other[2]) ?? 0
                total += 1
                rank += key < value ? 1 : 0
                sum += key <= value ? integer(other[4]) ?? 0 : 0
            }
            expected.append(line(row) + " \(rank) \(sum) \(total)")
        }
        #expect(plans.sorted(.window(node)) == expected.sorted())
    }

    @Test func framesOfRowsAndGroups() {
        let plans = Plans()
        let (plan, columns) = plans.table(
            [.bigint, .bigint], [1, 2, 2, 3, 5].map { [.integer($0), .integer(1)] })
        func frame(_ unit: WindowFrame.Unit) -> WindowFrame {
            WindowFrame(unit: unit, start: .preceding(columns[1].id), end: .currentRow)
        }
        let node = WindowNode(
            input: plan, partitionBy: [], orderBy: [SortKey(column: columns[0].id)],
            calls: [
                plans.window("sum", [columns[0]], .bigint, frame(.rows)),
                plans.window("sum", [columns[0]], .bigint, frame(.groups)),
                plans.window("lag", [columns[0]], .bigint, frame(.rows)),
                plans.window("dense_rank", [], .bigint, frame(.rows)),
            ])
        #expect(
            plans.sorted(.window(node)) == [
                "1 1 1 1 NULL 1", "2 1 3 5 1 2", "2 1 4 5 2 2", "3 1 5 7 2 3", "5 1 8 8 3 4",
            ])
    }

    @Test(arguments: Configuration.allCases)
    func unnestExpandsSideBySide(_ configuration: Configuration) {
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(
            [.bigint, .array(.bigint)],
            [
                [.integer(1), .list([.integer(5), .null])], [.integer(2), .list([])],
                [.integer(3), .null], [.integer(4), .list([.integer(7)])],
            ])
        let element = plans.column(.bigint)
        let ordinality = plans.column(.bigint)
        let node = UnnestNode(
            input: plan, kept: [columns[0].id], collections: [columns[1].id], columns: [[element]],
            ordinality: ordinality, isOuter: true)
        #expect(
            plans.sorted(.unnest(node)) == [
                "1 5 1", "1 NULL 2", "2 NULL NULL", "3 NULL NULL", "4 7 1",
            ])
    }

    @Test func moreThanOneRowOfAScalarSubqueryIsAFault() {
        let plans = Plans()
        let (two, _) = plans.table([.bigint], [[.integer(1)], [.integer(2)]])
        let (none, _) = plans.table([.bigint], [])
        #expect(plans.sorted(.singleRow(two)) == ["SUBQUERY_MULTIPLE_ROWS"])
        #expect(plans.sorted(.singleRow(none)) == ["NULL"])
    }
}
