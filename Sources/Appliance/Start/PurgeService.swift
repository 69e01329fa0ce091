import Platform
import Supervision
import TableCatalog
import Telemetry

/// Deletes the files of purged tables on a thread of its own, so that nobody who drops a table waits for
/// them. What a stop interrupts, the next start goes on with.
final class PurgeService: Service {
    let name = "purge"
    private let catalog: Catalog
    private let done = Latch<Bool>()
    private let log = Logger()

    init(_ catalog: Catalog) { self.catalog = catalog }

    func start() throws {
        catalog.startPurger()
        _ = try Thread(name: "purge") { [self] in
            repeat {
                do { try catalog.runPurges() } catch {
                    log.error(
                        "purge.failed", "Files of a dropped table stay; it is tried again.",
                        ["error": LogValue(error)])
                }
            } while catalog.waitForPurge(
                until: SystemMonotonicClock().now() + Duration.seconds(60))
            done.open(true)
        }
    }

    func stop() {
        catalog.stopPurger()
        _ = done.wait(until: SystemMonotonicClock().now() + Duration.seconds(5))
    }
}
