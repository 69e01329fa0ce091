import Glibc
import Platform

/// A stretch of a target's inputs, run in a process of its own, which a trap, a hang or a greedy
/// allocation ends.
struct FuzzBatch: Sendable {
    /// CPU time of one input; a machine that is busy does not count.
    static let secondsAnInput = 10
    /// Memory of the process: what leaks or trusts a length in a file comes up against it.
    static let memoryBytes: UInt = 1536 << 20
    /// The exit code of a finding.
    static let foundCode: Int32 = 3

    let target: FuzzTarget
    let inputs: FuzzInputs
    let from: UInt64
    let count: UInt64
    let seconds: Double?
    /// Where the number of the input in work is noted.
    let statePath: String

    /// Runs to the end and exits; a finding is told on standard error.
    func run() throws -> Never {
        try Self.limitMemory()
        let state = open(statePath, O_RDWR | O_CREAT, 0o644)
        guard state >= 0 else { throw Finding("cannot write \(statePath)") }
        let batch = self
        let code = Latch<Int32>()
        // On a thread like those that run requests: recursion has its stack and no more.
        _ = try Thread(name: "fuzz") { code.open(batch.loop(state)) }
        Glibc.exit(code.wait())
    }

    private func loop(_ state: Int32) -> Int32 {
        let trial: FuzzTarget.Trial
        do { trial = try target.prepare() } catch {
            Output.error("the target cannot be prepared: \(error)")
            return 2
        }
        let clock = SystemMonotonicClock()
        let end = seconds.map { clock.now() + .milliseconds(Int64($0 * 1000)) }
        var iteration = from
        while iteration < from + count {
            if let end, clock.now() >= end { break }
            note(iteration, state)
            Self.limitTime(Self.secondsAnInput)
            do { try trial(inputs.input(iteration)) } catch {
                Output.error("finding: \(error)")
                return Self.foundCode
            }
            iteration += 1
        }
        Self.limitTime(0)
        note(iteration, state)
        return 0
    }

    private func note(_ iteration: UInt64, _ state: Int32) {
        var number = iteration
        _ = pwrite(state, &number, 8, 0)
    }

    /// Runs one input and exits; 0 when all holds.
    static func runOne(_ target: FuzzTarget, _ input: [UInt8]) throws -> Never {
        try limitMemory()
        let code = Latch<Int32>()
        _ = try Thread(name: "fuzz") {
            limitTime(secondsAnInput)
            do {
                try target.prepare()(input)
                code.open(0)
            } catch {
                Output.error("finding: \(error)")
                code.open(foundCode)
            }
        }
        Glibc.exit(code.wait())
    }

    private static func limitMemory() throws {
        var limit = rlimit(rlim_cur: memoryBytes, rlim_max: memoryBytes)
        guard setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0 else {
            throw Finding("memory cannot be limited")
        }
    }

    /// SIGPROF ends the process when an input takes that much CPU time; 0 ends the watch.
    private static func limitTime(_ seconds: Int) {
        var timer = itimerval()
        timer.it_value.tv_sec = seconds
        setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    }
}
