import Authority
import Foundation
import ObjectStorage
import Platform
import SQLEngine
import TableCatalog
import Testing

/// ALTER TABLE … EXECUTE of maintenance, and its log.
struct MaintenanceStatementTests {
    private static let week = Duration.seconds(7 * 86_400)

    private func bench(_ clock: SettableClock, rows: Int = 3) throws -> EngineBench {
        let bench = try EngineBench(clock: clock)
        try bench.ok("CREATE TABLE t (a bigint, b varchar)")
        for row in 0..<rows { try bench.ok("INSERT INTO t VALUES (\(row), 'x')") }
        return bench
    }

    private func metric(_ rows: [String], _ name: String) -> Int? {
        rows.first { $0.hasPrefix(name + "|") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }

    @Test func snapshotsExpireAndTheirFilesGo() throws {
        let clock = SettableClock()
        let bench = try bench(clock)
        try bench.ok("DELETE FROM t WHERE a = 1")
        clock.advance(by: Self.week + .seconds(60))
        let before = try bench.objects().count
        let trial = try bench.rows("ALTER TABLE t EXECUTE expire_snapshots(dry_run => true)")
        #expect(metric(trial, "expired_snapshots_count") == 3)
        #expect(try bench.objects().count == before)
        let answer = try bench.ok("ALTER TABLE t EXECUTE expire_snapshots")
        #expect(answer.columns == ["metric_name", "metric_value"])
        #expect(metric(answer.rows, "expired_snapshots_count") == 3)
        #expect(metric(answer.rows, "deleted_data_files_count") == 1)
        #expect(metric(answer.rows, "deleted_manifest_lists_count") == 3)
        #expect(try bench.objects().count < before)
        #expect(try bench.rows("SELECT a FROM t ORDER BY a") == ["0", "2"])
        #expect(try bench.rows("SELECT count(*) FROM \"t$snapshots\"") == ["1"])
        let log = try bench.rows(
            """
            SELECT operation, table_name, state, dry_run, snapshots_before, snapshots_after,
                files_before > files_after, ended >= started, message LIKE '3 snapshots%'
            FROM system.maintenance.log ORDER BY dry_run
            """)
        #expect(
            log == [
                "expire_snapshots|t|FINISHED|false|4|1|true|true|true",
                "expire_snapshots|t|FINISHED|true|4|4|false|true|true",
            ])
    }

    @Test func whatIsYoungOrTheLastStays() throws {
        let clock = SettableClock()
        let bench = try bench(clock)
        clock.advance(by: Self.week + .seconds(60))
        let kept = try bench.rows("ALTER TABLE t EXECUTE expire_snapshots(retain_last => 2)")
        #expect(metric(kept, "expired_snapshots_count") == 1)
        let young = try bench.rows(
            "ALTER TABLE t EXECUTE expire_snapshots(retention_threshold => '30d')")
        #expect(metric(young, "expired_snapshots_count") == 0)
        let moment = try bench.rows(
            "ALTER TABLE t EXECUTE expire_snapshots(older_than => current_timestamp - INTERVAL '7' DAY)"
        )
        #expect(metric(moment, "expired_snapshots_count") == 1)
        #expect(try bench.rows("SELECT count(*) FROM t") == ["3"])
    }

    @Test(
        "arguments that cannot be",
        arguments: [
            (
                "expire_snapshots(retention_threshold => '1d')", "INVALID_PROCEDURE_ARGUMENT",
                "Retention specified (1.00d) is shorter than the minimum retention configured in the "
                    + "system (7.00d)"
            ),
            (
                "remove_orphan_files(retention_threshold => '36h')", "INVALID_PROCEDURE_ARGUMENT",
                "Retention specified (36.00h) is shorter"
            ),
            (
                "remove_orphan_files(retention_threshold => 'soon')", "INVALID_PROCEDURE_ARGUMENT",
                "not a valid"
            ),
            (
                "expire_snapshots(older_than => TIMESTAMP '2020-01-01 00:00:00', "
                    + "retention_threshold => '9d')", "INVALID_PROCEDURE_ARGUMENT", "exclude"
            ),
            ("expire_snapshots(retain_last => 0)", "INVALID_ARGUMENTS", "a number above 0"),
            ("expire_snapshots(retain => 3)", "INVALID_ARGUMENTS", "Unknown argument name: retain"),
            ("optimize(dry_run => 1)", "INVALID_ARGUMENTS", "takes a boolean"),
            ("optimize_manifests('x')", "INVALID_ARGUMENTS", "takes a boolean"),
            ("optimize_manifests(true, true)", "INVALID_ARGUMENTS", "Too many arguments"),
            ("vacuum", "PROCEDURE_NOT_FOUND", "not registered: vacuum"),
            ("expire_snapshots WHERE a = 1", "NOT_SUPPORTED", "WHERE is not supported"),
        ])
    func wrongArguments(_ call: String, _ code: String, _ message: String) throws {
        let bench = try bench(SettableClock(), rows: 1)
        let answer = try bench.run("ALTER TABLE t EXECUTE \(call)")
        #expect(answer.code == code)
        #expect(answer.message.contains(message), "\(answer.message)")
    }

