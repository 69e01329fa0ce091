import Geometry
import Vectors

extension ShapeFunctions {
    /// How two shapes lie to each other.
    static let relations: [ScalarFunction] =
        ParsedGeometry.Relation.allCases.map { relation in
            let name = "st_\(relation.rawValue)"
            return ScalarFunction(
                name, [geometry, geometry], .boolean, summary(relation),
                example: "\(name)(ST_Point(1, 2), ST_Point(1, 2))", canFail: true,
                kernel: { call in
                    pairs(call) { left, right, work -> Bool in
                        if let answer = byBoxes(relation, left.box, right.box) { return answer }
                        let (one, two) = (try left.parsed(), try right.parsed())
                        return try work.translating { () throws(GeometryError) in
                            try one.relates(relation, to: two)
                        }
                    }
                })
        } + [
            ScalarFunction(
                "st_relate", [geometry, geometry, .text], .boolean,
                "Whether the intersection matrix of two shapes fits the pattern.",
                example: "ST_Relate(ST_Point(1, 2), ST_Point(1, 2), '0********')", canFail: true,
                kernel: { call in
                    let patterns = call.input(2, as: Text.self)
                    let work = ShapeWork()
                    let (left, right) = (ShapeOperand(call, 0, work), ShapeOperand(call, 1, work))
                    call.rows { row -> Bool in
                        try left.load(row)
                        try right.load(row)
                        let (one, two) = (try left.parsed(), try right.parsed())
                        let pattern = String(decoding: patterns[row], as: UTF8.self)
                        guard pattern.utf8.count == 9 else {
                            throw invalid("the pattern needs nine characters: \(pattern)")
                        }
                        return try work.translating { () throws(GeometryError) in
                            try one.relates(pattern: pattern, to: two)
                        }
                    }
                })
        ]

    private static func summary(_ relation: ParsedGeometry.Relation) -> String {
        switch relation {
        case .contains: "Whether no point of the second shape is outside of the first."
        case .crosses: "Whether the shapes have some, but not all, inner points in common."
        case .disjoint: "Whether the shapes have no point in common."
        case .equals: "Whether the shapes are the same set of points."
        case .intersects: "Whether the shapes have a point in common."
        case .overlaps: "Whether shapes of one dimension share some, but not all, of their space."
        case .touches: "Whether the shapes have only points of their edges in common."
        case .within: "Whether no point of the first shape is outside of the second."
        }
    }

    /// Computes for each row of two shapes, whose spatial references must agree.
    private static func pairs<Result: KernelOutput>(
        _ call: KernelCall, _ body: (ShapeOperand, ShapeOperand, ShapeWork) throws -> Result
    ) {
        let work = ShapeWork()
        let (left, right) = (ShapeOperand(call, 0, work), ShapeOperand(call, 1, work))
        call.rows { row in
            try left.load(row)
            try right.load(row)
            _ = try commonReference([left.shape, right.shape])
            return try body(left, right, work)
        }
    }

    private typealias Box = (low: Shape.Position, high: Shape.Position)

    /// The answer that the bounding boxes give; nil where the shapes must be looked at.
    private static func byBoxes(
        _ relation: ParsedGeometry.Relation, _ left: Box?, _ right: Box?
    ) -> Bool? {
        guard let left, let right else { return nil }
        func covers(_ outer: Box, _ inner: Box) -> Bool {
            outer.low.x <= inner.low.x && outer.low.y <= inner.low.y
                && outer.high.x >= inner.high.x && outer.high.y >= inner.high.y
        }
        let meets =
            left.low.x <= right.high.x && right.low.x <= left.high.x
            && left.low.y <= right.high.y && right.low.y <= left.high.y
        switch relation {
        case .contains: return covers(left, right) ? nil : false
        case .within: return covers(right, left) ? nil : false
        case .equals: return covers(left, right) && covers(right, left) ? nil : false
        case .disjoint: return meets ? nil : true
        case .crosses, .intersects, .overlaps, .touches: return meets ? nil : false
        }
    }

