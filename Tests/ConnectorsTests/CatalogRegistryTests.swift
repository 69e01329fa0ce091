import Authority
import Platform
import SQLEngine
import SQLFunctions
import SQLPlanning
import Testing

@testable import Connectors

/// Lets people of the role `admin` do everything, others use catalogs.
private struct RoleAuthorizer: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        let isAllowed = context.principal.kind == .system || action == .warehouseUse
        return Decision(isAllowed: isAllowed, reason: "test")
    }
}

/// A connector with a secret, which connects to nothing.
private struct VaultConnector: Connector {
    let name = "vault"
    let properties = [
        ConnectorProperty("place", isRequired: true, example: "north"),
        ConnectorProperty("key", isSecret: true, example: "…"),
    ]

    func open(_ declaration: CatalogDeclaration) throws(QueryFault) -> any ConnectedCatalog {
        VaultCatalog(key: declaration.properties["key"] ?? "")
    }
}

private final class VaultCatalog: ConnectedCatalog {
    let connector = "vault"
    let isOpen = false
    /// The secret that the catalog was opened with.
    let key: String
    init(key: String) { self.key = key }
    func schemas(_ context: RequestContext) throws(QueryFault) -> [String] { [key] }
    func relations(
        _ context: RequestContext, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)] { [] }
    func table(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> (any PlannedTable)? { nil }
}

struct CatalogRegistryTests {
    private let system = RequestContext(principal: .system, requestID: "test", door: .cli)
    private let declaration = CatalogDeclaration(
        name: "store", connector: "vault", properties: ["place": "north", "key": "open sesame"])

    /// Secrets are "sealed" by turning every byte around.
    private func registry(
        _ folder: String, fixed: [CatalogDeclaration] = []
    ) throws -> CatalogRegistry {
        try CatalogRegistry(
            databasePath: folder + "/connectors.sqlite", authorizer: RoleAuthorizer(),
            sealer: SecretSealer(
                seal: { secret, label in secret.map { ~$0 } + Array(label.utf8) },
                open: { sealed, label in sealed.dropLast(label.utf8.count).map { ~$0 } }),
            clock: SystemWallClock(), fixed: fixed,
            connectors: { _ in [VaultConnector(), TPCHConnector()] })
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = try LocalFileSystem().makeTemporaryDirectory(prefix: "registry")
        defer { try? LocalFileSystem().removeTree(folder) }
        try body(folder)
    }

    private func fault(_ body: () throws -> Void) -> QueryFault? {
        do { try body() } catch { return error as? QueryFault }
        return nil
    }

    @Test func `a catalog is kept with its secret sealed, and is opened with it`() throws {
        try inFolder { folder in
            let first = try registry(folder)
            #expect(try first.create(system, declaration, ifNotExists: false))
            #expect(try !first.create(system, declaration, ifNotExists: true))
            let shown = try first.declaration(system, "store")
            #expect(shown?.properties == ["place": "north", "key": hiddenSecret])
            first.close()
            for name in ["connectors.sqlite", "connectors.sqlite-wal"] {
                let bytes = try? LocalFileSystem().readAll("\(folder)/\(name)", limit: 1 << 24)
                let text = String(decoding: bytes ?? [], as: UTF8.self)
                #expect(!text.contains("open sesame"), "\(name)")
            }
            let second = try registry(folder)
            let catalog = try second.connected(system, "store")
            #expect(try catalog?.schemas(system) == ["open sesame"])
            #expect(try second.drop(system, "store"))
            #expect(try second.connected(system, "store") == nil)
            #expect(try !second.drop(system, "store"))
            second.close()
        }
    }

    @Test func `another secret is another catalog`() throws {
        try inFolder { folder in
            let registry = try registry(folder)
            _ = try registry.create(system, declaration, ifNotExists: false)
            _ = try registry.connected(system, "store")
            _ = try registry.drop(system, "store")
            var other = declaration
            other.properties["key"] = "alohomora"
            _ = try registry.create(system, other, ifNotExists: false)
            #expect(try registry.connected(system, "store")?.schemas(system) == ["alohomora"])
            registry.close()
        }
    }

    @Test func `fixed catalogs stay, and their secrets are hidden`() throws {
        try inFolder { folder in
            let registry = try registry(folder, fixed: [declaration])
            #expect(registry.names(system) == ["store"])
            #expect(try registry.declaration(system, "store")?.properties["key"] == hiddenSecret)
            #expect(try registry.connected(system, "store")?.schemas(system) == ["open sesame"])
            #expect(fault { _ = try registry.drop(system, "store") }?.code == .notSupported)
            registry.close()
        }
    }

    @Test func `a fixed catalog that its connector does not take is a fault`() throws {
        try inFolder { folder in
            var wrong = declaration
            wrong.properties["plase"] = "south"
            let problem = fault { _ = try registry(folder, fixed: [wrong]) }
            #expect(problem?.code == .invalidArguments)
            #expect(problem?.hint == "did you mean place?")
        }
    }

    @Test func `only administrators make and drop catalogs`() throws {
        try inFolder { folder in
            let registry = try registry(folder)
            let person = Principal(id: "u1", name: "ann", kind: .user)
            let context = RequestContext(principal: person, requestID: "test", door: .sql)
            let refused = fault {
                _ = try registry.create(context, declaration, ifNotExists: false)
            }
            #expect(refused?.code == .permissionDenied)
            _ = try registry.create(system, declaration, ifNotExists: false)
            #expect(fault { _ = try registry.drop(context, "store") }?.code == .permissionDenied)
            #expect(registry.names(context) == ["store"])
            registry.close()
        }
    }

    @Test(
        arguments: [
            ("vau1t", ["place": "x"], "did you mean vault?"),
            ("vault", [:], "for example \"place\" = 'north'"),
            ("vault", ["place": "x", "keys": "y"], "did you mean key?"),
            ("vault", ["place": ""], "for example \"place\" = 'north'"),
        ] as [(String, [String: String], String)])
    func `a wrong declaration says what is right`(
        _ connector: String, _ properties: [String: String], _ hint: String
    ) throws {
        try inFolder { folder in
            let registry = try registry(folder)
            let wrong = CatalogDeclaration(
                name: "x", connector: connector, properties: properties)
            let problem = fault { _ = try registry.create(system, wrong, ifNotExists: false) }
            #expect(problem?.hint == hint)
            #expect(registry.names(system).isEmpty)
            registry.close()
        }
    }
}
