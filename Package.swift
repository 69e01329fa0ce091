// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The package is one list of targets, `modules`, in the order of the module map
// (house style, section 1): a target may import only what stands above it.
//
// `LAKEHOUSE_ONLY=Parquet,Iceberg swift build --build-tests` restricts the package to these targets,
// what they need and their tests. Work on one module does not wait for the others.

let portable = Context.environment["LAKEHOUSE_PORTABLE"] == "1"

#if arch(x86_64)
    let vectorFlags = portable ? [] : ["-Xcc", "-march=x86-64-v3"]
#else
    let vectorFlags = portable ? [] : ["-Xcc", "-march=armv8.2-a"]
#endif

/// The settings that every Swift target shares.
func settings(kernels: Bool, cold: Bool = false) -> [SwiftSetting] {
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
        .unsafeFlags(vectorFlags),
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ]
        // Loops over vectors run as fast in a debug build as in release, so that tests can run real
        // SQL suites without a second build.
        + (kernels ? [.unsafeFlags(["-O"], .when(configuration: .debug))] : [])
        // Optimizing takes four fifths of a module's build: not worth it where a person waits for
        // an answer and the module's part of it is a millisecond either way.
        + (cold ? [.unsafeFlags(["-Onone"], .when(configuration: .release))] : [])
}

/// One library target with the C libraries it links, by their static archives.
struct Module {
    let name: String
    let needs: [String]
    var kernels = false
    /// Never on the way of a row or of a client's request: built without optimization.
    var cold = false
}

