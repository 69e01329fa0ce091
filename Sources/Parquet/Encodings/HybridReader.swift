/// Reads runs of repeated values and of bit-packed ones: dictionary codes, levels, booleans.
///
///     run    := varint header, body
///     header := count << 1            body: the value in (width + 7) / 8 bytes, repeated `count` times
///     header := groups << 1 | 1       body: groups × 8 values, bit-packed, `width` bytes a group
///
/// Keeps its place in a run, so that values can be read or passed over in any portions. The bytes must
/// have 8 readable ones behind them. Source: Parquet format, Encodings.md, "Run Length Encoding /
/// Bit-Packing Hybrid".
struct HybridReader {
    private var at: UnsafeRawPointer
    private let end: UnsafeRawPointer
    private let width: Int
    /// Values left in the present run.
    private(set) var runLeft = 0
    private var isPacked = false
    private var repeated: UInt32 = 0
    /// The present packed run, and how many of its values were taken.
    private var packed: UnsafeRawPointer
    private var packedTaken = 0

    /// `width` must be 0 to 32.
    init(_ bytes: UnsafeRawBufferPointer, width: Int) {
        // An empty buffer may have no address; nothing is read from it then.
        let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64).unsafelyUnwrapped
        at = start
        end = start + bytes.count
        packed = start
        self.width = width
    }

    /// The value of the present run if it is a repeated one.
    var repeatedValue: UInt32? { isPacked ? nil : repeated }

    /// Opens the next run; false when the bytes end or make no sense.
    mutating func openRun() -> Bool {
        while runLeft == 0 {
            var header: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                guard at < end, shift < 35 else { return false }
                let byte = at.load(as: UInt8.self)
                at += 1
                header |= UInt64(byte & 0x7F) &<< shift
                if byte < 0x80 { break }
                shift &+= 7
            }
            let count = Int(header &>> 1)
            let available = end - at
            if header & 1 == 1 {
                isPacked = true
                packed = at
                packedTaken = 0
                // Some writers cut the padding of the last group; take what whole values there are.
                let wanted = count &* width
                if wanted <= available {
                    runLeft = count &* 8
                    at += wanted
                } else {
                    runLeft = width == 0 ? 0 : available &* 8 / width
                    at = end
                    if runLeft == 0 { return false }
                }
            } else {
                isPacked = false
                let size = (width &+ 7) &>> 3
                guard size <= available else { return false }
                var value: UInt32 = 0
                for index in 0..<size {
                    value |= UInt32((at + index).load(as: UInt8.self)) &<< UInt32(8 &* index)
                }
                // Whole bytes hold more than `width` bits: a code behind the dictionary's end, where nobody
                // looks again because codes of this width cannot pass it.
                guard width >= 32 || value &>> UInt32(width) == 0 else { return false }
                repeated = value
                runLeft = count
                at += size
            }
        }
        return true
    }

    /// Moves past `count` values; false when there are fewer.
    mutating func skip(_ count: Int) -> Bool {
        var left = count
        while left > 0 {
            if runLeft == 0 { guard openRun() else { return false } }
            let taken = min(left, runLeft)
            packedTaken &+= taken
            runLeft &-= taken
            left &-= taken
        }
        return true
    }

    /// Reads `count` values; `output` needs room for 8 more. False when there are fewer.
    mutating func read(_ count: Int, into output: UnsafeMutablePointer<UInt32>) -> Bool {
        var left = count
        var to = output
        while left > 0 {
            if runLeft == 0 { guard openRun() else { return false } }
            let taken = min(left, runLeft)
            if isPacked {
                unpack(taken, to)
                packedTaken &+= taken
            } else {
                to.update(repeating: repeated, count: taken)
            }
            to += taken
            runLeft &-= taken
            left &-= taken
        }
        return true
    }

    /// Takes up to 32 bits of a packed run of width 1; nil when the run has fewer.
    mutating func takePackedBits(_ count: Int) -> UInt64? {
        guard isPacked, width == 1, count <= runLeft else { return nil }
        let bit = packedTaken
        let word = UInt64(
            littleEndian: packed.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
        packedTaken &+= count
        runLeft &-= count
        return word &>> UInt64(bit & 7) & (1 &<< UInt64(count) &- 1)
    }

    /// Unpacks from the middle of a run: single values up to a group's start, groups, and a last group
    /// of which some are surplus (hence the room for 8 more).
    private func unpack(_ count: Int, _ output: UnsafeMutablePointer<UInt32>) {
        var index = packedTaken
        var done = 0
        while index & 7 != 0 && done < count {
            output[done] = UInt32(
                truncatingIfNeeded: unpackOne(packed, bit: index &* width, width: width))
            index &+= 1
            done &+= 1
        }
        let left = count &- done
        if left == 0 { return }
        let from = packed + (index &>> 3) &* width
        let groups = left &>> 3
        unpackGroups(from, width: width, groupCount: groups, output + done)
        done &+= groups &* 8
        index &+= groups &* 8
        while done < count {
            output[done] = UInt32(
                truncatingIfNeeded: unpackOne(packed, bit: index &* width, width: width))
            index &+= 1
            done &+= 1
        }
    }
}
