package import Bytes

/// Writes Avro's binary forms.
package struct AvroEncoder: Sendable {
    package var buffer = ByteBuffer()

    package init() {}

    package mutating func boolean(_ value: Bool) { buffer.append(value ? 1 : 0) }
    package mutating func long(_ value: Int64) { buffer.appendZigZag(value) }
    package mutating func int(_ value: Int32) { buffer.appendZigZag(Int64(value)) }
    package mutating func float(_ value: Float) { buffer.appendFloatLE(value) }
    package mutating func double(_ value: Double) { buffer.appendDoubleLE(value) }
    package mutating func bytes(_ value: [UInt8]) {
        long(Int64(value.count))
        buffer.append(value)
    }
    /// The length in bytes as a long, then the UTF-8 bytes.
    package mutating func string(_ value: String) {
        long(Int64(value.utf8.count))
        buffer.append(value)
    }
    package mutating func fixed(_ value: [UInt8]) { buffer.append(value) }

    /// An array or a map in one block.
    package mutating func elements<Element>(
        _ elements: some Collection<Element>, _ body: (inout AvroEncoder, Element) -> Void
    ) {
        if !elements.isEmpty {
            long(Int64(elements.count))
            for element in elements { body(&self, element) }
        }
        long(0)
    }

    /// A union of null and one other type, null first.
    package mutating func optional<Value>(
        _ value: Value?, _ body: (inout AvroEncoder, Value) -> Void
    ) {
        guard let value else { return long(0) }
        long(1)
        body(&self, value)
    }

    /// A generic value; throws `.valueMismatch` where it does not fit the schema.
    package mutating func value(
        _ value: AvroValue, _ schema: AvroSchema, names: AvroNames
    ) throws(AvroError) {
        switch (schema.kind, value) {
        case (.null, .null): return
        case (.boolean, .boolean(let flag)): boolean(flag)
        case (.int, .int(let number)): int(number)
        case (.long, .long(let number)): long(number)
        case (.float, .float(let number)): float(number)
        case (.double, .double(let number)): double(number)
        case (.bytes, .bytes(let raw)): bytes(raw)
        case (.string, .string(let text)): string(text)
        case (.fixed(_, let size), .fixed(let raw)) where raw.count == size: fixed(raw)
        case (.enumeration(_, let symbols), .enumeration(let index)) where symbols.indices ~= index:
            long(Int64(index))
        case (.array(let element), .array(let values)):
            if !values.isEmpty { long(Int64(values.count)) }
            for inner in values { try self.value(inner, element, names: names) }
            long(0)
        case (.map(let element), .map(let entries)):
            if !entries.isEmpty { long(Int64(entries.count)) }
            for entry in entries {
                string(entry.key)
                try self.value(entry.value, element, names: names)
            }
            long(0)
        case (.record(_, let fields), .record(let values)) where fields.count == values.count:
            for (field, inner) in zip(fields, values) {
                try self.value(inner, field.schema, names: names)
            }
        case (.union(let branches), .union(let index, let inner)) where branches.indices ~= index:
            long(Int64(index))
            try self.value(inner, branches[index], names: names)
        case (.reference(let name), _): try self.value(value, try names.schema(name), names: names)
        default:
            throw AvroError(code: .valueMismatch, message: "a value does not fit its Avro schema")
        }
    }
}
