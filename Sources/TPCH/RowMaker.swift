import Vectors

/// Makes the columns of one table for stretches of base rows, one stretch after the other.
protocol RowMaker: AnyObject {
    /// Base rows that give at most a chunk's rows.
    static var stepRows: Int { get }
    /// Goes to a base row, counted from 0.
    func move(to row: Int64)
    /// Makes the next `count` base rows of the wanted columns; returns how many rows they are.
    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int
}

/// The columns that a scan wants, with room for a chunk of each.
final class ColumnSet {
    /// By the table's column: its buffer, where it is wanted.
    private let buffers: [ColumnBuffer?]
    private let heap: Arena
    private let usesDecimals: Bool

    init(_ buffers: [ColumnBuffer?], heap: Arena, usesDecimals: Bool) {
        self.buffers = buffers
        self.heap = heap
        self.usesDecimals = usesDecimals
    }

    func wants(_ column: Int) -> Bool { buffers[column] != nil }

    func key(_ column: Int, _ row: Int, _ value: Int64) { buffers[column]?.set(row, value) }

    func number(_ column: Int, _ row: Int, _ value: Int) {
        buffers[column]?.set(row, Int32(truncatingIfNeeded: value))
    }

    /// An amount in cents.
    func money(_ column: Int, _ row: Int, _ cents: Int64) {
        if usesDecimals {
            buffers[column]?.set(row, cents)
        } else {
            buffers[column]?.set(row, Double(cents) / 100)
        }
    }

    func text(_ column: Int, _ row: Int, _ view: StringView) { buffers[column]?.set(row, view) }

    /// A text of `count` bytes that `write` puts down, with `slack` bytes more to write to.
    func text(
        _ column: Int, _ row: Int, count: Int, slack: Int = 0,
        _ write: (UnsafeMutablePointer<UInt8>) -> Void
    ) throws(MemoryLimitFault) {
        let bytes = try heap.allocate(count + slack).assumingMemoryBound(to: UInt8.self)
        write(bytes)
        buffers[column]?.set(row, StringView(bytes, count: count))
    }

    /// A name and a number of nine digits: `Customer#000000001`.
    func name(
        _ column: Int, _ row: Int, _ head: StaticString, _ number: Int64
    ) throws(MemoryLimitFault) {
        let length = head.utf8CodeUnitCount
        try text(column, row, count: length + 9) { bytes in
            bytes.update(from: head.utf8Start, count: length)
            var rest = number
            for place in (0..<9).reversed() {
                bytes[length + place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
    }
}

/// Cuts comments out of the prose.
struct CommentStream {
    private var random: RowRandom
    private let least: Int
    let most: Int
    private let rowsPerRow: Int

    /// `average`: the mean length; `perRow`: comments a base row.
    init(_ seed: Int64, average: Int, perRow: Int = 1) {
        random = RowRandom(seed, perRow: 2 * perRow)
        least = Int(Double(average) * 0.4)
        most = Int(Double(average) * 1.6)
        rowsPerRow = perRow
    }

    mutating func move(to row: Int64) { random.move(to: row) }

    /// The next comment's place and length.
    mutating func next() -> (offset: Int, count: Int) {
        let offset = random.next(0, TextPool.byteCount - most)
        return (offset, random.next(least, most))
    }

    mutating func finishRow(used comments: Int) { random.finishRow(used: comments * 2) }

    mutating func put(
        _ columns: ColumnSet, _ column: Int, _ row: Int
    ) throws(MemoryLimitFault) {
        let (offset, count) = next()
        try columns.text(column, row, count: count, slack: TextPool.pieceBytes) { bytes in
            TextPool.shared.copy(offset, count, to: bytes)
        }
    }
}

/// Addresses: letters, digits, blanks and commas.
struct AddressStream {
    private static let letters = Array(
        "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,".utf8)
    private var random: RowRandom

    init(_ seed: Int64) { random = RowRandom(seed, perRow: 9) }

    mutating func move(to row: Int64) { random.move(to: row) }

    mutating func put(
        _ columns: ColumnSet, _ column: Int, _ row: Int
    ) throws(MemoryLimitFault) {
        let count = random.next(10, 40)
        // One number of bits for five letters; they are taken from a copy, the row spends one.
        var bits = random
        random.finishRow(used: 1)
        try columns.text(column, row, count: count) { bytes in
            var word: Int64 = 0
            for index in 0..<count {
                if index % 5 == 0 { word = bits.nextBits() }
                bytes[index] = Self.letters[Int(word & 0x3F)]
                word >>= 6
            }
        }
    }
}

/// Telephone numbers: the country by the nation, and three random parts.
struct PhoneStream {
    private var random: RowRandom

    init(_ seed: Int64) { random = RowRandom(seed, perRow: 3) }

    mutating func move(to row: Int64) { random.move(to: row) }

    mutating func put(
        _ columns: ColumnSet, _ column: Int, _ row: Int, nation: Int
    ) throws(MemoryLimitFault) {
        let parts = [
            10 + nation % 90, random.next(100, 999), random.next(100, 999),
            random.next(1000, 9999),
        ]
        try columns.text(column, row, count: 15) { bytes in
            var place = 15
            for (part, width) in zip(parts.reversed(), [4, 3, 3, 2]) {
                var rest = part
                for _ in 0..<width {
                    place -= 1
                    bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                if place > 0 {
                    place -= 1
                    bytes[place] = UInt8(ascii: "-")
                }
            }
        }
    }
}
