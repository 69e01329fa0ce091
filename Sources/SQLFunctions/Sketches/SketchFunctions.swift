import Vectors

/// Questions to digests. Source: Trino documentation, "HyperLogLog functions", "Quantile digest
/// functions", "T-Digest functions" and "Set Digest functions".
enum SketchFunctions {
    static let all: [ScalarFunction] = counts + quantiles + sets

    /// Exactly these types, so that NULL without a type goes to the arrays' functions of the same name.
    private static func exactly(_ types: [LogicalType], _ result: LogicalType) -> Signature {
        let text = types.map(\.description).joined(separator: ", ")
        return .values(text, "\(result)") { given in
            guard given.count == types.count, given.first == types.first else { return nil }
            return (types, result)
        }
    }

    private static let counts: [ScalarFunction] =
        [OpaqueType.hyperLogLog, .p4HyperLogLog].map { type in
            ScalarFunction(
                "cardinality", exactly([.opaque(type)], .bigint),
                "About how many different values the sketch has seen.",
                example: "cardinality(approx_set(x))", canFail: true,
                kernel: unary { (bytes: Text) in try HyperLogLog(Array(bytes)).cardinality })
        } + [
            ScalarFunction(
                "cardinality", exactly([.opaque(.setDigest)], .bigint),
                "About how many different values the digest has seen.",
                example: "cardinality(make_set_digest(x))", canFail: true,
                kernel: unary { (bytes: Text) in try SetDigest(Array(bytes)).cardinality }),
            ScalarFunction(
                "empty_approx_set", [], .opaque(.hyperLogLog), "A sketch that has seen nothing.",
                example: "empty_approx_set()", kernel: nullary { _ in HyperLogLog().serialized }),
        ]

    private static func checked(_ quantile: Double) throws(QueryFault) -> Double {
        guard quantile >= 0, quantile <= 1 else {
            throw invalid("quantile must be between 0 and 1: \(quantile)")
        }
        return quantile
    }

    private static func readers(
        _ type: LogicalType, _ result: LogicalType,
        _ reader: @escaping @Sendable ([UInt8]) throws -> (Double) -> UInt64?
    ) -> [ScalarFunction] {
        [
            ScalarFunction(
                "value_at_quantile", exactly([type, .double], result),
                "About the value that so great a part of all values is not above.",
                example: "value_at_quantile(tdigest_agg(x), 0.5)", canFail: true,
                kernel: { call in
                    let digests = call.input(0, as: Text.self)
                    let quantiles = call.input(1, as: Double.self)
                    call.rows { row -> Int64? in
                        let value = try reader(Array(digests[row]))
                        return value(try checked(quantiles[row])).map { Int64(bitPattern: $0) }
                    }
                }),
            ScalarFunction(
                "values_at_quantiles", exactly([type, .array(.double)], .array(result)),
                "As `value_at_quantile`, for several.",
                example: "values_at_quantiles(tdigest_agg(x), ARRAY[0.25, 0.75])", canFail: true,
                kernel: { call in
                    let digests = call.input(0, as: Text.self)
                    let lists = ListInput(call, 1)
                    let quantiles = Input<Double>(lists.elements)
                    call.lists { row, builder in
                        let value = try reader(Array(digests[row]))
                        for element in lists.rows(row) {
                            guard lists.elements.isValid(element) else {
                                throw invalid("a quantile is NULL")
                            }
                            guard let bits = value(try checked(quantiles[element])) else {
                                builder.children[0].pushNull()
                                continue
                            }
                            builder.children[0].push(bits)
                        }
                        return true
                    }
                }),
        ]
    }

    private static let quantiles: [ScalarFunction] =
        readers(.opaque(.tdigest), .double) { bytes in
            let digest = try TDigest(bytes)
            return { digest.value(at: $0)?.bitPattern }
        }
        + [LogicalType.bigint, .double, .real].flatMap { type -> [ScalarFunction] in
            let digestType = LogicalType.opaque(.qdigest(type))
            return readers(digestType, type) { bytes in
                let digest = try QuantileDigest(bytes)
                return { quantile in
                    digest.value(at: quantile).map { value in
                        switch type {
                        case .double: SortableBits.double(value).bitPattern
                        case .real: SortableBits.real(value).bitPattern
                        default: UInt64(bitPattern: value)
                        }
                    }
                }
            } + [
                ScalarFunction(
                    "quantile_at_value", exactly([digestType, type], .double),
                    "About the part of all values that is less; NULL outside of the values.",
                    example: "quantile_at_value(qdigest_agg(x), 5)", canFail: true,
                    kernel: { call in
                        let digests = call.input(0, as: Text.self)
                        let whole = call.input(1, as: Int64.self)
                        call.rows { row -> Double? in
                            let value: Int64
                            let number = Double(bitPattern: UInt64(bitPattern: whole[row]))
                            switch type {
                            case .double: value = SortableBits.of(number)
                            case .real: value = SortableBits.of(real: number)
                            default: value = whole[row]
                            }
                            return try QuantileDigest(Array(digests[row])).quantile(of: value)
                        }
                    })
            ]
        }

    private static let sets: [ScalarFunction] = [
        ScalarFunction(
            "intersection_cardinality", [.opaque(.setDigest), .opaque(.setDigest)], .bigint,
            "About how many values both sets have.",
            example: "intersection_cardinality(make_set_digest(x), make_set_digest(y))",
            canFail: true,
            kernel: binary { (left: Text, right: Text) in
                try SetDigest(Array(left)).intersection(SetDigest(Array(right)))
            }),
        ScalarFunction(
            "jaccard_index", [.opaque(.setDigest), .opaque(.setDigest)], .double,
            "About the part of all values of both sets that both have.",
            example: "jaccard_index(make_set_digest(x), make_set_digest(y))", canFail: true,
            kernel: binary { (left: Text, right: Text) in
                try SetDigest(Array(left)).similarity(SetDigest(Array(right)))
            }),
        ScalarFunction(
            "hash_counts", [.opaque(.setDigest)], .map(key: .bigint, value: .smallint),
            "The hashes that the digest keeps, and how often each came.",
            example: "hash_counts(make_set_digest(x))", canFail: true,
            kernel: { call in
                let digests = call.input(0, as: Text.self)
                call.lists { row, builder in
                    for entry in try SetDigest(Array(digests[row])).counts {
                        builder.children[0].push(entry.hash)
                        builder.children[1].push(Int32(entry.count))
                    }
                    return true
                }
            }),
    ]
}
