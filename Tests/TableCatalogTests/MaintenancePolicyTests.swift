import Authority
import Iceberg
import Platform
import SQLite
import TableCatalog
import Testing

/// Policies and the log.
struct MaintenancePolicyTests {
    @Test(
        "lengths of time",
        arguments: [
            ("7d", 604_800_000, "7.00d"), ("1.5h", 5_400_000, "1.50h"),
            ("30m", 1_800_000, "30.00m"),
            ("0s", 0, "0.00s"), ("250ms", 250, "250.00ms"),
        ] as [(String, Int64, String)])
    func lengths(_ text: String, _ milliseconds: Int64, _ shown: String) {
        let duration = MaintenanceDuration(text)
        #expect(duration?.milliseconds == milliseconds && duration?.text == shown)
    }

    @Test(
        "what is no length of time",
        arguments: ["", "7", "d", "-1d", "1x", "nand", "infd", "1e30d"])
    func noLengths(_ text: String) { #expect(MaintenanceDuration(text) == nil) }

    @Test func theNearestPropertyCounts() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        func policy() throws -> MaintenancePolicy {
            try catalog.maintenancePolicy(context, at, bench.table)
        }
        #expect(try policy() == MaintenancePolicy())
        try catalog.updateWarehouse(
            context, name: "silver",
            set: ["maintenance.retention": "30d", "maintenance.enabled": "false"], remove: [])
        #expect(try policy().retention == "30d" && !policy().isEnabled)
        _ = try catalog.updateNamespace(
            context, at, ["sales"],
            set: ["maintenance.retention": "3d", "maintenance.operations": "expire_snapshots"],
            remove: [])
        #expect(try policy().retention == "3d" && policy().operations == [.expireSnapshots])
        try catalog.setProperties(
            context, at, bench.table,
            set: ["maintenance.enabled": "true", "maintenance.retain-last": "5"], remove: [])
        #expect(try policy().isEnabled && policy().retainLast == 5)
        try catalog.updateWarehouse(
            context, name: "silver", set: [:], remove: ["maintenance.enabled"])
        #expect(
            try catalog.warehouse(context, name: "silver").properties == [
                "maintenance.retention": "30d"
            ])
    }

    @Test(
        "values that cannot be",
        arguments: [
            ("maintenance.enabled", "yes"), ("maintenance.retention", "a week"),
            ("maintenance.retain-last", "0"), ("maintenance.operations", "vacuum"),
            ("maintenance.optimize.file-size-threshold", "big"), ("maintenance.retentoin", "1d"),
        ])
    func wrongValues(_ key: String, _ value: String) {
        #expect {
            var policy = MaintenancePolicy()
            try policy.apply([key: value])
        } throws: {
            ($0 as? CatalogError)?.code == .invalidRequest && ($0 as? CatalogError)?.hint != nil
        }
    }

    @Test func theLogIsKeptAndKnowsWhatWasCutOff() throws {
        let bench = try Bench()
        try bench.prepare()
        func record(_ table: String) -> MaintenanceRecord {
            MaintenanceRecord(
                runID: "run", operation: "optimize", at: bench.at, namespace: ["sales"],
                table: table, startedMicroseconds: 5, isDryRun: false, requestedBy: "ann")
        }
        var done = record("Orders")
        try bench.catalog.maintenance.begin(bench.context, &done)
        done.outcome = .finished
        done.endedMicroseconds = 9
        done.before = TableFootprint(snapshots: 3, files: 4, bytes: 5)
        done.message = "well"
        try bench.catalog.maintenance.end(done)
        var cut = record("other")
        try bench.catalog.maintenance.begin(bench.context, &cut)
        bench.catalog.close()

        let again = try Bench(folder: bench.folder, store: bench.store)
        defer { again.close() }
        let records = try again.catalog.maintenanceRecords(again.context, runID: "run")
        #expect(records.map(\.outcome) == [.interrupted, .finished])
        #expect(records.last == done)
        #expect(try again.catalog.maintenanceRecords(again.context, runID: "none").isEmpty)
    }

    @Test func theLogIsReadByThoseWhoMayListTheTables() throws {
        let bench = try Bench(authorizer: Everybody(denied: [.tableList]))
        defer { bench.close() }
        var entry = MaintenanceRecord(
            runID: "run", operation: "optimize", at: bench.at, namespace: ["sales"],
            table: "Orders",
            startedMicroseconds: 5, isDryRun: false, requestedBy: "ann")
        try bench.catalog.maintenance.begin(bench.context, &entry)
        #expect(try bench.catalog.maintenanceRecords(bench.context).isEmpty)
    }
}
