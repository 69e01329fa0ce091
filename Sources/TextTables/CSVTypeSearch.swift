import Vectors

/// Where in a file a stretch of records begins.
package struct CSVPlace: Sendable, Hashable {
    package let offset: Int64
    /// From 1.
    package let line: Int

    /// A place of a file: the one at its start is on line 1.
    package init(offset: Int64, line: Int) {
        self.offset = offset
        self.line = line
    }
}

/// Reads a CSV file to its end for the names and types of its columns.
struct CSVTypeSearch {
    private let source: any ByteSource
    private let dialect: CSVDialect
    private let budget: MemoryBudget

    init(_ source: any ByteSource, _ dialect: CSVDialect, _ budget: MemoryBudget) {
        self.source = source
        self.dialect = dialect
        self.budget = budget
    }

    /// Stretches that are looked at together.
    private static let slotCount = 8

    /// Names and types over all rows.
    func run(_ run: ParallelRun?) throws -> (columns: [TextColumn], inference: CSVInference) {
        try source.rewind()
        let splitter = CSVSplitter(source, dialect)
        let first = CSVStretch(budget: budget)
        let scanner = CSVScanner(name: source.name, dialect, rowLimit: Chunk.capacity)
        var places: [CSVPlace] = []
        var found: Int?
        while found == nil {
            guard try splitter.next(into: first) else {
                throw TextTableError(
                    .empty, "the file holds no record: \(source.name)",
                    hint: "a table needs a header line")
            }
            places.append(CSVPlace(offset: first.offset, line: first.line))
            scanner.begin(first)
            found = try scanner.next()
        }
        let width = found ?? 0
        let names: [String]
        var inference = CSVInference()
        if dialect.hasHeader {
            let header = (0..<width).map { scanner.text($0) }
            names = CSVTable.columnNames(header)
            inference.repeated = CSVInference.repeated(header, names)
            scanner.forget()
        } else {
            names = (0..<width).map { "column_\($0 + 1)" }
        }
        let layout = CSVLayout(
            name: source.name, dialect, names.map { TextColumn(name: $0, type: .text) }, wanted: [])
        var slots = [TypeSlot(first, scanner, layout)]
        for _ in 1..<(run == nil ? 1 : Self.slotCount) {
            slots.append(TypeSlot(layout, budget))
        }
        var guesses = ColumnGuesses(count: width)
        // The first slot is on the first stretch already.
        var count = 1
        while count > 0 {
            let failure = fill(slots, &count, splitter, &places)
            let shared = SharedSlots(slots: slots)
            if let run { run(count) { shared.slots[$0].look() } } else { slots[0].look() }
            for slot in slots[0..<count] {
                if let error = slot.failure { throw error }
                guesses.join(slot.guesses)
            }
            if let failure { throw failure }
            count = 0
            if try splitter.next(into: slots[0].stretch) {
                slots[0].begin(&places)
                count = 1
            }
        }
        inference.wholeDigits = guesses.wholeDigits
        inference.places = places
        let columns = zip(names, guesses.types).map {
            TextColumn(name: $0, type: TextTypeGuess.type(of: $1))
        }
        return (columns, inference)
    }

    /// Fills the slots behind the first `count` ones.
    private func fill(
        _ slots: [TypeSlot], _ count: inout Int, _ splitter: CSVSplitter,
        _ places: inout [CSVPlace]
    ) -> (any Error)? {
        var bytes = slots[0].stretch.count
        do {
            while count < slots.count, bytes < slots.count * TextLimits.blockBytes,
                try splitter.next(into: slots[count].stretch)
            {
                slots[count].begin(&places)
                bytes += slots[count].stretch.count
                count += 1
            }
        } catch { return error }
        return nil
    }

    /// Safe because each slot is touched by one thread at a time: the one whose number it has while a
    /// run lasts, and the caller's before and after it.
    private struct SharedSlots: @unchecked Sendable { let slots: [TypeSlot] }
}

/// A stretch that is looked at for the types of its values.
private final class TypeSlot {
    let stretch: CSVStretch
    private let scanner: CSVScanner
    private let layout: CSVLayout
    private(set) var guesses: ColumnGuesses
    private(set) var failure: (any Error)?

    init(_ stretch: CSVStretch, _ scanner: CSVScanner, _ layout: CSVLayout) {
        self.stretch = stretch
        self.scanner = scanner
        self.layout = layout
        guesses = ColumnGuesses(count: layout.columns.count)
    }

    convenience init(_ layout: CSVLayout, _ budget: MemoryBudget) {
        self.init(
            CSVStretch(budget: budget),
            CSVScanner(name: layout.name, layout.dialect, rowLimit: Chunk.capacity), layout)
    }

