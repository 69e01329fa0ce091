import Vectors

/// The aggregates that make and merge digests, and those over shapes. Their values are NULL over no rows.
enum SketchDeclarations {
    static let all: [AggregateFunction] = distinct + quantiles + sets + merges + shapes

    private static let distinct: [AggregateFunction] =
        [LogicalType.bigint, .double, .text, .varbinary].flatMap { type in
            [
                AggregateFunction(
                    name: "approx_set",
                    signature: .fixed([type], result: .opaque(.hyperLogLog)),
                    summary: "A sketch that knows about how many different values there are.",
                    example: "approx_set(x)"),
                AggregateFunction(
                    name: "approx_set",
                    signature: .fixed([type, .double], result: .opaque(.hyperLogLog)),
                    summary: "As `approx_set`, with the standard error wanted.",
                    example: "approx_set(x, 0.01)"),
            ]
        }

    private static let quantiles: [AggregateFunction] =
        [
            AggregateFunction(
                name: "tdigest_agg", signature: .fixed([.double], result: .opaque(.tdigest)),
                summary: "A digest that knows about every quantile of the values.",
                example: "tdigest_agg(x)"),
            AggregateFunction(
                name: "tdigest_agg",
                signature: .fixed([.double, .double], result: .opaque(.tdigest)),
                summary: "As `tdigest_agg`, weighted by the second argument.",
                example: "tdigest_agg(x, w)"),
        ]
        + [LogicalType.bigint, .real, .double].flatMap { type -> [AggregateFunction] in
            [
                ([type], "A digest that knows about every quantile of the values.", "x"),
                ([type, .bigint], "As `qdigest_agg`, weighted by the second argument.", "x, w"),
                (
                    [type, .bigint, .double],
                    "As `qdigest_agg`, weighted, with the greatest error wanted.", "x, w, 0.001"
                ),
            ].map { (types: [LogicalType], summary: String, arguments: String) in
                AggregateFunction(
                    name: "qdigest_agg",
                    signature: .fixed(types, result: .opaque(.qdigest(type))),
                    summary: summary, example: "qdigest_agg(\(arguments))")
            }
        }

    private static let sets: [AggregateFunction] =
        [LogicalType.bigint, .date, .text, .varbinary].map { type in
            AggregateFunction(
                name: "make_set_digest", signature: .fixed([type], result: .opaque(.setDigest)),
                summary: "A digest that is compared with those of other sets.",
                example: "make_set_digest(x)")
        } + [
            AggregateFunction(
                name: "merge_set_digest",
                signature: .fixed([.opaque(.setDigest)], result: .opaque(.setDigest)),
                summary: "The digest of the union of all sets.", example: "merge_set_digest(d)")
        ]

    private static let shapes: [AggregateFunction] = [
        (ShapeFolding.union, "The points of any of the shapes."),
        (.convexHull, "The least convex shape around all."),
        (.collection, "All shapes as one shape of several."),
    ].map { (folding: ShapeFolding, summary: String) in
        AggregateFunction(
            name: folding.rawValue,
            signature: .fixed([ShapeFunctions.geometry], result: ShapeFunctions.geometry),
            summary: summary, example: "\(folding.rawValue)(ST_Point(x, y))",
            isOrderSensitive: folding == .collection)
    }

    private static let merges: [AggregateFunction] = [
        AggregateFunction(
            name: "merge",
            signature: .rule(
                parameters: "HyperLogLog, P4HyperLogLog, qdigest(T) or tdigest",
                result: "same as the argument"
            ) { arguments in
                guard let type = AggregateDeclarations.single(arguments),
                    case .opaque(let digest) = type, digest.isDigest, digest != .setDigest
                else { return nil }
                return ([.value(type)], type)
            },
            summary: "The digest of all that the digests have seen.", example: "merge(d)")
    ]
}
