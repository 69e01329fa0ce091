/// Sixteen bytes that name a string: the length, then 12 bytes inline, or a 4-byte prefix and a pointer.
///
///     length ≤ 12:  [length 4][bytes 12, zero padded]
///     longer:       [length 4][prefix 4][pointer 8]
///
/// Equal first words and equal second words mean equal strings without a look at the bytes. The bytes
/// belong to whoever made the view. For text they are valid UTF-8.
@frozen
@usableFromInline
package struct StringView: BitwiseCopyable, Sendable {
    // Safe to send because the owner of the bytes keeps them alive and unchanged.
    @usableFromInline package var low: UInt64
    @usableFromInline package var high: UInt64

    @inlinable package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The empty string.
    @inlinable package static var empty: StringView { StringView(low: 0, high: 0) }

    /// Views `count` bytes at `bytes`, which must stay alive when longer than 12. `count` ≤ 2^31-1.
    @inlinable package init(_ bytes: UnsafePointer<UInt8>, count: Int) {
        if count <= 12 {
            var words: (UInt64, UInt64) = (0, 0)
            withUnsafeMutableBytes(of: &words) { raw in
                raw.storeBytes(of: UInt32(truncatingIfNeeded: count), as: UInt32.self)
                raw.baseAddress.unsafelyUnwrapped.advanced(by: 4)
                    .copyMemory(from: bytes, byteCount: count)
            }
            (low, high) = (UInt64(littleEndian: words.0), UInt64(littleEndian: words.1))
        } else {
            let prefix = UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self)
            low = UInt64(UInt32(truncatingIfNeeded: count)) | UInt64(prefix) << 32
            high = UInt64(UInt(bitPattern: bytes))
        }
    }

    /// Bytes of the string.
    @inlinable package var count: Int { Int(UInt32(truncatingIfNeeded: low)) }
    @inlinable package var isInline: Bool { UInt32(truncatingIfNeeded: low) <= 12 }
    /// Where the bytes of a long string are; meaningless for inline ones.
    @inlinable package var pointer: UnsafePointer<UInt8> {
        UnsafePointer(bitPattern: UInt(high)).unsafelyUnwrapped
    }

    /// Lends the bytes; `self` must stay where it is, hence the closure.
    @inlinable package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !isInline { return try body(UnsafeBufferPointer(start: pointer, count: count)) }
        var words = (low, high)
        let length = count
        // A local's address is stable for the extent of this call.
        return try withUnsafePointer(to: &words) {
            (start: UnsafePointer<(UInt64, UInt64)>) throws(Failure) -> Result in
            let bytes = UnsafeRawPointer(start).advanced(by: 4).assumingMemoryBound(to: UInt8.self)
            return try body(UnsafeBufferPointer(start: bytes, count: length))
        }
    }

    /// The bytes of the view stored at `at`, without a copy: inline bytes are read in place.
    @inlinable package static func bytes(at: UnsafePointer<StringView>) -> UnsafeBufferPointer<
        UInt8
    > {
        let view = at.pointee
        if view.isInline {
            return UnsafeBufferPointer(
                start: UnsafeRawPointer(at).advanced(by: 4).assumingMemoryBound(to: UInt8.self),
                count: view.count)
        }
        return UnsafeBufferPointer(start: view.pointer, count: view.count)
    }

    /// Byte-wise equality.
    @inlinable package static func == (left: StringView, right: StringView) -> Bool {
        if left.low != right.low { return false }
        if left.high == right.high { return true }
        if left.isInline { return false }
        return memoryEqual(left.pointer, right.pointer, left.count)
    }

    /// Byte-wise order, which for UTF-8 is the order of code points: negative, zero or positive.
    @inlinable package static func compare(_ left: StringView, _ right: StringView) -> Int {
        let a = UInt32(truncatingIfNeeded: left.low >> 32).byteSwapped
        let b = UInt32(truncatingIfNeeded: right.low >> 32).byteSwapped
        if a != b { return a < b ? -1 : 1 }
        return left.withBytes { x in right.withBytes { y in compareBytes(x, y) } }
    }

    /// The text; damaged UTF-8 is repaired with U+FFFD.
    package var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// Whether `count` bytes are the same.
@inlinable package func memoryEqual(
    _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int
) -> Bool {
    var i = 0
    let a = UnsafeRawPointer(left)
    let b = UnsafeRawPointer(right)
    while i &+ 8 <= count {
        if a.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            != b.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        {
            return false
        }
        i &+= 8
    }
    while i < count {
        if left[i] != right[i] { return false }
        i &+= 1
    }
    return true
}

/// Lexicographic order of bytes: negative, zero or positive.
@inlinable package func compareBytes(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
) -> Int {
    let count = min(left.count, right.count)
    if count > 0, let a = left.baseAddress, let b = right.baseAddress {
        var i = 0
        while i &+ 8 <= count {
            let x = UnsafeRawPointer(a).loadUnaligned(fromByteOffset: i, as: UInt64.self)
            let y = UnsafeRawPointer(b).loadUnaligned(fromByteOffset: i, as: UInt64.self)
            if x != y { return x.bigEndian < y.bigEndian ? -1 : 1 }
            i &+= 8
        }
        while i < count {
            if a[i] != b[i] { return a[i] < b[i] ? -1 : 1 }
            i &+= 1
        }
    }
    return left.count - right.count
}
