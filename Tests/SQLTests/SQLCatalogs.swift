import Authority
import Connectors
import Foundation
import ObjectStorage
import Platform
import SQLEngine
import SQLite

extension SQLBench {
    /// The connected catalogs of a bench: `tpch`, `files` over a bucket `outside`, and `lite`, a SQLite file
    /// made from Tests/SQL/catalogs/lite.sql.
    static func makeCatalogs(_ folder: String, _ store: MemoryObjectStore) throws -> CatalogRegistry
    {
        let script = try String(
            contentsOf: SQLTables.folder.appendingPathComponent("catalogs/lite.sql"),
            encoding: .utf8)
        let path = folder + "/lite.sqlite"
        let connection = try Connection(path: path, mode: .writer)
        try connection.script(script)
        try fillBucket(store)
        return try CatalogRegistry(
            databasePath: folder + "/connectors.sqlite", authorizer: OpenAuthorizer(),
            sealer: SecretSealer(seal: { secret, _ in secret }, open: { sealed, _ in sealed }),
            clock: SystemWallClock(),
            fixed: CatalogRegistry.builtIn + [
                CatalogDeclaration(
                    name: "lite", connector: "sqlite", properties: ["path": path])
            ],
            connectors: { database in
                [
                    TPCHConnector(), SQLiteConnector(closedFolders: []), PostgresConnector(),
                    FilesConnector(
                        database: database, store: store, authorizer: OpenAuthorizer(),
                        governance: nil),
                ]
            })
    }

    /// CSV and JSON lines in partitions, and a Parquet table of Tests/SQL/tables.
    private static func fillBucket(_ store: MemoryObjectStore) throws {
        let texts = [
            "sales/day=2024-05-01/region=north/a.csv": "id,amount,note\n1,10.5,first\n2,20,\n",
            "sales/day=2024-05-01/region=south/a.csv": "id,amount,note\n3,5.25,third\n",
            "sales/day=2024-05-02/region=north/a.csv": "id,amount,note\n4,1,\"a, b\"\n",
            "sales/day=2024-05-02/region=__HIVE_DEFAULT_PARTITION__/b.csv":
                "id,amount,note\n5,2,nowhere\n",
            "sales/_SUCCESS": "done",
            "events/2024/one.json": "{\"Id\":1,\"kind\":\"a\",\"tags\":[1,2]}\n",
            "events/two.json": "{\"Id\":2,\"kind\":\"b\",\"value\":1.5}\n{\"Id\":3}\n",
            "bare/one.txt": "1;x\n2;-\n",
        ]
        for (key, text) in texts {
            _ = try store.write(
                Array(text.utf8), to: ObjectLocation(bucket: "outside", key: key))
        }
        let tables = SQLTables.folder.appendingPathComponent("tables")
        for file in try FileManager.default.contentsOfDirectory(
            at: tables, includingPropertiesForKeys: nil) where file.pathExtension == "parquet"
        {
            let name = file.deletingPathExtension().lastPathComponent
            _ = try store.write(
                [UInt8](Data(contentsOf: file)),
                to: ObjectLocation(bucket: "outside", key: "parquet/\(name)/part-0.parquet"))
        }
    }
}