let modules: [Module] = [
    // L0 values
    Module(name: "Diagnostics", needs: []),
    Module(name: "Bytes", needs: ["Diagnostics", "CIntrinsics"], kernels: true),
    Module(name: "CivilTime", needs: ["Diagnostics"], kernels: true),
    Module(name: "JSON", needs: ["Diagnostics", "Bytes"], kernels: true),
    Module(name: "XML", needs: ["Diagnostics", "Bytes"]),
    Module(name: "Vectors", needs: ["Diagnostics", "Bytes", "CIntrinsics"], kernels: true),
    Module(name: "HTTPMessages", needs: ["Diagnostics", "Bytes"], kernels: true),
    Module(name: "Authority", needs: ["Diagnostics"]),
    // L1 platform
    Module(name: "Platform", needs: ["Diagnostics", "Bytes", "CLinux"]),
    Module(
        name: "Compression",
        needs: ["Diagnostics", "Bytes", "CZstd", "CZlib", "CLz4", "CSnappy", "CBrotli"],
        kernels: true),
    Module(name: "Cryptography", needs: ["Diagnostics", "Bytes", "COpenSSL"], kernels: true),
    Module(name: "Regex", needs: ["Diagnostics", "Bytes", "CPCRE2"], kernels: true),
    Module(name: "YAML", needs: ["Diagnostics", "Bytes", "CYAML"]),
    Module(name: "SQLite", needs: ["Diagnostics", "Bytes", "Authority", "CSQLite"]),
    Module(name: "PostgresClient", needs: ["Diagnostics", "Bytes"]),
    Module(name: "Geometry", needs: ["Diagnostics"]),
    Module(name: "Telemetry", needs: ["Diagnostics", "JSON", "CivilTime", "Platform"]),
    Module(name: "Supervision", needs: ["Diagnostics", "Telemetry", "Platform"]),
    Module(
        name: "HTTPServer",
        needs: [
            "Diagnostics", "Bytes", "HTTPMessages", "Cryptography", "Supervision", "Platform",
            "Telemetry",
        ]),
    Module(
        name: "HTTPClient",
        needs: ["Diagnostics", "Bytes", "HTTPMessages", "Cryptography", "Platform"]),
    // L2 formats
    Module(name: "ObjectStorage", needs: ["Diagnostics", "Bytes"]),
    Module(
        name: "Parquet",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Vectors", "Compression", "ObjectStorage",
            "CIntrinsics",
        ],
        kernels: true),
    Module(name: "Avro", needs: ["Diagnostics", "Bytes", "JSON", "Compression"], kernels: true),
    Module(
        name: "TextTables",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Vectors", "ObjectStorage", "CIntrinsics",
        ],
        kernels: true),
    Module(
        name: "Iceberg",
        needs: ["Diagnostics", "Bytes", "CivilTime", "JSON", "Avro", "Vectors", "ObjectStorage"],
        kernels: true),
    Module(
        name: "TableFiles",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Compression", "JSON", "Vectors",
            "ObjectStorage", "Parquet", "Avro", "Iceberg",
            "Platform",
        ],
        kernels: true),
    // L3 domains
    Module(
        name: "DiskObjectStorage",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Authority", "ObjectStorage", "SQLite", "Platform",
            "Cryptography",
            "JSON", "Telemetry",
        ]),
    Module(
        name: "Identity",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Authority", "SQLite", "Cryptography", "JSON",
            "Platform", "Telemetry",
        ]),
    Module(
        name: "Ledger",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Authority", "SQLite", "Telemetry", "JSON",
            "Platform",
        ]),
    Module(
        name: "TableCatalog",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Authority", "Iceberg", "Avro", "JSON",
            "ObjectStorage", "SQLite",
            "Platform", "Telemetry",
        ]),
    Module(name: "SQLSyntax", needs: ["Diagnostics"]),
    Module(
        name: "SQLFunctions",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Vectors", "JSON", "Regex", "Cryptography",
            "Geometry", "CIntrinsics", "CLexicons",
        ],
        kernels: true),
    Module(
        name: "SQLPlanning",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Vectors", "Authority", "SQLSyntax",
            "SQLFunctions",
        ]),
    Module(
        name: "SQLExecution",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Vectors", "Authority", "SQLFunctions",
            "SQLPlanning", "Platform",
            "Compression", "JSON", "CIntrinsics",
        ],
        kernels: true),
    Module(
        name: "SQLEngine",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Vectors", "Authority", "ObjectStorage",
            "SQLSyntax",
            "SQLFunctions", "SQLPlanning", "SQLExecution", "TableCatalog", "Iceberg", "TableFiles",
            "Parquet", "TextTables",
            "Platform", "Telemetry", "CIntrinsics",
        ],
        kernels: false),
    Module(
        name: "TPCH",
        needs: [
            "Diagnostics", "CivilTime", "Vectors", "Authority", "SQLFunctions", "SQLPlanning",
            "SQLExecution",
        ],
        kernels: true),
    Module(
        name: "Connectors",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Vectors", "Authority", "Platform",
            "SQLite", "Cryptography", "PostgresClient", "ObjectStorage", "Parquet", "TextTables",
            "SQLSyntax", "SQLFunctions", "SQLPlanning", "SQLExecution", "SQLEngine", "TPCH",
        ],
        kernels: true),
    Module(
        name: "Quality",
        needs: [
            "Diagnostics", "JSON", "YAML", "Vectors", "Authority", "SQLite", "Platform", "Regex",
            "Iceberg", "SQLSyntax", "SQLFunctions", "SQLPlanning", "SQLEngine", "TableCatalog",
        ],
        cold: true),
    Module(
        name: "Jobs",
        needs: [
            "Diagnostics", "CivilTime", "JSON", "Authority", "SQLite", "YAML", "Supervision",
            "Platform", "Telemetry",
        ],
        cold: true),
    Module(
        name: "Ingest",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Compression", "JSON", "Vectors", "Authority",
            "ObjectStorage",
            "Iceberg", "Parquet",
            "TextTables", "TableFiles", "TableCatalog", "SQLite", "Telemetry", "Platform",
        ],
        kernels: true),
    Module(
        name: "Models",
        needs: [
            "Diagnostics", "JSON", "Vectors", "Authority", "SQLite", "Platform", "Cryptography",
            "TableCatalog", "SQLFunctions", "SQLPlanning", "SQLEngine",
        ],
        kernels: true),
    Module(
        name: "Operations",
        needs: [
            "Diagnostics", "CivilTime", "JSON", "SQLite", "Platform", "Supervision", "Telemetry",
        ],
        cold: true),
    Module(
        name: "Dashboards",
        needs: ["Diagnostics", "CivilTime", "Authority", "YAML"]),
    Module(
        name: "Metrics",
        needs: ["Diagnostics", "Bytes", "CivilTime", "JSON", "Authority", "YAML"],
        cold: true),
    Module(
        name: "DemoBank",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "Platform", "Cryptography", "SQLite",
            "HTTPMessages", "PostgresClient",
        ]),
    // L4 APIs
    Module(
        name: "S3API",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "XML", "Authority", "HTTPMessages",
            "Identity",
            "Cryptography", "ObjectStorage", "DiskObjectStorage", "Telemetry", "Platform",
        ]),
    Module(
        name: "IcebergAPI",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Authority", "HTTPMessages", "Identity",
            "Iceberg", "Cryptography",
            "TableCatalog", "Telemetry", "Platform",
        ]),
    Module(
        name: "QueryAPI",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Vectors", "Authority", "HTTPMessages",
            "Identity",
            "SQLEngine", "SQLFunctions", "Telemetry", "Platform", "Compression", "Cryptography",
        ],
        kernels: true),
    Module(
        name: "IdentityAPI",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Authority", "HTTPMessages", "Identity",
            "Cryptography",
            "Telemetry", "Platform",
        ]),
    Module(
        name: "AgentAPI",
        needs: [
            "Diagnostics", "Bytes", "JSON", "Authority", "HTTPMessages", "SQLSyntax", "Platform",
        ],
        cold: true),
    Module(
        name: "ConsoleAPI",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "Authority", "HTTPMessages",
            "TableCatalog", "Iceberg", "Compression",
            "Dashboards", "Ledger", "Metrics", "SQLite", "ObjectStorage", "Platform",
        ]),
    // L5 appliance
    Module(
        name: "Appliance",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "XML", "YAML", "Vectors", "HTTPMessages",
            "Authority", "Platform",
            "Compression", "Cryptography", "SQLite", "Telemetry", "Supervision", "HTTPServer",
            "ObjectStorage",
            "Parquet", "TextTables", "Iceberg", "DiskObjectStorage", "Identity", "Ledger",
            "TableCatalog",
            "SQLFunctions", "SQLPlanning", "SQLExecution", "SQLEngine", "TPCH", "Connectors",
            "Models", "Quality", "Jobs", "Ingest",
            "Operations", "Dashboards", "Metrics",
            "ConsoleAPI", "HTTPClient", "S3API", "IcebergAPI", "QueryAPI", "IdentityAPI",
            "AgentAPI", "CWebFiles",
        ]),
    Module(
        name: "Walkthrough",
        needs: [
            "Diagnostics", "Bytes", "CivilTime", "JSON", "YAML", "Platform", "Cryptography",
            "HTTPMessages", "HTTPClient", "DemoBank", "Appliance", "CWebFiles",
        ],
        cold: true),
]

