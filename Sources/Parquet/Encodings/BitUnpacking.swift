/// Unpacks integers of `width` bits, least significant bit first: Parquet's bit-packed runs.
///
/// The width is a value that the compiler knows, so that shifts and offsets are constants.
private enum Unpacker<let width: Int> {
    /// Unpacks `groupCount` groups of eight. Reads up to 8 bytes behind the last group.
    static func run(
        _ source: UnsafeRawPointer, _ groupCount: Int, _ output: UnsafeMutablePointer<UInt32>
    ) {
        let mask = UInt64(1) &<< UInt64(width) &- 1
        var from = source
        var to = output
        for _ in 0..<groupCount {
            for lane in 0..<8 {
                let bit = lane &* width
                let word = UInt64(
                    littleEndian: from.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                to[lane] = UInt32(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
            }
            from += width
            to += 8
        }
    }
}

/// Unpacks groups of eight integers of `width` bits, 0 to 32. `source` needs 8 readable bytes behind it.
func unpackGroups(
    _ source: UnsafeRawPointer, width: Int, groupCount: Int, _ output: UnsafeMutablePointer<UInt32>
) {
    switch width {
    case 0: output.update(repeating: 0, count: groupCount &* 8)
    case 1: Unpacker<1>.run(source, groupCount, output)
    case 2: Unpacker<2>.run(source, groupCount, output)
    case 3: Unpacker<3>.run(source, groupCount, output)
    case 4: Unpacker<4>.run(source, groupCount, output)
    case 5: Unpacker<5>.run(source, groupCount, output)
    case 6: Unpacker<6>.run(source, groupCount, output)
    case 7: Unpacker<7>.run(source, groupCount, output)
    case 8: Unpacker<8>.run(source, groupCount, output)
    case 9: Unpacker<9>.run(source, groupCount, output)
    case 10: Unpacker<10>.run(source, groupCount, output)
    case 11: Unpacker<11>.run(source, groupCount, output)
    case 12: Unpacker<12>.run(source, groupCount, output)
    case 13: Unpacker<13>.run(source, groupCount, output)
    case 14: Unpacker<14>.run(source, groupCount, output)
    case 15: Unpacker<15>.run(source, groupCount, output)
    case 16: Unpacker<16>.run(source, groupCount, output)
    case 17: Unpacker<17>.run(source, groupCount, output)
    case 18: Unpacker<18>.run(source, groupCount, output)
    case 19: Unpacker<19>.run(source, groupCount, output)
    case 20: Unpacker<20>.run(source, groupCount, output)
    case 21: Unpacker<21>.run(source, groupCount, output)
    case 22: Unpacker<22>.run(source, groupCount, output)
    case 23: Unpacker<23>.run(source, groupCount, output)
    case 24: Unpacker<24>.run(source, groupCount, output)
    case 25: Unpacker<25>.run(source, groupCount, output)
    case 26: Unpacker<26>.run(source, groupCount, output)
    case 27: Unpacker<27>.run(source, groupCount, output)
    case 28: Unpacker<28>.run(source, groupCount, output)
    case 29: Unpacker<29>.run(source, groupCount, output)
    case 30: Unpacker<30>.run(source, groupCount, output)
    case 31: Unpacker<31>.run(source, groupCount, output)
    default: Unpacker<32>.run(source, groupCount, output)
    }
}

/// One integer of up to 56 bits at a bit position. Reads 8 bytes from the byte that the bit is in.
@inline(__always)
func unpackOne(_ source: UnsafeRawPointer, bit: Int, width: Int) -> UInt64 {
    let word = UInt64(
        littleEndian: source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
    return word &>> UInt64(bit & 7) & (1 &<< UInt64(width) &- 1)
}
