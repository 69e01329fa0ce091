import Authority
import Iceberg
import Platform
import SQLSyntax
import Synchronization
import TableCatalog

/// A transaction between START TRANSACTION and its end.
///
/// Its statements name the same catalogs as ever; `reference(for:)` puts the transaction's own reference
/// in the place of what they mean, so that all of them read the state in which the transaction began, and
/// what it wrote itself. References that START TRANSACTION did not know (another branch, by its full name)
/// are held from their first use.
final class EngineTransaction: Sendable {
    let id: String
    let context: RequestContext
    let isReadOnly: Bool
    /// Whether COMMIT asks that everything read is still as it was.
    let isSerializable: Bool
    /// When START TRANSACTION came.
    let createdMicroseconds: Int64
    private let catalog: Catalog

    private struct State {
        var references: [CatalogReference: TransactionReference]
        /// By origin: the tables that were read.
        var reads: [CatalogReference: Set<TableIdentifier>] = [:]
    }
    private let state: Mutex<State>

    init(
        id: String, context: RequestContext, isReadOnly: Bool, isolation: IsolationLevel?,
        createdMicroseconds: Int64, catalog: Catalog, _ references: [TransactionReference]
    ) {
        self.id = id
        self.context = context
        self.isReadOnly = isReadOnly
        isSerializable = isolation == .serializable
        self.createdMicroseconds = createdMicroseconds
        self.catalog = catalog
        state = Mutex(
            State(
                references: Dictionary(references.map { ($0.origin, $0) }) { first, _ in first }))
    }

    /// Every reference that the transaction holds.
    var references: [TransactionReference] {
        state.withLock { state in
            state.references.values.sorted { "\($0.origin)" < "\($1.origin)" }
        }
    }

    /// Where the transaction reads and writes what a statement calls `origin`: tags and what is unknown
    /// stay what they are.
    func reference(for origin: CatalogReference) -> CatalogReference {
        state.withLock { state in
            if let held = state.references[origin] { return held.at }
            guard
                let opened = try? catalog.beginTransaction(context, id: id, [origin]).first
            else { return origin }
            state.references[origin] = opened
            return opened.at
        }
    }

    /// Whether the reference is one of the transaction's own.
    func holds(_ at: CatalogReference) -> Bool {
        state.withLock { $0.references.values.contains { $0.at == at } }
    }

    /// Remembers what a statement has read.
    func note(_ reads: [PresentTable]) {
        guard isSerializable else { return }
        state.withLock { state in
            for read in reads {
                guard
                    let held = state.references.values.first(where: { $0.at == read.at })
                else { continue }
                state.reads[held.origin, default: []].insert(read.identifier)
            }
        }
    }

    func commit(_ context: RequestContext) throws {
        let (references, reads) = state.withLock { ($0.references.values.map { $0 }, $0.reads) }
        try catalog.commitTransaction(
            context, references.sorted { "\($0.origin)" < "\($1.origin)" }, relied: reads)
    }

    func rollBack() throws { try catalog.rollBackTransaction(context, references) }
}
