/// A shape in GEOS' memory; lives with its context, on its thread.
package final class ParsedGeometry {
    private let shape: GEOSLibrary.Shape
    private let context: GeometryContext
    /// Made for shapes that are asked again and again.
    private var prepared: OpaquePointer?
    private var questionCount = 0

    init(_ shape: GEOSLibrary.Shape, _ context: GeometryContext) {
        self.shape = shape
        self.context = context
    }

    deinit {
        if let prepared { context.library.destroyPrepared(context.handle, prepared) }
        context.library.destroyShape(context.handle, shape)
    }

    /// How two shapes may lie. Source: OGC Simple Feature Access, 6.1.15.
    package enum Relation: String, Sendable, CaseIterable {
        case contains, crosses, disjoint, equals, intersects, overlaps, touches, within

        fileprivate var name: String {
            "GEOS" + rawValue.prefix(1).uppercased() + rawValue.dropFirst() + "_r"
        }

        /// The name of the faster function of prepared shapes; nil where there is none.
        fileprivate var preparedName: String? {
            self == .equals
                ? nil
                : "GEOSPrepared" + rawValue.prefix(1).uppercased() + rawValue.dropFirst() + "_r"
        }
    }

    /// What two shapes make.
    package enum Combination: String, Sendable {
        case intersection = "GEOSIntersection_r"
        case union = "GEOSUnion_r"
        case difference = "GEOSDifference_r"
        case symmetricDifference = "GEOSSymDifference_r"
    }

    /// What one shape makes.
    package enum Derivation: String, Sendable {
        case boundary = "GEOSBoundary_r"
        case centroid = "GEOSGetCentroid_r"
        case convexHull = "GEOSConvexHull_r"
        case pointOnSurface = "GEOSPointOnSurface_r"
        case orientedEnvelope = "GEOSMinimumRotatedRectangle_r"
        case union = "GEOSUnaryUnion_r"
        case lineMerge = "GEOSLineMerge_r"
    }

    /// What is asked of one shape.
    package enum Question: String, Sendable {
        case isValid = "GEOSisValid_r"
        case isSimple = "GEOSisSimple_r"
        case isRing = "GEOSisRing_r"
    }

    /// The shape as EWKB.
    package var bytes: [UInt8] {
        get throws(GeometryError) { try context.bytes(shape) }
    }

    /// Whether the shapes lie so to each other.
    package func relates(_ relation: Relation, to other: ParsedGeometry) throws(GeometryError)
        -> Bool
    {
        questionCount += 1
        // From the third question on, an index over the edges pays.
        if questionCount == 3, prepared == nil, relation.preparedName != nil {
            prepared = context.library.prepare(context.handle, shape)
        }
        let isPrepared = prepared != nil && relation.preparedName != nil
        let ask: GEOSLibrary.Relation = try context.library.function(
            isPrepared ? relation.preparedName ?? relation.name : relation.name)
        return try context.truth(
            ask(context.handle, isPrepared ? prepared : shape, other.shape))
    }

    /// Whether the intersection matrix fits a pattern of nine characters.
    package func relates(pattern: String, to other: ParsedGeometry) throws(GeometryError) -> Bool {
        let ask:
            @convention(c) (OpaquePointer, OpaquePointer?, OpaquePointer?, UnsafePointer<CChar>) ->
                CChar =
                try context.library.function("GEOSRelatePattern_r")
        return try context.truth(
            pattern.withCString { ask(context.handle, shape, other.shape, $0) })
    }

    /// What the shapes make together.
    package func combined(
        _ combination: Combination, with other: ParsedGeometry
    ) throws(GeometryError) -> ParsedGeometry {
        let make: GEOSLibrary.Binary = try context.library.function(combination.rawValue)
        return try context.own(make(context.handle, shape, other.shape))
    }

    /// What is made of the shape.
    package func derived(_ derivation: Derivation) throws(GeometryError) -> ParsedGeometry {
        let make: GEOSLibrary.Unary = try context.library.function(derivation.rawValue)
        return try context.own(make(context.handle, shape))
    }

    /// What GEOS says to a question.
    package func answers(_ question: Question) throws(GeometryError) -> Bool {
        let ask: GEOSLibrary.Question = try context.library.function(question.rawValue)
        return try context.truth(ask(context.handle, shape))
    }

    /// Why the shape is not valid; nil when it is.
    package func invalidReason() throws(GeometryError) -> String? {
        if try answers(.isValid) { return nil }
        let ask: @convention(c) (OpaquePointer, OpaquePointer?) -> UnsafeMutablePointer<CChar>? =
            try context.library.function("GEOSisValidReason_r")
        guard let text = ask(context.handle, shape) else { throw context.failure() }
        defer { context.library.free(context.handle, text) }
        return String(cString: text)
    }

    /// The least distance between points of both.
    package func distance(to other: ParsedGeometry) throws(GeometryError) -> Double {
        let ask:
            @convention(c) (
                OpaquePointer, OpaquePointer?, OpaquePointer?, UnsafeMutablePointer<Double>
            ) -> Int32 = try context.library.function("GEOSDistance_r")
        var distance = 0.0
        guard ask(context.handle, shape, other.shape, &distance) == 1 else {
            throw context.failure()
        }
        return distance
    }

    /// All points at most so far away; a quarter of a circle is drawn in `segments`.
    package func buffered(
        by distance: Double, segments: Int32
    ) throws(GeometryError) -> ParsedGeometry {
        let make: @convention(c) (OpaquePointer, OpaquePointer?, Double, Int32) -> OpaquePointer? =
            try context.library.function("GEOSBuffer_r")
        return try context.own(make(context.handle, shape, distance, segments))
    }

    /// Fewer points, none further than the tolerance from the line, and still valid.
    package func simplified(_ tolerance: Double) throws(GeometryError) -> ParsedGeometry {
        let make: @convention(c) (OpaquePointer, OpaquePointer?, Double) -> OpaquePointer? =
            try context.library.function("GEOSTopologyPreserveSimplify_r")
        return try context.own(make(context.handle, shape, tolerance))
    }

    /// The point at a fraction of the line's length.
    package func point(atFraction fraction: Double) throws(GeometryError) -> ParsedGeometry {
        let make: @convention(c) (OpaquePointer, OpaquePointer?, Double) -> OpaquePointer? =
            try context.library.function("GEOSInterpolateNormalized_r")
        return try context.own(make(context.handle, shape, fraction))
    }

    /// The fraction of the line's length at which it is nearest to a point.
    package func fraction(nearestTo point: ParsedGeometry) throws(GeometryError) -> Double {
        let ask: @convention(c) (OpaquePointer, OpaquePointer?, OpaquePointer?) -> Double =
            try context.library.function("GEOSProjectNormalized_r")
        let fraction = ask(context.handle, shape, point.shape)
        guard fraction >= 0 else { throw context.failure() }
        return fraction
    }
}
