import Avro
import JSON

/// The Avro schemas of what is written. Source: Iceberg specification, "Manifests".
enum ManifestSchemas {
    static func manifestList(version: Int) -> AvroSchema {
        let summary = record(
            "r508",
            [
                field("contains_null", 509, .boolean), optional("contains_nan", 518, .boolean),
                optional("lower_bound", 510, .bytes), optional("upper_bound", 511, .bytes),
            ])
        var fields = [
            field("manifest_path", 500, .string), field("manifest_length", 501, .long),
            field("partition_spec_id", 502, .int),
        ]
        if version > 1 {
            fields += [
                field("content", 517, .int), field("sequence_number", 515, .long),
                field("min_sequence_number", 516, .long),
            ]
        }
        fields.append(field("added_snapshot_id", 503, .long))
        let counts: [(String, Int, AvroSchema.Kind)] = [
            ("added_files_count", 504, .int), ("existing_files_count", 505, .int),
            ("deleted_files_count", 506, .int), ("added_rows_count", 512, .long),
            ("existing_rows_count", 513, .long), ("deleted_rows_count", 514, .long),
        ]
        for (name, id, kind) in counts {
            fields.append(version > 1 ? field(name, id, kind) : optional(name, id, kind))
        }
        fields.append(
            optional(
                "partitions", 507,
                AvroSchema(.array(summary), properties: JSONObject([("element-id", 508)]))))
        fields.append(optional("key_metadata", 519, .bytes))
        if version > 2 { fields.append(optional("first_row_id", 520, .long)) }
        return record("manifest_file", fields)
    }

    static func manifest(
        version: Int, spec: PartitionSpec, types: [PrimitiveType]
    ) -> AvroSchema {
        var fields = [
            field("status", 0, .int),
            version > 1 ? optional("snapshot_id", 1, .long) : field("snapshot_id", 1, .long),
        ]
        if version > 1 {
            fields.append(optional("sequence_number", 3, .long))
            fields.append(optional("file_sequence_number", 4, .long))
        }
        fields.append(
            AvroField(
                name: "data_file", schema: dataFile(version: version, spec: spec, types: types),
                properties: id(2)))
        return record("manifest_entry", fields)
    }

    private static func dataFile(
        version: Int, spec: PartitionSpec, types: [PrimitiveType]
    ) -> AvroSchema {
        var fields: [AvroField] = []
        if version > 1 { fields.append(field("content", 134, .int)) }
        fields += [field("file_path", 100, .string), field("file_format", 101, .string)]
        let tuple = zip(spec.fields, types).map { part, type in
            optional(avroName(part.name), Int(part.fieldID), avroType(type))
        }
        fields.append(
            AvroField(name: "partition", schema: record("r102", tuple), properties: id(102)))
        fields += [field("record_count", 103, .long), field("file_size_in_bytes", 104, .long)]
        // Version 1 demands a block size that nobody reads.
        if version == 1 { fields.append(field("block_size_in_bytes", 105, .long)) }
        let maps: [(String, Int, Int, Int, AvroSchema.Kind)] = [
            ("column_sizes", 108, 117, 118, .long), ("value_counts", 109, 119, 120, .long),
            ("null_value_counts", 110, 121, 122, .long), ("nan_value_counts", 137, 138, 139, .long),
            ("lower_bounds", 125, 126, 127, .bytes), ("upper_bounds", 128, 129, 130, .bytes),
        ]
        for (name, own, key, value, kind) in maps {
            let entry = record(
                "k\(key)_v\(value)", [field("key", key, .int), field("value", value, kind)])
            let map = AvroSchema(
                .array(entry), properties: JSONObject([("logicalType", "map")]))
            fields.append(optional(name, own, map))
        }
        fields.append(optional("key_metadata", 131, .bytes))
        fields.append(optional("split_offsets", 132, list(.long, 133)))
        if version > 1 { fields.append(optional("equality_ids", 135, list(.int, 136))) }
        fields.append(optional("sort_order_id", 140, .int))
        if version > 2 { fields.append(optional("first_row_id", 142, .long)) }
        if version > 1 { fields.append(optional("referenced_data_file", 143, .string)) }
        if version > 2 {
            fields.append(optional("content_offset", 144, .long))
            fields.append(optional("content_size_in_bytes", 145, .long))
        }
        return record("r2", fields)
    }