    func begin(_ places: inout [CSVPlace]) {
        places.append(CSVPlace(offset: stretch.offset, line: stretch.line))
        scanner.begin(stretch)
    }

    /// Looks at the records of the stretch, from where the scanner is on. What is known from the stretches
    /// before stays: a column that is text already is not looked at again.
    func look() {
        while true {
            scanner.scan(width: layout.columns.count)
            guesses.look(scanner, layout)
            if let fault = scanner.fault {
                failure = fault
                return
            }
            if scanner.rowCount == 0 { return }
            scanner.forget()
        }
    }
}

/// What the values of columns could be, as far as they were seen.
private struct ColumnGuesses {
    private(set) var types: [TextTypeGuess?]
    /// By column: the most digits before the point of its numbers.
    private(set) var wholeDigits: [Int]

    init(count: Int) {
        types = [TextTypeGuess?](repeating: nil, count: count)
        wholeDigits = [Int](repeating: 0, count: count)
    }

    mutating func join(_ other: ColumnGuesses) {
        for (index, guess) in other.types.enumerated() {
            wholeDigits[index] = max(wholeDigits[index], other.wholeDigits[index])
            guard let guess else { continue }
            types[index] = types[index].map { $0.joined(guess) } ?? guess
        }
    }

    /// Takes the scanner's rows into account.
    mutating func look(_ scanner: CSVScanner, _ layout: CSVLayout) {
        for index in types.indices where types[index] != .text {
            var seen = SeenValues(types[index])
            look(index, scanner, layout, &seen)
            types[index] = seen.guess
            wholeDigits[index] = max(wholeDigits[index], seen.wholeDigits)
        }
    }

    private func look(
        _ index: Int, _ scanner: CSVScanner, _ layout: CSVLayout, _ seen: inout SeenValues
    ) {
        let base = UnsafePointer(scanner.base)
        let hasNullTexts = layout.hasNullTexts
        let width = types.count
        var field = UnsafePointer(scanner.fields) + index
        for _ in 0..<scanner.rowCount {
            let (start, count) = (base + field.pointee.start, field.pointee.count)
            let isNull = count == 0 && !field.pointee.isQuoted
            field += width
            if isNull || (hasNullTexts && layout.isNull(start, count)) { continue }
            if seen.addUsual(start, count) { continue }
            seen.add(UnsafeBufferPointer(start: start, count: count))
            if seen.isText { return }
        }
    }
}

/// The values of one column: usual numbers and dates are counted, others guessed one by one.
private struct SeenValues {
    private var other: TextTypeGuess?
    private var hasIntegers = false
    private var hasDecimals = false
    private var hasDates = false
    private var (whole, scale) = (0, 0)
    private(set) var wholeDigits = 0

    init(_ known: TextTypeGuess?) { other = known }

    var isText: Bool { other == .text }

    /// Takes a number of up to 18 digits without a sign but minus, or `YYYY-MM-DD`; false for others.
    @inline(__always)
    mutating func addUsual(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count > 0, count <= 18 else { return false }
        var at = start[0] == 0x2D ? 1 : 0
        let first = at
        while at < count, start[at] &- 0x30 <= 9 { at &+= 1 }
        let digits = at &- first
        // Codes such as 00123 are no numbers.
        if digits == 0 || (digits > 1 && start[first] == 0x30) { return false }
        if at == count {
            hasIntegers = true
            wholeDigits = max(wholeDigits, digits)
            return true
        }
        if start[at] == 0x2E {
            let point = at
            at &+= 1
            while at < count, start[at] &- 0x30 <= 9 { at &+= 1 }
            guard at == count else { return false }
            hasDecimals = true
            whole = max(whole, digits)
            scale = max(scale, count &- point &- 1)
            wholeDigits = max(wholeDigits, digits)
            return true
        }
        guard count == 10, FastText.isoDate(start) != nil else { return false }
        hasDates = true
        return true
    }

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        let guess = TextTypeGuess(of: bytes)
        if guess.isExactNumber {
            wholeDigits = max(wholeDigits, CSVInference.wholeDigits(bytes))
        }
        join(guess)
    }

    private mutating func join(_ guess: TextTypeGuess) {
        other = other.map { $0.joined(guess) } ?? guess
    }

    /// The narrowest that holds all of them.
    var guess: TextTypeGuess? {
        var all = self
        if hasIntegers { all.join(.bigint) }
        if hasDecimals { all.join(.decimal(whole: whole, scale: scale)) }
        if hasDates { all.join(.date) }
        return all.other
    }
}
