import Connectors
import DiskObjectStorage
import Identity
import Ingest
import Jobs
import Ledger
import Models
import Operations
import Quality
import SQLite
import TableCatalog

/// A database of the appliance: a file of the data directory.
struct ApplianceDatabase {
    /// The part that it belongs to, as the operations page calls it.
    let component: String
    /// The file's name.
    let file: String
    /// Opens it where it is not open yet.
    let open: () throws -> Database
}

extension Appliance {
    /// Every database, in an order in which their writers may be held together: what a backup takes,
    /// what `doctor` checks and what has to answer.
    var databases: [ApplianceDatabase] {
        func entry(
            _ component: String, _ file: String,
            _ open: @autoclosure @escaping () throws -> Database
        ) -> ApplianceDatabase { ApplianceDatabase(component: component, file: file, open: open) }
        return [
            entry("jobs", "jobs.sqlite", self.jobs.records),
            entry("checks", "quality.sqlite", self.checks.database),
            entry("operations", "operations.sqlite", self.watchman.database),
            entry("landing", "ingest.sqlite", self.registry.database),
            entry("models", "models.sqlite", self.models.database),
            entry("connectors", "connectors.sqlite", self.connectors.database),
            entry("maintenance", MaintenanceLog.fileName, try self.catalog.maintenance.database),
            entry("catalog", "catalog.sqlite", self.catalog.outbox),
            entry("objects", "objects.sqlite", self.objects.database),
            entry("identities", "identity.sqlite", self.identity.database),
            entry("ledger", "ledger.sqlite", self.ledger.database),
        ]
    }
}
