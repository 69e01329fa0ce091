import Bytes

/// A t-digest: quantiles of numbers from few centroids, finest at both ends.
///
/// The bytes are Airlift's:
///
///     [0][min f64][max f64][compression f64][total weight f64][centroids i32][mean f64 …][weight f64 …]
///
/// Source: Dunning and Ertl, "Computing extremely accurate quantiles using t-digests"; airlift/airlift,
/// `TDigest`, for the layout and for how values between centroids are read.
struct TDigest {
    static let defaultCompression = 100.0

    private(set) var minimum = Double.infinity
    private(set) var maximum = -Double.infinity
    private var compression = Self.defaultCompression
    private var totalWeight = 0.0
    /// Ascending.
    private var means: [Double] = []
    private var weights: [Double] = []

    init() {}

    /// Adds values with their weights, which are positive; all are finite.
    mutating func add(_ values: some Collection<(mean: Double, weight: Double)>) {
        var points = zip(means, weights).map { (mean: $0, weight: $1) }
        for value in values {
            minimum = min(minimum, value.mean)
            maximum = max(maximum, value.mean)
            totalWeight += value.weight
            points.append(value)
        }
        compress(points, to: compression * 2)
    }

    mutating func merge(_ other: TDigest) {
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        totalWeight += other.totalWeight
        compress(
            zip(means + other.means, weights + other.weights).map { (mean: $0, weight: $1) },
            to: compression * 2)
    }

    /// Joins neighbours as long as a cluster does not outgrow what its quantile allows.
    private mutating func compress(
        _ points: [(mean: Double, weight: Double)], to compression: Double
    ) {
        means.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        let sorted = points.sorted { ($0.mean, $0.weight) < ($1.mean, $1.weight) }
        guard let first = sorted.first else { return }
        // Below a weight of a quarter the formula would turn negative.
        let scale = max(4 * Mathematics.logarithm(totalWeight / compression) + 24, 1)
        let normalizer = compression / scale
        func limit(_ quantile: Double) -> Double { quantile * (1 - quantile) / normalizer }
        var (mean, weight) = first
        var before = 0.0
        var startLimit = limit(0)
        for point in sorted.dropFirst() {
            let joined = weight + point.weight
            let quantile = min((before + joined) / totalWeight, 1)
            if joined <= totalWeight * min(startLimit, limit(quantile)) {
                mean += (point.mean - mean) * point.weight / joined
                weight = joined
            } else {
                means.append(mean)
                weights.append(weight)
                before += weight
                startLimit = limit(before / totalWeight)
                (mean, weight) = point
            }
        }
        means.append(mean)
        weights.append(weight)
    }

    /// The value at a quantile from 0 to 1; nil of an empty digest.
    func value(at quantile: Double) -> Double? {
        guard let firstWeight = weights.first, let lastWeight = weights.last else { return nil }
        if means.count == 1 { return means[0] }
        let rank = quantile * totalWeight
        if rank < 1 { return minimum }
        if rank < firstWeight / 2 {
            return minimum
                + Self.interpolate(rank, 1, minimum, firstWeight / 2, means[0])
        }
        if rank <= totalWeight - 1, totalWeight - rank <= lastWeight / 2, lastWeight / 2 > 1 {
            return fromTop(rank)
        }
        if rank >= totalWeight - 1 { return maximum }
        var soFar = firstWeight / 2
        var index = 0
        var delta = (weights[0] + weights[1]) / 2
        while soFar + delta <= rank {
            soFar += delta
            index += 1
            guard index < means.count - 1 else {
                return lastWeight / 2 > 1 ? fromTop(rank) : maximum
            }
            delta = (weights[index] + weights[index + 1]) / 2
        }
        // A cluster of one value is that value.
        let isOneLeft = weights[index] == 1
        let isOneRight = weights[index + 1] == 1
        if isOneLeft, rank - soFar < 0.5 { return means[index] }
        if isOneRight, rank - soFar >= weights[index] / 2 { return means[index + 1] }
        var offset = rank - soFar
        var length = delta
        if isOneLeft {
            offset -= 0.5
            length = weights[index + 1] / 2
        } else if isOneRight {
            length = weights[index] / 2
        }
        return means[index]
            + Self.interpolate(offset, 0, means[index], length, means[index + 1])
    }

    private func fromTop(_ rank: Double) -> Double {
        guard let mean = means.last, let weight = weights.last else { return maximum }
        return maximum + Self.interpolate(totalWeight - rank, 1, maximum, weight / 2, mean)
    }

    private static func interpolate(
        _ x: Double, _ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double
    ) -> Double {
        (x - x0) / (x1 - x0) * (y1 - y0)
    }

    var serialized: [UInt8] {
        var final = self
        final.compress(zip(means, weights).map { (mean: $0, weight: $1) }, to: compression)
        var bytes = ByteBuffer(capacity: 37 + 16 * final.means.count)
        bytes.append(0)
        for number in [minimum, maximum, compression, totalWeight] { bytes.appendDoubleLE(number) }
        bytes.appendInt32LE(Int32(final.means.count))
        for number in final.means + final.weights { bytes.appendDoubleLE(number) }
        return bytes.bytes
    }

    init(_ bytes: [UInt8]) throws(QueryFault) {
        do throws(BytesError) {
            var reader = ByteReader(bytes)
            let format = try reader.readUInt8()
            minimum = try reader.readDoubleLE()
            maximum = try reader.readDoubleLE()
            compression = try reader.readDoubleLE()
            totalWeight = try reader.readDoubleLE()
            let count = Int(try reader.readInt32LE())
            guard format == 0, compression >= 10, compression <= 1e6, count >= 0,
                reader.remaining == count * 16
            else { throw BytesError.notADigest }
            for _ in 0..<count { means.append(try reader.readDoubleLE()) }
            for _ in 0..<count { weights.append(try reader.readDoubleLE()) }
            guard means.allSatisfy(\.isFinite), weights.allSatisfy({ $0.isFinite && $0 > 0 }),
                totalWeight.isFinite, zip(means, means.dropFirst()).allSatisfy({ $0 <= $1 })
            else { throw BytesError.notADigest }
        } catch { throw invalid("Cannot deserialize tdigest") }
    }
}
