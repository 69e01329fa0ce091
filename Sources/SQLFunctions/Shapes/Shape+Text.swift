extension Shape {
    private static let words: [(word: String, kind: Kind)] = [
        ("POINT", .point), ("LINESTRING", .lineString), ("POLYGON", .polygon),
        ("MULTIPOINT", .multiPoint), ("MULTILINESTRING", .multiLineString),
        ("MULTIPOLYGON", .multiPolygon), ("GEOMETRYCOLLECTION", .collection),
    ]

    // MARK: Writing

    /// The well-known text. Source: OGC Simple Feature Access, part 1, section 7.
    var text: String { text(isInner: false) }

    private func text(isInner: Bool) -> String {
        var kind = kind
        if isEmpty, !isInner {
            // As Trino's documentation of ST_AsText says.
            if kind == .lineString { kind = .multiLineString }
            if kind == .polygon { kind = .multiPolygon }
        }
        let word = Self.words.first { $0.kind == kind }?.word ?? ""
        if isEmpty { return word + " EMPTY" }
        return word + (hasZ ? " Z " : " ") + content
    }

    private var content: String {
        switch kind {
        case .point, .lineString: line(rings.first ?? [])
        case .polygon: "(" + rings.map(line).joined(separator: ", ") + ")"
        case .multiPoint, .multiLineString, .multiPolygon:
            "(" + parts.map { $0.isEmpty ? "EMPTY" : $0.content }.joined(separator: ", ") + ")"
        case .collection: "(" + parts.map { $0.text(isInner: true) }.joined(separator: ", ") + ")"
        }
    }

    private func line(_ positions: [Position]) -> String {
        let texts = positions.map { position in
            let plane = Self.number(position.x) + " " + Self.number(position.y)
            return hasZ ? plane + " " + Self.number(position.z) : plane
        }
        return "(" + texts.joined(separator: ", ") + ")"
    }

    /// The shortest text that reads as the same number; whole numbers without a point.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), value.magnitude < 1e15 {
            return value == 0 ? "0" : String(Int64(value))
        }
        return javaText(value)
    }

    // MARK: Reading

    /// Reads well-known text, with `SRID=n;` in front where that is allowed.
    init(text: Text, allowsSRID: Bool = false) throws(QueryFault) {
        var reader = ShapeTextReader(Array(text))
        var srid: Int32 = 0
        if allowsSRID { srid = try reader.reference() }
        self = try reader.shape(depth: 0)
        try reader.end()
        self.srid = srid
        try checked()
    }

    static func kind(of word: String) -> Kind? { words.first { $0.word == word }?.kind }
}

/// Reads well-known text from the left.
private struct ShapeTextReader {
    private static let maxDepth = 32
    private let bytes: [UInt8]
    private var at = 0
    /// Whether coordinates have a third number; nil until the first is read.
    private var hasZ: Bool?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func fault(_ expected: String) -> QueryFault {
        invalid("Invalid WKT: expected \(expected) at position \(at + 1)")
    }

    private mutating func skipBlanks() {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func word() -> String {
        skipBlanks()
        let start = at
        while at < bytes.count, (0x41...0x5A).contains(bytes[at] & 0xDF) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self).uppercased()
    }

    mutating func end() throws(QueryFault) {
        _ = take(";")
        skipBlanks()
        if at < bytes.count { throw fault("the end of the text") }
    }

    mutating func reference() throws(QueryFault) -> Int32 {
        let start = at
        guard word() == "SRID" else {
            at = start
            return 0
        }
        guard take("="), let number = Int32(exactly: try number()), take(";") else {
            throw fault("SRID=number;")
        }
        return number
    }

    mutating func shape(depth: Int) throws(QueryFault) -> Shape {
        guard depth < Self.maxDepth else { throw fault("fewer shapes within shapes") }
        guard let kind = Shape.kind(of: word()) else { throw fault("the name of a shape") }
        let start = at
        switch word() {
        case "EMPTY": return Shape(kind)
        case "Z":
            hasZ = true
            if isEmptyWord() { return Shape(kind) }
        case "": break
        default:
            at = start
            throw fault("(, Z or EMPTY")
        }
        return try content(kind, depth)
    }

    private mutating func isEmptyWord() -> Bool {
        let start = at
        if word() == "EMPTY" { return true }
        at = start
        return false
    }

    private mutating func content(_ kind: Shape.Kind, _ depth: Int) throws(QueryFault) -> Shape {
        switch kind {
        case .point, .lineString:
            let line = try positions()
            if kind == .point, line.count != 1 { throw fault("one position") }
            return Shape(kind, rings: [line])
        case .polygon:
            var rings: [[Shape.Position]] = []
            try list { reader throws(QueryFault) in rings.append(try reader.positions()) }
            return Shape(kind, rings: rings)
        case .multiPoint, .multiLineString, .multiPolygon:
            var parts: [Shape] = []
            try list { reader throws(QueryFault) in
                if reader.isEmptyWord() {
                    parts.append(Shape(kind.part ?? .point))
                } else if kind == .multiPoint, !reader.isNext("(") {
                    parts.append(.point(try reader.position()))
                } else {
                    parts.append(try reader.content(kind.part ?? .point, depth))
                }
            }
            return Shape(kind, parts: parts)
        case .collection:
            var parts: [Shape] = []
            try list { reader throws(QueryFault) in
                parts.append(try reader.shape(depth: depth + 1))
            }
            return Shape(kind, parts: parts)
        }
    }

    private mutating func isNext(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        return at < bytes.count && bytes[at] == UInt8(ascii: character)
    }

    private mutating func list(
        _ element: (inout ShapeTextReader) throws(QueryFault) -> Void
    ) throws(QueryFault) {
        guard take("(") else { throw fault("(") }
        repeat { try element(&self) } while take(",")
        guard take(")") else { throw fault(", or )") }
    }

    private mutating func positions() throws(QueryFault) -> [Shape.Position] {
        var result: [Shape.Position] = []
        try list { reader throws(QueryFault) in result.append(try reader.position()) }
        return result
    }

    private mutating func position() throws(QueryFault) -> Shape.Position {
        var position = Shape.Position(x: try number(), y: try number())
        if !isNext(","), !isNext(")") {
            position.z = try number()
            guard hasZ != false else { throw fault("two coordinates, as before") }
            hasZ = true
        } else {
            guard hasZ != true else { throw fault("a third coordinate") }
            hasZ = false
        }
        return position
    }

    private mutating func number() throws(QueryFault) -> Double {
        skipBlanks()
        let start = at
        let marks = Array("+-.0123456789eE".utf8)
        while at < bytes.count, marks.contains(bytes[at]) { at += 1 }
        guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)),
            value.isFinite
        else {
            at = start
            throw fault("a number")
        }
        return value
    }
}
