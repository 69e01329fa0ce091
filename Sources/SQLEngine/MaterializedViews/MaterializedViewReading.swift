import Authority
import Bytes
import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// How near a materialized view is to its base tables. The names are Trino's.
enum Freshness: String {
    case fresh = "FRESH"
    case stale = "STALE"
    case unknown = "UNKNOWN"
}

/// Decides what readers of a materialized view read: its storage, or its definition as of any view.
///
/// The definition is bound each time, with its owner's rights, to see which states of which tables it
/// reads now; equal states are fresh. Whoever sees only a part of a base table (a row filter, a mask) reads
/// the definition, since the storage has everything that the owner sees.
struct MaterializedViews {
    let catalogs: EngineCatalogs
    let session: SessionValues

    /// What a definition reads at present.
    struct Present {
        var state: RefreshState
        var tables: [IcebergTable]
        /// Whether the one who asks sees only a part of some table.
        var isRestricted: Bool
        var query: BoundQuery
        var allocator: ColumnAllocator
    }

    /// Binds the definition with its owner's rights; policies are those of `viewer`, of the owner where nil.
    func present(
        _ view: ViewDefinition, _ context: RequestContext, viewer: Principal?
    ) throws(QueryFault) -> Present {
        var request = context
        request.principal = view.owner
        request.viewer = viewer
        let notes = StatementCatalog(
            catalogs, readAsOfMicroseconds: nil, asker: request.principal)
        var session = session
        session.catalog = view.catalog
        session.schema = view.schema
        let allocator = ColumnAllocator()
        let binding = BindingContext(
            request: request, session: session, catalog: notes, registry: .standard,
            evaluator: ExpressionEvaluator(session: session))
        let statement = try StatementRun.parse(view.sql)
        guard case .query(let query) = try Binder(binding, allocator: allocator).bind(statement)
        else {
            throw QueryFault(.invalidView, "the definition is no query: \(view.name)")
        }
        let found = notes.definitionNotes
        var sources: Set<RefreshState.Source> = []
        for table in found.tables {
            sources.insert(
                RefreshState.Source(
                    name: table.name, uuid: table.metadata.tableUUID,
                    snapshotID: table.snapshot?.snapshotID, schemaID: table.schema.schemaID))
            // Rows of another materialized view are rows of that one's tables.
            if MaterializedViewStorage.isStorage(table.name.table),
                let inner = RefreshState(table.snapshot)
            {
                sources.formUnion(inner.sources)
            }
        }
        let said = [view.sql, view.catalog ?? "", view.schema ?? ""] + found.views.sorted()
        let digest = xxHash64(Array(said.joined(separator: "\u{1F}").utf8))
        return Present(
            state: RefreshState(
                sources: sources, definitionDigest: String(digest, radix: 16),
                hasUnknown: found.hasUnknown,
                refreshedMilliseconds: session.startMicroseconds / 1000),
            tables: found.tables, isRestricted: found.isRestricted, query: query,
            allocator: allocator)
    }

    /// The storage table; nil where it is gone, or is not this view's.
    func storage(
        of view: ViewDefinition, _ context: RequestContext
    ) throws(QueryFault) -> IcebergTable? {
        guard let materialization = view.materialization else { return nil }
        var own = context
        own.principal = .system
        do throws(QueryFault) {
            guard
                case .table(let table as IcebergTable, _) = try catalogs.resolve(
                    own, materialization.storage, version: .current, span: nil),
                table.metadata.properties[MaterializedViewStorage.viewProperty]
                    == materialization.viewUUID
            else { return nil }
            return table
        } catch {
            if error.code == .tableNotFound || error.code == .schemaNotFound { return nil }
            throw error
        }
    }

    /// How fresh rows of a refresh are, and since when they are not.
    func freshness(
        _ refresh: RefreshState, _ present: Present
    ) -> (freshness: Freshness, lastFreshMilliseconds: Int64?) {
        if refresh.isSame(as: present.state) { return (.fresh, nil) }
        if refresh.hasUnknown || present.state.hasUnknown {
            return (.unknown, refresh.refreshedMilliseconds)
        }
        guard refresh.definitionDigest == present.state.definitionDigest,
            refresh.sources.map(\.name).sorted(by: { "\($0)" < "\($1)" })
                == present.state.sources.map(\.name).sorted(by: { "\($0)" < "\($1)" })
        else { return (.stale, refresh.refreshedMilliseconds) }
        // Fresh until the first commit that the refresh has not seen.
        var since = Int64.max
        for source in refresh.sources {
            guard let table = present.tables.first(where: { $0.name == source.name }),
                table.snapshot?.snapshotID != source.snapshotID
            else { continue }
            let later = table.metadata.ancestors(of: table.snapshot?.snapshotID).prefix {
                $0.snapshotID != source.snapshotID
            }
            since = min(since, later.last?.timestampMilliseconds ?? refresh.refreshedMilliseconds)
        }
        return (.stale, since == .max ? refresh.refreshedMilliseconds : since)
    }

    /// The view as its reader gets it: a selection from the storage where that may be read, the definition
    /// otherwise. Throws VIEW_IS_STALE for one that is to fail then.
    func reading(
        _ view: ViewDefinition, _ context: RequestContext
    ) throws(QueryFault) -> ViewDefinition {
        guard let materialization = view.materialization,
            let storage = try storage(of: view, context),
            let refresh = RefreshState(storage.snapshot)
        else { return try stale(view) }
        let present: Present
        do throws(QueryFault) {
            present = try self.present(view, context, viewer: context.audience)
        } catch {
            // The definition says itself what is wrong.
            return view
        }
        if present.isRestricted { return view }
        let (freshness, since) = freshness(refresh, present)
        if freshness != .fresh, let grace = materialization.graceMilliseconds {
            let age = session.startMicroseconds / 1000 - (since ?? 0)
            if age > grace || grace == 0 { return try stale(view) }
        }
        var result = view
        result.sql = selection(from: storage, view)
        result.owner = .system
        result.runsAsInvoker = false
        return result
    }

    private func stale(_ view: ViewDefinition) throws(QueryFault) -> ViewDefinition {
        guard view.materialization?.failsWhenStale ?? false else { return view }
        throw QueryFault(
            .viewIsStale, "Materialized view '\(view.name)' is stale",
            hint: "REFRESH MATERIALIZED VIEW it first")
    }

    /// The rows of the storage in the view's own types.
    private func selection(from storage: IcebergTable, _ view: ViewDefinition) -> String {
        let columns = zip(storage.fields, view.columns).map { field, column in
            "CAST(\(SQLFormatter.quoted(name: field.name)) AS \(column.type)) AS "
                + SQLFormatter.quoted(name: column.name)
        }
        return
            "SELECT \(columns.joined(separator: ", ")) FROM \(StatementRun.quoted(storage.name))"
    }
}
