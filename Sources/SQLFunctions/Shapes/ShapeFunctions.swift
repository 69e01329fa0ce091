import Vectors

/// Functions of the plane and of the sphere. Source: Trino documentation, "Geospatial functions".
enum ShapeFunctions {
    static let all: [ScalarFunction] =
        constructors + texts + coordinates + structure + relations + measures + operations + sphere

    static let geometry = LogicalType.opaque(.geometry)

    /// The kind as messages call it.
    static func called(_ kind: Shape.Kind) -> String {
        switch kind {
        case .point: "POINT"
        case .lineString: "LINE_STRING"
        case .polygon: "POLYGON"
        case .multiPoint: "MULTI_POINT"
        case .multiLineString: "MULTI_LINE_STRING"
        case .multiPolygon: "MULTI_POLYGON"
        case .collection: "GEOMETRY_COLLECTION"
        }
    }

    /// The shape, which must be of a kind.
    static func shape(
        _ bytes: Text, of kinds: Shape.Kind..., for function: String
    ) throws(QueryFault) -> Shape {
        let shape = try Shape(bytes)
        guard kinds.contains(shape.kind) else {
            let names = kinds.map(called).joined(separator: " or ")
            throw invalid(
                "\(function) only applies to \(names). Input type is: \(called(shape.kind))")
        }
        return shape
    }

    /// The one spatial reference that shapes have; 0 is none.
    static func commonReference(_ shapes: [Shape]) throws(QueryFault) -> Int32 {
        var common: Int32 = 0
        for shape in shapes where shape.srid != 0 {
            guard common == 0 || common == shape.srid else {
                throw invalid("SRIDs do not match: \(common) and \(shape.srid)")
            }
            common = shape.srid
        }
        return common
    }

    /// A function of one shape that gives what `body` makes of it.
    static func unaryShape<Result: KernelOutput>(
        _ name: String, _ result: LogicalType, _ summary: String, example: String,
        _ body: @escaping @Sendable (Shape) throws -> Result
    ) -> ScalarFunction {
        ScalarFunction(
            name, [geometry], result, summary, example: example, canFail: true,
            kernel: unary { (bytes: Text) in try body(try Shape(bytes)) })
    }

    /// The shapes of a row of an array argument.
    static func shapes(_ lists: ListInput, _ row: Int) throws(QueryFault) -> [Shape?] {
        let elements = Input<Text>(lists.elements)
        var result: [Shape?] = []
        for place in lists.rows(row) {
            result.append(lists.elements.isValid(place) ? try Shape(elements[place]) : nil)
        }
        return result
    }

    /// A function of an array of shapes.
    static func ofArray<Result: KernelOutput>(
        _ name: String, _ result: LogicalType, _ summary: String, example: String,
        _ body: @escaping @Sendable ([Shape?]) throws -> Result
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.array(geometry)], result, summary, example: example, canFail: true,
            kernel: { call in
                let lists = ListInput(call, 0)
                call.rows { row in try body(try shapes(lists, row)) }
            })
    }
}

