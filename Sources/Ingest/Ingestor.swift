package import Authority
import Iceberg
package import ObjectStorage
package import Platform
package import TableCatalog
import TableFiles
import TextTables
package import Vectors

/// Which step of which run does the work: what makes its commit recognisable.
package struct IngestIdentity: Sendable, Hashable {
    package var runID: String
    package var stepID: String

    package init(runID: String, stepID: String) {
        self.runID = runID
        self.stepID = stepID
    }
}

/// What an ingest did.
package struct IngestReport: Sendable, Hashable {
    package var target: IngestTarget
    package var rowsRead = 0
    package var rowsInserted = 0
    package var rowsUpdated = 0
    package var rowsDeleted = 0
    package var filesAdded = 0
    /// The snapshot that has the rows; nil when nothing had to be committed.
    package var snapshotID: Int64?
    /// Whether an earlier attempt had committed already.
    package var wasDone = false
    /// Whether the rows were only looked at.
    package var isLook = false
    /// Whether the table was made.
    package var createdTable = false
    /// Columns that were added or widened.
    package var changedColumns: [String] = []

    package init(target: IngestTarget) { self.target = target }

    /// One sentence for people.
    package var sentence: String {
        if wasDone { return "\(target): an earlier attempt had committed already" }
        if isLook { return "\(rowsRead) rows are as required" }
        if snapshotID == nil { return "\(target): nothing to change" }
        return
            "\(target): +\(rowsInserted) ~\(rowsUpdated) -\(rowsDeleted) rows in \(filesAdded) files"
    }
}

/// Names of what commits leave in the summaries of snapshots.
package enum IngestSummary {
    package static let runID = "lakehouse.run-id"
    package static let stepID = "lakehouse.step-id"
    /// The file, the files or the database that rows came from.
    package static let source = "lakehouse.source"
    /// `s3://bucket/key#version` of the object whose rows were added.
    package static let sourceVersion = "lakehouse.source-version"
    package static let watermark = "lakehouse.watermark"
    package static let deletionsWatermark = "lakehouse.deletions-watermark"
    /// A property of the table: the snapshot up to which watermarks do not count.
    package static let reset = "lakehouse.watermark-reset"
}

