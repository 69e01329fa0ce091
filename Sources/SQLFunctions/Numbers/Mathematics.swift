import Glibc

// The functions of the C library's mathematics that SQL has; nothing here does I/O.

enum Mathematics {
    @Sendable static func exponential(_ x: Double) -> Double { exp(x) }
    @Sendable static func logarithm(_ x: Double) -> Double { log(x) }
    @Sendable static func logarithm2(_ x: Double) -> Double { log2(x) }
    @Sendable static func logarithm10(_ x: Double) -> Double { log10(x) }
    /// The library's root is off by a unit in the last place now and then, of 27 for one: a step of
    /// Newton's with the exact remainder mends that.
    @Sendable static func cubeRoot(_ x: Double) -> Double {
        let root = cbrt(x)
        guard root.isFinite, x.magnitude > 1e-280 else { return root }
        let square = root * root
        let squareError = (-square).addingProduct(root, root)
        let remainder = (-x).addingProduct(square, root) + squareError * root
        return root - remainder / (3 * square)
    }
    @Sendable static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
    @Sendable static func sine(_ x: Double) -> Double { sin(x) }
    @Sendable static func cosine(_ x: Double) -> Double { cos(x) }
    @Sendable static func tangent(_ x: Double) -> Double { tan(x) }
    @Sendable static func arcSine(_ x: Double) -> Double { asin(x) }
    @Sendable static func arcCosine(_ x: Double) -> Double { acos(x) }
    @Sendable static func arcTangent(_ x: Double) -> Double { atan(x) }
    @Sendable static func arcTangent2(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
    @Sendable static func hyperbolicSine(_ x: Double) -> Double { sinh(x) }
    @Sendable static func hyperbolicCosine(_ x: Double) -> Double { cosh(x) }
    @Sendable static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
    /// log(1 + x), exact for small x.
    static func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }
    static func complementaryError(_ x: Double) -> Double { erfc(x) }
    /// The logarithm of the gamma function's magnitude.
    static func logGamma(_ x: Double) -> Double {
        var sign: Int32 = 0
        return lgamma_r(x, &sign)
    }
}

/// Powers of ten as far as 128 bits go: 10^0 through 10^38.
private let powersOfTen: [Int128] = {
    var powers: [Int128] = [1]
    for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
    return powers
}()

/// 10^exponent for 0 through 38; saturates beyond.
func tenToThe(_ exponent: Int) -> Int128 { powersOfTen[min(max(exponent, 0), 38)] }

/// `value / divisor` rounded half away from zero; `divisor` is positive.
func divideRounding(_ value: Int128, _ divisor: Int128) -> Int128 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    if remainder.magnitude >= (divisor.magnitude + 1) / 2 { return quotient + value.signum() }
    return quotient
}
