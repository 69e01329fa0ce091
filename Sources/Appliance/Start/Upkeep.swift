import DiskObjectStorage
import TableCatalog
import Identity
import SQLite
import Platform
import Supervision
import Telemetry

/// What has to be done now and then: recovery of the object store after the start, stamps of last use,
/// expired tokens, outboxes that everybody has read, memory that nobody uses any more.
final class Upkeep: Service {
    let name = "upkeep"
    private let appliance: Appliance
    private let ending = Latch<Bool>()
    private let log = Logger()
    private static let interval = Duration.seconds(60)

    init(_ appliance: Appliance) { self.appliance = appliance }

    func start() throws {
        _ = try Thread(name: "upkeep") { [self] in
            attempt("recover the object store") { _ = try appliance.objects.recover() }
            while ending.wait(until: SystemMonotonicClock().now() + Upkeep.interval) == nil {
                attempt("write stamps") { try appliance.identity.flush() }
                attempt("remove what has expired") { try appliance.identity.removeExpired() }
                attempt("trim outboxes") {
                    _ = try appliance.identity.database.trimOutbox()
                    _ = try appliance.objects.database.trimOutbox()
                    _ = try appliance.catalog.outbox.trimOutbox()
                }
                Process.returnFreedMemory()
            }
        }
    }

    func stop() { ending.open(true) }

    private func attempt(_ what: String, _ body: () throws -> Void) {
        do { try body() } catch {
            log.error(
                "upkeep.failed", "A piece of upkeep failed; it is tried again in a minute.",
                ["what": .string(what), "error": LogValue(error)])
        }
    }
}
