import HTTPClient
import HTTPMessages
import JSON
import Platform

extension SalesDemo {
    private static let folder = "bronze/shop"

    private func columns(_ table: String) throws -> [String] {
        try rows(
            "SELECT column_name, data_type FROM bronze.information_schema.columns "
                + "WHERE table_schema = 'shop' AND table_name = '\(table)' "
                + "AND column_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY ordinal_position"
        ).map { $0.joined(separator: " ") }
    }

    private func count(_ table: String) throws -> String {
        try value("SELECT count(*) FROM bronze.shop.\(table)")
    }

    /// Files of four dialects are dropped, change, grow a column, and go.
    func drop() throws {
        show.step(3)
        let storage = try running().storage
        let made = try storage.send(.put, bucket: Self.bucket)
        guard made.status == 200 else {
            throw WalkthroughError(.requestFailed, "making the bucket answered \(made.status)")
        }
        try LocalFileSystem().replaceDurably(
            directory + "/returns.csv", with: Array(Self.returnsText.utf8), mode: 0o644)
        show.command(copyCommand("returns.csv", to: "\(Self.folder)/returns/returns.csv"))
        try delimiters()
        try types()
        try registry()
        try evolution()
        try replacing()
        try removal()
        try folders()
        show.endStep()
    }

    private static let customersText =
        "customer_id,active,since\nC001,true,2023-05-01\nC002,false,2023-06-15\nC003,true,2023-07-20\n"

    /// Twelve returns, with one refund that is none.
    private static var returnsText: String {
        var text = "Return ID;Order No.;Returned on;Refund USD\n"
        for number in 1...12 {
            let day = number < 10 ? "0\(number)" : "\(number)"
            text +=
                "\(number);\(1000 + number);\(day).02.2024;\(number == 7 ? "n/a" : "\(number).50")\n"
        }
        return text
    }

    private static let shipmentsText =
        "shipment\torder_id\tshipped_at\nS-1\t1001\t2024/01/03 14:05:00\nS-2\t1002\t2024/01/04 09:30:15\n"

    private static let productsText =
        "sku|name|price|Second hand\nLAP|\"Laptop | 14 inch\"|999.00|0\nDES|Desk|249.90|1\n"

    private func delimiters() throws {
        try put("\(Self.folder)/customers/customers.csv", Self.customersText)
        try put("\(Self.folder)/returns/returns.csv", Self.returnsText)
        try put("\(Self.folder)/shipments/shipments.csv", Self.shipmentsText)
        try put("\(Self.folder)/products/products.csv", Self.productsText)
        let isBroken = show.breaks("drop.delimiters")
        if isBroken {
            _ = waitUntil { try count("products") == "2" }
            _ = try rows("DELETE FROM bronze.shop.products WHERE sku = 'DES'")
        }
        try show.claim("drop.delimiters") {
            let wanted = ["customers": "3", "returns": "12", "shipments": "2", "products": "2"]
            var found: [String: String] = [:]
            let arrived = waitUntil(.seconds(isBroken ? 2 : 30)) {
                for table in wanted.keys { found[table] = try count(table) }
                return found == wanted
            }
            let width = try columns("products").count
            return (
                arrived && width == 4,
                "rows by table: \(found.sorted { $0.key < $1.key }), products with \(width) columns"
            )
        }
    }

    private func types() throws {
        if show.breaks("drop.types") {
            _ = try rows("UPDATE bronze.shop.returns SET refund_usd = NULL WHERE return_id = 3")
        }
        try show.claim("drop.types") {
            let found = [
                try columns("customers"), try columns("returns"), try columns("shipments"),
                try columns("products"),
            ]
            for line in found { show.result(line.joined(separator: ", ")) }
            let odd = try value("SELECT count(*) FROM bronze.shop.returns WHERE refund_usd IS NULL")
            return (
                found == [
                    ["customer_id varchar", "active boolean", "since date"],
                    [
                        "return_id bigint", "order_no bigint", "returned_on date",
                        "refund_usd decimal(18,2)",
                    ],
                    ["shipment varchar", "order_id bigint", "shipped_at timestamp(6)"],
                    ["sku varchar", "name varchar", "price decimal(18,2)", "second_hand bigint"],
                ] && odd == "1",
                "\(found), \(odd) refund is NULL"
            )
        }
    }

    private func registry() throws {
        let tag = try put("\(Self.folder)/returns/march.csv", "Return ID;Refund USD\n20;1.00\n")
        _ = waitUntil { try count("returns") == "13" }
        if show.breaks("drop.registry") {
            _ = try rows("UPDATE bronze.shop.returns SET _source_etag = 'x' WHERE return_id = 20")
        }
        try show.claim("drop.registry") {
            let files = try rows(
                "SELECT _source_file, _source_etag, count(*), count(_ingested_at) "
                    + "FROM bronze.shop.returns GROUP BY 1, 2 ORDER BY 1")
            for file in files { show.result(file.joined(separator: "  ")) }
            let place = "s3://\(Self.bucket)/\(Self.folder)/returns/"
            return (
                files.count == 2 && files[0] == [place + "march.csv", tag, "1", "1"]
                    && files[1][0] == place + "returns.csv" && files[1][2] == "12"
                    && files[1][3] == "12",
                "\(files), S3 said \(tag)"
            )
        }
    }

