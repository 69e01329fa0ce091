import Parquet
import Testing
import Vectors

@Suite struct DamageTests {
    /// Opens and scans damaged bytes; a fault is fine, a trap ends the run.
    private func tryScan(_ bytes: [UInt8]) {
        do throws(ParquetError) {
            let file = try ParquetFile.open(BytesReader(bytes))
            let columns = file.schema.fields.filter { $0.unsupported == nil }.map {
                ScanColumn.whole($0)
            }
            let memory = ScanMemory(budget: MemoryBudget(limitBytes: 256 << 20))
            let scan = try ParquetScan(file, columns: columns, memory: memory)
            var rows = 0
            for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
                while let chunk = try scan.next() {
                    rows += chunk.count
                    _ = lines(chunk, columns.map(\.type))
                    if rows > 100_000 { return }
                }
            }
        } catch {
            // A fault is what damage should give.
            #expect(!error.message.isEmpty)
        }
    }

    @Test(arguments: ["flat_snappy", "nested", "delta_prefix", "sorted", "duck_flat"])
    func cutFilesAreFaults(name: String) throws {
        let bytes = fixture(name + ".parquet")
        for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 97)) {
            #expect(throws: ParquetError.self) {
                try ParquetFile.open(BytesReader(Array(bytes[..<length])))
            }
        }
    }

    @Test(arguments: fixtures) func flippedBytesNeverTrap(name: String, expected: String) throws {
        let bytes = fixture(name + ".parquet")
        var random = Seeded(state: UInt64(bytes.count))
        for _ in 0..<150 {
            var damaged = bytes
            for _ in 0...random.below(4) {
                damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            tryScan(damaged)
        }
    }

    @Test(arguments: ["flat_none", "nested_plain", "delta_binary", "delta_length"])
    func flippedPagesNeverTrap(name: String) throws {
        // Only bytes before the footer, so that most files open and pages are decoded.
        let bytes = fixture(name + ".parquet")
        var random = Seeded(state: 3)
        for _ in 0..<400 {
            var damaged = bytes
            damaged[4 + random.below(bytes.count * 3 / 4)] = UInt8(
                truncatingIfNeeded: random.next())
            tryScan(damaged)
        }
    }

    @Test func aRepeatedCodeHasNoMoreBitsThanItsWidth() throws {
        // A run of codes of 3 bits over a dictionary of 8 entries says 57: found by `dev fuzz parquet`.
        var bytes = fixture("flat_none.parquet")
        #expect(bytes[22_453..<22_457] == [0x28, 0x01, 0x03, 0x07])
        bytes[22_456] = 0xBA
        let file = try ParquetFile.open(BytesReader(bytes))
        let fault = #expect(throws: ParquetError.self) { try scanLines(file) }
        #expect(fault?.code == .truncated)
    }

    @Test func otherFilesAreNotParquet() {
        let fault = #expect(throws: ParquetError.self) {
            try ParquetFile.open(BytesReader(Array("id,name\n1,this is a text file\n".utf8)))
        }
        #expect(fault?.code == .notParquet)
        let tiny = #expect(throws: ParquetError.self) {
            try ParquetFile.open(BytesReader([1, 2, 3]))
        }
        #expect(tiny?.code == .notParquet)
    }

    @Test func theBudgetIsRespected() throws {
        let file = try open("flat_snappy")
        let memory = ScanMemory(budget: MemoryBudget(limitBytes: 20_000))
        let fault = #expect(throws: ParquetError.self) { try scanLines(file, memory: memory) }
        #expect(fault?.code == .memoryLimit)
    }
}
