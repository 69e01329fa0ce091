import Dispatch
import Foundation
import SQLFunctions
import SQLPlanning
import Testing
import Vectors

/// Queries over two small tables, run by the interpreter with the optimizer off, on, and each rule alone.
struct SubqueryTests {
    // a(id, x): (1, 10) (2, 20) (3, NULL) (4, 20); b(id, y): (1, 5) (1, 6) (2, 20) (NULL, 7).
    static let catalog = FakeCatalog([
        FakeTable("a", ["id bigint!", "x bigint"], rows: 4, distinct: ["id": 4, "x": 3]),
        FakeTable("b", ["id bigint", "y bigint"], rows: 4, distinct: ["id": 3, "y": 4]),
    ])
    static let interpreter = PlanInterpreter(tables: [
        "a": [[1, 10], [2, 20], [3, nil], [4, 20]].map { $0.map(literal) },
        "b": [[1, 5], [1, 6], [2, 20], [nil, 7]].map { $0.map(literal) },
    ])

    private static func literal(_ value: Int64?) -> LiteralValue {
        value.map { .integer($0) } ?? .null
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var sql: String
        var rows: [String]
        init(_ sql: String, _ rows: String...) {
            self.sql = sql
            self.rows = rows
        }
        var testDescription: String { sql }
    }

