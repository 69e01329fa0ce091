import Diagnostics
package import Vectors

/// A column of a text file.
package struct TextColumn: Sendable, Hashable {
    package var name: String
    package var type: LogicalType

    package init(name: String, type: LogicalType) {
        self.name = name
        self.type = type
    }
}

/// Gives the rows of a text file as chunks.
package protocol TextTableReader: AnyObject {
    var columns: [TextColumn] { get }

    /// Fills `chunk` (one column each of `columns`) with the next rows; false at the end. The memory
    /// is the reader's and lives until the next call.
    func next(into chunk: Chunk) throws -> Bool
}

/// A CSV file with known dialect and types.
package final class CSVTable: TextTableReader {
    package let columns: [TextColumn]
    package let dialect: CSVDialect
    /// What finding out the types told besides: nil for a table with given ones.
    package private(set) var inference: CSVInference?
    private let source: any ByteSource
    private let scanner: CSVScanner
    private let buffers: [ColumnBuffer]
    private let heap: Arena
    private var headerIsRead = false

    /// Opens a file whose columns are known, in the order of the file.
    package init(
        _ source: any ByteSource, dialect: CSVDialect, columns: [TextColumn], budget: MemoryBudget
    ) throws {
        try source.rewind()
        self.source = source
        self.dialect = dialect
        self.columns = columns
        scanner = CSVScanner(source, dialect)
        buffers = columns.map { ColumnBuffer(type: $0.type) }
        heap = Arena(budget: budget)
    }

    /// Opens a file and finds out its dialect (unless given) and the types of its columns, by reading
    /// it once to its end.
    package convenience init(
        inferring source: any ByteSource, dialect given: CSVDialect? = nil, budget: MemoryBudget
    ) throws {
        let dialect = try given ?? CSVTable.sniff(source)
        let (columns, inference) = try CSVTable.infer(source, dialect)
        try self.init(source, dialect: dialect, columns: columns, budget: budget)
        self.inference = inference
    }

    private static func sniff(_ source: any ByteSource) throws -> CSVDialect {
        try source.rewind()
        // A source may give less than there is room for: the dialect must not depend on it.
        let sample = try [UInt8](unsafeUninitializedCapacity: CSVDialect.sampleBytes) {
            buffer, count in
            while count < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(
                    UnsafeMutableBufferPointer(rebasing: buffer[count...]))
                let got = try source.read(into: rest)
                if got == 0 { break }
                count += got
            }
        }
        return CSVDialect.sniff(sample)
    }

    /// Names and types over all rows.
    private static func infer(
        _ source: any ByteSource, _ dialect: CSVDialect
    ) throws -> (columns: [TextColumn], inference: CSVInference) {
        try source.rewind()
        let scanner = CSVScanner(source, dialect)
        guard try scanner.next() else {
            throw TextTableError(
                .empty, "the file holds no record: \(source.name)",
                hint: "a table needs a header line")
        }
        let names: [String]
        var inference = CSVInference()
        if dialect.hasHeader {
            let header = scanner.fields.indices.map { scanner.text($0) }
            names = columnNames(header)
            inference.repeated = CSVInference.repeated(header, names)
        } else {
            names = scanner.fields.indices.map { "column_\($0 + 1)" }
        }
        var guesses = [TextTypeGuess?](repeating: nil, count: names.count)
        inference.wholeDigits = [Int](repeating: 0, count: names.count)
        let nulls = Set(dialect.nullTexts)
        var isHeader = dialect.hasHeader
        repeat {
            if isHeader {
                isHeader = false
                continue
            }
            try checkCount(scanner, names.count, source)
            for (index, field) in scanner.fields.enumerated() where guesses[index] != .text {
                if field.count == 0, !field.isQuoted { continue }
                if !nulls.isEmpty, nulls.contains(scanner.text(index)) { continue }
                let bytes = UnsafeBufferPointer(start: field.start, count: field.count)
                let guess = TextTypeGuess(of: bytes)
                if guess.isExactNumber {
                    inference.wholeDigits[index] = max(
                        inference.wholeDigits[index], CSVInference.wholeDigits(bytes))
                }
                guesses[index] = guesses[index].map { $0.joined(guess) } ?? guess
            }
        } while try scanner.next()
        let columns = zip(names, guesses).map {
            TextColumn(name: $0, type: TextTypeGuess.type(of: $1))
        }
        return (columns, inference)
    }

    /// Distinct lower-case names that need no quotes where possible.
    package static func columnNames(_ header: [String]) -> [String] {
        var taken: Set<String> = []
        return header.enumerated().map { index, text in
            var name = ""
            for scalar in text.lowercased().unicodeScalars {
                let isWord =
                    scalar == "_" || scalar.properties.isAlphabetic
                    || scalar.properties.numericType != nil
                name.unicodeScalars.append(isWord ? scalar : "_")
            }
            while name.hasPrefix("_") { name.removeFirst() }
            while name.hasSuffix("_") { name.removeLast() }
            if name.isEmpty { name = "column_\(index + 1)" }
            if let first = name.first, first.isNumber { name = "_" + name }
            var unique = name
            var attempt = 2
            while !taken.insert(unique).inserted {
                unique = "\(name)_\(attempt)"
                attempt += 1
            }
            return unique
        }
    }

    private static func checkCount(
        _ scanner: CSVScanner, _ expected: Int, _ source: any ByteSource
    ) throws(TextTableError) {
        guard scanner.fields.count == expected else {
            throw TextTableError(
                .wrongFieldCount,
                "line \(scanner.line) of \(source.name) has \(scanner.fields.count) fields, "
                    + "the table has \(expected)",
                hint: "a field that holds the delimiter must stand in quotes")
        }
    }

    package func next(into chunk: Chunk) throws -> Bool {
        if !headerIsRead {
            headerIsRead = true
            if dialect.hasHeader { _ = try scanner.next() }
        }
        heap.reset()
        for buffer in buffers { buffer.reset() }
        var row = 0
        while row < Chunk.capacity, try scanner.next() {
            try CSVTable.checkCount(scanner, columns.count, source)
            for index in columns.indices { try store(index, row) }
            row += 1
        }
        chunk.count = row
        chunk.selection = nil
        for index in columns.indices { chunk.columns[index] = buffers[index].vector }
        return row > 0
    }

    private func store(_ index: Int, _ row: Int) throws {
        let field = scanner.fields[index]
        if field.count == 0, !field.isQuoted || columns[index].type != .text {
            buffers[index].setNull(row)
            return
        }
        if !dialect.nullTexts.isEmpty, dialect.nullTexts.contains(scanner.text(index)) {
            buffers[index].setNull(row)
            return
        }
        let bytes = UnsafeBufferPointer(start: field.start, count: field.count)
        if case .varchar = columns[index].type { try checkUTF8(bytes, index) }
        guard try TextValue.store(bytes, into: buffers[index], row: row, heap: heap) else {
            throw TextTableError(
                .invalidValue,
                "line \(scanner.line), column \(columns[index].name) of \(source.name) is not a "
                    + "\(columns[index].type): \(scanner.text(index).prefix(80))",
                hint: "give the column another type, or mend the file")
        }
    }

    private func checkUTF8(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) throws(TextTableError)
    {
        if bytes.allSatisfy({ $0 < 0x80 }) { return }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TextTableError(
                .invalidUTF8,
                "line \(scanner.line), column \(columns[index].name) of \(source.name) is not UTF-8",
                hint: "convert the file, for example with iconv -f LATIN1 -t UTF-8")
        }
    }
}
