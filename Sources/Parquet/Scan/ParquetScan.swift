import ObjectStorage
package import Vectors

/// Scans row groups of one file for one worker. Not shared between threads.
///
/// `begin` opens a row group, or a part of its rows; `next` hands out dense chunks of the output columns
/// until these rows are done. A chunk and all that it points to is valid until the next call of either.
package final class ParquetScan {
    enum Column {
        case flat(FlatCursor)
        case nested(NestedColumn)
        case constant(ConstantVector)
        case rowPosition
        case inherited(Inheritance)

        /// The cursor over the leaf that the column reads, if it is one leaf.
        var cursor: FlatCursor? {
            switch self {
            case .flat(let cursor): cursor
            case .inherited(let column): column.stored
            case .nested, .constant, .rowPosition: nil
            }
        }
    }

    let file: ParquetFile
    let columns: [Column]
    let definitions: [ScanColumn]
    private let outputs: [Int]
    var groups: [FilterGroup]
    private let rowFilters: [any RowFilter]
    private let deleted: DeletedPositions?
    let options: ScanOptions
    let memory: ScanMemory
    private let chunk: Chunk
    private let slots: [OutputSlot]
    private let selectionBuffer: ScanBuffer
    private let positionBuffer: ScanBuffer
    private let rowFilterVectors: UnsafeMutablePointer<Vector>
    /// Columns needed before the filters have spoken, and all others.
    private let early: [Int]
    private let late: [Int]

    // The row group.
    var group = RowGroupMetadata()
    var ranges: [Range<Int>] = []
    private var rangeIndex = 0
    private var row = 0
    private var isLateOpen = false
    private var stepsUntilReorder = 0
    var own = ScanCounters()

    /// Binds columns and filters.
    ///
    /// `outputs` are indexes into `columns`, nil for all of them; a chunk has its columns in their
    /// order. Filters name columns likewise, outputs or not. Throws `.typeMismatch` when a file column
    /// cannot be read as the type wanted, `.unsupported` for one that cannot be read at all and for
    /// filters on nested columns.
    package init(
        _ file: ParquetFile, columns: [ScanColumn], outputs: [Int]? = nil,
        filters: [ScanFilter] = [],
        rowFilters: [any RowFilter] = [], deleted: DeletedPositions? = nil,
        options: ScanOptions = ScanOptions(), memory: ScanMemory
    ) throws(ParquetError) {
        var bound: [Column] = []
        for column in columns { bound.append(try ParquetScan.bind(column, file, options, memory)) }
        let outputs = outputs ?? Array(columns.indices)
        var groups: [FilterGroup] = []
        var early = Set<Int>()
        for filter in filters where !groups.contains(where: { $0.column == filter.column }) {
            guard columns.indices.contains(filter.column) else {
                throw .unsupported("a filter names a column that the scan does not have")
            }
            try ParquetScan.checkFiltered(bound[filter.column])
            groups.append(
                FilterGroup(
                    column: filter.column,
                    filters: filters.filter { $0.column == filter.column }.map(\.filter),
                    memory: memory))
            early.insert(filter.column)
        }
        for column in rowFilters.flatMap(\.columns) {
            guard columns.indices.contains(column) else {
                throw .unsupported("a filter names a column that the scan does not have")
            }
            try ParquetScan.checkFiltered(bound[column])
            early.insert(column)
        }
        self.file = file
        self.columns = bound
        definitions = columns
        self.outputs = outputs
        self.groups = groups
        self.rowFilters = rowFilters
        self.deleted = deleted.flatMap { $0.sorted.isEmpty ? nil : $0 }
        self.options = options
        self.memory = memory
        self.early = early.sorted()
        late = Set(outputs).subtracting(early).sorted()
        chunk = Chunk(columnCount: outputs.count)
        slots = outputs.map { _ in OutputSlot(memory) }
        selectionBuffer = ScanBuffer(memory)
        positionBuffer = ScanBuffer(memory)
        rowFilterVectors = .allocate(capacity: max(rowFilters.map(\.columns.count).max() ?? 0, 1))
    }

    deinit { rowFilterVectors.deallocate() }

    private static func checkFiltered(_ column: Column) throws(ParquetError) {
        switch column {
        case .nested: throw .unsupported("a scan filters columns without nesting only")
        case .inherited: throw .unsupported("a scan does not filter the lineage of rows")
        case .flat, .constant, .rowPosition: return
        }
    }

    private static func bind(
        _ column: ScanColumn, _ file: ParquetFile, _ options: ScanOptions, _ memory: ScanMemory
    ) throws(ParquetError) -> Column {
        switch column.source {
        case .constant(let value): return .constant(ConstantVector(value, column.type))
        case .rowPosition: return .rowPosition
        case .inherited(let field, let start, let isCounted):
            return .inherited(
                try Inheritance(file, field, start, isCounted: isCounted, options, memory))
        case .field(let field, let wanted):
            if let leaf = field.leaf {
                if let reason = field.unsupported { throw .unsupported(reason) }
                return .flat(
                    FlatCursor(
                        file, leaf, try LeafConversion(leaf, as: wanted.type), options: options,
                        memory: memory))
            }
            return .nested(try NestedColumn(file, field, wanted, options: options, memory: memory))
        }
    }

    /// What was done so far.
    package var counters: ScanCounters {
        var total = own
        for column in columns {
            switch column {
            case .flat(let cursor):
                total.pagesRead += cursor.pagesRead
                total.pagesSkipped += cursor.pagesSkipped
                total.bytesRead += cursor.bytesRead
                total.bytesDecompressed += cursor.bytesDecompressed
            case .nested(let column):
                for leaf in column.leaves {
                    total.pagesRead += leaf.pagesRead
                    total.bytesRead += leaf.bytesRead
                    total.bytesDecompressed += leaf.bytesDecompressed
                }
            case .inherited(let column):
                total.pagesRead += column.stored?.pagesRead ?? 0
                total.bytesRead += column.stored?.bytesRead ?? 0
                total.bytesDecompressed += column.stored?.bytesDecompressed ?? 0
            case .constant, .rowPosition: break
            }
        }
        return total
    }

    // MARK: - Row groups

    /// Opens a row group, or `rows` of it (numbered within the group); false when statistics, bloom
    /// filters or page indexes show that no row passes the filters. Filters are asked anew each time,
    /// so that join filters and top-N bounds may grow between row groups.
    package func begin(rowGroup: Int, rows: Range<Int>? = nil) throws(ParquetError) -> Bool {
        try begin(rowGroup: rowGroup) { whole in
            let part = (rows ?? whole).clamped(to: whole)
            return part.isEmpty ? [] : [part]
        }
    }

    /// Opens a row group for single rows of it, whose numbers within the group ascend.
    package func begin(rowGroup: Int, only rows: [Int]) throws(ParquetError) -> Bool {
        try begin(rowGroup: rowGroup) { whole in
            var parts: [Range<Int>] = []
            for row in rows where whole.contains(row) {
                if let last = parts.last, last.upperBound >= row {
                    parts[parts.count - 1] = last.lowerBound..<max(last.upperBound, row + 1)
                } else {
                    parts.append(row..<(row + 1))
                }
            }
            return parts
        }
    }

    private func begin(
        rowGroup: Int, _ choose: (Range<Int>) -> [Range<Int>]
    ) throws(ParquetError) -> Bool {
        guard file.metadata.rowGroups.indices.contains(rowGroup) else {
            throw .corrupted("the file has no row group \(rowGroup)")
        }
        group = file.metadata.rowGroups[rowGroup]
        ranges = []
        rangeIndex = 0
        isLateOpen = false
        for column in columns {
            switch column {
            case .flat(let cursor): cursor.close()
            case .nested(let column): column.close()
            case .inherited(let column): column.stored?.close()
            case .constant, .rowPosition: break
            }
        }
        let parts = choose(0..<group.rowCount)
        guard let start = parts.first?.lowerBound else { return false }
        for filters in groups { filters.beginRowGroup() }
        // Parts of one row group are counted with its first.
        let counted = start == 0 ? 1 : 0
        if let cause = try exclusion(rowGroup) {
            own.rowGroupsPruned += counted
            own.prunedBy[cause, default: 0] += 1
            return false
        }
        ranges = parts
        if options.usesPageIndex, let cause = try prunePages() {
            own.rowGroupsPruned += counted
            own.prunedBy[cause, default: 0] += 1
        }
        guard let first = ranges.first else { return false }
        row = first.lowerBound
        try open(early)
        if groups.isEmpty && rowFilters.isEmpty { try openLate() }
        groups.sort { rank($0) > rank($1) }
        stepsUntilReorder = 4
        own.rowGroupsRead += counted
        return true
    }

    func read(_ reads: [RangeRead]) throws(ParquetError) {
        if reads.isEmpty { return }
        do throws(ObjectStoreError) {
            try file.reader.readNow(reads)
        } catch {
            throw .wrapping(error, "\(file.reader.description.location) cannot be read")
        }
    }

    /// Opens columns in the row group, with their first reads in one batch.
    private func open(_ indexes: [Int]) throws(ParquetError) {
        var reads: [RangeRead] = []
        for index in indexes {
            switch columns[index] {
            case .flat(let cursor):
                if !cursor.isOpen, let read = try cursor.open(group) { reads.append(read) }
            case .nested(let column):
                if !column.isOpen { reads += try column.open(group) }
            case .inherited(let column):
                if let cursor = column.stored, !cursor.isOpen, let read = try cursor.open(group) {
                    reads.append(read)
                }
            case .constant, .rowPosition: break
            }
        }
        try read(reads)
    }

    private func openLate() throws(ParquetError) {
        if isLateOpen { return }
        try open(late)
        isLateOpen = true
    }

    // MARK: - Steps

    /// The next chunk of rows that pass, never empty; nil when the rows of `begin` are done.
    ///
    /// Long strings in it point into page buffers; dictionary vectors into the row group's dictionaries.
    package func next() throws(ParquetError) -> Chunk? {
        while rangeIndex < ranges.count {
            let range = ranges[rangeIndex]
            if row >= range.upperBound {
                rangeIndex += 1
                if rangeIndex < ranges.count { row = max(row, ranges[rangeIndex].lowerBound) }
                continue
            }
            if let chunk = try step(min(options.stepRows, Chunk.capacity, range.upperBound - row)) {
                return chunk
            }
        }
        return nil
    }

    /// One step of at most `most` rows; nil when none of them passes.
    private func step(_ most: Int) throws(ParquetError) -> Chunk? {
        let start = row
        var count = max(most, 1)
        for index in early {
            if case .flat(let cursor) = columns[index] {
                try cursor.advance(to: start)
                count = min(count, cursor.pageEnd - start)
            }
        }
        if isLateOpen {
            // Pages that are at hand cut the step; others are looked for when a row of them is wanted.
            for index in late {
                if let cursor = columns[index].cursor, cursor.pageEnd > start {
                    count = min(count, cursor.pageEnd - start)
                }
            }
        }
        for index in early {
            if case .flat(let cursor) = columns[index] { cursor.prepare(start, count) }
        }
        row = start + count
        try selectionBuffer.ensure((Chunk.capacity + 64) * 4)
        let selection = selectionBuffer.pointer(as: UInt32.self)
        var selected = count
        var isNarrowed = false
        own.rowsConsidered += count
        if let deleted {
            selected = dropDeleted(deleted, start, count, selection)
            isNarrowed = selected < count
            if selected == 0 { return nil }
        }
        for filters in groups {
            let before = selected
            try apply(filters, start, count, selection, &selected, &isNarrowed)
            filters.tested += before
            filters.passed += selected
            if selected == 0 { return nil }
        }
        stepsUntilReorder -= 1
        if stepsUntilReorder == 0 && groups.count > 1 {
            groups.sort { rank($0) > rank($1) }
            stepsUntilReorder = 32
        }
        for filter in rowFilters {
            for (place, index) in filter.columns.enumerated() {
                rowFilterVectors[place] = try rowVector(index, start, count)
            }
            selected = filter.select(
                rowFilterVectors, isNarrowed ? UnsafePointer(selection) : nil, selected,
                into: selection)
            isNarrowed = isNarrowed || selected < count
            if selected == 0 { return nil }
        }
        try openLate()
        for index in late {
            if let cursor = columns[index].cursor {
                try cursor.advance(to: start)
                count = min(count, cursor.pageEnd - start)
            }
        }
        if start + count < row {
            // A page of a late column ends inside of the step: the rows behind wait for the next one.
            row = start + count
            if isNarrowed {
                while selected > 0 && Int(selection[selected - 1]) >= count { selected -= 1 }
            } else {
                selected = count
            }
            if selected == 0 { return nil }
        }
        for index in late {
            columns[index].cursor?.prepare(start, count)
        }
        try materialise(start, count, isNarrowed ? UnsafePointer(selection) : nil, selected)
        own.rowsPassed += selected
        return chunk
    }

    /// How early a group should be asked: what it drops for what it costs.
    private func rank(_ filters: FilterGroup) -> Double {
        let cost: Double =
            switch definitions[filters.column].type.physical {
            case .string: 4
            case .int128: 1.5
            default: 1
            }
        return (1.0001 - filters.passRate) / cost
    }

    /// Selects the rows that are not deleted.
    private func dropDeleted(
        _ deleted: DeletedPositions, _ start: Int, _ count: Int,
        _ selection: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let first = Int64(group.firstRow + start)
        var index = deleted.firstIndex(atLeast: first)
        guard index < deleted.sorted.count, deleted.sorted[index] < first + Int64(count) else {
            return count
        }
        var kept = 0
        for offset in 0..<count {
            if index < deleted.sorted.count && deleted.sorted[index] == first + Int64(offset) {
                index += 1
            } else {
                selection[kept] = UInt32(truncatingIfNeeded: offset)
                kept += 1
            }
        }
        return kept
    }

    private func apply(
        _ filters: FilterGroup, _ start: Int, _ count: Int,
        _ selection: UnsafeMutablePointer<UInt32>,
        _ selected: inout Int, _ isNarrowed: inout Bool
    ) throws(ParquetError) {
        let given = isNarrowed ? UnsafePointer(selection) : nil
        if case .constant = columns[filters.column] { return }
        if case .flat(let cursor) = columns[filters.column], options.filtersOnDictionaries,
            filters.isDictionaryCapable, try cursor.stepIsDictionary()
        {
            let verdict = try filters.ask(cursor)
            if verdict == .allPass && (filters.passesNull || !cursor.pageCanHaveNulls) { return }
            if verdict == .nonePass && !(filters.passesNull && cursor.pageCanHaveNulls) {
                selected = 0
                isNarrowed = true
                // No row of the page passes: go on behind it.
                row = min(max(row, cursor.pageEnd), ranges[rangeIndex].upperBound)
                return
            }
            let (codes, valid) = try cursor.codes()
            selected = filters.narrow(codes, valid, given, selected, into: selection)
        } else {
            let vector = try rowVector(filters.column, start, count)
            var given = given
            for filter in filters.filters where selected > 0 {
                selected = filter.select(vector, given, selected, into: selection)
                if selected < count { given = UnsafePointer(selection) }
            }
        }
        if selected < count { isNarrowed = true }
    }

    /// All rows of the step of one column that filters look at.
    private func rowVector(
        _ index: Int, _ start: Int, _ count: Int
    ) throws(ParquetError) -> Vector {
        switch columns[index] {
        case .flat(let cursor): return try cursor.rowVector()
        case .constant(let constant): return constant.vector
        case .rowPosition:
            try positionBuffer.ensure((count + 8) * 8)
            return positions(start, nil, count, positionBuffer)
        case .nested, .inherited: throw .unsupported("a filter on a column without filters")
        }
    }

    private func positions(
        _ start: Int, _ selection: UnsafePointer<UInt32>?, _ count: Int, _ buffer: ScanBuffer
    ) -> Vector {
        let to = buffer.pointer(as: Int64.self)
        let first = Int64(group.firstRow + start)
        if let selection {
            for index in 0..<count { to[index] = first &+ Int64(selection[index]) }
        } else {
            for index in 0..<count { to[index] = first &+ Int64(index) }
        }
        return Vector(physical: .int64, values: buffer.start)
    }

    private func materialise(
        _ start: Int, _ count: Int, _ selection: UnsafePointer<UInt32>?, _ selected: Int
    ) throws(ParquetError) {
        for (place, index) in outputs.enumerated() {
            switch columns[index] {
            case .flat(let cursor):
                chunk.columns[place] = try cursor.materialise(
                    selection, selected, into: slots[place])
            case .nested(let column):
                chunk.columns[place] = try column.materialise(start, count, selection, selected)
            case .inherited(let column):
                chunk.columns[place] = try column.materialise(
                    group.firstRow + start, selection, selected, into: slots[place])
            case .constant(let constant): chunk.columns[place] = constant.vector
            case .rowPosition:
                try slots[place].values.ensure((selected + 8) * 8)
                chunk.columns[place] = positions(start, selection, selected, slots[place].values)
            }
        }
        chunk.count = selected
        chunk.selection = nil
        chunk.selectedCount = 0
    }
}
