import Foundation
import Glibc
import Platform
import TestSupport

/// What a run is asked for.
struct FuzzOptions: Sendable {
    var seed: UInt64 = 1
    var from: UInt64 = 0
    /// Inputs a target; nil: until the time is over.
    var iterations: UInt64?
    /// Time a target.
    var seconds: Double?
    /// A folder of further inputs.
    var corpus: String?
    /// Where failing inputs are put.
    var output = ".build/fuzz-finds"
    /// Targets at the same time.
    var jobs = 2
}

/// Runs targets in child processes, names what they find, and makes it short.
final class FuzzDriver: Sendable {
    /// How a child ended.
    enum Outcome: Equatable {
        case fine
        case finding
        case signal(Int32)
        case broken(Int32)

        var isFailure: Bool { self != .fine }
        var words: String {
            switch self {
            case .fine: "fine"
            case .finding: "finding"
            case .signal(SIGPROF): "hang (more than \(FuzzBatch.secondsAnInput) s of CPU time)"
            case .signal(SIGSEGV): "crash (signal 11: a bad pointer, or recursion without end)"
            case .signal(let number): "crash (signal \(number))"
            case .broken(let code): "could not run (exit \(code))"
            }
        }
    }

    /// The sum of one target.
    struct Report: Sendable {
        let target: String
        var inputs: UInt64 = 0
        var finds: [String] = []
        var seconds = 0.0
    }

    private static let inputsABatch: UInt64 = 50_000
    private static let findsATarget = 5
    private static let reductions = 400
    private let options: FuzzOptions

    init(_ options: FuzzOptions) { self.options = options }

    /// Runs the targets; the reports in their order.
    func run(_ targets: [FuzzTarget]) throws -> [Report] {
        try FileManager.default.createDirectory(
            atPath: options.output, withIntermediateDirectories: true)
        let state = Monitor((next: 0, reports: [Report?](repeating: nil, count: targets.count)))
        var threads: [Platform.Thread] = []
        for number in 0..<max(1, options.jobs) {
            threads.append(
                try Platform.Thread(name: "fuzz-\(number)") { [self] in
                    while let index = state.withLock({ state -> Int? in
                        guard state.next < targets.count else { return nil }
                        state.next += 1
                        return state.next - 1
                    }) {
                        let report = run(targets[index])
                        state.notify { $0.reports[index] = report }
                    }
                })
        }
        for thread in threads { thread.join() }
        return state.withLock { $0.reports.compactMap { $0 } }
    }

    private func run(_ target: FuzzTarget) -> Report {
        let clock = SystemMonotonicClock()
        let begin = clock.now()
        func elapsed() -> Double { Double((clock.now() - begin).wholeNanoseconds) / 1e9 }
        var report = Report(target: target.name)
        let statePath = "\(options.output)/\(target.name).state"
        let errorPath = "\(options.output)/\(target.name).stderr"
        let end = options.iterations.map { options.from &+ $0 } ?? .max
        var at = options.from
        while at < end, report.finds.count < Self.findsATarget {
            let left = options.seconds.map { $0 - elapsed() }
            if let left, left <= 0 { break }
            let count = min(end - at, Self.inputsABatch)
            unlink(statePath)
            var arguments = [
                "fuzz-batch", target.name, "--seed", "\(options.seed)", "--from", "\(at)",
                "--iterations", "\(count)", "--state", statePath,
            ]
            if let left { arguments += ["--seconds", "\(left)"] }
            if let corpus = options.corpus { arguments += ["--corpus", corpus] }
            let outcome = spawn(arguments, errorPath)
            guard let reached = iteration(statePath) else {
                report.finds.append("\(outcome.words): \(lastWords(errorPath))")
                break
            }
            report.inputs += reached - at + (outcome.isFailure ? 1 : 0)
            if outcome.isFailure {
                report.finds.append(tell(target, reached, outcome, lastWords(errorPath)))
                at = reached + 1
            } else {
                at = reached
                if reached < options.from { break }
            }
            Output.line("  \(target.name): \(report.inputs) inputs, \(Int(elapsed())) s")
        }
        report.seconds = elapsed()
        unlink(statePath)
        unlink(errorPath)
        return report
    }

    /// Writes the failing input and its short form, and says how to repeat it.
    private func tell(
        _ target: FuzzTarget, _ iteration: UInt64, _ outcome: Outcome, _ words: String
    ) -> String {
        let path = "\(options.output)/\(target.name)-\(options.seed)-\(iteration)"
        var text = "\(target.name): \(outcome.words), seed \(options.seed), iteration \(iteration)"
        do {
            let extra = try Self.corpus(options.corpus)
            let input = try FuzzInputs(target, seed: options.seed, extra: extra).input(iteration)
            try Data(input).write(to: URL(fileURLWithPath: path))
            let trialPath = path + ".trial"
            let short = try InputReducer.reduce(input, attempts: Self.reductions) { bytes in
                try Data(bytes).write(to: URL(fileURLWithPath: trialPath))
                return spawn(["fuzz", target.name, "--input", trialPath], trialPath + ".stderr")
                    == outcome
            }
            unlink(trialPath)
            unlink(trialPath + ".stderr")
            try Data(short).write(to: URL(fileURLWithPath: path + ".short"))
            text += ", \(input.count) bytes in \(path), \(short.count) in \(path).short"
        } catch {
            text += ", its input cannot be written: \(error)"
        }
        text += "\n    \(words)\n    again: dev fuzz \(target.name) --seed \(options.seed)"
        text += " --from \(iteration) --iterations 1"
        Output.line(text)
        return text
    }

    /// Inputs from a folder.
    static func corpus(_ folder: String?) throws -> [[UInt8]] {
        guard let folder else { return [] }
        guard let files = SourceFiles.files(in: URL(fileURLWithPath: folder)) else {
            throw Finding("there is no folder \(folder)")
        }
        return try files.map { [UInt8](try Data(contentsOf: $0)) }
    }

    private func iteration(_ path: String) -> UInt64? {
        guard let data = FileManager.default.contents(atPath: path), data.count == 8 else {
            return nil
        }
        return data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }

    private func lastWords(_ path: String) -> String {
        let text = String(
            decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        let lines = text.split(separator: "\n")
        let telling = lines.first {
            $0.contains("Fatal error") || $0.hasPrefix("finding:") || $0.contains("ERROR:")
        }
        return String((telling ?? lines.first ?? "it said nothing").prefix(600))
    }

    /// Runs this program with other arguments and waits for its end.
    private func spawn(_ arguments: [String], _ errorPath: String) -> Outcome {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, 2, errorPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        let program = "/proc/self/exe"
        var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        pointers.append(nil)
        // A backtrace takes longer than the rest of a run.
        var environment: [UnsafeMutablePointer<CChar>?] = ProcessInfo.processInfo.environment
            .filter { $0.key != "SWIFT_BACKTRACE" }.map { strdup("\($0.key)=\($0.value)") }
        environment += [strdup("SWIFT_BACKTRACE=enable=no"), nil]
        defer { for pointer in pointers + environment { free(pointer) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, program, &actions, nil, pointers, environment)
        guard failure == 0 else { return .broken(failure) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7F
        if signal != 0 { return .signal(signal) }
        let code = (status >> 8) & 0xFF
        return code == 0 ? .fine : code == FuzzBatch.foundCode ? .finding : .broken(code)
    }
}
