import Bytes

/// What a column's bloom filters should be like.
package struct BloomOptions: Sendable, Hashable {
    /// The share of absent values that may seem present.
    package var falsePositiveRate = 0.01
    /// Bytes of one filter at the most: a larger one is cut to this, and says yes more often.
    package var maximumBytes = 1 << 20

    /// One in a hundred, at most a MiB a row group.
    package init() {}
}

/// Makes split-block bloom filters. Source: Parquet format, BloomFilter.md.
enum BloomBuilder {
    /// The filter of a column chunk's values with its header; nil: there are no values.
    static func filter(_ hashes: GrowingBuffer<UInt64>, _ options: BloomOptions) -> [UInt8]? {
        if hashes.count == 0 { return nil }
        var sorted = UnsafeMutableBufferPointer(start: hashes.start, count: hashes.count)
        sorted.sort()
        var distinct = 1
        for index in 1..<sorted.count where sorted[index] != sorted[index - 1] { distinct += 1 }
        let blockCount = blocks(distinct, options)
        var words = [UInt32](repeating: 0, count: blockCount * 8)
        for hash in sorted {
            let block = BloomFilter.block(of: hash, count: blockCount) * 8
            let key = UInt32(truncatingIfNeeded: hash)
            for lane in 0..<8 {
                words[block + lane] |= 1 << ((key &* BloomFilter.salts[lane]) >> 27)
            }
        }
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.int32(1, blockCount * 32)
            // Unions of empty structures: BLOCK, XXHASH, UNCOMPRESSED.
            for id in 2...4 { writer.structure(id) { $0.structure(1) { _ in } } }
        }
        var bytes = ByteBuffer(capacity: writer.bytes.count + blockCount * 32)
        bytes.append(writer.bytes)
        for word in words { bytes.appendUInt32LE(word) }
        return bytes.bytes
    }

    /// Blocks of 32 bytes for so many values, a power of two.
    private static func blocks(_ distinct: Int, _ options: BloomOptions) -> Int {
        // bits = -8 n / ln(1 - p^(1/8)); the roots are taken one by one: the standard library has no log.
        let root = options.falsePositiveRate.squareRoot().squareRoot().squareRoot()
        let bits = -8 * Double(distinct) / naturalLogarithm(1 - root)
        var blocks = 1
        while blocks * 256 < Int(min(bits, 1e12)), blocks * 64 <= options.maximumBytes {
            blocks *= 2
        }
        return blocks
    }

    /// The logarithm of a number between 0 and 1, by the series of the inverse hyperbolic tangent.
    private static func naturalLogarithm(_ number: Double) -> Double {
        var fraction = max(number, 1e-12)
        var halvings = 0
        while fraction < 0.5 {
            fraction *= 2
            halvings += 1
        }
        let ratio = (fraction - 1) / (fraction + 1)
        var power = ratio
        var sum = 0.0
        for term in 0..<20 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return 2 * sum - Double(halvings) * 0.693_147_180_559_945_3
    }
}
