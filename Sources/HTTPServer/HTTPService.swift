import Diagnostics
import HTTPMessages
package import Platform
import Supervision
import Synchronization
package import Telemetry

/// The server as a service: listens on its doors from `start` to `drain`.
package final class HTTPService: Service {
    /// For logs and `/readyz`.
    package let name: String

    private struct Running {
        var listeners: [(socket: ListeningSocket, door: Int)] = []
        var loops: [EventLoop] = []
        var threads: [Thread] = []
        var context: ServerContext?
    }

    private let doors: [HTTPDoor]
    private let limits: HTTPServerLimits
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let entropy: any Entropy
    private let metrics: HTTPServerMetrics
    private let registry: MetricsRegistry
    private let log: Logger
    private let onQueued: (@Sendable (Int) -> Void)?
    private let running = Mutex(Running())

    /// `onQueued` hears how many requests wait for a handler, from each that joins them (for tests).
    package init(
        name: String = "http", doors: [HTTPDoor], limits: HTTPServerLimits = HTTPServerLimits(),
        metrics: MetricsRegistry, clock: any MonotonicClock = SystemMonotonicClock(),
        wallClock: any WallClock = SystemWallClock(), entropy: any Entropy = SystemEntropy(),
        log: Logger = Logger(), onQueued: (@Sendable (Int) -> Void)? = nil
    ) {
        self.name = name
        self.onQueued = onQueued
        self.doors = doors
        self.limits = limits
        self.clock = clock
        self.wallClock = wallClock
        self.entropy = entropy
        self.metrics = HTTPServerMetrics(metrics)
        registry = metrics
        self.log = log
    }

    /// Binds every door, then starts the loops. A port that is taken is a fault that names the holder.
    package func start() throws {
        var listeners: [(socket: ListeningSocket, door: Int)] = []
        for (index, door) in doors.enumerated() {
            var port = door.port
            var seen: Set<SocketAddress> = []
            for host in door.hosts {
                do throws(PlatformError) {
                    for address in try SocketAddress.resolve(host: host, port: port)
                    where seen.insert(address).inserted {
                        let socket = try ListeningSocket(address)
                        // With port 0 the other addresses take the port that the first one got.
                        port = socket.address.port
                        seen.insert(socket.address)
                        listeners.append((socket, index))
                    }
                } catch {
                    throw HTTPServerError(
                        code: .cannotListen,
                        message: "the door \(door.name) cannot listen: \(error.message)",
                        hint: error.hint ?? "choose another address or port", cause: error)
                }
            }
        }
        let pool = HandlerPool(
            name: "handler", threadCount: limits.handlerThreads, queueLimit: limits.handlerQueue,
            parkedLimit: limits.waitingUploads, onQueued: onQueued)
        registry.gauge("lakehouse_http_queued_requests", help: "Requests that wait for a handler.")
        {
            Double(pool.load.queued)
        }
        registry.gauge(
            "lakehouse_http_waiting_uploads", help: "Handlers that wait for a client's body."
        ) {
            Double(pool.load.parked)
        }
        let context = ServerContext(
            doors: doors, limits: limits, pool: pool, clock: clock, wallClock: wallClock,
            entropy: entropy,
            metrics: metrics, log: log, admission: Admission(limits: limits))
        let count = limits.loopCount > 0 ? limits.loopCount : Host.processorCount
        var loops: [EventLoop] = []
        var threads: [Thread] = []
        do throws(PlatformError) {
            for _ in 0..<count {
                loops.append(try EventLoop(context: context, listeners: listeners))
            }
            for (index, loop) in loops.enumerated() {
                threads.append(try Thread(name: "http-\(index)") { loop.run() })
            }
        } catch {
            for loop in loops { loop.post(.stop) }
            for thread in threads { thread.join() }
            throw error
        }
        for (socket, door) in listeners {
            log.info(
                "http.listening", "A door is open.",
                ["door": .string(doors[door].name), "address": .string("\(socket.address)")])
        }
        running.withLock { [listeners, loops, threads] in
            $0 = Running(listeners: listeners, loops: loops, threads: threads, context: context)
        }
    }

    /// The port that a door listens on, known after `start`.
    package func port(of door: String) -> Int? {
        running.withLock { state in
            state.listeners.first { doors[$0.door].name == door }?.socket.address.port
        }
    }

    /// Connections open now.
    package var connectionCount: Int { running.withLock { $0.context?.admission.count ?? 0 } }

    /// Waits until no connection is open; false when the deadline came first.
    package func waitForNoConnection(until deadline: MonotonicInstant) -> Bool {
        running.withLock { $0.context }?.admission.waitForNone(until: deadline) ?? true
    }

    /// Has the loops look at their deadlines now, after a test has moved the clock.
    package func checkDeadlines() {
        for loop in running.withLock({ $0.loops }) { loop.post(.look) }
    }

    /// Closes the doors, lets requests that have begun end, and waits for them until the deadline.
    package func drain(until deadline: MonotonicInstant) {
        let (loops, listeners, context) = running.withLock { ($0.loops, $0.listeners, $0.context) }
        for loop in loops { loop.post(.drain) }
        for (socket, _) in listeners { socket.close() }
        guard let context else { return }
        if !context.admission.waitForNone(until: deadline) {
            log.warning(
                "http.drain_late", "Connections were still open at the deadline.",
                ["connections": LogValue(context.admission.count)])
        }
    }

    /// Ends every connection, waits for the loops, and for handlers for some seconds.
    package func stop() {
        let state = running.withLock { state in
            let copy = state
            state = Running()
            return copy
        }
        for loop in state.loops { loop.post(.stop) }
        for thread in state.threads { thread.join() }
        for (socket, _) in state.listeners { socket.close() }
        guard let context = state.context else { return }
        if !context.pool.stop(until: SystemMonotonicClock().now() + .seconds(5)) {
            log.warning("http.handlers_late", "Handlers were still running at the end.")
        }
    }
}
