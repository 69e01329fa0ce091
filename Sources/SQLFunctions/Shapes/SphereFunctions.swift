import Vectors

extension ShapeFunctions {
    private static let geography = LogicalType.opaque(.sphericalGeography)

    /// Functions of the Earth as a sphere.
    static let sphere: [ScalarFunction] = [
        ScalarFunction(
            "to_spherical_geography", [geometry], geography,
            "The shape with x and y as degrees of longitude and latitude.",
            example: "to_spherical_geography(ST_Point(-71.09, 42.36))", canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Shape in
                var shape = try Shape(bytes)
                guard !shape.hasZ else {
                    throw invalid("Cannot convert 3D geometry to a spherical geography")
                }
                var problem: QueryFault?
                shape.forEachPosition { position in
                    do throws(QueryFault) {
                        try Sphere.check(latitude: position.y, longitude: position.x)
                    } catch { problem = problem ?? error }
                }
                if let problem { throw problem }
                shape.srid = 0
                return shape
            }),
        ScalarFunction(
            "to_geometry", [geography], geometry, "The shape with degrees as x and y.",
            example: "to_geometry(to_spherical_geography(ST_Point(-71.09, 42.36)))", canFail: true,
            kernel: unary { (bytes: Text) in try Shape(bytes) }),
        ScalarFunction(
            "great_circle_distance", [.double, .double, .double, .double], .double,
            "Kilometres between two places: latitude and longitude of each.",
            example: "great_circle_distance(36.12, -86.67, 33.94, -118.40)", canFail: true,
            kernel: { call in
                let degrees = (0..<4).map { call.input($0, as: Double.self) }
                call.rows { row -> Double in
                    let from = (latitude: degrees[0][row], longitude: degrees[1][row])
                    let to = (latitude: degrees[2][row], longitude: degrees[3][row])
                    try Sphere.check(latitude: from.latitude, longitude: from.longitude)
                    try Sphere.check(latitude: to.latitude, longitude: to.longitude)
                    return Sphere.angle(
                        .init(x: from.longitude, y: from.latitude),
                        .init(x: to.longitude, y: to.latitude)) * Sphere.radiusKilometers
                }
            }),
        ScalarFunction(
            "st_distance", [geography, geography], .double, "Metres between two points.",
            example:
                "ST_Distance(to_spherical_geography(ST_Point(0, 0)), to_spherical_geography(ST_Point(1, 1)))",
            canFail: true,
            kernel: binary { (left: Text, right: Text) throws(QueryFault) -> Double? in
                let shapes = (try Shape(left), try Shape(right))
                for shape in [shapes.0, shapes.1] where shape.kind != .point {
                    throw invalid(
                        "When applied to SphericalGeography inputs, ST_Distance only supports "
                            + "POINT. Input type is: \(called(shape.kind))")
                }
                guard let from = shapes.0.first, let to = shapes.1.first else { return nil }
                return Sphere.angle(from, to) * Sphere.radiusMeters
            }),
        ScalarFunction(
            "st_length", [geography], .double, "Metres along a line.",
            example:
                "ST_Length(to_spherical_geography(ST_LineFromText('LINESTRING (0 0, 1 1)')))",
            canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Double in
                let shape = try shape(bytes, of: .lineString, .multiLineString, for: "ST_Length")
                return shape.components.compactMap(\.rings.first).reduce(0) { sum, line in
                    zip(line, line.dropFirst()).reduce(sum) { $0 + Sphere.angle($1.0, $1.1) }
                } * Sphere.radiusMeters
            }),
        ScalarFunction(
            "st_area", [geography], .double, "Square metres of a polygon.",
            example:
                "ST_Area(to_spherical_geography(ST_Polygon('POLYGON ((0 0, 1 0, 1 1, 0 0))')))",
            canFail: true,
            kernel: unary { (bytes: Text) throws(QueryFault) -> Double in
                let shape = try shape(bytes, of: .polygon, .multiPolygon, for: "ST_Area")
                var excess = 0.0
                for polygon in shape.components {
                    guard let outer = polygon.rings.first else { continue }
                    excess += Sphere.excess(outer)
                    for hole in polygon.rings.dropFirst() { excess -= Sphere.excess(hole) }
                }
                return excess * Sphere.radiusMeters * Sphere.radiusMeters
            }),
    ]
}

/// The Earth as a sphere of Trino's radius.
enum Sphere {
    static let radiusKilometers = 6_371.01
    static let radiusMeters = 6_371_010.0

    static func check(latitude: Double, longitude: Double) throws(QueryFault) {
        guard (-90...90).contains(latitude) else {
            throw invalid("Latitude must be between -90 and 90: \(latitude)")
        }
        guard (-180...180).contains(longitude) else {
            throw invalid("Longitude must be between -180 and 180: \(longitude)")
        }
    }

    private static func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }

    /// The angle between two places, in radians; exact for near and opposite ones.
    /// Source: Vincenty's formula on a sphere.
    static func angle(_ from: Shape.Position, _ to: Shape.Position) -> Double {
        let (sin1, cos1) = (Mathematics.sine(radians(from.y)), Mathematics.cosine(radians(from.y)))
        let (sin2, cos2) = (Mathematics.sine(radians(to.y)), Mathematics.cosine(radians(to.y)))
        let delta = radians(from.x) - radians(to.x)
        let cosDelta = Mathematics.cosine(delta)
        let across = cos2 * Mathematics.sine(delta)
        let along = cos1 * sin2 - sin1 * cos2 * cosDelta
        let towards = sin1 * sin2 + cos1 * cos2 * cosDelta
        return Mathematics.arcTangent2(
            (across * across + along * along).squareRoot(), towards)
    }

    /// The spherical excess of a ring, which is its area on a sphere of radius 1.
    ///
    /// Each edge adds the excess of the quadrangle between it and the equator; around a pole these add up
    /// to the other side of the hemisphere. Source: Karney, "Algorithms for geodesics", section 6, on a
    /// sphere.
    static func excess(_ ring: [Shape.Position]) -> Double {
        var excess = 0.0
        var turn = 0.0
        for (from, to) in zip(ring, ring.dropFirst()) {
            var delta = radians(to.x - from.x)
            if delta > .pi { delta -= 2 * .pi }
            if delta < -.pi { delta += 2 * .pi }
            turn += delta
            let (low, high) = (
                Mathematics.tangent(radians(from.y) / 2), Mathematics.tangent(radians(to.y) / 2)
            )
            excess +=
                2
                * Mathematics.arcTangent2(
                    Mathematics.tangent(delta / 2) * (low + high), 1 + low * high)
        }
        if turn.magnitude > .pi { return 2 * .pi - excess.magnitude }
        return excess.magnitude
    }
}
