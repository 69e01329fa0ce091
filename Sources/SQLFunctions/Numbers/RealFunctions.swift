import Vectors

extension ScalarFunction {
    private static func real(
        _ name: String, aliases: [String] = [], _ summary: String, example: String,
        _ body: @escaping @Sendable (Double) -> Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases, [.double], .double, summary, example: example,
            kernel: unary { (x: Double) in body(x) })
    }

    private static func constant(
        _ name: String, _ summary: String, _ value: Double
    ) -> ScalarFunction {
        ScalarFunction(
            name, [], .double, summary, example: "\(name)()", kernel: nullary { _ in value })
    }

    private static func test(
        _ name: String, _ summary: String, example: String,
        _ body: @escaping @Sendable (Double) -> Bool
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.double], .boolean, summary, example: example,
            kernel: unary { (x: Double) in body(x) })
    }

    static let reals: [ScalarFunction] = [
        real("sqrt", "The square root.", example: "sqrt(16)") { $0.squareRoot() },
        real("cbrt", "The cube root.", example: "cbrt(27)", Mathematics.cubeRoot),
        real("exp", "e to the power.", example: "exp(1)", Mathematics.exponential),
        real("ln", "The natural logarithm.", example: "ln(e())", Mathematics.logarithm),
        real("log2", "The logarithm to base 2.", example: "log2(8)", Mathematics.logarithm2),
        real(
            "log10", "The logarithm to base 10.", example: "log10(1000)", Mathematics.logarithm10),
        ScalarFunction(
            "log", [.double, .double], .double, "The logarithm of the second to the first as base.",
            example: "log(2, 64)",
            kernel: binary { (base: Double, x: Double) in
                Mathematics.logarithm(x) / Mathematics.logarithm(base)
            }),
        ScalarFunction(
            "power", aliases: ["pow"], [.double, .double], .double,
            "The first to the power of the second.", example: "power(2, 10)",
            kernel: binary { (x: Double, y: Double) in Mathematics.power(x, y) }),
        real("degrees", "Radians as degrees.", example: "degrees(pi())") { $0 * 180 / .pi },
        real("radians", "Degrees as radians.", example: "radians(180)") { $0 / 180 * .pi },
        real("sin", "The sine of radians.", example: "sin(0)", Mathematics.sine),
        real("cos", "The cosine of radians.", example: "cos(0)", Mathematics.cosine),
        real("tan", "The tangent of radians.", example: "tan(0)", Mathematics.tangent),
        real("asin", "The arc sine.", example: "asin(1)", Mathematics.arcSine),
        real("acos", "The arc cosine.", example: "acos(1)", Mathematics.arcCosine),
        real("atan", "The arc tangent.", example: "atan(1)", Mathematics.arcTangent),
        real("sinh", "The hyperbolic sine.", example: "sinh(0)", Mathematics.hyperbolicSine),
        real("cosh", "The hyperbolic cosine.", example: "cosh(0)", Mathematics.hyperbolicCosine),
        real("tanh", "The hyperbolic tangent.", example: "tanh(0)", Mathematics.hyperbolicTangent),
        ScalarFunction(
            "atan2", [.double, .double], .double, "The angle of the point (x, y), given y and x.",
            example: "atan2(1, 1)",
            kernel: binary { (y: Double, x: Double) in Mathematics.arcTangent2(y, x) }),
        constant("pi", "The ratio of a circle's circumference to its diameter.", .pi),
        constant("e", "Euler's number.", 2.718281828459045),
        constant("nan", "The value that is not a number.", .nan),
        constant("infinity", "Positive infinity.", .infinity),
        test("is_nan", "Whether it is not a number.", example: "is_nan(nan())") { $0.isNaN },
        test("is_finite", "Whether it is finite.", example: "is_finite(1)") { $0.isFinite },
        test("is_infinite", "Whether it is infinite.", example: "is_infinite(infinity())") {
            $0.isInfinite
        },
    ]
}
