package import Authority
package import Diagnostics
import JSON
package import Platform
package import SQLEngine
package import SQLFunctions
package import SQLPlanning
package import SQLite
import Synchronization
import TableCatalog
import Vectors

/// The models of an appliance, in `models.sqlite`. One a process; safe for any thread.
package final class ModelLibrary: ModelKeeper {
    /// Wakes those who read the outbox of `models.sqlite`.
    package let database: Database
    private let authorizer: any Authorizer
    /// Decoded bodies by digest; the one that was used longest ago goes first.
    private let loaded = Mutex<[(digest: String, kernels: ModelKernels)]>([])

    /// Opens or creates the database.
    package init(
        databasePath: String, authorizer: any Authorizer, clock: any WallClock
    ) throws {
        database = try Database(
            path: databasePath, migrations: modelMigrations,
            nowMicroseconds: { clock.now().microseconds })
        self.authorizer = authorizer
    }

    /// Closes the database; later verbs fail.
    package func close() { database.close() }

    // MARK: Training

    package func begin(
        _ context: RequestContext, _ training: ModelTraining
    ) throws(QueryFault) -> any ModelTrainer {
        let key = ModelKey(context, training.name)
        try require(context, .modelCreate, key)
        guard key.name.utf8.count <= Limits.nameBytes, !key.name.contains("@") else {
            throw QueryFault(
                .invalidArguments,
                "a model's name has at most \(Limits.nameBytes) bytes and no @: \(key.name)")
        }
        if !training.orReplace, try head(key) != nil {
            throw QueryFault(
                .alreadyExists, "Model '\(training.name)' already exists",
                hint: "write CREATE OR REPLACE MODEL: it makes a new version")
        }
        let options = try ModelOptions(training)
        return try TrainingRun(self, context, training, options)
    }

    /// Records a version durably; an event tells of it in the same transaction.
    func record(
        _ context: RequestContext, _ training: ModelTraining, _ draft: ModelDraft
    ) throws(QueryFault) -> ModelRecord {
        let key = ModelKey(context, training.name)
        return try stored(training.name) {
            try database.write { tx in
                let owner = try tx.first(
                    """
                    SELECT owner, owner_id, latest FROM models
                    WHERE tenant = ? AND warehouse = ? AND namespace = ? AND name = ?
                    """, key.tenant, key.warehouse, key.namespace, key.name,
                    row: { ($0.string(0), $0.string(1), $0.int64(2)) })
                if owner != nil, !training.orReplace {
                    throw QueryFault(
                        .alreadyExists, "Model '\(training.name)' already exists",
                        hint: "write CREATE OR REPLACE MODEL: it makes a new version")
                }
                let version = (owner?.2 ?? 0) + 1
                let ownerName = owner?.0 ?? context.principal.name
                try tx.run(
                    """
                    INSERT INTO models (tenant, warehouse, namespace, name, owner, owner_id, latest)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET latest = excluded.latest
                    """, key.tenant, key.warehouse, key.namespace, key.name, ownerName,
                    owner?.1 ?? context.principal.id, version)
                let texts = ModelTexts(training, draft)
                try tx.run(
                    """
                    INSERT INTO versions
                        (tenant, warehouse, namespace, name, version, algorithm, created_us, query,
                         sources, features, label, parameters, metrics, row_count, skipped, seed,
                         digest, body)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """, key.tenant, key.warehouse, key.namespace, key.name, version,
                    draft.options.algorithm.rawValue, tx.nowMicroseconds, training.query,
                    texts.sources, texts.features, draft.options.label, texts.parameters,
                    texts.metrics, draft.rowCount, draft.skippedCount, draft.options.seed,
                    draft.digest, draft.bytes)
                try emit(
                    tx, context, version == 1 ? "model.created" : "model.replaced", key,
                    [
                        ("version", .int(version)), ("digest", .string(draft.digest)),
                        ("rows", .int(draft.rowCount)),
                    ])
                return ModelRecord(
                    name: training.name, version: version, isLatest: true,
                    algorithm: draft.options.algorithm.rawValue, owner: ownerName,
                    createdMicroseconds: tx.nowMicroseconds, query: training.query,
                    sources: training.sources, features: draft.features,
                    label: draft.options.label, parameters: draft.parameters,
                    metrics: draft.metrics, rowCount: Int64(draft.rowCount),
                    skippedCount: Int64(draft.skippedCount), seed: draft.options.seed,
                    digest: draft.digest, sizeBytes: Int64(draft.bytes.count))
            }
        }
    }

    // MARK: Use

    package func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel {
        let key = ModelKey(context, name)
        try require(context, .modelUse, key, span)
        let record = try self.found(key, name, version, span)
        let title = "\(name)@\(record.version)"
        let kernels = try self.kernels(key, record)
        return LoadedModel(
            title: title, algorithm: record.algorithm, features: record.features, kernels: kernels)
    }

    /// The decoded body, read from the database where it is not in memory.
    private func kernels(
        _ key: ModelKey, _ record: ModelRecord
    ) throws(QueryFault) -> ModelKernels {
        let digest = record.digest
        let known = loaded.withLock { loaded -> ModelKernels? in
            guard let index = loaded.firstIndex(where: { $0.digest == digest }) else { return nil }
            let entry = loaded.remove(at: index)
            loaded.append(entry)
            return entry.kernels
        }
        if let known { return known }
        let kernels = try stored(record.name) {
            let bytes = try database.read { tx in
                try tx.first(
                    """
                    SELECT body FROM versions
                    WHERE tenant = ? AND warehouse = ? AND namespace = ? AND name = ? AND version = ?
                    """, key.tenant, key.warehouse, key.namespace, key.name, record.version,
                    row: { $0.bytes(0) })
            }
            guard let bytes else { throw ModelError.damaged("it was dropped just now") }
            return try ModelKernels(try ModelBody(bytes, digest: digest))
        }
        loaded.withLock { loaded in
            loaded.append((digest, kernels))
            if loaded.count > Limits.loadedModels { loaded.removeFirst() }
        }
        return kernels
    }

    package func record(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> ModelRecord {
        let key = ModelKey(context, name)
        try require(context, .modelList, key, span)
        return try found(key, name, version, span)
    }

    package func records(
        _ context: RequestContext, catalog: String, schema: String?
    ) throws(QueryFault) -> [ModelRecord] {
        let warehouse = CatalogReference(parsing: catalog).warehouse
        let all = try stored(catalog) {
            try database.read { tx in
                try tx.query(
                    Self.selection
                        + """
                         WHERE v.tenant = ? AND v.warehouse = ? AND (? IS NULL OR v.namespace = ?)
                        ORDER BY v.namespace, v.name, v.version
                        """, context.tenant, warehouse, schema, schema
                ) { try Self.record($0, catalog) }
            }
        }
        var allowed: [String: Bool] = [:]
        return all.filter { record in
            let key = ModelKey(context, record.name)
            if let known = allowed[key.path.joined(separator: "/")] { return known }
            let isAllowed = authorizer.decide(context, .modelList, key.resource).isAllowed
            allowed[key.path.joined(separator: "/")] = isAllowed
            return isAllowed
        }
    }

    package func drop(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> Bool {
        let key = ModelKey(context, name)
        let head = try self.head(key)
        if head?.ownerID != context.principal.id || context.principal.kind == .anonymous {
            try require(context, .modelDrop, key)
        }
        guard head != nil else { return false }
        return try stored(name) {
            try database.write { tx in
                let count = try tx.run(
                    """
                    DELETE FROM models
                    WHERE tenant = ? AND warehouse = ? AND namespace = ? AND name = ?
                    """, key.tenant, key.warehouse, key.namespace, key.name)
                guard count > 0 else { return false }
                try tx.run(
                    """
                    DELETE FROM versions
                    WHERE tenant = ? AND warehouse = ? AND namespace = ? AND name = ?
                    """, key.tenant, key.warehouse, key.namespace, key.name)
                try emit(tx, context, "model.dropped", key, [])
                return true
            }
        }
    }

    // MARK: Rows

    private static let selection = """
        SELECT v.namespace, v.name, v.version, v.version = m.latest, v.algorithm, m.owner,
            v.created_us, v.query, v.sources, v.features, v.label, v.parameters, v.metrics,
            v.row_count, v.skipped, v.seed, v.digest, length(v.body)
        FROM versions v JOIN models m
            ON m.tenant = v.tenant AND m.warehouse = v.warehouse
                AND m.namespace = v.namespace AND m.name = v.name
        """

    private static func record(_ row: Row, _ catalog: String) throws -> ModelRecord {
        try ModelRecord(
            name: TableName(catalog: catalog, schema: row.string(0), table: row.string(1)),
            version: row.int64(2), isLatest: row.bool(3), algorithm: row.string(4),
            owner: row.string(5), createdMicroseconds: row.int64(6), query: row.string(7),
            sources: ModelTexts.sources(row.string(8)),
            features: ModelTexts.features(row.string(9)), label: row.stringOrNil(10),
            parameters: ModelTexts.parameters(row.string(11)),
            metrics: ModelTexts.metrics(row.string(12)), rowCount: row.int64(13),
            skippedCount: row.int64(14), seed: row.int64(15), digest: row.string(16),
            sizeBytes: row.int64(17))
    }

    /// The version, or the latest; NOT_FOUND with what is near.
    private func found(
        _ key: ModelKey, _ name: TableName, _ version: Int64?, _ span: SourceSpan?
    ) throws(QueryFault) -> ModelRecord {
        let (record, latest, names) = try stored(name) {
            try database.read { tx -> (ModelRecord?, Int64?, [String]) in
                let record = try tx.first(
                    Self.selection
                        + """
                         WHERE v.tenant = ? AND v.warehouse = ? AND v.namespace = ? AND v.name = ?
                            AND v.version = coalesce(?, m.latest)
                        """, key.tenant, key.warehouse, key.namespace, key.name, version,
                    row: { try Self.record($0, name.catalog) })
                if let record { return (record, nil, []) }
                let latest = try tx.number(
                    """
                    SELECT latest FROM models
                    WHERE tenant = ? AND warehouse = ? AND namespace = ? AND name = ?
                    """, key.tenant, key.warehouse, key.namespace, key.name)
                let names = try tx.query(
                    """
                    SELECT name FROM models WHERE tenant = ? AND warehouse = ? AND namespace = ?
                    LIMIT 1000
                    """, key.tenant, key.warehouse, key.namespace
                ) { $0.string(0) }
                return (nil, latest, names)
            }
        }
        if let record { return record }
        if let version, let latest {
            throw .analysis(
                .notFound, "Model '\(name)' has no version \(version)", span,
                hint: latest == 1 ? "its only version is 1" : "its versions are 1 to \(latest)")
        }
        throw .analysis(
            .notFound, "Model '\(name)' does not exist", span,
            hint: nearestName(to: name.table, among: names).map { "did you mean \($0)?" }
                ?? "SHOW MODELS lists the models of a schema")
    }

    private func head(_ key: ModelKey) throws(QueryFault) -> (ownerID: String, latest: Int64)? {
        try stored(key.name) {
            try database.read { tx in
                try tx.first(
                    """
                    SELECT owner_id, latest FROM models
                    WHERE tenant = ? AND warehouse = ? AND namespace = ? AND name = ?
                    """, key.tenant, key.warehouse, key.namespace, key.name,
                    row: { ($0.string(0), $0.int64(1)) })
            }
        }
    }

    // MARK: Rights, events, faults

    private func require(
        _ context: RequestContext, _ action: Action, _ key: ModelKey, _ span: SourceSpan? = nil
    ) throws(QueryFault) {
        do throws(AccessDenied) { try authorizer.require(context, action, key.resource) } catch {
            throw QueryFault(
                .permissionDenied, "Access Denied: \(error.message)", hint: error.reason,
                span: span, cause: error)
        }
    }

    private func emit(
        _ tx: WriteTransaction, _ context: RequestContext, _ kind: String, _ key: ModelKey,
        _ detail: [(String, JSONValue)]
    ) throws {
        let payload: JSONValue = .object([
            ("principal", .string(context.principal.id)),
            ("principalName", .string(context.principal.name)),
            ("door", .string(context.door.rawValue)), ("requestID", .string(context.requestID)),
            ("action", .string(kind)),
            ("resource", .string("model:" + key.path.joined(separator: "/"))),
            ("decision", "allowed"), ("detail", .object(detail)),
        ])
        try tx.emit(tenant: context.tenant, kind: kind, payload: payload.encodedText())
    }

    /// Runs work on the database, with its errors as the query's.
    private func stored<Result>(
        _ subject: some CustomStringConvertible, _ body: () throws -> Result
    ) throws(QueryFault) -> Result {
        do { return try body() } catch let fault as QueryFault { throw fault } catch {
            let fault = error as? any Fault
            throw QueryFault(
                .genericInternalError, "model \(subject): \(fault?.message ?? "\(error)")",
                hint: fault?.hint, cause: error)
        }
    }
}

/// Where a model is: below a warehouse, whichever of its branches the name speaks of.
struct ModelKey {
    let tenant: String
    let warehouse: String
    let namespace: String
    let name: String

    init(_ context: RequestContext, _ name: TableName) {
        tenant = context.tenant
        warehouse = CatalogReference(parsing: name.catalog).warehouse
        namespace = name.schema
        self.name = name.table
    }

    var path: [String] {
        [warehouse] + namespace.split(separator: ".").map(String.init) + [name]
    }

    var resource: Resource { Resource(tenant: tenant, kind: .model, path: path) }
}
