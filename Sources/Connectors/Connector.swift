package import SQLEngine
package import SQLFunctions

/// A kind of catalog that `CREATE CATALOG … USING` knows.
package protocol Connector: Sendable {
    var name: String { get }
    /// What a declaration may say.
    var properties: [ConnectorProperty] { get }
    /// The catalog of a checked declaration, secrets and all. Connects to nothing yet.
    func open(_ declaration: CatalogDeclaration) throws(QueryFault) -> any ConnectedCatalog
    /// Tries whether the catalog can be used, when it is created.
    func probe(_ catalog: any ConnectedCatalog) throws(QueryFault)
}

extension Connector {
    package func probe(_ catalog: any ConnectedCatalog) throws(QueryFault) {}
}

/// One property of a connector's catalogs.
package struct ConnectorProperty: Sendable {
    /// What a value looks like.
    package enum Shape: Sendable {
        case text
        case choice([String])
    }

    package let name: String
    package let shape: Shape
    package let isRequired: Bool
    /// Never shown, and sealed where it is kept.
    package let isSecret: Bool
    /// What to write, for hints.
    package let example: String

    package init(
        _ name: String, _ shape: Shape = .text, isRequired: Bool = false, isSecret: Bool = false,
        example: String
    ) {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
        self.isSecret = isSecret
        self.example = example
    }

    /// What is wrong with a value; nil when nothing is.
    func complaint(about value: String) -> String? {
        if case .choice(let words) = shape, !words.contains(value.uppercased()) {
            return "must be \(words.joined(separator: " or ")), not \(value)"
        }
        return value.isEmpty ? "must not be empty" : nil
    }
}

/// What is shown instead of a secret.
let hiddenSecret = "********"
