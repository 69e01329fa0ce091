import ObjectStorage
import Vectors

/// Which row groups and pages need not be read: bounds, bloom filters, page indexes.
extension ParquetScan {
    /// What shows that no row of the row group passes; nil: some may.
    func exclusion(_ rowGroup: Int) throws(ParquetError) -> PruningCause? {
        for filters in groups {
            let bounds: ColumnBounds
            switch definitions[filters.column].source {
            case .field(let field, let wanted):
                bounds = file.bounds(rowGroup: rowGroup, of: field, as: wanted.type)
            case .inherited: continue
            case .rowPosition:
                var positions = ColumnBounds()
                positions.rowCount = group.rowCount
                positions.nullCount = 0
                positions.lower = .int64(Int64(group.firstRow))
                positions.upper = .int64(Int64(group.firstRow + group.rowCount - 1))
                bounds = positions
            case .constant:
                if !constantPasses(filters) { return cause(.constant, filters, nil) }
                continue
            }
            if bounds.isAllNull && !filters.passesNull { return cause(.bounds, filters, nil) }
            if let filter = filters.filters.first(where: { !$0.mayMatch(bounds) }) {
                return cause(.bounds, filters, filter)
            }
            guard try bloomAllows(filters) else { return cause(.bloomFilter, filters, nil) }
        }
        return nil
    }

    /// `filter`: the one that spoke; nil: the first of those that could.
    private func cause(
        _ evidence: PruningCause.Evidence, _ filters: FilterGroup, _ filter: (any ColumnFilter)?
    ) -> PruningCause {
        let name: String =
            switch definitions[filters.column].source {
            case .field(let field, _): field.name
            case .rowPosition: "row position"
            case .inherited: "row lineage"
            case .constant: "constant"
            }
        let speaker =
            filter
            ?? filters.filters.first {
                evidence == .bloomFilter ? $0.equalityCandidates != nil : !$0.passesNull
            }
        return PruningCause(evidence, column: name, origin: speaker?.origin ?? "filter")
    }

    private func constantPasses(_ filters: FilterGroup) -> Bool {
        guard case .constant(let constant) = columns[filters.column] else { return true }
        if constant.vector.valid != nil { return filters.passesNull }
        // A constant is one flat row.
        var vector = constant.vector
        vector.form = .flat
        var chosen: UInt32 = 0
        return filters.filters.allSatisfy { $0.select(vector, nil, 1, into: &chosen) == 1 }
    }

    private func bloomAllows(_ filters: FilterGroup) throws(ParquetError) -> Bool {
        guard options.usesPageIndex,
            case .field(let field, let wanted) = definitions[filters.column].source,
            let leaf = field.leaf
        else { return true }
        let metadata = group.columns[leaf.index]
        guard let offset = metadata.bloomFilterOffset, offset > 0,
            let candidates = filters.filters.lazy.compactMap(\.equalityCandidates).first,
            !candidates.isEmpty, let conversion = try? LeafConversion(leaf, as: wanted.type)
        else { return true }
        var plain: [[UInt8]] = []
        for candidate in candidates {
            guard let bytes = BloomFilter.plainBytes(candidate, leaf, conversion) else {
                return true
            }
            plain.append(bytes)
        }
        let size = Int(file.reader.description.sizeBytes)
        // Without its length, the filter ends somewhere before the footer; its header tells where.
        guard let length = metadata.bloomFilterLength, length <= ParquetLimits.bloomFilterBytes,
            offset <= size, length <= size - offset
        else { return true }
        do throws(ObjectStoreError) {
            let bytes = try file.reader.bytes(Int64(offset)..<Int64(offset + length))
            own.bytesRead += length
            guard let bloom = BloomFilter(bytes) else { return true }
            return plain.contains { bloom.mayContain($0) }
        } catch {
            throw .wrapping(
                error, "a bloom filter of \(file.reader.description.location) cannot be read")
        }
    }

    /// Narrows `ranges` to the pages that may have rows that pass; what left none of them, if so.
    func prunePages() throws(ParquetError) -> PruningCause? {
        for filters in groups {
            guard case .field(let field, let wanted) = definitions[filters.column].source,
                let leaf = field.leaf, case .flat(let cursor) = columns[filters.column]
            else { continue }
            let metadata = group.columns[leaf.index]
            guard let columnRange = metadata.columnIndex, let offsetRange = metadata.offsetIndex,
                let offsets = try readIndex(offsetRange), let bounds = try readIndex(columnRange)
            else { continue }
            let offsetIndex = try OffsetIndex.parse(offsets.bytes, rowCount: group.rowCount)
            let columnIndex = try ColumnIndex.parse(bounds.bytes)
            guard let offsetIndex, let columnIndex,
                offsetIndex.offsets.count == columnIndex.nullPages.count
            else { continue }
            cursor.offsetIndex = offsetIndex
            let order =
                leaf.index < file.metadata.columnOrders.count
                ? file.metadata.columnOrders[leaf.index] : .unknown
            var kept: [Range<Int>] = []
            for page in offsetIndex.offsets.indices {
                let rows = offsetIndex.rows(page, group.rowCount)
                let bounds = columnIndex.bounds(
                    page, leaf: leaf, type: wanted.type, rowCount: rows.count, order: order)
                let mayPass =
                    (!bounds.isAllNull || filters.passesNull)
                    && filters.filters.allSatisfy { $0.mayMatch(bounds) }
                guard mayPass else { continue }
                if let last = kept.last, last.upperBound == rows.lowerBound {
                    kept[kept.count - 1] = last.lowerBound..<rows.upperBound
                } else {
                    kept.append(rows)
                }
            }
            ranges = intersect(ranges, kept)
            if ranges.isEmpty {
                let speaker = filters.filters.first { !$0.passesNull }
                return cause(.pageIndex, filters, speaker)
            }
        }
        // The other columns jump over pages only if rows were ruled out.
        guard let first = ranges.first, ranges.count > 1 || first.count * 2 < group.rowCount else {
            return nil
        }
        for column in columns {
            guard case .flat(let cursor) = column, cursor.offsetIndex == nil,
                let range = group.columns[cursor.leaf.index].offsetIndex,
                let bytes = try readIndex(range)
            else { continue }
            cursor.offsetIndex = try OffsetIndex.parse(bytes.bytes, rowCount: group.rowCount)
        }
        return nil
    }

    private func readIndex(_ range: Range<Int>) throws(ParquetError) -> IndexBytes? {
        let size = Int(file.reader.description.sizeBytes)
        guard range.lowerBound >= 4, range.upperBound <= size,
            range.count <= ParquetLimits.footerBytes
        else { return nil }
        let buffer = ScanBuffer(memory)
        try buffer.ensure(range.count)
        try read([
            RangeRead(
                offset: Int64(range.lowerBound),
                destination: UnsafeMutableRawBufferPointer(start: buffer.start, count: range.count))
        ])
        own.bytesRead += range.count
        return IndexBytes(buffer: buffer, count: range.count)
    }
}

/// The bytes of a page index while they are parsed.
private struct IndexBytes {
    let buffer: ScanBuffer
    let count: Int

    /// Alive as long as the buffer.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.start, count: count) }
}

/// The ranges that both lists share; both ascend.
private func intersect(_ left: [Range<Int>], _ right: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var i = 0
    var j = 0
    while i < left.count && j < right.count {
        let shared = left[i].clamped(to: right[j])
        if !shared.isEmpty { result.append(shared) }
        if left[i].upperBound < right[j].upperBound { i += 1 } else { j += 1 }
    }
    return result
}
