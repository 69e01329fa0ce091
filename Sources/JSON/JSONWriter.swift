import Bytes

/// Writes JSON straight into bytes: commas and nesting are kept, no tree is built.
///
///     var writer = JSONWriter()
///     writer.beginObject(); writer.member("id"); writer.int(7); writer.endObject()
package struct JSONWriter: Sendable {
    /// How the text looks.
    package enum Style: Sendable { case compact, pretty }

    /// What was written so far; a text once the outermost value is closed.
    package var bytes: [UInt8]
    private let style: Style
    private var needsComma = false
    private var depth = 0
    /// Set between a member's name and its value, where neither comma nor line break belongs.
    private var isAfterName = false

    package init(style: Style = .compact, capacity: Int = 0) {
        self.style = style
        bytes = []
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// The name of the next member.
    package mutating func member(_ name: String) {
        separate()
        appendJSONString(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        if style == .pretty { bytes.append(0x20) }
        isAfterName = true
    }

    package mutating func null() { literal("null") }
    package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    /// A whole number, with the comma that its place needs.
    package mutating func int(_ value: Int64) {
        separate()
        appendDecimalDigits(of: value, to: &bytes)
        needsComma = true
    }

    package mutating func int(_ value: Int) { int(Int64(value)) }

    /// A finite double in its shortest form; NaN and infinities become null.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        raw(shortestText(value))
    }

    /// A string, escaped as RFC 8259 section 7 asks, with the comma that its place needs.
    package mutating func string(_ value: String) {
        separate()
        appendJSONString(value, to: &bytes)
        needsComma = true
    }

    /// A string given as UTF-8, as vectors hold it; broken sequences become U+FFFD.
    package mutating func string(utf8 value: UnsafeBufferPointer<UInt8>) {
        separate()
        appendJSONString(utf8: value, to: &bytes)
        needsComma = true
    }

    /// A text that is JSON already: a number, or a value encoded before.
    package mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    package mutating func raw(_ text: [UInt8]) {
        separate()
        bytes.append(contentsOf: text)
        needsComma = true
    }

    package mutating func member(_ name: String, _ value: String) {
        member(name)
        string(value)
    }
    package mutating func member(_ name: String, _ value: Int64) {
        member(name)
        int(value)
    }
    package mutating func member(_ name: String, _ value: Bool) {
        member(name)
        bool(value)
    }

    /// A whole tree.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .number(let number): raw(number.text)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for entry in object.members {
                member(entry.name)
                self.value(entry.value)
            }
            endObject()
        }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if style == .pretty, needsComma { breakLine() }
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if isAfterName {
            isAfterName = false
            return
        }
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if style == .pretty, depth > 0 { breakLine() }
        needsComma = false
    }

    private mutating func breakLine() {
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: depth * 2))
    }
}

/// Appends a text in quotes with the escapes that RFC 8259 demands.
package func appendJSONString(_ text: String, to bytes: inout [UInt8]) {
    var copy = text
    copy.withUTF8 { appendJSONEscaped($0, to: &bytes) }
}

/// Appends UTF-8 in quotes; sequences that are no UTF-8 become U+FFFD.
package func appendJSONString(utf8 text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    if text.allSatisfy({ $0 < 0x80 }) || String(validating: text, as: UTF8.self) != nil {
        appendJSONEscaped(text, to: &bytes)
    } else {
        appendJSONString(String(decoding: text, as: UTF8.self), to: &bytes)
    }
}

private func appendJSONEscaped(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    var at = 0
    while at < text.count {
        let byte = text[at]
        if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            at &+= 1
            continue
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<at]))
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(contentsOf: hexText([byte]).utf8)
        }
        at &+= 1
        start = at
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<at]))
    bytes.append(UInt8(ascii: "\""))
}
