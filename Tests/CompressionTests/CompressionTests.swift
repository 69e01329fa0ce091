import Compression
import Testing

/// A small seeded generator, so that a failure can be repeated.
struct Seeded {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Inputs that reach each kind of snappy tag: runs, short and long periods, text, noise.
func samples() -> [[UInt8]] {
    var random = Seeded(state: 7)
    var result: [[UInt8]] = [[], [1], Array("hello, hello, hello".utf8)]
    for period in [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 63, 300, 70_000] {
        let pattern = (0..<period).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        result.append((0..<(period * 3 + 1000)).map { pattern[$0 % period] })
    }
    for size in [10, 79, 80, 81, 82, 200, 5_000, 100_000] {
        result.append((0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        result.append((0..<size).map { _ in UInt8(random.below(4)) })
        result.append((0..<size).flatMap { Array("\($0 / 3),".utf8) })
    }
    return result
}

@Suite struct RoundTripTests {
    @Test(arguments: Codec.allCases) func everyCodecGivesBackWhatItTook(codec: Codec) throws {
        let compressor = Compressor()
        let decompressor = Decompressor()
        for sample in samples() {
            let packed = try compressor.compress(codec, sample)
            #expect(packed.count <= codec.bound(sample.count))
            let output = UnsafeMutableRawBufferPointer.allocate(
                byteCount: sample.count, alignment: 1)
            defer { output.deallocate() }
            try packed.withUnsafeBytes { try decompressor.decompress(codec, $0, into: output) }
            #expect(Array(output) == sample)
        }
    }

    @Test(arguments: [Codec.none, .snappy, .gzip, .zlib, .deflate, .zstd, .lz4Frame, .brotli])
    func unknownSizesAreFoundAndLimited(codec: Codec) throws {
        let compressor = Compressor()
        let decompressor = Decompressor()
        for sample in samples() {
            let packed = try compressor.compress(codec, sample)
            #expect(try decompressor.decompress(codec, packed, limitBytes: sample.count) == sample)
            guard sample.count > 1 else { continue }
            #expect(throws: CompressionError.self) {
                try decompressor.decompress(codec, packed, limitBytes: sample.count - 1)
            }
        }
    }

    @Test func gzipTakesSeveralMembers() throws {
        let compressor = Compressor()
        let first = try compressor.compress(.gzip, Array("one ".utf8))
        let second = try compressor.compress(.gzip, Array("two".utf8))
        let both = try Decompressor().decompress(.gzip, first + second, limitBytes: 100)
        #expect(String(decoding: both, as: UTF8.self) == "one two")
    }

    @Test func streamsTakeOneByteAtATime() throws {
        let text = (0..<3000).flatMap { Array("line \($0)\n".utf8) }
        for codec in [Codec.gzip, .zlib, .deflate, .zstd, .lz4Frame, .brotli] {
            let packed = try Compressor().compress(codec, text)
            let stream = try StreamDecompressor(codec)
            let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
            defer { output.deallocate() }
            var result: [UInt8] = []
            for byte in packed {
                try withUnsafeBytes(of: byte) { piece in
                    var rest = piece
                    repeat {
                        let step = try stream.step(rest, into: output)
                        result += output[0..<step.produced]
                        rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
                        if rest.isEmpty && step.produced < output.count { break }
                    } while true
                }
            }
            try stream.finish()
            #expect(result == text)
        }
    }
}

@Suite struct DamageTests {
    @Test(arguments: Codec.allCases) func cutBytesAreAFault(codec: Codec) throws {
        let compressor = Compressor()
        let decompressor = Decompressor()
        let sample = (0..<500).flatMap { Array("row \($0 % 37)\n".utf8) }
        let packed = try compressor.compress(codec, sample)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: sample.count, alignment: 1)
        defer { output.deallocate() }
        for length in stride(from: 0, to: packed.count, by: 7) {
            let cut = Array(packed[0..<length])
            #expect(throws: CompressionError.self, "cut at \(length)") {
                try cut.withUnsafeBytes { try decompressor.decompress(codec, $0, into: output) }
            }
        }
    }

    @Test(arguments: Codec.allCases) func flippedBytesNeverTrap(codec: Codec) throws {
        let compressor = Compressor()
        let decompressor = Decompressor()
        var random = Seeded(state: 99)
        let sample = (0..<400).flatMap { Array("key\($0 % 41)=\($0 * 7919);".utf8) }
        let packed = try compressor.compress(codec, sample)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: sample.count, alignment: 1)
        defer { output.deallocate() }
        for _ in 0..<2000 {
            var damaged = packed
            for _ in 0...random.below(3) {
                damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = try? damaged.withUnsafeBytes {
                try decompressor.decompress(codec, $0, into: output)
            }
            _ = try? decompressor.decompress(codec, damaged, limitBytes: 1 << 20)
        }
        // The contexts still work afterwards.
        try packed.withUnsafeBytes { try decompressor.decompress(codec, $0, into: output) }
        #expect(Array(output) == sample)
    }

    @Test func aWrongSizeIsAFault() throws {
        let packed = try Compressor().compress(.zstd, Array("twelve bytes".utf8))
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 13, alignment: 1)
        defer { output.deallocate() }
        let fault = #expect(throws: CompressionError.self) {
            try packed.withUnsafeBytes { try Decompressor().decompress(.zstd, $0, into: output) }
        }
        #expect(fault?.code == .sizeMismatch)
    }

    @Test func aBombStopsAtTheLimit() throws {
        let bomb = try Compressor().compress(.gzip, [UInt8](repeating: 0, count: 10 << 20))
        let fault = #expect(throws: CompressionError.self) {
            try Decompressor().decompress(.gzip, bomb, limitBytes: 1 << 20)
        }
        #expect(fault?.code == .limitExceeded)
    }

    @Test func blocksHaveNoStream() {
        let fault = #expect(throws: CompressionError.self) { try StreamDecompressor(.snappy) }
        #expect(fault?.code == .unsupported)
    }
}
