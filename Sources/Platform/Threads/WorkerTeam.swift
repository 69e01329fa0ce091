import Diagnostics

/// Parked threads that run one region of work together: the shape of morsel-driven pipelines.
///
/// The caller is worker 0; starting a region costs about 20 µs. One region runs at a time a team;
/// a region that is started while another runs waits for it.
package final class WorkerTeam: Sendable {
    private struct Region {
        var generation: UInt64 = 0
        var body: (@Sendable (Int) -> Void)?
        var helpers = 0
        var running = 0
        var busy = false
        var stopped = false
    }

    /// How many workers a region may have, the caller among them.
    package let workerCount: Int
    private let region = Monitor(Region())
    private let threads: [Thread]

    package init(name: String, workerCount: Int) throws(PlatformError) {
        self.workerCount = max(1, workerCount)
        let region = region
        var started: [Thread] = []
        for index in 1..<max(2, workerCount) where workerCount > 1 {
            started.append(try Thread(name: "\(name)-\(index)") { Self.serve(index, region) })
        }
        threads = started
    }

    deinit {
        region.notify { $0.stopped = true }
        for thread in threads { thread.join() }
    }

    /// Runs `body(worker)` on up to `limit` workers at once and returns when all have returned.
    package func run(limit: Int = .max, _ body: @escaping @Sendable (Int) -> Void) {
        let helpers = min(workerCount, max(1, limit)) - 1
        if helpers == 0 { return body(0) }
        region.wait { state -> Void? in
            guard !state.busy else { return nil }
            state.busy = true
            return ()
        }
        region.notify { state in
            state.generation &+= 1
            state.body = body
            state.helpers = helpers
            state.running = helpers
        }
        body(0)
        region.wait { $0.running == 0 ? () : nil }
        region.notify { state in
            state.body = nil
            state.busy = false
        }
    }

    private static func serve(_ index: Int, _ region: Monitor<Region>) {
        var seen: UInt64 = 0
        while true {
            let body: (@Sendable (Int) -> Void)?? = region.wait { state in
                if state.stopped { return .some(nil) }
                guard state.generation != seen else { return nil }
                seen = state.generation
                return index <= state.helpers ? .some(.some(state.body)) : nil
            }
            guard let body, let body else { return }
            body(index)
            region.notify { state in
                invariant(state.running > 0, "a worker ended twice")
                state.running -= 1
            }
        }
    }
}
