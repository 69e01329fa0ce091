import SQLPlanning
import Vectors

/// A literal as a constant vector, with the memory it needs.
final class ConstantStore {
    private let buffer: ColumnBuffer
    private var texts: [UnsafeMutableRawPointer] = []
    let vector: Vector

    init(_ value: LiteralValue, _ type: LogicalType) {
        let buffer = ColumnBuffer(type, capacity: 1)
        var texts: [UnsafeMutableRawPointer] = []
        buffer.count = 1
        ConstantStore.write(value, to: buffer, row: 0, texts: &texts)
        self.buffer = buffer
        self.texts = texts
        var vector = buffer.vector
        vector.form = .constant
        vector.isStable = false
        self.vector = vector
        if let children = vector.children, vector.physical == .row {
            // The fields of a constant row are constants themselves.
            for index in 0..<type.children.count { children[index].form = .constant }
        }
    }

    deinit { for text in texts { text.deallocate() } }

    /// Writes a literal into a row of a buffer; children are appended.
    static func write(
        _ value: LiteralValue, to buffer: ColumnBuffer, row: Int,
        texts: inout [UnsafeMutableRawPointer]
    ) {
        switch value {
        case .null: buffer.setNull(row)
        case .boolean(let flag): buffer.store(byte(flag), row)
        case .integer(let number):
            switch buffer.physical {
            case .bool: buffer.store(byte(number != 0), row)
            case .int32: buffer.store(Int32(truncatingIfNeeded: number), row)
            case .int128: buffer.store(Int128(number), row)
            case .double: buffer.store(Double(number), row)
            default: buffer.store(number, row)
            }
        case .wide(let number):
            if buffer.physical == .int64 {
                buffer.store(Int64(truncatingIfNeeded: number), row)
            } else {
                buffer.store(number, row)
            }
        case .double(let bits): buffer.store(bits, row)
        case .bytes(let bytes):
            if bytes.count <= 12 {
                bytes.withUnsafeBufferPointer { raw in
                    buffer.store(
                        raw.baseAddress.map { StringView($0, count: raw.count) } ?? .empty, row)
                }
            } else {
                let memory = allocateBuffer(byteCount: bytes.count)
                bytes.withUnsafeBytes {
                    memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count)
                }
                texts.append(memory)
                buffer.store(
                    StringView(memory.assumingMemoryBound(to: UInt8.self), count: bytes.count), row)
            }
        case .list(let elements):
            let child = buffer.childBuffers[0]
            let start = child.count
            child.ensure(start + elements.count)
            child.count = start + elements.count
            for (index, element) in elements.enumerated() {
                write(element, to: child, row: start + index, texts: &texts)
            }
            buffer.store(ListEntry(offset: UInt32(start), count: UInt32(elements.count)), row)
        case .map(let keys, let values):
            let start = buffer.childBuffers[0].count
            let count = min(keys.count, values.count)
            for (child, elements) in zip(buffer.childBuffers, [keys, values]) {
                child.ensure(start + count)
                child.count = start + count
                for index in 0..<count {
                    write(elements[index], to: child, row: start + index, texts: &texts)
                }
            }
            buffer.store(ListEntry(offset: UInt32(start), count: UInt32(count)), row)
        case .row(let fields):
            for (child, field) in zip(buffer.childBuffers, fields) {
                child.ensure(row + 1)
                child.count = max(child.count, row + 1)
                write(field, to: child, row: row, texts: &texts)
            }
        }
    }
}

/// Reads one value of a vector as a literal: for folding, statistics, cold code.
func literal(of vector: Vector, row: Int, type: LogicalType) -> LiteralValue {
    guard vector.isValid(row) else { return .null }
    let index = vector.valueIndex(row)
    switch type.physical {
    case .bool: return .boolean(vector.pointer(as: UInt8.self)[index] != 0)
    case .int32: return .integer(Int64(vector.pointer(as: Int32.self)[index]))
    case .int64: return .integer(vector.pointer(as: Int64.self)[index])
    case .double: return .double(bits: vector.pointer(as: UInt64.self)[index])
    case .int128: return .wide(wideValue(vector, index))
    case .string:
        return vector.pointer(as: StringView.self)[index].withBytes { .bytes([UInt8]($0)) }
    case .list:
        let entry = vector.pointer(as: ListEntry.self)[index]
        guard let children = vector.children else { return .list([]) }
        let range = Int(entry.offset)..<(Int(entry.offset) + Int(entry.count))
        if case .map(let key, let value) = type {
            return .map(
                range.map { literal(of: children[0], row: $0, type: key) },
                range.map { literal(of: children[1], row: $0, type: value) })
        }
        let element = type.children.first ?? .unknown
        return .list(range.map { literal(of: children[0], row: $0, type: element) })
    case .row:
        guard let children = vector.children else { return .row([]) }
        return .row(
            type.children.enumerated().map {
                literal(of: children[$0.offset], row: index, type: $0.element)
            })
    }
}