    private func evolution() throws {
        try put("\(Self.folder)/customers/new.csv", "customer_id,city\nC004,Vienna\n")
        _ = waitUntil { try count("customers") == "4" }
        if show.breaks("drop.evolves") {
            _ = try rows("ALTER TABLE bronze.shop.customers DROP COLUMN city")
        }
        try show.claim("drop.evolves") {
            let found = try columns("customers")
            let cities =
                found.last == "city varchar"
                ? try rows("SELECT count(*), count(city) FROM bronze.shop.customers")[0] : []
            return (
                found.last == "city varchar" && cities == ["4", "1"],
                "\(found), rows and cities \(cities)"
            )
        }
    }

    private func replacing() throws {
        let text = "Return ID;Refund USD\n20;2.00\n21;3.00\n22;4.00\n"
        try put("\(Self.folder)/returns/march.csv", text)
        _ = waitUntil { try count("returns") == "15" }
        if show.breaks("drop.replaces") {
            _ = try rows("DELETE FROM bronze.shop.returns WHERE return_id = 3")
        }
        try show.claim("drop.replaces") {
            let found = try rows(
                "SELECT count(*), count_if(return_id >= 20), "
                    + "sum(CASE WHEN return_id >= 20 THEN refund_usd END) FROM bronze.shop.returns")[
                    0]
            return (found == ["15", "3", "9.00"], "rows, of the changed file, their sum: \(found)")
        }
        let before = try snapshot("bronze.shop.returns")
        let former = try lastUpload().id
        try put("\(Self.folder)/returns/march.csv", text)
        let looked = waitUntil {
            let last = try lastUpload()
            return last.id != former && last.state == "succeeded"
        }
        if show.breaks("drop.same-tag") {
            _ = try rows(
                "UPDATE bronze.shop.returns SET refund_usd = refund_usd WHERE return_id = 20")
        }
        try show.claim("drop.same-tag") {
            let after = try snapshot("bronze.shop.returns")
            return (looked && after == before, "snapshot \(before) before, \(after) after")
        }
    }

    /// The last run of the pipeline `uploads`, and how it stands.
    private func lastUpload() throws -> (id: String, state: String) {
        let answer = try running().client.get("/api/v1/pipelines")
        for pipeline in try JSONValue(parsing: answer.body).cursor.elements()
        where try pipeline["name"].string() == "uploads" {
            return (
                try pipeline["lastRun"].optionalString() ?? "",
                try pipeline["lastState"].optionalString() ?? ""
            )
        }
        return ("", "")
    }

    private func removal() throws {
        let key = "\(Self.folder)/returns/march.csv"
        show.command(removeCommand(key))
        if show.breaks("drop.removed") { try command("pipeline", "remove", "uploads") }
        _ = try running().storage.send(.delete, bucket: Self.bucket, key: key)
        try show.claim("drop.removed") {
            let limit: Duration = show.breaks("drop.removed") ? .seconds(2) : .seconds(30)
            let gone = waitUntil(limit) { try count("returns") == "12" }
            let left = try count("returns")
            return (gone, "\(left) rows are left")
        }
    }

    /// A folder for each day, taken together by a pattern.
    private func folders() throws {
        let files = [
            ("2024-01-01/a.csv", "till,amount\n1,10.00\n2,20.00\n"),
            ("2024-01-02/a.csv", "till,amount\n1,30.00\n"),
            ("2024-01-02/notes.txt", "no table\n"),
            ("2023-12-31/a.csv", "till,amount\n1,99.00\n"),
        ]
        for (name, text) in files { try put("tills/\(name)", text) }
        show.command(pipelineCommand("days"))
        let first = try run("days")
        func days() throws -> [[String]] {
            try rows(
                "SELECT regexp_extract(_source_file, 'tills/(.*)', 1), count(*), sum(amount) "
                    + "FROM bronze.shop.days GROUP BY 1 ORDER BY 1")
        }
        if show.breaks("folder.pattern") {
            _ = try rows("DELETE FROM bronze.shop.days WHERE till = 2")
        }
        try show.claim("folder.pattern") {
            let found = try days()
            return (
                first.succeeded
                    && found == [
                        ["2024-01-01/a.csv", "2", "30.00"], ["2024-01-02/a.csv", "1", "30.00"],
                    ],
                "the run \(first.state) \(first.message), files with rows and sums: \(found)"
            )
        }
        show.command(removeCommand("tills/2024-01-01/a.csv"))
        _ = try running().storage.send(.delete, bucket: Self.bucket, key: "tills/2024-01-01/a.csv")
        let before = try snapshot("bronze.shop.days")
        let second = try run("days")
        if show.breaks("folder.missing") {
            // Somebody puts the rows back.
            _ = try rows(
                "INSERT INTO bronze.shop.days SELECT * FROM bronze.shop.days "
                    + "FOR VERSION AS OF \(before) WHERE _source_file LIKE '%2024-01-01%'")
        }
        try show.claim("folder.missing") {
            let found = try days()
            return (
                second.succeeded && found.count == 1
                    && found.first == ["2024-01-02/a.csv", "1", "30.00"],
                "the run \(second.state) \(second.message), files with rows and sums: \(found)"
            )
        }
    }
}
