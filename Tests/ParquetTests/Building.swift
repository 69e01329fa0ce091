import Parquet
import Vectors

/// A value to put into a vector.
indirect enum Cell: Hashable {
    case null
    case value(ParquetValue)
    case list([Cell])
    case map([(Cell, Cell)])
    case row([Cell])

    static func == (left: Cell, right: Cell) -> Bool { "\(left)" == "\(right)" }
    func hash(into hasher: inout Hasher) { hasher.combine("\(self)") }
}

/// Memory of vectors, kept until dropped.
final class VectorBuilder {
    private var buffers: [UnsafeMutableRawPointer] = []

    deinit { for buffer in buffers { buffer.deallocate() } }

    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let buffer = allocateBuffer(byteCount: max(byteCount, 64))
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 64))
        buffers.append(buffer)
        return buffer
    }

    func vector(_ cells: [Cell], _ type: LogicalType) -> Vector {
        let values = allocate(cells.count * 16)
        let valid = allocate(ValidityBits.wordCount(cells.count) * 8 + 8)
            .assumingMemoryBound(to: UInt64.self)
        var vector = Vector(physical: type.physical, values: values)
        var hasNull = false
        var children: [[Cell]] = type.children.map { _ in [] }
        for (row, cell) in cells.enumerated() {
            if cell == .null { hasNull = true } else { ValidityBits.set(valid, row) }
            switch cell {
            case .null:
                if case .row = type {
                    for index in children.indices { children[index].append(.null) }
                }
            case .value(.boolean(let flag)):
                values.storeBytes(of: flag ? 1 : 0, toByteOffset: row, as: UInt8.self)
            case .value(.int32(let number)):
                values.storeBytes(of: number, toByteOffset: row * 4, as: Int32.self)
            case .value(.int64(let number)):
                values.storeBytes(of: number, toByteOffset: row * 8, as: Int64.self)
            case .value(.int128(let number)):
                values.storeBytes(of: number, toByteOffset: row * 16, as: Int128.self)
            case .value(.double(let number)):
                values.storeBytes(of: number, toByteOffset: row * 8, as: Double.self)
            case .value(.bytes(let bytes)):
                let heap = allocate(bytes.count).assumingMemoryBound(to: UInt8.self)
                for (index, byte) in bytes.enumerated() { heap[index] = byte }
                values.storeBytes(
                    of: StringView(heap, count: bytes.count), toByteOffset: row * 16,
                    as: StringView.self)
            case .list(let elements):
                values.storeBytes(
                    of: ListEntry(offset: UInt32(children[0].count), count: UInt32(elements.count)),
                    toByteOffset: row * 8, as: ListEntry.self)
                children[0] += elements
            case .map(let pairs):
                values.storeBytes(
                    of: ListEntry(offset: UInt32(children[0].count), count: UInt32(pairs.count)),
                    toByteOffset: row * 8, as: ListEntry.self)
                children[0] += pairs.map(\.0)
                children[1] += pairs.map(\.1)
            case .row(let fields):
                for (index, field) in fields.enumerated() { children[index].append(field) }
            }
        }
        if hasNull { vector.valid = valid }
        if !children.isEmpty {
            let vectors = allocate(children.count * 64).bindMemory(
                to: Vector.self, capacity: children.count)
            for (index, cells) in children.enumerated() {
                vectors[index] = self.vector(cells, type.children[index])
            }
            vector.children = vectors
            vector.entryCount = UInt32(children[0].count)
        }
        return vector
    }

    func chunk(_ columns: [[Cell]], _ types: [LogicalType]) -> Chunk {
        let chunk = Chunk(columnCount: columns.count)
        for (index, cells) in columns.enumerated() {
            chunk.columns[index] = vector(cells, types[index])
        }
        chunk.count = columns.first?.count ?? 0
        return chunk
    }
}

func text(_ string: String) -> Cell { .value(.bytes(Array(string.utf8))) }
