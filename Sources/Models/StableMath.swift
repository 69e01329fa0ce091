/// Logarithms and powers that give the same bits on every machine: additions, multiplications and
/// divisions of doubles only, in a fixed order. Accurate to about two units in the last place.
enum StableMath {
    private static let ln2High = 0x1.62e42fefa38p-1
    private static let ln2Low = 0x1.ef35793c7673p-45

    /// The natural logarithm of a positive, finite number.
    static func ln(_ value: Double) -> Double {
        var mantissa = value.significand
        var exponent = Double(value.exponent)
        if mantissa > 1.414_213_562_373_095_1 {
            mantissa *= 0.5
            exponent += 1
        }
        // ln m = 2 artanh s; s is at most 0.172, so that s^25 is below a double's precision.
        let s = (mantissa - 1) / (mantissa + 1)
        let square = s * s
        var sum = 0.0
        var divisor = 25.0
        while divisor > 1 {
            sum = (sum + 1 / divisor) * square
            divisor -= 2
        }
        let artanh = s + s * sum
        return exponent * ln2High + (2 * artanh + exponent * ln2Low)
    }

    /// e to the power of a number; 0 and infinity beyond a double's range.
    static func exp(_ value: Double) -> Double {
        if value < -745 { return 0 }
        if value > 709.7 { return .infinity }
        let power = (value * 1.442_695_040_888_963_4).rounded(.toNearestOrEven)
        let rest = (value - power * ln2High) - power * ln2Low
        return scaled(series(rest), Int(power))
    }

    /// Two to the power of a number from -1000 to 1000.
    static func exp2(_ value: Double) -> Double {
        let power = value.rounded(.toNearestOrEven)
        return scaled(series((value - power) * 0.693_147_180_559_945_3), Int(power))
    }

    /// The exponential series for numbers up to half a natural logarithm of two.
    @inline(__always) private static func series(_ x: Double) -> Double {
        var sum = 1.0
        var divisor = 14.0
        while divisor >= 1 {
            sum = 1 + sum * x / divisor
            divisor -= 1
        }
        return sum
    }

    /// A number times a power of two, exactly but for the last step into the subnormal range.
    private static func scaled(_ value: Double, _ power: Int) -> Double {
        func two(_ power: Int) -> Double { Double(bitPattern: UInt64(power + 1023) << 52) }
        if power < -1000 { return value * two(power + 100) * two(-100) }
        if power > 1000 { return value * two(power - 100) * two(100) }
        return value * two(power)
    }

    /// The logistic function.
    static func logistic(_ value: Double) -> Double {
        if value >= 0 { return 1 / (1 + exp(-value)) }
        let power = exp(value)
        return power / (1 + power)
    }
}

/// Random numbers from a seed, the same everywhere. Source: SplitMix64 (Steele, Lea, Flood, 2014).
struct SeededNumbers {
    private var state: UInt64

    /// A stream of a seed; streams of the same seed are independent.
    init(seed: UInt64, stream: UInt64) {
        state =
            Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mixed(stream &+ 0xD1B5_4A32_D192_ED03)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// A number from 0 up to `count`, which is positive.
    mutating func below(_ count: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(count)).high)
    }

    /// A number from 0 up to 1.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