    @Test func theSessionMayAllowLess() throws {
        let clock = SettableClock()
        let bench = try bench(clock)
        clock.advance(by: .seconds(60))
        bench.session.properties["silver.expire_snapshots_min_retention"] = "0s"
        let answer = try bench.rows(
            "ALTER TABLE t EXECUTE expire_snapshots(retention_threshold => '30s')")
        #expect(metric(answer, "expired_snapshots_count") == 2)
        #expect(
            try bench.run("ALTER TABLE t EXECUTE remove_orphan_files('30s')").code
                == "INVALID_PROCEDURE_ARGUMENT")
    }

    @Test func orphansAreTold() throws {
        let bench = try bench(SettableClock(), rows: 2)
        let key = try #require(try bench.objects().first { $0.hasSuffix(".parquet") })
        let lost = ObjectLocation(
            bucket: "silver",
            key: key.split(separator: "/").dropLast().joined(separator: "/") + "/lost.parquet")
        try bench.store.write([1, 2, 3], to: lost)
        let trial = try bench.rows("ALTER TABLE t EXECUTE remove_orphan_files(dry_run => true)")
        #expect(metric(trial, "deleted_files_count") == 1 && metric(trial, "deleted_bytes") == 3)
        let done = try bench.rows("ALTER TABLE t EXECUTE remove_orphan_files")
        #expect(metric(done, "deleted_files_count") == 1)
        #expect(metric(done, "processed_manifests_count") == 2)
        #expect(try !bench.objects().contains(lost.key))
        #expect(try bench.rows("SELECT count(*) FROM t") == ["2"])
    }

    @Test func manifestsAreOptimized() throws {
        let bench = try bench(SettableClock(), rows: 4)
        let trial = try bench.rows("ALTER TABLE t EXECUTE optimize_manifests(dry_run => true)")
        #expect(metric(trial, "rewritten_manifests_count") == 4)
        let done = try bench.rows("ALTER TABLE t EXECUTE optimize_manifests")
        #expect(metric(done, "rewritten_manifests_count") == 4)
        #expect(metric(done, "added_manifests_count") == 1)
        #expect(metric(done, "processed_entries_count") == 4)
        #expect(try bench.rows("SELECT sum(a) FROM t") == ["6"])
        let again = try bench.rows("ALTER TABLE t EXECUTE optimize_manifests")
        #expect(metric(again, "rewritten_manifests_count") == 0)
        #expect(metric(again, "kept_manifests_count") == 1)
    }

    @Test func optimizingBringsFilesIntoTheOrderOfNow() throws {
        let bench = try bench(SettableClock(), rows: 1)
        let optimize = "ALTER TABLE t EXECUTE optimize"
        #expect(metric(try bench.rows(optimize), "rewritten_data_files_count") == 0)
        try bench.ok("ALTER TABLE t SET PROPERTIES sorted_by = ARRAY['a']")
        let trial = try bench.rows(optimize + "(dry_run => true)")
        #expect(metric(trial, "rewritten_data_files_count") == 1)
        #expect(metric(trial, "added_data_files_count") == 0)
        #expect(metric(try bench.rows(optimize), "rewritten_data_files_count") == 1)
        #expect(metric(try bench.rows(optimize), "rewritten_data_files_count") == 0)
        #expect(try bench.rows("SELECT a FROM t") == ["0"])
    }

    @Test func whoMayOnlyReadMaintainsNothing() throws {
        let bench = try EngineBench(denied: [.tableAlter, .tableInsert])
        try bench.ok("CREATE TABLE t (a bigint)")
        for call in ["optimize", "optimize_manifests", "expire_snapshots", "remove_orphan_files"] {
            #expect(try bench.run("ALTER TABLE t EXECUTE \(call)").code == "PERMISSION_DENIED")
        }
    }
}
