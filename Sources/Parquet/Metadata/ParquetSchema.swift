package import Vectors

/// A leaf of the schema: one column chunk a row group.
package struct ParquetLeaf: Sendable, Hashable {
    /// The leaf's number: its index in `RowGroupMetadata.columns`.
    package let index: Int
    package let type: ParquetType
    /// Bytes of a value of a fixed-length byte array.
    package let typeLength: Int
    package let annotation: Annotation
    package let maxDefinition: Int
    package let maxRepetition: Int
    package let path: [String]
}

/// A field of a file: a node of the tree that people see, without Parquet's helper groups.
package final class ParquetField: Sendable {
    package let name: String
    package let fieldID: Int?
    /// The SQL type; `.unknown` where `unsupported` says why.
    package let type: LogicalType
    /// Element of an array, key and value of a map, fields of a row.
    package let children: [ParquetField]
    /// The leaf, for fields of primitive type.
    package let leaf: ParquetLeaf?
    package let isNullable: Bool
    /// The leaves at and below this field.
    package let leaves: Range<Int>
    /// Why the field cannot be read, if it cannot.
    package let unsupported: String?
    /// The definition level from which on this value is not NULL.
    let definedLevel: Int
    /// The definition level from which on this value's parent element exists.
    let parentLevel: Int
    /// The repetition level of this field: of the innermost list that it is an element of.
    let repetitionLevel: Int
    /// Arrays and maps: the definition level from which on there is an element.
    let elementLevel: Int

    init(
        name: String, fieldID: Int?, type: LogicalType, children: [ParquetField] = [],
        leaf: ParquetLeaf? = nil, isNullable: Bool, leaves: Range<Int>, unsupported: String? = nil,
        definedLevel: Int, parentLevel: Int, repetitionLevel: Int, elementLevel: Int = 0
    ) {
        self.name = name
        self.fieldID = fieldID
        self.type = type
        self.children = children
        self.leaf = leaf
        self.isNullable = isNullable
        self.leaves = leaves
        self.unsupported = unsupported ?? children.lazy.compactMap(\.unsupported).first
        self.definedLevel = definedLevel
        self.parentLevel = parentLevel
        self.repetitionLevel = repetitionLevel
        self.elementLevel = elementLevel
    }
}

/// The schema of a file as a tree of SQL fields.
package struct ParquetSchema: Sendable {
    package let fields: [ParquetField]
    package let leaves: [ParquetLeaf]
    /// Whether the file's fields carry ids, as Iceberg's do.
    package let hasFieldIDs: Bool

    /// The top-level field of that name: exact first, then without regard to ASCII case.
    package func field(named name: String) -> ParquetField? {
        fields.first { $0.name == name }
            ?? fields.first { $0.name.lowercased() == name.lowercased() }
    }

    /// The field that answers a wanted one: by id if both sides have ids, else by its names.
    package func match(_ wanted: WantedField, in fields: [ParquetField]) -> ParquetField? {
        if hasFieldIDs, let id = wanted.fieldID { return fields.first { $0.fieldID == id } }
        if let names = wanted.storedNames { return fields.first { names.contains($0.name) } }
        return fields.first { $0.name == wanted.name }
            ?? fields.first { $0.name.lowercased() == wanted.name.lowercased() }
    }
}

extension ParquetSchema {
    /// Builds the tree from the footer's flattened elements.
    init(_ elements: [SchemaElement]) throws(ParquetError) {
        var builder = SchemaBuilder(elements: elements)
        fields = try builder.rootFields()
        leaves = builder.leaves
        hasFieldIDs = elements.contains { $0.fieldID != nil }
    }
}

/// Walks the flattened elements depth first.
///
/// Lists follow LogicalTypes.md, with its rules for older writers: a repeated group is itself the
/// element if it has several fields, or is named `array` or `<list>_tuple`; a repeated field outside
/// of any list annotation is a required list of required elements.
private struct SchemaBuilder {
    let elements: [SchemaElement]
    var next = 0
    var leaves: [ParquetLeaf] = []
    var path: [String] = []

    init(elements: [SchemaElement]) { self.elements = elements }

