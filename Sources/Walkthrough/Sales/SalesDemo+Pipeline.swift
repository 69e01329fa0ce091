import Appliance
import DemoBank
import HTTPClient
import HTTPMessages
import JSON
import Platform

extension SalesDemo {
    private static let figures =
        "SELECT count(*), count(DISTINCT customer_id), count(DISTINCT country), "
        + "count(DISTINCT order_date), sum(amount) FROM \(table)"

    // MARK: 4

    /// The shop's export goes through the six steps and the gate.
    func pipeline() throws {
        show.step(4)
        show.command(copyCommand("orders.csv", to: Self.key))
        show.command(pipelineCommand("sales"))
        let bad = data.csv.replacing("country,product", with: "land,product")
        let badKey = "sales/without-country.csv"
        if show.breaks("sales.refuses") {
            try declareSales { $0.replacing("country: varchar", with: "") }
        }
        try put(badKey, bad)
        let refused = try runSales(file: "s3://\(Self.bucket)/\(badKey)")
        let wasWritten = try !rows("SHOW SCHEMAS FROM bronze LIKE 'sales'").isEmpty
        try show.claim("sales.refuses") {
            (
                refused.state == "failed" && refused.steps.first?.state == "failed" && !wasWritten,
                "the run \(refused.state): \(refused.message); written: \(wasWritten)"
            )
        }

        try upload()
        if show.breaks("sales.steps") {
            _ = try running().storage.send(.delete, bucket: Self.bucket, key: Self.key)
        }
        let run = try runSales()
        for step in run.steps { show.result("\(step.id): \(step.state), \(step.rows) rows") }
        try show.claim("sales.steps") {
            let wanted = [
                "validate_csv_schema", "upload_csv_to_s3", "create_iceberg_namespace",
                "create_iceberg_table", "upsert_data_into_iceberg", "update_watermark",
                "quality_gate", "publish",
            ]
            return (
                run.succeeded && run.steps.map(\.id) == wanted
                    && run.steps.allSatisfy { $0.state == "succeeded" },
                "\(run.state) \(run.message): \(run.steps.map { "\($0.id) \($0.state)" })"
            )
        }
        if show.breaks("sales.golden") {
            _ = try rows("UPDATE \(Self.table) SET amount = amount + 0.01 WHERE order_id = 1001")
        }
        try show.claim("sales.golden") {
            let found = try rows(Self.figures)[0]
            show.result(
                "orders, customers, countries, days, revenue: \(found.joined(separator: ", "))")
            return (found == ["200", "50", "10", "26", "307719.99"], "\(found)")
        }
        if show.breaks("sales.partitioned") {
            _ = try rows("ALTER TABLE \(Self.table) SET PROPERTIES partitioning = ARRAY[]")
            _ = try rows("UPDATE \(Self.table) SET quantity = quantity + 1")
        }
        try show.claim("sales.partitioned") {
            let files = try rows(
                "SELECT count(DISTINCT \"$path\"), count(DISTINCT ingestion_date) FROM \(Self.table)"
            )[0]
            let mixed = try value(
                "SELECT count(*) FROM (SELECT \"$path\" FROM \(Self.table) GROUP BY \"$path\" "
                    + "HAVING count(DISTINCT ingestion_date) > 1) x")
            return (
                files[1] == "26" && mixed == "0",
                "\(files[0]) files, \(files[1]) dates, \(mixed) files of several dates"
            )
        }
        show.endStep()
    }

    // MARK: 5

