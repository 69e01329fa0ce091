import CivilTime
package import JSON

/// A filter that a client sent, as far as planning can use it.
package struct SentFilter: Sendable {
    /// True for every row that the filter is true for.
    package var predicate: ScanPredicate
    /// Whether it is true for those rows only: then a file all of whose rows satisfy it needs no filter.
    package var isExact: Bool

    /// No filter.
    package static let none = SentFilter(predicate: .always, isExact: true)

    /// Reads a `Predicate` of the REST specification, in its present and its older forms, about columns
    /// of `schema`.
    ///
    /// What planning cannot look at (transforms, functions, columns compared with each other, numbers
    /// that the column's type has not) counts as true, and makes the result inexact. Throws
    /// `.invalidUpdate` for a column that is not there, for a literal that is none of the column's type,
    /// and for what is no predicate.
    package init(_ at: JSONCursor, schema: Schema, caseSensitive: Bool) throws {
        var reader = FilterReader(schema: schema, caseSensitive: caseSensitive)
        predicate = try reader.read(at, negated: false, depth: 0)
        isExact = reader.isExact
    }

    private init(predicate: ScanPredicate, isExact: Bool) {
        self.predicate = predicate
        self.isExact = isExact
    }
}

/// Reads with the negations pushed down to the leaves, so that a leaf that counts as true is a weaker
/// condition wherever it stands.
private struct FilterReader {
    let schema: Schema
    let caseSensitive: Bool
    var isExact = true

    init(schema: Schema, caseSensitive: Bool) {
        self.schema = schema
        self.caseSensitive = caseSensitive
    }

    mutating func read(_ at: JSONCursor, negated: Bool, depth: Int) throws -> ScanPredicate {
        guard depth < Limits.typeDepth else {
            throw IcebergError(
                code: .limitExceeded,
                message: "a filter nests deeper than \(Limits.typeDepth) levels")
        }
        if case .bool(let flag)? = at.value { return flag != negated ? .always : .never }
        let type = try at["type"].string()
        switch type {
        case "true": return negated ? .never : .always
        case "false": return negated ? .always : .never
        case "not": return try read(at["child"], negated: !negated, depth: depth + 1)
        case "and", "or":
            let parts = [
                try read(at["left"], negated: negated, depth: depth + 1),
                try read(at["right"], negated: negated, depth: depth + 1),
            ]
            return (type == "and") != negated ? .and(parts) : .or(parts)
        default: return try leaf(at, type, negated)
        }
    }

    private mutating func leaf(
        _ at: JSONCursor, _ type: String, _ negated: Bool
    ) throws -> ScanPredicate {
        let operand =
            at["term"].isPresent ? at["term"] : at["child"].isPresent ? at["child"] : at["left"]
        switch type {
        case "is-null", "not-null":
            guard let (id, _) = try column(operand) else { return unknown() }
            return (type == "is-null") != negated ? .isNull(id) : .isNotNull(id)
        case "is-nan", "not-nan":
            guard let (id, _) = try column(operand) else { return unknown() }
            return (type == "is-nan") != negated
                ? .isNaN(id) : .or([.isNotNaN(id), .isNull(id)])
        case "in", "not-in":
            let list = at["values"].isObject ? at["values"]["values"] : at["values"]
            guard let (id, primitive) = try column(operand) else { return unknown() }
            var values: [Literal] = []
            for element in try list.elements() {
                guard let value = try literal(element, primitive) else { return unknown() }
                values.append(value)
            }
            return (type == "in") != negated
                ? .isIn(id, values) : .or([.isNotIn(id, values), .isNull(id)])
        case "starts-with", "not-starts-with":
            let value = at["value"].isPresent ? at["value"] : at["right"]
            guard let (id, primitive) = try column(operand),
                case .string(let prefix)? = try literal(value, primitive)
            else { return unknown() }
            return (type == "starts-with") != negated
                ? .startsWith(id, prefix) : .or([.notStartsWith(id, prefix), .isNull(id)])
        default:
            guard let comparison = Self.comparisons[type] else {
                throw IcebergError(
                    code: .invalidUpdate, message: "unknown filter at \(at.path): \(type)")
            }
            return try compare(at, operand, comparison, negated)
        }
    }

