/// xxHash64, as Parquet bloom filters use it (seed 0).
package func xxHash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    let count = bytes.count
    var at = 0
    var hash: UInt64
    if count >= 32 {
        var v1 = seed &+ XX.prime1 &+ XX.prime2
        var v2 = seed &+ XX.prime2
        var v3 = seed
        var v4 = seed &- XX.prime1
        while at &+ 32 <= count {
            v1 = XX.round(v1, word64(bytes, at))
            v2 = XX.round(v2, word64(bytes, at &+ 8))
            v3 = XX.round(v3, word64(bytes, at &+ 16))
            v4 = XX.round(v4, word64(bytes, at &+ 24))
            at &+= 32
        }
        hash = rotate(v1, 1) &+ rotate(v2, 7) &+ rotate(v3, 12) &+ rotate(v4, 18)
        hash = XX.merge(hash, v1)
        hash = XX.merge(hash, v2)
        hash = XX.merge(hash, v3)
        hash = XX.merge(hash, v4)
    } else {
        hash = seed &+ XX.prime5
    }
    hash = hash &+ UInt64(truncatingIfNeeded: count)
    while at &+ 8 <= count {
        hash ^= XX.round(0, word64(bytes, at))
        hash = rotate(hash, 27) &* XX.prime1 &+ XX.prime4
        at &+= 8
    }
    if at &+ 4 <= count {
        hash ^= UInt64(word32(bytes, at)) &* XX.prime1
        hash = rotate(hash, 23) &* XX.prime2 &+ XX.prime3
        at &+= 4
    }
    while at < count {
        hash ^= UInt64(bytes[at]) &* XX.prime5
        hash = rotate(hash, 11) &* XX.prime1
        at &+= 1
    }
    hash ^= hash &>> 33
    hash = hash &* XX.prime2
    hash ^= hash &>> 29
    hash = hash &* XX.prime3
    return hash ^ (hash &>> 32)
}

package func xxHash64(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { xxHash64($0, seed: seed) }
}

/// Murmur3, x86 32-bit variant: the hash of Iceberg's bucket transform (seed 0).
package func murmur3(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    let c1: UInt32 = 0xCC9E_2D51
    let c2: UInt32 = 0x1B87_3593
    let count = bytes.count
    var hash = seed
    var at = 0
    while at &+ 4 <= count {
        var k = word32(bytes, at) &* c1
        k = (k &<< 15) | (k &>> 17)
        hash ^= k &* c2
        hash = ((hash &<< 13) | (hash &>> 19)) &* 5 &+ 0xE654_6B64
        at &+= 4
    }
    if at < count {
        var k: UInt32 = 0
        var index = count
        while index > at {
            index &-= 1
            k = (k &<< 8) | UInt32(bytes[index])
        }
        k = k &* c1
        k = (k &<< 15) | (k &>> 17)
        hash ^= k &* c2
    }
    hash ^= UInt32(truncatingIfNeeded: count)
    hash ^= hash &>> 16
    hash = hash &* 0x85EB_CA6B
    hash ^= hash &>> 13
    hash = hash &* 0xC2B2_AE35
    return hash ^ (hash &>> 16)
}

package func murmur3(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { murmur3($0, seed: seed) }
}

private enum XX {
    static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    @inline(__always)
    static func round(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
        rotate(accumulator &+ lane &* prime2, 31) &* prime1
    }

    @inline(__always)
    static func merge(_ hash: UInt64, _ accumulator: UInt64) -> UInt64 {
        (hash ^ round(0, accumulator)) &* prime1 &+ prime4
    }
}

@inline(__always)
private func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value &<< bits) | (value &>> (64 &- bits))
}

@inline(__always)
private func word64(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
}

@inline(__always)
private func word32(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
}
