package import Appliance
import CivilTime
import DemoBank
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
            CommandOption(
                "rows", value: "N", "transactions, at least \(leastRows) (default 100000)"),
            CommandOption("seed", value: "N", "the seed of the data (default 42)"),
            CommandOption("as-of", value: "DATE", "the day of the show (default 2026-11-21)"),
            CommandOption(
                "source", value: "URL",
                "postgres://user@host/database is the bank's database, not the embedded one"),
            CommandOption("keep", "stays up afterwards and prints a login link"),
            CommandOption("pause", "waits for Enter between steps"),
            CommandOption("chaos", "kills the appliance inside of a MERGE, and goes on"),
            CommandOption(
                "verify", "replays claims through the Python clients that are installed"),
            CommandOption("headless", "never waits and never asks (the default)"),
            CommandOption("json", "prints only the receipt"),
            CommandOption("sabotage", value: "CLAIM", "breaks what the claim guards: it must fail"),
            CommandOption("list-claims", "lists the claims; with --json as JSON"),
            CommandOption("fresh", "removes what an earlier walkthrough left in --data DIR"),
        ], example: "lakehouse demo banking-fraud --rows 20000",
        place: .here { parsed, streams in
            try run("banking-fraud", parsed, streams) {
                try BankingFraud($0, directory: $1, streams: $2)
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
            CommandOption("list-claims", "lists the claims; with --json as JSON"),
            CommandOption("fresh", "removes what an earlier walkthrough left in --data DIR"),
        ], example: "lakehouse demo sales --keep",
        place: .here { parsed, streams in
            try run("sales", parsed, streams) { show, directory, _ in
                SalesDemo(show, directory: directory)
            }
        })

    /// Fewer bookings cannot carry what is planted in them.
    private static let leastRows = 20_000

    private static func options(
        _ name: String, _ parsed: ParsedArguments
    ) throws -> ShowOptions {
        var options = ShowOptions()
        options.dataDirectory = parsed["data"]
        options.keeps = parsed.has("keep")
        options.pauses = parsed.has("pause") && !parsed.has("headless")
        options.asJSON = parsed.has("json")
        options.sabotage = parsed["sabotage"]
        guard name == "banking-fraud" else {
            options.rows = SalesData.orderCount
            return options
        }
        if let rows = try parsed.integer("rows") {
            guard (leastRows...10_000_000).contains(rows) else {
                throw ApplianceError(
                    .usage, "--rows wants \(leastRows) to 10000000: \(rows)",
                    hint:
                        "with fewer, a week of a region has too few bookings for a rate to one booking "
                        + "such as 4.97 %, and patterns have no room")
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
        if let source = parsed["source"] {
            guard PostgresAddress(source) != nil else {
                throw ApplianceError(
                    .usage, "--source wants postgres://user@host:port/database",
                    hint: "the password goes into the URL or into PGPASSWORD, and is never shown")
            }
            options.source = source
        }
        options.hasChaos = parsed.has("chaos")
        options.verifies = parsed.has("verify")
        return options
    }

    private static func run(
        _ name: String, _ parsed: ParsedArguments, _ streams: any CommandStreams,
        _ make: (Show, _ directory: String, any CommandStreams) throws -> any Walkthrough
    ) throws -> Int32 {
        let script = try DemoScript.load(name)
        if parsed.has("list-claims") {
            if parsed.has("json") {
                let claims = script.claims.map(\.json)
                streams.write(JSONValue.array(claims).encodedText(.pretty) + "\n")
                return 0
            }
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
            directory = try DemoPlace.prepare(given, isFresh: parsed.has("fresh"))
        } else {
            directory = try files.makeTemporaryDirectory(prefix: "lakehouse-demo")
        }
        defer {
            if options.dataDirectory == nil, !options.keeps { try? files.removeTree(directory) }
        }
        let show = Show(script, options, streams)
        let walkthrough = try make(show, directory, streams)
        var failure: (any Error)?
        do { try walkthrough.run() } catch { failure = error }
        let code = receipt(show, failure, directory, streams)
        if options.keeps, failure == nil {
            // The link works for whoever has it: it is for a terminal, not for a file.
            let door =
                Terminal.isInteractive(.output)
                ? "sign in at \(walkthrough.loginLink ?? "")"
                : "sign in with the link of: lakehouse user link admin --data \(directory)"
            let words =
                "\nit stays up; \(door)\nthe show as a page: /walkthrough\n"
                + "its data is in \(directory)\nstop with Ctrl-C\n"
            // Standard output is the receipt's alone when it is JSON.
            if options.asJSON { streams.complain(words) } else { streams.write(words) }
            return walkthrough.waitForEnd()
        }
        walkthrough.end()
        return code
    }

    /// Writes the receipt and says the last line; the exit code.
    private static func receipt(
        _ show: Show, _ failure: (any Error)?, _ directory: String,
        _ streams: any CommandStreams
    ) -> Int32 {
        show.keepTranscript(isRunning: false, failure: failure)
        let receipt = Receipt(show, failure: failure)
        let text = receipt.document.encoded(.pretty)
        try? LocalFileSystem().replaceDurably(directory + "/receipt.json", with: text, mode: 0o644)
        if show.options.asJSON {
            streams.write(String(decoding: text, as: UTF8.self) + "\n")
        } else {
            streams.write("\n\(receipt.lastLine)\n")
            if let failure { streams.complain("\(failure)\n") }
        }
        return receipt.isComplete ? 0 : 1
    }
}
