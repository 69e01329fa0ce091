import Authority
import CivilTime
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

/// CALL of procedures that move a table's branches and tags between its snapshots:
///
///     rollback_to_timestamp(schema, table, timestamp)   as text: '2026-11-21T10:00:00Z'
///     set_current_snapshot(schema, table, snapshot_id)
///     cherrypick_snapshot(schema, table, snapshot_id)
///     fast_forward(schema, table, branch, to)
///     create_tag(schema, table, tag[, snapshot_id, retain_days])     replaces one of the name
///     drop_tag(schema, table, tag)
///     set_retention(schema, table, reference[, retain_days, keep_snapshots, snapshot_days])
///
/// Names and meanings are those of Iceberg's Spark procedures; the schema is an argument of its own, as
/// in Trino's `rollback_to_snapshot`.
extension StatementRun {
    /// The procedures' names, for suggestions.
    static let snapshotProcedures = [
        "rollback_to_timestamp", "set_current_snapshot", "cherrypick_snapshot", "fast_forward",
        "create_tag", "drop_tag", "set_retention",
    ]

    /// Runs a procedure of this page; nil for others.
    func callSnapshotProcedure(
        _ name: QualifiedName, _ arguments: [FunctionCall.Argument]
    ) throws(QueryFault) -> StatementOutcome? {
        let parts = name.canonicalParts
        guard parts.count >= 2, parts[parts.count - 2] == "system", let procedure = parts.last,
            Self.snapshotProcedures.contains(procedure)
        else { return nil }
        guard let catalog = parts.count == 3 ? parts[0] : session.catalog else {
            throw QueryFault(
                .missingCatalogName,
                "Catalog must be specified when session catalog is not set", span: name.span)
        }
        let (more, required) = Self.parameters(procedure)
        let values = try bound(
            arguments, ["schema", "table"] + more, required: 2 + required, name)
        let tableName = TableName(
            catalog: catalog, schema: try text(values[0], "schema").lowercased(),
            table: try text(values[1], "table").lowercased())
        guard let table = try self.table(tableName, name) else { return nil }
        try run(procedure, table, Array(values.dropFirst(2)), more)
        return .done(updateType: "CALL", count: nil)
    }

    /// What follows schema and table, and how many of it have to be given.
    private static func parameters(_ procedure: String) -> (names: [String], required: Int) {
        switch procedure {
        case "rollback_to_timestamp": (["timestamp"], 1)
        case "fast_forward": (["branch", "to"], 2)
        case "create_tag": (["tag", "snapshot_id", "retain_days"], 1)
        case "drop_tag": (["tag"], 1)
        case "set_retention":
            (["reference", "retain_days", "keep_snapshots", "snapshot_days"], 1)
        default: (["snapshot_id"], 1)
        }
    }

    private func run(
        _ procedure: String, _ table: IcebergTable, _ values: [LiteralValue?], _ names: [String]
    ) throws(QueryFault) {
        func optional(_ index: Int) throws(QueryFault) -> Int64? {
            guard let value = values[index] else { return nil }
            return try number(value, names[index])
        }
        switch procedure {
        case "cherrypick_snapshot":
            try cherryPick(table, try number(values[0], names[0]))
        case "set_current_snapshot":
            try move(table, "main", to: try number(values[0], names[0]), mustBeBehind: false)
        case "rollback_to_timestamp":
            let moment = try self.moment(try text(values[0], names[0]))
            let line = table.metadata.ancestors(of: table.metadata.currentSnapshotID)
            guard let target = line.first(where: { $0.timestampMilliseconds < moment }) else {
                throw QueryFault(
                    .invalidArguments, "Table '\(table.name)' has no snapshot as old as that")
            }
            try move(table, "main", to: target.snapshotID, mustBeBehind: true)
        case "fast_forward":
            let (branch, to) = (try text(values[0], names[0]), try text(values[1], names[1]))
            try fastForward(table, branch, to)
        case "create_tag":
            let tag = try text(values[0], names[0])
            let snapshot = try optional(1)
            let days = try optional(2)
            try change(table, tag) { metadata throws(QueryFault) in
                guard let id = snapshot ?? metadata.currentSnapshotID,
                    metadata.snapshot(id: id) != nil
                else { throw self.noSnapshot(table, snapshot) }
                return [
                    .setSnapshotReference(
                        tag,
                        SnapshotReference(
                            snapshotID: id, kind: .tag,
                            maximumReferenceAgeMilliseconds: try self.milliseconds(days)))
                ]
            }
        case "drop_tag":
            let tag = try text(values[0], names[0])
            try change(table, tag) { metadata throws(QueryFault) in
                guard metadata.references[tag]?.kind == .tag else {
                    throw QueryFault(
                        .invalidArguments, "Table '\(table.name)' has no tag '\(tag)'")
                }
                return [.removeSnapshotReference(tag)]
            }
        default:
            let reference = try text(values[0], names[0])
            let (age, keep, snapshots) = (try optional(1), try optional(2), try optional(3))
            try change(table, reference) { metadata throws(QueryFault) in
                guard var known = metadata.references[reference] else {
                    throw QueryFault(
                        .invalidArguments,
                        "Table '\(table.name)' has no branch or tag '\(reference)'")
                }
                if let age {
                    known.maximumReferenceAgeMilliseconds = try self.milliseconds(age)
                }
                if keep != nil || snapshots != nil, known.kind == .tag {
                    throw QueryFault(
                        .invalidArguments, "A tag has no snapshots to keep: '\(reference)'")
                }
                if let keep {
                    guard keep > 0, let count = Int(exactly: keep) else {
                        throw QueryFault(
                            .invalidArguments, "keep_snapshots has to be above 0: \(keep)")
                    }
                    known.minimumSnapshotsToKeep = count
                }
                if let snapshots {
                    known.maximumSnapshotAgeMilliseconds = try self.milliseconds(snapshots)
                }
                return [.setSnapshotReference(reference, known)]
            }
        }
    }

