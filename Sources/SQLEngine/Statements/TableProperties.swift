import Diagnostics
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

/// The properties of WITH (…) and SET PROPERTIES, read and checked.
///
/// Most are properties of the Iceberg table under another name; some make its spec, sort order or place.
/// Source: Trino documentation, "Iceberg connector, Table properties".
struct TableProperties {
    /// Properties of the Iceberg table to set.
    var stored: [String: String] = [:]
    /// Names of properties of the Iceberg table to take away (`= DEFAULT`).
    var removed: [String] = []
    /// nil: not said. Empty: unpartitioned.
    var partitioning: [String]?
    var sortedBy: [String]?
    var location: String?
    var formatVersion: Int?

    private enum Shape { case text, number, flag, size, texts }

    /// Properties that are kept under another name: text as it is.
    private static let renamed: [(name: String, shape: Shape, key: String)] = [
        ("max_commit_retry", .number, "commit.retry.num-retries"),
        ("delete_after_commit_enabled", .flag, "write.metadata.delete-after-commit.enabled"),
        ("max_previous_versions", .number, "write.metadata.previous-versions-max"),
        ("object_store_layout_enabled", .flag, "write.object-storage.enabled"),
        ("data_location", .text, "write.data.path"),
        ("target_max_file_size", .size, "write.target-file-size-bytes"),
        ("parquet_writer_row_group_size", .size, "write.parquet.row-group-size-bytes"),
    ]
    private static let bloomPrefix = "write.parquet.bloom-filter-enabled.column."
    private static let codecs = [
        "NONE": "uncompressed", "SNAPPY": "snappy", "LZ4": "lz4", "ZSTD": "zstd", "GZIP": "gzip",
    ]

    static let names =
        [
            "format", "format_version", "partitioning", "sorted_by", "location",
            "compression_codec", "extra_properties", "parquet_bloom_filter_columns",
            "orc_bloom_filter_columns", "orc_bloom_filter_fpp",
        ] + renamed.map(\.name)

    /// Reads what a statement gives. Throws INVALID_TABLE_PROPERTY with the nearest name.
    init(_ properties: [Property], of catalog: String, in run: StatementRun) throws(QueryFault) {
        var seen: Set<String> = []
        for property in properties {
            let name = property.name.description
            guard Self.names.contains(name) else {
                throw QueryFault(
                    .invalidTableProperty,
                    "Catalog '\(catalog)' table property '\(name)' does not exist",
                    hint: suggestion(name, Self.names), span: property.span)
            }
            guard seen.insert(name).inserted else {
                throw QueryFault(
                    .invalidTableProperty, "Duplicate property: \(name)", span: property.span)
            }
            guard let value = property.value else {
                reset(name)
                continue
            }
            let (literal, type) = try run.evaluate(value)
            do throws(QueryFault) {
                try set(name, literal, type)
            } catch {
                throw QueryFault(
                    error.code,
                    "Invalid value for catalog '\(catalog)' table property '\(name)': "
                        + error.message,
                    hint: error.hint, span: value.span)
            }
        }
    }

    private mutating func set(
        _ name: String, _ value: LiteralValue, _ type: LogicalType
    ) throws(QueryFault) {
        switch name {
        case "format":
            let format = try text(value).uppercased()
            guard format == "PARQUET" else {
                throw QueryFault(
                    ["ORC", "AVRO"].contains(format) ? .notSupported : .invalidTableProperty,
                    "\(format) is not supported", hint: "tables are written as PARQUET")
            }
            stored["write.format.default"] = "parquet"
        case "format_version":
            guard case .integer(let version) = value,
                1...Int64(TableMetadata.newestFormatVersion) ~= version
            else { throw invalid("format version must be between 1 and 3") }
            formatVersion = Int(version)
        case "partitioning": partitioning = try texts(value)
        case "sorted_by": sortedBy = try texts(value)
        case "location": location = try text(value)
        case "compression_codec":
            let codec = try text(value).uppercased()
            guard let stored = Self.codecs[codec] else {
                throw invalid("must be one of \(Self.codecs.keys.sorted().joined(separator: ", "))")
            }
            self.stored["write.parquet.compression-codec"] = stored
        case "extra_properties":
            guard case .map(let keys, let values) = value else { throw invalid("takes a map") }
            for (key, value) in zip(keys, values) {
                let key = try text(key)
                guard !Self.isOurs(key) else {
                    throw invalid("'\(key)' has a table property of its own")
                }
                stored[key] = try text(value)
            }
        case "parquet_bloom_filter_columns":
            for column in try texts(value) { stored[Self.bloomPrefix + column] = "true" }
        case "orc_bloom_filter_columns", "orc_bloom_filter_fpp":
            throw QueryFault(.notSupported, "ORC files are not written")
        default:
            guard let entry = Self.renamed.first(where: { $0.name == name }) else { return }
            stored[entry.key] = try stored(value, entry.shape)
        }
    }

