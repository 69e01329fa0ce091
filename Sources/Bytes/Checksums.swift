import CIntrinsics

/// CRC-32C (Castagnoli), continuing from `seed`; the processor's instruction where there is one.
package func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return seed }
    return ci_crc32c(seed, base.assumingMemoryBound(to: UInt8.self), bytes.count)
}

package func crc32c(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { crc32c($0, seed: seed) }
}

/// CRC-32 as in gzip, zip and Parquet pages (ISO-HDLC), continuing from `seed`.
package func crc32(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    guard bytes.count > 0 else { return seed }
    return crc32Tables.withUnsafeBufferPointer { tables in
        var crc = ~seed
        var at = 0
        while at &+ 8 <= bytes.count {
            let word =
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                ^ UInt64(crc)
            var next: UInt32 = 0
            for lane in 0..<8 {
                let byte = Int(truncatingIfNeeded: (word &>> UInt64(lane &* 8)) & 0xFF)
                next ^= tables[(7 &- lane) &* 256 &+ byte]
            }
            crc = next
            at &+= 8
        }
        while at < bytes.count {
            crc = (crc &>> 8) ^ tables[Int(truncatingIfNeeded: (crc ^ UInt32(bytes[at])) & 0xFF)]
            at &+= 1
        }
        return ~crc
    }
}

package func crc32(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { crc32($0, seed: seed) }
}

/// CRC-64/NVME, the default checksum of today's S3 clients, continuing from `seed`.
package func crc64NVME(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    guard bytes.count > 0 else { return seed }
    return crc64Tables.withUnsafeBufferPointer { tables in
        var crc = ~seed
        var at = 0
        while at &+ 8 <= bytes.count {
            let word =
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ crc
            var next: UInt64 = 0
            for lane in 0..<8 {
                let byte = Int(truncatingIfNeeded: (word &>> UInt64(lane &* 8)) & 0xFF)
                next ^= tables[(7 &- lane) &* 256 &+ byte]
            }
            crc = next
            at &+= 8
        }
        while at < bytes.count {
            crc = (crc &>> 8) ^ tables[Int(truncatingIfNeeded: (crc ^ UInt64(bytes[at])) & 0xFF)]
            at &+= 1
        }
        return ~crc
    }
}

package func crc64NVME(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { crc64NVME($0, seed: seed) }
}

// Slicing by eight: table `k` advances a byte over `k` further zero bytes.
private let crc32Tables: [UInt32] = slicedTables(reflectedPolynomial: 0xEDB8_8320)
private let crc64Tables: [UInt64] = slicedTables(reflectedPolynomial: 0x9A6C_9329_AC4B_C9B5)

private func slicedTables<Word: FixedWidthInteger>(reflectedPolynomial: Word) -> [Word] {
    var tables = [Word](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
        var crc = Word(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ reflectedPolynomial : crc >> 1 }
        tables[byte] = crc
    }
    for slice in 1..<8 {
        for byte in 0..<256 {
            let before = tables[(slice - 1) * 256 + byte]
            tables[slice * 256 + byte] = (before >> 8) ^ tables[Int(before & 0xFF)]
        }
    }
    return tables
}
