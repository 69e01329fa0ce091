import ObjectStorage
import Vectors

/// Where the data pages of a column chunk are.
struct OffsetIndex {
    var offsets: [Int] = []
    var firstRows: [Int] = []

    /// The page that has the row.
    func page(of row: Int) -> Int {
        var low = 0
        var high = firstRows.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if firstRows[middle] <= row { low = middle } else { high = middle }
        }
        return low
    }

    /// Rows of a page in a row group of `rowCount`.
    func rows(_ page: Int, _ rowCount: Int) -> Range<Int> {
        let end = page + 1 < firstRows.count ? firstRows[page + 1] : rowCount
        return firstRows[page]..<max(end, firstRows[page])
    }

    /// Parses and checks an index; nil when it contradicts itself, for then it is not used.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, rowCount: Int
    ) throws(ParquetError) -> OffsetIndex? {
        var reader = ThriftReader(bytes)
        var index = OffsetIndex()
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            guard id == 1 else { return try reader.skip(kind) }
            try reader.list(kind) { (reader, _) throws(ParquetError) in
                var offset = 0
                var row = 0
                try reader.structure { (reader, id, kind) throws(ParquetError) in
                    switch id {
                    case 1: offset = try reader.count(kind)
                    case 3: row = try reader.count(kind)
                    default: try reader.skip(kind)
                    }
                }
                index.offsets.append(offset)
                index.firstRows.append(row)
            }
        }
        guard index.firstRows.first == 0 else { return nil }
        for page in index.firstRows.indices.dropFirst() {
            guard index.firstRows[page] > index.firstRows[page - 1],
                index.offsets[page] > index.offsets[page - 1]
            else { return nil }
        }
        guard let last = index.firstRows.last, last < rowCount else { return nil }
        return index
    }
}

/// Bounds of the pages of a column chunk.
struct ColumnIndex {
    var nullPages: [Bool] = []
    var mins: [[UInt8]] = []
    var maxs: [[UInt8]] = []
    var nullCounts: [Int]?
    var nanCounts: [Int]?

    /// Parses an index; nil when its lists do not fit together.
    static func parse(_ bytes: UnsafeRawBufferPointer) throws(ParquetError) -> ColumnIndex? {
        var reader = ThriftReader(bytes)
        var index = ColumnIndex()
        try reader.structure { (reader, id, kind) throws(ParquetError) in
            switch id {
            case 1:
                try reader.list(kind) { (reader, _) throws(ParquetError) in
                    index.nullPages.append(try reader.boolElement())
                }
            case 2:
                try reader.list(kind) { (reader, kind) throws(ParquetError) in
                    index.mins.append(try reader.binary(kind))
                }
            case 3:
                try reader.list(kind) { (reader, kind) throws(ParquetError) in
                    index.maxs.append(try reader.binary(kind))
                }
            case 5:
                var counts: [Int] = []
                try reader.list(kind) { (reader, kind) throws(ParquetError) in
                    counts.append(try reader.count(kind))
                }
                index.nullCounts = counts
            case 8:
                var counts: [Int] = []
                try reader.list(kind) { (reader, kind) throws(ParquetError) in
                    counts.append(try reader.count(kind))
                }
                index.nanCounts = counts
            default: try reader.skip(kind)
            }
        }
        let count = index.nullPages.count
        guard index.mins.count == count, index.maxs.count == count,
            index.nullCounts?.count ?? count == count, index.nanCounts?.count ?? count == count
        else { return nil }
        return index
    }

    /// What the index says of a page.
    func bounds(
        _ page: Int, leaf: ParquetLeaf, type: LogicalType, rowCount: Int, order: ColumnOrder
    ) -> ColumnBounds {
        var statistics = RawStatistics()
        statistics.nullCount = nullPages[page] ? rowCount : nullCounts?[page]
        statistics.nanCount = nanCounts?[page]
        if !nullPages[page] {
            statistics.min = mins[page]
            statistics.max = maxs[page]
        }
        return ColumnBounds(statistics, leaf: leaf, type: type, rowCount: rowCount, order: order)
    }
}
