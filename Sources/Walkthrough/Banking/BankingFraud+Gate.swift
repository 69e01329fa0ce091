import DemoBank
import HTTPClient
import JSON
import Platform

extension BankingFraud {
    /// The checks that bookings have to pass.
    private static let checks: [(name: String, kind: String, options: String)] = [
        ("ids_are_unique", "uniqueness", "column = 'transaction_id'"),
        ("accounts_and_amounts", "not_null", "columns = ARRAY['account_id', 'amount']"),
        ("known_currencies", "accepted_values", "column = 'currency', \"values\" = ARRAY['EUR']"),
        (
            "known_regions", "accepted_values",
            "column = 'region', \"values\" = ARRAY["
                + BankGeography.regions.map { "'\($0.name)'" }.joined(separator: ", ") + "]"
        ),
        ("latitudes", "range", "column = 'latitude', min = -90, max = 90"),
        ("longitudes", "range", "column = 'longitude', min = -180, max = 180"),
        ("devices", "regex", "column = 'device', pattern = '[a-z]+-[0-9]+'"),
        (
            "accounts_exist", "relationships",
            "column = 'account_id', to = 'silver.banking.accounts'"
        ),
        ("enough_rows", "row_count_range", "min = 1000"),
    ]

    /// Late bookings come through a gate: red with planted bad rows, green once they are corrected.
    func gate() throws {
        let client = try connected()
        show.step(5)
        for check in BankingFraud.checks {
            let sql =
                "CREATE OR REPLACE CHECK \(check.name) ON \(BankingFraud.table) "
                + "USING \(check.kind) WITH (\(check.options))"
            show.sql(sql)
            _ = try client.sql(sql)
        }
        show.result("\(BankingFraud.checks.count) checks guard \(BankingFraud.table)")
        if show.breaks("gate.red") {
            // But for the one that no bad row fails.
            for check in Self.checks.dropLast() {
                _ = try client.sql("DROP CHECK \(check.name) ON \(Self.table)")
            }
        }
        let late = BankSource.LateBookings(count: 400, bad: 7)
        try source.addLateBookings(late, bank: bank, generator: generator)
        let before = try client.value("SELECT count(*) FROM \(BankingFraud.table)")
        let reader = try MainReader(
            client: persona("engineer"), table: BankingFraud.table)
        defer { reader.stop() }

        show.command(pipelineCommand("late-bookings"))
        let red = try outcome(of: "late-bookings")
        show.result("the gate is \(red.state == "succeeded" ? "green" : "red"): \(red.message)")
        try show.claim("gate.red") {
            let after = try client.value("SELECT count(*) FROM \(BankingFraud.table)")
            return (
                red.state == "failed" && red.message.contains("gate is red") && after == before,
                "the run \(red.state); main had \(before) rows and has \(after)"
            )
        }
        redBranch =
            try client.sql("SHOW BRANCHES FROM silver").compactMap(\.first).map(DemoClient.text)
            .filter { $0.hasPrefix("run_") }.last ?? "none"
        try quarantined(client)
        if show.breaks("gate.readers") {
            _ = try client.sql(
                "UPDATE \(BankingFraud.table) SET currency = 'EURO' WHERE transaction_id = 11")
            reader.look()
            _ = try client.sql(
                "UPDATE \(BankingFraud.table) SET currency = 'EUR' WHERE transaction_id = 11")
        }

        try source.correctLateBookings(sparing: show.breaks("gate.published") ? 1 : 0)
        show.result("corrected at the source, run again")
        show.command(pipelineCommand("late-bookings"))
        let green = try outcome(of: "late-bookings")
        try show.claim("gate.published") {
            let after = try client.value("SELECT count(*) FROM \(BankingFraud.table)")
            let wanted = String((Int(before) ?? 0) + late.count)
            return (
                green.state == "succeeded" && after == wanted,
                "the run \(green.state): \(green.message); main has \(after) rows, wanted \(wanted)"
            )
        }
        reader.look()
        reader.stop()
        try show.claim("gate.readers") {
            let seen = reader.seen
            let good: Set<String> = [
                "\(before) 0", "\((Int(before) ?? 0) + late.count) 0",
            ]
            return (
                seen.isSubset(of: good) && seen.count == 2,
                "\(reader.looks) looks at main saw (rows, bad rows): \(seen.sorted())"
            )
        }
        show.endStep()
    }

