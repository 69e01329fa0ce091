import Diagnostics
package import JSON
import ObjectStorage

/// Where rows come from.
package enum IngestSource: Sendable, Hashable {
    /// A table of an SQLite file.
    case sqliteTable(path: String, table: String)
    /// A query over an SQLite file.
    case sqliteQuery(path: String, query: String)
    /// One object; the format follows from the key's suffix unless given. `sheet` is a workbook's.
    case object(bucket: String, key: String, format: String?, sheet: String?)
    /// All objects whose key begins so, or matches the pattern, and ends with the suffix.
    case objects(
        bucket: String, prefix: String, suffix: String, format: String?, sheet: String?)

    /// In words, for summaries of snapshots.
    var text: String {
        switch self {
        case .sqliteTable(let path, let table): "table \(table) of \(path)"
        case .sqliteQuery(let path, _): "a query over \(path)"
        case .object(let bucket, let key, _, _): "\(ObjectLocation(bucket: bucket, key: key))"
        case .objects(let bucket, let prefix, let suffix, _, _):
            "s3://\(bucket)/\(prefix)\(suffix.isEmpty ? "" : "…" + suffix)"
        }
    }
}

/// How rows meet those that are there.
package enum IngestMode: String, Sendable, CaseIterable {
    /// Rows are added.
    case append
    /// The rows become the whole table.
    case replace
    /// Rows with a key that is there take its place; others are added.
    case merge
    /// The rows of each file take the place of those that came from the same file before.
    case replaceFile = "replace-file"
    /// Nothing is written: the files are looked at, whether they have the required columns.
    case validate
}

/// What becomes of the rows of a file that is not there any more.
package enum DeletedFilePolicy: String, Sendable, CaseIterable {
    /// They stay; a file that is not there is an error.
    case keep
    /// They go.
    case remove
}

/// A table of the source that tells which keys were removed.
package struct IngestDeletions: Sendable, Hashable {
    package var table: String
    /// Its columns with the key, in the order of the request's key.
    package var key: [String]
    /// Its column that grows with time; nil: the whole table is read each time.
    package var incremental: String?
}

/// A table by its full name.
package struct IngestTarget: Sendable, Hashable, CustomStringConvertible {
    package var warehouse: String
    package var namespace: [String]
    package var table: String

    package init(warehouse: String, namespace: [String], table: String) {
        self.warehouse = warehouse
        self.namespace = namespace
        self.table = table
    }

    package var description: String {
        ([warehouse] + namespace + [table]).joined(separator: ".")
    }
}

