import CIntrinsics

/// One field of a record: where its bytes lie in the stretch.
struct CSVField: BitwiseCopyable {
    private let offset: UInt32
    /// The length, and in the highest bit whether it stood in quotes.
    private let bits: UInt32

    @inline(__always)
    init(offset: Int, count: Int, isQuoted: Bool) {
        self.offset = UInt32(truncatingIfNeeded: offset)
        bits = UInt32(truncatingIfNeeded: count) | (isQuoted ? 0x8000_0000 : 0)
    }

    @inline(__always) var start: Int { Int(offset) }
    @inline(__always) var count: Int { Int(bits & 0x7FFF_FFFF) }
    /// An empty field in quotes is a text and not NULL.
    @inline(__always) var isQuoted: Bool { bits & 0x8000_0000 != 0 }
    @inline(__always) var isEmptyUnquoted: Bool { bits == 0 }
}

/// Splits a stretch into records. The fields of the records since `forget` lie one behind the other, those
/// of row `r` from `r * width` on, and point into the stretch.
///
/// Not for two threads. Doubled quotes are unescaped in the stretch's memory.
final class CSVScanner {
    /// What errors call the file.
    let name: String
    private let delimiter: UInt8
    private let quote: UInt8
    private let rowLimit: Int
    private let columnLimit = TextLimits.columns
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var start = 0
    private var end = 0
    /// The line on which the current record begins, from 1.
    private var line = 1
    private var nextLine = 1
    private(set) var fields: UnsafeMutablePointer<CSVField>
    private var capacity = 256
    private var used = 0
    /// The line of each row.
    private let lines: UnsafeMutablePointer<Int>
    private(set) var rowCount = 0
    /// What is wrong with the record behind the last row.
    private(set) var fault: TextTableError?

    init(name: String, _ dialect: CSVDialect, rowLimit: Int) {
        self.name = name
        (delimiter, quote) = (dialect.delimiter, dialect.quote)
        self.rowLimit = rowLimit
        fields = .allocate(capacity: capacity)
        lines = .allocate(capacity: rowLimit)
        base = UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped
    }

    deinit {
        fields.deallocate()
        lines.deallocate()
    }

    /// Begins with the records of a stretch, whose memory must live on.
    func begin(_ stretch: CSVStretch) {
        (base, start, end) = (stretch.base, stretch.start, stretch.count)
        nextLine = stretch.line
        fault = nil
        forget()
    }

    /// Forgets the rows that were scanned.
    func forget() { (used, rowCount) = (0, 0) }

    /// The line of a row, for messages.
    func line(ofRow row: Int) -> Int { lines[row] }

    /// The text of a field, for messages and names.
    func text(_ index: Int) -> String {
        let field = fields[index]
        return String(
            decoding: UnsafeBufferPointer(start: base + field.start, count: field.count),
            as: UTF8.self)
    }

    /// Adds rows of `width` fields until there are as many as it takes, the stretch is at its end, or a record
    /// is malformed, which `fault` tells.
    func scan(width: Int) {
        while rowCount < rowLimit, fault == nil {
            do throws(TextTableError) {
                guard let count = try next() else { return }
                if count == width { continue }
                rowCount -= 1
                used -= count
                fault = TextTableError(
                    .wrongFieldCount,
                    "line \(line) of \(name) has \(count) fields, the table has \(width)",
                    hint: "a field that holds the delimiter must stand in quotes")
            } catch { fault = error }
        }
    }

    /// Adds the next record that is not blank as a row; how many fields it has, nil at the end.
    func next() throws(TextTableError) -> Int? {
        while start < end {
            let first = used
            line = nextLine
            do throws(TextTableError) { try scanRecord(first) } catch {
                used = first
                throw error
            }
            if used == first &+ 1, fields[first].isEmptyUnquoted {
                used = first
                continue
            }
            lines[rowCount] = line
            rowCount &+= 1
            return used &- first
        }
        return nil
    }

