import Bytes

/// Writes Thrift's compact protocol.
struct ThriftWriter {
    private(set) var buffer = ByteBuffer()
    private var lastField = 0
    private var outer: [Int] = []

    var bytes: [UInt8] { buffer.bytes }

    private mutating func field(_ id: Int, _ kind: ThriftReader.Kind) {
        let delta = id - lastField
        if delta > 0 && delta < 16 {
            buffer.append(UInt8(delta << 4) | kind.rawValue)
        } else {
            buffer.append(kind.rawValue)
            buffer.appendZigZag(Int64(id))
        }
        lastField = id
    }

    mutating func int32(_ id: Int, _ value: Int) {
        field(id, .int32)
        buffer.appendZigZag(Int64(value))
    }

    mutating func int64(_ id: Int, _ value: Int) {
        field(id, .int64)
        buffer.appendZigZag(Int64(value))
    }

    mutating func byte(_ id: Int, _ value: Int) {
        field(id, .byte)
        buffer.append(UInt8(truncatingIfNeeded: value))
    }

    mutating func bool(_ id: Int, _ value: Bool) { field(id, value ? .yes : .no) }

    mutating func binary(_ id: Int, _ value: [UInt8]) {
        field(id, .binary)
        element(value)
    }

    mutating func text(_ id: Int, _ value: String) { binary(id, Array(value.utf8)) }

    mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
        field(id, .structure)
        structureElement(body)
    }

    /// A structure as an element of a list, or at the top.
    mutating func structureElement(_ body: (inout ThriftWriter) -> Void) {
        outer.append(lastField)
        lastField = 0
        body(&self)
        buffer.append(0)
        lastField = outer.removeLast()
    }

    mutating func list(_ id: Int, _ kind: ThriftReader.Kind, count: Int) {
        field(id, .list)
        if count < 15 {
            buffer.append(UInt8(count << 4) | kind.rawValue)
        } else {
            buffer.append(0xF0 | kind.rawValue)
            buffer.appendULEB128(UInt64(count))
        }
    }

    mutating func element(_ value: [UInt8]) {
        buffer.appendULEB128(UInt64(value.count))
        buffer.append(value)
    }

    mutating func element(_ value: Int) { buffer.appendZigZag(Int64(value)) }

    mutating func element(_ value: Bool) { buffer.append(value ? 1 : 2) }
}
