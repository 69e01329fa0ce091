/// Decodes definition and repetition levels of a page.
enum LevelReader {
    /// Decodes `count` levels of `width` bits into bytes; false when the bytes end early or a level is
    /// larger than `maximum`.
    static func read(
        _ bytes: UnsafeRawBufferPointer, width: Int, maximum: Int, count: Int, isBitPacked: Bool,
        into output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        if width == 0 {
            output.update(repeating: 0, count: count)
            return true
        }
        if isBitPacked { return readBitPacked(bytes, width, maximum, count, output) }
        var reader = HybridReader(bytes, width: width)
        var done = 0
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1024 + 8) { piece in
            guard let start = piece.baseAddress else { return false }
            while done < count {
                if reader.runLeft == 0 { guard reader.openRun() else { return false } }
                if let value = reader.repeatedValue {
                    guard value <= maximum else { return false }
                    let taken = min(reader.runLeft, count &- done)
                    (output + done).update(
                        repeating: UInt8(truncatingIfNeeded: value), count: taken)
                    guard reader.skip(taken) else { return false }
                    done &+= taken
                    continue
                }
                let taken = min(reader.runLeft, count &- done, 1024)
                guard reader.read(taken, into: start) else { return false }
                var largest: UInt32 = 0
                for index in 0..<taken {
                    largest = max(largest, start[index])
                    output[done &+ index] = UInt8(truncatingIfNeeded: start[index])
                }
                guard largest <= maximum else { return false }
                done &+= taken
            }
            return true
        }
    }

    /// The deprecated form: most significant bit first, no runs.
    private static func readBitPacked(
        _ bytes: UnsafeRawBufferPointer, _ width: Int, _ maximum: Int, _ count: Int,
        _ output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard (count &* width &+ 7) / 8 <= bytes.count else { return false }
        for index in 0..<count {
            var value = 0
            for bit in (index &* width)..<(index &* width &+ width) {
                value = value &<< 1 | Int(bytes[bit &>> 3] &>> UInt8(7 &- bit & 7) & 1)
            }
            guard value <= maximum else { return false }
            output[index] = UInt8(truncatingIfNeeded: value)
        }
        return true
    }

    /// Decodes levels of one bit into a bitmap, zero bits behind the last; returns how many are set, or
    /// nil when the bytes end early. `output` has whole words for `count` bits.
    static func readBits(
        _ bytes: UnsafeRawBufferPointer, count: Int, isBitPacked: Bool,
        into output: UnsafeMutablePointer<UInt64>
    ) -> Int? {
        let wordCount = (count &+ 63) &>> 6
        output.update(repeating: 0, count: wordCount)
        if isBitPacked {
            guard (count &+ 7) / 8 <= bytes.count else { return nil }
            for index in 0..<count where bytes[index &>> 3] &>> UInt8(7 &- index & 7) & 1 == 1 {
                output[index &>> 6] |= 1 &<< UInt64(index & 63)
            }
        } else {
            var reader = HybridReader(bytes, width: 1)
            var done = 0
            while done < count {
                if reader.runLeft == 0 { guard reader.openRun() else { return nil } }
                let taken = min(reader.runLeft, count &- done)
                if let value = reader.repeatedValue {
                    guard value <= 1, reader.skip(taken) else { return nil }
                    if value == 1 { setRange(output, done, taken) }
                } else {
                    guard reader.readBits(taken, into: output, at: done) else { return nil }
                }
                done &+= taken
            }
        }
        var total = 0
        for index in 0..<wordCount { total &+= output[index].nonzeroBitCount }
        return total
    }

    /// Sets `count` bits from `start` on.
    static func setRange(_ bits: UnsafeMutablePointer<UInt64>, _ start: Int, _ count: Int) {
        var at = start
        let end = start &+ count
        while at < end {
            let inWord = at & 63
            let taken = min(64 &- inWord, end &- at)
            let mask: UInt64 = taken == 64 ? ~0 : (1 &<< UInt64(taken) &- 1)
            bits[at &>> 6] |= mask &<< UInt64(inWord)
            at &+= taken
        }
    }
}

extension HybridReader {
    /// Reads bits of a packed run of width 1 into a zeroed bitmap at a bit position. `count` must not be
    /// more than `runLeft`.
    mutating func readBits(
        _ count: Int, into output: UnsafeMutablePointer<UInt64>, at position: Int
    ) -> Bool {
        var left = count
        var to = position
        while left > 0 {
            let taken = min(left, 32)
            guard let word = takePackedBits(taken) else { return false }
            let inWord = to & 63
            output[to &>> 6] |= word &<< UInt64(inWord)
            if inWord &+ taken > 64 { output[to &>> 6 &+ 1] |= word &>> UInt64(64 &- inWord) }
            to &+= taken
            left &-= taken
        }
        return true
    }
}