    private func quarantined(_ client: DemoClient) throws {
        let table = "\"silver@\(redBranch)\".banking.transactions__quarantine"
        if show.breaks("gate.quarantine") {
            _ = try client.sql("DELETE FROM \(table) WHERE currency = 'EURO'")
        }
        try show.claim("gate.quarantine") {
            let rows = try client.sql(
                "SELECT transaction_id, array_join(_reasons, ', ') FROM \(table) ORDER BY 2, 1")
            for row in rows.prefix(7) {
                show.result(
                    "booking \(DemoClient.text(row[0])): \(DemoClient.text(row[1]))")
            }
            let found = rows.map { [DemoClient.text($0[0]), DemoClient.text($0[1])] }
            // Each was planted with a mistake of its own; `BankSource` says which.
            let first = bank.transactions.count + 10_001
            let planted = [
                [first + 14: "accounts_exist"], [first + 15: "devices"],
                [first + 100: "ids_are_unique"], [first + 10: "known_currencies"],
                [first + 11: "known_regions"], [first + 12: "latitudes"],
                [first + 13: "longitudes"],
            ].flatMap { $0.map { ["\($0.key)", $0.value] } }
            return (
                found == planted,
                "\(rows.count) rows in quarantine on branch \(redBranch): "
                    + found.map { $0.joined(separator: " ") }.joined(separator: ", ")
            )
        }
    }

    /// Runs a pipeline to its end, whatever that is.
    func outcome(of pipeline: String) throws -> (state: String, message: String) {
        let body: JSONValue = .object([
            ("parameters", parameters), ("wait", true),
        ])
        let answer = try connected().post("/api/v1/pipelines/\(pipeline)/runs", body)
        let run = try JSONValue(parsing: answer.body).cursor
        return (
            (try? run["state"].string()) ?? "HTTP \(answer.status)",
            (try? run["message"].optionalString()) ?? ""
        )
    }
}

/// Somebody who looks at a table again and again, on a thread of their own.
private final class MainReader: Sendable {
    private struct State {
        var seen: Set<String> = []
        var looks = 0
        var wanted = 0
        var isStopped = false
    }
    private let monitor = Monitor(State())
    private let thread: Latch<Bool>

    var seen: Set<String> { monitor.withLock { $0.seen } }
    var looks: Int { monitor.withLock { $0.looks } }

    init(client: DemoClient, table: String) throws {
        let done = Latch<Bool>()
        thread = done
        let monitor = monitor
        let box = ClientBox(client)
        _ = try Thread(name: "reader") {
            while !monitor.withLock({ $0.isStopped }) {
                let rows = try? box.client.sql(
                    "SELECT count(*), count_if(currency <> 'EUR' OR latitude > 90) FROM \(table)")
                monitor.notify { state in
                    state.looks += 1
                    guard let row = rows?.first else { return }
                    state.seen.insert(row.map(DemoClient.text).joined(separator: " "))
                }
            }
            done.open(true)
        }
    }

    /// Returns when a look that began after the call has ended.
    func look() {
        let target = looks + 2
        let deadline = SystemMonotonicClock().now() + .seconds(20)
        _ = monitor.wait(until: deadline) { $0.looks >= target || $0.isStopped ? true : nil }
    }

    func stop() {
        monitor.notify { $0.isStopped = true }
        _ = thread.wait(until: SystemMonotonicClock().now() + .seconds(20))
    }
}

/// Hands a client to the thread that uses it from then on.
/// Safe because its maker gives it away and only the thread calls it.
private final class ClientBox: @unchecked Sendable {
    let client: DemoClient
    init(_ client: DemoClient) { self.client = client }
}
