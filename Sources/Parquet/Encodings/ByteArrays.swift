import Vectors

/// A view of bytes in a page; reads up to 12 bytes from `at`, which the buffers' slack allows.
@inline(__always)
func pageView(_ at: UnsafeRawPointer, _ count: Int) -> StringView {
    if count > 12 {
        let prefix = UInt64(at.loadUnaligned(as: UInt32.self))
        return StringView(low: UInt64(count) | prefix &<< 32, high: UInt64(UInt(bitPattern: at)))
    }
    let head = UInt64(at.loadUnaligned(as: UInt32.self))
    let tail = (at + 4).loadUnaligned(as: UInt64.self)
    if count >= 4 {
        let bits = UInt64(count &- 4) &* 8
        let mask: UInt64 = bits == 64 ? ~0 : 1 &<< bits &- 1
        return StringView(low: UInt64(count) | head &<< 32, high: tail & mask)
    }
    let mask = UInt64(1) &<< (UInt64(count) &* 8) &- 1
    return StringView(low: UInt64(count) | (head & mask) &<< 32, high: 0)
}

/// Decodes byte arrays.
enum ByteArrays {
    /// PLAIN: each value behind its length. Writes `count` views.
    static func plain(
        _ bytes: UnsafeRawBufferPointer, count: Int, into output: UnsafeMutablePointer<StringView>
    ) throws(ParquetError) {
        guard count <= bytes.count / 4, let base = bytes.baseAddress else {
            if count == 0 { return }
            throw .truncated("a page of byte arrays ends too early")
        }
        var offset = 0
        let end = bytes.count
        for row in 0..<count {
            guard offset &+ 4 <= end else {
                throw .truncated("a page of byte arrays ends too early")
            }
            let length = Int(UInt32(littleEndian: (base + offset).loadUnaligned(as: UInt32.self)))
            offset &+= 4
            guard length <= end &- offset else {
                throw .truncated("a byte array runs over its page")
            }
            output[row] = pageView(base + offset, length)
            offset &+= length
        }
    }

    /// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
    static func deltaLength(
        _ bytes: UnsafeRawBufferPointer, count: Int, into output: UnsafeMutablePointer<StringView>
    ) throws(ParquetError) {
        // Lengths are kept in the views until their bytes are known.
        var isNegative = false
        var total = 0
        let taken = try DeltaReader.read(bytes, count: count) { row, length in
            if length < 0 || length > Int64(Int32.max) { isNegative = true }
            let length = UInt64(truncatingIfNeeded: length) & 0x7FFF_FFFF
            total &+= Int(length)
            output[row] = StringView(low: length, high: 0)
        }
        guard !isNegative else { throw .corrupted("a byte array has a negative length") }
        guard total <= bytes.count - taken else {
            throw .truncated("a byte array runs over its page")
        }
        guard let base = bytes.baseAddress else { return }
        var at = base + taken
        for row in 0..<count {
            let length = Int(output[row].low)
            output[row] = pageView(at, length)
            at += length
        }
    }

    /// DELTA_BYTE_ARRAY: shared prefix lengths, then suffixes as DELTA_LENGTH_BYTE_ARRAY. The strings
    /// are put together in `heap`.
    static func deltaPrefix(
        _ bytes: UnsafeRawBufferPointer, count: Int, into output: UnsafeMutablePointer<StringView>,
        heap: ScanBuffer, prefixes: ScanBuffer
    ) throws(ParquetError) {
        try prefixes.ensure(count * 4 + 4)
        let lengths = prefixes.pointer(as: UInt32.self)
        var isWrong = false
        let taken = try DeltaReader.read(bytes, count: count) { row, length in
            if length < 0 || length > Int64(Int32.max) { isWrong = true }
            lengths[row] = UInt32(truncatingIfNeeded: length)
        }
        guard !isWrong else { throw .corrupted("a byte array has a negative prefix") }
        try deltaLength(
            UnsafeRawBufferPointer(rebasing: bytes[taken...]), count: count, into: output)
        var total = 0
        var previous = 0
        for row in 0..<count {
            let prefix = Int(lengths[row])
            guard prefix <= previous else {
                throw .corrupted("a byte array's prefix is longer than its model")
            }
            previous = prefix &+ output[row].count
            total &+= previous
            guard total <= ParquetLimits.pageBytes else {
                throw ParquetError(
                    code: .limitExceeded,
                    message: "a page expands to more than \(ParquetLimits.pageBytes) bytes")
            }
        }
        try heap.ensure(total + 16)
        var at = heap.start
        var last = UnsafeRawPointer(at)
        for row in 0..<count {
            let prefix = Int(lengths[row])
            let suffix = StringView.bytes(at: output + row)
            at.copyMemory(from: last, byteCount: prefix)
            if let from = suffix.baseAddress {
                (at + prefix).copyMemory(from: from, byteCount: suffix.count)
            }
            let length = prefix &+ suffix.count
            last = UnsafeRawPointer(at)
            output[row] = StringView(at.assumingMemoryBound(to: UInt8.self), count: length)
            at += length
        }
    }
}

/// Puts BYTE_STREAM_SPLIT values together again: `stride` streams of one byte of each value.
func joinByteStreams(
    _ bytes: UnsafeRawBufferPointer, count: Int, stride: Int, into output: UnsafeMutableRawPointer
) throws(ParquetError) {
    guard count &* stride <= bytes.count, let base = bytes.baseAddress else {
        if count == 0 { return }
        throw .truncated("a page of split byte streams ends too early")
    }
    for lane in 0..<stride {
        let from = base + lane &* count
        var to = output + lane
        for row in 0..<count {
            to.storeBytes(of: (from + row).load(as: UInt8.self), as: UInt8.self)
            to += stride
        }
    }
}
