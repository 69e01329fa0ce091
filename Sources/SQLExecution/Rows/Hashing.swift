import Vectors

/// Mixes one word into a hash: a full multiplication, both halves folded.
@inline(__always) func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
}

/// Hashes bytes, eight at a time.
func hashBytes(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    guard let base = bytes.baseAddress else { return mix(0x5851_F42D) }
    let raw = UnsafeRawPointer(base)
    var hash = UInt64(truncatingIfNeeded: bytes.count) &* 0x5851_F42D_4C95_7F2D
    var index = 0
    while index &+ 8 <= bytes.count {
        hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        index &+= 8
    }
    var tail: UInt64 = 0
    var shift: UInt64 = 0
    while index < bytes.count {
        tail |= UInt64(base[index]) &<< shift
        shift &+= 8
        index &+= 1
    }
    return mix(hash ^ tail)
}

/// Hashes the text of a view; inline views by their words, which is the same for equal text.
@inline(__always) func hashView(_ view: StringView) -> UInt64 {
    if view.isInline { return mix(mix(view.low) ^ view.high) }
    return hashBytes(UnsafeBufferPointer(start: view.pointer, count: view.count))
}

/// The partition of a header or hash: its top five bits.
let partitionBits: UInt64 = 5
let partitionTotal = 32
@inline(__always) func partition(of header: UInt64) -> Int {
    Int(truncatingIfNeeded: header &>> 59)
}
