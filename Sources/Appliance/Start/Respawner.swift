import Platform
import Supervision
import Telemetry

/// The parent of `serve --respawn`: a process that does nothing but start the server again when it broke.
///
///     lakehouse serve --respawn          holds no file, no port, no data
///       └─ lakehouse serve …             everything; told by LAKEHOUSE_RESPAWN how its forerunner ended
///
/// The server is crash-only: nothing acknowledged is lost, and the next one is ready in under 150 ms. It
/// starts again at once; when it breaks again within a minute, after 1, 2, 4 … 60 seconds. What ends us asks
/// it to end, and we end with its code; when we are killed, it is asked to end too.
final class Respawner: Sendable {
    private struct State {
        var child: ChildProcess?
        var isAsked = false
    }

    private let program: String
    private let arguments: [String]
    private let state = Monitor(State())
    private let log = Logger()
    private let clock = SystemMonotonicClock()

    /// `arguments` are those of the server, without `--respawn`.
    init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Until the server ends as it should; the exit code.
    func run() throws -> Int32 {
        try Signals.watch([.terminate, .interrupt]) { [state] signal in
            state.notify { state in
                state.isAsked = true
                state.child?.send(signal)
            }
        }
        var policy = RespawnPolicy()
        var note = RespawnNote(parent: Host.processID, restarts: 0)
        while true {
            let began = clock.now()
            guard let child = try start(note) else { return 0 }
            // Reaped when no signal is sent to it any more: its number may be another's then.
            child.waitForEnd()
            let isAsked = state.withLock { state in
                state.child = nil
                return state.isAsked
            }
            let code = child.wait()
            switch policy.ended(code: code, after: clock.now() - began, isAsked: isAsked) {
            case .end(let code): return code
            case .again(let pause):
                note.restarts = policy.restarts
                note.ending = RespawnPolicy.words(code)
                note.endedMicroseconds = SystemWallClock().now().microseconds
                log.error(
                    "serve.ended", "The server ended by itself and is started again.",
                    [
                        "ending": .string(RespawnPolicy.words(code)),
                        "restarts": .int(Int64(policy.restarts)),
                        "pause_seconds": .int(pause.components.seconds),
                    ])
                let end = clock.now() + pause
                if pause > .zero, state.wait(until: end, { $0.isAsked ? () : nil }) != nil {
                    return 0
                }
            }
        }
    }

    /// nil when the end was asked for before it began.
    private func start(_ note: RespawnNote) throws -> ChildProcess? {
        try state.withLock { state throws(PlatformError) -> ChildProcess? in
            if state.isAsked { return nil }
            let child = try ChildProcess(
                inPlace: program, arguments, variables: [(RespawnNote.variable, note.text)])
            state.child = child
            return child
        }
    }
}
