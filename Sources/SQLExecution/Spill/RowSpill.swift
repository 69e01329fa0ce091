import Compression
import SQLFunctions
import Vectors

/// Where a row has pointers: what must be written behind its fixed bytes, and set right when read.
struct RowShape: Sendable {
    var width: Int
    /// Offsets of string views.
    var views: [Int]
    /// Offsets of lists of records (head, tail, count), and the shape of the records.
    var lists: [ListShape] = []

    struct ListShape: Sendable {
        var offset: Int
        var element: RecordShape
    }

    /// Records of a list: `[next 8][fields]`, with views at these offsets.
    struct RecordShape: Sendable {
        var width: Int
        var views: [Int]
    }
}

/// The list of records that an aggregate's state keeps.
struct RecordList: BitwiseCopyable {
    var head: UnsafeMutableRawPointer?
    var tail: UnsafeMutableRawPointer?
    var count: Int
}

/// Writes rows to a spill file in blocks.
final class RowWriter {
    let file: SpillFile
    private let shape: RowShape
    private var block: [UInt8] = []
    private var rows = 0
    private let compressor = Compressor()

    init(_ file: SpillFile, _ shape: RowShape) {
        self.file = file
        self.shape = shape
        block.reserveCapacity(Limits.spillBlockBytes + 4096)
    }

    func write(_ row: UnsafeMutableRawPointer) throws(QueryFault) {
        block.append(contentsOf: UnsafeRawBufferPointer(start: row, count: shape.width))
        for offset in shape.views { append(row.load(fromByteOffset: offset, as: StringView.self)) }
        for list in shape.lists {
            let records = row.load(fromByteOffset: list.offset, as: RecordList.self)
            var record = records.head
            while let current = record {
                block.append(
                    contentsOf: UnsafeRawBufferPointer(start: current, count: list.element.width))
                for offset in list.element.views {
                    append(current.load(fromByteOffset: offset, as: StringView.self))
                }
                record = current.load(as: UnsafeMutableRawPointer?.self)
            }
        }
        rows += 1
        if block.count >= Limits.spillBlockBytes { try flush() }
    }

    /// Long strings follow; short ones are in their view.
    private func append(_ view: StringView) {
        if view.isInline { return }
        block.append(contentsOf: UnsafeRawBufferPointer(start: view.pointer, count: view.count))
    }

    func flush() throws(QueryFault) {
        try file.append(block, rows: rows, compressor)
        block.removeAll(keepingCapacity: true)
        rows = 0
    }
}

/// Reads spilled rows back into partitioned rows.
final class RowReader {
    private let file: SpillFile
    private let shape: RowShape
    private var offset: Int64 = 0
    private var block: [UInt8] = []
    private let decompressor = Decompressor()

    init(_ file: SpillFile, _ shape: RowShape) {
        self.file = file
        self.shape = shape
    }

    func rewind() { offset = 0 }

    /// Reads the next block, keeping rows that `wanted` (asked with the header) lets through, in
    /// partition `partition` of `store`; calls `body` with each. False at the end.
    func readBlock(
        into store: PartitionedRows, partition: Int, wanted: (UInt64) -> Bool,
        _ body: (UnsafeMutableRawPointer) throws(QueryFault) -> Void
    ) throws(QueryFault) -> Bool {
        guard let next = try file.read(at: offset, into: &block, decompressor) else { return false }
        offset = next
        try block.withUnsafeBufferPointerTyped { bytes throws(QueryFault) in
            guard var at = bytes.baseAddress.map({ UnsafeRawPointer($0) }) else { return }
            let end = at + bytes.count
            while at < end {
                let start = at
                let isWanted = wanted(start.loadUnaligned(as: UInt64.self))
                at += shape.width
                let row = isWanted ? store.newRow(partition) : nil
                row?.copyMemory(from: start, byteCount: shape.width)
                for offset in shape.views {
                    readView(start + offset, row.map { $0 + offset }, &at, store, partition)
                }
                for list in shape.lists {
                    readList(list, start, row, &at, store, partition)
                }
                if let row { try body(row) }
            }
        }
        return true
    }

    private func readView(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer?,
        _ at: inout UnsafeRawPointer,
        _ store: PartitionedRows, _ partition: Int
    ) {
        let view = source.loadUnaligned(as: StringView.self)
        if view.isInline { return }
        if let target {
            let text = store.newText(partition, view.count)
            text.copyMemory(from: at, byteCount: view.count)
            let moved = StringView(low: view.low, high: UInt64(UInt(bitPattern: text)))
            target.storeBytes(of: moved, as: StringView.self)
        }
        at += view.count
    }

    private func readList(
        _ list: RowShape.ListShape, _ start: UnsafeRawPointer, _ row: UnsafeMutableRawPointer?,
        _ at: inout UnsafeRawPointer, _ store: PartitionedRows, _ partition: Int
    ) {
        var records = (start + list.offset).loadUnaligned(as: RecordList.self)
        records.head = nil
        records.tail = nil
        for _ in 0..<records.count {
            let source = at
            at += list.element.width
            var record: UnsafeMutableRawPointer?
            if row != nil {
                let made = store.newText(partition, list.element.width)
                made.copyMemory(from: source, byteCount: list.element.width)
                made.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
                if let tail = records.tail {
                    tail.storeBytes(of: made, as: UnsafeMutableRawPointer?.self)
                } else {
                    records.head = made
                }
                records.tail = made
                record = made
            }
            for offset in list.element.views {
                readView(source + offset, record.map { $0 + offset }, &at, store, partition)
            }
        }
        row?.storeBytes(of: records, toByteOffset: list.offset, as: RecordList.self)
    }
}
