/// Reads Thrift's compact protocol from bytes that somebody keeps alive during the call.
///
/// Every read is bounded; lists may not claim more elements than there are bytes; what is unknown is
/// skipped, to a limited depth. Source: apache/thrift, doc/specs/thrift-compact-protocol.md.
struct ThriftReader {
    /// The compact protocol's type codes.
    enum Kind: UInt8 {
        case stop = 0, yes, no, byte, int16, int32, int64, double, binary, list, set, map,
            structure, uuid
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    /// Reads a structure: `body` gets each field's id and kind, and must read or skip it.
    mutating func structure(
        _ body: (inout ThriftReader, Int, Kind) throws(ParquetError) -> Void
    ) throws(ParquetError) {
        var id = 0
        while true {
            let head = try readByte()
            if head == 0 { return }
            let kind = try kind(head & 0x0F)
            let delta = Int(head >> 4)
            id = delta == 0 ? Int(Int16(truncatingIfNeeded: try zigzag())) : id &+ delta
            try body(&self, id, kind)
        }
    }

    /// Reads a list, element by element.
    mutating func list(
        _ kind: Kind, _ body: (inout ThriftReader, Kind) throws(ParquetError) -> Void
    ) throws(ParquetError) {
        let (count, element) = try listHeader(kind)
        for _ in 0..<count { try body(&self, element) }
    }

    /// Reads a list's header.
    mutating func listHeader(_ kind: Kind) throws(ParquetError) -> (count: Int, element: Kind) {
        guard kind == .list || kind == .set else { throw wrongKind(kind) }
        let head = try readByte()
        var count = Int(head >> 4)
        if count == 15 {
            let long = try varint()
            guard long <= UInt64(bytes.count) else {
                throw .truncated("a metadata list claims \(long) elements")
            }
            count = Int(long)
        }
        guard count <= bytes.count - offset else {
            throw .truncated("a metadata list claims \(count) elements")
        }
        return (count, try self.kind(head & 0x0F))
    }

    mutating func bool(_ kind: Kind) throws(ParquetError) -> Bool {
        switch kind {
        case .yes: return true
        case .no: return false
        default: throw wrongKind(kind)
        }
    }

    /// A boolean as a list holds it: one byte.
    mutating func boolElement() throws(ParquetError) -> Bool { try readByte() == 1 }

    mutating func int64(_ kind: Kind) throws(ParquetError) -> Int64 {
        switch kind {
        case .byte: return Int64(Int8(bitPattern: try readByte()))
        case .int16, .int32, .int64: return try zigzag()
        default: throw wrongKind(kind)
        }
    }

    mutating func int(_ kind: Kind) throws(ParquetError) -> Int {
        guard let value = Int32(exactly: try int64(kind)) else {
            throw .corrupted("a metadata number is out of range")
        }
        return Int(value)
    }

    /// A number that counts something, hence not negative.
    mutating func count(_ kind: Kind) throws(ParquetError) -> Int {
        let value = try int64(kind)
        guard value >= 0, value < 1 << 56 else {
            throw .corrupted("a metadata count is out of range: \(value)")
        }
        return Int(value)
    }

    mutating func binary(_ kind: Kind) throws(ParquetError) -> [UInt8] {
        guard kind == .binary else { throw wrongKind(kind) }
        let length = try varint()
        guard length <= UInt64(bytes.count - offset) else {
            throw .truncated("a metadata text claims \(length) bytes")
        }
        let count = Int(length)
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    mutating func text(_ kind: Kind) throws(ParquetError) -> String {
        String(decoding: try binary(kind), as: UTF8.self)
    }

    /// Moves past a value of the kind.
    mutating func skip(_ kind: Kind, depth: Int = 0) throws(ParquetError) {
        guard depth < ParquetLimits.depth else {
            throw .corrupted("metadata is nested more than \(ParquetLimits.depth) deep")
        }
        switch kind {
        case .stop, .yes, .no: break
        case .byte: try advance(1)
        case .int16, .int32, .int64: _ = try varint()
        case .double: try advance(8)
        case .uuid: try advance(16)
        case .binary:
            let length = try varint()
            guard length <= UInt64(bytes.count - offset) else {
                throw .truncated("a metadata text claims \(length) bytes")
            }
            offset += Int(length)
        case .list, .set:
            let (count, element) = try listHeader(kind)
            let isBool = element == .yes || element == .no
            for _ in 0..<count {
                if isBool { try advance(1) } else { try skip(element, depth: depth + 1) }
            }
        case .map:
            let count = try varint()
            guard count <= UInt64(bytes.count - offset) else {
                throw .truncated("a metadata map claims \(count) entries")
            }
            if count == 0 { return }
            let kinds = try readByte()
            let keyKind = try self.kind(kinds >> 4)
            let valueKind = try self.kind(kinds & 0x0F)
            for _ in 0..<count {
                try skip(keyKind, depth: depth + 1)
                try skip(valueKind, depth: depth + 1)
            }
        case .structure:
            while true {
                let head = try readByte()
                if head == 0 { return }
                if head >> 4 == 0 { _ = try varint() }
                try skip(try self.kind(head & 0x0F), depth: depth + 1)
            }
        }
    }

    // MARK: - Primitives

    private func kind(_ code: UInt8) throws(ParquetError) -> Kind {
        guard let kind = Kind(rawValue: code) else {
            throw .corrupted("metadata has an unknown type code: \(code)")
        }
        return kind
    }

    private func wrongKind(_ kind: Kind) -> ParquetError {
        .corrupted("a metadata field has the wrong type: \(kind)")
    }

    private mutating func advance(_ count: Int) throws(ParquetError) {
        guard count <= bytes.count - offset else { throw .truncated("metadata ends too early") }
        offset += count
    }

    private mutating func readByte() throws(ParquetError) -> UInt8 {
        guard offset < bytes.count else { throw .truncated("metadata ends too early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func varint() throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let byte = try readByte()
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .corrupted("a metadata number has too many bytes")
    }

    private mutating func zigzag() throws(ParquetError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
