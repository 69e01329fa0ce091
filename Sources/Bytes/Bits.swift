/// How many bytes hold `count` bits.
@inlinable
package func bytesForBits(_ count: Int) -> Int { (count &+ 7) >> 3 }

/// How many bits a value up to `maximum` needs: Parquet's level width; 0 for 0.
@inlinable
package func bitWidth(for maximum: UInt64) -> Int { 64 &- maximum.leadingZeroBitCount }

/// Whether bit `index` is set, least significant bit of each byte first.
@inlinable
package func isBitSet(_ index: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
    bytes[index >> 3] & (1 &<< UInt8(truncatingIfNeeded: index & 7)) != 0
}

/// `value` rounded up to a multiple of `alignment`, a power of two.
@inlinable
package func roundUp(_ value: Int, toMultipleOf alignment: Int) -> Int {
    (value &+ alignment &- 1) & ~(alignment &- 1)
}
