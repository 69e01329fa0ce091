/// Repeatable randomness in integers only, so that the same seed gives the same bytes on any machine:
/// floating point functions of the C library differ in their last bits.
///
/// The generator is SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014.
package struct BankDice {
    private var state: UInt64

    /// Streams of different `stream` numbers are independent of each other.
    package init(seed: UInt64, stream: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 ^ stream &* 0xBF58_476D_1CE4_E5B9
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in `0..<bound`; `bound` is at least 1.
    package mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Uniform in the closed range.
    package mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// One of them; there must be one.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// True in so many of a thousand cases.
    package mutating func chance(perMille: Int) -> Bool { below(1000) < perMille }

    /// Roughly normal with mean 0 and standard deviation 1, in thousandths: twelve uniforms.
    mutating func normalMilli() -> Int {
        var sum = 0
        for _ in 0..<12 { sum += below(1001) }
        return sum - 6000
    }

    /// `median` times e to a normal power of spread `sigmaMilli` thousandths: log-normal.
    mutating func logNormal(median: Int, sigmaMilli: Int) -> Int {
        max(1, median * BankDice.exponentialMilli(normalMilli() * sigmaMilli / 1000) / 1000)
    }

    /// e to the power of `exponent` thousandths, in thousandths; exact to about a thousandth.
    static func exponentialMilli(_ exponent: Int) -> Int {
        let clamped = min(max(exponent, -4000), 6000)
        // e^x = (e^(x/64))^64 with a second-order series, in billionths.
        let unit = 1_000_000_000
        let part = clamped * 1_000_000 / 64
        var power = unit + part + part / 1000 * (part / 1000) / 2 / 1000
        for _ in 0..<6 {
            let (high, low) = power.multipliedFullWidth(by: power)
            power = unit.dividingFullWidth((high, low)).quotient
        }
        return power / 1_000_000
    }
}
