import ObjectStorage
import Synchronization

extension ParquetFile {
    /// Bytes that are read for the header of a dictionary page.
    private static let headerBytes = 256
    /// A dictionary of more bytes was probably given up by its writer before the column chunk was done.
    private static let wholeDictionaryBytes = 768 << 10

    /// How many different values a column chunk has, as far as the file tells: by its statistics, or by
    /// the number of its dictionary's entries, which takes one small read. nil: the file does not tell.
    package func distinctCount(rowGroup: Int, of field: ParquetField) -> Int? {
        guard let leaf = field.leaf, metadata.rowGroups.indices.contains(rowGroup),
            metadata.rowGroups[rowGroup].columns.indices.contains(leaf.index)
        else { return nil }
        let place = rowGroup * metadata.rowGroups[rowGroup].columns.count + leaf.index
        if let known = distinctCounts.withLock({ $0[place] }) { return known }
        let count = readDistinctCount(metadata.rowGroups[rowGroup].columns[leaf.index])
        distinctCounts.withLock { $0[place] = .some(count) }
        return count
    }

    private func readDistinctCount(_ chunk: ColumnChunkMetadata) -> Int? {
        if let counted = chunk.statistics?.distinctCount, counted > 0 { return counted }
        guard let start = chunk.dictionaryPageOffset, start >= 4, start < chunk.dataPageOffset,
            !chunk.isEncrypted, chunk.unknownCodec == nil
        else { return nil }
        let size = Int(reader.description.sizeBytes)
        let count = min(Self.headerBytes, size - start)
        guard count > 0 else { return nil }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { bytes.deallocate() }
        do {
            try reader.readNow([RangeRead(offset: Int64(start), destination: bytes)])
            let header = try PageHeader.read(UnsafeRawBufferPointer(bytes)).header
            guard header.kind == .dictionary, header.uncompressedSize < Self.wholeDictionaryBytes
            else { return nil }
            return header.valueCount
        } catch {
            // An estimate only: the scan will say what is wrong with the file.
            return nil
        }
    }

    /// How many different values a column of several files probably has, from at most `limit` of their
    /// row groups; nil: they do not tell, or too many to be of use.
    ///
    /// Values are taken to be spread evenly. Row groups whose bounds do not overlap have values of
    /// their own.
    package static func distinctEstimate(
        _ files: [ParquetFile], limit: Int = 4, field: (ParquetFile) -> ParquetField?
    ) -> Double? {
        var places: [(file: ParquetFile, rowGroup: Int)] = []
        for file in files {
            for rowGroup in 0..<file.rowGroupCount { places.append((file, rowGroup)) }
        }
        guard !places.isEmpty else { return nil }
        let step = max(1, places.count / max(1, limit))
        var largest = 0.0
        var total = 0.0
        var samples = 0
        var bounds: [ColumnBounds] = []
        for place in stride(from: 0, to: places.count, by: step).prefix(limit) {
            let (file, rowGroup) = places[place]
            guard let field = field(file),
                let found = file.distinctCount(rowGroup: rowGroup, of: field)
            else { return nil }
            let rows = Double(file.metadata.rowGroups[rowGroup].rowCount)
            let own = min(spread(Double(found), overRows: rows), Double(Int32.max))
            largest = max(largest, own)
            total += Double(found)
            samples += 1
            bounds.append(file.bounds(rowGroup: rowGroup, of: field, as: field.type))
        }
        guard samples > 0 else { return nil }
        if samples > 1, areDisjoint(bounds) {
            return max(1, total / Double(samples) * Double(places.count))
        }
        return max(1, largest)
    }

    /// The number of values of which a sample of `rows` rows shows `found`: solves
    /// found = D (1 - e^(-rows/D)).
    private static func spread(_ found: Double, overRows rows: Double) -> Double {
        guard found > 0, rows > 0, found < rows else { return .infinity }
        // Bisection between the values seen and many more.
        var low = found
        var high = found * 1e4
        for _ in 0..<60 {
            let middle = (low + high) / 2
            // 1 - e^-x, in terms that a pure module has: the limit of (1 - x/n)^n.
            var base = max(0, 1 - rows / middle / 1024)
            for _ in 0..<10 { base *= base }
            if middle * (1 - base) < found { low = middle } else { high = middle }
        }
        return high
    }

    private static func areDisjoint(_ bounds: [ColumnBounds]) -> Bool {
        for (index, one) in bounds.enumerated() {
            guard let oneLow = one.lower, let oneHigh = one.upper else { return false }
            for other in bounds[(index + 1)...] {
                guard let low = other.lower, let high = other.upper,
                    let before = ParquetValue.compare(oneHigh, low),
                    let after = ParquetValue.compare(oneLow, high)
                else { return false }
                if before >= 0 && after <= 0 { return false }
            }
        }
        return true
    }
}
