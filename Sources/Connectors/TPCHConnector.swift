import Authority
package import SQLEngine
package import SQLFunctions
import SQLPlanning
import TPCH

/// `USING tpch`: the benchmark's tables, made while they are read. Source: Trino documentation, "TPC-H
/// connector".
package struct TPCHConnector: Connector {
    static let connectorName = "tpch"

    package init() {}

    package var name: String { Self.connectorName }

    package var properties: [ConnectorProperty] {
        [
            ConnectorProperty(
                "tpch.column-naming", .choice(["SIMPLIFIED", "STANDARD"]), example: "STANDARD"),
            ConnectorProperty(
                "tpch.double-type-mapping", .choice(["DOUBLE", "DECIMAL"]), example: "DECIMAL"),
        ]
    }

    package func open(
        _ declaration: CatalogDeclaration
    ) throws(QueryFault) -> any ConnectedCatalog {
        let values = declaration.properties.mapValues { $0.uppercased() }
        return TPCHCatalog(
            style: TPCHStyle(
                hasPrefixes: values["tpch.column-naming"] == "STANDARD",
                usesDecimals: values["tpch.double-type-mapping"] == "DECIMAL"))
    }
}

/// A schema a scale, eight tables each.
final class TPCHCatalog: ConnectedCatalog {
    let connector = TPCHConnector.connectorName
    let isOpen = true
    private let style: TPCHStyle

    init(style: TPCHStyle) { self.style = style }

    func schemas(_ context: RequestContext) throws(QueryFault) -> [String] { TPCHSchema.schemas }

    func relations(
        _ context: RequestContext, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)] {
        TPCHSchema.scale(schema) == nil ? [] : TPCHSchema.allCases.map { ($0.rawValue, false) }
    }

    func table(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> (any PlannedTable)? {
        guard let scale = TPCHSchema.scale(name.schema),
            let table = TPCHSchema(rawValue: name.table)
        else { return nil }
        return TPCHTable(name: name, table, scale: scale, style: style)
    }
}