    static let cases: [Case] = [
        Case(
            "select id, (select sum(y) from b where b.id = a.id) from a", "1 11", "2 20", "3 NULL",
            "4 NULL"),
        Case(
            "select id, (select count(*) from b where b.id = a.id) from a", "1 2", "2 1", "3 0",
            "4 0"),
        Case(
            "select id, (select count(*) + 1 from b where b.id < a.id) from a", "1 1", "2 3", "3 4",
            "4 4"),
        Case(
            "select id, (select count(*) from b where b.id = a.id having count(*) > 1) from a",
            "1 2",
            "2 NULL", "3 NULL", "4 NULL"),
        Case(
            "select id, (select y from b where b.id = a.id and y < 6) from a", "1 5", "2 NULL",
            "3 NULL", "4 NULL"),
        Case(
            "select id, (select y from b where b.id = a.id order by y desc limit 1) from a", "1 6",
            "2 20",
            "3 NULL", "4 NULL"),
        Case(
            "select id, (select max(y) from b where b.id = a.id or b.id = a.id - 1) from a", "1 6",
            "2 20",
            "3 20", "4 NULL"),
        Case("select id, (select a.x + 1) from a", "1 11", "2 21", "3 NULL", "4 21"),
        Case("select id from a where exists (select 1 from b where b.id = a.id)", "1", "2"),
        Case("select id from a where not exists (select 1 from b where b.id = a.id)", "3", "4"),
        Case(
            "select id from a where exists (select 1 from b where b.id = a.id and b.y <> a.x)", "1"),
        Case(
            "select id from a where exists (select 1 from b where b.id = a.id) or x = 20", "1", "2",
            "4"),
        Case(
            "select id, exists (select 1 from b where b.id = a.id) from a", "1 true", "2 true",
            "3 false", "4 false"),
        Case("select id from a where id in (select id from b)", "1", "2"),
        Case("select id from a where id not in (select id from b)"),
        Case("select id from a where id not in (select id from b where id is not null)", "3", "4"),
        Case("select id, id in (select id from b) from a", "1 true", "2 true", "3 NULL", "4 NULL"),
        Case("select id from a where x in (select y from b where b.id = a.id)", "2"),
        Case("select id from a where x not in (select y from b where b.id = a.id)", "1", "3", "4"),
        Case(
            "select id, x in (select y from b where b.id = a.id or a.id = 3) from a", "1 false",
            "2 true", "3 NULL",
            "4 false"),
        Case("select id from a where (id, x) in (select id, y from b)", "2"),
        Case("select id from a where (id, x) not in (select id, y from b where y > 5)", "1", "4"),
        Case("select id from a where x > all (select y from b where b.id = a.id)", "1", "3", "4"),
        Case("select id from a where x < any (select y from b)", "1"),
        Case("select id from a where x >= some (select y from b where y < 10)", "1", "2", "4"),
        Case("select id from a where (select count(*) from b where b.id = a.id) = 0", "3", "4"),
        Case("select id, (select sum(y) from b) from a where id = 1", "1 38"),
        Case(
            "select id from a where exists (select 1 from b where b.id = a.id and exists "
                + "(select 1 from b b2 where b2.y = a.x and b2.id = b.id))", "2"),
        Case(
            "select id, (select max((select max(y) from b b2 where b2.id = b.id and b2.y > a.x)) from b "
                + "where b.id <= a.id) from a", "1 NULL", "2 NULL", "3 NULL", "4 NULL"),
        Case(
            "select id, (select max(v) from (select y as v from b where b.id = a.id union all select a.x)) from a",
            "1 10", "2 20", "3 NULL", "4 20"),
        Case(
            "select a.id, l.c from a, lateral (select count(*) c from b where b.id = a.id) l",
            "1 2", "2 1",
            "3 0", "4 0"),
        Case(
            "select a.id, l.y from a cross join lateral (select y from b where b.id = a.id order by y limit 1) l",
            "1 5", "2 20"),
        Case(
            "select a.id, l.y from a left join lateral (select y from b where b.id = a.id) l on l.y > 5",
            "1 6",
            "2 20", "3 NULL", "4 NULL"),
        Case(
            "select x, count(*) from a group by x having count(*) > (select min(id) from b)", "20 2"
        ),
        Case(
            "select x, (select count(*) from b where b.y = a.x) from a group by x", "10 0", "20 1",
            "NULL 0"),
        Case(
            "select a.id, y from a left join b on a.id = b.id and y > 5", "1 6", "2 20", "3 NULL",
            "4 NULL"),
        Case("select a.id, y from a left join b on a.id = b.id where y > 5", "1 6", "2 20"),
        Case(
            "select a.id, y from a right join b on a.id = b.id where y > 5", "1 6", "2 20", "NULL 7"
        ),
        Case(
            "select a.id, y from a full join b on a.id = b.id where coalesce(y, 0) <> 5", "1 6",
            "2 20", "3 NULL",
            "4 NULL", "NULL 7"),
        Case("select id, y from a join b using (id) where x < 20", "1 5", "1 6"),
        Case(
            "select coalesce(id, -1) from a full join b using (id)", "-1", "1", "1", "2", "3", "4"),
        Case("select x from a intersect select y from b", "20"),
        Case("select x from a except select y from b", "10", "NULL"),
        Case("select x from a except all select y from b", "10", "20", "NULL"),
        Case("select x from a union select y from b", "10", "20", "5", "6", "7", "NULL"),
        Case(
            "select x, grouping(x), count(*) from a group by rollup (x)", "10 0 1", "20 0 2",
            "NULL 0 1",
            "NULL 1 4"),
        Case("select sum(x) filter (where id < 3), count(distinct x) from a", "30 2"),
        Case("select id from a order by x desc nulls first, id limit 2", "3", "2"),
        Case(
            "select x + 1 as z, count(*) from a group by x + 1 order by z", "11 1", "21 2", "NULL 1"
        ),
        Case("select id from a where x = 10 or (x = 20 and id = 4)", "1", "4"),
        Case("select t.v from (values 1, 2, 3) t (v) where v > 1", "2", "3"),
        Case(
            "with c (n) as (select id from a where id < 3) select c1.n, c2.n from c c1, c c2 where c1.n < c2.n",
            "1 2"),
        Case(
            "with recursive c (n) as (select 1 union all select n + 1 from c where n < 4) select n from c",
            "1", "2",
            "3", "4"),
        Case(
            "select id, row_number() over (partition by x order by id) from a", "1 1", "2 1", "3 1",
            "4 2"),
        Case(
            "select a.id, u from a cross join unnest(array[a.id, a.x]) t (u) where a.id <= 2",
            "1 1", "1 10", "2 2",
            "2 20"),
        Case(
            "select id, (select sum(u) from unnest(array[a.id, 1]) t (u)) from a", "1 2", "2 3",
            "3 4", "4 5"),
        Case("select distinct x from a where x is not null order by x desc", "20", "10"),
        Case("select id from a where x is distinct from 20", "1", "3"),
        Case(
            "select a.id, b.y, c.x from a join b on a.id = b.id join a c on c.id = b.id and c.x = a.x",
            "1 5 10",
            "1 6 10", "2 20 20"),
        Case("select id from a where not (x = 20 and id in (select id from b))", "1"),
    ]

