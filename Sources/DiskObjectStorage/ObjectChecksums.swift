import Bytes
import Cryptography

/// A checksum that clients may ask for. Source: Amazon S3 User Guide, "Checking object integrity".
package enum ChecksumAlgorithm: String, Sendable, CaseIterable {
    case crc32 = "CRC32"
    case crc32c = "CRC32C"
    case crc64NVME = "CRC64NVME"
    case sha1 = "SHA1"
    case sha256 = "SHA256"

    /// How long a value is.
    package var byteCount: Int {
        switch self {
        case .crc32, .crc32c: 4
        case .crc64NVME: 8
        case .sha1: 20
        case .sha256: 32
        }
    }

    /// Whether the value of a whole follows from those of its parts.
    package var isCombinable: Bool {
        switch self {
        case .crc32, .crc32c, .crc64NVME: true
        case .sha1, .sha256: false
        }
    }
}

/// Whether a checksum is over the whole object or over the checksums of its parts.
package enum ChecksumType: String, Sendable {
    case fullObject = "FULL_OBJECT"
    case composite = "COMPOSITE"
}

/// The checksums that are kept of an object, in the text form of S3: base64, with `-N` when composite.
package struct ObjectChecksums: Sendable, Hashable {
    package var type: ChecksumType
    package var values: [ChecksumAlgorithm: String]

    package init(type: ChecksumType = .fullObject, values: [ChecksumAlgorithm: String] = [:]) {
        self.type = type
        self.values = values
    }

    /// As the index keeps them: the type and `name=value` pairs between blanks.
    var text: String {
        let pairs = values.map { "\($0.key.rawValue)=\($0.value)" }.sorted()
        return ([type.rawValue] + pairs).joined(separator: " ")
    }

    private static let noneText = ObjectChecksums().text

    /// From the index; what a later version wrote and this one does not know is left out.
    init(text: String) {
        // Of most objects there is none; listings read a thousand at a time.
        if text == Self.noneText {
            self.init()
            return
        }
        let words = text.split(separator: " ")
        self.init(type: words.first.flatMap { ChecksumType(rawValue: String($0)) } ?? .fullObject)
        for word in words.dropFirst() {
            guard let equals = word.firstIndex(of: "="),
                let algorithm = ChecksumAlgorithm(rawValue: String(word[..<equals]))
            else { continue }
            values[algorithm] = String(word[word.index(after: equals)...])
        }
    }
}

/// Computes one checksum piece by piece.
package struct ChecksumCalculator: Sendable {
    private enum State {
        case crc32(UInt32)
        case crc32c(UInt32)
        case crc64NVME(UInt64)
        case digest(Digest)
    }

    package let algorithm: ChecksumAlgorithm
    private var state: State

    package init(_ algorithm: ChecksumAlgorithm) {
        self.algorithm = algorithm
        state =
            switch algorithm {
            case .crc32: .crc32(0)
            case .crc32c: .crc32c(0)
            case .crc64NVME: .crc64NVME(0)
            case .sha1: .digest(Digest(.sha1))
            case .sha256: .digest(Digest(.sha256))
            }
    }

    /// Takes the next bytes of the object into every digest that was asked for.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .crc32(let value): state = .crc32(Bytes.crc32(bytes, seed: value))
        case .crc32c(let value): state = .crc32c(Bytes.crc32c(bytes, seed: value))
        case .crc64NVME(let value): state = .crc64NVME(Bytes.crc64NVME(bytes, seed: value))
        case .digest(var digest):
            digest.update(bytes)
            state = .digest(digest)
        }
    }

    /// The value of what came so far, in the order of bytes that S3 sends.
    package var value: [UInt8] {
        switch state {
        case .crc32(let value), .crc32c(let value): bigEndian(value)
        case .crc64NVME(let value): bigEndian(value)
        case .digest(let digest): digest.value()
        }
    }
}

/// The checksum of two pieces in a row from those of each and the length of the second.
///
/// Advances the first over `secondLength` zero bytes by squaring the matrix of one zero bit, as zlib's
/// `crc32_combine` does; O(log n) matrix products.
func combinedChecksum(
    _ algorithm: ChecksumAlgorithm, first: [UInt8], second: [UInt8], secondLength: Int64
) -> [UInt8]? {
    guard first.count == algorithm.byteCount, second.count == algorithm.byteCount else {
        return nil
    }
    switch algorithm {
    case .crc32: return combine(UInt32(0xEDB8_8320), first, second, secondLength)
    case .crc32c: return combine(UInt32(0x82F6_3B78), first, second, secondLength)
    case .crc64NVME: return combine(UInt64(0x9A6C_9329_AC4B_C9B5), first, second, secondLength)
    case .sha1, .sha256: return nil
    }
}

private func combine<Word: FixedWidthInteger & UnsignedInteger>(
    _ reflectedPolynomial: Word, _ first: [UInt8], _ second: [UInt8], _ secondLength: Int64
) -> [UInt8] {
    func word(_ bytes: [UInt8]) -> Word { bytes.reduce(0) { $0 << 8 | Word($1) } }
    func times(_ matrix: [Word], _ vector: Word) -> Word {
        var sum: Word = 0
        var rest = vector
        while rest != 0 {
            sum ^= matrix[rest.trailingZeroBitCount]
            rest &= rest &- 1
        }
        return sum
    }
    // One zero bit: shift right, and the polynomial for the bit that fell out.
    var matrix = [reflectedPolynomial] + (1..<Word.bitWidth).map { Word(1) << ($0 - 1) }
    // Three squarings make it a zero byte.
    for _ in 0..<3 { matrix = matrix.map { times(matrix, $0) } }
    var value = word(first)
    var length = secondLength
    while length > 0 {
        if length & 1 == 1 { value = times(matrix, value) }
        matrix = matrix.map { times(matrix, $0) }
        length >>= 1
    }
    return bigEndian(value ^ word(second))
}

private func bigEndian<Word: FixedWidthInteger>(_ value: Word) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
