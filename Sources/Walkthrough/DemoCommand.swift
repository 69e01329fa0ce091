package import Appliance
import CivilTime
import JSON
import Platform

/// A scripted show.
protocol Walkthrough: AnyObject {
    /// Runs every step. The server keeps running; `end` stops it.
    func run() throws
    /// Stops the server.
    func end()
    /// Where people look when the show stays up.
    var loginLink: String? { get }
    /// Waits until the server is stopped from outside; its exit code.
    func waitForEnd() -> Int32
}

extension BankingFraud: Walkthrough {}

/// `lakehouse demo …`.
package enum DemoCommand {
    package static let all = [bankingFraud, sales]

    private static let bankingFraud = Command(
        "demo banking-fraud", "a scripted walkthrough on a synthetic bank, every claim checked",
        options: [
            CommandOption("rows", value: "N", "transactions (default 100000)"),
            CommandOption("seed", value: "N", "the seed of the data (default 42)"),
            CommandOption("as-of", value: "DATE", "the day of the show (default 2026-11-21)"),
            CommandOption("keep", "stays up afterwards and prints a login link"),
            CommandOption("pause", "waits for Enter between steps"),
            CommandOption("chaos", "kills the appliance inside of a MERGE, and goes on"),
            CommandOption(
                "verify", "replays claims through the Python clients that are installed"),
            CommandOption("headless", "never waits and never asks (the default)"),
            CommandOption("json", "prints only the receipt"),
            CommandOption("sabotage", value: "CLAIM", "breaks what the claim guards: it must fail"),
            CommandOption("list-claims", "lists the claims"),
        ], example: "lakehouse demo banking-fraud --rows 20000",
        place: .here { parsed, streams in
            try run("banking-fraud", parsed, streams) {
                BankingFraud($0, directory: $1, streams: $2)
            }
        })

    private static let sales = Command(
        "demo sales",
        "a scripted walkthrough from dropped CSV files to a dashboard, every claim checked",
        options: [
            CommandOption("keep", "stays up afterwards and prints a login link"),
            CommandOption("pause", "waits for Enter between steps"),
            CommandOption("headless", "never waits and never asks (the default)"),
            CommandOption("json", "prints only the receipt"),
            CommandOption("sabotage", value: "CLAIM", "breaks what the claim guards: it must fail"),
            CommandOption("list-claims", "lists the claims"),
        ], example: "lakehouse demo sales --keep",
        place: .here { parsed, streams in
            try run("sales", parsed, streams) { show, directory, _ in
                SalesDemo(show, directory: directory)
            }
        })

    private static func options(
        _ name: String, _ parsed: ParsedArguments
    ) throws -> ShowOptions {
        var options = ShowOptions()
        options.dataDirectory = parsed["data"]
        options.keeps = parsed.has("keep")
        options.pauses = parsed.has("pause")
        options.asJSON = parsed.has("json")
        options.sabotage = parsed["sabotage"]
        guard name == "banking-fraud" else {
            options.rows = SalesData.orderCount
            return options
        }
        if let rows = try parsed.integer("rows") {
            guard (1000...10_000_000).contains(rows) else {
                throw ApplianceError(.usage, "--rows wants 1000 to 10000000: \(rows)")
            }
            options.rows = rows
        }
        if let seed = try parsed.integer("seed") { options.seed = UInt64(bitPattern: Int64(seed)) }
        if let text = parsed["as-of"] {
            guard let day = CivilParse.date(text) else {
                throw ApplianceError(.usage, "--as-of wants a date such as 2026-11-21: \(text)")
            }
            options.asOfDay = Int(day)
        }
        options.hasChaos = parsed.has("chaos")
        options.verifies = parsed.has("verify")
        return options
    }

    private static func run(
        _ name: String, _ parsed: ParsedArguments, _ streams: any CommandStreams,
        _ make: (Show, _ directory: String, any CommandStreams) -> any Walkthrough
    ) throws -> Int32 {
        let script = try DemoScript.load(name)
        if parsed.has("list-claims") {
            for claim in script.claims {
                let option = claim.option.map { "  [--\($0)]" } ?? ""
                streams.write("\(claim.id)  \(claim.text)\(option)\n")
            }
            return 0
        }
        let options = try options(name, parsed)
        if let broken = options.sabotage, !script.claims.contains(where: { $0.id == broken }) {
            throw WalkthroughError(
                .unknownClaim, "there is no claim of that id: \(broken)",
                hint: "lakehouse demo \(name) --list-claims")
        }
        Signals.ignoreBrokenPipes()
        let files = LocalFileSystem()
        let directory: String
        if let given = options.dataDirectory {
            if try !files.exists(given) { try files.makeDirectory(given, mode: 0o700) }
            directory = try files.resolve(given)
        } else {
            directory = try files.makeTemporaryDirectory(prefix: "lakehouse-demo")
        }
        defer {
            if options.dataDirectory == nil, !options.keeps { try? files.removeTree(directory) }
        }
        let show = Show(script, options, streams)
        let walkthrough = make(show, directory, streams)
        var failure: (any Error)?
        do { try walkthrough.run() } catch { failure = error }
        let code = receipt(show, script, failure, directory, streams)
        if options.keeps, failure == nil {
            streams.write(
                "\nit stays up; sign in at \(walkthrough.loginLink ?? "")\nstop with Ctrl-C\n")
            return walkthrough.waitForEnd()
        }
        walkthrough.end()
        return code
    }

    private static func receipt(
        _ show: Show, _ script: DemoScript, _ failure: (any Error)?, _ directory: String,
        _ streams: any CommandStreams
    ) -> Int32 {
        let held = show.outcomes.filter(\.holds).count
        // Of the clients of others only those that are installed can say something.
        let claims = script.claims.filter { claim in
            claim.option == nil || claim.option == "chaos" && show.options.hasChaos
                || show.outcomes.contains { $0.claim.id == claim.id }
        }
        let isComplete = failure == nil && held == claims.count
        let usage = ProcessUsage.current()
        let document: JSONValue = .object([
            ("demo", .string(script.name)), ("rows", .int(show.options.rows)),
            ("seed", .int(Int64(bitPattern: show.options.seed))), ("claimsHeld", .int(held)),
            ("claims", .int(claims.count)), ("complete", .bool(isComplete)),
            ("milliseconds", .int(show.elapsedMilliseconds)),
            ("peakMemoryBytes", .int(usage.peakResidentBytes)),
            ("failure", failure.map { .string("\($0)") } ?? .null),
            ("outcomes", .array(show.outcomes.map(\.json))),
        ])
        try? LocalFileSystem().replaceDurably(
            directory + "/receipt.json", with: document.encoded(.pretty), mode: 0o644)
        if show.options.asJSON {
            streams.write(document.encodedText(.pretty) + "\n")
        } else {
            let seconds = Double(show.elapsedMilliseconds / 100) / 10
            streams.write(
                "\n\(held)/\(claims.count) claims hold · \(seconds) s · \(usage.peakResidentBytes >> 20) MB\n"
            )
            if let failure { streams.complain("\(failure)\n") }
        }
        return isComplete ? 0 : 1
    }
}
