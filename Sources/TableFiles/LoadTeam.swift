import Platform
import Synchronization

/// Threads that bring rows into files together: they read stretches of a text, and encode columns. Made
/// when there is work for more than one, and gone after `rest`. Belongs to one thread.
package final class LoadTeam {
    /// How many threads work at the same time, the caller's among them.
    package let threadCount: Int
    private var team: WorkerTeam?
    private var isRefused = false

    /// As many threads as there are processors, eight at the most, unless given.
    package init(threadCount: Int? = nil) {
        self.threadCount = max(1, threadCount ?? min(8, Host.processorCount))
    }

    /// Runs `body` for each number below `count` and returns when all have returned. Where the machine has
    /// no threads left, the caller does it alone.
    package func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        guard count > 1, let team = started() else {
            for index in 0..<count { body(index) }
            return
        }
        let next = Counter()
        team.run(limit: count) { _ in
            while true {
                let index = next.value.wrappingAdd(1, ordering: .relaxed).oldValue
                if index >= count { return }
                body(index)
            }
        }
    }

    /// Lets the threads go until there is work again.
    package func rest() { team = nil }

    private func started() -> WorkerTeam? {
        if let team { return team }
        guard threadCount > 1, !isRefused else { return nil }
        do throws(PlatformError) {
            team = try WorkerTeam(name: "load", workerCount: threadCount)
        } catch { isRefused = true }
        return team
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }
}