    private func tile(_ id: String, _ query: String = "") throws -> [[String]] {
        let path = "/dashboards/sales-lakehouse/tiles/\(id)/csv\(query)"
        let answer = try running().client.get(path)
        guard answer.status == 200 else {
            throw WalkthroughError(.requestFailed, "\(path) answered \(answer.status)")
        }
        return answer.text.split(whereSeparator: \.isNewline).dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Eight charts of the golden numbers, narrowed by country and day.
    func dashboard() throws {
        show.step(5)
        show.result("\(try running().publicURL)/dashboards/sales-lakehouse")
        if show.breaks("dashboard.charts") {
            _ = try rows("DELETE FROM \(Self.table) WHERE country = 'USA'")
        }
        try show.claim("dashboard.charts") {
            let charts = [
                ("total-revenue", 1), ("total-orders", 1), ("average-order-value", 1),
                ("revenue-by-country", 10), ("orders-by-country", 10), ("daily-revenue-trend", 26),
                ("daily-orders-trend", 26), ("top-customers", 10),
            ]
            let counts = try charts.map { try tile($0.0).count }
            let page = try running().client.get("/dashboards/sales-lakehouse")
            let first = try tile("revenue-by-country").first ?? []
            return (
                counts == charts.map(\.1) && page.status == 200 && page.text.contains("307,719.99")
                    && page.text.contains("1,538.60") && first == ["USA", "110000.00"],
                "rows of the charts \(counts), the page answered \(page.status), first \(first)"
            )
        }
        if show.breaks("dashboard.filters") { try misplaceFilter() }
        try show.claim("dashboard.filters") {
            let narrowed = try tile("total-orders", "?country=Japan").first ?? []
            let wanted = try rows(
                "SELECT count(*) FROM \(Self.table) WHERE country = 'Japan'")[0]
            let day =
                try tile(
                    "total-revenue", "?day=2024-01-05..2024-01-05"
                ).first ?? []
            let ofDay = try rows(
                "SELECT sum(amount) FROM \(Self.table) WHERE order_date = DATE '2024-01-05'")[0]
            return (
                narrowed == wanted && day == ofDay,
                "orders of Japan \(narrowed), SQL \(wanted); revenue of a day \(day), SQL \(ofDay)"
            )
        }
        show.endStep()
    }

    /// Declares the pipeline anew with another text.
    private func declareSales(_ change: (String) -> String) throws {
        let folder = "demos/sales/"
        var models: [String: String] = [:]
        for path in EmbeddedFiles.paths where path.hasPrefix(folder + "models/") {
            models[String(path.dropFirst(folder.count))] = EmbeddedFiles.text(path) ?? ""
        }
        let path = folder + "pipelines/sales.yml"
        try running().server.appliance.declarePipeline(
            change(EmbeddedFiles.text(path) ?? ""), source: path, files: models)
    }

    /// Puts a dashboard before the binary's whose filter of countries looks at another column.
    private func misplaceFilter() throws {
        let text = EmbeddedFiles.text("demos/sales/dashboards/sales-lakehouse.yml") ?? ""
        let files = LocalFileSystem()
        try files.makeDirectory(directory + "/lake/dashboards", mode: 0o700)
        try files.replaceDurably(
            directory + "/lake/dashboards/sales-lakehouse.yml",
            with: Array(text.replacing("column: country", with: "column: product").utf8),
            mode: 0o600)
    }

    // MARK: 6

    private func watermark() throws -> String {
        try value("SELECT max(watermark) FROM silver.sales._watermarks WHERE pipeline = 'sales'")
    }

    /// Puts the watermark somewhere else.
    private func setWatermark(_ day: Int) throws {
        _ = try rows(
            "UPDATE silver.sales._watermarks SET watermark = DATE '\(SalesData.date(day))' "
                + "WHERE pipeline = 'sales'")
    }

    private func amount(_ id: Int) throws -> String {
        try value(
            "SELECT array_join(array_agg(CAST(amount AS varchar)), '+') FROM \(Self.table) WHERE order_id = \(id)"
        )
    }

    /// The same file again and again, with one thing changed each time.
    func reruns() throws {
        show.step(6)
        try identical()
        try changedAmount()
        try newIDs()
        try onlyNewer()
        try sameDate()
        try reset()
        show.endStep()
    }

    private func identical() throws {
        let before = try snapshot(Self.table)
        if show.breaks("rerun.identical") {
            _ = try rows("UPDATE \(Self.table) SET _row_hash = 'x' WHERE order_id = 1200")
        }
        let run = try load()
        try show.claim("rerun.identical") {
            let after = try snapshot(Self.table)
            return (
                after == before && run.merged == 0,
                "\(run.merged) rows merged, snapshot \(before) before, \(after) after"
            )
        }
    }

    /// A correction that the shop exports a day later.
    private func changedAmount() throws {
        data.orders[9].cents += 10_000
        data.orders[9].ingestionDay = data.lastIngestionDay + 1
        let wanted = BankSource.decimal(data.orders[9].cents)
        let run = try load()
        if show.breaks("rerun.changed-amount") {
            _ = try rows(
                "UPDATE \(Self.table) SET amount = amount - 100 "
                    + "WHERE order_id = \(data.orders[9].id)")
        }
        try show.claim("rerun.changed-amount") {
            let found = try amount(data.orders[9].id)
            let count = try value("SELECT count(*) FROM \(Self.table)")
            return (
                found == wanted && count == "200" && run.merged == 1,
                "order \(data.orders[9].id) has \(found), wanted \(wanted); \(count) orders, "
                    + "\(run.merged) merged"
            )
        }
    }

    /// The next orders of the shop.
    private func appendOrders(_ count: Int, on day: Int) {
        for number in 0..<count {
            var order = data.orders[number * 7]
            order.id = 1001 + data.orders.count
            order.orderDay = day
            order.ingestionDay = day
            order.cents = 12_345 + number
            data.orders.append(order)
        }
    }

    private func newIDs() throws {
        let before = try watermark()
        let day = data.lastIngestionDay + 1
        appendOrders(5, on: day)
        let run = try load()
        if show.breaks("rerun.new-ids") {
            _ = try rows("DELETE FROM \(Self.table) WHERE order_id = 1203")
        }
        if show.breaks("rerun.new-dates") { try setWatermark(day - 1) }
        try show.claim("rerun.new-ids") {
            let count = try value("SELECT count(*) FROM \(Self.table) WHERE order_id > 1200")
            return (count == "5" && run.merged == 5, "\(count) new orders, \(run.merged) merged")
        }
        try show.claim("rerun.new-dates") {
            let after = try watermark()
            return (
                after == SalesData.date(day) && after > before,
                "watermark \(before) before, \(after) after"
            )
        }
    }

    /// An old row changes without a newer date, beside three newer orders.
    private func onlyNewer() throws {
        data.orders[19].cents += 5_000
        // As if nothing had been read yet.
        if show.breaks("rerun.only-newer") { try setWatermark(SalesData.firstDay) }
        let before = try amount(data.orders[19].id)
        appendOrders(3, on: data.lastIngestionDay + 1)
        let run = try load()
        try show.claim("rerun.only-newer") {
            let after = try amount(data.orders[19].id)
            return (
                run.merged == 3 && after == before,
                "\(run.merged) rows merged, the old order had \(before) and has \(after)"
            )
        }
    }

    private func sameDate() throws {
        let last = data.orders.count - 1
        data.orders[last].cents += 777
        let wanted = BankSource.decimal(data.orders[last].cents)
        // As if a day that is to come had been read.
        if show.breaks("rerun.same-date") { try setWatermark(data.lastIngestionDay + 1) }
        let before = try watermark()
        let run = try load()
        try show.claim("rerun.same-date") {
            let found = try amount(data.orders[last].id)
            let after = try watermark()
            return (
                found == wanted && run.merged == 1 && after == before,
                "order \(data.orders[last].id) has \(found), wanted \(wanted); \(run.merged) merged, "
                    + "watermark \(before) and \(after)"
            )
        }
    }

    private func reset() throws {
        let wanted = try value("SELECT max(ingestion_date) FROM \(Self.table)")
        if show.breaks("watermark.shown") { try setWatermark(SalesData.firstDay) }
        let shown = try command("watermark", "show", "sales", "--json")
        try show.claim("watermark.shown") {
            let marks = try JSONValue(parsing: shown).cursor.elements()
            let found = try marks.map { try $0["watermark"].optionalString() ?? "" }
            return (
                found == [wanted], "the command shows \(found), the newest order is of \(wanted)"
            )
        }
        try command("watermark", "reset", "sales")
        if show.breaks("watermark.reset") {
            _ = try rows(
                "INSERT INTO silver.sales._watermarks (pipeline, watermark, updated_at) "
                    + "VALUES ('sales', DATE '\(wanted)', localtimestamp)")
        }
        let run = try load()
        try show.claim("watermark.reset") {
            let found = try amount(data.orders[19].id)
            let wanted = BankSource.decimal(data.orders[19].cents)
            let sum = try value("SELECT sum(amount) FROM \(Self.table)")
            return (
                found == wanted && run.merged == 1 && sum == BankSource.decimal(data.cents),
                "the old order has \(found), wanted \(wanted); \(run.merged) merged, sum \(sum)"
            )
        }
    }

    // MARK: 7

    func gate() throws {
        show.step(7)
        let results =
            "SELECT count(DISTINCT kind), count(*), count_if(status = 'passed') FROM ("
            + "SELECT kind, status FROM system.quality.quality_results WHERE run_id = ("
            + "SELECT max_by(run_id, checked_at) FROM system.quality.quality_results))"
        if show.breaks("gate.eight") {
            _ = try rows("DROP CHECK quantities ON \(Self.table)")
            try load()
        }
        try show.claim("gate.eight") {
            let found = try rows(results)[0]
            return (found == ["8", "8", "8"], "kinds, checks, passed: \(found)")
        }
        let before = try rows(Self.figures)[0]
        appendOrders(2, on: data.lastIngestionDay + 1)
        let mended = data
        if show.breaks("gate.red") {
            _ = try rows("DROP CHECK amounts_are_positive ON \(Self.table)")
        }
        let last = data.orders.count - 1
        data.orders[last].cents = -5_000
        data.orders.append(data.orders[last - 1])
        try upload()
        show.command(copyCommand("orders.csv", to: Self.key))
        show.command(pipelineCommand("sales"))
        let red = try runSales()
        show.result("the run \(red.state): \(red.message)")
        try show.claim("gate.red") {
            let after = try rows(Self.figures)[0]
            return (
                red.state == "failed" && red.message.contains("ids_are_unique")
                    && red.message.contains("amounts_are_positive") && after == before,
                "the run \(red.state): \(red.message); main had \(before) and has \(after)"
            )
        }
        data = mended
        try upload()
        let green = try runSales()
        if show.breaks("gate.green") {
            _ = try rows("DELETE FROM \(Self.table) WHERE order_id = \(data.orders[last].id)")
        }
        try show.claim("gate.green") {
            let after = try rows("SELECT count(*), sum(amount) FROM \(Self.table)")[0]
            let wanted = ["\(mended.orders.count)", BankSource.decimal(mended.cents)]
            return (
                green.succeeded && after == wanted,
                "the run \(green.state): \(green.message); main has \(after), wanted \(wanted)"
            )
        }
        show.endStep()
    }
}
