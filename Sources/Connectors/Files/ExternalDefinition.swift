import JSON
import ObjectStorage
import SQLEngine
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

/// What is kept of an external table: where its files lie, how they are written, what is in them.
struct ExternalDefinition {
    var location: String
    var format: ExternalFormat
    /// Columns in the files, in the files' own case.
    var columns: [TableColumn]
    /// Columns in the paths.
    var partitions: [TableColumn]
    var comment: String?

    /// Bucket and prefix; the prefix ends with a slash, or is empty.
    static func place(_ uri: String) throws(QueryFault) -> (bucket: String, prefix: String) {
        for scheme in ["s3://", "s3a://"] where uri.hasPrefix(scheme) {
            let parts = uri.dropFirst(scheme.count).split(
                separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let bucket = String(parts[0])
            var prefix = parts.count > 1 ? String(parts[1]) : ""
            guard !bucket.isEmpty, !prefix.hasPrefix("/") else { break }
            if !prefix.isEmpty, !prefix.hasSuffix("/") { prefix += "/" }
            return (bucket, prefix)
        }
        throw QueryFault(
            .invalidTableProperty, "external_location must be a place in a bucket, not \(uri)",
            hint: "for example external_location = 's3://landing/orders/'")
    }

    // MARK: JSON

    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("location", .string(location)), ("columns", .array(columns.map(Self.json))),
            ("partitions", .array(partitions.map(Self.json))),
        ]
        if let comment { members.append(("comment", .string(comment))) }
        switch format {
        case .parquet: members.append(("format", "PARQUET"))
        case .jsonLines: members.append(("format", "JSON"))
        case .csv(let delimiter, let quote, let hasHeader, let nullTexts):
            members += [
                ("format", "CSV"), ("delimiter", .int(Int(delimiter))), ("quote", .int(Int(quote))),
                ("header", .bool(hasHeader)), ("nulls", .array(nullTexts.map { .string($0) })),
            ]
        }
        return .object(members)
    }

    private static func json(_ column: TableColumn) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(column.name)), ("type", .string("\(column.type)")),
        ]
        if let comment = column.comment { members.append(("comment", .string(comment))) }
        return .object(members)
    }

    init(_ text: String) throws {
        let root = try JSONValue(parsing: text).cursor
        location = try root["location"].string()
        columns = try root["columns"].elements().map(Self.column)
        partitions = try root["partitions"].elements().map(Self.column)
        comment = try root["comment"].optionalString()
        switch try root["format"].string() {
        case "CSV":
            format = .csv(
                delimiter: UInt8(clamping: try root["delimiter"].int()),
                quote: UInt8(clamping: try root["quote"].int()),
                hasHeader: try root["header"].bool(), nullTexts: try root["nulls"].strings())
        case "JSON": format = .jsonLines
        default: format = .parquet
        }
    }

    private static func column(_ cursor: JSONCursor) throws -> TableColumn {
        TableColumn(
            name: try cursor["name"].string(),
            type: try LogicalType(SQLParser.type(try cursor["type"].string())),
            comment: try cursor["comment"].optionalString())
    }

    init(
        location: String, format: ExternalFormat, columns: [TableColumn],
        partitions: [TableColumn], comment: String?
    ) {
        self.location = location
        self.format = format
        self.columns = columns
        self.partitions = partitions
        self.comment = comment
    }
}

/// The properties of CREATE TABLE, read and checked. Source: Trino documentation, "Hive connector, Table
/// properties".
struct ExternalProperties {
    private static let names = [
        "external_location", "format", "partitioned_by", "csv_separator", "csv_quote",
        "null_format", "skip_header_line_count",
    ]
    var location: String
    var format: ExternalFormat
    /// Whether the statement says how CSV is written, so that nobody guesses.
    var saysDialect = false
    var partitions: [String] = []

    init(_ properties: [String: LiteralValue], catalog: String) throws(QueryFault) {
        for name in properties.keys.sorted() where !Self.names.contains(name) {
            throw QueryFault(
                .invalidTableProperty,
                "Catalog '\(catalog)' table property '\(name)' does not exist",
                hint: nearest(name, Self.names))
        }
        guard let place = try Self.text(properties, "external_location") else {
            throw QueryFault(
                .invalidTableProperty, "Tables of catalog '\(catalog)' need external_location",
                hint: "for example WITH (external_location = 's3://landing/orders/', "
                    + "format = 'PARQUET')")
        }
        location = place
        let kind = try Self.text(properties, "format")?.uppercased() ?? "PARQUET"
        let separator = try Self.byte(properties, "csv_separator")
        let quote = try Self.byte(properties, "csv_quote")
        let nullText = try Self.text(properties, "null_format")
        var headerLines: Int64?
        if let value = properties["skip_header_line_count"] {
            guard case .integer(let count) = value, 0...1 ~= count else {
                throw QueryFault(
                    .invalidTableProperty, "skip_header_line_count must be 0 or 1")
            }
            headerLines = count
        }
        switch kind {
        case "PARQUET": format = .parquet
        case "JSON": format = .jsonLines
        case "CSV", "TEXTFILE":
            saysDialect =
                separator != nil || quote != nil || nullText != nil || headerLines != nil
            format = .csv(
                delimiter: separator ?? UInt8(ascii: ","), quote: quote ?? UInt8(ascii: "\""),
                hasHeader: headerLines == 1, nullTexts: nullText.map { [$0] } ?? [])
        default:
            throw QueryFault(
                ["ORC", "AVRO", "RCTEXT", "RCBINARY", "SEQUENCEFILE"].contains(kind)
                    ? .notSupported : .invalidTableProperty,
                "format \(kind) is not supported", hint: "PARQUET, CSV or JSON")
        }
        if let value = properties["partitioned_by"] {
            guard case .list(let values) = value else {
                throw QueryFault(
                    .invalidTableProperty, "partitioned_by takes a list of columns",
                    hint: "for example partitioned_by = ARRAY['day']")
            }
            for value in values {
                guard case .bytes(let bytes) = value else { continue }
                partitions.append(String(decoding: bytes, as: UTF8.self).lowercased())
            }
        }
    }

    private static func text(
        _ properties: [String: LiteralValue], _ name: String
    ) throws(QueryFault) -> String? {
        guard let value = properties[name] else { return nil }
        guard case .bytes(let bytes) = value else {
            throw QueryFault(.invalidTableProperty, "property '\(name)' takes a text")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func byte(
        _ properties: [String: LiteralValue], _ name: String
    ) throws(QueryFault) -> UInt8? {
        guard let text = try text(properties, name) else { return nil }
        let bytes = Array((text == "\\t" ? "\t" : text).utf8)
        guard bytes.count == 1, bytes[0] < 0x80 else {
            throw QueryFault(.invalidTableProperty, "property '\(name)' takes one ASCII character")
        }
        return bytes[0]
    }
}
