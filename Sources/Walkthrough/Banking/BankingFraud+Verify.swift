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
            ("sabotage", .string(options.sabotage ?? "")),
            ("expected", .array(expected.map { .string(DemoClient.text($0)) })),
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
        let child = try ChildProcess("/usr/bin/env", ["python3", script, given, results])
        let code = child.wait()
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
        let unheard = show.script.claims.map(\.id).filter {
            $0.hasPrefix("verify.") && $0 != Self.clientsClaim && !heard.contains($0)
        }
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
}
