import CIntrinsics
import Vectors

/// Bytes of a CSV file that hold whole records, in memory of its own with 64 bytes of slack behind, so
/// that wide loads stay inside. Belongs to one thread at a time.
final class CSVStretch {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private let budget: MemoryBudget
    /// Where the first record begins: behind a byte order mark.
    var start = 0
    var count = 0
    /// The line on which the first record begins, from 1.
    var line = 1
    /// Where in the file the first byte stood.
    var offset: Int64 = 0

    init(budget: MemoryBudget) {
        self.budget = budget
        capacity = TextLimits.blockBytes
        base = CSVStretch.allocate(capacity)
        budget.reserveAlways(capacity)
    }

    deinit {
        base.deallocate()
        budget.release(capacity)
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
        allocateBuffer(byteCount: capacity).bindMemory(to: UInt8.self, capacity: capacity + 64)
    }

    /// Bytes that it still has room for.
    var room: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    }

    var isAtLimit: Bool { capacity >= TextLimits.recordBytes }

    /// Begins anew with some bytes, in as little memory as will do.
    func begin(_ bytes: [UInt8]) throws(MemoryLimitFault) {
        var size = TextLimits.blockBytes
        while size <= bytes.count { size *= 2 }
        (start, count) = (0, 0)
        if size > capacity || capacity > 4 * size { try resize(size) }
        bytes.withUnsafeBufferPointer { from in
            if let first = from.baseAddress { base.update(from: first, count: from.count) }
        }
        count = bytes.count
    }

    /// Makes twice the room and keeps the bytes.
    func grow() throws(MemoryLimitFault) { try resize(capacity * 2) }

    private func resize(_ size: Int) throws(MemoryLimitFault) {
        try budget.reserve(size)
        let fresh = CSVStretch.allocate(size)
        fresh.update(from: base, count: count)
        base.deallocate()
        budget.release(capacity)
        (base, capacity) = (fresh, size)
    }
}

/// Cuts a CSV file into stretches of whole records, without looking at the fields: quotes that open
/// one, the ones that close it, and line feeds outside of them are all that counts.
///
/// A record that is malformed ends the last stretch: who scans that one finds the mistake at its place.
final class CSVSplitter {
    private let source: any ByteSource
    private let dialect: CSVDialect
    /// The beginning of a record that the last stretch had no end of.
    private var carried: [UInt8] = []
    private var line = 1
    private var offset: Int64 = 0
    private var isFirst = true
    private var isAtEnd = false
    private var isBroken = false

    init(_ source: any ByteSource, _ dialect: CSVDialect) {
        self.source = source
        self.dialect = dialect
    }

    /// Goes on in the middle of a file, where a record begins on a line.
    init(_ source: any ByteSource, _ dialect: CSVDialect, line: Int) {
        self.source = source
        self.dialect = dialect
        self.line = line
        isFirst = line == 1
    }

    /// Fills a stretch with about a block of records; false at the end.
    func next(into stretch: CSVStretch) throws -> Bool {
        if isBroken {
            throw TextTableError(
                .strayQuote, "the quotes of \(source.name) cannot be told apart",
                hint: "a quote inside of a quoted field is written twice")
        }
        try stretch.begin(carried)
        carried = []
        stretch.line = line
        stretch.offset = offset
        var cut = 0
        while true {
            try fill(stretch)
            skipMark(stretch)
            if isAtEnd {
                cut = stretch.count
                break
            }
            guard let end = lastEnd(stretch) else {
                isBroken = true
                cut = stretch.count
                break
            }
            cut = end
            if cut > 0 { break }
            guard !stretch.isAtLimit else {
                throw TextTableError(
                    .recordTooLong,
                    "the record at line \(line) of \(source.name) passes \(TextLimits.recordBytes) bytes",
                    hint: "a quote that is never closed makes the rest of a file one record")
            }
            try stretch.grow()
        }
        if cut == stretch.start, isAtEnd { return false }
        carried = [UInt8](
            UnsafeBufferPointer(start: stretch.base + cut, count: stretch.count - cut))
        stretch.count = cut
        line += CSVBytes.lineFeeds(stretch.base, 0, cut)
        offset += Int64(cut)
        return true
    }

    /// Reads until the stretch is full or the source at its end.
    private func fill(_ stretch: CSVStretch) throws {
        while !isAtEnd, stretch.room.count > 0 {
            let count: Int
            do { count = try source.read(into: stretch.room) } catch {
                throw TextTableError(.unreadable, "cannot read \(source.name)", cause: error)
            }
            if count == 0 { isAtEnd = true }
            stretch.count += count
        }
    }

    /// Leaves a byte order mark out.
    private func skipMark(_ stretch: CSVStretch) {
        guard isFirst else { return }
        isFirst = false
        let base = stretch.base
        if stretch.count >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            stretch.start = 3
        }
    }

    /// The offset behind the last whole record, 0 without one; nil: text follows a closing quote.
    private func lastEnd(_ stretch: CSVStretch) -> Int? {
        let (base, count, quote) = (stretch.base, stretch.count, dialect.quote)
        var cut = 0
        // Where the present part outside of quotes begins.
        var outside = stretch.start
        var at = outside
        while true {
            let open = CSVBytes.find(quote, base, at, count)
            if open == count { return CSVBytes.behindLastFeed(base, outside, count) ?? cut }
            guard open == stretch.start || isEnd(base[open - 1]) else {
                // In the middle of a field without quotes it is a character like others.
                at = open + 1
                continue
            }
            if let end = CSVBytes.behindLastFeed(base, outside, open) { cut = end }
            var close = open + 1
            while true {
                close = CSVBytes.find(quote, base, close, count)
                // Whether a quote closes the field depends on the byte behind it.
                if close + 1 >= count { return cut }
                if base[close + 1] != quote { break }
                close += 2
            }
            var after = close + 1
            if base[after] == 0x0D { after += 1 }
            if after == count { return cut }
            guard isEnd(base[after]) else { return nil }
            (outside, at) = (after, after)
        }
    }

    private func isEnd(_ byte: UInt8) -> Bool { byte == dialect.delimiter || byte == 0x0A }
}

/// Looks for bytes, 32 at a time. The memory has 64 bytes of slack.
enum CSVBytes {
    /// Where the byte stands next, or the end.
    @inline(__always)
    static func find(
        _ byte: UInt8, _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int
    ) -> Int {
        var at = from
        while at < end {
            let mask = ci_equal_mask32(base + at, byte)
            if mask != 0 { return min(at &+ mask.trailingZeroBitCount, end) }
            at &+= 32
        }
        return end
    }

    /// Line feeds between two offsets.
    static func lineFeeds(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var (at, count) = (from, 0)
        while at &+ 32 <= end {
            count &+= ci_equal_mask32(base + at, 0x0A).nonzeroBitCount
            at &+= 32
        }
        if at < end {
            let rest = UInt32(1) &<< UInt32(end &- at) &- 1
            count &+= (ci_equal_mask32(base + at, 0x0A) & rest).nonzeroBitCount
        }
        return count
    }

    /// The offset behind the last line feed between two offsets; nil without one.
    static func behindLastFeed(_ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int? {
        var at = end
        while at > from {
            at &-= 1
            if base[at] == 0x0A { return at &+ 1 }
        }
        return nil
    }
}
