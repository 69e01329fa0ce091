package import JSON

/// How rows are put into partitions. Source: Iceberg specification, "Partitioning".
package struct PartitionSpec: Sendable, Hashable {
    /// One part of the partition tuple.
    package struct Field: Sendable, Hashable {
        package var sourceID: Int32
        package var fieldID: Int32
        package var name: String
        package var transform: Transform

        package init(sourceID: Int32, fieldID: Int32, name: String, transform: Transform) {
            self.sourceID = sourceID
            self.fieldID = fieldID
            self.name = name
            self.transform = transform
        }
    }

    package var specID: Int32
    package var fields: [Field]
    /// Ids of partition fields begin after this one.
    package static let lastReservedFieldID: Int32 = 999
    package static let unpartitioned = PartitionSpec(specID: 0, fields: [])

    package init(specID: Int32, fields: [Field]) {
        self.specID = specID
        self.fields = fields
    }

    /// Whether all rows lie in one partition.
    package var isUnpartitioned: Bool { fields.allSatisfy { $0.transform == .void } }

    package init(_ at: JSONCursor) throws {
        specID = try at["spec-id"].isPresent ? at["spec-id"].int32() : 0
        fields = try Self.fields(at["fields"])
    }

    /// Reads fields; ids that version 1 left out are counted from 1000.
    static func fields(_ at: JSONCursor) throws -> [Field] {
        try at.elements().enumerated().map { index, field in
            // Version 3 may name several sources; transforms of several arguments do not exist yet.
            let source =
                field["source-id"].isPresent
                ? field["source-id"]
                : try {
                    guard let first = try field["source-ids"].elements().first else {
                        throw field["source-id"].expected("a source id")
                    }
                    return first
                }()
            return Field(
                sourceID: try source.int32(),
                fieldID: try field["field-id"].isPresent
                    ? field["field-id"].int32() : Self.lastReservedFieldID + 1 + Int32(index),
                name: try field["name"].string(),
                transform: Transform(name: try field["transform"].string()))
        }
    }

    /// The spec as metadata writes it.
    package var json: JSONValue { ["spec-id": .int(Int64(specID)), "fields": fieldsJSON] }

    /// Only the fields, as manifests and version 1 hold them.
    package var fieldsJSON: JSONValue {
        .array(
            fields.map {
                [
                    "source-id": .int(Int64($0.sourceID)), "field-id": .int(Int64($0.fieldID)),
                    "name": .string($0.name), "transform": .string($0.transform.name),
                ]
            })
    }

    /// The type of each part of the tuple. A source that was dropped since makes it `unknown`.
    package func resultTypes(in schemas: [Schema]) -> [PrimitiveType] {
        fields.map { field in
            for schema in schemas {
                if let type = schema.field(id: field.sourceID)?.type.primitive,
                    let result = field.transform.resultType(for: type)
                {
                    return result
                }
            }
            return .unknown
        }
    }

    /// The tuple of a row, given the value of each source column.
    package func partition(of value: (Int32) -> Literal?) -> [Literal?] {
        fields.map { $0.transform.apply(value($0.sourceID)) }
    }

    /// Whether both partition alike, whatever their ids.
    package func isCompatible(with other: PartitionSpec) -> Bool {
        fields.count == other.fields.count
            && zip(fields, other.fields).allSatisfy {
                $0.sourceID == $1.sourceID && $0.transform == $1.transform && $0.name == $1.name
            }
    }

    /// Throws where a field does not fit the schema.
    package func validate(against schema: Schema) throws(IcebergError) {
        var names: Set<String> = []
        var kinds: Set<String> = []
        for field in fields {
            guard names.insert(field.name).inserted else {
                throw invalid("two partition fields have the name \(field.name)")
            }
            if field.transform == .void { continue }
            if let fault = field.transform.fault { throw fault }
            guard let source = schema.field(id: field.sourceID) else {
                throw invalid(
                    "partition field \(field.name) has no source column: id \(field.sourceID)")
            }
            guard let type = source.type.primitive, field.transform.resultType(for: type) != nil
            else {
                throw invalid("\(field.transform.name) does not take the column \(source.name)")
            }
            guard kinds.insert("\(field.sourceID) \(field.transform.name)").inserted else {
                throw invalid(
                    "the column \(source.name) is partitioned twice by \(field.transform.name)")
            }
            if let other = schema.field(named: field.name), other.name == field.name,
                other.id != field.sourceID || field.transform != .identity
            {
                throw invalid("a partition field has the name of a column: \(field.name)")
            }
        }
    }

    private func invalid(_ message: String) -> IcebergError {
        IcebergError(code: .invalidUpdate, message: message)
    }
}

/// The order of rows within files. Source: Iceberg specification, "Sorting".
package struct SortOrder: Sendable, Hashable {
    package enum Direction: String, Sendable { case ascending = "asc", descending = "desc" }
    package enum NullOrder: String, Sendable { case first = "nulls-first", last = "nulls-last" }

    /// One key of the order.
    package struct Field: Sendable, Hashable {
        package var sourceID: Int32
        package var transform: Transform
        package var direction: Direction
        package var nullOrder: NullOrder

        package init(
            sourceID: Int32, transform: Transform, direction: Direction, nullOrder: NullOrder
        ) {
            self.sourceID = sourceID
            self.transform = transform
            self.direction = direction
            self.nullOrder = nullOrder
        }
    }

    package var orderID: Int32
    package var fields: [Field]
    package static let unsorted = SortOrder(orderID: 0, fields: [])

    package init(orderID: Int32, fields: [Field]) {
        self.orderID = orderID
        self.fields = fields
    }

    package init(_ at: JSONCursor) throws {
        orderID = try at["order-id"].int32()
        fields = try at["fields"].elements().map { field in
            let direction = try field["direction"].string()
            let nulls = try field["null-order"].string()
            guard let direction = Direction(rawValue: direction),
                let nulls = NullOrder(rawValue: nulls)
            else { throw field["direction"].expected("a sort direction and null order") }
            return Field(
                sourceID: try field["source-id"].int32(),
                transform: Transform(name: try field["transform"].string()), direction: direction,
                nullOrder: nulls)
        }
    }

    /// The order as metadata writes it.
    package var json: JSONValue {
        [
            "order-id": .int(Int64(orderID)),
            "fields": .array(
                fields.map {
                    [
                        "transform": .string($0.transform.name),
                        "source-id": .int(Int64($0.sourceID)),
                        "direction": .string($0.direction.rawValue),
                        "null-order": .string($0.nullOrder.rawValue),
                    ]
                }),
        ]
    }

    /// Throws where a key does not fit the schema.
    package func validate(against schema: Schema) throws(IcebergError) {
        for field in fields {
            if let fault = field.transform.fault { throw fault }
            guard let source = schema.field(id: field.sourceID), let type = source.type.primitive,
                field.transform.resultType(for: type) != nil
            else {
                throw IcebergError(
                    code: .invalidUpdate,
                    message: "\(field.transform.name) cannot sort the field \(field.sourceID)")
            }
        }
    }
}
