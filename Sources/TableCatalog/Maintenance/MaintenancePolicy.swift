package import Authority
import Diagnostics
import Iceberg

/// What nightly maintenance does to a table. Properties that begin with `maintenance.` say it, of the
/// warehouse, its namespaces and the table: the nearest one counts.
///
///     maintenance.enabled                        true
///     maintenance.operations                     optimize,expire_snapshots,remove_orphan_files
///     maintenance.retention                      7d, for snapshots, orphans and branches of failed runs
///     maintenance.retain-last                    1 snapshot of each branch
///     maintenance.optimize.file-size-threshold   10MB
package struct MaintenancePolicy: Sendable, Hashable {
    /// The operations there are, in the order in which they are done.
    package enum Operation: String, Sendable, CaseIterable {
        case optimize
        case optimizeManifests = "optimize_manifests"
        case expireSnapshots = "expire_snapshots"
        case removeOrphanFiles = "remove_orphan_files"
    }

    package var isEnabled = true
    package var operations: [Operation] = [.optimize, .expireSnapshots, .removeOrphanFiles]
    package var retention = "7d"
    package var retainLast: Int?
    package var fileSizeThreshold = "10MB"

    package static let prefix = "maintenance."

    package init() {}

    /// Takes properties over those before; names that do not begin with the prefix are passed over.
    ///
    /// Throws `.invalidRequest` for an unknown name or a value that cannot be.
    package mutating func apply(_ properties: [String: String]) throws(CatalogError) {
        for (key, text) in properties.sorted(by: { $0.key < $1.key })
        where key.hasPrefix(Self.prefix) {
            let value = text.trimmedSpaces
            switch String(key.dropFirst(Self.prefix.count)) {
            case "enabled":
                guard value == "true" || value == "false" else {
                    throw Self.invalid(key, text, "true or false")
                }
                isEnabled = value == "true"
            case "operations": operations = try Self.operations(value, key)
            case "retention":
                guard MaintenanceDuration(value) != nil else {
                    throw Self.invalid(key, text, "a time such as 7d or 36h")
                }
                retention = value
            case "retain-last":
                guard let count = Int(value), count > 0 else {
                    throw Self.invalid(key, text, "a number above 0")
                }
                retainLast = count
            case "optimize.file-size-threshold":
                guard Self.isSize(value) else {
                    throw Self.invalid(key, text, "a size such as 10MB")
                }
                fileSizeThreshold = value
            case let name:
                throw CatalogError(
                    code: .invalidRequest, message: "unknown property of maintenance: \(key)",
                    hint: nearestName(to: name, among: Self.names).map {
                        "did you mean \(Self.prefix)\($0)?"
                    } ?? "there are \(Self.names.joined(separator: ", "))")
            }
        }
    }

    private static let names = [
        "enabled", "operations", "retention", "retain-last", "optimize.file-size-threshold",
    ]

    /// Reads a list of operations.
    package static func operations(
        _ text: String, _ name: String
    ) throws(CatalogError) -> [Operation] {
        var found: Set<Operation> = []
        for part in text.split(separator: ",") {
            let word = String(part).trimmedSpaces
            guard let operation = Operation(rawValue: word) else {
                let all = Operation.allCases.map(\.rawValue)
                throw CatalogError(
                    code: .invalidRequest, message: "\(name): no operation of maintenance: \(word)",
                    hint: nearestName(to: word, among: all).map { "did you mean \($0)?" }
                        ?? "there are \(all.joined(separator: ", "))")
            }
            found.insert(operation)
        }
        return Operation.allCases.filter(found.contains)
    }

    private static func isSize(_ text: String) -> Bool {
        for unit in ["kb", "mb", "gb", "tb", "b"] where text.lowercased().hasSuffix(unit) {
            if let number = Double(text.dropLast(unit.count)), number > 0 { return true }
        }
        return false
    }

    private static func invalid(_ key: String, _ value: String, _ wanted: String) -> CatalogError {
        CatalogError(
            code: .invalidRequest, message: "\(key) is \(value)", hint: "it takes \(wanted)")
    }
}

/// A length of time as properties and arguments write it. Source: Trino documentation, "Properties
/// reference, duration".
package struct MaintenanceDuration: Sendable, Hashable {
    package var milliseconds: Int64
    /// `7.00d`, as Trino's messages write it.
    package var text: String

    package init(milliseconds: Int64, text: String) {
        self.milliseconds = milliseconds
        self.text = text
    }

    /// Reads `7d`, `1.5h`, `30m`, `0s`; nil for anything else.
    package init?(_ text: String) {
        let units: [(name: String, milliseconds: Double)] = [
            ("ns", 1e-6), ("us", 1e-3), ("ms", 1), ("s", 1e3), ("m", 6e4), ("h", 3.6e6),
            ("d", 8.64e7),
        ]
        for unit in units where text.hasSuffix(unit.name) {
            let digits = text.dropLast(unit.name.count)
            guard let last = digits.last, last.isNumber || last == ".", let number = Double(digits),
                number >= 0, number * unit.milliseconds < 1e15
            else { continue }
            milliseconds = Int64(number * unit.milliseconds)
            let hundredths = Int64((number * 100).rounded())
            let rest = hundredths % 100
            self.text = "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)\(unit.name)"
            return
        }
        return nil
    }
}

extension Catalog {
    /// The policy that holds for a table on a reference.
    package func maintenancePolicy(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> MaintenancePolicy {
        let table = try loadTable(context, at, identifier)
        var policy = try maintenancePolicy(context, at, namespace: identifier.namespace)
        try policy.apply(table.metadata.properties)
        return policy
    }

    /// The policy of a warehouse.
    package func maintenancePolicy(
        _ context: RequestContext, warehouse: String
    ) throws -> MaintenancePolicy {
        var policy = MaintenancePolicy()
        try policy.apply(try self.warehouse(context, name: warehouse).properties)
        return policy
    }
}

extension String {
    fileprivate var trimmedSpaces: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
