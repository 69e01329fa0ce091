import Bytes
package import Vectors

/// Digests as aggregates build them: values are folded into the digest's bytes, and digests into one.
package enum SketchFolding {
    /// What aggregates make of values, and of digests of values.
    package struct Kind: Sendable {
        let type: OpaqueType

        /// Nil for types that are no digests.
        package init?(_ type: LogicalType) {
            guard case .opaque(let opaque) = type, opaque.isDigest else { return nil }
            self.type = opaque
        }
    }

    /// A digest's bytes with further values. `digest` is empty for none yet; `parameter` is the error that
    /// was asked for, or 0 for the default. Values of `hashing` kinds are hashes (`hash`), of t-digests
    /// the bits of doubles, of quantile digests whole numbers of the same order.
    package static func fold(
        _ kind: Kind, parameter: Double, into digest: [UInt8],
        values: UnsafeBufferPointer<UInt64>, weights: UnsafePointer<Double>
    ) throws(QueryFault) -> [UInt8] {
        switch kind.type {
        case .hyperLogLog, .p4HyperLogLog:
            let bits =
                parameter > 0
                ? try HyperLogLog.indexBits(error: parameter) : HyperLogLog.defaultIndexBits
            var sketch =
                digest.isEmpty ? HyperLogLog(indexBits: bits) : try HyperLogLog(digest)
            guard sketch.indexBits == bits else {
                throw invalid("the maximum standard error must be the same for all rows")
            }
            sketch.add(hashes: values)
            return sketch.serialized
        case .setDigest:
            var sketch = digest.isEmpty ? SetDigest() : try SetDigest(digest)
            sketch.add(hashes: values)
            return sketch.serialized
        case .tdigest:
            var sketch = digest.isEmpty ? TDigest() : try TDigest(digest)
            sketch.add(values.indices.lazy.map { (Double(bitPattern: values[$0]), weights[$0]) })
            return sketch.serialized
        case .qdigest:
            let error = parameter > 0 ? parameter : QuantileDigest.defaultError
            var sketch =
                digest.isEmpty ? QuantileDigest(maxError: error) : try QuantileDigest(digest)
            sketch.add(
                values.indices.lazy.map { (Int64(bitPattern: values[$0]), weights[$0]) })
            return sketch.serialized
        case .geometry, .sphericalGeography: return digest
        }
    }

    /// The digest of all that both have seen.
    package static func merge(
        _ kind: Kind, _ first: [UInt8], _ second: [UInt8]
    ) throws(QueryFault) -> [UInt8] {
        if first.isEmpty { return second }
        if second.isEmpty { return first }
        switch kind.type {
        case .hyperLogLog, .p4HyperLogLog:
            var sketch = try HyperLogLog(first)
            try sketch.merge(HyperLogLog(second))
            return sketch.serialized
        case .setDigest:
            var sketch = try SetDigest(first)
            try sketch.merge(SetDigest(second))
            return sketch.serialized
        case .tdigest:
            var sketch = try TDigest(first)
            sketch.merge(try TDigest(second))
            return sketch.serialized
        case .qdigest:
            var sketch = try QuantileDigest(first)
            sketch.merge(try QuantileDigest(second))
            return sketch.serialized
        case .geometry, .sphericalGeography: return first
        }
    }

    /// The bytes as the type keeps them. Throws when they are no such digest.
    package static func checked(_ kind: Kind, _ bytes: [UInt8]) throws(QueryFault) -> [UInt8] {
        switch kind.type {
        case .hyperLogLog: _ = try HyperLogLog(bytes)
        case .p4HyperLogLog:
            var sketch = try HyperLogLog(bytes)
            sketch.makeDense()
            return sketch.serialized
        case .setDigest: _ = try SetDigest(bytes)
        case .tdigest: _ = try TDigest(bytes)
        case .qdigest: _ = try QuantileDigest(bytes)
        case .geometry, .sphericalGeography: break
        }
        return bytes
    }

    /// The hash of bytes that HyperLogLog and set digests count by: the first half of Murmur3-128.
    package static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0
        for byte in murmur128(bytes)[..<8].reversed() { hash = hash << 8 | UInt64(byte) }
        return hash
    }

    /// The hash of a 64-bit value, as of its bytes from the lowest.
    package static func hash(_ value: UInt64) -> UInt64 {
        withUnsafeBytes(of: value.littleEndian) { hash($0.assumingMemoryBound(to: UInt8.self)) }
    }

    /// A double or real as a whole number of the same order, as quantile digests keep it.
    package static func sortable(_ value: Double, isReal: Bool) -> Int64 {
        isReal ? SortableBits.of(real: value) : SortableBits.of(value)
    }
}

extension BytesError {
    /// Bytes that are no digest; the reader of the digest says which.
    static var notADigest: BytesError {
        BytesError(code: .invalidLength, message: "not a digest")
    }
}
