import Bytes
import Testing

@testable import TableFiles

/// Deletion vectors: all kinds of containers, and damage.
@Suite struct DeletionVectorTests {
    /// Frames bitmaps as a blob: length, magic, checksum.
    private func blob(_ bitmaps: [UInt8]) -> [UInt8] {
        var body = ByteBuffer()
        body.append([0xD1, 0xD3, 0x39, 0x64])
        body.append(bitmaps)
        var blob = ByteBuffer()
        blob.appendUInt32BE(UInt32(body.count))
        blob.append(body.bytes)
        blob.appendUInt32BE(crc32(body.bytes))
        return blob.bytes
    }

    /// One bitmap per high word, each with one array container of key 0.
    private func arrays(_ parts: [(high: UInt32, low: [UInt16])]) -> [UInt8] {
        var bytes = ByteBuffer()
        bytes.appendUInt64LE(UInt64(parts.count))
        for part in parts {
            bytes.appendUInt32LE(part.high)
            bytes.appendUInt32LE(12_346)
            bytes.appendUInt32LE(1)
            bytes.appendUInt16LE(0)
            bytes.appendUInt16LE(UInt16(part.low.count - 1))
            bytes.appendUInt32LE(16)
            for low in part.low { bytes.appendUInt16LE(low) }
        }
        return bytes.bytes
    }

    /// One bitmap with a run container and, if wanted, a bitmap container of every second value.
    private func mixed() -> [UInt8] {
        var bytes = ByteBuffer()
        bytes.appendUInt64LE(1)
        bytes.appendUInt32LE(0)
        bytes.appendUInt32LE(12_347 | 1 << 16)
        // The first of the two containers is of runs.
        bytes.append(1)
        for (key, count) in [(0, 5), (2, 32_768)] {
            bytes.appendUInt16LE(UInt16(key))
            bytes.appendUInt16LE(UInt16(count - 1))
        }
        bytes.appendUInt16LE(2)
        for value in [3, 1, 100, 2] { bytes.appendUInt16LE(UInt16(value)) }
        for _ in 0..<1024 { bytes.appendUInt64LE(0x5555_5555_5555_5555) }
        return bytes.bytes
    }

    @Test func everyKindOfContainer() throws {
        #expect(try DeletionVector.positions(blob(arrays([])), rowCount: 10) == [])
        #expect(
            try DeletionVector.positions(blob(arrays([(0, [0, 7, 9])])), rowCount: 10) == [0, 7, 9])
        #expect(
            try DeletionVector.positions(
                blob(arrays([(0, [1]), (2, [5])])), rowCount: 1 << 40) == [1, 8_589_934_597])
        let found = try DeletionVector.positions(blob(mixed()), rowCount: 1 << 20)
        let runs: [Int64] = [3, 4, 100, 101, 102]
        let second = (0..<32_768).map { (index: Int64) -> Int64 in 131_072 + 2 * index }
        #expect(found == runs + second)
    }

    @Test func whatIsNotSoIsRefused() {
        let good = blob(arrays([(0, [0, 7, 9])]))
        var wrong = good
        wrong[10] ^= 1
        let cases: [(String, [UInt8], Int64)] = [
            ("empty", [], 10), ("short", Array(good.prefix(7)), 10), ("checksum", wrong, 10),
            ("behind the file", good, 9), ("order", blob(arrays([(0, [7, 7])])), 10),
            ("bitmaps in order", blob(arrays([(1, [0]), (0, [1])])), 1 << 40),
            ("left over", blob(arrays([(0, [1])]) + [0]), 10),
            ("cookie", blob([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9]), 10),
            ("many bitmaps", blob([255, 255, 255, 255, 255, 255, 255, 127]), 10),
        ]
        for (name, bytes, rows) in cases {
            do {
                _ = try DeletionVector.positions(bytes, rowCount: rows)
                Issue.record("\(name) was read")
            } catch {
                #expect(error.code == .corrupted, "\(name)")
            }
        }
    }

    @Test func randomDamageNeverTraps() {
        var state: UInt64 = 42
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        let bodies = [mixed(), arrays([(0, [1, 2, 3]), (1, [4])])]
        for round in 0..<400 {
            var body = bodies[round % 2]
            for _ in 0...Int(next() % 4) {
                body[Int(next() % UInt64(min(body.count, 60)))] = UInt8(truncatingIfNeeded: next())
            }
            // The checksum is right, so that the damage reaches the bitmaps.
            _ = try? DeletionVector.positions(blob(body), rowCount: 200_000)
        }
    }

    /// What is written reads back: sparse, dense, at the edges of containers and of 32 bits.
    @Test(
        arguments: [
            [], [0], [0, 1, 2], [65_535, 65_536, 131_071], [4_294_967_295, 4_294_967_296],
            (0..<4096).map { $0 * 3 }, (0..<4097).map { $0 * 3 }, (0..<200_000).map { $0 },
            (0..<70_000).map { $0 * 2 } + [1 << 33, 1 << 34],
        ] as [[Int64]])
    func writtenVectorsReadBack(_ positions: [Int64]) throws {
        let blob = DeletionVector.blob(positions)
        #expect(try DeletionVector.positions(blob, rowCount: 1 << 40) == positions)
    }

    /// Byte for byte as the two specifications describe it.
    @Test func aVectorOfTwoRowsIsFramedAsSpecified() throws {
        let blob = DeletionVector.blob([1, 5])
        let body: [UInt8] = [
            0xD1, 0xD3, 0x39, 0x64, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3A, 0x30, 0, 0, 1, 0, 0,
            0,
            0, 0, 1, 0, 16, 0, 0, 0, 1, 0, 5, 0,
        ]
        #expect(Array(blob[..<4]) == [0, 0, 0, UInt8(body.count)])
        #expect(Array(blob[4..<(4 + body.count)]) == body)
        #expect(blob.count == body.count + 8)
    }
}
