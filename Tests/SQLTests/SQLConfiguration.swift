import Authority
import CivilTime
import Connectors
import Foundation
import JSON
import Models
import ObjectStorage
import Platform
import QueryAPI
import SQLEngine
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableCatalog

/// One way of running the same files. House style, section 10.
struct SQLConfiguration: Sendable, CustomStringConvertible {
    let name: String
    /// Runs without LAKEHOUSE_LONG=1 as well.
    var isQuick = false
    var overParquet = false
    var change: @Sendable (inout QueryEngineConfiguration) -> Void = { _ in }
    var description: String { name }

    static let all: [SQLConfiguration] = [
        SQLConfiguration(name: "default", isQuick: true),
        SQLConfiguration(name: "chunk-1") { $0.verification.chunkRows = 1 },
        SQLConfiguration(name: "chunk-7", isQuick: true) {
            $0.verification.chunkRows = 7
            $0.verification.poisonsChunks = true
        },
        SQLConfiguration(name: "dictionaries") { $0.verification.forcesDictionaries = true },
        SQLConfiguration(name: "constants") { $0.verification.forcesConstants = true },
        SQLConfiguration(name: "one-thread") { $0.threadCount = 1 },
        SQLConfiguration(name: "many-threads") {
            $0.threadCount = 8
            $0.verification.chunkRows = 64
        },
        SQLConfiguration(name: "spill", isQuick: true) { $0.verification.forcesSpill = true },
        SQLConfiguration(name: "optimizer-off") { $0.optimizerRules = .none },
        SQLConfiguration(name: "parquet", isQuick: true, overParquet: true),
    ]

    static var wanted: [SQLConfiguration] {
        ProcessInfo.processInfo.environment["LAKEHOUSE_LONG"] == "1" ? all : all.filter(\.isQuick)
    }
}

/// Everything is allowed.
struct OpenAuthorizer: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: true, reason: "test")
    }
}

/// An engine in one configuration, with a catalog of its own for files that want one.
final class SQLBench {
    private let engine: QueryEngine
    private let catalog: Catalog?
    private let models: ModelLibrary?
    private let connectors: CatalogRegistry
    private let folder: String
    private let encoder: TrinoEncoder
    private let session: QuerySession

    init(_ configuration: SQLConfiguration, withCatalog: Bool) throws {
        folder = try LocalFileSystem().makeTemporaryDirectory(prefix: "slt")
        let zones = TimeZones { name in
            try? LocalFileSystem().readAll("/usr/share/zoneinfo/\(name)", limit: 1 << 20)
        }
        encoder = TrinoEncoder(zones: zones)
        var settings = QueryEngineConfiguration(spillDirectory: folder)
        settings.threadCount = 2
        configuration.change(&settings)
        let tables = try configuration.overParquet ? SQLTables.inParquet() : SQLTables.inMemory()
        let store = MemoryObjectStore(buckets: ["lakehouse", "outside"])
        if withCatalog {
            let made = try Catalog(
                databasePath: folder + "/catalog.sqlite", store: store,
                authorizer: OpenAuthorizer(),
                clock: SystemWallClock(), entropy: SystemEntropy())
            let context = RequestContext(principal: .system, requestID: "slt", door: .cli)
            _ = try made.createWarehouse(context, name: "lakehouse", location: "s3://lakehouse")
            catalog = made
            models = try ModelLibrary(
                databasePath: folder + "/models.sqlite", authorizer: OpenAuthorizer(),
                clock: SystemWallClock())
        } else {
            catalog = nil
            models = nil
        }
        engine = QueryEngine(
            settings, catalog: catalog, store: withCatalog ? store : nil,
            authorizer: OpenAuthorizer(),
            tables: tables, models: models, zones: zones)
        connectors = try SQLBench.makeCatalogs(folder, store)
        engine.attach(catalogs: connectors)
        session =
            withCatalog
            ? QuerySession(catalog: "lakehouse", schema: "main")
            : QuerySession(catalog: SQLTables.catalog, schema: SQLTables.schema)
        if withCatalog { _ = try run("create schema lakehouse.main") }
    }

    deinit {
        engine.drain(until: SystemMonotonicClock().now() + .seconds(5))
        catalog?.close()
        models?.close()
        connectors.close()
        try? LocalFileSystem().removeTree(folder)
    }

    /// Every row of a statement as texts; throws its fault.
    func run(_ sql: String) throws -> [[SQLCell]] {
        let context = RequestContext(principal: .system, requestID: "slt", door: .cli)
        let query = try engine.submit(sql, session: session, context: context, encoder: encoder)
        var bytes: [UInt8] = []
        while true {
            let (page, snapshot) = query.nextPage(patience: .seconds(60))
            if let fault = snapshot.fault { throw fault }
            if let page {
                if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
                bytes += page.bytes
            } else if snapshot.state.isDone {
                break
            } else {
                query.cancel(.killed)
                throw SQLFileError("no page within a minute, in state \(snapshot.state.rawValue)")
            }
        }
        let text = "[" + String(decoding: bytes, as: UTF8.self) + "]"
        guard case .array(let rows) = try JSONValue(parsing: text) else { return [] }
        return rows.map { row in
            guard case .array(let values) = row else { return [] }
            return values.map(cell)
        }
    }

    private func cell(_ value: JSONValue) -> SQLCell {
        switch value {
        case .null: SQLCell(text: nil)
        case .string(let text): SQLCell(text: text)
        case .bool(let flag): SQLCell(text: flag ? "true" : "false")
        case .number(let number): SQLCell(text: number.text)
        case .array, .object: SQLCell(text: value.encodedText())
        }
    }
}
