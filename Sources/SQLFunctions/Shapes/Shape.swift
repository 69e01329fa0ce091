/// A shape of the plane: points, lines and areas, alone or several.
///
/// Source: OGC Simple Feature Access, part 1. Values lie in vectors as EWKB (`Shape+Binary`).
struct Shape {
    /// The numbers are those of WKB.
    enum Kind: UInt32, Sendable {
        case point = 1
        case lineString, polygon, multiPoint, multiLineString, multiPolygon, collection

        /// What the parts of a shape of several are; nil: any, or there are none.
        var part: Kind? {
            switch self {
            case .multiPoint: .point
            case .multiLineString: .lineString
            case .multiPolygon: .polygon
            default: nil
            }
        }

        var hasParts: Bool { rawValue >= Kind.multiPoint.rawValue }

        /// As ST_GeometryType says it.
        var name: String {
            switch self {
            case .point: "ST_Point"
            case .lineString: "ST_LineString"
            case .polygon: "ST_Polygon"
            case .multiPoint: "ST_MultiPoint"
            case .multiLineString: "ST_MultiLineString"
            case .multiPolygon: "ST_MultiPolygon"
            case .collection: "ST_GeomCollection"
            }
        }
    }

    struct Position: Equatable {
        var x: Double
        var y: Double
        /// NaN where the shape has no third coordinate.
        var z = Double.nan

        static func == (left: Position, right: Position) -> Bool {
            left.x == right.x && left.y == right.y
                && (left.z == right.z || left.z.isNaN && right.z.isNaN)
        }
    }

    var kind: Kind
    /// A point's position, a line's, or the rings of a polygon, the outer one first; empty: EMPTY.
    var rings: [[Position]] = []
    /// Of shapes of several.
    var parts: [Shape] = []
    var hasZ = false
    /// The spatial reference; 0: none.
    var srid: Int32 = 0

    init(_ kind: Kind, rings: [[Position]] = [], parts: [Shape] = [], srid: Int32 = 0) {
        self.kind = kind
        self.rings = rings
        self.parts = parts
        self.srid = srid
        hasZ =
            rings.contains { $0.contains { !$0.z.isNaN } } || parts.contains { $0.hasZ }
    }

    static func point(_ position: Position, srid: Int32 = 0) -> Shape {
        Shape(.point, rings: [[position]], srid: srid)
    }

    var isEmpty: Bool { kind.hasParts ? parts.allSatisfy(\.isEmpty) : rings.isEmpty }

    /// The position of a point, the first of a line; nil where there is none.
    var first: Position? { rings.first?.first }

    /// Calls `body` for every position.
    func forEachPosition(_ body: (Position) -> Void) {
        for ring in rings { for position in ring { body(position) } }
        for part in parts { part.forEachPosition(body) }
    }

    /// The bounding box; nil of an empty shape.
    var box: (low: Position, high: Position)? {
        var box: (low: Position, high: Position)?
        forEachPosition { position in
            guard let old = box else {
                box = (
                    Position(x: position.x, y: position.y), Position(x: position.x, y: position.y)
                )
                return
            }
            box = (
                Position(x: min(old.low.x, position.x), y: min(old.low.y, position.y)),
                Position(x: max(old.high.x, position.x), y: max(old.high.y, position.y))
            )
        }
        return box
    }

    /// 0 for points, 1 for lines, 2 for areas; of a collection the greatest.
    var dimension: Int32 {
        switch kind {
        case .point, .multiPoint: 0
        case .lineString, .multiLineString: 1
        case .polygon, .multiPolygon: 2
        case .collection: parts.map(\.dimension).max() ?? 0
        }
    }

    /// The shapes that it is made of: its parts, or itself.
    var components: [Shape] {
        if isEmpty { return [] }
        guard kind.hasParts else { return [self] }
        return parts.map { part in
            var own = part
            own.srid = srid
            return own
        }
    }

    /// Area in the plane, holes taken off.
    var area: Double {
        if kind.hasParts { return parts.reduce(0) { $0 + $1.area } }
        guard kind == .polygon, let outer = rings.first else { return 0 }
        return rings.dropFirst().reduce(Self.ringArea(outer)) { $0 - Self.ringArea($1) }
    }

    /// By the shoelace formula, about the first corner so that far-off coordinates lose no digits.
    private static func ringArea(_ ring: [Position]) -> Double {
        guard let origin = ring.first else { return 0 }
        var doubled = 0.0
        for (from, to) in zip(ring, ring.dropFirst()) {
            doubled +=
                (from.x - origin.x) * (to.y - origin.y) - (to.x - origin.x) * (from.y - origin.y)
        }
        return (doubled / 2).magnitude
    }

    /// Length of lines in the plane.
    var length: Double {
        if kind.hasParts { return parts.reduce(0) { $0 + $1.length } }
        guard kind == .lineString, let line = rings.first else { return 0 }
        return zip(line, line.dropFirst()).reduce(0) { sum, pair in
            let (dx, dy) = (pair.1.x - pair.0.x, pair.1.y - pair.0.y)
            return sum + (dx * dx + dy * dy).squareRoot()
        }
    }

    /// Throws where a line has one point, or a ring is not closed or has fewer than four.
    func checked() throws(QueryFault) {
        let problem = firstProblem { part in
            switch part.kind {
            case .lineString:
                if let line = part.rings.first, line.count < 2 {
                    return "a line needs two points, or none"
                }
            case .polygon:
                for ring in part.rings {
                    guard ring.count >= 4 else { return "a ring needs four points" }
                    guard ring.first?.x == ring.last?.x, ring.first?.y == ring.last?.y else {
                        return "a ring must end where it begins"
                    }
                }
            default: break
            }
            return nil
        }
        if let problem { throw invalid("Invalid geometry: \(problem)") }
    }

    /// The first thing that is wrong with a part.
    private func firstProblem(_ check: (Shape) -> String?) -> String? {
        if let message = check(self) { return message }
        for part in parts { if let message = part.firstProblem(check) { return message } }
        return nil
    }
}
