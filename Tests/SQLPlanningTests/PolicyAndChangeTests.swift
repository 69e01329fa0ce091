import Authority
import SQLFunctions
import SQLPlanning
import Testing
import Vectors

/// Row filters, masks, views and the plans of statements that change tables.
struct PolicyAndChangeTests {
    private var planning: Planning {
        var catalog = tpch
        catalog.decisions["nation"] = Decision(
            isAllowed: true, reason: "policy", rowFilter: "n_regionkey = 1",
            columnMasks: ["n_comment": "'***'"])
        let columns = [TableColumn(name: "name", type: .text)]
        func view(_ name: String, _ sql: String) -> ViewDefinition {
            ViewDefinition(
                name: TableName(catalog: "silver", schema: "main", table: name), sql: sql,
                columns: columns, catalog: "silver", schema: "main", owner: .system,
                runsAsInvoker: false)
        }
        catalog.views["nations"] = view("nations", "select n_name from nation")
        catalog.views["loop"] = view("loop", "select name from loop")
        catalog.views["wide"] = view("wide", "select n_name, n_nationkey from nation")
        return Planning(catalog: catalog)
    }

    @Test("the filter of a policy is in the scan, and the mask replaces the column")
    func policies() throws {
        let text = try planning.text(
            "select n_name, n_comment from nation where n_comment like 'a%'")
        #expect(text.contains("(n_regionkey = 1)"))
        #expect(text.contains("'***'"))
        // The condition is about the mask and not about what it hides.
        #expect(!text.contains("n_comment LIKE"))
    }

    @Test("a view is inlined, with the policies of what it reads")
    func views() throws {
        let text = try planning.text("select name from nations where name = 'PERU'")
        #expect(text.contains("(n_regionkey = 1)"))
        #expect(text.contains("= 'PERU'"))
        #expect(!text.contains("Join"))
    }

    @Test("views that name themselves or have changed are faults")
    func brokenViews() throws {
        func code(_ sql: String) -> QueryFault.Code? {
            do {
                _ = try planning.query(sql)
                return nil
            } catch { return (error as? QueryFault)?.code }
        }
        #expect(code("select * from loop") == .viewIsRecursive)
        #expect(code("select * from wide") == .viewIsStale)
    }

    @Test("DELETE gives positions, UPDATE positions and all values, MERGE an operation too")
    func changes() throws {
        let planning = Planning(catalog: tpch)
        guard
            case .delete(let delete) = try planning.statement(
                "delete from orders where o_orderkey = 1")
        else { throw QueryFault(.genericInternalError, "not a delete") }
        #expect(delete.columns.count == 2)
        #expect(delete.pureFilters?.count == 1)
        guard
            case .update(let update) = try planning.statement(
                "update orders set o_totalprice = o_totalprice * 2 where o_custkey in "
                    + "(select c_custkey from customer)")
        else { throw QueryFault(.genericInternalError, "not an update") }
        #expect(update.columns.count == 2 + 9)
        #expect(update.assigned == [3])
        guard
            case .merge(let merge) = try planning.statement(
                """
                merge into region r using (values (1, 'a'), (9, 'b')) s (k, n) on r.r_regionkey = s.k
                when matched and s.n = 'x' then delete
                when matched then update set r_name = s.n
                when not matched then insert (r_regionkey, r_name) values (s.k, s.n)
                """)
        else { throw QueryFault(.genericInternalError, "not a merge") }
        #expect(merge.columns.count == 4 + 3)
        let types = Dictionary(
            merge.plan.outputs.map { ($0.id, $0.type) }, uniquingKeysWith: { first, _ in first })
        #expect(types[merge.columns[2]] == .tinyint)
    }

    @Test("INSERT fills columns that it does not name with NULL")
    func insert() throws {
        guard
            case .insert(let insert) = try Planning(catalog: tpch).statement(
                "insert into region (r_name, r_regionkey) values ('x', 1)")
        else { throw QueryFault(.genericInternalError, "not an insert") }
        #expect(insert.columns.count == 3)
        #expect(insert.named == [1, 0])
    }

    @Test("lambdas, windows with range frames and intervals bind")
    func forms() throws {
        let planning = Planning(catalog: tpch)
        let query = try planning.query("select transform(array[1, 2], x -> x + 1.5) as t")
        #expect(query.columns[0].type == .array(.decimal(precision: 12, scale: 1)))
        #expect(query.columns[0].label == "t")
        let text = try planning.text(
            """
            select sum(o_totalprice) over (partition by o_custkey order by o_orderkey
            range between 5 preceding and current row), lag(o_orderdate, 1) over w
            from orders window w as (partition by o_custkey order by o_orderkey)
            """)
        #expect(text.contains("Window"))
        #expect(
            try planning.text("select o_orderdate + interval '1' month from orders").contains(
                "$add_interval"))
    }

    @Test("DISTINCT, ORDER BY, GROUP BY forms give the labels that were written")
    func labels() throws {
        let query = try Planning(catalog: tpch).query(
            "select N_Name, n_nationkey as \"Key\", n_name, 1 + 1 from nation order by 2")
        #expect(query.columns.map(\.label) == ["N_Name", "Key", "n_name", "_col3"])
    }
}
