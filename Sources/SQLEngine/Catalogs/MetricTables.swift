package import Authority
import SQLFunctions
import SQLPlanning
import Vectors

/// A metric or dimension as `system.metadata` lists it.
package struct MetricEntry: Sendable {
    package var model: String
    package var version: Int
    package var name: String
    package var label: String
    /// `additive`, `ratio`, `other`; `text`, `number` … for dimensions.
    package var kind: String
    package var expression: String
    package var table: String
    package var format: String
    package var unit: String
    package var synonyms: String
    package var description: String

    /// One row of a listing.
    package init(
        model: String, version: Int, name: String, label: String, kind: String, expression: String,
        table: String, format: String, unit: String, synonyms: String, description: String
    ) {
        self.model = model
        self.version = version
        self.name = name
        self.label = label
        self.kind = kind
        self.expression = expression
        self.table = table
        self.format = format
        self.unit = unit
        self.synonyms = synonyms
        self.description = description
    }
}

/// The metric layer, as far as SQL lists it. `Appliance` supplies it.
package protocol MetricDoor: Sendable {
    /// What the caller may ask for.
    func metrics(_ context: RequestContext) -> [MetricEntry]
    /// What metrics can be broken down by.
    func dimensions(_ context: RequestContext) -> [MetricEntry]
}

extension QueryEngine {
    /// Lets `system.metadata.metrics` and `.dimensions` reach the metric layer.
    package func attach(metrics: any MetricDoor) { doors.metrics = metrics }
}

/// `system.metadata.metrics` and `system.metadata.dimensions`.
enum MetricTables {
    static let names = ["dimensions", "metrics"]

    static func table(
        _ name: TableName, _ doors: EngineDoors, _ context: RequestContext
    ) -> ListingTable {
        let columns =
            textColumns("model") + [TableColumn(name: "version", type: .bigint)]
            + textColumns(
                "name", "label", "kind", "expression", "table_name", "format", "unit", "synonyms",
                "description")
        return ListingTable(name, columns) { (_) throws(QueryFault) in
            guard let door = doors.metrics else { return [] }
            let entries =
                name.table == "metrics" ? door.metrics(context) : door.dimensions(context)
            return entries.map {
                [
                    .text($0.model), .integer(Int64($0.version)), .text($0.name), .text($0.label),
                    .text($0.kind), .text($0.expression), .text($0.table), .text($0.format),
                    .text($0.unit), .text($0.synonyms), .text($0.description),
                ]
            }
        }
    }
}
