import Diagnostics
package import Platform
import Synchronization
package import Telemetry

/// Starts the services in order, and ends them in the opposite one.
package final class Supervisor: Sendable {
    /// Why the appliance ends.
    package enum End: Sendable {
        /// Somebody asked: a signal, `lakehouse stop`.
        case requested(String)
        /// A service broke.
        case failed(service: String, reason: String)
    }

    private let services: [any Service]
    private let clock: any MonotonicClock
    private let log: Logger
    private let started = Mutex<[any Service]>([])
    private let ended = Latch<End>()
    package let health: HealthRegistry

    package init(
        _ services: [any Service], health: HealthRegistry = HealthRegistry(),
        clock: any MonotonicClock = SystemMonotonicClock(), log: Logger = Logger()
    ) {
        self.services = services
        self.health = health
        self.clock = clock
        self.log = log
        for service in services { health.set(service.name, .starting) }
    }

    /// Starts all, first to last. When one fails, those already started are stopped in reverse order,
    /// and the fault names the service, the cause and the remedy.
    package func start() throws(SupervisionError) {
        for service in services {
            let begin = clock.now()
            do {
                try service.start()
            } catch {
                health.set(service.name, .failed("\(error)"))
                stop()
                throw SupervisionError(service: service.name, cause: error)
            }
            started.withLock { $0.append(service) }
            health.set(service.name, .ready)
            log.debug(
                "supervision.started", "A service has started.",
                [
                    "service": .string(service.name),
                    "seconds": .double((clock.now() - begin).fractionalSeconds),
                ])
        }
    }

    /// Drains last to first under one deadline, then stops what still runs. True when every service was done
    /// in time.
    @discardableResult
    package func shutDown(within limit: Duration) -> Bool {
        let deadline = clock.now() + limit
        let running = started.withLock { $0 }
        for service in running { health.set(service.name, .draining) }
        for service in running.reversed() {
            log.debug(
                "supervision.draining", "A service drains.", ["service": .string(service.name)])
            service.drain(until: deadline)
        }
        let inTime = clock.now() <= deadline
        if !inTime {
            log.warning("supervision.late", "The services did not drain within the deadline.")
        }
        stop()
        return inTime
    }

    private func stop() {
        let running = started.withLock { started in
            let running = started
            started = []
            return running
        }
        for service in running.reversed() {
            service.stop()
            health.set(service.name, .stopped)
        }
    }

    /// Asks for an orderly end; the first reason counts.
    package func end(_ reason: String) { ended.open(.requested(reason)) }

    /// A service broke after its start: the appliance ends.
    package func fail(_ service: String, _ reason: String) {
        health.set(service, .failed(reason))
        log.error(
            "supervision.failed", "A service broke.",
            ["service": .string(service), "reason": .string(reason)])
        ended.open(.failed(service: service, reason: reason))
    }

    /// Waits until somebody calls `end` or `fail`.
    package func waitForEnd() -> End { ended.wait() }
}
