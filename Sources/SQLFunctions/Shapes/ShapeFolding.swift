import Geometry

/// What aggregates make of all shapes of a group.
package enum ShapeFolding: String, Sendable {
    case union = "geometry_union_agg"
    case convexHull = "convex_hull_agg"
    case collection = "geometry_collect_agg"

    /// The shape that is made of shapes, in the bytes in which shapes lie in vectors. Throws where their
    /// spatial references differ, and where GEOS is needed and not installed.
    package func fold(_ shapes: [UnsafeBufferPointer<UInt8>]) throws(QueryFault) -> [UInt8] {
        var parts: [Shape] = []
        parts.reserveCapacity(shapes.count)
        for bytes in shapes { parts.append(try Shape(bytes)) }
        let srid = try ShapeFunctions.commonReference(parts)
        if self == .collection { return Shape.collected(parts, srid: srid).bytes() }
        let all = Shape(.collection, parts: parts, srid: srid).bytes()
        let work = ShapeWork()
        let context = try work.open()
        return try work.translating { () throws(GeometryError) in
            let parsed = try context.parse(all)
            return try parsed.derived(self == .union ? .union : .convexHull).bytes
        }
    }
}

extension Shape {
    /// Shapes as one of several: points as points, lines as lines, and so on, others as a collection.
    static func collected(_ parts: [Shape], srid: Int32) -> Shape {
        var kind = Kind.collection
        if let first = parts.first?.kind, parts.allSatisfy({ $0.kind == first }) {
            kind =
                switch first {
                case .point: .multiPoint
                case .lineString: .multiLineString
                case .polygon: .multiPolygon
                default: .collection
                }
        }
        return Shape(kind, parts: parts, srid: srid)
    }
}
