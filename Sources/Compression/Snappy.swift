/// Snappy's block format. Source: google/snappy, format_description.txt.
enum Snappy {
    /// Reads the length in front of a block: its value and the bytes it took; nil when damaged.
    static func uncompressedLength(_ input: UnsafeRawBufferPointer) -> (length: Int, prefix: Int)? {
        var value: UInt64 = 0
        for index in 0..<min(5, input.count) {
            let byte = input[index]
            value |= UInt64(byte & 0x7F) &<< UInt64(7 &* index)
            if byte < 0x80 {
                return value <= UInt64(UInt32.max) ? (Int(value), index + 1) : nil
            }
        }
        return nil
    }

    /// Decodes a block into `output`, which must have exactly its length; false when damaged.
    ///
    /// Two loops: the first runs while both sides have room for the widest copy, so that it may copy
    /// 16 bytes where fewer are meant; the second finishes the last bytes exactly. Each offset and
    /// length is checked before it is used: nothing outside of the two buffers is touched.
    static func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let (length, prefix) = uncompressedLength(input), length == output.count else {
            return false
        }
        if length == 0 { return prefix == input.count }
        guard let inputStart = input.baseAddress, let start = output.baseAddress else {
            return false
        }
        var source = inputStart + prefix
        let sourceEnd = inputStart + input.count
        var target = start
        let targetEnd = start + length

        // A tag with 4 bytes behind it and 64 of a literal; a copy writes up to 64 + 8 bytes.
        if input.count &- prefix > 80 && length > 80 {
            let sourceLimit = sourceEnd - 80
            let targetLimit = targetEnd - 80
            while source < sourceLimit && target < targetLimit {
                let tag = Int(source.load(as: UInt8.self))
                if tag & 3 == 0 {
                    let count = tag &>> 2 &+ 1
                    if count <= 16 {
                        copy16(source + 1, target)
                        source += count &+ 1
                        target += count
                        continue
                    }
                    if count <= 60 {
                        copy16(source + 1, target)
                        copy16(source + 17, target + 16)
                        if count > 32 {
                            copy16(source + 33, target + 32)
                            copy16(source + 49, target + 48)
                        }
                        source += count &+ 1
                        target += count
                        continue
                    }
                    let extra = count &- 60
                    let word = Int((source + 1).loadUnaligned(as: UInt32.self).littleEndian)
                    let long = word & (1 &<< (8 &* extra) &- 1) &+ 1
                    source += 1 &+ extra
                    guard long <= sourceEnd - source, long <= targetEnd - target else {
                        return false
                    }
                    target.copyMemory(from: source, byteCount: long)
                    source += long
                    target += long
                    continue
                }
                var count: Int
                var offset: Int
                if tag & 3 == 3 {
                    count = tag &>> 2 &+ 1
                    offset = Int((source + 1).loadUnaligned(as: UInt32.self).littleEndian)
                    source += 5
                } else {
                    // Offsets of one and of two bytes follow one another without a pattern: both are
                    // worked out and one is chosen, where a branch would be guessed wrong.
                    let word = Int((source + 1).loadUnaligned(as: UInt16.self).littleEndian)
                    let isWide = 0 &- (tag &>> 1 & 1)
                    let near = (tag & 0xE0) &<< 3 | word & 0xFF
                    offset = (word & isWide) | (near & ~isWide)
                    count = (tag &>> 2 &+ 1) & isWide | (4 &+ (tag &>> 2) & 7) & ~isWide
                    source += 2 &- isWide
                }
                guard offset &- 1 < target - start, offset > 0 else { return false }
                if offset < 8 {
                    // Each turn writes one period of the pattern and doubles it: 8 bytes are stored,
                    // of which as many are right as the distance says.
                    var distance = offset
                    let from = target - offset
                    while distance < 8 && count > 0 {
                        target.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
                        let step = min(distance, count)
                        target += step
                        count &-= step
                        distance &+= step
                    }
                    if count == 0 { continue }
                    offset = target - from
                }
                let from = target - offset
                copy8(from, target)
                copy8(from + 8, target + 8)
                var done = 16
                while done < count {
                    copy8(from + done, target + done)
                    copy8(from + done + 8, target + done + 8)
                    done &+= 16
                }
                target += count
            }
        }
        return finish(source, sourceEnd, target, targetEnd, start)
    }

    /// Decodes what is left with exact copies.
    private static func finish(
        _ sourceStart: UnsafeRawPointer, _ sourceEnd: UnsafeRawPointer,
        _ targetStart: UnsafeMutableRawPointer, _ targetEnd: UnsafeMutableRawPointer,
        _ start: UnsafeMutableRawPointer
    ) -> Bool {
        var source = sourceStart
        var target = targetStart
        while source < sourceEnd {
            let tag = Int(source.load(as: UInt8.self))
            source += 1
            let room = sourceEnd - source
            if tag & 3 == 0 {
                var count = tag &>> 2 &+ 1
                if count > 60 {
                    let extra = count &- 60
                    guard extra <= room else { return false }
                    count = 0
                    for index in 0..<extra {
                        count |= Int((source + index).load(as: UInt8.self)) &<< (8 &* index)
                    }
                    count &+= 1
                    source += extra
                }
                guard count <= sourceEnd - source, count <= targetEnd - target else { return false }
                target.copyMemory(from: source, byteCount: count)
                source += count
                target += count
                continue
            }
            var count = tag &>> 2 &+ 1
            var offset = 0
            let width = tag & 3 == 1 ? 1 : tag & 3 == 2 ? 2 : 4
            guard width <= room else { return false }
            for index in 0..<width {
                offset |= Int((source + index).load(as: UInt8.self)) &<< (8 &* index)
            }
            if width == 1 {
                count = 4 &+ (tag &>> 2) & 7
                offset |= (tag & 0xE0) &<< 3
            }
            source += width
            guard offset > 0, offset <= target - start, count <= targetEnd - target else {
                return false
            }
            for _ in 0..<count {
                target.storeBytes(of: (target - offset).load(as: UInt8.self), as: UInt8.self)
                target += 1
            }
        }
        return target == targetEnd
    }

    @inline(__always)
    private static func copy8(_ source: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer)
    {
        target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
    }

    @inline(__always)
    private static func copy16(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        target.storeBytes(
            of: source.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    }
}