    private func noSnapshot(_ table: IcebergTable, _ id: Int64?) -> QueryFault {
        QueryFault(
            .invalidArguments,
            "Table '\(table.name)' has no snapshot" + (id.map { " \($0)" } ?? ""),
            hint: "\"\(table.name.table)$snapshots\" lists those there are")
    }

    private func milliseconds(_ days: Int64?) throws(QueryFault) -> Int64? {
        guard let days else { return nil }
        guard 1...36_500 ~= days else {
            throw QueryFault(.invalidArguments, "Days have to be 1 to 36500: \(days)")
        }
        return days * 86_400_000
    }

    private func moment(_ text: String) throws(QueryFault) -> Int64 {
        guard let parsed = CivilParse.rfc3339(text) else {
            throw QueryFault(
                .invalidArguments, "Not a timestamp with a zone: \(text)",
                hint: "such as '2026-11-21T10:00:00Z'")
        }
        return parsed >= 0 ? parsed / 1000 : -((-parsed + 999) / 1000)
    }

    private func move(
        _ table: IcebergTable, _ branch: String, to id: Int64, mustBeBehind: Bool
    ) throws(QueryFault) {
        try change(table, branch) { metadata throws(QueryFault) in
            guard metadata.snapshot(id: id) != nil else { throw self.noSnapshot(table, id) }
            if mustBeBehind,
                !metadata.ancestors(of: metadata.currentSnapshotID).contains(where: {
                    $0.snapshotID == id
                })
            {
                throw QueryFault(
                    .transactionConflict, "Table '\(table.name)' has another history meanwhile")
            }
            return Self.setting(branch, to: id, metadata)
        }
    }

    private static func setting(
        _ branch: String, to id: Int64, _ metadata: TableMetadata
    ) -> [TableUpdate] {
        var reference =
            metadata.references[branch] ?? SnapshotReference(snapshotID: id, kind: .branch)
        if reference.snapshotID == id, metadata.references[branch] != nil { return [] }
        reference.snapshotID = id
        return [.setSnapshotReference(branch, reference)]
    }

    private func fastForward(
        _ table: IcebergTable, _ branch: String, _ to: String
    ) throws(QueryFault) {
        try change(table, branch) { metadata throws(QueryFault) in
            guard let target = metadata.references[to]?.snapshotID else {
                throw QueryFault(
                    .branchNotFound, "Table '\(table.name)' has no branch or tag '\(to)'")
            }
            let present =
                metadata.references[branch]?.snapshotID
                ?? (branch == "main" ? metadata.currentSnapshotID : nil)
            let line = metadata.ancestors(of: target).map(\.snapshotID)
            guard present.map(line.contains) ?? true else {
                throw QueryFault(
                    .invalidArguments, "Branch '\(branch)' is not an ancestor of '\(to)'")
            }
            return Self.setting(branch, to: target, metadata)
        }
    }

    private func cherryPick(_ table: IcebergTable, _ id: Int64) throws(QueryFault) {
        let (catalog, at) = try writable(table.name.catalog, schema: table.name.schema)
        try require(.tableInsert, on: table.name)
        try attempting(table) {
            let base = try catalog.loadTable(context, at, table.identifier).metadata
            var (updates, requirements): ([TableUpdate], [TableRequirement])
            var written: [String] = []
            switch try catalog.snapshotProducer().cherryPick(id, onto: "main", of: base) {
            case .forward(let moves, let conditions): (updates, requirements) = (moves, conditions)
            case .append(let product):
                (updates, requirements) = (product.updates, product.requirements)
                written = product.writtenPaths
            }
            do {
                _ = try catalog.commit(
                    context, at,
                    TableCommit(
                        identifier: table.identifier, requirements: requirements,
                        updates: updates))
            } catch {
                catalog.manifests.discard(written)
                throw error
            }
        }
    }

    /// Commits a change of one branch or tag, unless somebody else moved it meanwhile: then it is worked
    /// out again.
    private func change(
        _ table: IcebergTable, _ reference: String,
        _ body: (TableMetadata) throws(QueryFault) -> [TableUpdate]
    ) throws(QueryFault) {
        let (catalog, at) = try writable(table.name.catalog, schema: table.name.schema)
        try require(.tableAlter, on: table.name)
        try attempting(table) {
            let base = try catalog.loadTable(context, at, table.identifier).metadata
            let updates = try body(base)
            if updates.isEmpty { return }
            _ = try catalog.commit(
                context, at,
                TableCommit(
                    identifier: table.identifier,
                    requirements: [
                        .assertTableUUID(base.tableUUID),
                        .assertReferenceSnapshotID(
                            reference: reference,
                            snapshotID: base.references[reference]?.snapshotID),
                    ], updates: updates))
        }
    }

    /// Runs a commit again while others are faster.
    private func attempting(
        _ table: IcebergTable, _ body: () throws -> Void
    ) throws(QueryFault) {
        var attempt = 1
        while true {
            do { return try body() } catch let error as QueryFault { throw error } catch let error
                as IcebergError where error.code == .requirementFailed && attempt < 10
            {
                attempt += 1
            } catch { throw EngineCatalogs.fault(error, about: "\(table.name)") }
        }
    }
}
