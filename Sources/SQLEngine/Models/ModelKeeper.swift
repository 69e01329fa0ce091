package import Authority
package import Diagnostics
package import SQLFunctions
package import SQLPlanning
package import Vectors

/// An option of CREATE MODEL, evaluated.
package struct ModelOption: Sendable {
    /// In lower case.
    package var name: String
    package var value: LiteralValue
    package var type: LogicalType
    package var span: SourceSpan

    package init(name: String, value: LiteralValue, type: LogicalType, span: SourceSpan) {
        self.name = name
        self.value = value
        self.type = type
        self.span = span
    }
}

/// A table that a training query read, and the state it had.
package struct ModelSource: Sendable, Hashable {
    package var table: String
    /// nil: a table without a snapshot yet, or one that has none.
    package var snapshotID: Int64?

    package init(table: String, snapshotID: Int64?) {
        self.table = table
        self.snapshotID = snapshotID
    }
}

/// What CREATE MODEL asks for.
package struct ModelTraining: Sendable {
    package var name: TableName
    package var orReplace: Bool
    /// In lower case.
    package var algorithm: String
    package var algorithmSpan: SourceSpan
    package var options: [ModelOption]
    /// The training query as the formatter writes it.
    package var query: String
    package var querySpan: SourceSpan
    /// The query's columns: features, and the label where an option names one.
    package var columns: [ModelFeature]
    package var sources: [ModelSource]
    /// Where the training rows' memory comes from.
    package var budget: MemoryBudget
}

/// What is recorded of one version of a model.
package struct ModelRecord: Sendable {
    package var name: TableName
    package var version: Int64
    /// Whether calls without a version mean this one.
    package var isLatest: Bool
    package var algorithm: String
    package var owner: String
    package var createdMicroseconds: Int64
    package var query: String
    package var sources: [ModelSource]
    package var features: [ModelFeature]
    package var label: String?
    /// Options and what was learned, as the names and texts that DESCRIBE MODEL shows.
    package var parameters: [(name: String, value: String)]
    package var metrics: [(name: String, value: Double)]
    package var rowCount: Int64
    /// Rows left out because a feature or the label was NULL or not finite.
    package var skippedCount: Int64
    package var seed: Int64
    /// SHA-256 of the canonical serialization, in hexadecimal.
    package var digest: String
    package var sizeBytes: Int64

    package init(
        name: TableName, version: Int64, isLatest: Bool, algorithm: String, owner: String,
        createdMicroseconds: Int64, query: String, sources: [ModelSource],
        features: [ModelFeature], label: String?, parameters: [(name: String, value: String)],
        metrics: [(name: String, value: Double)], rowCount: Int64, skippedCount: Int64,
        seed: Int64, digest: String, sizeBytes: Int64
    ) {
        self.name = name
        self.version = version
        self.isLatest = isLatest
        self.algorithm = algorithm
        self.owner = owner
        self.createdMicroseconds = createdMicroseconds
        self.query = query
        self.sources = sources
        self.features = features
        self.label = label
        self.parameters = parameters
        self.metrics = metrics
        self.rowCount = rowCount
        self.skippedCount = skippedCount
        self.seed = seed
        self.digest = digest
        self.sizeBytes = sizeBytes
    }
}

/// Takes the rows of one training query, one chunk at a time, then learns from them.
package protocol ModelTrainer: AnyObject, Sendable {
    /// Takes rows whose columns are doubles, in the order of the training's columns.
    func take(_ chunk: Chunk) throws(QueryFault)
    /// Learns, and records the version durably. Stops with USER_CANCELED where the context says so.
    func finish() throws(QueryFault) -> ModelRecord
}

/// Keeps models: the seam between SQL and the `Models` domain, which asks the authorizer.
package protocol ModelKeeper: AnyObject, Sendable {
    /// Checks rights, options and columns before a row is read.
    func begin(
        _ context: RequestContext, _ training: ModelTraining
    ) throws(QueryFault) -> any ModelTrainer
    /// A version for calls; nil: the latest. Throws NOT_FOUND or PERMISSION_DENIED.
    func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel
    /// What is recorded of a version; nil: the latest.
    func record(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> ModelRecord
    /// All versions of the models that the caller may see, by name and version; nil: in all schemas.
    func records(
        _ context: RequestContext, catalog: String, schema: String?
    ) throws(QueryFault) -> [ModelRecord]
    /// Drops a model with its versions; false where there is none.
    func drop(_ context: RequestContext, _ name: TableName) throws(QueryFault) -> Bool
}
