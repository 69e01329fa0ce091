import Appliance
import JSON
import Platform

/// How a walkthrough is to run.
package struct ShowOptions: Sendable {
    package var rows = 100_000
    package var seed: UInt64 = 42
    /// Days since 1970 of the day that the data is "as of".
    package var asOfDay = 20_778
    /// The data directory; nil: a temporary one that is removed.
    package var dataDirectory: String?
    /// Stays up afterwards and prints the login link.
    package var keeps = false
    package var pauses = false
    package var asJSON = false
    /// Whether the appliance is killed and resumed in the middle.
    package var hasChaos = false
    /// Whether claims are replayed through clients of others.
    package var verifies = false
    /// The claim that is to be broken.
    package var sabotage: String?
    /// The operational source, `postgres://…`; nil: the embedded one. It may hold a password.
    package var source: String?

    package init() {}
}

/// Prints steps and checks claims, and keeps what it said for the receipt and the console's page.
final class Show {
    private let streams: any CommandStreams
    let options: ShowOptions
    let script: DemoScript
    /// What was said, by steps.
    private(set) var steps: [SaidStep] = []
    /// The appliance's data directory, once there is one: its console shows what is said.
    var transcriptDirectory: String?
    private let clock = SystemMonotonicClock()
    private(set) var outcomes: [ClaimOutcome] = []
    /// With `--verify`: which clients of others were there.
    var clients: VerifiedClients?
    private var stepStart: MonotonicInstant
    private let start: MonotonicInstant

    init(_ script: DemoScript, _ options: ShowOptions, _ streams: any CommandStreams) {
        self.script = script
        self.options = options
        self.streams = streams
        start = clock.now()
        stepStart = start
    }

    var elapsedMilliseconds: Int { milliseconds(since: start) }

    private func milliseconds(since moment: MonotonicInstant) -> Int {
        Int((clock.now() - moment).fractionalSeconds * 1000)
    }

    /// Begins a step: its number, title and reason.
    func step(_ number: Int) {
        if options.pauses, number > 0 {
            streams.complain("press Enter to go on ")
            _ = Terminal.readLine()
        }
        stepStart = clock.now()
        guard let step = script.steps.first(where: { $0.number == number }) else { return }
        steps.append(SaidStep(step))
        say("\n\(number)  \(step.title)\n   \(step.why)")
        keepTranscript(isRunning: true)
    }

    private func keep(_ line: SaidLine) {
        if !steps.isEmpty { steps[steps.count - 1].lines.append(line) }
    }

    /// What a person could type to get the same.
    func command(_ text: String) {
        keep(.command(text))
        for line in text.split(separator: "\n") { say("   $ \(line)") }
    }

    /// A statement that a person could type into `lakehouse sql`.
    func sql(_ text: String) {
        keep(.command(text + ";"))
        for line in (text + ";").split(separator: "\n") { say("   sql> \(line)") }
    }

    /// A result of the step.
    func result(_ text: String) {
        keep(.result(text))
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            say("     \(line)")
        }
    }

    /// Ends a step with its time.
    func endStep() {
        let time = milliseconds(since: stepStart)
        if !steps.isEmpty { steps[steps.count - 1].milliseconds = time }
        say("     (\(time) ms)")
        keepTranscript(isRunning: true)
    }

    func say(_ text: String) { if !options.asJSON { streams.write(text + "\n") } }

    /// Whether the claim is the one to be broken.
    func breaks(_ id: String) -> Bool { options.sabotage == id }

    /// Checks a claim; one that does not hold ends the show.
    ///
    /// `check` gives whether it holds and the evidence; an error of the check is a claim that does not
    /// hold.
    func claim(_ id: String, _ check: () throws -> (holds: Bool, evidence: String)) throws {
        guard let claim = script.claims.first(where: { $0.id == id }) else {
            throw WalkthroughError(.unknownClaim, "demo.yml has no claim \(id)")
        }
        let begin = clock.now()
        var outcome: (holds: Bool, evidence: String)
        do { outcome = try check() } catch { outcome = (false, "\(error)") }
        let kept = ClaimOutcome(
            claim: claim, holds: outcome.holds, evidence: outcome.evidence,
            milliseconds: milliseconds(since: begin))
        outcomes.append(kept)
        keep(.claim(kept))
        say("     [\(outcome.holds ? "holds" : "FAILS")] \(id): \(claim.text)")
        guard outcome.holds else {
            say("             evidence: \(outcome.evidence)")
            throw WalkthroughError(
                .claimFailed, "claim \(id) does not hold: \(outcome.evidence)",
                hint: "run with --keep and look at the data")
        }
    }
}
