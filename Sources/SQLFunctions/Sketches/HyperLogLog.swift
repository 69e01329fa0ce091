import Bytes

/// A HyperLogLog sketch: how many different values there were, about.
///
/// Few values are kept as sorted entries of a 26-bit prefix of the hash and the zeros behind it, which
/// counts almost exactly; many as one register a bucket. The bytes are Airlift's, so that digests travel
/// between Trino and here:
///
///     sparse   [2][p][entries u16][entry u32 …]              entry: 26 bits prefix, 6 bits zeros
///     dense    [3][p][baseline][deltas, 4 bits, the even bucket high][overflows u16]
///              [bucket u16 …][value u8 …]                     for deltas above 15
///
/// Source: airlift/airlift, `stats/docs/hll.md`; Flajolet and others, "HyperLogLog", 2007. The estimate
/// of the dense form is Ertl's, "New cardinality estimation algorithms for HyperLogLog sketches", 2017,
/// which needs no tables of empirical biases.
struct HyperLogLog {
    /// 4,096 buckets: a standard error of 1.6 %.
    static let defaultIndexBits = 12
    private static let prefixBits = 26
    private static let maxDelta: UInt8 = 15

    let indexBits: Int
    /// Sorted by prefix, each once; empty once `registers` are in use.
    private var entries: [UInt32] = []
    /// One a bucket, or empty while sparse.
    private var registers: [UInt8] = []

    init(indexBits: Int = Self.defaultIndexBits) { self.indexBits = indexBits }

    var isDense: Bool { !registers.isEmpty }
    private var bucketCount: Int { 1 << indexBits }

    /// Adds values by their hashes.
    mutating func add(hashes: UnsafeBufferPointer<UInt64>) {
        if !isDense {
            entries += hashes.map { hash in
                UInt32(hash >> UInt64(64 - Self.prefixBits)) << 6
                    | UInt32(Self.zeros(hash, after: Self.prefixBits))
            }
            tidyEntries()
            return
        }
        for hash in hashes {
            let bucket = Int(hash >> UInt64(64 - indexBits))
            let value = UInt8(Self.zeros(hash, after: indexBits) + 1)
            if value > registers[bucket] { registers[bucket] = value }
        }
    }

    /// Zeros behind the first `bits` bits of the hash.
    private static func zeros(_ hash: UInt64, after bits: Int) -> Int {
        (hash << UInt64(bits) | 1 << UInt64(bits - 1)).leadingZeroBitCount
    }

    /// Sorts the entries, drops the lesser ones of a prefix, and becomes dense where that is smaller.
    private mutating func tidyEntries() {
        entries.sort()
        var kept = 0
        for index in entries.indices {
            let isLast =
                index + 1 == entries.count || entries[index + 1] >> 6 != entries[index] >> 6
            if isLast {
                entries[kept] = entries[index]
                kept += 1
            }
        }
        entries.removeLast(entries.count - kept)
        if entries.count * 4 > bucketCount / 2 { makeDense() }
    }

    mutating func makeDense() {
        guard !isDense else { return }
        registers = [UInt8](repeating: 0, count: bucketCount)
        let rest = Self.prefixBits - indexBits
        for entry in entries {
            let bucket = Int(entry >> UInt32(32 - indexBits))
            var zeros = (entry << UInt32(indexBits)).leadingZeroBitCount
            if zeros >= rest { zeros = rest + Int(entry & 63) }
            registers[bucket] = max(registers[bucket], UInt8(zeros + 1))
        }
        entries = []
    }

    /// Adds what another sketch has seen.
    mutating func merge(_ other: HyperLogLog) throws(QueryFault) {
        guard other.indexBits == indexBits else {
            throw invalid(
                "Cannot merge HLLs with different number of buckets: \(bucketCount) vs "
                    + "\(other.bucketCount)",
                hint: "make both with the same maximum standard error")
        }
        if !isDense, !other.isDense {
            entries += other.entries
            tidyEntries()
            return
        }
        var other = other
        other.makeDense()
        makeDense()
        for bucket in registers.indices {
            registers[bucket] = max(registers[bucket], other.registers[bucket])
        }
    }

    var cardinality: Int64 {
        if !isDense {
            let total = Double(1 << Self.prefixBits)
            let empty = total - Double(entries.count)
            return Int64((total * Mathematics.logarithm(total / empty)).rounded())
        }
        let highest = 65 - indexBits
        var counts = [Double](repeating: 0, count: highest + 1)
        for register in registers { counts[min(Int(register), highest)] += 1 }
        let m = Double(bucketCount)
        var z = m * Self.tau(1 - counts[highest] / m)
        for value in stride(from: highest - 1, to: 0, by: -1) { z = 0.5 * (z + counts[value]) }
        z += m * Self.sigma(counts[0] / m)
        let estimate = m / (2 * Mathematics.logarithm(2)) * m / z
        return estimate.isFinite ? Int64(min(estimate, 9e18).rounded()) : 0
    }

