package import Bytes

/// Reads Avro's binary forms from a block.
package struct AvroDecoder: Sendable {
    package private(set) var reader: ByteReader

    package init(_ bytes: [UInt8]) { reader = ByteReader(bytes) }

    package var isAtEnd: Bool { reader.isAtEnd }

    /// One byte, 0 or 1. Throws when it is anything else or the input ends. Avro 1.12, "Primitive
    /// types, binary".
    package mutating func boolean() throws(AvroError) -> Bool {
        try take { r throws(BytesError) in try r.readUInt8() } != 0
    }
    /// A zigzag varint of at most ten bytes. Throws when it is longer or the input ends.
    package mutating func long() throws(AvroError) -> Int64 {
        try take { r throws(BytesError) in try r.readZigZag64() }
    }
    /// A zigzag varint that must fit 32 bits. Throws when it does not or the input ends.
    package mutating func int() throws(AvroError) -> Int32 {
        try take { r throws(BytesError) in try r.readZigZag32() }
    }
    /// Four bytes, little endian IEEE 754. Throws when the input ends.
    package mutating func float() throws(AvroError) -> Float {
        try take { r throws(BytesError) in try r.readFloatLE() }
    }
    /// Eight bytes, little endian IEEE 754. Throws when the input ends.
    package mutating func double() throws(AvroError) -> Double {
        try take { r throws(BytesError) in try r.readDoubleLE() }
    }
    package mutating func bytes() throws(AvroError) -> [UInt8] {
        let count = try length()
        return try take { r throws(BytesError) in try r.readBytes(count) }
    }
    /// A length and so many bytes of UTF-8. Throws when the length passes the input.
    package mutating func string() throws(AvroError) -> String {
        let count = try length()
        return try take { r throws(BytesError) in try r.readUTF8(count) }
    }
    /// Exactly `count` bytes. Throws when the input ends before them.
    package mutating func fixed(_ count: Int) throws(AvroError) -> [UInt8] {
        try take { r throws(BytesError) in try r.readBytes(count) }
    }

    /// The index of a union's branch or an enumeration's symbol, below `count`.
    package mutating func index(below count: Int) throws(AvroError) -> Int {
        let value = try long()
        guard value >= 0, value < Int64(count) else {
            throw AvroError(
                code: .corrupted,
                message: "index \(value) of \(count) choices at offset \(reader.offset)")
        }
        return Int(value)
    }

    /// Calls `body` for every element of an array or map; blocks may say their size in bytes.
    package mutating func elements(
        _ body: (inout AvroDecoder) throws(AvroError) -> Void
    ) throws(AvroError) {
        var emptyCount = 0
        while true {
            var count = try long()
            if count == 0 { return }
            if count < 0 {
                guard count > .min else { throw corrupted("block count") }
                count = -count
                guard try long() >= 0 else { throw corrupted("block size") }
            }
            var left = count
            while left > 0 {
                let before = reader.offset
                try body(&self)
                if reader.offset == before {
                    emptyCount += 1
                    guard emptyCount <= Limits.emptyElements else {
                        throw AvroError(
                            code: .limitExceeded,
                            message: "more than \(Limits.emptyElements) elements without bytes")
                    }
                }
                left -= 1
            }
        }
    }

    /// Steps over a value of the schema.
    package mutating func skip(
        _ schema: AvroSchema, names: AvroNames, depth: Int = 0
    ) throws(AvroError) {
        guard depth < Limits.depth else { throw tooDeep() }
        switch schema.kind {
        case .null: return
        case .boolean: _ = try boolean()
        case .int, .long: _ = try long()
        case .float: try skipBytes(4)
        case .double: try skipBytes(8)
        case .bytes, .string: try skipBytes(try length())
        case .fixed(_, let size): try skipBytes(size)
        case .enumeration(_, let symbols): _ = try index(below: symbols.count)
        case .array(let element):
            try elements { decoder throws(AvroError) in
                try decoder.skip(element, names: names, depth: depth + 1)
            }
        case .map(let value):
            try elements { decoder throws(AvroError) in
                try decoder.skipBytes(try decoder.length())
                try decoder.skip(value, names: names, depth: depth + 1)
            }
        case .union(let branches):
            let branch = branches[try index(below: branches.count)]
            try skip(branch, names: names, depth: depth + 1)
        case .record(_, let fields):
            for field in fields { try skip(field.schema, names: names, depth: depth + 1) }
        case .reference(let name): try skip(try names.schema(name), names: names, depth: depth + 1)
        }
    }

    /// A value of the schema in its generic form.
    package mutating func value(
        _ schema: AvroSchema, names: AvroNames, depth: Int = 0
    ) throws(AvroError) -> AvroValue {
        guard depth < Limits.depth else { throw tooDeep() }
        switch schema.kind {
        case .null: return .null
        case .boolean: return .boolean(try boolean())
        case .int: return .int(try int())
        case .long: return .long(try long())
        case .float: return .float(try float())
        case .double: return .double(try double())
        case .bytes: return .bytes(try bytes())
        case .string: return .string(try string())
        case .fixed(_, let size): return .fixed(try fixed(size))
        case .enumeration(_, let symbols): return .enumeration(try index(below: symbols.count))
        case .array(let element):
            var values: [AvroValue] = []
            try elements { decoder throws(AvroError) in
                values.append(try decoder.value(element, names: names, depth: depth + 1))
            }
            return .array(values)
        case .map(let element):
            var entries: [AvroValue.Entry] = []
            try elements { decoder throws(AvroError) in
                let key = try decoder.string()
                entries.append(
                    .init(
                        key: key, value: try decoder.value(element, names: names, depth: depth + 1))
                )
            }
            return .map(entries)
        case .union(let branches):
            let branch = try index(below: branches.count)
            return .union(branch, try value(branches[branch], names: names, depth: depth + 1))
        case .record(_, let fields):
            var values: [AvroValue] = []
            values.reserveCapacity(fields.count)
            for field in fields {
                values.append(try value(field.schema, names: names, depth: depth + 1))
            }
            return .record(values)
        case .reference(let name):
            return try value(try names.schema(name), names: names, depth: depth + 1)
        }
    }

    private mutating func length() throws(AvroError) -> Int {
        let value = try long()
        guard value >= 0, value <= Int64(reader.remaining) else {
            throw corrupted("length \(value)")
        }
        return Int(value)
    }

    private mutating func skipBytes(_ count: Int) throws(AvroError) {
        try take { r throws(BytesError) in try r.skip(count) }
    }

    private func corrupted(_ what: String) -> AvroError {
        AvroError(code: .corrupted, message: "impossible \(what) at offset \(reader.offset)")
    }

    private func tooDeep() -> AvroError {
        AvroError(code: .limitExceeded, message: "a value nests deeper than \(Limits.depth)")
    }

    @inline(__always)
    private mutating func take<Value>(
        _ body: (inout ByteReader) throws(BytesError) -> Value
    ) throws(AvroError) -> Value {
        do throws(BytesError) { return try body(&reader) } catch { throw AvroError(error) }
    }
}

/// The named types of a schema, for references.
package struct AvroNames: Sendable {
    private var schemas: [String: AvroSchema] = [:]

    package init(_ schema: AvroSchema) { collect(schema) }

    /// The type that was declared under `name`. Throws for a name that no enclosing schema
    /// declares.
    package func schema(_ name: String) throws(AvroError) -> AvroSchema {
        guard let schema = schemas[name] else {
            throw AvroError(code: .invalidSchema, message: "unknown type: \(name)")
        }
        return schema
    }

    private mutating func collect(_ schema: AvroSchema) {
        switch schema.kind {
        case .array(let inner), .map(let inner): collect(inner)
        case .union(let branches): branches.forEach { collect($0) }
        case .enumeration(let name, _), .fixed(let name, _): schemas[name] = schema
        case .record(let name, let fields):
            schemas[name] = schema
            fields.forEach { collect($0.schema) }
        default: return
        }
    }
}
