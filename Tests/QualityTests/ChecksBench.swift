import Authority
import CivilTime
import ObjectStorage
import Platform
import SQLEngine
import SQLFunctions
import Synchronization
import TableCatalog

@testable import Quality

/// Lets everybody do everything but what it is told, and notes whom it refused what.
final class SomeRights: Authorizer {
    private struct State {
        var denied: Set<String> = []
        var filtered: Set<String> = []
        var refusals: [String] = []
    }
    private let state = Mutex(State())

    private static func key(_ name: String, _ action: Action, _ path: [String]) -> String {
        "\(name) \(action.rawValue) \(path.joined(separator: "."))"
    }

    func deny(_ name: String, _ action: Action, _ path: String) {
        state.withLock { _ = $0.denied.insert("\(name) \(action.rawValue) \(path)") }
    }

    /// From now on somebody sees of a table only the rows with a small id.
    func filter(_ name: String, _ path: String) {
        state.withLock { _ = $0.filtered.insert("\(name) \(path)") }
    }

    var refusals: [String] { state.withLock { $0.refusals } }

    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        let name = context.principal.name
        let key = Self.key(name, action, resource.path)
        return state.withLock { state in
            let isDenied = state.denied.contains(key)
            if isDenied { state.refusals.append(key) }
            let isFiltered =
                action == .tableSelect
                && state.filtered.contains("\(name) \(resource.path.joined(separator: "."))")
            return Decision(
                isAllowed: !isDenied, reason: "test", rowFilter: isFiltered ? "id < 2" : nil)
        }
    }
}

/// One row filter for one person, on the table of a path.
final class OneFilter: TableGovernance {
    private let path: [String]

    init(_ path: [String]) { self.path = path }

    func applied(to viewer: Principal, tenant: String, _ table: TableKey) -> [AppliedPolicy] {
        guard viewer.name == "vic", table.path == path else { return [] }
        let policy = TablePolicy(
            name: "small", kind: .rowFilter, target: .table(table), subjects: [], exceptions: [],
            expression: "id < 2", columns: ["id": 1])
        return [AppliedPolicy(policy: policy, through: "everybody")]
    }

    func cover(tenant: String, _ table: TableKey, places: [String]) throws {}

    func restriction(
        of viewer: Principal, tenant: String, bucket: String, key: String, own: TableKey?
    ) -> PlaceRestriction? { nil }
}

/// An engine with checks over the warehouse `silver` with the schemas `team` and `prod`.
final class ChecksBench {
    let rights = SomeRights()
    let engine: QueryEngine
    let catalog: Catalog
    let checks: TableChecks
    private let directory: String

    init(governance: (any TableGovernance)? = nil) throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "quality")
        let store = MemoryObjectStore(buckets: ["silver"])
        catalog = try Catalog(
            databasePath: directory + "/catalog.sqlite", store: store, authorizer: rights,
            clock: SystemWallClock(), entropy: SystemEntropy(), governance: governance)
        let boss = Self.context("boss")
        try catalog.createWarehouse(boss, name: "silver", location: "s3://silver/")
        for schema in ["team", "prod"] {
            try catalog.createNamespace(boss, CatalogReference(warehouse: "silver"), [schema])
        }
        var configuration = QueryEngineConfiguration(spillDirectory: directory)
        configuration.threadCount = 2
        engine = QueryEngine(
            configuration, catalog: catalog, store: store, authorizer: rights,
            zones: TimeZones { _ in nil }, clock: SystemWallClock())
        checks = try TableChecks(
            databasePath: directory + "/quality.sqlite", engine: engine, catalog: catalog,
            authorizer: rights, clock: SystemWallClock(), entropy: SystemEntropy())
        engine.attach(checks: checks)
    }

    deinit {
        checks.close()
        catalog.close()
        try? LocalFileSystem().removeTree(directory)
    }

    static func context(_ name: String) -> RequestContext {
        RequestContext(
            principal: Principal(id: "id-" + name, name: name, kind: .user), requestID: "test",
            door: .sql)
    }

    /// Runs a statement; its rows as texts.
    @discardableResult
    func sql(_ text: String, as name: String = "boss") throws -> [[String]] {
        try engine.run(
            text, session: QuerySession(catalog: "silver", schema: "team"),
            context: Self.context(name)
        ).rows.map { row in
            row.map { value in
                switch value {
                case .null: "NULL"
                case .text(let text): text
                case .integer(let number): "\(number)"
                case .double(let number): "\(number)"
                case .boolean(let flag): "\(flag)"
                }
            }
        }
    }

    /// The code of what a statement is refused with; nil when it is not.
    func code(_ text: String, as name: String = "boss") -> String? {
        do { try sql(text, as: name) } catch let fault as QueryFault {
            return fault.code.rawValue
        } catch { return "\(error)" }
        return nil
    }

    /// The checks of a table with their options.
    func declared(_ table: String) throws -> [String] {
        try sql("SHOW CHECKS ON \(table)").map { "\($0[1]) \($0[4])" }
    }
}
