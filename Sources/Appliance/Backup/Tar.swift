import Bytes

/// The ustar form of an archive: a header of 512 bytes a file, then its bytes padded to 512. Source: POSIX.1,
/// "pax: ustar Interchange Format"; sizes past 8 GiB in GNU's base-256 form.
enum Tar {
    static let blockBytes = 512

    /// The header of a regular file. `name` has at most 100 bytes.
    static func header(name: String, sizeBytes: Int64, mode: UInt32) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ bytes: [UInt8], at offset: Int) {
            block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        func octal(_ value: Int64, _ digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
                + [0]
        }
        put(Array(name.utf8.prefix(100)), at: 0)
        put(octal(Int64(mode), 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        if sizeBytes < 1 << 33 {
            put(octal(sizeBytes, 11), at: 124)
        } else {
            put([0x80, 0, 0, 0] + withUnsafeBytes(of: sizeBytes.bigEndian) { Array($0) }, at: 124)
        }
        put(octal(0, 11), at: 136)
        put(Array("        ".utf8), at: 148)
        put([0x30], at: 156)
        put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
        let sum = block.reduce(Int64(0)) { $0 + Int64($1) }
        put(octal(sum, 6) + [0x20], at: 148)
        return block
    }

    /// Name, size and mode of a header; nil for the blocks of zeros at the end. Throws for a header whose
    /// checksum is wrong.
    static func parse(
        _ block: [UInt8]
    ) throws(ApplianceError) -> (name: String, sizeBytes: Int64, mode: UInt32)? {
        if block.allSatisfy({ $0 == 0 }) { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            if block[range.lowerBound] & 0x80 != 0 {
                return block[range].suffix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
            }
            let digits = block[range].prefix { $0 != 0 && $0 != 0x20 }
            return Int64(String(decoding: digits, as: UTF8.self), radix: 8)
        }
        var plain = block
        plain.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = plain.reduce(Int64(0)) { $0 + Int64($1) }
        let name = String(decoding: block.prefix { $0 != 0 }, as: UTF8.self)
        guard number(148..<155) == sum, let size = number(124..<136), size >= 0,
            let mode = number(100..<107), !name.hasPrefix("/"),
            !name.split(separator: "/").contains("..")
        else {
            throw ApplianceError(
                .directoryDamaged, "the backup is damaged at the entry \(name.prefix(40))",
                hint: "take another backup")
        }
        return (name, size, UInt32(truncatingIfNeeded: mode))
    }
}
