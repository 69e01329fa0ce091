import CIntrinsics

/// One field of the current record: where its bytes lie.
struct CSVField {
    var start: UnsafePointer<UInt8>
    var count: Int
    /// Whether it stood in quotes, so that an empty one is a text and not NULL.
    var isQuoted: Bool
    /// Whether quotes inside are still doubled.
    var isEscaped = false
}

/// Splits a source into records. The fields of a record point into the scanner's buffer and live until
/// the next call of `next`.
///
/// Not for two threads. Quoted fields with doubled quotes are unescaped in place.
final class CSVScanner {
    private let source: any ByteSource
    private let dialect: CSVDialect
    private var buffer: UnsafeMutableRawBufferPointer
    /// The unread bytes of the buffer.
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    private var isFirstBlock = true
    /// The line on which the current record begins, from 1.
    private(set) var line = 1
    private var nextLine = 1
    private(set) var fields: [CSVField] = []

    init(_ source: any ByteSource, _ dialect: CSVDialect) {
        self.source = source
        self.dialect = dialect
        // 64 bytes behind the data, so that wide loads stay inside.
        buffer = .allocate(byteCount: TextLimits.blockBytes + 64, alignment: 64)
    }

    deinit { buffer.deallocate() }

    /// The text of a field, for messages and names.
    func text(_ index: Int) -> String {
        let field = fields[index]
        return String(
            decoding: UnsafeBufferPointer(start: field.start, count: field.count), as: UTF8.self)
    }

    /// Reads the next record that is not blank; false at the end.
    func next() throws -> Bool {
        while true {
            if start == end, !(try fill()) { return false }
            line = nextLine
            guard try scanRecord() else {
                // The record is cut by the buffer's end: get more and scan it again.
                _ = try fill()
                continue
            }
            if isBlank { continue }
            unescapeFields()
            return true
        }
    }

    /// Drops the second of each pair of quotes, in place. Only once the record is whole, since a cut
    /// record is scanned again from its bytes.
    private func unescapeFields() {
        for index in fields.indices where fields[index].isEscaped {
            let bytes = UnsafeMutablePointer(mutating: fields[index].start)
            fields[index].count = unescape(bytes, fields[index].count)
            fields[index].isEscaped = false
        }
    }

    private var isBlank: Bool { fields.count == 1 && fields[0].count == 0 && !fields[0].isQuoted }

    /// Moves the unread bytes to the front and reads behind them; false at the end of the source.
    private func fill() throws -> Bool {
        if isAtEnd { return false }
        let unread = end - start
        if start > 0, unread > 0, let base = buffer.baseAddress {
            base.copyMemory(from: base + start, byteCount: unread)
        }
        (start, end) = (0, unread)
        if buffer.count - 64 - end < TextLimits.blockBytes / 2 {
            guard buffer.count < TextLimits.recordBytes else {
                throw TextTableError(
                    .recordTooLong,
                    "the record at line \(nextLine) of \(source.name) passes \(TextLimits.recordBytes) bytes",
                    hint: "a quote that is never closed makes the rest of a file one record")
            }
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: (buffer.count - 64) * 2 + 64, alignment: 64)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<end]))
            buffer.deallocate()
            buffer = larger
        }
        var count = 0
        repeat {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end..<(buffer.count - 64)])
            do { count = try source.read(into: room) } catch {
                throw TextTableError(.unreadable, "cannot read \(source.name)", cause: error)
            }
            if count == 0 { isAtEnd = true }
            end += count
            // A byte order mark is known when it is there as a whole.
        } while isFirstBlock && end < 3 && !isAtEnd
        if isFirstBlock, end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF {
            start = 3
        }
        isFirstBlock = false
        return end > unread
    }

    /// Scans one record from `start`; false when it runs into the buffer's end and more may come.
    private func scanRecord() throws(TextTableError) -> Bool {
        fields.removeAll(keepingCapacity: true)
        guard let base = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return true
        }
        var at = start
        var lines = nextLine
        let (delimiter, quote) = (dialect.delimiter, dialect.quote)
        while true {
            guard fields.count < TextLimits.columns else {
                throw TextTableError(
                    .tooManyColumns,
                    "line \(line) of \(source.name) has more than \(TextLimits.columns) fields")
            }
            if at < end, base[at] == quote {
                guard let after = try quotedField(base, at, &lines) else { return false }
                at = after
            } else {
                let first = at
                at = plainEnd(base, at, delimiter)
                if at == end, !isAtEnd { return false }
                var last = at
                if last > first, last == end || base[last] == 0x0A, base[last - 1] == 0x0D {
                    last -= 1
                }
                fields.append(CSVField(start: base + first, count: last - first, isQuoted: false))
            }
            if at == end {
                (start, nextLine) = (end, lines)
                return true
            }
            let byte = base[at]
            at += 1
            if byte == delimiter { continue }
            (start, nextLine) = (at, lines + 1)
            return true
        }
    }

    /// The offset of the next delimiter or line feed, or the end.
    private func plainEnd(_ base: UnsafePointer<UInt8>, _ from: Int, _ delimiter: UInt8) -> Int {
        var at = from
        while at < end {
            // 64 bytes of slack follow the data.
            let mask = ci_equal_mask32(base + at, delimiter) | ci_equal_mask32(base + at, 0x0A)
            if mask != 0 { return min(at + mask.trailingZeroBitCount, end) }
            at += 32
        }
        return end
    }

    /// Reads a field in quotes; the offset behind it, or nil at the buffer's end.
    private func quotedField(
        _ base: UnsafePointer<UInt8>, _ open: Int, _ lines: inout Int
    ) throws(TextTableError) -> Int? {
        let quote = dialect.quote
        var at = open + 1
        var doubled = false
        var newLines = 0
        while true {
            guard at < end else {
                if !isAtEnd { return nil }
                throw TextTableError(
                    .unterminatedQuote,
                    "the quote that opens in line \(line), field \(fields.count + 1) of \(source.name) "
                        + "is never closed",
                    hint: "a quote inside of a quoted field is written twice")
            }
            let byte = base[at]
            if byte == 0x0A { newLines += 1 }
            if byte == quote {
                if at + 1 == end, !isAtEnd { return nil }
                if at + 1 < end, base[at + 1] == quote {
                    doubled = true
                    at += 2
                    continue
                }
                break
            }
            at += 1
        }
        var after = at + 1
        if after < end, base[after] == 0x0D { after += 1 }
        guard after == end || base[after] == dialect.delimiter || base[after] == 0x0A else {
            throw TextTableError(
                .strayQuote,
                "line \(line), field \(fields.count + 1) of \(source.name): text follows the closing quote",
                hint: "a quote inside of a quoted field is written twice")
        }
        if after == end, !isAtEnd { return nil }
        lines += newLines
        fields.append(
            CSVField(
                start: base + open + 1, count: at - open - 1, isQuoted: true, isEscaped: doubled))
        return after
    }

    /// Drops the second of each pair of quotes; the new length.
    private func unescape(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        var (from, to) = (0, 0)
        while from < count {
            bytes[to] = bytes[from]
            from += bytes[from] == dialect.quote ? 2 : 1
            to += 1
        }
        return to
    }
}
