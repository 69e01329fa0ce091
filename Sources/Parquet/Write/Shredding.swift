import Compression
import Vectors

/// A node of the tree of columns to write: takes a vector's rows apart into levels and values.
final class ShredNode {
    enum Kind { case leaf, list, row }

    let name: String
    let type: LogicalType
    private let kind: Kind
    private let isNullable: Bool
    /// The definition level of a value here, and of an element of a list here.
    private let definition: Int
    private let repetition: Int
    private let children: [ShredNode]
    private let leaf: LeafWriter?

    init(
        _ field: WriterField, _ kind: Kind, definition: Int, repetition: Int,
        children: [ShredNode] = [],
        leaf: LeafWriter? = nil
    ) {
        name = field.name
        type = field.type
        isNullable = field.isNullable
        self.kind = kind
        self.definition = definition
        self.repetition = repetition
        self.children = children
        self.leaf = leaf
    }

    /// Writes active rows of a chunk: all values of a column at once, or nested ones row by row.
    func write(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ rows: Range<Int>
    ) throws(ParquetError) {
        if let leaf { return try leaf.append(vector, selection, rows) }
        var first = rows.lowerBound
        while first < rows.upperBound {
            let end = min(first + ShredNode.batchRows, rows.upperBound)
            for row in first..<end {
                try write(vector, selection.map { Int($0[row]) } ?? row, repetition: 0)
            }
            try endRows(end - first, vector)
            first = end
        }
    }

    /// Nested rows between two looks at the size of the pages.
    private static let batchRows = 64

    /// Writes the value at `index` of a vector; `repetition` is the level that it repeats at.
    private func write(
        _ vector: Vector, _ index: Int, repetition level: Int
    ) throws(ParquetError) {
        guard vector.isValid(index) else {
            guard isNullable else {
                throw ParquetError(
                    code: .valueOutOfRange, message: "column \(name) is required and got NULL")
            }
            return writeMissing(definition: definition - 1, repetition: level)
        }
        switch kind {
        case .leaf: leaf?.place(index, repetition: level)
        case .row:
            guard let parts = vector.children else {
                throw ParquetError(
                    code: .typeMismatch, message: "column \(name) was given no fields")
            }
            for (place, child) in children.enumerated() {
                try child.write(parts[place], index, repetition: level)
            }
        case .list:
            let entry = vector.value(index, as: ListEntry.self)
            if entry.count == 0 { return writeMissing(definition: definition, repetition: level) }
            guard let parts = vector.children else {
                throw ParquetError(
                    code: .typeMismatch, message: "column \(name) was given no elements")
            }
            for element in 0..<Int(entry.count) {
                for (place, child) in children.enumerated() {
                    try child.write(
                        parts[place], Int(entry.offset) + element,
                        repetition: element == 0 ? level : repetition + 1)
                }
            }
        }
    }

    /// Writes a place without a value into every leaf below.
    private func writeMissing(definition: Int, repetition: Int) {
        leaf?.placeMissing(definition: definition, repetition: repetition)
        for child in children { child.writeMissing(definition: definition, repetition: repetition) }
    }

    /// Takes the values that `write` placed out of the vectors, and says that so many rows are complete.
    func endRows(_ count: Int, _ vector: Vector?) throws(ParquetError) {
        if let leaf {
            if let vector { try leaf.appendPlaced(vector) }
            return try leaf.endRows(count)
        }
        for (place, child) in children.enumerated() {
            // Without vectors of the parts there was nothing to place.
            try child.endRows(count, vector?.children.map { $0[place] })
        }
    }
}

/// Makes the tree, the schema's elements and the leaf writers. Lists and maps get the three levels and
/// the names that LogicalTypes.md and Iceberg ask for: `list.element`, `key_value.key`, `.value`.
struct ShredBuilder {
    let options: WriterOptions
    let compressors = Compressors()
    var elements: [SchemaElement] = []
    var leaves: [LeafWriter] = []

    init(options: WriterOptions) { self.options = options }

    mutating func node(
        _ field: WriterField, definition: Int, repetition: Int, path: [String]
    ) throws(ParquetError) -> ShredNode {
        guard path.count < ParquetLimits.depth else {
            throw ParquetError(
                code: .limitExceeded,
                message: "the schema is nested more than \(ParquetLimits.depth) deep")
        }
        let level = definition + (field.isNullable ? 1 : 0)
        let path = path + [field.name]
        var element = SchemaElement()
        element.name = field.name
        element.repetition = field.isNullable ? .optional : .required
        element.fieldID = field.fieldID
        element.annotation = StoredForm.annotation(field.type)
        switch field.type {
        case .array(let type):
            element.childCount = 1
            elements.append(element)
            appendRepeated("list", 1)
            var child = field.children.first ?? WriterField(name: "element", type: type)
            child.name = "element"
            let node = try node(
                child, definition: level + 1, repetition: repetition + 1, path: path + ["list"])
            return ShredNode(
                field, .list, definition: level, repetition: repetition, children: [node])
        case .map(let keyType, let valueType):
            element.childCount = 1
            elements.append(element)
            appendRepeated("key_value", 2)
            var key = field.children.first ?? WriterField(name: "key", type: keyType)
            key.name = "key"
            key.isNullable = false
            var value =
                field.children.count > 1
                ? field.children[1] : WriterField(name: "value", type: valueType)
            value.name = "value"
            let inner = path + ["key_value"]
            let nodes = [
                try node(key, definition: level + 1, repetition: repetition + 1, path: inner),
                try node(value, definition: level + 1, repetition: repetition + 1, path: inner),
            ]
            return ShredNode(
                field, .list, definition: level, repetition: repetition, children: nodes)
        case .row(let fields):
            guard !fields.isEmpty else {
                throw .unsupported("column \(field.name) is a row without fields")
            }
            element.childCount = fields.count
            elements.append(element)
            var nodes: [ShredNode] = []
            for (index, part) in fields.enumerated() {
                let child =
                    index < field.children.count
                    ? field.children[index]
                    : WriterField(name: part.name ?? "field\(index)", type: part.type)
                nodes.append(
                    try node(child, definition: level, repetition: repetition, path: path))
            }
            return ShredNode(
                field, .row, definition: level, repetition: repetition, children: nodes)
        default:
            guard let form = StoredForm(field.type) else {
                throw .unsupported(
                    "Parquet has no place for column \(field.name) of type \(field.type)")
            }
            element.type = form.physical
            element.typeLength = form.typeLength
            elements.append(element)
            let leaf = ParquetLeaf(
                index: leaves.count, type: form.physical, typeLength: form.typeLength,
                annotation: element.annotation, maxDefinition: level, maxRepetition: repetition,
                path: path)
            let writer = LeafWriter(
                leaf, form, type: field.type, fieldID: field.fieldID, options: options,
                compressors: compressors)
            leaves.append(writer)
            return ShredNode(field, .leaf, definition: level, repetition: repetition, leaf: writer)
        }
    }

    private mutating func appendRepeated(_ name: String, _ childCount: Int) {
        var element = SchemaElement()
        element.name = name
        element.repetition = .repeated
        element.childCount = childCount
        elements.append(element)
    }
}
