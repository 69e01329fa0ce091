import Vectors

extension ShapeFunctions {
    /// Coordinates, boxes and references.
    static let coordinates: [ScalarFunction] =
        [
            coordinate("st_x") { $0.x }, coordinate("st_y") { $0.y }, coordinate("st_z") { $0.z },
            edge("st_xmin", "The least x") { $0.low.x },
            edge("st_xmax", "The greatest x") { $0.high.x },
            edge("st_ymin", "The least y") { $0.low.y },
            edge("st_ymax", "The greatest y") { $0.high.y },
            unaryShape(
                "st_envelope", geometry, "The bounding box as a shape.",
                example: "ST_Envelope(ST_GeometryFromText('LINESTRING (1 1, 2 3)'))"
            ) { shape in
                guard let (low, high) = shape.box else { return Shape(.polygon, srid: shape.srid) }
                if low == high { return .point(low, srid: shape.srid) }
                if low.x == high.x || low.y == high.y {
                    return Shape(.lineString, rings: [[low, high]], srid: shape.srid)
                }
                let corners = [
                    low, Shape.Position(x: low.x, y: high.y), high,
                    Shape.Position(x: high.x, y: low.y), low,
                ]
                return Shape(.polygon, rings: [corners], srid: shape.srid)
            },
            list(
                "st_envelopeaspts", "The lower left and upper right corners of the bounding box.",
                example: "ST_EnvelopeAsPts(ST_GeometryFromText('LINESTRING (1 1, 2 3)'))"
            ) { shape in
                shape.box.map { box in
                    [.point(box.low, srid: shape.srid), .point(box.high, srid: shape.srid)]
                }
            },
            unaryShape(
                "st_srid", .integer, "The spatial reference; 0 where there is none.",
                example: "ST_SRID(ST_Point(1, 2, 4326))"
            ) { $0.srid },
            ScalarFunction(
                "st_setsrid", [geometry, .integer], geometry,
                "The shape with another spatial reference; coordinates stay.",
                example: "ST_SetSRID(ST_Point(1, 2), 4326)", canFail: true,
                kernel: binary { (bytes: Text, srid: Int32) throws(QueryFault) -> Shape in
                    var shape = try Shape(bytes)
                    shape.srid = srid
                    return shape
                }),
        ]

