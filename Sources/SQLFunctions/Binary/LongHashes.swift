// Hashes of 64 and 128 bits that only SQL asks for.

@inline(__always) private func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value &<< count | value &>> (64 - count)
}

/// A little-endian word; bytes beyond the end are zero.
@inline(__always) private func word(_ bytes: Text, _ offset: Int) -> UInt64 {
    var value: UInt64 = 0
    let end = min(offset + 8, bytes.count)
    guard offset < end else { return 0 }
    for index in offset..<end { value |= UInt64(bytes[index]) &<< UInt64((index - offset) * 8) }
    return value
}

/// MurmurHash3_x64_128 with seed 0; both halves are written the lowest byte first.
/// Source: Appleby, MurmurHash3.cpp.
func murmur128(_ bytes: Text) -> [UInt8] {
    let c1: UInt64 = 0x87c3_7b91_1142_53d5
    let c2: UInt64 = 0x4cf5_ad43_2745_937f
    var h1: UInt64 = 0
    var h2: UInt64 = 0
    func first(_ k: UInt64) -> UInt64 { rotated(k &* c1, 31) &* c2 }
    func second(_ k: UInt64) -> UInt64 { rotated(k &* c2, 33) &* c1 }
    let whole = bytes.count / 16 * 16
    for offset in stride(from: 0, to: whole, by: 16) {
        h1 ^= first(word(bytes, offset))
        h1 = (rotated(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
        h2 ^= second(word(bytes, offset + 8))
        h2 = (rotated(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
    }
    h2 ^= second(word(bytes, whole + 8))
    h1 ^= first(word(bytes, whole))
    h1 ^= UInt64(bytes.count)
    h2 ^= UInt64(bytes.count)
    func finished(_ value: UInt64) -> UInt64 {
        var k = value
        k ^= k &>> 33
        k = k &* 0xff51_afd7_ed55_8ccd
        k ^= k &>> 33
        k = k &* 0xc4ce_b9fe_1a85_ec53
        return k ^ k &>> 33
    }
    h1 = h1 &+ h2
    h2 = h2 &+ h1
    h1 = finished(h1)
    h2 = finished(h2)
    h1 = h1 &+ h2
    h2 = h2 &+ h1
    return Array(bigEndianBytes(h1.byteSwapped)) + Array(bigEndianBytes(h2.byteSwapped))
}

/// SpookyHash V2 with seed 0: the first 64 of its 128 bits. Source: Jenkins, SpookyV2.cpp.
enum SpookyHash {
    private static let constant: UInt64 = 0xdead_beef_dead_beef
    private static let shortLimit = 192
    private static let blockBytes = 96

    static func hash(_ bytes: Text) -> UInt64 {
        bytes.count < shortLimit ? short(bytes) : long(bytes)
    }

    private static func short(_ bytes: Text) -> UInt64 {
        var a: UInt64 = 0
        var b: UInt64 = 0
        var c = constant
        var d = constant
        var offset = 0
        func mix() {
            c = rotated(c, 50)
            c = c &+ d
            a ^= c
            d = rotated(d, 52)
            d = d &+ a
            b ^= d
            a = rotated(a, 30)
            a = a &+ b
            c ^= a
            b = rotated(b, 41)
            b = b &+ c
            d ^= b
            c = rotated(c, 54)
            c = c &+ d
            a ^= c
            d = rotated(d, 48)
            d = d &+ a
            b ^= d
            a = rotated(a, 38)
            a = a &+ b
            c ^= a
            b = rotated(b, 37)
            b = b &+ c
            d ^= b
            c = rotated(c, 62)
            c = c &+ d
            a ^= c
            d = rotated(d, 34)
            d = d &+ a
            b ^= d
            a = rotated(a, 5)
            a = a &+ b
            c ^= a
            b = rotated(b, 36)
            b = b &+ c
            d ^= b
        }
        while bytes.count - offset >= 32 {
            c = c &+ word(bytes, offset)
            d = d &+ word(bytes, offset + 8)
            mix()
            a = a &+ word(bytes, offset + 16)
            b = b &+ word(bytes, offset + 24)
            offset += 32
        }
        if bytes.count - offset >= 16 {
            c = c &+ word(bytes, offset)
            d = d &+ word(bytes, offset + 8)
            mix()
            offset += 16
        }
        let rest = bytes.count - offset
        d = d &+ UInt64(bytes.count) &<< 56
        if rest == 0 {
            c = c &+ constant
            d = d &+ constant
        } else {
            c = c &+ word(bytes, offset)
            d = d &+ word(bytes, offset + 8)
        }
        // The end mixes each word into the next, round and round.
        d ^= c
        c = rotated(c, 15)
        d = d &+ c
        a ^= d
        d = rotated(d, 52)
        a = a &+ d
        b ^= a
        a = rotated(a, 26)
        b = b &+ a
        c ^= b
        b = rotated(b, 51)
        c = c &+ b
        d ^= c
        c = rotated(c, 28)
        d = d &+ c
        a ^= d
        d = rotated(d, 9)
        a = a &+ d
        b ^= a
        a = rotated(a, 47)
        b = b &+ a
        c ^= b
        b = rotated(b, 54)
        c = c &+ b
        d ^= c
        c = rotated(c, 32)
        d = d &+ c
        a ^= d
        d = rotated(d, 25)
        a = a &+ d
        b ^= a
        a = rotated(a, 63)
        b = b &+ a
        return a
    }

    private static let mixRotations: [UInt64] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46]
    private static let endRotations: [UInt64] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54]

    private static func long(_ bytes: Text) -> UInt64 {
        // Words 0, 3, 6, 9 begin with the first seed, 1, 4, 7, 10 with the second, the others constant.
        var h = (0..<12).map { $0 % 3 == 2 ? constant : 0 }
        let whole = bytes.count / blockBytes * blockBytes
        for offset in stride(from: 0, to: whole, by: blockBytes) {
            for index in 0..<12 {
                h[index] = h[index] &+ word(bytes, offset + index * 8)
                h[(index + 2) % 12] ^= h[(index + 10) % 12]
                h[(index + 11) % 12] ^= h[index]
                h[index] = rotated(h[index], mixRotations[index])
                h[(index + 11) % 12] = h[(index + 11) % 12] &+ h[(index + 1) % 12]
            }
        }
        // The last block is padded with zeros; its last byte is the length of the rest.
        let rest = bytes.count - whole
        for index in 0..<12 {
            var value = word(bytes, whole + index * 8)
            if index == 11 { value |= UInt64(rest) &<< 56 }
            h[index] = h[index] &+ value
        }
        for _ in 0..<3 {
            for index in 0..<12 {
                h[(index + 11) % 12] = h[(index + 11) % 12] &+ h[(index + 1) % 12]
                h[(index + 2) % 12] ^= h[(index + 11) % 12]
                h[(index + 1) % 12] = rotated(h[(index + 1) % 12], endRotations[index])
            }
        }
        return h[0]
    }
}
