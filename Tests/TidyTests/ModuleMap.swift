/// The module map of the house style, section 1: what each target may import besides Diagnostics and
/// what its imports import. Order is layers, bottom first.
enum ModuleMap {
    struct Layer {
        let number: Int
        let modules: [(name: String, imports: [String])]
    }

    static let layers: [Layer] = [
        Layer(
            number: 0,
            modules: [
                ("Diagnostics", []), ("Bytes", ["CIntrinsics"]), ("CivilTime", []),
                ("JSON", ["Bytes"]),
                ("XML", ["Bytes"]), ("Vectors", ["Bytes", "CivilTime", "CIntrinsics"]),
                ("HTTPMessages", ["Bytes"]), ("Authority", []),
            ]),
        Layer(
            number: 1,
            modules: [
                ("Platform", ["Bytes", "CLinux"]),
                ("Compression", ["Bytes", "CZstd", "CZlib", "CLz4", "CSnappy", "CBrotli"]),
                ("Cryptography", ["Bytes", "COpenSSL"]), ("Regex", ["Bytes", "CPCRE2"]),
                ("YAML", ["Bytes", "CYAML"]), ("SQLite", ["Bytes", "Authority", "CSQLite"]),
                ("PostgresClient", ["Bytes"]), ("Geometry", []),
                ("Telemetry", ["JSON", "CivilTime", "Platform"]), ("Supervision", ["Telemetry"]),
                ("HTTPServer", ["HTTPMessages", "Cryptography", "Supervision"]),
                ("HTTPClient", ["HTTPMessages", "Cryptography", "Platform"]),
            ]),
        Layer(
            number: 2,
            modules: [
                ("ObjectStorage", ["Bytes"]),
                ("Parquet", ["Vectors", "Compression", "ObjectStorage", "CIntrinsics"]),
                ("Avro", ["JSON", "Compression"]),
                ("TextTables", ["Vectors", "ObjectStorage", "JSON", "CIntrinsics"]),
                ("Iceberg", ["Avro", "Vectors", "ObjectStorage"]),
                // Data files of tables: what both the engine and ingest write.
                ("TableFiles", ["Parquet", "Avro", "Iceberg", "Platform"]),
            ]),
        Layer(
            number: 3,
            modules: [
                (
                    "DiskObjectStorage",
                    ["ObjectStorage", "SQLite", "Platform", "Cryptography", "JSON", "Telemetry"]
                ),
                (
                    "Identity",
                    ["SQLite", "Cryptography", "JSON", "Platform", "Telemetry", "CivilTime"]
                ),
                ("Ledger", ["SQLite", "Telemetry"]),
                ("TableCatalog", ["Iceberg", "SQLite", "Telemetry"]), ("SQLSyntax", []),
                (
                    "SQLFunctions",
                    [
                        "Vectors", "JSON", "Regex", "Cryptography", "Geometry", "CIntrinsics",
                        "CLexicons",
                    ]
                ),
                ("SQLPlanning", ["SQLSyntax", "SQLFunctions"]),
                ("SQLExecution", ["SQLPlanning", "Platform", "Compression", "CIntrinsics"]),
                (
                    "SQLEngine",
                    [
                        "SQLExecution", "TableCatalog", "Parquet", "TextTables", "TableFiles",
                        "CIntrinsics",
                    ]
                ),
                ("TPCH", ["SQLExecution"]),
                ("Connectors", ["SQLEngine", "TPCH", "SQLite", "PostgresClient"]),
                ("Quality", ["SQLEngine", "SQLite", "YAML"]),
                ("Jobs", ["SQLite", "CivilTime", "Supervision", "YAML"]),
                ("Ingest", ["TextTables", "TableCatalog", "TableFiles"]),
                ("Models", ["SQLEngine", "SQLite", "Cryptography"]),
                ("Operations", ["SQLite", "Supervision", "CivilTime", "JSON"]),
                ("Dashboards", ["Vectors", "JSON", "SQLite", "YAML"]),
                ("Metrics", ["JSON", "YAML", "CivilTime"]),
                (
                    "DemoBank",
                    [
                        "SQLite", "Cryptography", "PostgresClient", "HTTPMessages", "Platform",
                        "CivilTime",
                    ]
                ),
            ]),
        Layer(
            number: 4,
            modules: [
                ("S3API", ["Identity", "DiskObjectStorage", "XML", "HTTPMessages"]),
                ("IcebergAPI", ["Identity", "TableCatalog", "HTTPMessages"]),
                ("QueryAPI", ["Identity", "SQLEngine", "HTTPMessages"]),
                ("IdentityAPI", ["Identity", "HTTPMessages"]),
                ("AgentAPI", ["SQLSyntax", "JSON", "Platform", "HTTPMessages"]),
                (
                    "ConsoleAPI",
                    ["TableCatalog", "Dashboards", "Ledger", "Metrics", "HTTPMessages"]
                ),
            ]),
        Layer(
            number: 5,
            modules: [
                ("Appliance", []),
                (
                    "Walkthrough",
                    ["Appliance", "HTTPClient", "DemoBank", "Cryptography", "YAML"]
                ),
                ("lakehouse", ["Appliance", "Walkthrough"]),
            ]),
    ]

    static let imports: [String: [String]] = Dictionary(
        layers.flatMap(\.modules).map { ($0.name, $0.imports) }
    ) { first, _ in first }

    static func layer(of module: String) -> Int? {
        layers.first { $0.modules.contains { $0.name == module } }?.number
    }

    /// Everything that a module may import.
    static func allowed(_ module: String) -> Set<String> {
        if module == "Appliance" {
            return Set(layers.flatMap(\.modules).map(\.name)).subtracting([
                "Walkthrough", "lakehouse",
            ])
            .union(["CWebFiles"])
        }
        var found: Set<String> = ["Diagnostics"]
        // L3 and above: every verb takes a context, and every domain may log and count.
        if let layer = layer(of: module), layer >= 3 {
            found.formUnion(["Authority", "Telemetry"])
        }
        var open = (imports[module] ?? []) + found
        while let name = open.popLast() {
            found.insert(name)
            for further in imports[name] ?? [] where !found.contains(further) {
                open.append(further)
            }
        }
        // The C libraries below stay below.
        let own = Set(imports[module] ?? [])
        found = found.filter { !isC($0) || own.contains($0) }
        if module == "Walkthrough" { found.insert("CWebFiles") }
        return found
    }

    /// A target of C: a capital C before another capital.
    static func isC(_ name: String) -> Bool {
        let letters = Array(name)
        return letters.count > 1 && letters[0] == "C" && letters[1].isUppercase
    }

    /// What ships with the compiler and has no I/O.
    static let standard: Set<String> = ["Swift", "Synchronization", "Builtin"]
}