/// Brings rows into tables. One a process; runs on as many threads as call it.
package final class Ingestor: Sendable {
    let catalog: Catalog
    let store: any ObjectStore
    let authorizer: any Authorizer
    let entropy: any Entropy
    let budget: MemoryBudget
    private let sourceDirectories: [String]
    private let keyPattern: KeyPattern
    let registry: IngestRegistry?

    /// Makes a test of keys of a pattern with `*`, `**`, `?` and `{a,b}`; nil when it is none.
    package typealias KeyPattern = @Sendable (_ pattern: String) -> ((_ key: String) -> Bool)?

    /// `store` has the appliance's own rights: who may read objects is asked here, who may write tables
    /// by the catalog. `sourceDirectories` are where databases may be read from; empty: anywhere.
    /// `keyPattern` reads the patterns of sources; without it they are refused. `registry` is told of every
    /// file.
    package init(
        catalog: Catalog, store: any ObjectStore, authorizer: any Authorizer, entropy: any Entropy,
        budget: MemoryBudget, sourceDirectories: [String] = [],
        registry: IngestRegistry? = nil, keyPattern: @escaping KeyPattern = { _ in nil }
    ) {
        self.registry = registry
        self.keyPattern = keyPattern
        self.catalog = catalog
        self.store = store
        self.authorizer = authorizer
        self.entropy = entropy
        self.budget = budget
        self.sourceDirectories = sourceDirectories
    }

    /// Does a request, once: called again with the same identity it finds its own commit and does
    /// nothing. `log` gets sentences about the progress.
    package func run(
        _ context: RequestContext, _ request: IngestRequest, identity: IngestIdentity,
        log: @escaping (String) -> Void = { _ in }
    ) throws -> IngestReport {
        let table = TargetTable(catalog: catalog, context: context, target: request.target)
        if let done = try table.load().flatMap({ Self.commit(of: identity, nil, in: $0) }) {
            return Self.wasDone(request.target, done, identity)
        }
        // Maintenance deletes nothing that is read or written here.
        let pins = catalog.pinsForLoading(into: try table.load())
        defer { withExtendedLifetime(pins) {} }
        let work = IngestWork(
            ingestor: self, context: context, request: request, identity: identity, table: table,
            log: log)
        if request.mode == .replaceFile || request.mode == .validate {
            var files = try files(of: request.source, context)
            if request.deleteMissing {
                files += try missing(request, work, Set(files.map(\.location)))
            }
            return try FileWork(work, files).run()
        }
        switch request.source {
        case .sqliteTable(let path, let name):
            let file = try open(path, context)
            if request.mode == .merge { return try MergeWork(work, file, name).run() }
            return try work.load([try SQLiteSource(file, table: name)])
        case .sqliteQuery(let path, let query):
            return try work.load([try SQLiteSource(try open(path, context), query: query)])
        case .object(let bucket, let key, let format, let sheet):
            let location = ObjectLocation(bucket: bucket, key: key)
            let reader: any ObjectReader
            do {
                reader = try openObject(location, context)
            } catch let error as ObjectStoreError where error.code == .noSuchKey {
                throw IngestError(
                    .sourceUnavailable, "the object is not there any more: \(location)",
                    cause: error)
            }
            return try work.recorded([reader]) {
                try work.load([
                    try ObjectSource.open(reader, format: format, sheet: sheet, budget: budget)
                ])
            }
        case .objects(let bucket, let prefix, let suffix, let format, let sheet):
            let readers = try objects(bucket, prefix, suffix, context).map {
                try openObject($0, context)
            }
            return try work.recorded(readers) {
                try work.load(
                    try readers.map {
                        try ObjectSource.open($0, format: format, sheet: sheet, budget: budget)
                    })
            }
        }
    }

    /// The objects of a source of files, and how they are written; one that is named may be missing.
    private func files(
        of source: IngestSource, _ context: RequestContext
    ) throws -> [SourceFile] {
        switch source {
        case .object(let bucket, let key, let format, let sheet):
            let location = ObjectLocation(bucket: bucket, key: key)
            do {
                return [SourceFile(location, try openObject(location, context), format, sheet)]
            } catch let error as ObjectStoreError where error.code == .noSuchKey {
                return [SourceFile(location, nil, format, sheet)]
            }
        case .objects(let bucket, let prefix, let suffix, let format, let sheet):
            return try objects(bucket, prefix, suffix, context).map {
                SourceFile($0, try openObject($0, context), format, sheet)
            }
        case .sqliteTable, .sqliteQuery: return []
        }
    }

    private func open(_ path: String, _ context: RequestContext) throws -> SQLiteFile {
        let isAllowed =
            sourceDirectories.isEmpty
            || (!path.split(separator: "/").contains("..")
                && sourceDirectories.contains { path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") })
        guard isAllowed else {
            throw IngestError(
                .sourceUnavailable, "databases may not be read from there: \(path)",
                hint: "directories that may: \(sourceDirectories.joined(separator: ", "))")
        }
        return try SQLiteFile(path: path, cancellation: context.cancellation)
    }

    private func openObject(
        _ location: ObjectLocation, _ context: RequestContext
    ) throws -> any ObjectReader {
        try authorizer.require(
            context, .objectRead,
            Resource(
                tenant: context.tenant, kind: .object, path: [location.bucket, location.key]))
        return try store.open(location)
    }

    /// The objects of a prefix, or of a pattern, that end with the suffix; in the order of their keys.
    private func objects(
        _ bucket: String, _ prefix: String, _ suffix: String, _ context: RequestContext
    ) throws -> [ObjectLocation] {
        try authorizer.require(
            context, .objectList, Resource(tenant: context.tenant, kind: .bucket, path: [bucket]))
        let (start, isWanted) = try keys(prefix, suffix)
        var found: [ObjectLocation] = []
        var after: String?
        while true {
            let page = try store.list(bucket: bucket, prefix: start, after: after, limit: 1000)
            found += page.map(\.location).filter { isWanted($0.key) }
            guard found.count <= IngestLimits.objects else {
                throw IngestError(
                    .limitExceeded,
                    "more than \(IngestLimits.objects) objects are at s3://\(bucket)/\(prefix)")
            }
            guard page.count == 1000, let last = page.last else { break }
            after = last.location.key
        }
        guard !found.isEmpty else {
            throw IngestError(
                .sourceUnavailable, "there is no such object: s3://\(bucket)/\(prefix)\(suffix)",
                hint: "rows of the last file are not removed with it: DELETE or DROP them",
                option: "source.objects")
        }
        return found
    }

    /// What keys begin with, and which of those are wanted.
    private func keys(
        _ prefix: String, _ suffix: String
    ) throws(IngestError) -> (start: String, isWanted: (String) -> Bool) {
        guard let special = prefix.firstIndex(where: { "*?{".contains($0) }) else {
            return (
                prefix,
                { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) && !$0.hasSuffix("/") }
            )
        }
        guard let matches = keyPattern(prefix) else {
            throw IngestError(
                .invalidOptions, "not a pattern of keys: \(prefix)",
                hint: "* and ? within a folder, ** across folders, {csv,tsv} for one of several",
                option: "source.objects")
        }
        return (String(prefix[..<special]), { matches($0) && $0.hasSuffix(suffix) })
    }

    /// Files whose rows are in the table, which the source would have and has not.
    private func missing(
        _ request: IngestRequest, _ work: IngestWork, _ present: Set<ObjectLocation>
    ) throws -> [SourceFile] {
        guard
            case .objects(let bucket, let prefix, let suffix, let format, let sheet) = request
                .source
        else {
            return []
        }
        let (_, isWanted) = try keys(prefix, suffix)
        return try FileWork.loadedFiles(work).compactMap { name in
            guard let location = ObjectLocation(uri: name), location.bucket == bucket,
                isWanted(location.key), !present.contains(location)
            else { return nil }
            return SourceFile(location, nil, format, sheet)
        }
    }

    /// The snapshot that this step, or the same version of the source, has committed.
    static func commit(
        of identity: IngestIdentity, _ version: String?, in metadata: TableMetadata
    ) -> Snapshot? {
        metadata.snapshots.last { snapshot in
            (snapshot.summary[IngestSummary.runID] == identity.runID
                && snapshot.summary[IngestSummary.stepID] == identity.stepID)
                || (version != nil && snapshot.summary[IngestSummary.sourceVersion] == version)
        }
    }

    /// What was done before: by this step, whose rows count, or by somebody with the same version of the
    /// source.
    static func wasDone(
        _ target: IngestTarget, _ snapshot: Snapshot, _ identity: IngestIdentity
    ) -> IngestReport {
        var report = IngestReport(target: target)
        report.wasDone = true
        report.snapshotID = snapshot.snapshotID
        if snapshot.summary[IngestSummary.runID] == identity.runID,
            snapshot.summary[IngestSummary.stepID] == identity.stepID
        {
            report.rowsInserted = snapshot.summary["added-records"].flatMap { Int($0) } ?? 0
        }
        return report
    }
}

/// A table that comes to be with its first rows; nil: it is there. Belongs to one request and its thread.
final class StagedTable {
    var metadata: TableMetadata?
}

/// One request being worked on.
struct IngestWork {
    let ingestor: Ingestor
    let context: RequestContext
    let request: IngestRequest
    let identity: IngestIdentity
    let table: TargetTable
    let log: (String) -> Void
    /// The table that is not there yet.
    let staged = StagedTable()

    /// Thrown within a commit that turns out to be done already.
    struct DoneAlready: Error { let snapshot: Snapshot }

    /// Appends the sources' rows or makes them the whole table.
    func load(_ sources: [any RowSource]) throws -> IngestReport {
        var version: String?
        if request.mode == .append, sources.count == 1, let own = sources[0].version {
            version = "\(sources[0].name)#\(own)"
            if let metadata = try table.load(),
                let done = Ingestor.commit(of: identity, version, in: metadata)
            {
                return Ingestor.wasDone(request.target, done, identity)
            }
        }
        for source in sources {
            for remark in source.remarks { log("\(source.name): \(remark)") }
        }
        var (attempt, widens) = (1, false)
        while true {
            do {
                return try load(sources, version, widens: widens)
            } catch let error as TextTableError where error.code == .invalidValue && !widens {
                // A guessed type was read as the table's narrower one and did not fit: widen if allowed.
                widens = true
            } catch let error as IcebergError
                where error.code == .conflict && staged.metadata != nil
                && attempt < IngestLimits.mergeAttempts
            {
                // The table is somebody else's by now, and the rows go to it.
                attempt += 1
            }
        }
    }

    private func load(
        _ sources: [any RowSource], _ version: String?, widens: Bool
    ) throws -> IngestReport {
        var report = IngestReport(target: request.target)
        var metadata = try prepare(sources[0], &report)
        var plans: [ColumnPlan] = []
        for source in sources {
            let plan = try TypeFitting.plan(
                source, into: metadata.currentSchema, widens: widens || !source.isGuessed)
            metadata = try evolve(metadata, plan, &report)
            plans.append(plan)
        }
        let writer = try PartitionedDataWriter(
            store: ingestor.store, table: metadata, budget: ingestor.budget,
            entropy: ingestor.entropy)
        do {
            for (source, plan) in zip(sources, plans) {
                try read(source, plan.readTypes, into: writer, metadata)
            }
            let files = try writer.finish()
            report.rowsRead = writer.rowCount
            report.rowsInserted = writer.rowCount
            report.filesAdded = files.count
            if files.isEmpty, request.mode == .append || metadata.currentSnapshot == nil {
                try makeEmpty()
                return report
            }
            var summary: [String: String] = [:]
            if let version { summary[IngestSummary.sourceVersion] = version }
            report.snapshotID = try commit(
                request.mode == .replace ? .overwrite : .append, version: version, summary: summary
            ) { metadata in
                var changes = FileChanges(addedData: files)
                if request.mode == .replace { changes.removedPaths = try livePaths(metadata) }
                return changes
            }
            log(report.sentence)
            return report
        } catch let done as DoneAlready {
            writer.abandon()
            return Ingestor.wasDone(request.target, done.snapshot, identity)
        } catch {
            writer.abandon()
            throw error
        }
    }

    /// The table, made out of the source's columns when absent.
    func prepare(_ source: any RowSource, _ report: inout IngestReport) throws -> TableMetadata {
        staged.metadata = nil
        if let metadata = try table.load() { return metadata }
        var columns = source.columns
        for index in columns.indices {
            columns[index].type = try IcebergTypes.storedType(columns[index].type)
        }
        let metadata = try table.stage(request, columns: columns)
        staged.metadata = metadata
        report.createdTable = true
        log("the table \(request.target) is made with its first rows")
        return metadata
    }

    /// Makes the table of a source without rows.
    func makeEmpty() throws {
        guard let metadata = staged.metadata else { return }
        _ = try table.make(metadata)
        staged.metadata = nil
    }

    func evolve(
        _ metadata: TableMetadata, _ plan: ColumnPlan, _ report: inout IngestReport
    ) throws -> TableMetadata {
        guard plan.changesSchema else { return metadata }
        let names =
            plan.added.map(\.name)
            + plan.promoted.keys.sorted().compactMap { metadata.currentSchema.name(of: $0) }
        log("the table's columns change: \(names.joined(separator: ", "))")
        report.changedColumns += names
        let evolved = try table.evolve(metadata, plan, isStaged: staged.metadata != nil)
        if staged.metadata != nil { staged.metadata = evolved }
        return evolved
    }

    func read(
        _ source: any RowSource, _ types: [LogicalType], into writer: PartitionedDataWriter,
        _ metadata: TableMetadata, selecting: ((Chunk) -> Bool)? = nil
    ) throws {
        let aligner = RowAligner(
            names: source.columns.map(\.name), schema: metadata.currentSchema, types: writer.types)
        if let team = source.team, selecting == nil {
            return try source.readTogether(as: types, budget: ingestor.budget) { chunks in
                try checkCancellation()
                try writer.append(aligner.align(chunks), team)
            }
        }
        try source.read(as: types, budget: ingestor.budget) { chunk in
            try checkCancellation()
            if let selecting, !selecting(chunk) { return }
            try writer.append(aligner.align(chunk))
        }
    }

    func checkCancellation() throws(IngestError) {
        if context.cancellation.isCancelled {
            throw IngestError(.cancelled, "the ingest was stopped before it committed")
        }
    }

    /// What a scan of the target reads; throws where that is a file which the caller may not have.
    func tasks(of scan: TableScan) throws -> [FileScanTask] {
        let rule = ingestor.catalog.fileRule(context, table.identifier, scan.metadata)
        let tasks = try scan.plan(rule.guarding(ingestor.catalog.manifests)).tasks
        for task in tasks { try rule.require(task) }
        return tasks
    }

    /// Every data and delete file of the present snapshot.
    func livePaths(_ metadata: TableMetadata) throws -> Set<String> {
        guard let snapshot = metadata.currentSnapshot else { return [] }
        var paths: Set<String> = []
        for manifest in try ingestor.catalog.manifests.manifests(of: snapshot)
        where manifest.mayHaveLiveFiles {
            for entry in try ingestor.catalog.manifests.entries(of: manifest, in: metadata)
            where entry.isLive { paths.insert(entry.file.path) }
        }
        return paths
    }

    /// Commits one snapshot with the identity in its summary; returns its id. `part` tells the commits of
    /// a step with several apart. Throws `DoneAlready` when an
    /// earlier attempt, or another run with the same version of the source, was faster.
    func commit(
        _ operation: SnapshotOperation, version: String? = nil, summary: [String: String],
        checks: ConflictChecks? = nil, part: String? = nil,
        _ changes: (TableMetadata) throws -> FileChanges
    ) throws -> Int64? {
        try checkCancellation()
        var identity = identity
        if let part { identity.stepID += "#\(part)" }
        var lines = summary
        if lines[IngestSummary.source] == nil {
            lines[IngestSummary.source] = request.source.text
        }
        lines[IngestSummary.runID] = identity.runID
        lines[IngestSummary.stepID] = identity.stepID
        let catalog = ingestor.catalog
        if let base = staged.metadata {
            let product = try catalog.snapshotProducer().produce(
                operation, try changes(base), on: base, summary: lines)
            do {
                let made = try table.make(base, product.updates)
                staged.metadata = nil
                return made.currentSnapshotID
            } catch {
                catalog.manifests.discard(product.writtenPaths)
                throw error
            }
        }
        let loaded = try catalog.commitWithRetry(context, table.reference, table.identifier) {
            metadata in
            if let done = Ingestor.commit(of: identity, version, in: metadata) {
                throw DoneAlready(snapshot: done)
            }
            try checks?.check(against: metadata, branch: "main", source: catalog.manifests)
            return try catalog.snapshotProducer().produce(
                operation, try changes(metadata), on: metadata, summary: lines)
        }
        return loaded.metadata.currentSnapshotID
    }
}