    /// Adds the fields of the record at `start`.
    private func scanRecord(_ first: Int) throws(TextTableError) {
        // Fields are copied: a class's fields are read again at every use.
        let (base, end, delimiter, quote) = (self.base, self.end, self.delimiter, self.quote)
        var (fields, room) = (self.fields, capacity)
        var (at, lines, used) = (start, nextLine, self.used)
        let columnLimit = first &+ self.columnLimit
        // Delimiters and line feeds among the 64 bytes from `block` on that are still ahead.
        var block = at
        var mask = CSVScanner.ends(base + block, delimiter)
        while true {
            if used == room || used >= columnLimit {
                self.used = used
                guard used < columnLimit else {
                    throw TextTableError(
                        .tooManyColumns,
                        "line \(line) of \(name) has more than \(TextLimits.columns) fields")
                }
                grow()
                (fields, room) = (self.fields, capacity)
            }
            if at < end, base[at] == quote {
                let field = try quotedField(at, used &- first &+ 1, &lines, &at)
                fields[used] = field
                block = at
                mask = CSVScanner.ends(base + block, delimiter)
                mask &= mask &- 1
            } else {
                while mask == 0, block &+ 64 < end {
                    block &+= 64
                    mask = CSVScanner.ends(base + block, delimiter)
                }
                let stop = mask == 0 ? end : min(block &+ mask.trailingZeroBitCount, end)
                mask &= mask &- 1
                var last = stop
                if last > at, base[last &- 1] == 0x0D, stop == end || base[stop] == 0x0A {
                    last &-= 1
                }
                fields[used] = CSVField(offset: at, count: last &- at, isQuoted: false)
                at = stop
            }
            used &+= 1
            if at == end {
                (start, nextLine, self.used) = (end, lines, used)
                return
            }
            let byte = base[at]
            at &+= 1
            if byte == delimiter { continue }
            (start, nextLine, self.used) = (at, lines &+ 1, used)
            return
        }
    }

    @inline(__always)
    private static func ends(_ at: UnsafePointer<UInt8>, _ delimiter: UInt8) -> UInt64 {
        let low = ci_equal_mask32(at, delimiter) | ci_equal_mask32(at, 0x0A)
        let high = ci_equal_mask32(at + 32, delimiter) | ci_equal_mask32(at + 32, 0x0A)
        return UInt64(low) | UInt64(high) &<< 32
    }

    private func grow() {
        let larger = UnsafeMutablePointer<CSVField>.allocate(capacity: capacity * 2)
        larger.update(from: fields, count: used)
        fields.deallocate()
        (fields, capacity) = (larger, capacity * 2)
    }

    /// Reads a field in quotes, the `number`th of its record; `behind` is then the offset behind it.
    private func quotedField(
        _ open: Int, _ number: Int, _ lines: inout Int, _ behind: inout Int
    ) throws(TextTableError) -> CSVField {
        let (base, end) = (self.base, self.end)
        var at = open &+ 1
        var (isDoubled, newLines) = (false, 0)
        while true {
            guard at < end else {
                throw TextTableError(
                    .unterminatedQuote,
                    "the quote that opens in line \(line), field \(number) of \(name) is never closed",
                    hint: "a quote inside of a quoted field is written twice")
            }
            let quotes = ci_equal_mask32(base + at, quote)
            let feeds = ci_equal_mask32(base + at, 0x0A)
            if quotes == 0 {
                newLines &+= feeds.nonzeroBitCount
                at &+= 32
                continue
            }
            let ahead = quotes.trailingZeroBitCount
            newLines &+= (feeds & (UInt32(1) &<< UInt32(ahead) &- 1)).nonzeroBitCount
            at &+= ahead
            if at >= end { continue }
            guard at &+ 1 < end, base[at &+ 1] == quote else { break }
            isDoubled = true
            at &+= 2
        }
        var after = at &+ 1
        if after < end, base[after] == 0x0D { after &+= 1 }
        guard after == end || base[after] == delimiter || base[after] == 0x0A else {
            throw TextTableError(
                .strayQuote,
                "line \(line), field \(number) of \(name): text follows the closing quote",
                hint: "a quote inside of a quoted field is written twice")
        }
        lines &+= newLines
        behind = after
        var count = at &- open &- 1
        if isDoubled { count = unescape(base + open + 1, count) }
        return CSVField(offset: open &+ 1, count: count, isQuoted: true)
    }

    /// Drops the second of each pair of quotes; the new length.
    private func unescape(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        var (from, to) = (0, 0)
        while from < count {
            bytes[to] = bytes[from]
            from += bytes[from] == quote ? 2 : 1
            to += 1
        }
        return to
    }
}
