import Synchronization

/// What domains above the engine lend it, once they are there: the checks of tables,
/// metrics, rights, the ledger.
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

    private let heldOperations = Mutex<(any OperationsDoor)?>(nil)

    var operations: (any OperationsDoor)? {
        get { heldOperations.withLock { $0 } }
        set { heldOperations.withLock { $0 = newValue } }
    }

    private let heldIngest = Mutex<(any IngestDoor)?>(nil)

    var ingest: (any IngestDoor)? {
        get { heldIngest.withLock { $0 } }
        set { heldIngest.withLock { $0 = newValue } }
    }

    private let heldLedger = Mutex<(any LedgerDoor)?>(nil)

    var ledger: (any LedgerDoor)? {
        get { heldLedger.withLock { $0 } }
        set { heldLedger.withLock { $0 = newValue } }
    }

    private let heldWarehouses = Mutex<(any WarehouseDoor)?>(nil)

    var warehouses: (any WarehouseDoor)? {
        get { heldWarehouses.withLock { $0 } }
        set { heldWarehouses.withLock { $0 = newValue } }
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
