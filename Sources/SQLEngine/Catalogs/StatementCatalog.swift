import Authority
import Diagnostics
import Iceberg
import SQLFunctions
import SQLPlanning
import Synchronization
import TableCatalog

/// The catalogs as one statement sees them: at the moment that its session reads, and with a note of
/// every state that its names were found in.
///
/// The notes are what a result depends on: two statements of the same text, session and caller with
/// equal notes have equal rows, unless they ask the clock or dice. A policy is noted with the decision,
/// and what a policy's expression reads is resolved, and noted, like any other name.
final class StatementCatalog: CatalogView {
    private let catalogs: EngineCatalogs
    private let readAsOfMicroseconds: Int64?
    private let asker: Principal

    private struct Notes {
        var states: Set<String> = []
        var reads: Set<TableRead> = []
        /// Tables that were found in their present state.
        var present: [PresentTable] = []
        /// The tables with their pins: maintenance keeps their files until the statement is through.
        var held: [IcebergTable] = []
        /// A name that has no state to name: listings, files, models.
        var hasUnknown = false
        /// Every Iceberg table, and what every view says.
        var tables: [IcebergTable] = []
        var views: Set<String> = []
        /// Whether a table was found of which the viewer sees only a part.
        var isRestricted = false
    }
    private let notes = Mutex(Notes())
    /// Decides what materialized views stand for; nil: for their definitions.
    private let materializedViews: MaterializedViews?

    init(
        _ catalogs: EngineCatalogs, readAsOfMicroseconds: Int64?, asker: Principal,
        materializedViews: MaterializedViews? = nil
    ) {
        self.materializedViews = materializedViews
        self.catalogs = catalogs
        self.asker = asker
        self.readAsOfMicroseconds = readAsOfMicroseconds
    }

    var catalogNames: [String] { catalogs.catalogNames }

    func resolve(
        _ context: RequestContext, _ name: TableName, version: TableVersion, span: SourceSpan?
    ) throws(QueryFault) -> ResolvedRelation {
        var version = version
        if let moment = readAsOfMicroseconds, version == .current, name.catalog != "system",
            name.schema != "information_schema", !catalogs.isConnected(context, name.catalog)
        {
            version = .timestamp(microseconds: moment)
        }
        var relation = try catalogs.resolve(context, name, version: version, span: span)
        if case .view(let view) = relation, view.materialization != nil, version == .current,
            let materializedViews
        {
            relation = .view(try materializedViews.reading(view, context))
        }
        note(relation, context)
        if version == .current, case .table(let table as IcebergTable, _) = relation {
            let present = PresentTable(
                at: table.reference, identifier: table.identifier,
                metadataLocation: table.metadataLocation)
            notes.withLock { $0.present.append(present) }
        }
        return relation
    }

    func routines(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [String] {
        let found = try catalogs.routines(context, name)
        // A routine has no state that a kept result could name.
        if !found.isEmpty { notes.withLock { $0.hasUnknown = true } }
        return found
    }

    func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel {
        notes.withLock { $0.hasUnknown = true }
        return try catalogs.model(context, name, version: version, span: span)
    }

    /// Whether all tables that were found in their present state were so at one moment. When a transaction
    /// or a merge came between two of them, the statement would see one table before and one after it.
    func isOfOneMoment(_ context: RequestContext) -> Bool {
        let present = notes.withLock { $0.present }
        guard Set(present).count > 1, let catalog = catalogs.catalog else { return true }
        return (try? catalog.areCurrent(context, present)) ?? true
    }

    /// The tables that were found in their present state.
    var presentTables: [PresentTable] { notes.withLock { $0.present } }

    /// What the definition of a materialized view depends on.
    var definitionNotes:
        (tables: [IcebergTable], views: Set<String>, hasUnknown: Bool, isRestricted: Bool)
    {
        notes.withLock { ($0.tables, $0.views, $0.hasUnknown, $0.isRestricted) }
    }

    /// Forgets what was found, before names are looked up again.
    func forget() { notes.withLock { $0 = Notes() } }

    /// Everything that was found, in one text that is the same for the same states; nil when something
    /// has no state.
    var fingerprint: String? {
        notes.withLock { $0.hasUnknown ? nil : $0.states.sorted().joined(separator: "\n") }
    }

    /// The tables that the statement names, in the states that were found; not what policies read.
    var reads: [TableRead] {
        notes.withLock { $0.reads.sorted { $0.name.description < $1.name.description } }
    }

    /// The same; nil where something else than tables of warehouses was found too.
    var allReads: [TableRead]? { notes.withLock(\.hasUnknown) ? nil : reads }

    private func note(_ relation: ResolvedRelation, _ context: RequestContext) {
        switch relation {
        case .table(let table, let decision):
            guard let table = table as? IcebergTable else {
                return notes.withLock { $0.hasUnknown = true }
            }
            let snapshot = table.snapshot.map { String($0.snapshotID) } ?? "none"
            let state =
                "\(table.name) \(table.metadata.tableUUID) \(snapshot) \(table.schema.schemaID) "
                + "\(context.principal.id) \(text(of: decision))"
            let read = TableRead(
                name: table.name, uuid: table.metadata.tableUUID,
                snapshotID: table.snapshot?.snapshotID)
            notes.withLock { notes in
                notes.states.insert(state)
                notes.held.append(table)
                notes.tables.append(table)
                notes.isRestricted = notes.isRestricted || decision.isRestricted
                if context.principal == asker || context.viewer != nil { notes.reads.insert(read) }
            }
        case .view(let view):
            let state = "\(view.name) \(view.owner.id) \(view.runsAsInvoker) \(view.sql)"
            notes.withLock { notes in
                notes.states.insert(state)
                notes.views.insert(state)
            }
        }
    }

    /// What of a decision changes rows and values.
    private func text(of decision: Decision) -> String {
        let masks = decision.columnMasks.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        let policies = decision.masks.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "\(decision.rowFilter ?? "") \(masks) \(decision.filters) \(policies)"
    }
}
