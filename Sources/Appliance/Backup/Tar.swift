import Bytes

/// The ustar form of an archive: a header of 512 bytes a file, then its bytes padded to 512. Source: POSIX.1,
/// "pax: ustar Interchange Format"; sizes past 8 GiB in GNU's base-256 form, names past 100 bytes in GNU's
/// form too: an entry of kind `L` before it that has the name for its bytes.
enum Tar {
    static let blockBytes = 512
    private static let nameBytes = 100
    /// A name longer than this is refused.
    static let longestName = 4096
    private static let plainKind: UInt8 = 0x30
    private static let longNameKind: UInt8 = 0x4C

    /// A header that was taken apart.
    struct Header: Equatable {
        var name: String
        var sizeBytes: Int64
        var mode: UInt32
        /// Its bytes are the name of the entry behind it.
        var isLongName: Bool
    }

    /// What goes before a regular file's bytes.
    static func header(name: String, sizeBytes: Int64, mode: UInt32) -> [UInt8] {
        let bytes = Array(name.utf8)
        let own = block(bytes.prefix(nameBytes), sizeBytes: sizeBytes, mode: mode, plainKind)
        guard bytes.count > nameBytes else { return own }
        let before = block(
            Array("././@LongLink".utf8)[...], sizeBytes: Int64(bytes.count + 1), mode: 0,
            longNameKind)
        return before + bytes + [0] + padding(Int64(bytes.count + 1)) + own
    }

    /// The zeros that fill an entry's last block.
    static func padding(_ sizeBytes: Int64) -> [UInt8] {
        let rest = Int(sizeBytes % Int64(blockBytes))
        return [UInt8](repeating: 0, count: rest == 0 ? 0 : blockBytes - rest)
    }

    private static func block(
        _ name: ArraySlice<UInt8>, sizeBytes: Int64, mode: UInt32, _ kind: UInt8
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        func octal(_ value: Int64, _ digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
                + [0]
        }
        put(name, at: 0)
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
        put([kind], at: 156)
        put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
        let sum = block.reduce(Int64(0)) { $0 + Int64($1) }
        put(octal(sum, 6) + [0x20], at: 148)
        return block
    }

    /// A header; nil for the blocks of zeros at the end. Throws for one whose checksum is wrong.
    static func parse(_ block: [UInt8]) throws(ApplianceError) -> Header? {
        if block.allSatisfy({ $0 == 0 }) { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            if block[range.lowerBound] & 0x80 != 0 {
                return block[range].suffix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
            }
            let digits = block[range].prefix { $0 != 0 && $0 != 0x20 }
            return Int64(String(decoding: digits, as: UTF8.self), radix: 8)
        }
        let name = String(decoding: block.prefix(nameBytes).prefix { $0 != 0 }, as: UTF8.self)
        guard block.count == blockBytes else { throw damaged(name) }
        var plain = block
        plain.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = plain.reduce(Int64(0)) { $0 + Int64($1) }
        let isLongName = block[156] == longNameKind
        guard number(148..<155) == sum, let size = number(124..<136), size >= 0,
            let mode = number(100..<107), isLongName || isSafe(name),
            !isLongName || size <= longestName
        else { throw damaged(name) }
        return Header(
            name: name, sizeBytes: size, mode: UInt32(truncatingIfNeeded: mode),
            isLongName: isLongName)
    }

    /// Whether what has this name stays below the directory that it is unpacked into.
    static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
    }

    static func damaged(_ name: String) -> ApplianceError {
        ApplianceError(
            .directoryDamaged, "the backup is damaged at the entry \(name.prefix(40))",
            hint: "take another backup")
    }
}
