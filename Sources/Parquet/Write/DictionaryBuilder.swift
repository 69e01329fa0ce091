import Bytes

/// Numbers the distinct values of a column chunk, kept as PLAIN bytes.
struct DictionaryBuilder {
    /// Entries one behind the other, as the dictionary page will have them.
    private(set) var plain = ByteBuffer()
    /// Where each entry begins in `plain`, and the end.
    private(set) var offsets: [Int] = [0]
    /// Entry + 1 of each slot, 0: free. A power of two, at most half full.
    private var slots: [UInt32] = Array(repeating: 0, count: 1024)
    private var hashes: [UInt64] = []

    var count: Int { offsets.count - 1 }

    /// The code of a value given in PLAIN bytes.
    mutating func code(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash: UInt64
        if bytes.count == 8 {
            hash = mix(bytes.loadUnaligned(as: UInt64.self))
        } else if bytes.count == 4 {
            hash = mix(UInt64(bytes.loadUnaligned(as: UInt32.self)))
        } else {
            hash = xxHash64(bytes)
        }
        if hash == 0 { hash = 1 }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { break }
            let index = Int(entry) - 1
            if hashes[index] == hash && isEqual(index, bytes) { return entry - 1 }
            slot = (slot + 1) & mask
        }
        let code = UInt32(truncatingIfNeeded: count)
        slots[slot] = code + 1
        hashes.append(hash)
        plain.append(bytes)
        offsets.append(plain.count)
        if count * 2 > slots.count { grow() }
        return code
    }

    /// The PLAIN bytes of an entry.
    func entry(_ code: UInt32) -> ArraySlice<UInt8> {
        plain.bytes[offsets[Int(code)]..<offsets[Int(code) + 1]]
    }

    private func isEqual(_ index: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = offsets[index]
        guard offsets[index + 1] - start == bytes.count else { return false }
        return plain.bytes.withUnsafeBytes { stored in
            for at in 0..<bytes.count where stored[start + at] != bytes[at] { return false }
            return true
        }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 4)
        let mask = slots.count - 1
        for (index, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(truncatingIfNeeded: index + 1)
        }
    }

    private func mix(_ key: UInt64) -> UInt64 {
        let wide = key.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return wide.high ^ wide.low
    }
}
