import Appliance
import Bytes
import DemoBank
import HTTPClient
import HTTPMessages
import JSON
import Platform

/// The walkthrough `sales`: dropped CSV files, a pipeline with watermark and row digests, a gate, a dashboard.
final class SalesDemo: Walkthrough {
    let show: Show
    let directory: String
    private var host: DemoServer?
    /// What the shop's file holds at the moment.
    var data = SalesData.generate()

    static let table = "silver.sales.orders"
    static let bucket = "csv-uploads"
    static let key = "sales/orders.csv"

    init(_ show: Show, directory: String) {
        self.show = show
        self.directory = directory
    }

    func run() throws {
        try boot()
        try export()
        try drop()
        try pipeline()
        try dashboard()
        try reruns()
        try gate()
        try maintenance()
        whatNext()
    }

    func end() { host?.server.stop() }

    var loginLink: String? { host?.loginLink }

    func waitForEnd() -> Int32 { host?.server.run() ?? 0 }

    func running() throws -> DemoServer {
        guard let host else {
            throw WalkthroughError(.requestFailed, "the appliance does not run")
        }
        return host
    }

    /// The rows of a statement as texts.
    func rows(_ sql: String) throws -> [[String]] {
        try running().client.sql(sql).map { $0.map(DemoClient.text) }
    }

    func value(_ sql: String) throws -> String { try running().client.value(sql) }

    /// The data directory as it is typed.
    var lake: String { ShellWord.quoted(directory + "/lake") }

    /// How a person starts a pipeline.
    func pipelineCommand(_ name: String) -> String {
        "lakehouse pipeline run \(name) --wait --data \(lake)"
    }

    /// How a person copies a file into the bucket of uploads.
    func copyCommand(_ file: String, to key: String) -> String {
        "lakehouse s3 cp \(ShellWord.quoted("\(directory)/\(file)")) "
            + "\(ShellWord.quoted("s3://\(Self.bucket)/\(key)")) --data \(lake)"
    }

    /// How a person removes an object of that bucket.
    func removeCommand(_ key: String) -> String {
        "lakehouse s3 rm \(ShellWord.quoted("s3://\(Self.bucket)/\(key)")) --data \(lake)"
    }

    /// Runs a command beside the server, as a person would, and gives what it wrote.
    @discardableResult
    func command(_ words: String...) throws -> String {
        show.command(
            "lakehouse \(words.map(ShellWord.quoted).joined(separator: " ")) --data \(lake)")
        let streams = HeardStreams()
        let code = CommandLine.run(words + ["--data", directory + "/lake"], streams: streams)
        guard code == 0 else {
            throw WalkthroughError(
                .requestFailed,
                "\(words.joined(separator: " ")) ended with \(code): \(streams.complaints)")
        }
        return streams.text
    }

    // MARK: 1, 2

    private func boot() throws {
        show.step(1)
        show.command("lakehouse serve --data \(lake)")
        let host = try DemoServer(directory: directory, demo: "sales")
        self.host = host
        show.transcriptDirectory = directory + "/lake"
        show.result(
            "one process at \(host.publicURL)\n"
                + "lines that begin with $ are for a shell, those with sql> for: lakehouse sql --data \(lake)"
        )
        if show.breaks("boot.ready") {
            host.server.stop()
            self.host = nil
        }
        try show.claim("boot.ready") { try host.client.readiness() }
        show.endStep()
    }