    mutating func rootFields() throws(ParquetError) -> [ParquetField] {
        guard let root = elements.first else { throw .corrupted("the schema is empty") }
        next = 1
        var fields: [ParquetField] = []
        for _ in 0..<root.childCount {
            fields.append(try field(level: 0, parentLevel: 0, repetitionLevel: 0, depth: 1))
        }
        guard next == elements.count else { throw .corrupted("the schema has stray elements") }
        return fields
    }

    private mutating func take() throws(ParquetError) -> SchemaElement {
        guard next < elements.count else { throw .corrupted("the schema's tree is incomplete") }
        defer { next += 1 }
        return elements[next]
    }

    /// One field and what is below it. `level` is the definition level of the value that it is part of,
    /// `parentLevel` that of the innermost list's element, or 0.
    private mutating func field(
        level: Int, parentLevel: Int, repetitionLevel: Int, depth: Int
    ) throws(ParquetError) -> ParquetField {
        guard depth < ParquetLimits.depth else {
            throw ParquetError(
                code: .limitExceeded,
                message: "the schema is nested more than \(ParquetLimits.depth) deep")
        }
        let element = try take()
        path.append(element.name)
        defer { path.removeLast() }
        if element.repetition == .repeated {
            // A bare repeated field: a list that is never NULL.
            let first = leaves.count
            let inner = try value(
                element, name: "element", isNullable: false, parentLevel: level + 1,
                definedLevel: level + 1, repetitionLevel: repetitionLevel + 1, depth: depth)
            return ParquetField(
                name: element.name, fieldID: element.fieldID, type: .array(inner.type),
                children: [inner],
                isNullable: false, leaves: first..<leaves.count, definedLevel: level,
                parentLevel: parentLevel, repetitionLevel: repetitionLevel,
                elementLevel: level + 1)
        }
        let isNullable = element.repetition == .optional
        return try value(
            element, name: element.name, isNullable: isNullable, parentLevel: parentLevel,
            definedLevel: level + (isNullable ? 1 : 0), repetitionLevel: repetitionLevel,
            depth: depth)
    }

    /// The value of a field whose own repetition has been dealt with.
    private mutating func value(
        _ element: SchemaElement, name: String, isNullable: Bool, parentLevel: Int,
        definedLevel: Int,
        repetitionLevel: Int, depth: Int
    ) throws(ParquetError) -> ParquetField {
        let first = leaves.count
        if let type = element.type {
            guard type != .fixedLengthByteArray || element.typeLength > 0 else {
                throw .corrupted("a fixed-length column has no length: \(element.name)")
            }
            let leaf = ParquetLeaf(
                index: first, type: type, typeLength: element.typeLength,
                annotation: element.annotation,
                maxDefinition: definedLevel, maxRepetition: repetitionLevel, path: path)
            leaves.append(leaf)
            let mapped = LogicalType.mapping(of: leaf)
            return ParquetField(
                name: name, fieldID: element.fieldID, type: mapped ?? .unknown, leaf: leaf,
                isNullable: isNullable, leaves: first..<leaves.count,
                unsupported: mapped == nil
                    ? "column \(path.joined(separator: ".")) has the type \(type) with \(element.annotation)"
                    : nil,
                definedLevel: definedLevel, parentLevel: parentLevel,
                repetitionLevel: repetitionLevel)
        }
        guard element.childCount > 0 else {
            throw .unsupported("a group without fields: \(path.joined(separator: "."))")
        }
        if element.annotation == .list, element.childCount == 1, next < elements.count,
            elements[next].repetition == .repeated
        {
            let inner = try listElement(
                of: element.name, level: definedLevel, repetitionLevel: repetitionLevel,
                depth: depth + 1)
            return ParquetField(
                name: name, fieldID: element.fieldID, type: .array(inner.type), children: [inner],
                isNullable: isNullable, leaves: first..<leaves.count, definedLevel: definedLevel,
                parentLevel: parentLevel, repetitionLevel: repetitionLevel,
                elementLevel: definedLevel + 1)
        }
        if element.annotation == .map || element.annotation == .mapKeyValue,
            element.childCount == 1,
            next < elements.count, elements[next].repetition == .repeated,
            elements[next].childCount == 2
        {
            let entries = try take()
            path.append(entries.name)
            defer { path.removeLast() }
            let key = try field(
                level: definedLevel + 1, parentLevel: definedLevel + 1,
                repetitionLevel: repetitionLevel + 1,
                depth: depth + 2)
            let value = try field(
                level: definedLevel + 1, parentLevel: definedLevel + 1,
                repetitionLevel: repetitionLevel + 1,
                depth: depth + 2)
            return ParquetField(
                name: name, fieldID: element.fieldID, type: .map(key: key.type, value: value.type),
                children: [key, value], isNullable: isNullable, leaves: first..<leaves.count,
                definedLevel: definedLevel, parentLevel: parentLevel,
                repetitionLevel: repetitionLevel,
                elementLevel: definedLevel + 1)
        }
        var children: [ParquetField] = []
        for _ in 0..<element.childCount {
            children.append(
                try field(
                    level: definedLevel, parentLevel: parentLevel, repetitionLevel: repetitionLevel,
                    depth: depth + 1))
        }
        return ParquetField(
            name: name, fieldID: element.fieldID,
            type: .row(children.map { RowField(name: $0.name, type: $0.type) }), children: children,
            isNullable: isNullable, leaves: first..<leaves.count, definedLevel: definedLevel,
            parentLevel: parentLevel, repetitionLevel: repetitionLevel)
    }

