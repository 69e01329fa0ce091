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
    /// Short elements, 97 of 100 in columns of numbers and words, take one way without a branch that
    /// depends on the data; the others take `decodeLong`.
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
            let shapes = Self.shapes
            while source < sourceLimit && target < targetLimit {
                // Literals and copies follow one another without a pattern, and so do their kinds: both
                // places are worked out and one is chosen, where a branch would be guessed wrong.
                let tag = Int(source.load(as: UInt8.self))
                let isLiteral = tag & 3 == 0
                let shape = shapes[tag]
                let word = (source + 1).loadUnaligned(as: UInt16.self).littleEndian
                let offset = Int(word & shape.offsetMask | shape.offsetHigh)
                if offset >= shape.leastOffset && offset <= target - start {
                    let behind = UnsafeRawPointer(target - offset)
                    copy16(isLiteral ? source + 1 : behind, target)
                    target += Int(shape.length)
                    source = isLiteral ? source + (tag &>> 2 &+ 2) : source + (tag & 3 &+ 1)
                    continue
                }
                guard decodeLong(tag, &source, sourceEnd, &target, targetEnd, start) else {
                    return false
                }
            }
        }
        return finish(source, sourceEnd, target, targetEnd, start)
    }

    /// What a tag's byte says.
    private struct Shape {
        var length: UInt16
        /// Which bits of the two bytes behind the tag are the offset's; none of a literal's.
        var offsetMask: UInt16
        var offsetHigh: UInt16
        var padding: UInt16 = 0
        /// From which offset on 16 bytes may be copied at once; beyond all offsets where they do not do.
        var leastOffset: Int
    }

    /// By tag.
    // Safe because it is filled once, before its first use, and never written again.
    nonisolated(unsafe) private static let shapes: UnsafePointer<Shape> = {
        let shapes = UnsafeMutablePointer<Shape>.allocate(capacity: 256)
        for tag in 0..<256 {
            let isNear = tag & 3 == 1
            let length = isNear ? 4 + (tag >> 2) & 7 : tag >> 2 + 1
            let isShort = length <= 16 && tag & 3 != 3
            shapes.advanced(by: tag).initialize(
                to: Shape(
                    length: UInt16(length),
                    offsetMask: tag & 3 == 0 ? 0 : isNear ? 0xFF : 0xFFFF,
                    offsetHigh: isNear ? UInt16(tag & 0xE0) << 3 : 0,
                    leastOffset: !isShort ? .max : tag & 3 == 0 ? 0 : length))
        }
        return UnsafePointer(shapes)
    }()

    /// Decodes one element that is long, overlaps itself or is damaged; false when damaged.
    private static func decodeLong(
        _ tag: Int, _ source: inout UnsafeRawPointer, _ sourceEnd: UnsafeRawPointer,
        _ target: inout UnsafeMutableRawPointer, _ targetEnd: UnsafeMutableRawPointer,
        _ start: UnsafeMutableRawPointer
    ) -> Bool {
        var count = tag &>> 2 &+ 1
        if tag & 3 == 0 {
            var extra = 0
            if count > 60 {
                extra = count &- 60
                let word = Int((source + 1).loadUnaligned(as: UInt32.self).littleEndian)
                count = word & (1 &<< (8 &* extra) &- 1) &+ 1
            }
            source += 1 &+ extra
            guard count <= sourceEnd - source, count <= targetEnd - target else { return false }
            target.copyMemory(from: source, byteCount: count)
            source += count
            target += count
            return true
        }
        var offset: Int
        switch tag & 3 {
        case 1:
            count = 4 &+ (tag &>> 2) & 7
            offset = (tag & 0xE0) &<< 3 | Int((source + 1).load(as: UInt8.self))
            source += 2
        case 2:
            offset = Int((source + 1).loadUnaligned(as: UInt16.self).littleEndian)
            source += 3
        default:
            offset = Int((source + 1).loadUnaligned(as: UInt32.self).littleEndian)
            source += 5
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
            if count == 0 { return true }
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
        return true
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