    private func export() throws {
        show.step(2)
        if show.breaks("data.golden") { data.orders[0].cents += 1 }
        let customers = Set(data.orders.map(\.customer)).count
        let days = Set(data.orders.map(\.orderDay)).count
        let first = data.byCountry[0]
        show.result(
            "\(data.orders.count) orders, \(customers) customers, \(data.byCountry.count) "
                + "countries, \(days) days, \(BankSource.decimal(data.cents)) in all")
        try show.claim("data.golden") {
            (
                data.orders.count == 200 && customers == 50 && data.byCountry.count == 10
                    && days == 26 && data.cents == 30_771_999 && first.country == "USA"
                    && first.cents == 11_000_000,
                "\(data.orders.count) orders, \(customers) customers, \(data.byCountry.count) "
                    + "countries, \(days) days, \(data.cents) cents, \(first)"
            )
        }
        // No figure of the claim before, but another export.
        if show.breaks("data.digest") { data.orders[0].quantity += 1 }
        try show.claim("data.digest") {
            (data.digest == SalesData.publishedDigest, "sha256 \(data.digest)")
        }
        show.endStep()
    }

    // MARK: Doing

    /// Puts a file into the bucket of uploads; its entity tag.
    @discardableResult
    func put(_ key: String, _ text: String) throws -> String {
        let answer = try running().storage.send(
            .put, bucket: Self.bucket, key: key, body: Array(text.utf8))
        guard answer.status == 200 else {
            throw WalkthroughError(
                .requestFailed, "PUT \(key) answered \(answer.status): \(answer.text.prefix(200))")
        }
        return (answer.fields["ETag"] ?? "").filter { $0 != "\"" }
    }

    /// Puts the shop's file as `data` has it, here and into the bucket.
    func upload() throws {
        try LocalFileSystem().replaceDurably(
            directory + "/orders.csv", with: Array(data.csv.utf8), mode: 0o644)
        try put(Self.key, data.csv)
    }

    /// A run of the pipeline `sales` that has ended.
    struct Run {
        var state: String
        var message: String
        /// The steps' names and states, in their order.
        var steps: [(id: String, state: String, rows: Int)]

        /// Rows that the merge wrote.
        var merged: Int { steps.first { $0.id == "upsert_data_into_iceberg" }?.rows ?? -1 }
        var succeeded: Bool { state == "succeeded" }
    }

    /// Runs the pipeline to its end, whatever that is.
    @discardableResult
    func runSales(file: String = "s3://\(bucket)/\(key)") throws -> Run {
        try run("sales", ["file": file])
    }

    /// Runs a pipeline to its end, whatever that is.
    func run(_ pipeline: String, _ parameters: [String: String] = [:]) throws -> Run {
        let body: JSONValue = .object([
            ("parameters", .object(parameters.map { ($0.key, .string($0.value)) })),
            ("wait", true),
        ])
        let answer = try running().client.post("/api/v1/pipelines/\(pipeline)/runs", body)
        let run = try JSONValue(parsing: answer.body).cursor
        guard answer.status == 200 else {
            throw WalkthroughError(
                .requestFailed, "starting \(pipeline) answered \(answer.status): \(answer.text)")
        }
        return Run(
            state: try run["state"].string(),
            message: try run["message"].optionalString() ?? "",
            steps: try run["steps"].elements().map {
                (
                    try $0["id"].string(), try $0["state"].string(),
                    Int((try? $0["rows"].int64()) ?? 0)
                )
            })
    }

    /// Runs the pipeline and wants it to succeed.
    @discardableResult
    func load() throws -> Run {
        try upload()
        let run = try runSales()
        guard run.succeeded else {
            throw WalkthroughError(
                .requestFailed, "pipeline sales ended as \(run.state): \(run.message)",
                hint: run.steps.map { "\($0.id) \($0.state)" }.joined(separator: ", "))
        }
        return run
    }

    /// Waits until the condition holds, 30 seconds at the most; whether it does.
    func waitUntil(
        _ limit: Duration = .seconds(30), _ condition: () throws -> Bool
    ) -> Bool {
        let clock = SystemMonotonicClock()
        let deadline = clock.now() + limit
        while clock.now() < deadline {
            // A table that is not there yet is an error of the statement.
            if let holds = try? condition(), holds { return true }
            Thread.sleep(for: .milliseconds(20))
        }
        return false
    }

