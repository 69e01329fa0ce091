import Authority
import Iceberg
import JSON
import Platform
import SQLFunctions
import SQLPlanning
import TableCatalog

/// How materialized views are kept.
///
/// A materialized view is an Iceberg view, so that engines which know nothing of it still answer right,
/// with properties that name an Iceberg table beside it: the storage. That table names the view's id in
/// turn; what stands in one property alone counts for nothing, since another may have written it. The
/// snapshot of each refresh says in its summary which states of which tables it was made of, as the draft
/// of the Iceberg specification for materialized views has it (`refresh-state`).
enum MaterializedViewStorage {
    static let tableProperty = "materialized-view.storage-table"
    static let namespaceProperty = "materialized-view.storage-namespace"
    static let graceProperty = "materialized-view.grace-period-ms"
    static let staleProperty = "materialized-view.when-stale"
    /// Of the storage table: the view's id.
    static let viewProperty = StoredSources.viewProperty
    /// In the summary of a refresh's snapshot.
    static let stateKey = StoredSources.stateKey

    private static let prefix = "st_"

    /// A name for a storage table that nobody has.
    static func name(_ entropy: any Entropy) -> String {
        prefix + entropy.uuid().filter { $0 != "-" }
    }

    /// Whether the name is one of storage tables, which listings leave out.
    static func isStorage(_ name: String) -> Bool {
        let digits = name.utf8.dropFirst(prefix.utf8.count)
        return name.hasPrefix(prefix) && digits.count == 32
            && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// What a view's properties say; nil for a view that is not materialized.
    static func materialization(
        of metadata: ViewMetadata, _ name: TableName
    ) -> Materialization? {
        let properties = metadata.properties
        guard let table = properties[tableProperty] else { return nil }
        return Materialization(
            storage: TableName(
                catalog: name.catalog, schema: properties[namespaceProperty] ?? name.schema,
                table: table),
            viewUUID: metadata.uuid,
            graceMilliseconds: properties[graceProperty].flatMap { Int64($0) },
            failsWhenStale: properties[staleProperty] == "FAIL")
    }

    /// Refuses the storage itself to those who see only a part of a table whose rows it holds. They read
    /// the view, which then reads its definition with their policies.
    static func require(
        _ name: TableName, _ loaded: LoadedTable, _ context: RequestContext
    ) throws(QueryFault) {
        guard isStorage(name.table), context.principal.kind != .system, !loaded.isUnrestricted
        else { return }
        throw QueryFault(
            .permissionDenied,
            "Access Denied: Cannot select from table \(name): it stores a materialized view over "
                + "tables of which you see only a part",
            hint: "read the view: \(loaded.decision.restriction)")
    }
}

extension EngineCatalogs {
    /// Takes note for policies of where materialized views keep their rows: a new policy holds for files
    /// that were written before it was made.
    func coverStorages(_ context: RequestContext) {
        guard let catalog else { return }
        var own = context
        own.principal = .system
        own.viewer = nil
        for name in catalogNames(own) where isWarehouse(own, name) {
            let at = reference(name)
            for schema in (try? schemaNames(own, name)) ?? [] {
                let levels = schema.split(separator: ".").map(String.init)
                let tables = (try? catalog.listTables(own, at, levels).elements) ?? []
                for table in tables where MaterializedViewStorage.isStorage(table.name) {
                    _ = try? catalog.loadTable(own, at, table)
                }
            }
        }
    }
}

/// Which states the rows of a refresh were made of.
struct RefreshState: Hashable {
    /// A table in the state that was read.
    struct Source: Hashable {
        var name: TableName
        var uuid: String
        /// nil: the table was empty.
        var snapshotID: Int64?
        var schemaID: Int32
    }

    var sources: Set<Source>
    /// Of the definition and the views in it: what they said.
    var definitionDigest: String
    /// Whether something was read that has no state to compare: files, another database, listings.
    var hasUnknown: Bool
    var refreshedMilliseconds: Int64

    /// Whether another refresh would read the same.
    func isSame(as other: RefreshState) -> Bool {
        sources == other.sources && definitionDigest == other.definitionDigest && !hasUnknown
            && !other.hasUnknown
    }

    var text: String {
        let states = sources.sorted { $0.name.description < $1.name.description }.map { source in
            JSONValue.object([
                ("type", .string("table")), ("catalog", .string(source.name.catalog)),
                ("namespace", .string(source.name.schema)), ("name", .string(source.name.table)),
                ("uuid", .string(source.uuid)),
                ("snapshot-id", source.snapshotID.map { .int($0) } ?? .null),
                ("schema-id", .int(Int64(source.schemaID))),
            ])
        }
        return JSONValue.object([
            ("source-states", .array(states)), ("definition-digest", .string(definitionDigest)),
            ("has-unknown-sources", .bool(hasUnknown)),
            ("refresh-start-timestamp-ms", .int(refreshedMilliseconds)),
        ]).encodedText()
    }

    init(
        sources: Set<Source>, definitionDigest: String, hasUnknown: Bool,
        refreshedMilliseconds: Int64
    ) {
        self.sources = sources
        self.definitionDigest = definitionDigest
        self.hasUnknown = hasUnknown
        self.refreshedMilliseconds = refreshedMilliseconds
    }

    /// The state in a snapshot's summary; nil where there is none that can be read.
    init?(_ snapshot: Snapshot?) {
        guard let text = snapshot?.summary[MaterializedViewStorage.stateKey],
            let read = try? RefreshState(parsing: text)
        else { return nil }
        self = read
    }

    private init(parsing text: String) throws {
        let root = try JSONValue(parsing: text).cursor
        var found: Set<Source> = []
        for source in try root["source-states"].elements() {
            found.insert(
                Source(
                    name: TableName(
                        catalog: try source["catalog"].string(),
                        schema: try source["namespace"].string(),
                        table: try source["name"].string()),
                    uuid: try source["uuid"].string(),
                    snapshotID: try source["snapshot-id"].optionalInt64(),
                    schemaID: try source["schema-id"].int32()))
        }
        sources = found
        definitionDigest = try root["definition-digest"].string()
        hasUnknown = try root["has-unknown-sources"].bool()
        refreshedMilliseconds = try root["refresh-start-timestamp-ms"].int64()
    }
}
