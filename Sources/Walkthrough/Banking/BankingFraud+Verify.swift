import Appliance
import JSON
import Platform

extension BankingFraud {
    /// Replays claims through clients of others, those that `python3` has installed. What is not there
    /// is named as skipped; where none is there, nothing was verified and that is red.
    func verify() throws {
        show.say("\nVerify\n   The same claims, by clients that we did not write.")
        guard let server, let text = EmbeddedFiles.text("demos/banking-fraud/verify.py") else {
            throw WalkthroughError(.requestFailed, "the appliance does not run")
        }
        let files = LocalFileSystem()
        let (script, given, results) = (
            directory + "/verify.py", directory + "/verify-access.json", directory + "/verify.jsonl"
        )
        defer { for path in [script, given] { _ = try? files.removeIfPresent(path) } }
        let client = try connected()
        let expected = try client.sql("SELECT count(*), sum(amount) FROM \(Self.table)")[0]
        let regions = try client.sql(
            "SELECT region, count(*), sum(amount) FROM \(Self.table) GROUP BY 1 ORDER BY 1")
        let appliance = server.appliance
        let access: JSONValue = .object([
            ("port", .int(appliance.consolePort)), ("token", .string(token)),
            ("authority", .string(directory + "/lake/tls/ca.pem")),
            ("catalog", .string("http://127.0.0.1:\(appliance.consolePort)/iceberg")),
            ("s3", .string("http://127.0.0.1:\(appliance.s3Port)")),
            ("mcp", .string("http://127.0.0.1:\(appliance.consolePort)/mcp")),
            (
                "keys",
                .object(
                    personas.values.sorted { $0.name < $1.name }.map {
                        ($0.name, .array([.string($0.accessKeyID), .string($0.secret)]))
                    })
            ),
            ("expected", .array(expected.map { .string(DemoClient.text($0)) })),
            (
                "regions",
                .array(regions.map { .array($0.map { .string(DemoClient.text($0)) }) })
            ),
        ])
        try files.replaceDurably(script, with: Array(text.utf8), mode: 0o600)
        let granted = access.encoded()
        // Broken: half of what the clients are told, so that none of them can begin.
        try files.replaceDurably(
            given,
            with: show.breaks(Self.clientsClaim)
                ? Array(granted.prefix(granted.count / 2)) : granted,
            mode: 0o600)
        try files.replaceDurably(results, with: [], mode: 0o600)
        let ids = show.script.claims.map(\.id).filter {
            $0.hasPrefix("verify.") && $0 != Self.clientsClaim
        }
        var code: Int32 = 0
        // What is broken is broken when those before have been checked.
        for part in ids.split(before: options.sabotage) where code == 0 {
            if let first = part.first, show.breaks(first) { try spoil(first, client) }
            let child = try ChildProcess(
                "/usr/bin/env", ["python3", script, given, results] + part)
            code = child.wait()
        }
        let lines = String(decoding: try files.readAll(results, limit: 1 << 20), as: UTF8.self)
        var clients = VerifiedClients()
        for line in lines.split(separator: "\n") {
            let found = try JSONValue(parsing: Array(line.utf8)).cursor
            let id = try found["id"].string()
            if let missing = try found["skipped"].optionalString() {
                clients.skipped.append((id, "\(missing) is not installed"))
                show.result("skipped \(id): \(missing) is not installed")
            } else {
                clients.checked.append(id)
            }
            show.clients = clients
            if !found["skipped"].isPresent {
                try show.claim(id) { (try found["holds"].bool(), try found["evidence"].string()) }
            }
        }
        let heard = clients.checked + clients.skipped.map(\.id)
        let unheard = ids.filter { !heard.contains($0) }
        clients.skipped += unheard.map {
            ($0, "nothing was heard of it: python3 ended with \(code)")
        }
        show.clients = clients
        try show.claim(Self.clientsClaim) {
            (
                code == 0 && unheard.isEmpty && !clients.checked.isEmpty,
                "python3 ended with \(code); \(clients.words)"
            )
        }
    }

    private static let clientsClaim = "verify.clients"

    /// Changes what the appliance holds, so that what the client of the claim is given is no longer what was
    /// recorded, or no longer right.
    private func spoil(_ claim: String, _ client: DemoClient) throws {
        let statements =
            switch claim {
            case "verify.duckdb":
                // The same rows and the same sum, in other regions.
                [
                    "UPDATE \(Self.table) SET region = 'Danube' "
                        + "WHERE region = 'Baltic' AND transaction_id <= 500"
                ]
            case "verify.boto3": ["DROP MASK pii"]
            case "verify.scikit-learn":
                [statement(trees: 1, samples: 2)]
            case "verify.vader":
                [
                    "UPDATE \(Self.table) SET memo_sentiment = 0.5e0 WHERE memo = 'awful support'"
                ]
            default: ["DELETE FROM \(Self.table) WHERE transaction_id = 17"]
            }
        for statement in statements { _ = try client.sql(statement) }
    }
}

extension [String] {
    /// What stands before an element, and what begins with it; all where it is not there.
    fileprivate func split(before element: String?) -> [[String]] {
        guard let element, let place = firstIndex(of: element) else { return [self] }
        return [Array(self[..<place]), Array(self[place...])].filter { !$0.isEmpty }
    }
}
