import Authority
import Testing

/// Row filters as a check of what is written, and the rights of MERGE.
struct RowPolicyTests {
    @Test(arguments: [
        ("INSERT INTO t VALUES (5, 'a')", nil), ("INSERT INTO t VALUES (200, 'a')", "insert"),
        ("INSERT INTO t VALUES (1, 'a'), (200, 'b')", "insert"),
        ("INSERT INTO t (b) VALUES ('a')", "insert"),
        ("INSERT INTO t SELECT a + 1, b FROM t", nil),
        ("INSERT INTO t SELECT a * 1000, b FROM t", "insert"),
        (
            "INSERT INTO t SELECT x, y FROM (VALUES (1, 1)) v (x, k) JOIN "
                + "(VALUES (1, 'u'), (2, 'v')) w (k, y) ON v.k = w.k", nil
        ),
        ("UPDATE t SET a = a + 1", nil), ("UPDATE t SET a = 500 WHERE a = 1", "update"),
        ("UPDATE t SET a = NULL WHERE a = 1", "update"),
        ("MERGE INTO t USING (VALUES 1) s (x) ON a = x WHEN MATCHED THEN DELETE", nil),
        (
            "MERGE INTO t USING (VALUES 1) s (x) ON a = x WHEN MATCHED THEN UPDATE SET a = 900",
            "merge"
        ),
        (
            "MERGE INTO t USING (VALUES 700) s (x) ON a = x "
                + "WHEN NOT MATCHED THEN INSERT (a) VALUES (x)", "merge"
        ),
    ])
    func `rows that their writer could not see are refused`(
        _ sql: String, _ verb: String?
    ) throws {
        let bench = try EngineBench(rowFilter: "a < 100")
        try bench.ok("CREATE TABLE t (a bigint, b varchar)")
        try bench.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        let answer = try bench.run(sql)
        #expect(answer.code == (verb == nil ? nil : "PERMISSION_DENIED"), "\(answer.message)")
        if let verb {
            let sentence = "Access Denied: Cannot \(verb) row that does not match a row filter"
            #expect(answer.message == sentence)
            #expect(try bench.rows("SELECT a, b FROM t ORDER BY a") == ["1|x", "2|y"])
        }
    }

    @Test func `functions of the statement do not stand in for those of a policy`() throws {
        let bench = try EngineBench(rowFilter: "abs(a) < 100")
        try bench.ok("CREATE TABLE t (a bigint)")
        try bench.ok("INSERT INTO t VALUES 1, 2")
        let count = "SELECT count(*) FROM t"
        let fooled = "WITH FUNCTION abs(x bigint) RETURNS bigint RETURN BIGINT '500' " + count
        #expect(try bench.rows(fooled) == ["2"])
    }

    @Test func `a filter that asks another table checks too`() throws {
        let bench = try EngineBench(rowFilter: "a IN (SELECT x FROM (VALUES 1, 2) AS v (x))")
        try bench.ok("CREATE TABLE t (a bigint)")
        try bench.ok("INSERT INTO t VALUES 1, 2, 2")
        #expect(try bench.run("INSERT INTO t VALUES 2, 3").code == "PERMISSION_DENIED")
        #expect(try bench.rows("SELECT count(*) FROM t") == ["3"])
    }

    @Test(arguments: [
        (Action.tableInsert, "WHEN NOT MATCHED THEN INSERT VALUES (x, 'n')"),
        (.tableUpdate, "WHEN MATCHED THEN UPDATE SET b = 'n'"),
        (.tableDelete, "WHEN MATCHED THEN DELETE"),
    ])
    func `MERGE needs the rights of all its clauses, whatever the rows are`(
        _ denied: Action, _ clause: String
    ) throws {
        let bench = try EngineBench(denied: [denied])
        try bench.ok("CREATE TABLE t (a bigint, b varchar)")
        // No row of the source is there: nothing would be done.
        let merge = "MERGE INTO t USING (SELECT 1 AS x WHERE false) s ON a = x \(clause)"
        #expect(try bench.run(merge).code == "PERMISSION_DENIED")
        let other = denied == .tableDelete ? "UPDATE SET b = 'n'" : "DELETE"
        let allowed =
            "MERGE INTO t USING (SELECT 1 AS x WHERE false) s ON a = x WHEN MATCHED THEN \(other)"
        try bench.ok(allowed)
    }
}
