import Vectors

extension ScalarFunction {
    /// Functions of probability, and the distance on a sphere.
    static let statistics: [ScalarFunction] = [
        threeReals(
            "normal_cdf",
            "The normal distribution's probability below a value: mean, deviation, value.",
            example: "normal_cdf(0, 1, 1.96)"
        ) { mean, deviation, value in
            guard deviation > 0 else { throw invalid("standardDeviation must be > 0") }
            return Distributions.normal((value - mean) / deviation)
        },
        threeReals(
            "inverse_normal_cdf",
            "The value below which a normal variable is with a probability: mean, deviation, probability.",
            example: "inverse_normal_cdf(0, 1, 0.3)"
        ) { mean, deviation, p in
            guard p > 0, p < 1 else { throw invalid("p must be 0 > p > 1") }
            guard deviation > 0 else { throw invalid("sd must be > 0") }
            return mean + deviation * Distributions.inverseNormal(p)
        },
        threeReals(
            "beta_cdf", "The beta distribution's probability below a value: a, b, value.",
            example: "beta_cdf(3, 3.6, 0.3)"
        ) { a, b, value in
            guard value >= 0, value <= 1 else {
                throw invalid("value must be 0 >= v >= 1")
            }
            guard a > 0, b > 0 else { throw invalid("a, b must be > 0") }
            return Distributions.beta(a, b, value)
        },
        threeReals(
            "inverse_beta_cdf",
            "The value below which a beta variable is with a probability: a, b, probability.",
            example: "inverse_beta_cdf(3, 3.6, 0.3)"
        ) { a, b, p in
            guard p >= 0, p <= 1 else { throw invalid("p must be 0 >= p >= 1") }
            guard a > 0, b > 0 else { throw invalid("a, b must be > 0") }
            return Distributions.inverseBeta(a, b, p)
        },
        student("t_cdf", "Student's t distribution's probability below a value.") {
            Distributions.student($0, $1)
        },
        student("t_pdf", "The density of Student's t distribution.") {
            Distributions.studentDensity($0, $1)
        },
        wilson("wilson_interval_lower", "lower", -1), wilson("wilson_interval_upper", "upper", 1),
        ScalarFunction(
            "great_circle_distance", [.double, .double, .double, .double], .double,
            "Kilometres on the Earth between two points of latitude and longitude in degrees.",
            example: "great_circle_distance(36.12, -86.67, 33.94, -118.40)", canFail: true,
            kernel: { call in
                let inputs = (0..<4).map { call.input($0, as: Double.self) }
                call.rows { row in
                    try greatCircle(
                        (inputs[0][row], inputs[1][row]), (inputs[2][row], inputs[3][row]))
                }
            }),
    ]

    private static func threeReals(
        _ name: String, _ summary: String, example: String,
        _ body: @escaping @Sendable (Double, Double, Double) throws -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.double, .double, .double], .double, summary, example: example, canFail: true,
            kernel: ternary(body))
    }

    private static func student(
        _ name: String, _ summary: String, _ body: @escaping @Sendable (Double, Double) -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.double, .double], .double, summary, example: "\(name)(1.0, 10)", canFail: true,
            kernel: binary { (x: Double, freedom: Double) -> Double in
                guard freedom > 0 else { throw invalid("df must be greater than 0") }
                return body(x, freedom)
            })
    }

    private static func wilson(_ name: String, _ side: String, _ sign: Double) -> ScalarFunction {
        ScalarFunction(
            name, [.bigint, .bigint, .double], .double,
            "The \(side) bound of the Wilson score interval: successes, trials, z.",
            example: "\(name)(1250, 1310, 1.96)", canFail: true,
            kernel: ternary { (successes: Int64, trials: Int64, z: Double) -> Double in
                guard successes >= 0 else {
                    throw invalid("number of successes must not be negative")
                }
                guard trials > 0 else { throw invalid("number of trials must be positive") }
                guard successes <= trials else {
                    throw invalid(
                        "number of successes must not be larger than number of trials")
                }
                guard z >= 0 else { throw invalid("z-score must not be negative") }
                return Distributions.wilson(Double(successes), Double(trials), z, sign)
            })
    }

    /// Source: Vincenty's formula for equal axes; the radius is that of Trino.
    private static func greatCircle(
        _ from: (latitude: Double, longitude: Double), _ to: (latitude: Double, longitude: Double)
    ) throws -> Double {
        for point in [from, to] {
            guard (-90...90).contains(point.latitude) else {
                throw invalid("Latitude must be between -90 and 90")
            }
            guard (-180...180).contains(point.longitude) else {
                throw invalid("Longitude must be between -180 and 180")
            }
        }
        let first = from.latitude / 180 * .pi
        let second = to.latitude / 180 * .pi
        let delta = (from.longitude - to.longitude) / 180 * .pi
        let (sin1, cos1) = (Mathematics.sine(first), Mathematics.cosine(first))
        let (sin2, cos2) = (Mathematics.sine(second), Mathematics.cosine(second))
        let cosDelta = Mathematics.cosine(delta)
        let x = cos2 * Mathematics.sine(delta)
        let y = cos1 * sin2 - sin1 * cos2 * cosDelta
        let z = sin1 * sin2 + cos1 * cos2 * cosDelta
        return Mathematics.arcTangent2((x * x + y * y).squareRoot(), z) * 6371.01
    }
}
