import Vectors

/// How a CSV file is written.
package struct CSVDialect: Sendable, Hashable {
    package var delimiter: UInt8
    package var quote: UInt8
    package var hasHeader: Bool
    /// Texts that stand for NULL besides the empty field.
    package var nullTexts: [String]

    package init(
        delimiter: UInt8 = 0x2C, quote: UInt8 = 0x22, hasHeader: Bool = true,
        nullTexts: [String] = []
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.hasHeader = hasHeader
        self.nullTexts = nullTexts
    }
}

extension CSVDialect {
    /// How much of a file is looked at; a shorter sample is the whole file.
    static let sampleBytes = 64 << 10

    /// Guesses the delimiter and whether there is a header from the beginning of a file.
    ///
    /// The delimiter is the one of `, ; tab |` that splits the first records into the same number of
    /// fields, the most of them. A header is a first record of texts that are not numbers, where below it a
    /// column holds something else than text; or else, where all is text, of names that look like names,
    /// differ from each other, or at least do not stand below themselves.
    package static func sniff(_ sample: [UInt8]) -> CSVDialect {
        var best = CSVDialect()
        var bestFields = 1
        for delimiter: UInt8 in [0x2C, 0x3B, 0x09, 0x7C] {
            let dialect = CSVDialect(delimiter: delimiter)
            let records = firstRecords(of: sample, dialect, limit: 20)
            guard let first = records.first, first.count > bestFields,
                records.allSatisfy({ $0.count == first.count })
            else { continue }
            (best, bestFields) = (dialect, first.count)
        }
        best.hasHeader = looksLikeHeader(firstRecords(of: sample, best, limit: 20))
        return best
    }

    private static func firstRecords(
        of sample: [UInt8], _ dialect: CSVDialect, limit: Int
    ) -> [[String]] {
        let scanner = CSVScanner(name: "the sample", dialect, rowLimit: 1)
        let stretch = CSVStretch(budget: MemoryBudget(limitBytes: .max))
        var records: [[String]] = []
        guard (try? CSVSplitter(MemoryByteSource(sample), dialect).next(into: stretch)) == true
        else { return [] }
        scanner.begin(stretch)
        while records.count < limit, let found = try? scanner.next() {
            records.append((0..<found).map { scanner.text($0) })
            scanner.forget()
        }
        // A sample that is not the whole file may cut the last record in two.
        if sample.count >= sampleBytes, records.count > 1, records.count < limit {
            records.removeLast()
        }
        return records
    }

    private static func looksLikeHeader(_ records: [[String]]) -> Bool {
        guard let first = records.first, first.contains(where: { !$0.isEmpty }) else {
            return false
        }
        func below(_ column: Int) -> [String] {
            records.dropFirst().compactMap { column < $0.count ? $0[column] : nil }
                .filter { !$0.isEmpty }
        }
        // `t`, `no` and their like are values above values of their kind, and names above others.
        var isProven = false
        var isDoubtful = false
        for column in first.indices {
            let kinds = below(column).map { TextTypeGuess(of: $0) }
            switch TextTypeGuess(of: first[column]) {
            case .text where first[column].isEmpty: break
            case .text: isProven = isProven || kinds.contains { $0 != .text }
            case .boolean:
                isDoubtful = isDoubtful || kinds.isEmpty || kinds.contains(.boolean)
                isProven =
                    isProven || !kinds.isEmpty && kinds.allSatisfy { $0 != .text && $0 != .boolean }
            default: return false
            }
        }
        if isProven { return true }
        if isDoubtful { return false }
        // A column without a name is none at all, as spreadsheets write them at the end of each line.
        guard first.indices.allSatisfy({ !first[$0].isEmpty || below($0).isEmpty }) else {
            return false
        }
        let names = first.filter { !$0.isEmpty }
        let isDistinct = Set(names).count == names.count
        if records.count <= 2 { return isDistinct }
        // The same name twice is a slip in a header, and usual in data: there it comes again.
        if !isDistinct {
            let comesAgain = first.indices.contains { column in
                !first[column].isEmpty
                    && records.dropFirst().contains {
                        column < $0.count && $0[column] == first[column]
                    }
            }
            guard !comesAgain, Set(names).count > 1 else { return false }
        }
        return first.allSatisfy { name in
            name.utf8.allSatisfy { byte in
                (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
                    || byte == 0x5F || byte == 0x20 || byte == 0x2D || byte == 0x2E || byte >= 0x80
            }
        }
    }
}