/// What the executable is made of.
let executable = ["Appliance", "Walkthrough", "Platform"]

/// What the tool of the developers is made of: the parsers that it fuzzes, and their stores.
let tool = [
    "Diagnostics", "Bytes", "CivilTime", "JSON", "XML", "YAML", "Vectors", "HTTPMessages",
    "Authority", "Platform", "Cryptography", "Regex", "ObjectStorage", "Parquet", "Avro",
    "TextTables", "Iceberg", "DiskObjectStorage", "Identity", "SQLSyntax", "S3API",
]

/// C targets: a module map or a shim header over a Debian library, and its static archives.
let libraries: [(name: String, archives: [String])] = [
    ("CSQLite", ["sqlite3"]), ("CZstd", ["zstd"]), ("CZlib", ["z"]), ("CLz4", ["lz4"]),
    ("CSnappy", ["snappy"]), ("CBrotli", ["brotlienc", "brotlidec", "brotlicommon"]),
    ("COpenSSL", ["ssl", "crypto"]), ("CYAML", ["yaml"]), ("CPCRE2", ["pcre2-8"]),
    ("CIntrinsics", []), ("CLinux", []), ("CWebFiles", []), ("CLexicons", []),
]

/// Test targets of no single module, and what they drive.
let suites: [(name: String, needs: [String])] = [
    ("TidyTests", []),
    (
        "SQLTests",
        [
            "Diagnostics", "Authority", "CivilTime", "JSON", "ObjectStorage", "Platform", "Vectors",
            "SQLFunctions",
            "SQLPlanning", "SQLExecution", "SQLEngine", "Connectors", "Models", "TableCatalog",
            "QueryAPI",
        ]
    ),
    ("FuzzTests", ["dev", "Diagnostics", "Bytes", "Platform", "ObjectStorage"]),
    ("CrashTests", modules.map(\.name)),
]