    private static func coordinate(
        _ name: String, _ body: @escaping @Sendable (Shape.Position) -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry], .double, "A coordinate of a point; NULL where there is none.",
            example: "\(name)(ST_Point(1, 2))", canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Double? in
                let point = try shape(bytes, of: .point, for: name)
                return point.first.map(body).flatMap { $0.isNaN ? nil : $0 }
            })
    }

    private static func edge(
        _ name: String, _ which: String,
        _ body: @escaping @Sendable ((low: Shape.Position, high: Shape.Position)) -> Double
    ) -> ScalarFunction {
        unaryShape(
            name, .double, "\(which) of the bounding box; NULL of an empty shape.",
            example: "\(name)(ST_Point(1, 2))"
        ) { $0.box.map(body) }
    }

    /// A function that gives an array of shapes; nil is NULL.
    private static func list(
        _ name: String, _ summary: String, example: String,
        _ body: @escaping @Sendable (Shape) throws -> [Shape]?
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry], .array(geometry), summary, example: example, canFail: true,
            kernel: { call in
                let input = call.input(0, as: Text.self)
                call.lists { row, builder in
                    guard let shapes = try body(try Shape(input[row])) else { return false }
                    for shape in shapes {
                        shape.bytes().withUnsafeBufferPointer {
                            builder.children[0].push(bytes: $0)
                        }
                    }
                    return true
                }
            })
    }

    /// What a shape is made of.
    static let structure: [ScalarFunction] =
        [
            unaryShape(
                "st_geometrytype", .text, "The kind of a shape.",
                example: "ST_GeometryType(ST_Point(1, 2))"
            ) { $0.kind.name },
            unaryShape(
                "st_dimension", .tinyint, "0 for points, 1 for lines, 2 for areas.",
                example: "ST_Dimension(ST_Point(1, 2))"
            ) { $0.dimension },
            unaryShape(
                "st_coorddim", .tinyint, "How many coordinates positions have.",
                example: "ST_CoordDim(ST_Point(1, 2))"
            ) { $0.hasZ ? Int32(3) : 2 },
            unaryShape(
                "st_isempty", .boolean, "Whether the shape has no position.",
                example: "ST_IsEmpty(ST_Point(1, 2))"
            ) { $0.isEmpty },
            unaryShape(
                "st_isclosed", .boolean, "Whether every line ends where it begins.",
                example: "ST_IsClosed(ST_LineFromText('LINESTRING (0 0, 1 1)'))"
            ) { shape in
                guard shape.kind == .lineString || shape.kind == .multiLineString else {
                    throw invalid(
                        "ST_IsClosed only applies to LINE_STRING or MULTI_LINE_STRING. "
                            + "Input type is: \(called(shape.kind))")
                }
                let lines = shape.components.compactMap(\.rings.first)
                return !lines.isEmpty
                    && lines.allSatisfy { $0.first?.x == $0.last?.x && $0.first?.y == $0.last?.y }
            },
            unaryShape(
                "st_numpoints", .bigint, "How many positions the shape has.",
                example: "ST_NumPoints(ST_Point(1, 2))"
            ) { shape in
                var count: Int64 = 0
                shape.forEachPosition { _ in count += 1 }
                return count
            },
            unaryShape(
                "st_numgeometries", .bigint, "How many shapes it is made of.",
                example: "ST_NumGeometries(ST_Point(1, 2))"
            ) { Int64($0.components.count) },
            list(
                "st_geometries", "The shapes it is made of; NULL of an empty one.",
                example: "ST_Geometries(ST_Point(1, 2))"
            ) { $0.isEmpty ? nil : $0.components },
            place("st_geometryn", "The shape at a place, from 1; NULL beyond.", nil) {
                $0.components
            },
            place(
                "st_pointn", "The position of a line at a place, from 1; NULL beyond.", .lineString
            ) {
                points($0)
            },
            list(
                "st_points", "The positions of a shape as points; NULL of an empty one.",
                example: "ST_Points(ST_LineFromText('LINESTRING (0 0, 1 1)'))"
            ) { shape in
                var points: [Shape] = []
                shape.forEachPosition { points.append(.point($0, srid: shape.srid)) }
                return points.isEmpty ? nil : points
            },
            end("st_startpoint", "The first position of a line.") { $0.first },
            end("st_endpoint", "The last position of a line.") { $0.last },
        ] + rings

    private static func points(_ line: Shape) -> [Shape] {
        (line.rings.first ?? []).map { .point($0, srid: line.srid) }
    }

    private static func end(
        _ name: String, _ summary: String,
        _ body: @escaping @Sendable ([Shape.Position]) -> Shape.Position?
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry], geometry, summary,
            example: "\(name)(ST_LineFromText('LINESTRING (0 0, 1 1)'))", canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Shape? in
                let line = try shape(bytes, of: .lineString, for: name)
                return body(line.rings.first ?? []).map { .point($0, srid: line.srid) }
            })
    }

    /// The element at a place from 1 of what `body` gives.
    private static func place(
        _ name: String, _ summary: String, _ kind: Shape.Kind?,
        _ body: @escaping @Sendable (Shape) -> [Shape]
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry, .integer], geometry, summary,
            example: kind == .polygon
                ? "\(name)(ST_Polygon('POLYGON ((0 0, 9 0, 9 9, 0 0))'), 1)"
                : "\(name)(ST_LineFromText('LINESTRING (0 0, 1 1)'), 1)", canFail: true,
            kernel: binary { (bytes: Text, place: Int32) throws(QueryFault) -> Shape? in
                let shape = try Shape(bytes)
                if let kind { _ = try Self.shape(bytes, of: kind, for: name) }
                let elements = body(shape)
                return place >= 1 && Int(place) <= elements.count ? elements[Int(place) - 1] : nil
            })
    }

    private static let rings: [ScalarFunction] = [
        ScalarFunction(
            "st_exteriorring", [geometry], geometry, "The outer line of a polygon.",
            example: "ST_ExteriorRing(ST_Polygon('POLYGON ((0 0, 1 0, 1 1, 0 0))'))",
            canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Shape? in
                let polygon = try shape(bytes, of: .polygon, for: "ST_ExteriorRing")
                return polygon.rings.first.map {
                    Shape(.lineString, rings: [$0], srid: polygon.srid)
                }
            }),
        place("st_interiorringn", "The hole at a place, from 1, as a line; NULL beyond.", .polygon)
        {
            holes($0)
        },
        list(
            "st_interiorrings", "The holes of a polygon as lines; NULL of an empty one.",
            example: "ST_InteriorRings(ST_Polygon('POLYGON ((0 0, 9 0, 9 9, 0 0))'))"
        ) { polygon in
            guard polygon.kind == .polygon else {
                throw invalid(
                    "ST_InteriorRings only applies to POLYGON. Input type is: "
                        + called(polygon.kind))
            }
            return polygon.isEmpty ? nil : holes(polygon)
        },
        ScalarFunction(
            "st_numinteriorring", [geometry], .bigint, "How many holes a polygon has.",
            example: "ST_NumInteriorRing(ST_Polygon('POLYGON ((0 0, 9 0, 9 9, 0 0))'))",
            canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Int64 in
                let polygon = try shape(bytes, of: .polygon, for: "ST_NumInteriorRing")
                return Int64(max(polygon.rings.count - 1, 0))
            }),
    ]

    private static func holes(_ polygon: Shape) -> [Shape] {
        polygon.rings.dropFirst().map { Shape(.lineString, rings: [$0], srid: polygon.srid) }
    }
}
