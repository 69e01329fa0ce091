import Appliance
import JSON
import Platform

extension BankingFraud {
    /// Replays claims through clients of others, those that `python3` has installed. What is not there
    /// is not claimed.
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
        try files.replaceDurably(given, with: access.encoded(), mode: 0o600)
        try files.replaceDurably(results, with: [], mode: 0o600)
        let child = try ChildProcess("/usr/bin/env", ["python3", script, given, results])
        _ = child.wait()
        let lines = String(decoding: try files.readAll(results, limit: 1 << 20), as: UTF8.self)
        var count = 0
        for line in lines.split(separator: "\n") {
            let found = try JSONValue(parsing: Array(line.utf8)).cursor
            count += 1
            try show.claim(try found["id"].string()) {
                (try found["holds"].bool(), try found["evidence"].string())
            }
        }
        show.result("\(count) of 7 clients are installed")
    }
}