    private static func sigma(_ value: Double) -> Double {
        if value == 1 { return .infinity }
        var x = value
        var y = 1.0
        var z = x
        while true {
            x *= x
            let before = z
            z += x * y
            y += y
            if z == before { return z }
        }
    }

    private static func tau(_ value: Double) -> Double {
        if value <= 0 || value >= 1 { return 0 }
        var x = value
        var y = 1.0
        var z = 1 - x
        while true {
            x = x.squareRoot()
            let before = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == before { return z / 3 }
        }
    }

    var serialized: [UInt8] {
        var bytes = ByteBuffer()
        guard isDense else {
            bytes.append(2)
            bytes.append(UInt8(indexBits))
            bytes.appendUInt16LE(UInt16(entries.count))
            for entry in entries { bytes.appendUInt32LE(entry) }
            return bytes.bytes
        }
        let baseline = registers.min() ?? 0
        bytes.append(3)
        bytes.append(UInt8(indexBits))
        bytes.append(baseline)
        var overflows: [(bucket: Int, value: UInt8)] = []
        for bucket in stride(from: 0, to: registers.count, by: 2) {
            var both: UInt8 = 0
            for (place, shift) in [(bucket, UInt8(4)), (bucket + 1, 0)] {
                let delta = registers[place] - baseline
                if delta > Self.maxDelta { overflows.append((place, delta - Self.maxDelta)) }
                both |= min(delta, Self.maxDelta) << shift
            }
            bytes.append(both)
        }
        bytes.appendUInt16LE(UInt16(truncatingIfNeeded: overflows.count))
        for overflow in overflows { bytes.appendUInt16LE(UInt16(overflow.bucket)) }
        for overflow in overflows { bytes.append(overflow.value) }
        return bytes.bytes
    }

    /// Reads both forms, and the older dense one (tag 1) with at most one overflow.
    init(_ bytes: [UInt8]) throws(QueryFault) {
        do throws(BytesError) {
            var reader = ByteReader(bytes)
            let tag = try reader.readUInt8()
            indexBits = Int(try reader.readUInt8())
            guard (4...16).contains(indexBits), (1...3).contains(tag) else {
                throw BytesError.notADigest
            }
            if tag == 2 {
                let count = Int(try reader.readUInt16LE())
                for _ in 0..<count {
                    let entry = try reader.readUInt32LE()
                    if let last = entries.last, last >> 6 >= entry >> 6 {
                        throw BytesError.notADigest
                    }
                    entries.append(entry)
                }
            } else {
                try readDense(&reader, hasOneOverflow: tag == 1)
            }
            guard reader.isAtEnd else { throw BytesError.notADigest }
        } catch { throw invalid("Cannot deserialize HyperLogLog") }
    }

    private mutating func readDense(
        _ reader: inout ByteReader, hasOneOverflow: Bool
    ) throws(BytesError) {
        let baseline = try reader.readUInt8()
        let deltas = try reader.readBytes(bucketCount / 2)
        registers = []
        registers.reserveCapacity(bucketCount)
        func add(_ value: UInt8, _ bucket: Int) throws(BytesError) {
            let (sum, overflow) = registers[bucket].addingReportingOverflow(value)
            guard !overflow, sum <= 65 else { throw BytesError.notADigest }
            registers[bucket] = sum
        }
        for both in deltas {
            registers.append(both >> 4)
            registers.append(both & 15)
        }
        for bucket in registers.indices { try add(baseline, bucket) }
        if hasOneOverflow {
            let bucket = Int(try reader.readInt16LE())
            let value = try reader.readUInt8()
            if bucket >= 0, bucket < bucketCount, value > 0, value < 128 { try add(value, bucket) }
            return
        }
        let count = Int(try reader.readUInt16LE())
        var buckets: [Int] = []
        for _ in 0..<count { buckets.append(Int(try reader.readUInt16LE())) }
        for bucket in buckets {
            guard bucket < bucketCount else { throw BytesError.notADigest }
            try add(try reader.readUInt8(), bucket)
        }
    }

    /// The index bits that a maximum standard error asks for.
    static func indexBits(error: Double) throws(QueryFault) -> Int {
        guard (0.0040625...0.26).contains(error) else {
            throw invalid("Standard error must be in [0.0040625, 0.26]: \(error)")
        }
        let buckets = (1.0816 / (error * error) - 1e-6).rounded(.up)
        var bits = 4
        while Double(1 << bits) < buckets { bits += 1 }
        return bits
    }
}
