package import Authority
import Diagnostics
import JSON
package import Platform
package import SQLEngine
package import SQLFunctions
package import SQLPlanning
package import SQLite
import Synchronization

/// Seals secrets with the master key, and opens them again.
package struct SecretSealer: Sendable {
    let seal: @Sendable (_ secret: [UInt8], _ label: String) throws -> [UInt8]
    let open: @Sendable (_ sealed: [UInt8], _ label: String) throws -> [UInt8]

    package init(
        seal: @escaping @Sendable (_ secret: [UInt8], _ label: String) throws -> [UInt8],
        open: @escaping @Sendable (_ sealed: [UInt8], _ label: String) throws -> [UInt8]
    ) {
        self.seal = seal
        self.open = open
    }
}

/// The connected catalogs of an appliance: built in, of the configuration, and made by CREATE CATALOG,
/// which are kept in `connectors.sqlite`. One a process; safe for any thread.
package final class CatalogRegistry: CatalogDoor {
    /// What SQL keeps: declarations, and what the `files` catalogs define.
    package let database: Database
    private let authorizer: any Authorizer
    private let sealer: SecretSealer
    private let connectors: [any Connector]
    /// Catalogs that no statement made, and that none drops.
    private let fixed: [String: CatalogDeclaration]

    /// A catalog that was asked for.
    private struct Opened {
        var declaration: CatalogDeclaration
        var catalog: any ConnectedCatalog
    }
    private struct State {
        /// Declarations of `connectors.sqlite` without secrets; nil: not read yet.
        var kept: [String: CatalogDeclaration]?
        var opened: [String: Opened] = [:]
    }
    private let state = Mutex(State())

    /// Opens or creates the database. `fixed` are the catalogs that are there anyway; one that is not as
    /// its connector wants it is a fault.
    package init(
        databasePath: String, authorizer: any Authorizer, sealer: SecretSealer,
        clock: any WallClock,
        fixed: [CatalogDeclaration], connectors: (Database) -> [any Connector]
    ) throws {
        database = try Database(
            path: databasePath, migrations: registryMigrations,
            nowMicroseconds: { clock.now().microseconds })
        self.authorizer = authorizer
        self.sealer = sealer
        self.connectors = connectors(database)
        self.fixed = Dictionary(fixed.map { ($0.name, $0) }) { _, last in last }
        for declaration in fixed { _ = try check(declaration) }
    }

    /// Closes the database; later verbs fail.
    package func close() { database.close() }

    // MARK: Names

    package func names(_ context: RequestContext) -> [String] {
        let kept = (try? keptDeclarations()) ?? [:]
        return Set(fixed.keys).union(kept.keys).filter { mayUse(context, $0) }.sorted()
    }

    package func isDeclared(_ name: String) -> Bool {
        ((try? declared(name)) ?? nil) != nil
    }

    package func connected(
        _ context: RequestContext, _ name: String
    ) throws(QueryFault) -> (any ConnectedCatalog)? {
        guard let shown = try declared(name), mayUse(context, name) else { return nil }
        if let opened = state.withLock({ $0.opened[name] }), opened.declaration == shown {
            return opened.catalog
        }
        let catalog = try check(shown).open(try withSecrets(shown))
        return state.withLock { state in
            // Whoever came first has the connections.
            if let opened = state.opened[name], opened.declaration == shown {
                return opened.catalog
            }
            state.opened[name] = Opened(declaration: shown, catalog: catalog)
            return catalog
        }
    }

    package func decision(_ context: RequestContext, _ name: TableName) -> Decision {
        let path = [name.catalog] + name.schema.split(separator: ".").map(String.init)
        return authorizer.decide(
            context, .tableSelect,
            Resource(tenant: context.tenant, kind: .table, path: path + [name.table]))
    }

    private func mayUse(_ context: RequestContext, _ name: String) -> Bool {
        if fixed[name].map({ $0.connector == TPCHConnector.connectorName }) ?? false { return true }
        return authorizer.decide(
            context, .warehouseUse,
            Resource(tenant: context.tenant, kind: .warehouse, path: [name])
        ).isAllowed
    }

    // MARK: Declarations

    package func create(
        _ context: RequestContext, _ declaration: CatalogDeclaration, ifNotExists: Bool
    ) throws(QueryFault) -> Bool {
        try require(context, declaration.name)
        guard try declared(declaration.name) == nil else { return false }
        guard !declaration.name.isEmpty, declaration.name.utf8.count <= Limits.nameBytes,
            !declaration.name.contains(where: { "./@\"".contains($0) })
        else {
            throw QueryFault(
                .invalidArguments, "not a catalog's name: \(declaration.name)",
                hint: "letters, digits and underscores, at most \(Limits.nameBytes) bytes")
        }
        let connector = try check(declaration)
        try connector.probe(connector.open(declaration))
        let secrets = Set(connector.properties.filter(\.isSecret).map(\.name))
        let open = declaration.properties.filter { !secrets.contains($0.key) }
        let hidden = declaration.properties.filter { secrets.contains($0.key) }
        let isNew = try stored(declaration.name) {
            let sealed =
                hidden.isEmpty
                ? [] : try sealer.seal(text(of: hidden).utf8Bytes, label(declaration.name))
            return try database.write { tx in
                let made = try tx.run(
                    """
                    INSERT INTO catalogs (name, connector, comment, properties, sealed, created_by,
                        created_us)
                    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                    """, declaration.name, declaration.connector, declaration.comment,
                    text(of: open), sealed, context.principal.name, tx.nowMicroseconds)
                guard made == 1 else { return false }
                try tx.tell(
                    context, "catalog.created", "catalog:\(declaration.name)",
                    [("connector", .string(declaration.connector))])
                return true
            }
        }
        forget(declaration.name)
        return isNew
    }

    package func drop(_ context: RequestContext, _ name: String) throws(QueryFault) -> Bool {
        try require(context, name)
        if let declaration = fixed[name] {
            throw QueryFault(
                .notSupported, "Catalog '\(name)' cannot be dropped",
                hint: declaration.properties.isEmpty
                    ? "it is built in" : "it is declared in the configuration")
        }
        let isGone = try stored(name) {
            try database.write { tx in
                guard try tx.run("DELETE FROM catalogs WHERE name = ?", name) == 1 else {
                    return false
                }
                try tx.run("DELETE FROM external_tables WHERE catalog = ?", name)
                try tx.run("DELETE FROM external_schemas WHERE catalog = ?", name)
                try tx.tell(context, "catalog.dropped", "catalog:\(name)", [])
                return true
            }
        }
        forget(name)
        return isGone
    }

    package func declaration(
        _ context: RequestContext, _ name: String
    ) throws(QueryFault) -> CatalogDeclaration? {
        guard var shown = try declared(name), mayUse(context, name) else { return nil }
        let secrets = try check(shown).properties.filter(\.isSecret).map(\.name)
        for secret in secrets where shown.properties[secret] != nil {
            shown.properties[secret] = hiddenSecret
        }
        return shown
    }

    private func require(_ context: RequestContext, _ name: String) throws(QueryFault) {
        do throws(AccessDenied) {
            try authorizer.require(
                context, .systemAdminister,
                Resource(tenant: context.tenant, kind: .system, path: ["catalogs", name]))
        } catch {
            throw QueryFault(
                .permissionDenied, "Access Denied: Cannot create or drop catalog \(name)",
                hint: error.reason, cause: error)
        }
    }

    /// The connector of a declaration whose properties it takes.
    private func check(
        _ declaration: CatalogDeclaration
    ) throws(QueryFault) -> any Connector {
        guard let connector = connectors.first(where: { $0.name == declaration.connector }) else {
            let names = connectors.map(\.name)
            throw QueryFault(
                .notFound, "No factory for connector '\(declaration.connector)'",
                hint: nearestName(to: declaration.connector, among: names).map {
                    "did you mean \($0)?"
                } ?? "connectors are \(names.joined(separator: ", "))")
        }
        let known = connector.properties
        for (name, value) in declaration.properties.sorted(by: { $0.key < $1.key }) {
            guard let property = known.first(where: { $0.name == name }) else {
                throw QueryFault(
                    .invalidArguments,
                    "Connector '\(connector.name)' has no property '\(name)'",
                    hint: nearestName(to: name, among: known.map(\.name)).map {
                        "did you mean \($0)?"
                    }
                        ?? (known.isEmpty
                            ? "it takes none"
                            : "it takes \(known.map(\.name).joined(separator: ", "))"))
            }
            if let complaint = property.complaint(about: value) {
                throw QueryFault(
                    .invalidArguments,
                    "Property '\(name)' "
                        + (property.isSecret ? "must not be empty" : complaint),
                    hint: "for example \"\(name)\" = '\(property.example)'")
            }
        }
        for property in known
        where property.isRequired && declaration.properties[property.name] == nil {
            throw QueryFault(
                .invalidArguments,
                "Connector '\(connector.name)' needs the property '\(property.name)'",
                hint: "for example \"\(property.name)\" = '\(property.example)'")
        }
        return connector
    }

    // MARK: What is kept

    /// A declaration; those of the database come with their secrets hidden.
    private func declared(_ name: String) throws(QueryFault) -> CatalogDeclaration? {
        if let declaration = fixed[name] { return declaration }
        return try keptDeclarations()[name]
    }

    private func keptDeclarations() throws(QueryFault) -> [String: CatalogDeclaration] {
        if let kept = state.withLock({ $0.kept }) { return kept }
        let read = try stored("connectors.sqlite") {
            try database.read { tx in
                try tx.query(
                    "SELECT name, connector, comment, properties, length(sealed) FROM catalogs"
                ) { row in
                    var properties = try JSONValue(parsing: row.string(3)).cursor.stringMap()
                    // So that a declaration with other secrets is another one.
                    if row.int(4) > 0 { properties[sealedMark] = hiddenSecret }
                    return CatalogDeclaration(
                        name: row.string(0), connector: row.string(1), comment: row.stringOrNil(2),
                        properties: properties)
                }
            }
        }
        var kept: [String: CatalogDeclaration] = [:]
        for var declaration in read {
            if declaration.properties.removeValue(forKey: sealedMark) != nil {
                let secrets = connectors.first { $0.name == declaration.connector }?.properties
                    .filter(\.isSecret).map(\.name)
                let sealed = try secretsOf(declaration.name)
                for name in secrets ?? [] where sealed[name] != nil {
                    declaration.properties[name] = hiddenSecret
                }
            }
            kept[declaration.name] = declaration
        }
        state.withLock { $0.kept = kept }
        return kept
    }

    private func withSecrets(
        _ declaration: CatalogDeclaration
    ) throws(QueryFault) -> CatalogDeclaration {
        guard fixed[declaration.name] == nil,
            declaration.properties.values.contains(hiddenSecret)
        else { return declaration }
        var full = declaration
        full.properties.merge(try secretsOf(declaration.name)) { _, secret in secret }
        return full
    }

    private func secretsOf(_ name: String) throws(QueryFault) -> [String: String] {
        try stored(name) {
            let sealed = try database.read { tx in
                try tx.first("SELECT sealed FROM catalogs WHERE name = ?", name) { $0.bytes(0) }
            }
            guard let sealed, !sealed.isEmpty else { return [:] }
            return try JSONValue(parsing: try sealer.open(sealed, label(name))).cursor.stringMap()
        }
    }

    private func label(_ name: String) -> String { "catalog \(name)" }

    private func forget(_ name: String) {
        state.withLock { state in
            state.kept = nil
            state.opened[name] = nil
        }
    }

    private func text(of properties: [String: String]) -> String {
        JSONValue.object(properties.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            .encodedText()
    }
}

/// Stands for sealed secrets until their names are known.
private let sealedMark = "\u{0}sealed"

extension String {
    fileprivate var utf8Bytes: [UInt8] { Array(utf8) }
}

extension WriteTransaction {
    /// Tells the ledger what was changed.
    func tell(
        _ context: RequestContext, _ kind: String, _ resource: String,
        _ detail: [(String, JSONValue)]
    ) throws {
        let payload: JSONValue = .object([
            ("principal", .string(context.principal.id)),
            ("principalName", .string(context.principal.name)),
            ("door", .string(context.door.rawValue)), ("requestID", .string(context.requestID)),
            ("action", .string(kind)), ("resource", .string(resource)), ("decision", "allowed"),
            ("detail", .object(detail)),
        ])
        try emit(tenant: context.tenant, kind: kind, payload: payload.encodedText())
    }
}

/// Runs work on a database of ours, with its errors as the query's.
func stored<Result>(
    _ subject: String, _ body: () throws -> Result
) throws(QueryFault) -> Result {
    do { return try body() } catch let fault as QueryFault { throw fault } catch {
        let fault = error as? any Fault
        throw QueryFault(
            .genericInternalError, "\(subject): \(fault?.message ?? "\(error)")",
            hint: fault?.hint, cause: error)
    }
}

/// Bounds of what people may declare.
enum Limits {
    static let nameBytes = 128
    /// Files of one external table.
    static let files = 100_000
    /// Files that are looked at to find an external table's columns.
    static let sampledFiles = 8
    /// Idle connections that a catalog keeps.
    static let idleConnections = 8
    /// How long a connection to another database may take to be made.
    static let connectSeconds = 10
    /// How long names and columns of another database are remembered.
    static let listingSeconds = 10
}