    /// The element below an annotated list's repeated field.
    private mutating func listElement(
        of list: String, level: Int, repetitionLevel: Int, depth: Int
    ) throws(ParquetError) -> ParquetField {
        let repeated = try take()
        path.append(repeated.name)
        defer { path.removeLast() }
        let isElement =
            repeated.type != nil || repeated.childCount > 1 || repeated.name == "array"
            || repeated.name == "\(list)_tuple"
        if !isElement && repeated.childCount == 1 && next < elements.count
            && elements[next].repetition != .repeated
        {
            return try field(
                level: level + 1, parentLevel: level + 1, repetitionLevel: repetitionLevel + 1,
                depth: depth + 1)
        }
        return try value(
            repeated, name: "element", isNullable: false, parentLevel: level + 1,
            definedLevel: level + 1,
            repetitionLevel: repetitionLevel + 1, depth: depth)
    }
}

extension LogicalType {
    /// The SQL type of a leaf; nil when there is none.
    static func mapping(of leaf: ParquetLeaf) -> LogicalType? {
        switch (leaf.type, leaf.annotation) {
        case (.int32, .decimal(let p, let s)), (.int64, .decimal(let p, let s)),
            (.fixedLengthByteArray, .decimal(let p, let s)), (.byteArray, .decimal(let p, let s)):
            guard p >= 1, p <= 38, s >= 0, s <= p else { return nil }
            return .decimal(precision: p, scale: s)
        case (.boolean, _): return .boolean
        case (.int32, .date): return .date
        case (.int32, .time(.millis, _)): return .time(precision: 3)
        case (.int32, .integer(8, isSigned: true)): return .tinyint
        case (.int32, .integer(16, isSigned: true)), (.int32, .integer(8, isSigned: false)):
            return .smallint
        case (.int32, .integer(32, isSigned: false)): return .bigint
        case (.int32, _): return .integer
        case (.int64, .time(.micros, _)): return .time(precision: 6)
        case (.int64, .time(.nanos, _)): return .time(precision: 9)
        case (.int64, .timestamp(let unit, let isUTC)):
            let precision = unit == .millis ? 3 : unit == .micros ? 6 : 9
            return isUTC
                ? .timestampWithTimeZone(precision: precision) : .timestamp(precision: precision)
        case (.int64, .integer(64, isSigned: false)): return .decimal(precision: 20, scale: 0)
        case (.int64, _): return .bigint
        case (.int96, _): return .timestamp(precision: 9)
        case (.float, _): return .real
        case (.double, _): return .double
        case (.byteArray, .string): return .text
        case (.byteArray, .json): return .json
        case (.byteArray, _): return .varbinary
        case (.fixedLengthByteArray, .uuid): return leaf.typeLength == 16 ? .uuid : nil
        case (.fixedLengthByteArray, .float16): return leaf.typeLength == 2 ? .real : nil
        case (.fixedLengthByteArray, _): return .varbinary
        }
    }
}