    /// Numbers and answers about shapes.
    static let measures: [ScalarFunction] = [
        ScalarFunction(
            "st_distance", [geometry, geometry], .double,
            "The least distance in the plane; NULL where a shape is empty.",
            example: "ST_Distance(ST_Point(0, 0), ST_Point(3, 4))", canFail: true,
            kernel: { call in
                pairs(call) { left, right, work -> Double? in
                    if left.shape.isEmpty || right.shape.isEmpty { return nil }
                    if left.shape.kind == .point, right.shape.kind == .point,
                        let from = left.shape.first, let to = right.shape.first
                    {
                        let (dx, dy) = (to.x - from.x, to.y - from.y)
                        return (dx * dx + dy * dy).squareRoot()
                    }
                    let (one, two) = (try left.parsed(), try right.parsed())
                    return try work.translating { () throws(GeometryError) in
                        try one.distance(to: two)
                    }
                }
            }),
        unaryShape(
            "st_area", .double, "The area in the plane.",
            example: "ST_Area(ST_Polygon('POLYGON ((0 0, 1 0, 1 1, 0 0))'))"
        ) { $0.area },
        ScalarFunction(
            "st_length", [geometry], .double, "The length of a line in the plane.",
            example: "ST_Length(ST_LineFromText('LINESTRING (0 0, 3 4)'))", canFail: true,
            kernel: unary { (bytes: Text) in
                try shape(bytes, of: .lineString, .multiLineString, for: "ST_Length").length
            }),
        question("st_isvalid", "Whether the shape is well-formed.") {
            shape throws(GeometryError) in try shape.answers(.isValid)
        },
        question("st_issimple", "Whether the shape does not cross or touch itself.") {
            shape throws(GeometryError) in try shape.answers(.isSimple)
        },
        question("st_isring", "Whether a line is closed and simple.") {
            shape throws(GeometryError) in try shape.answers(.isRing)
        },
        ScalarFunction(
            "geometry_invalid_reason", [geometry], .text,
            "Why the shape is not well-formed; NULL when it is.",
            example: "geometry_invalid_reason(ST_Point(1, 2))", canFail: true,
            kernel: { call in
                single(call) { shape throws(GeometryError) -> String? in
                    try shape.invalidReason()
                }
            }),
        ScalarFunction(
            "line_locate_point", [geometry, geometry], .double,
            "The fraction of a line's length at which it is nearest to a point.",
            example:
                "line_locate_point(ST_LineFromText('LINESTRING (0 0, 0 2)'), ST_Point(0, 1))",
            canFail: true,
            kernel: { call in
                pairs(call) { line, point, work -> Double? in
                    guard line.shape.kind == .lineString || line.shape.kind == .multiLineString,
                        point.shape.kind == .point
                    else {
                        throw invalid("line_locate_point takes a line and a point")
                    }
                    if line.shape.isEmpty || point.shape.isEmpty { return nil }
                    let (one, two) = (try line.parsed(), try point.parsed())
                    return try work.translating { () throws(GeometryError) in
                        try one.fraction(nearestTo: two)
                    }
                }
            }),
    ]