    private mutating func compare(
        _ at: JSONCursor, _ operand: JSONCursor, _ comparison: ScanPredicate.Comparison,
        _ negated: Bool
    ) throws -> ScanPredicate {
        let other = at["value"].isPresent ? at["value"] : at["right"]
        var found: (id: Int32, comparison: ScanPredicate.Comparison, value: Literal)?
        if let (id, primitive) = try column(operand) {
            if let value = try literal(other, primitive) { found = (id, comparison, value) }
        } else if at["right"].isPresent, let (id, primitive) = try column(other),
            let value = try literal(operand, primitive)
        {
            found = (id, Self.turned(comparison), value)
        }
        guard let found else { return unknown() }
        let leaf = ScanPredicate.compare(found.id, found.comparison, found.value)
        let result = negated ? ScanPredicate.not(leaf).withoutNegation : leaf
        // In Iceberg's filters NULL is different from every value; in SQL it is unknown.
        if case .compare(_, .notEqual, _) = result { return .or([result, .isNull(found.id)]) }
        return result
    }

    private mutating func unknown() -> ScanPredicate {
        isExact = false
        return .always
    }

    /// The column that a reference names; nil for what is no plain reference.
    private func column(_ at: JSONCursor) throws -> (Int32, PrimitiveType)? {
        let field: NestedField?
        let name: String
        if at.isString, at.path.hasSuffix("term") {
            name = try at.string()
            field = self.field(named: name)
        } else if at.isObject, case .string("reference")? = at["type"].value {
            if at["id"].isPresent {
                let id = try at["id"].int32()
                name = "\(id)"
                field = schema.field(id: id)
            } else {
                let named = at["name"].isPresent ? at["name"] : at["term"]
                name = try named.string()
                field = self.field(named: name)
            }
        } else {
            return nil
        }
        guard let field else {
            throw IcebergError(
                code: .invalidUpdate, message: "the filter names no column of the table: \(name)")
        }
        return field.type.primitive.map { (field.id, $0) }
    }

    private func field(named name: String) -> NestedField? {
        guard let field = schema.field(named: name) else { return nil }
        return caseSensitive && schema.name(of: field.id) != name ? nil : field
    }

    /// A literal of the column's type; nil for what is no literal, and for a number that the type has not.
    private func literal(_ at: JSONCursor, _ type: PrimitiveType) throws -> Literal? {
        var place = at
        if at.isObject {
            guard at["value"].isPresent else { return nil }
            place = at["value"]
        }
        guard let json = place.value else { return nil }
        if let value = Literal(json: json, type: type) { return value }
        if Self.mayExceed(json, type) { return nil }
        throw IcebergError(
            code: .invalidUpdate,
            message:
                "the filter's value at \(place.path) is no \(type.name): \(json.encodedText())",
            hint: "values are written as in JSON single-value serialization")
    }

    /// Whether it is of the type's kind, though no value of it.
    private static func mayExceed(_ json: JSONValue, _ type: PrimitiveType) -> Bool {
        switch (type, json) {
        case (.int, .number), (.long, .number), (.decimal, .number), (.float, .number),
            (.double, .number), (.date, .number):
            true
        case (.float, .string(let text)), (.double, .string(let text)):
            ["NaN", "Infinity", "-Infinity"].contains(text)
        // Types whose values planning does not compare.
        case (.variant, _), (.geometry, _), (.geography, _), (.unknown, _): true
        // Finer than the column, or with a zone where it has none.
        case (.date, .string(let text)), (.timestamp, .string(let text)),
            (.timestamptz, .string(let text)), (.timestampNanos, .string(let text)),
            (.timestamptzNanos, .string(let text)):
            CivilParse.timestamp(text) != nil
        // More digits than the column has.
        case (.decimal, .string(let text)):
            text.utf8.allSatisfy { (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0) }
        default: false
        }
    }

    private static let comparisons: [String: ScanPredicate.Comparison] = [
        "eq": .equal, "not-eq": .notEqual, "lt": .less, "lt-eq": .lessOrEqual, "gt": .greater,
        "gt-eq": .greaterOrEqual,
    ]

    /// The same with its sides exchanged.
    private static func turned(
        _ comparison: ScanPredicate.Comparison
    ) -> ScanPredicate.Comparison {
        switch comparison {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .equal, .notEqual: comparison
        }
    }
}