let only = Context.environment["LAKEHOUSE_ONLY"].map { $0.split(separator: ",").map(String.init) }
/// The names given and everything they need.
func closure(_ names: [String]) -> Set<String> {
    var found: Set<String> = []
    var open = names
    while let name = open.popLast() {
        guard found.insert(name).inserted else { continue }
        open +=
            modules.first { $0.name == name }?.needs ?? suites.first { $0.name == name }?.needs
            ?? (name == "lakehouse" ? executable : name == "dev" ? tool : [])
    }
    return found
}
let wanted = closure(
    only.map { $0 + ["Diagnostics", "Bytes", "Platform", "ObjectStorage"] } ?? modules.map(\.name)
        + libraries.map(\.name))

var targets: [Target] = []
for library in libraries where wanted.contains(library.name) {
    targets.append(
        .target(
            name: library.name, path: "Sources/\(library.name)",
            exclude: library.name == "CLexicons" ? ["vader-words.tsv", "vader-emoji.tsv"] : [],
            cSettings: [
                .unsafeFlags(
                    library.name == "CWebFiles" || library.name == "CLexicons"
                        ? ["-std=c23", "-I", "."] : vectorFlags.filter { $0 != "-Xcc" })
            ],
            linkerSettings: library.archives.map { .linkedLibrary(":lib\($0).a") }
                + (library.name == "CSnappy" ? [.linkedLibrary("stdc++")] : [])))
}
for module in modules where wanted.contains(module.name) {
    targets.append(
        .target(
            name: module.name, dependencies: module.needs.map { .init(stringLiteral: $0) },
            path: "Sources/\(module.name)",
            swiftSettings: settings(kernels: module.kernels, cold: module.cold)))
}

let root = Context.packageDirectory
for module in modules where only?.contains(module.name) ?? true {
    let path = "Tests/\(module.name)Tests"
    guard FileManager.default.fileExists(atPath: "\(root)/\(path)") else { continue }
    targets.append(
        .testTarget(
            name: "\(module.name)Tests",
            dependencies: module.needs.filter {
                !$0.hasPrefix("C") || $0 == "CivilTime" || $0 == "Compression"
                    || $0 == "Cryptography"
            }
            .map { .init(stringLiteral: $0) } + [.init(stringLiteral: module.name), "TestSupport"],
            path: path,
            exclude: FileManager.default.fileExists(atPath: "\(root)/\(path)/Fixtures")
                ? ["Fixtures"] : [],
            swiftSettings: settings(kernels: false)))
}
targets.append(
    .target(
        name: "TestSupport", dependencies: ["Diagnostics", "Bytes", "Platform", "ObjectStorage"],
        path: "Sources/TestSupport",
        swiftSettings: settings(kernels: false)))
if only?.contains("lakehouse") ?? true {
    targets.append(
        .executableTarget(
            name: "lakehouse", dependencies: executable.map { .init(stringLiteral: $0) },
            path: "Sources/lakehouse", swiftSettings: settings(kernels: false)))
}
if only?.contains(where: { $0 == "dev" || $0 == "FuzzTests" }) ?? true {
    // With LIBFUZZER the targets run under libFuzzer too: `make libfuzzer`.
    let hasLibFuzzer = Context.environment["LAKEHOUSE_LIBFUZZER"] == "1"
    targets.append(
        .executableTarget(
            name: "dev", dependencies: (tool + ["TestSupport"]).map { .init(stringLiteral: $0) },
            path: "Sources/dev",
            swiftSettings: settings(kernels: false)
                + (hasLibFuzzer ? [.define("LIBFUZZER")] : [])))
}
for suite in suites
where only?.contains(suite.name) ?? true
    && FileManager.default.fileExists(atPath: "\(root)/Tests/\(suite.name)")
{
    targets.append(
        .testTarget(
            name: suite.name,
            dependencies: (suite.needs + ["TestSupport"]).map { .init(stringLiteral: $0) },
            path: "Tests/\(suite.name)", swiftSettings: settings(kernels: false)))
}

let package = Package(
    name: "lakehouse",
    products: only?.contains("lakehouse") ?? true
        ? [.executable(name: "lakehouse", targets: ["lakehouse"])] : [],
    targets: targets,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17)