    private static func question(
        _ name: String, _ summary: String,
        _ body: @escaping @Sendable (ParsedGeometry) throws(GeometryError) -> Bool
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry], .boolean, summary,
            example: "\(name)(ST_LineFromText('LINESTRING (0 0, 1 1)'))", canFail: true,
            kernel: { call in single(call, body) })
    }

    /// Computes for each row of one shape.
    private static func single<Result: KernelOutput>(
        _ call: KernelCall, _ body: (ParsedGeometry) throws(GeometryError) -> Result
    ) {
        let work = ShapeWork()
        let operand = ShapeOperand(call, 0, work)
        call.rows { row -> Result in
            try operand.load(row)
            let shape = try operand.parsed()
            return try work.translating { () throws(GeometryError) in try body(shape) }
        }
    }

    /// Shapes from shapes.
    static let operations: [ScalarFunction] =
        [
            combination("st_intersection", .intersection, "The points that both shapes have."),
            combination("st_union", .union, "The points of either shape."),
            combination("st_difference", .difference, "The points of the first shape only."),
            combination("st_symdifference", .symmetricDifference, "The points of only one shape."),
            derivation("st_boundary", .boundary, "The edge of a shape."),
            derivation("st_centroid", .centroid, "The centre of a shape's mass."),
            derivation("st_convexhull", .convexHull, "The least convex shape around it."),
            derivation("st_pointonsurface", .pointOnSurface, "Some point of the shape."),
            derivation(
                "st_orientedenvelope", .orientedEnvelope, "The least rectangle around it, turned."),
            derivation("st_linemerge", .lineMerge, "Lines that meet, as one."),
            scaled("st_buffer", "All points at most so far from the shape.") {
                shape, distance throws(GeometryError) in
                try shape.buffered(by: distance, segments: 8)
            },
            scaled("simplify_geometry", "The shape with fewer positions, within a tolerance.") {
                shape, tolerance throws(GeometryError) in try shape.simplified(tolerance)
            },
            scaled("line_interpolate_point", "The point at a fraction of a line's length.") {
                shape, fraction throws(GeometryError) in try shape.point(atFraction: fraction)
            },
            ScalarFunction(
                "geometry_union", [.array(geometry)], geometry,
                "The points of any of the shapes; NULLs are left out.",
                example: "geometry_union(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])", canFail: true,
                kernel: { call in
                    let lists = ListInput(call, 0)
                    let work = ShapeWork()
                    call.rows { row -> [UInt8]? in
                        let parts = try shapes(lists, row).compactMap { $0 }
                        if parts.isEmpty { return nil }
                        let all = Shape(
                            .collection, parts: parts, srid: try commonReference(parts))
                        return try union(of: all, work)
                    }
                }),
        ]

    /// The union of a collection's parts.
    private static func union(of shape: Shape, _ work: ShapeWork) throws(QueryFault) -> [UInt8] {
        let context = try work.open()
        return try work.translating { () throws(GeometryError) in
            try context.parse(shape.bytes()).derived(.union).bytes
        }
    }

    private static func combination(
        _ name: String, _ combination: ParsedGeometry.Combination, _ summary: String
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry, geometry], geometry, summary,
            example: "\(name)(ST_Point(1, 2), ST_Point(1, 2))", canFail: true,
            kernel: { call in
                pairs(call) { left, right, work -> [UInt8] in
                    let (one, two) = (try left.parsed(), try right.parsed())
                    return try work.translating { () throws(GeometryError) in
                        try one.combined(combination, with: two).bytes
                    }
                }
            })
    }

    private static func derivation(
        _ name: String, _ derivation: ParsedGeometry.Derivation, _ summary: String
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry], geometry, summary,
            example: "\(name)(ST_LineFromText('LINESTRING (0 0, 1 1)'))", canFail: true,
            kernel: { call in
                single(call) { shape throws(GeometryError) -> [UInt8] in
                    try shape.derived(derivation).bytes
                }
            })
    }

    /// A shape from a shape and a number that is finite and not negative.
    private static func scaled(
        _ name: String, _ summary: String,
        _ body: @escaping @Sendable (ParsedGeometry, Double) throws(GeometryError) -> ParsedGeometry
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry, .double], geometry, summary,
            example: "\(name)(ST_LineFromText('LINESTRING (0 0, 1 1)'), 0.5)", canFail: true,
            kernel: { call in
                let numbers = call.input(1, as: Double.self)
                let work = ShapeWork()
                let operand = ShapeOperand(call, 0, work)
                call.rows { row -> [UInt8]? in
                    let number = numbers[row]
                    guard number.isFinite, number >= 0 else {
                        throw invalid("\(name): the number must be 0 or more: \(number)")
                    }
                    try operand.load(row)
                    if name == "line_interpolate_point" {
                        guard operand.shape.kind == .lineString, number <= 1 else {
                            throw invalid(
                                "line_interpolate_point takes a LINE_STRING and a fraction "
                                    + "from 0 to 1")
                        }
                        if operand.shape.isEmpty { return nil }
                    }
                    let shape = try operand.parsed()
                    return try work.translating { () throws(GeometryError) in
                        try body(shape, number).bytes
                    }
                }
            })
    }
}
