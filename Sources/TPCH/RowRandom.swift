/// The stream of numbers of one column: a multiplicative generator that spends `perRow` numbers a row,
/// used or not, so that any row can be gone to directly.
struct RowRandom {
    private static let modulus: Int64 = 2_147_483_647
    private static let multiplier: Int64 = 16_807
    /// What `count` steps multiply by.
    private static let steps: [Int64] = {
        var steps: [Int64] = [1]
        for _ in 0..<128 { steps.append(steps[steps.count - 1] * multiplier % modulus) }
        return steps
    }()

    private let first: Int64
    private let perRow: Int
    private var seed: Int64

    init(_ seed: Int64, perRow: Int = 1) {
        first = seed
        self.seed = seed
        self.perRow = perRow
    }

    /// Stands before the first number of a row.
    mutating func move(to row: Int64) {
        var power = Self.multiplier
        var count = row * Int64(perRow)
        seed = first
        while count > 0 {
            if count & 1 != 0 { seed = power * seed % Self.modulus }
            power = power * power % Self.modulus
            count >>= 1
        }
    }

    /// A number from `lower` to `upper`. The arithmetic in doubles is the reference's.
    @inline(__always) mutating func next(_ lower: Int, _ upper: Int) -> Int {
        seed = seed &* Self.multiplier % Self.modulus
        return lower &+ Int(Double(seed) / Double(Self.modulus) * Double(upper &- lower &+ 1))
    }

    /// Five characters' worth of bits: the reference overflows here, and so the number is negative.
    mutating func nextBits() -> Int64 {
        seed = seed &* Self.multiplier % Self.modulus
        return Int64(Double(seed) / Double(Self.modulus) * -2_147_483_648)
    }

    /// Skips what the row did not use.
    @inline(__always) mutating func finishRow(used: Int) {
        if used < perRow { seed = Self.steps[perRow &- used] &* seed % Self.modulus }
    }
}
