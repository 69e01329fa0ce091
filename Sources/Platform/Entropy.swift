import CLinux
import Diagnostics
import Synchronization

/// Where random bytes come from. Secrets, ids and jitter all take one through `init`.
package protocol Entropy: Sendable {
    /// Fills the whole buffer.
    func fill(_ buffer: UnsafeMutableRawBufferPointer)
}

extension Entropy {
    /// As many bytes as asked for.
    package func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { fill($0) }
        return bytes
    }

    /// A uniformly random word.
    package func word() -> UInt64 {
        var word: UInt64 = 0
        withUnsafeMutableBytes(of: &word) { fill($0) }
        return word
    }

    /// A uniformly random number below `bound`, which is at least 1.
    package func below(_ bound: UInt64) -> UInt64 {
        invariant(bound > 0, "a bound is at least one")
        // Lemire's rejection: the low half of the product tells the few words that would be unfair.
        var product = word().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = word().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// Lower-case hexadecimal of that many random bytes.
    package func hex(bytes count: Int) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count * 2)
        for byte in bytes(count) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A random UUID (version 4) in its usual form. Source: RFC 9562, section 5.4.
    package func uuid() -> String {
        var raw = bytes(16)
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in raw.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(0x2D) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The kernel's generator; fit for keys.
package struct SystemEntropy: Entropy {
    package init() {}
    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return }
        // Without entropy no key is safe, and the call does not fail on a working kernel.
        invariant(cl_random(base, buffer.count) == 0, "the kernel gives no entropy")
    }
}

/// The same bytes for the same seed; for tests and for demos that must repeat. Never for secrets.
package final class SeededEntropy: Entropy {
    private let state: Mutex<UInt64>
    package init(seed: UInt64) { state = Mutex(seed) }

    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        state.withLock { state in
            var offset = 0
            while offset < buffer.count {
                // SplitMix64.
                state &+= 0x9E37_79B9_7F4A_7C15
                var word = state
                word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
                word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
                word ^= word >> 31
                let count = min(8, buffer.count - offset)
                withUnsafeBytes(of: word.littleEndian) { source in
                    buffer.baseAddress!.advanced(by: offset)
                        .copyMemory(from: source.baseAddress!, byteCount: count)
                }
                offset += count
            }
        }
    }
}
