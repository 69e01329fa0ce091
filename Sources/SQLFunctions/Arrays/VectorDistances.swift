import Vectors

extension ScalarFunction {
    /// Distances of vectors: arrays of numbers, or maps from a dimension to a number.
    static let distances: [ScalarFunction] = [
        dense("dot_product", "The sum of the products of the elements.") { x, y in dot(x, y) },
        dense("euclidean_distance", "The length of the difference of two vectors.") { x, y in
            var sum = 0.0
            for (a, b) in zip(x, y) { sum += (a - b) * (a - b) }
            return sum.squareRoot()
        },
        dense("cosine_similarity", "The cosine of the angle between two vectors.") { x, y in
            try similarity(dot(x, y), dot(x, x), dot(y, y))
        },
        dense("cosine_distance", "One less the cosine of the angle between two vectors.") { x, y in
            1 - (try similarity(dot(x, y), dot(x, x), dot(y, y)))
        },
        sparse("cosine_similarity", "The cosine of the angle between two sparse vectors.") { $0 },
        sparse("cosine_distance", "One less the cosine between two sparse vectors.") { 1 - $0 },
    ]

    private static func dot(_ x: [Double], _ y: [Double]) -> Double {
        var sum = 0.0
        for (a, b) in zip(x, y) { sum += a * b }
        return sum
    }

    private static func similarity(_ product: Double, _ x: Double, _ y: Double) throws -> Double {
        guard x != 0, y != 0 else { throw invalid("Vector magnitude cannot be zero") }
        return product / (x.squareRoot() * y.squareRoot())
    }

    private static func dense(
        _ name: String, _ summary: String,
        _ body: @escaping @Sendable ([Double], [Double]) throws -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.array(.double), .array(.double)], .double, summary,
            example: "\(name)(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])", canFail: true,
            kernel: { call in
                let lists = [ListInput(call, 0), ListInput(call, 1)]
                call.rows { row -> Double? in
                    var vectors: [[Double]] = []
                    for list in lists {
                        var vector: [Double] = []
                        for place in list.rows(row) {
                            guard list.elements.isValid(place) else { return nil }
                            vector.append(list.elements.value(place, as: Double.self))
                        }
                        vectors.append(vector)
                    }
                    guard vectors[0].count == vectors[1].count else {
                        throw invalid("The arguments must have the same length")
                    }
                    return try body(vectors[0], vectors[1])
                }
            })
    }

    private static func sparse(
        _ name: String, _ summary: String, _ body: @escaping @Sendable (Double) -> Double
    ) -> ScalarFunction {
        let type = LogicalType.map(key: .text, value: .double)
        return ScalarFunction(
            name, [type, type], .double, summary,
            example: "\(name)(MAP(ARRAY['a'], ARRAY[1.0]), MAP(ARRAY['a'], ARRAY[2.0]))",
            kernel: { call in
                let maps = [ListInput(call, 0), ListInput(call, 1)]
                call.rows { row -> Double? in
                    var vectors: [[String: Double]] = []
                    for map in maps {
                        var vector: [String: Double] = [:]
                        for place in map.rows(row) {
                            guard map.values.isValid(place) else { return nil }
                            vector[map.elements.string(place).string] = map.values.value(
                                place, as: Double.self)
                        }
                        vectors.append(vector)
                    }
                    func length(_ vector: [String: Double]) -> Double {
                        vector.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    }
                    let lengths = length(vectors[0]) * length(vectors[1])
                    guard lengths != 0 else { return nil }
                    var product = 0.0
                    for (key, value) in vectors[0] { product += value * (vectors[1][key] ?? 0) }
                    return body(product / lengths)
                }
            })
    }
}
