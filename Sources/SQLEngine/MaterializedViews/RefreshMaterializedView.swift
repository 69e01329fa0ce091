import Authority
import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// REFRESH MATERIALIZED VIEW.
///
///     definition, bound as its owner ─▶ which states it reads now ─┬▶ the same as last time: nothing
///                                                                   ├▶ one table, which only grew, and no more
///                                                                   │  than filter and projection: append the
///                                                                   │  rows of the new files
///                                                                   └▶ else: all rows again, in one commit
extension StatementRun {
    func refreshMaterializedView(_ name: QualifiedName) throws(QueryFault) -> StatementOutcome {
        let updateType = "REFRESH MATERIALIZED VIEW"
        guard let found = try materializedView(name) else {
            return .done(updateType: updateType, count: nil)
        }
        try require(.tableInsert, on: found.view.name)
        let storage = try storage(of: found, name)
        let present = try presentState(found, name)
        let last = RefreshState(storage.snapshot)
        if let last, last.isSame(as: present.state) {
            return .done(updateType: updateType, count: 0)
        }
        let query = try optimized(present)
        if let last, mayGrow(found.view.name),
            let grown = try grownPlan(query.plan, of: present, since: last)
        {
            var part = query
            part.plan = grown
            return try refresh(
                storage, part, .append, removing: [], present.state, found, updateType)
        }
        let files = try LiveFiles(storage, found.catalog.manifests)
        let paths = Set(files.tasks.keys)
        return try refresh(
            storage, query, .overwrite,
            removing: paths.union(files.deletesOnly(for: paths)), present.state, found, updateType)
    }

    private func presentState(
        _ found: FoundMaterializedView, _ name: QualifiedName
    ) throws(QueryFault) -> MaterializedViews.Present {
        let present = try found.views.present(found.view, context, viewer: nil)
        guard !present.isRestricted else {
            throw QueryFault(
                .notSupported,
                "'\(found.view.name)' cannot be stored: its owner sees only a part of a base table",
                hint: "readers get the definition's rows, each with their own policies",
                span: name.span)
        }
        return present
    }

    private func optimized(
        _ present: MaterializedViews.Present
    ) throws(QueryFault) -> BoundQuery {
        let optimizer = Optimizer(
            rules: engine.configuration.optimizerRules, allocator: present.allocator,
            registry: engine.registry, evaluator: ExpressionEvaluator(session: session))
        guard case .query(let query) = try optimizer.optimize(.query(present.query)) else {
            return present.query
        }
        return query
    }

    private func mayGrow(_ name: TableName) -> Bool {
        query.session.properties["\(name.catalog).incremental_refresh_enabled"] != "false"
    }

    /// The plan over the files that came since the last refresh; nil where all rows have to be made again.
    private func grownPlan(
        _ plan: LogicalPlan, of present: MaterializedViews.Present, since last: RefreshState
    ) throws(QueryFault) -> LogicalPlan? {
        guard present.query.plan.isRepeatable, !last.hasUnknown, !present.state.hasUnknown,
            last.definitionDigest == present.state.definitionDigest, present.tables.count == 1,
            let table = plan.onlyScannedTable as? IcebergTable,
            let now = present.state.sources.first, let then = last.sources.first,
            last.sources.count == 1, now.uuid == then.uuid, now.name == then.name,
            now.schemaID == then.schemaID, let base = then.snapshotID
        else { return nil }
        let line = table.metadata.ancestors(of: now.snapshotID)
        let new = line.prefix { $0.snapshotID != base }
        guard new.count < line.count, new.allSatisfy({ $0.operation == "append" }) else {
            return nil
        }
        var paths: Set<String> = []
        let source = try manifests()
        do throws(IcebergError) {
            for snapshot in new {
                for manifest in try source.manifests(of: snapshot)
                where manifest.addedSnapshotID == snapshot.snapshotID {
                    for entry in try source.entries(of: manifest, in: table.metadata)
                    where entry.status == .added {
                        // Deletes that came along may be about rows that are here already.
                        guard entry.file.content == .data else { return nil }
                        paths.insert(entry.file.path)
                    }
                }
            }
        } catch { throw EngineCatalogs.fault(error, about: "\(table.name)") }
        let part = try table.restricted(to: paths)
        return plan.transformed { node in
            guard case .scan(var scan) = node else { return node }
            scan.table = part
            return .scan(scan)
        }
    }

    /// The places of the storage are those of the tables whose rows it holds, before one is written.
    private func cover(
        _ storage: IcebergTable, _ state: RefreshState, _ catalog: Catalog
    ) throws(QueryFault) {
        do {
            for source in state.sources {
                let warehouse = CatalogReference(parsing: source.name.catalog).warehouse
                try catalog.governance?.cover(
                    tenant: context.tenant,
                    TableKey(
                        uuid: source.uuid,
                        path: [warehouse] + source.name.identifier.namespace
                            + [source.name.identifier.name]),
                    places: [storage.metadata.location])
            }
        } catch { throw Self.fault(error, about: "\(storage.name)") }
    }

    /// Writes the rows and puts them in the place of what there was, or beside it.
    private func refresh(
        _ storage: IcebergTable, _ query: BoundQuery, _ operation: SnapshotOperation,
        removing paths: Set<String>, _ state: RefreshState, _ found: FoundMaterializedView,
        _ updateType: String
    ) throws(QueryFault) -> StatementOutcome {
        let (plan, ids) = try stored(query, storage.schema)
        noteLineage(plan, ids, of: storage.schema.fields, writing: storage.name)
        let writer = try rowWriter(storage.metadata, storage.schema, of: storage.name)
        try cover(storage, state, found.catalog)
        return try writing([writer]) { () throws(QueryFault) in
            try self.execute(
                self.sorted(plan, ids, storage.metadata, storage.name), columns: ids
            ) { chunk throws(QueryFault) in try writer.append(chunk) }
            let files = try writer.finish()
            guard !self.context.cancellation.isCancelled else {
                throw QueryFault(.userCanceled, "Query was canceled")
            }
            var summary = self.commitSummary(rows: writer.rowCount)
            summary[MaterializedViewStorage.stateKey] = state.text
            let product = try self.changing("\(found.view.name)") {
                try found.catalog.snapshotProducer().produce(
                    operation, FileChanges(addedData: files, removedPaths: paths),
                    on: storage.metadata, summary: summary)
            }
            do {
                _ = try found.catalog.commit(
                    self.systemContext, storage.reference,
                    TableCommit(
                        identifier: storage.identifier, requirements: storage.metadata.unchanged,
                        updates: product.updates))
            } catch {
                found.catalog.manifests.discard(product.writtenPaths)
                if let lost = error as? IcebergError, lost.code == .requirementFailed {
                    throw QueryFault(
                        .transactionConflict,
                        "'\(found.view.name)' was refreshed by another at the same time",
                        hint: "repeat the statement", cause: lost)
                }
                throw Self.fault(error, about: "\(found.view.name)")
            }
            return .done(updateType: updateType, count: writer.rowCount)
        }
    }
}

extension LogicalPlan {
    /// The table of a plan that filters and projects the rows of one scan, and nothing more.
    fileprivate var onlyScannedTable: (any PlannedTable)? {
        switch self {
        case .scan(let node): node.limit == nil ? node.table : nil
        case .filter(let input, _), .project(let input, _): input.onlyScannedTable
        default: nil
        }
    }
}