extension ShapeFunctions {
    static let constructors: [ScalarFunction] = [
        ScalarFunction(
            "st_point", [.double, .double], geometry, "The point at x and y.",
            example: "ST_Point(1, 2)",
            kernel: binary { (x: Double, y: Double) in Shape.point(.init(x: x, y: y)) }),
        ScalarFunction(
            "st_point", [.double, .double, .integer], geometry,
            "The point at x and y with a spatial reference.", example: "ST_Point(1, 2, 4326)",
            kernel: ternary { (x: Double, y: Double, srid: Int32) in
                Shape.point(.init(x: x, y: y), srid: srid)
            }),
        ScalarFunction(
            "st_point", [.double, .double, .double], geometry, "The point at x, y and z.",
            example: "ST_Point(1, 2, DOUBLE '3')", canFail: true,
            kernel: ternary { (x: Double, y: Double, z: Double) throws(QueryFault) -> Shape in
                guard z.isFinite else { throw invalid("z must be finite: \(z)") }
                return Shape.point(.init(x: x, y: y, z: z))
            }),
        ofArray(
            "st_linestring", geometry, "The line through the points.",
            example: "ST_LineString(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])"
        ) { points in
            var line: [Shape.Position] = []
            for point in points {
                guard let point else { throw invalid("Invalid input to ST_LineString: null point") }
                guard point.kind == .point else {
                    throw invalid("ST_LineString takes only an array of points")
                }
                guard let position = point.first else { continue }
                if line.last == position {
                    throw invalid("Invalid input to ST_LineString: consecutive duplicate points")
                }
                line.append(position)
            }
            let srid = try commonReference(points.compactMap { $0 })
            return Shape(.lineString, rings: line.count < 2 ? [] : [line], srid: srid)
        },
        ofArray(
            "st_multipoint", geometry, "The points as one shape; NULL of none.",
            example: "ST_MultiPoint(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])"
        ) { points -> Shape? in
            for point in points {
                guard let point, point.kind == .point, !point.isEmpty else {
                    throw invalid("ST_MultiPoint takes only an array of points that are not empty")
                }
            }
            let parts = points.compactMap { $0 }
            if parts.isEmpty { return nil }
            return Shape(.multiPoint, parts: parts, srid: try commonReference(parts))
        },
        ofArray(
            "st_collect", geometry, "The shapes as one; NULLs are left out.",
            example: "ST_Collect(ARRAY[ST_Point(1, 2), ST_Point(3, 4)])"
        ) { shapes in
            let parts = shapes.compactMap { $0 }
            return Shape.collected(parts, srid: try commonReference(parts))
        },
    ]

    static let texts: [ScalarFunction] = [
        ScalarFunction(
            "st_geometryfromtext", [.text], geometry, "The shape of a well-known text.",
            example: "ST_GeometryFromText('POINT (1 2)')", canFail: true,
            kernel: unary { (text: Text) in try Shape(text: text) }),
        ScalarFunction(
            "st_geomfromewkt", [.text], geometry,
            "The shape of a well-known text with a spatial reference.",
            example: "ST_GeomFromEWKT('SRID=4326;POINT (1 2)')", canFail: true,
            kernel: unary { (text: Text) in try Shape(text: text, allowsSRID: true) }),
        typed("st_linefromtext", .lineString, "The line of a well-known text."),
        typed("st_polygon", .polygon, "The polygon of a well-known text."),
        ScalarFunction(
            "st_geomfrombinary", [.varbinary], geometry, "The shape of well-known binary.",
            example: "ST_GeomFromBinary(ST_AsBinary(ST_Point(1, 2)))", canFail: true,
            kernel: unary { (bytes: Text) in try Shape(bytes) }),
        unaryShape(
            "st_astext", .text, "The well-known text of a shape.",
            example: "ST_AsText(ST_Point(1, 2))"
        ) { $0.text },
        unaryShape(
            "st_asewkt", .text, "The well-known text with the spatial reference.",
            example: "ST_AsEWKT(ST_Point(1, 2, 4326))"
        ) { $0.srid == 0 ? $0.text : "SRID=\($0.srid);" + $0.text },
        unaryShape(
            "st_asbinary", .varbinary, "The well-known binary of a shape.",
            example: "ST_AsBinary(ST_Point(1, 2))"
        ) { $0.bytes(.standard) },
        unaryShape(
            "st_asewkb", .varbinary, "The well-known binary with the spatial reference.",
            example: "ST_AsEWKB(ST_Point(1, 2, 4326))"
        ) { $0.bytes() },
    ]

    private static func typed(_ name: String, _ kind: Shape.Kind, _ summary: String)
        -> ScalarFunction
    {
        let example =
            kind == .polygon ? "'POLYGON ((0 0, 1 0, 1 1, 0 0))'" : "'LINESTRING (0 0, 1 1)'"
        return ScalarFunction(
            name, [.text], geometry, summary, example: "\(name)(\(example))", canFail: true,
            kernel: unary { (text: Text) throws(QueryFault) -> Shape in
                let shape = try Shape(text: text)
                guard shape.kind == kind else {
                    throw invalid(
                        "\(name) only applies to \(called(kind)). Input type is: "
                            + called(shape.kind))
                }
                return shape
            })
    }
}