    @Test("a query gives its rows, however it is optimized", arguments: cases)
    func rows(_ item: Case) throws {
        for rule in [-2, -1] + (0..<10) {
            var planning = Planning(catalog: Self.catalog)
            planning.rules =
                rule == -2 ? .all : rule == -1 ? .none : OptimizerRules(rawValue: 1 << rule)
            let query = try planning.query(item.sql)
            let rows = try Self.interpreter.rows(query).map { row in
                zip(row, query.columns).map { $0.text(as: $1.type) }.joined(separator: " ")
            }
            let isOrdered =
                item.sql.contains("order by") && !item.sql.contains("over (")
                && !item.sql.contains("lateral")
                && !item.sql.contains("(select y from b where b.id = a.id order")
            #expect(
                isOrdered ? rows == item.rows : rows.sorted() == item.rows.sorted(),
                "rules \(rule): \(rows)")
        }
    }

    @Test("two rows of a scalar subquery are a fault, where they are looked at")
    func multipleRows() throws {
        for rules in [OptimizerRules.none, .all] {
            var planning = Planning(catalog: Self.catalog)
            planning.rules = rules
            for sql in [
                "select (select y from b) from a",
                "select (select y from b where b.id = a.id) from a",
                "select (select y from b where b.id <= a.id) from a",
            ] {
                let query = try planning.query(sql)
                #expect(throws: QueryFault.self) { try Self.interpreter.rows(query) }
            }
            let fine = try planning.query(
                "select (select y from b where b.id = a.id) from a where id > 1")
            #expect(try Self.interpreter.rows(fine).count == 3)
        }
    }

    @Test("deep expressions and long chains bind and are optimized")
    func depth() throws {
        let planning = Planning(catalog: Self.catalog)
        let chain = (0..<390).map { _ in "x" }.joined(separator: " + ")
        let nested =
            String(repeating: "abs(", count: 80) + "x" + String(repeating: ")", count: 80)
        let list = (0..<20_000).map(String.init).joined(separator: ", ")
        let terms = (0..<2_000).map { "x <> \($0)" }.joined(separator: " and ")
        let unions = (0..<300).map { "select \($0)" }.joined(separator: " union all ")
        let statements = [
            "select \(chain) from a", "select \(nested) from a",
            "select id from a where x in (\(list))",
            "select id from a where \(terms)", unions,
            "select id from a where \(chain) > 1 group by id having count(*) > 1",
        ]
        // The stack that threads of the engine have.
        let done = DispatchSemaphore(value: 0)
        let only = ProcessInfo.processInfo.environment["DEPTH_ONLY"].flatMap(Int.init)
        let thread = Foundation.Thread {
            for (index, sql) in statements.enumerated() where only ?? index == index {
                do {
                    let query = try planning.query(sql)
                    #expect(query.columns.count == 1)
                } catch {
                    Issue.record(error)
                }
            }
            done.signal()
        }
        thread.stackSize =
            (ProcessInfo.processInfo.environment["DEPTH_STACK"].flatMap(Int.init) ?? 16) << 20
        thread.start()
        done.wait()
    }
}