    func snapshot(_ table: String) throws -> String {
        let parts = table.split(separator: ".")
        return try value(
            "SELECT snapshot_id FROM \(parts[0]).\(parts[1]).\"\(parts[2])$snapshots\" "
                + "ORDER BY committed_at DESC, snapshot_id LIMIT 1")
    }

    // MARK: 8, 9

    private func maintenance() throws {
        show.step(8)
        let files = "SELECT count(*) FROM silver.sales.\"orders$files\""
        let content =
            "SELECT count(*), checksum(order_id), checksum(amount), checksum(_row_hash) "
            + "FROM \(Self.table)"
        let before = try value(files)
        let crowdedBefore = try crowdedDays()
        let digest = try rows(content)[0]
        let command = "ALTER TABLE \(Self.table) EXECUTE optimize"
        show.sql(command)
        _ = try rows(command)
        if show.breaks("maintenance.fewer-files") {
            // Another correction.
            _ = try rows("UPDATE \(Self.table) SET amount = amount WHERE order_id = 1001")
        }
        let after = try value(files)
        show.result("\(before) files, now \(after)")
        try show.claim("maintenance.fewer-files") {
            let days = try value("SELECT count(DISTINCT ingestion_date) FROM \(Self.table)")
            let crowded = try crowdedDays()
            return (
                !crowdedBefore.isEmpty && crowded.isEmpty && after == days,
                "before, \(before) files, several for each of \(crowdedBefore.joined(separator: ", ")); "
                    + "after, \(after) files for \(days) days, several for "
                    + (crowded.isEmpty ? "none" : crowded.joined(separator: ", "))
            )
        }
        if show.breaks("maintenance.same-content") {
            _ = try rows("UPDATE \(Self.table) SET amount = amount + 1 WHERE order_id = 1001")
        }
        try show.claim("maintenance.same-content") {
            let now = try rows(content)[0]
            return (now == digest, "checksums before \(digest), after \(now)")
        }
        try night()
        show.endStep()
    }

    /// The days with more than one file, counting those that hide rows of another.
    private func crowdedDays() throws -> [String] {
        try rows(
            "SELECT CAST(\"partition\".ingestion_date AS varchar) FROM silver.sales.\"orders$files\" "
                + "GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
        ).map { $0[0] }
    }

    /// What is done every night, now.
    private func night() throws {
        show.command(pipelineCommand("maintenance"))
        if show.breaks("maintenance.night") { _ = try rows("DROP TABLE bronze.shop.returns") }
        let run = try self.run("maintenance")
        show.result("the run \(run.state)")
        try show.claim("maintenance.night") {
            let done = try rows(
                "SELECT DISTINCT operation FROM system.maintenance.log WHERE catalog_name = 'silver' "
                    + "AND schema_name = 'sales' AND table_name = 'orders' AND branch_name = 'main' "
                    + "AND state = 'FINISHED' ORDER BY 1"
            ).map { $0[0] }
            let tables = try rows(
                "SELECT DISTINCT table_name FROM system.maintenance.log ORDER BY 1"
            ).map { $0[0] }
            let wanted = ["expire_snapshots", "optimize", "remove_orphan_files"]
            return (
                run.succeeded && Set(done).isSuperset(of: wanted)
                    && tables.contains("returns") && !tables.contains { $0.hasPrefix("_") },
                "done with orders: \(done), tables: \(tables)"
            )
        }
    }

    private func whatNext() {
        show.step(9)
        let data = lake
        for line in [
            "eval \"$(lakehouse connect env --data \(data))\"",
            "aws s3 cp \(ShellWord.quoted(directory + "/orders.csv")) "
                + "s3://\(Self.bucket)/bronze/shop/more/more.csv",
            "lakehouse connect duckdb --data \(data)",
            "lakehouse sql --data \(data) -c 'select country, sum(amount) from \(Self.table) group by 1'",
        ] { show.command(line) }
        show.endStep()
    }
}