/// What an `ingest` step is to do: its options, checked.
///
///     source: {sqlite: /path/to/bank.db, table: transactions}   # or query: …, or object: s3://bucket/key,
///     target: silver.banking.transactions                       #    or objects: s3://bucket/prefix
///     mode: merge                                               # append (default), replace, merge
///     key: [transaction_id]
///     incremental: updated_at
///     deletions: {table: deletions, incremental: deleted_at}
///     partition: [region, day(booked_at)]
///     properties: {write.parquet.compression-codec: snappy}
///     requires: {order_id: bigint, amount: decimal}             # columns that each file has to have
///     on_delete: remove                                         # of mode replace-file; default keep
///     delete_missing: true                                      # rows that the source has no more go
///
/// `objects` takes patterns too: `s3://bucket/orders/**/2024-*.{csv,tsv}`. With `delete_missing` a merge removes rows
/// whose key the source does not have any more, and `replace-file` those of files that are gone.
///
/// `target: from-key` takes warehouse, namespace and table from the object's key.
package struct IngestRequest: Sendable, Hashable {
    package var source: IngestSource
    package var target: IngestTarget
    package var mode: IngestMode
    package var key: [String]
    /// The source's column that grows with every change of a row.
    package var incremental: String?
    package var deletions: IngestDeletions?
    /// Partition fields in Trino's words: `region`, `day(ts)`, `bucket(id, 16)`, `truncate(name, 4)`.
    package var partition: [String]
    /// Properties of a table that is created.
    package var properties: [String: String]
    /// Columns that each file has to have, and of what type.
    package var requires: [String: String]
    package var onDelete: DeletedFilePolicy
    /// Whether rows go that the source, read as a whole, does not have.
    package var deleteMissing: Bool

    private static let members = [
        "source", "target", "mode", "key", "incremental", "deletions", "partition", "properties",
        "requires", "on_delete", "delete_missing",
    ]

    /// Reads and checks a step's options; faults are `.invalidOptions` and name the option.
    package init(_ options: JSONValue) throws(IngestError) {
        let root = Options(options, path: "")
        try root.allow(Self.members)
        source = try Self.source(try root.required("source"))
        let name = try root.required("target").text()
        target = try Self.target(name, source)
        let modeName = try root["mode"]?.text() ?? "append"
        guard let mode = IngestMode(rawValue: modeName) else {
            throw root.fault(
                "mode", "unknown mode: \(modeName)",
                hint: nearestName(to: modeName, among: IngestMode.allCases.map(\.rawValue))
                    .map { "did you mean \($0)?" }
                    ?? "modes: \(IngestMode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.mode = mode
        requires = try root["requires"]?.textMap() ?? [:]
        let policyName = try root["on_delete"]?.text() ?? "keep"
        guard let policy = DeletedFilePolicy(rawValue: policyName) else {
            throw root.fault("on_delete", "not a policy: \(policyName)", hint: "keep or remove")
        }
        onDelete = policy
        switch try root["delete_missing"]?.text() {
        case nil, "false": deleteMissing = false
        case "true": deleteMissing = true
        case let text?:
            throw root.fault("delete_missing", "true or false is wanted, not \(text)")
        }
        key = try root["key"]?.texts() ?? []
        incremental = try root["incremental"]?.text()
        partition = try root["partition"]?.texts() ?? []
        properties = try root["properties"]?.textMap() ?? [:]
        if let given = root["deletions"] {
            try given.allow(["table", "key", "incremental"])
            deletions = IngestDeletions(
                table: try given.required("table").text(), key: try given["key"]?.texts() ?? key,
                incremental: try given["incremental"]?.text())
        }
        try check(root)
    }

    /// What is wrong with options that may still have `${…}` in them, where values come in at run time: a
    /// fault about such a text is none yet.
    package static func problem(with options: JSONValue) -> IngestError? {
        do throws(IngestError) {
            _ = try IngestRequest(options)
            return nil
        } catch {
            var place = options
            for name in (error.option ?? "").split(separator: ".") {
                guard case .object(let object) = place, let member = object[String(name)] else {
                    break
                }
                place = member
            }
            if case .string(let text) = place, text.contains("${") { return nil }
            return error
        }
    }

    private func check(_ root: Options) throws(IngestError) {
        try checkFiles(root)
        if mode == .merge {
            guard !key.isEmpty else {
                throw root.fault("key", "a merge needs the key", hint: "add key: [column]")
            }
            guard case .sqliteTable = source else {
                throw root.fault(
                    "source", "a merge reads a table of a database",
                    hint: "give source.sqlite and source.table; files: load them with mode: "
                        + "replace-file and MERGE INTO from there")
            }
            if deleteMissing, deletions != nil {
                throw root.fault(
                    "delete_missing", "a table of deletions tells already what is missing")
            }
            if let deletions, deletions.key.count != key.count {
                throw root.fault("deletions.key", "it has to have as many columns as the key")
            }
        } else {
            for (name, isGiven) in [
                ("key", !key.isEmpty), ("incremental", incremental != nil),
                ("deletions", deletions != nil),
            ] where isGiven {
                throw root.fault(name, "only a merge has \(name)", hint: "add mode: merge")
            }
        }
    }

    /// What only files have.
    private func checkFiles(_ root: Options) throws(IngestError) {
        let isOfFiles =
            switch source {
            case .object, .objects: true
            case .sqliteTable, .sqliteQuery: false
            }
        if mode == .replaceFile || mode == .validate, !isOfFiles {
            throw root.fault(
                "source", "mode \(mode.rawValue) is for files", hint: "give object: or objects:")
        }
        if onDelete == .remove, mode != .replaceFile {
            throw root.fault(
                "on_delete", "only replaced files have on_delete", hint: "add mode: replace-file")
        }
        if deleteMissing, mode != .merge {
            guard mode == .replaceFile, case .objects = source else {
                throw root.fault(
                    "delete_missing", "only merges and replaced files have delete_missing",
                    hint: "add mode: replace-file and source.objects")
            }
        }
        if !requires.isEmpty, mode != .replaceFile, mode != .validate {
            throw root.fault(
                "requires", "only modes replace-file and validate have requires")
        }
        for (name, type) in requires where !RequiredColumns.isKnown(type) {
            throw root.fault(
                "requires.\(name)", "unknown type: \(type)",
                hint: "types: \(RequiredColumns.names.joined(separator: ", "))")
        }
    }

    private static func source(_ at: Options) throws(IngestError) -> IngestSource {
        try at.allow([
            "sqlite", "table", "query", "object", "objects", "suffix", "format", "sheet",
        ])
        let sheet = try at["sheet"]?.text()
        let format = try at["format"]?.text()
        if let format, ObjectFormat(rawValue: format) == nil {
            throw at.fault(
                "format", "unknown format: \(format)",
                hint: "formats: \(ObjectFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        if let path = try at["sqlite"]?.text() {
            switch (try at["table"]?.text(), try at["query"]?.text()) {
            case (let table?, nil): return .sqliteTable(path: path, table: table)
            case (nil, let query?): return .sqliteQuery(path: path, query: query)
            default: throw at.fault("table", "give either a table or a query")
            }
        }
        if let uri = try at["object"]?.text() {
            guard let (bucket, key) = split(uri), !key.isEmpty else {
                throw at.fault("object", "an object is named s3://bucket/key, not \(uri)")
            }
            return .object(bucket: bucket, key: key, format: format, sheet: sheet)
        }
        if let uri = try at["objects"]?.text() {
            guard let (bucket, prefix) = split(uri) else {
                throw at.fault("objects", "objects are named s3://bucket/prefix, not \(uri)")
            }
            return .objects(
                bucket: bucket, prefix: prefix, suffix: try at["suffix"]?.text() ?? "",
                format: format, sheet: sheet)
        }
        throw at.fault("", "the source is missing", hint: "give sqlite:, object: or objects:")
    }

    /// `s3://bucket/key` taken apart; `${…}` may stand anywhere but at the bucket's begin.
    private static func split(_ uri: String) -> (String, String)? {
        guard uri.hasPrefix("s3://") else { return nil }
        let rest = uri.dropFirst(5)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard slash != rest.startIndex else { return nil }
        return (String(rest[..<slash]), String(rest[slash...].dropFirst()))
    }

    private static func target(
        _ name: String, _ source: IngestSource
    ) throws(IngestError) -> IngestTarget {
        if name == "from-key" {
            guard case .object(_, let key, _, _) = source else {
                throw IngestError(
                    .invalidOptions, "only a single object's key can name the target",
                    hint: "give target: warehouse.namespace.table", option: "target")
            }
            // Before parameters are put in there is nothing to check yet.
            if key.contains("${") { return IngestTarget(warehouse: "", namespace: [], table: "") }
            let parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count >= 4, parts.dropLast().allSatisfy({ !$0.isEmpty }) else {
                throw IngestError(
                    .invalidOptions, "the key does not name a table: \(key)",
                    hint: "put files at <warehouse>/<namespace>/<table>/<file>", option: "target")
            }
            return IngestTarget(
                warehouse: parts[0], namespace: Array(parts[1..<(parts.count - 2)]),
                table: parts[parts.count - 2])
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }) else {
            throw IngestError(
                .invalidOptions, "a target is named warehouse.namespace.table, not \(name)",
                option: "target")
        }
        return IngestTarget(
            warehouse: parts[0], namespace: Array(parts[1..<(parts.count - 1)]),
            table: parts.last ?? "")
    }
}

/// Options with the path that led to them.
private struct Options {
    let value: JSONValue
    let path: String

    init(_ value: JSONValue, path: String) {
        self.value = value
        self.path = path
    }

    subscript(name: String) -> Options? {
        guard case .object(let object) = value, let member = object[name], !member.isNull else {
            return nil
        }
        return Options(member, path: path.isEmpty ? name : "\(path).\(name)")
    }

    func required(_ name: String) throws(IngestError) -> Options {
        guard let member = self[name] else { throw fault(name, "the option is missing: \(name)") }
        return member
    }

    func allow(_ names: [String]) throws(IngestError) {
        guard case .object(let object) = value else { throw fault("", "a mapping is wanted here") }
        for name in object.names where !names.contains(name) {
            throw fault(
                name, "unknown option: \(name)",
                hint: nearestName(to: name, among: names).map { "did you mean \($0)?" }
                    ?? "options: \(names.joined(separator: ", "))")
        }
    }

    func text() throws(IngestError) -> String {
        switch value {
        case .string(let text): return text
        case .number(let number): return number.text
        case .bool(let flag): return flag ? "true" : "false"
        default: throw fault("", "a text is wanted here")
        }
    }

    /// A list of texts, or one text as a list.
    func texts() throws(IngestError) -> [String] {
        guard case .array(let elements) = value else { return [try text()] }
        var texts: [String] = []
        for element in elements { texts.append(try Options(element, path: path).text()) }
        return texts
    }

    func textMap() throws(IngestError) -> [String: String] {
        guard case .object(let object) = value else { throw fault("", "a mapping is wanted here") }
        var map: [String: String] = [:]
        for (name, member) in object.members {
            map[name] = try Options(member, path: "\(path).\(name)").text()
        }
        return map
    }

    func fault(_ name: String, _ message: String, hint: String? = nil) -> IngestError {
        let full = [path, name].filter { !$0.isEmpty }.joined(separator: ".")
        return IngestError(.invalidOptions, message, hint: hint, option: full)
    }
}
