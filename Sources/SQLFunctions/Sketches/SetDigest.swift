import Bytes

/// A set digest: a HyperLogLog beside the least hashes of the values, each with how often it came.
///
/// The bytes are Trino's:
///
///     [1][bytes of the HyperLogLog i32][HyperLogLog][most hashes i32][hashes i32][hash i64 …][count i16 …]
///
/// Source: trinodb/trino documentation, "Set Digest functions"; Broder, "On the resemblance and
/// containment of documents", 1997.
struct SetDigest {
    private static let indexBits = 11
    private static let defaultHashes = 8_192
    private static let mostHashes = 1 << 20

    private var sketch = HyperLogLog(indexBits: Self.indexBits)
    private var hashLimit = Self.defaultHashes
    /// By hash, each once.
    private(set) var counts: [(hash: Int64, count: Int16)] = []

    init() {}

    mutating func add(hashes: UnsafeBufferPointer<UInt64>) {
        sketch.add(hashes: hashes)
        keep(counts + hashes.map { (hash: Int64(bitPattern: $0), count: 1) })
    }

    mutating func merge(_ other: SetDigest) throws(QueryFault) {
        try sketch.merge(other.sketch)
        keep(counts + other.counts)
    }

    /// Adds up the counts of equal hashes and keeps the least hashes.
    private mutating func keep(_ all: [(hash: Int64, count: Int16)]) {
        counts = []
        for entry in all.sorted(by: { $0.hash < $1.hash }) {
            if let last = counts.last, last.hash == entry.hash {
                let (sum, overflow) = last.count.addingReportingOverflow(entry.count)
                counts[counts.count - 1].count = overflow ? .max : sum
            } else if counts.count < hashLimit {
                counts.append(entry)
            } else {
                break
            }
        }
    }

    /// Whether no hash was dropped.
    private var isExact: Bool { counts.count < hashLimit }

    var cardinality: Int64 { isExact ? Int64(counts.count) : sketch.cardinality }

    /// The Jaccard index: among the least hashes of the union, how many are in both.
    func similarity(_ other: SetDigest) -> Double {
        let smaller = min(counts.count, other.counts.count)
        var left = 0
        var right = 0
        var seen = 0
        var common = 0
        while seen < smaller, left < counts.count, right < other.counts.count {
            let (one, two) = (counts[left].hash, other.counts[right].hash)
            if one == two { common += 1 }
            if one <= two { left += 1 }
            if two <= one { right += 1 }
            seen += 1
        }
        return Double(common) / Double(smaller)
    }

    /// How many values both sets have, about.
    func intersection(_ other: SetDigest) throws(QueryFault) -> Int64 {
        if isExact, other.isExact {
            let own = Set(counts.map(\.hash))
            return Int64(other.counts.count { own.contains($0.hash) })
        }
        var union = self
        try union.merge(other)
        // Nothing is in common with the empty set, whose similarity to others is undefined.
        guard !counts.isEmpty, !other.counts.isEmpty else { return 0 }
        let estimate = (similarity(other) * Double(union.cardinality)).rounded()
        return min(Int64(estimate), cardinality, other.cardinality)
    }

    var serialized: [UInt8] {
        let inner = sketch.serialized
        var bytes = ByteBuffer(capacity: 13 + inner.count + counts.count * 10)
        bytes.append(1)
        bytes.appendInt32LE(Int32(inner.count))
        bytes.append(inner)
        bytes.appendInt32LE(Int32(hashLimit))
        bytes.appendInt32LE(Int32(counts.count))
        for entry in counts { bytes.appendInt64LE(entry.hash) }
        for entry in counts { bytes.appendUInt16LE(UInt16(bitPattern: entry.count)) }
        return bytes.bytes
    }

    init(_ bytes: [UInt8]) throws(QueryFault) {
        let inner: [UInt8]
        do throws(BytesError) {
            var reader = ByteReader(bytes)
            let format = try reader.readUInt8()
            let length = Int(try reader.readInt32LE())
            guard format == 1, length >= 0 else { throw BytesError.notADigest }
            inner = try reader.readBytes(length)
            hashLimit = Int(try reader.readInt32LE())
            let count = Int(try reader.readInt32LE())
            guard (1...Self.mostHashes).contains(hashLimit), (0...hashLimit).contains(count),
                reader.remaining == count * 10
            else { throw BytesError.notADigest }
            for _ in 0..<count {
                let hash = try reader.readInt64LE()
                if let last = counts.last, last.hash >= hash { throw BytesError.notADigest }
                counts.append((hash, 0))
            }
            for index in counts.indices { counts[index].count = try reader.readInt16LE() }
        } catch { throw invalid("Cannot deserialize SetDigest") }
        sketch = try HyperLogLog(inner)
    }
}