    /// The Avro type of a partition value. Source: appendix A, "Avro".
    private static func avroType(_ type: PrimitiveType) -> AvroSchema {
        func logical(_ kind: AvroSchema.Kind, _ name: String, _ more: [(String, JSONValue)] = [])
            -> AvroSchema
        { AvroSchema(kind, properties: JSONObject([("logicalType", .string(name))] + more)) }
        switch type {
        case .boolean: return AvroSchema(.boolean)
        case .int: return AvroSchema(.int)
        case .long: return AvroSchema(.long)
        case .float: return AvroSchema(.float)
        case .double: return AvroSchema(.double)
        case .date: return logical(.int, "date")
        case .time: return logical(.long, "time-micros")
        case .timestamp: return logical(.long, "timestamp-micros", [("adjust-to-utc", false)])
        case .timestamptz: return logical(.long, "timestamp-micros", [("adjust-to-utc", true)])
        case .timestampNanos: return logical(.long, "timestamp-nanos", [("adjust-to-utc", false)])
        case .timestamptzNanos: return logical(.long, "timestamp-nanos", [("adjust-to-utc", true)])
        case .uuid: return logical(.fixed(name: "uuid_fixed", size: 16), "uuid")
        case .fixed(let size): return AvroSchema(.fixed(name: "fixed_\(size)", size: size))
        case .binary: return AvroSchema(.bytes)
        case .decimal(let precision, let scale):
            return logical(
                .fixed(
                    name: "decimal_\(precision)_\(scale)", size: decimalByteCount(precision)),
                "decimal", [("precision", .int(precision)), ("scale", .int(scale))])
        case .string, .unknown, .variant, .geometry, .geography: return AvroSchema(.string)
        }
    }

    /// How many bytes hold every number of so many digits.
    static func decimalByteCount(_ precision: Int) -> Int {
        var limit: Int128 = 1
        for _ in 0..<precision { limit &*= 10 }
        var size = 1
        while limit > (Int128(1) << Int128(size * 8 - 1)), size < 16 { size += 1 }
        return size
    }

    /// A name that Avro allows: others are escaped as Java's implementation does.
    static func avroName(_ name: String) -> String {
        var result = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": result.unicodeScalars.append(scalar)
            case "0"..."9":
                if index == 0 { result += "_" }
                result.unicodeScalars.append(scalar)
            default: result += "_x" + String(scalar.value, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func record(_ name: String, _ fields: [AvroField]) -> AvroSchema {
        AvroSchema(.record(name: name, fields: fields))
    }
    private static func id(_ id: Int) -> JSONObject { JSONObject([("field-id", .int(id))]) }
    private static func field(_ name: String, _ number: Int, _ kind: AvroSchema.Kind) -> AvroField {
        AvroField(name: name, schema: AvroSchema(kind), properties: id(number))
    }
    private static func optional(_ name: String, _ number: Int, _ kind: AvroSchema.Kind)
        -> AvroField
    {
        optional(name, number, AvroSchema(kind))
    }
    private static func optional(_ name: String, _ number: Int, _ schema: AvroSchema) -> AvroField {
        AvroField(
            name: name, schema: AvroSchema(.union([AvroSchema(.null), schema])),
            defaultValue: .null, properties: id(number))
    }
    private static func list(_ kind: AvroSchema.Kind, _ element: Int) -> AvroSchema {
        AvroSchema(
            .array(AvroSchema(kind)), properties: JSONObject([("element-id", .int(element))]))
    }
}
