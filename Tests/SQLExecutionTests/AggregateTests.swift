import SQLPlanning
import Testing
import Vectors

@testable import SQLExecution

@Suite struct AggregateTests {
    /// Groups by an integer and by a string against a dictionary.
    @Test(arguments: Configuration.allCases, [0, 1])
    func groupsGiveWhatADictionaryGives(_ configuration: Configuration, key: Int) {
        let sample = Sample(5000)
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(Sample.types, sample.rows)
        let node = AggregateNode(
            input: plan, keys: [columns[key]],
            calls: [
                plans.call("count", [], .bigint), plans.call("sum", [columns[2]], .bigint),
                plans.call("min", [columns[1]], .text),
                plans.call("max", [columns[4]], columns[4].type),
                plans.call("sum", [columns[4]], .decimal(precision: 38, scale: 2)),
                plans.call("avg", [columns[3]], .double),
            ])
        struct Group {
            var count = 0
            var sum: Int64 = 0
            var least = "~"
            var most: Int64 = 0
            var total: Int128 = 0
            var doubles = 0.0
        }
        var groups: [String: Group] = [:]
        for row in sample.rows {
            var group = groups[show(row[key])] ?? Group()
            group.count += 1
            group.sum += integer(row[2]) ?? 0
            group.least = min(group.least, show(row[1]))
            group.most = max(group.most, integer(row[4]) ?? 0)
            group.total += Int128(integer(row[4]) ?? 0)
            group.doubles += double(row[3])
            groups[show(row[key])] = group
        }
        let expected = groups.map { key, group in
            "\(key) \(group.count) \(group.sum) \(group.least) \(group.most) \(group.total) "
                + "\(group.doubles / Double(group.count))"
        }
        #expect(plans.sorted(.aggregate(node)) == expected.sorted())
    }

    @Test(arguments: Configuration.allCases)
    func withoutKeysThereIsOneGroup(_ configuration: Configuration) {
        let sample = Sample(3000)
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(Sample.types, sample.rows)
        let node = AggregateNode(
            input: plan, keys: [],
            calls: [
                plans.call("count", [columns[0]], .bigint),
                plans.call("count", [columns[0]], .bigint, distinct: true),
                plans.call("sum", [columns[2]], .bigint),
            ])
        let keys = sample.rows.compactMap { integer($0[0]) }
        let sum = sample.rows.compactMap { integer($0[2]) }.reduce(0, +)
        #expect(plans.sorted(.aggregate(node)) == ["\(keys.count) \(Set(keys).count) \(sum)"])
    }

    @Test(arguments: Configuration.allCases)
    func noRowsGiveZeroAndNull(_ configuration: Configuration) {
        let plans = Plans(configuration)
        let (plan, columns) = plans.table([.bigint], [])
        let node = AggregateNode(
            input: plan, keys: [],
            calls: [
                plans.call("count", [], .bigint), plans.call("sum", [columns[0]], .bigint),
                plans.call("approx_distinct", [columns[0]], .bigint),
            ])
        #expect(plans.sorted(.aggregate(node)) == ["0 NULL 0"])
    }

    @Test func distinctOverOneColumnGroupsTwice() {
        let sample = Sample(4000)
        let plans = Plans()
        let (plan, columns) = plans.table(Sample.types, sample.rows)
        let node = AggregateNode(
            input: plan, keys: [columns[1]],
            calls: [plans.call("count", [columns[2]], .bigint, distinct: true)])
        var groups: [String: Set<Int64>] = [:]
        for row in sample.rows { groups[show(row[1]), default: []].insert(integer(row[2]) ?? 0) }
        #expect(
            plans.sorted(.aggregate(node)) == groups.map { "\($0.key) \($0.value.count)" }.sorted())
    }

    @Test func aSumBeyondTheTypeIsAFault() {
        let plans = Plans()
        let (plan, columns) = plans.table([.bigint], [[.integer(.max)], [.integer(1)]])
        let node = AggregateNode(
            input: plan, keys: [], calls: [plans.call("sum", [columns[0]], .bigint)])
        #expect(plans.sorted(.aggregate(node)) == ["NUMERIC_VALUE_OUT_OF_RANGE"])
    }

    @Test(arguments: Configuration.allCases)
    func collectionsKeepTheirOrder(_ configuration: Configuration) {
        let plans = Plans(configuration)
        let long = "a rather long text here"
        let (plan, columns) = plans.table(
            [.bigint, .text],
            [
                [.integer(1), text("b")], [.integer(1), text("a")], [.integer(2), .null],
                [.integer(1), text("a")], [.integer(2), text(long)],
            ])
        let separator = plans.column(.text)
        let input = LogicalPlan.project(
            plan,
            columns.map { Assignment(column: $0, expression: reference($0)) } + [
                Assignment(column: separator, expression: .literal(text(","), .text))
            ])
        let ascending = [SortKey(column: columns[1].id)]
        let descending = [SortKey(column: columns[1].id, isAscending: false)]
        let node = AggregateNode(
            input: input, keys: [columns[0]],
            calls: [
                plans.call("array_agg", [columns[1]], .array(.text), order: ascending),
                plans.call(
                    "listagg", [columns[1], separator], .text, distinct: true, order: descending),
                plans.call("approx_distinct", [columns[1]], .bigint),
                plans.call("max_by", [columns[1], columns[1]], .text),
                plans.call(
                    "array_agg", [columns[1]], .array(.text), distinct: true, order: ascending),
            ])
        #expect(
            plans.sorted(.aggregate(node)) == [
                "1 [a,a,b] b,a 2 b [a,b]", "2 [\(long),NULL] \(long) 1 \(long) [\(long),NULL]",
            ])
    }

    @Test(arguments: Configuration.allCases)
    func groupingSetsGiveEachSet(_ configuration: Configuration) {
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(
            [.bigint, .text, .bigint],
            [
                [.integer(1), text("x"), .integer(10)], [.integer(1), text("y"), .integer(20)],
                [.integer(2), text("x"), .integer(5)],
            ])
        let node = AggregateNode(
            input: plan, keys: [columns[0], columns[1]], groupingSets: [[0, 1], [0], []],
            groupingSetID: plans.id(), calls: [plans.call("sum", [columns[2]], .bigint)])
        #expect(
            plans.sorted(.aggregate(node)) == [
                "1 NULL 1 30", "1 x 0 10", "1 y 0 20", "2 NULL 1 5", "2 x 0 5", "NULL NULL 2 35",
            ])
    }

    @Test func statisticsMergeOverWorkers() {
        let plans = Plans()
        let values = (1...1000).map { Double($0) }
        let (plan, columns) = plans.table(
            [.double, .double],
            values.map { [.double(bits: $0.bitPattern), .double(bits: ($0 * 3 + 1).bitPattern)] })
        let node = AggregateNode(
            input: plan, keys: [],
            calls: [
                plans.call("var_pop", [columns[0]], .double),
                plans.call("corr", [columns[1], columns[0]], .double),
                plans.call("regr_slope", [columns[1], columns[0]], .double),
            ])
        #expect(plans.sorted(.aggregate(node)) == ["83333.25 1.0 3.0"])
    }
}
