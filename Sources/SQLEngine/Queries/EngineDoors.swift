import Synchronization

/// What domains above the engine lend it, once they are there: the checks of tables.
final class EngineDoors: Sendable {
    private let held = Mutex<(any CheckDoor)?>(nil)
    private let heldMetrics = Mutex<(any MetricDoor)?>(nil)

    var metrics: (any MetricDoor)? {
        get { heldMetrics.withLock { $0 } }
        set { heldMetrics.withLock { $0 = newValue } }
    }

    private let heldRights = Mutex<(any RightsDoor)?>(nil)

    var rights: (any RightsDoor)? {
        get { heldRights.withLock { $0 } }
        set { heldRights.withLock { $0 = newValue } }
    }

    private let heldCatalogs = Mutex<(any CatalogDoor)?>(nil)

    var catalogs: (any CatalogDoor)? {
        get { heldCatalogs.withLock { $0 } }
        set { heldCatalogs.withLock { $0 = newValue } }
    }

    var checks: (any CheckDoor)? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}

extension QueryEngine {
    /// Lets `CREATE CHECK`, `RUN CHECKS` and `system.quality` reach the checks.
    package func attach(checks: any CheckDoor) { doors.checks = checks }

    var checks: (any CheckDoor)? { doors.checks }
}
