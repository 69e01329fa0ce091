import Appliance
import CivilTime
import DemoBank
import JSON
import Platform

/// What a show has proved, and what it took.
struct Receipt {
    private let show: Show
    private let claims: [Claim]
    private let failure: (any Error)?
    private let peakMemoryBytes: Int64
    private let bytesWritten: Int64?
    private let elapsedMilliseconds: Int

    init(_ show: Show, failure: (any Error)? = nil) {
        self.show = show
        self.failure = failure
        // Of the clients of others only those that are installed can say something.
        claims = show.script.claims.filter { claim in
            claim.option == nil || claim.option == "chaos" && show.options.hasChaos
                || show.outcomes.contains { $0.claim.id == claim.id }
        }
        peakMemoryBytes = ProcessUsage.current().peakResidentBytes
        bytesWritten = WrittenBytes.ofThisProcess()
        elapsedMilliseconds = show.elapsedMilliseconds
    }

    private var held: Int { show.outcomes.count(where: \.holds) }

    var isComplete: Bool { failure == nil && held == claims.count }

    /// `42/42 claims hold · 8.7 s · 412 MB · 230 MB written`; below it, with `--verify`, which clients checked.
    var lastLine: String {
        let seconds = Double(elapsedMilliseconds / 100) / 10
        let written = bytesWritten.map { " · \($0 >> 20) MB written" } ?? ""
        return "\(held)/\(claims.count) claims hold · \(seconds) s · \(peakMemoryBytes >> 20) MB"
            + written + (show.clients.map { "\n\($0.words)" } ?? "")
    }

    var document: JSONValue { .object(members) }

    /// The receipt with everything that was said, as the console's page reads it.
    func transcript(isRunning: Bool) -> JSONValue {
        .object(
            members + [
                ("running", .bool(isRunning)), ("steps", .array(show.steps.map(\.json))),
            ])
    }

    private var members: [(String, JSONValue)] {
        [
            ("demo", .string(show.script.name)), ("rows", .int(show.options.rows)),
            ("seed", .int(Int64(bitPattern: show.options.seed))),
            ("asOf", .string(CivilFormat.date(Int32(show.options.asOfDay)))),
            (
                "source",
                .string(
                    show.options.source.flatMap { PostgresAddress($0)?.shown } ?? "embedded")
            ), ("claimsHeld", .int(held)), ("claims", .int(claims.count)),
            ("complete", .bool(isComplete)), ("clients", show.clients?.json ?? .null),
            ("milliseconds", .int(elapsedMilliseconds)),
            ("peakMemoryBytes", .int(peakMemoryBytes)),
            ("bytesWritten", bytesWritten.map { .int($0) } ?? .null),
            ("failure", failure.map { .string("\($0)") } ?? .null),
            ("outcomes", .array(show.outcomes.map(\.json))),
        ]
    }
}

extension Show {
    /// Writes down what was said so far where the appliance's console finds it.
    func keepTranscript(isRunning: Bool, failure: (any Error)? = nil) {
        guard let transcriptDirectory else { return }
        let document = Receipt(self, failure: failure).transcript(isRunning: isRunning)
        // The page is a convenience; the show goes on without it, and a claim looks at it.
        try? WalkthroughTranscript.write(document.encoded(), to: transcriptDirectory)
    }
}

/// What the kernel counts of this process.
enum WrittenBytes {
    /// Bytes that this process, and those that it waited for, had written to storage; nil where the kernel
    /// does not tell. Source: proc(5), /proc/pid/io.
    static func ofThisProcess() -> Int64? {
        guard let bytes = try? LocalFileSystem().readAll("/proc/self/io", limit: 1 << 16) else {
            return nil
        }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: ":")
            if words.count == 2, words[0] == "write_bytes" {
                return Int64(words[1].drop { $0 == " " })
            }
        }
        return nil
    }
}
