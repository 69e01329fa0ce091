import Compression
import TextTables

/// The bytes of a compressed file, taken apart while they are read.
final class CompressedSource: ByteSource {
    let name: String
    private let base: any ByteSource
    private let codec: Codec
    private var stream: StreamDecompressor
    private let input: UnsafeMutableRawBufferPointer
    /// The bytes of `input` that the stream has not taken yet.
    private var unread = 0..<0
    private var isAtEnd = false
    private var total: Int64 = 0

    private static let inputBytes = 256 << 10

    init(_ base: any ByteSource, _ codec: Codec) throws {
        name = base.name
        self.base = base
        self.codec = codec
        do throws(CompressionError) { stream = try StreamDecompressor(codec) } catch {
            throw Self.damaged(base.name, error)
        }
        input = .allocate(byteCount: Self.inputBytes, alignment: 64)
    }

    deinit { input.deallocate() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !buffer.isEmpty else { return 0 }
        while true {
            if unread.isEmpty, !isAtEnd {
                let count = try base.read(into: input)
                unread = 0..<count
                isAtEnd = count == 0
            }
            let step: (consumed: Int, produced: Int)
            do throws(CompressionError) {
                step = try stream.step(
                    UnsafeRawBufferPointer(rebasing: input[unread]), into: buffer)
            } catch { throw Self.damaged(name, error) }
            unread = (unread.lowerBound + step.consumed)..<unread.upperBound
            if step.produced > 0 {
                total += Int64(step.produced)
                guard total <= IngestLimits.unpackedBytes else {
                    throw IngestError(
                        .limitExceeded,
                        "\(name) unpacks to more than \(IngestLimits.unpackedBytes >> 30) GiB")
                }
                return step.produced
            }
            guard isAtEnd else { continue }
            do throws(CompressionError) { try stream.finish() } catch {
                throw Self.damaged(name, error)
            }
            return 0
        }
    }

    func rewind() throws {
        try base.rewind()
        do throws(CompressionError) { stream = try StreamDecompressor(codec) } catch {
            throw Self.damaged(name, error)
        }
        unread = 0..<0
        isAtEnd = false
        total = 0
    }

    private static func damaged(_ name: String, _ error: CompressionError) -> IngestError {
        IngestError(
            .damagedFile, "\(name) cannot be unpacked: \(error.message)",
            hint: "write the file again", cause: error)
    }
}
