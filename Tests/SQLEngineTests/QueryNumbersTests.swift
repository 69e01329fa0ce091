import SQLEngine
import Testing

/// What a query cost: its statistics, `system.runtime.queries`, EXPLAIN ANALYZE.
struct QueryNumbersTests {
    /// Two files with keys that do not overlap.
    private func bench() throws -> EngineBench {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint, b varchar)")
        try bench.ok("INSERT INTO t SELECT x, 'low' FROM UNNEST(sequence(1, 500)) AS u (x)")
        try bench.ok("INSERT INTO t SELECT x, 'high' FROM UNNEST(sequence(1001, 2000)) AS u (x)")
        return bench
    }

    private func statistics(_ bench: EngineBench, of sql: String) throws -> QueryStatistics {
        _ = try bench.rows(sql)
        let query = try #require(bench.engine.queries(bench.context).first { $0.sql == sql })
        return query.snapshot.statistics
    }

    @Test func `Rows and bytes are those that the scan looked at`() throws {
        let bench = try bench()
        let all = try statistics(bench, of: "SELECT sum(a), min(b) FROM t WHERE a % 7 = 0")
        #expect(all.processedRows == 1500)
        #expect(all.processedBytes > 0 && all.outputRows == 1)
        let part = try statistics(bench, of: "SELECT sum(a), min(b) FROM t WHERE a < 400")
        #expect(part.processedRows == 500)
        #expect(part.processedBytes > 0 && part.processedBytes < all.processedBytes)
        let none = try statistics(bench, of: "SELECT 1")
        #expect(none.processedRows == 0 && none.processedBytes == 0)
    }

    @Test func `A joined table counts each time that it is read`() throws {
        let bench = try bench()
        let numbers = try statistics(
            bench, of: "SELECT count(*) FROM t AS l LEFT JOIN t AS r ON l.a = r.a + 1")
        #expect(numbers.processedRows == 3000)
    }

    @Test func `The table of queries has what they cost`() throws {
        let bench = try bench()
        let sql = "SELECT count(*) FROM t WHERE b = 'high'"
        let numbers = try statistics(bench, of: sql)
        let row = try bench.rows(
            "SELECT processed_rows, processed_bytes, output_rows, peak_memory_bytes, spilled_bytes "
                + "FROM system.runtime.queries WHERE query = '\(sql.replacing("'", with: "''"))'")
        #expect(
            row == [
                "\(numbers.processedRows)|\(numbers.processedBytes)|1|\(numbers.peakMemoryBytes)|0"
            ])
        #expect(
            try bench.rows(
                "SELECT count(*) FROM system.runtime.queries WHERE cpu_time_ms < 0 "
                    + "OR elapsed_time_ms < 0") == ["0"])
    }

    @Test func `EXPLAIN ANALYZE says what was pruned and why`() throws {
        let bench = try bench()
        let text = try bench.rows("EXPLAIN ANALYZE SELECT b FROM t WHERE a < 400")[0]
        #expect(text.contains("files 1 read, 1 pruned (1 by partition or bounds)"))
        #expect(text.contains("row groups 1 read, 0 pruned"))
        #expect(text.contains("in 500 rows, out 399 rows"))
        // The file's bounds allow the first value; the join's keys do not.
        try bench.ok("CREATE TABLE k (a bigint)")
        try bench.ok("INSERT INTO k VALUES 1500")
        let joined = try bench.rows("EXPLAIN ANALYZE SELECT b FROM t JOIN k ON t.a = k.a")[0]
        #expect(joined.contains("row groups 1 read, 1 pruned (1 by bounds of a (join))"))
        #expect(
            joined.contains("Elapsed") && joined.contains(" CPU ") && joined.contains("peak memory")
        )
    }
}
