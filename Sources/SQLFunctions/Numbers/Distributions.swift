/// Probabilities of the normal, beta and Student's t distributions.
enum Distributions {
    /// P(X < x) of the standard normal distribution.
    static func normal(_ x: Double) -> Double {
        0.5 * Mathematics.complementaryError(-x / 2.0.squareRoot())
    }

    /// The inverse of `normal`, by Wichura's algorithm AS 241 (about 16 digits).
    static func inverseNormal(_ p: Double) -> Double {
        let q = p - 0.5
        func ratio(_ r: Double, _ above: [Double], _ below: [Double]) -> Double {
            above.reversed().reduce(0) { $0 * r + $1 } / below.reversed().reduce(0) { $0 * r + $1 }
        }
        if q.magnitude <= 0.425 {
            return q
                * ratio(
                    0.180625 - q * q,
                    [
                        3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                        1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                        3.3430575583588128105e4, 2.5090809287301226727e3,
                    ],
                    [
                        1, 4.2313330701600911252e1, 6.8718700749205790830e2,
                        5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                        2.8729085735721942674e4, 5.2264952788528545610e3,
                    ])
        }
        let r = (-Mathematics.logarithm(q < 0 ? p : 1 - p)).squareRoot()
        let value =
            r <= 5
            ? ratio(
                r - 1.6,
                [
                    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                    3.64784832476320460504e0, 1.27045825245236838258e0,
                    2.41780725177450611770e-1, 2.27238449892691845833e-2,
                    7.74545014278341407640e-4,
                ],
                [
                    1, 2.05319162663775882187e0, 1.67638483018380384940e0,
                    6.89767334985100004550e-1, 1.48103976427480074590e-1,
                    1.51986665636164571966e-2, 5.47593808499534494600e-4,
                    1.05075007164441684324e-9,
                ])
            : ratio(
                r - 5,
                [
                    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                    2.96560571828504891230e-1, 2.65321895265761230930e-2,
                    1.24266094738807843860e-3, 2.71155556874348757815e-5,
                    2.01033439929228813265e-7,
                ],
                [
                    1, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                    1.48753612908506148525e-2, 7.86869131145613259100e-4,
                    1.84631831751005468180e-5, 1.42151175831644588870e-7,
                    2.04426310338993978564e-15,
                ])
        return q < 0 ? -value : value
    }

    static func logGamma(_ x: Double) -> Double { Mathematics.logGamma(x) }

    /// The regularized incomplete beta function, by Lentz's continued fraction.
    /// Source: Numerical Recipes, section 6.4.
    static func beta(_ a: Double, _ b: Double, _ x: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let front = Mathematics.exponential(
            logGamma(a + b) - logGamma(a) - logGamma(b) + a * Mathematics.logarithm(x) + b
                * Mathematics.logarithmOfOnePlus(-x))
        // The fraction converges quickly on this side only.
        guard x < (a + 1) / (a + b + 2) else { return 1 - front * fraction(b, a, 1 - x) / b }
        return front * fraction(a, b, x) / a
    }

    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        let tiny = 1e-300
        func safe(_ value: Double) -> Double { value.magnitude < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / safe(1 - (a + b) * x / (a + 1))
        var h = d
        for step in 1...10_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / safe(1 + even * d)
            c = safe(1 + even / c)
            h *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / safe(1 + odd * d)
            c = safe(1 + odd / c)
            let delta = d * c
            h *= delta
            if (delta - 1).magnitude < 1e-16 { break }
        }
        return h
    }

    /// The inverse of `beta` in x, by halving the interval until it is as narrow as doubles are.
    static func inverseBeta(_ a: Double, _ b: Double, _ p: Double) -> Double {
        if p <= 0 { return 0 }
        if p >= 1 { return 1 }
        var low = 0.0
        var high = 1.0
        while true {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { return middle }
            if beta(a, b, middle) < p { low = middle } else { high = middle }
        }
    }

    /// P(T < x) of Student's t distribution.
    static func student(_ x: Double, _ freedom: Double) -> Double {
        let tail = 0.5 * beta(freedom / 2, 0.5, freedom / (freedom + x * x))
        return x > 0 ? 1 - tail : tail
    }

    /// The density of Student's t distribution.
    static func studentDensity(_ x: Double, _ freedom: Double) -> Double {
        Mathematics.exponential(
            logGamma((freedom + 1) / 2) - logGamma(freedom / 2)
                - 0.5 * Mathematics.logarithm(freedom * .pi) - (freedom + 1) / 2
                * Mathematics.logarithmOfOnePlus(x * x / freedom))
    }

    /// A bound of the Wilson score interval: `sign` -1 the lower, 1 the upper.
    static func wilson(_ successes: Double, _ trials: Double, _ z: Double, _ sign: Double) -> Double
    {
        let p = successes / trials
        let s = p + z * z / (2 * trials)
        let d = z * (p * (1 - p) / trials + z * z / (4 * trials * trials)).squareRoot()
        return (s + sign * d) / (1 + z * z / trials)
    }
}