    private mutating func reset(_ name: String) {
        switch name {
        case "partitioning": partitioning = []
        case "sorted_by": sortedBy = []
        case "compression_codec": removed.append("write.parquet.compression-codec")
        case "format": removed.append("write.format.default")
        default:
            if let entry = Self.renamed.first(where: { $0.name == name }) {
                removed.append(entry.key)
            }
        }
    }

    private func stored(_ value: LiteralValue, _ shape: Shape) throws(QueryFault) -> String {
        switch (shape, value) {
        case (.number, .integer(let number)) where number >= 0: return String(number)
        case (.number, _): throw invalid("takes a number")
        case (.flag, .boolean(let flag)): return flag ? "true" : "false"
        case (.flag, _): throw invalid("takes true or false")
        case (.size, _): return String(try Self.bytes(text(value)))
        case (.text, _), (.texts, _): return try text(value)
        }
    }

    /// Bytes of a size such as `512MB`. Source: Trino documentation, "Properties reference, data size".
    static func bytes(_ text: String) throws(QueryFault) -> Int64 {
        let units: [(String, Double)] = [
            ("kB", 0x1p10), ("MB", 0x1p20), ("GB", 0x1p30), ("TB", 0x1p40), ("B", 1),
        ]
        for (unit, factor) in units where text.lowercased().hasSuffix(unit.lowercased()) {
            guard let number = Double(text.dropLast(unit.count)), number > 0,
                number * factor < 1e15
            else { break }
            return Int64(number * factor)
        }
        throw QueryFault(
            .invalidTableProperty, "size is not a valid data size string: \(text)",
            hint: "write a number with a unit, such as 512MB")
    }

    private func text(_ value: LiteralValue) throws(QueryFault) -> String {
        guard case .bytes(let bytes) = value else { throw invalid("takes a text") }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func texts(_ value: LiteralValue) throws(QueryFault) -> [String] {
        guard case .list(let elements) = value else {
            throw invalid("takes an array of texts, such as ARRAY['a']")
        }
        var texts: [String] = []
        for element in elements { texts.append(try text(element)) }
        return texts
    }

    private func invalid(_ message: String) -> QueryFault {
        QueryFault(.invalidTableProperty, message)
    }

    private static func isOurs(_ key: String) -> Bool {
        key == "format-version" || key == "comment" || key == "write.format.default"
            || key == "write.parquet.compression-codec" || key.hasPrefix(bloomPrefix)
            || renamed.contains { $0.key == key }
    }

    // MARK: Showing

    /// The properties of a table as SHOW CREATE TABLE writes them, by name.
    static func shown(_ metadata: TableMetadata) -> [(name: String, value: String)] {
        func quoted(_ texts: [String]) -> String {
            "ARRAY["
                + texts.map { SQLFormatter.quoted(string: $0) }.joined(separator: ", ") + "]"
        }
        let properties = metadata.properties
        var shown: [(name: String, value: String)] = [
            ("format", "'PARQUET'"), ("format_version", String(metadata.formatVersion)),
            ("location", SQLFormatter.quoted(string: metadata.location)),
        ]
        let partitioning = PartitionText.texts(metadata.defaultSpec, in: metadata.currentSchema)
        if !partitioning.isEmpty { shown.append(("partitioning", quoted(partitioning))) }
        let order = PartitionText.texts(metadata.defaultSortOrder, in: metadata.currentSchema)
        if !order.isEmpty { shown.append(("sorted_by", quoted(order))) }
        if let codec = properties["write.parquet.compression-codec"],
            let name = codecs.first(where: { $0.value == codec.lowercased() })?.key
        {
            shown.append(("compression_codec", "'\(name)'"))
        }
        for entry in renamed {
            guard let value = properties[entry.key] else { continue }
            switch entry.shape {
            case .number, .flag: shown.append((entry.name, value))
            case .size: shown.append((entry.name, "'\(value)B'"))
            case .text, .texts: shown.append((entry.name, SQLFormatter.quoted(string: value)))
            }
        }
        let blooms = properties.keys.filter {
            $0.hasPrefix(bloomPrefix) && properties[$0] == "true"
        }
        .map { String($0.dropFirst(bloomPrefix.count)) }.sorted()
        if !blooms.isEmpty { shown.append(("parquet_bloom_filter_columns", quoted(blooms))) }
        let extra = properties.filter { !isOurs($0.key) }.sorted { $0.key < $1.key }
        if !extra.isEmpty {
            shown.append(
                (
                    "extra_properties",
                    "map_from_entries(ARRAY["
                        + extra.map {
                            "ROW(\(SQLFormatter.quoted(string: $0.key)), "
                                + "\(SQLFormatter.quoted(string: $0.value)))"
                        }.joined(separator: ",") + "])"
                ))
        }
        return shown.sorted { $0.name < $1.name }
    }
}
