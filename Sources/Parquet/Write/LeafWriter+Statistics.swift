import Vectors

extension LeafWriter {
    private var isText: Bool {
        switch type {
        case .varchar, .char, .json: true
        default: false
        }
    }

    private var isFloating: Bool { form == .float || form == .double }

    /// What a tracker found, as the file has it.
    func statistics(_ bounds: BoundsTracker) -> RawStatistics {
        var result = RawStatistics()
        result.nullCount = bounds.nullCount
        if isFloating { result.nanCount = bounds.nanCount }
        let (lower, upper) = cut(bounds)
        result.min = lower?.statisticsBytes(form, isUpper: false)
        result.max = upper?.statisticsBytes(form, isUpper: true)
        if form == .bytes {
            result.isMinExact = lower == bounds.lower
            result.isMaxExact = upper == bounds.upper
        }
        return result
    }

    /// Bounds cut to the option's length.
    func cut(_ bounds: BoundsTracker) -> (lower: ParquetValue?, upper: ParquetValue?) {
        guard form == .bytes else { return (bounds.lower, bounds.upper) }
        var lower: ParquetValue?
        var upper: ParquetValue?
        if case .bytes(let bytes)? = bounds.lower {
            lower = .bytes(BoundCutting.lower(bytes, length: options.boundLength, isText: isText))
        }
        if case .bytes(let bytes)? = bounds.upper {
            upper = BoundCutting.upper(bytes, length: options.boundLength, isText: isText).map {
                .bytes($0)
            }
        }
        return (lower, upper)
    }

    /// The bounds over all row groups, in the engine's form. Trackers hold nanosecond timestamps
    /// without the bits of a zone.
    func totalBounds() -> (lower: ParquetValue?, upper: ParquetValue?) {
        let (lower, upper) = cut(totals)
        guard form == .packedNanos, case .timestampWithTimeZone = type else {
            return (lower, upper)
        }
        func zoned(_ value: ParquetValue?) -> ParquetValue? {
            guard case .int128(let packed)? = value else { return value }
            let low = packed & 0xFFFF_FFFF_FFFF_FFFF
            return .int128(packed - low | low << 16)
        }
        return (zoned(lower), zoned(upper))
    }

    /// The column index of a chunk's pages; nil when some page has values but no bounds.
    func columnIndex(_ pages: [Page]) -> [UInt8]? {
        var raw: [RawStatistics] = []
        for page in pages {
            let statistics = statistics(page.bounds)
            if page.bounds.valueCount > 0 && (statistics.min == nil || statistics.max == nil) {
                return nil
            }
            raw.append(statistics)
        }
        let isAscending = ordered(pages) { $0 <= 0 }
        let isDescending = !isAscending && ordered(pages) { $0 >= 0 }
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.list(1, .yes, count: pages.count)
            for page in pages { writer.element(page.bounds.valueCount == 0) }
            writer.list(2, .binary, count: pages.count)
            for statistics in raw { writer.element(statistics.min ?? []) }
            writer.list(3, .binary, count: pages.count)
            for statistics in raw { writer.element(statistics.max ?? []) }
            writer.int32(4, isAscending ? 1 : isDescending ? 2 : 0)
            writer.list(5, .int64, count: pages.count)
            for page in pages { writer.element(page.bounds.nullCount) }
            if isFloating {
                writer.list(8, .int64, count: pages.count)
                for page in pages { writer.element(page.bounds.nanCount) }
            }
        }
        return writer.bytes
    }

    /// Whether both bounds of the pages that have any follow one another so.
    private func ordered(_ pages: [Page], _ holds: (Int) -> Bool) -> Bool {
        var last: (lower: ParquetValue, upper: ParquetValue)?
        for page in pages {
            let (low, high) = cut(page.bounds)
            guard let low, let high else { continue }
            if let last {
                guard let first = ParquetValue.compare(last.lower, low), holds(first),
                    let second = ParquetValue.compare(last.upper, high), holds(second)
                else { return false }
            }
            last = (low, high)
        }
        return true
    }

    /// The offset index of a chunk's pages.
    static func offsetIndex(_ chunk: Chunk) -> [UInt8] {
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.list(1, .structure, count: chunk.pages.count)
            for page in chunk.pages {
                writer.structureElement {
                    $0.int64(1, chunk.dataOffset + page.offset)
                    $0.int32(2, page.size)
                    $0.int64(3, page.firstRow)
                }
            }
        }
        return writer.bytes
    }
}
