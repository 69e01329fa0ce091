package import Authority
package import Diagnostics
package import SQLFunctions
package import Vectors

/// A feature of a model: the column it was trained on.
package struct ModelFeature: Sendable, Hashable {
    package var name: String
    /// The column's type in the training query; calls may bring any number or boolean.
    package var type: LogicalType

    package init(name: String, type: LogicalType) {
        self.name = name
        self.type = type
    }
}

/// A trained model at one version, as expressions use it: immutable, loaded once a query.
package protocol PlannedModel: AnyObject, Sendable {
    /// The full name with the version: `silver.bank.fraud@2`.
    var title: String { get }
    var algorithm: String { get }
    var features: [ModelFeature] { get }
    /// The functions that take this model, by name. Their parameters are the title, which the kernel
    /// does not read (it tells models apart in plans), and one double a feature.
    var functions: [String: ScalarFunction] { get }
}

extension CatalogView {
    /// No models: for catalogs that only know tables.
    package func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel {
        throw .analysis(
            .notSupported, "Models are not available here", span,
            hint: "start a server with `lakehouse serve`")
    }
}
