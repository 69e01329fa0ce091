/// Writes a document element by element.
package struct XMLWriter: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8]
    private var open: [String] = []

    /// Starts with the XML declaration.
    package init() {
        bytes = Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8)
    }

    /// Writes an element around what `content` writes.
    package mutating func element(
        _ name: String, attributes: [(String, String)] = [], _ content: (inout XMLWriter) -> Void
    ) {
        begin(name, attributes: attributes)
        content(&self)
        end()
    }

    /// Writes an element with text.
    package mutating func element(_ name: String, _ text: String) {
        begin(name)
        escape(text)
        end()
    }

    /// Writes an element with text between quotation marks, as entity tags are.
    package mutating func element(_ name: String, quoted text: String) {
        begin(name)
        bytes += "&quot;".utf8
        escape(text)
        bytes += "&quot;".utf8
        end()
    }

    /// Writes an element with text unless there is none.
    package mutating func element(_ name: String, _ text: String?) {
        if let text { element(name, text) }
    }

    package mutating func element(_ name: String, _ number: Int) { element(name, String(number)) }
    package mutating func element(_ name: String, _ number: Int64) { element(name, String(number)) }
    package mutating func element(_ name: String, _ flag: Bool) {
        element(name, flag ? "true" : "false")
    }

    /// Opens an element, to be closed by `end`.
    package mutating func begin(_ name: String, attributes: [(String, String)] = []) {
        bytes.append(UInt8(ascii: "<"))
        bytes += name.utf8
        for (attribute, value) in attributes {
            bytes.append(UInt8(ascii: " "))
            bytes += attribute.utf8
            bytes += "=\"".utf8
            escape(value)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
        open.append(name)
    }

    /// Writes character data into the open element.
    package mutating func text(_ text: String) { escape(text) }

    /// Closes the element that was opened last.
    package mutating func end() {
        guard let name = open.popLast() else { return }
        bytes += "</".utf8
        bytes += name.utf8
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func escape(_ text: String) {
        // Most texts hold nothing to escape and are copied whole.
        guard text.utf8.contains(where: Self.isEscaped) else {
            bytes += text.utf8
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            // Also where XML 1.0 has no form for them: S3 does so too, and clients that meet such
            // keys ask for `encoding-type=url`.
            case 0..<0x09, 0x0B..<0x20: bytes += "&#x\(String(byte, radix: 16));".utf8
            default: bytes.append(byte)
            }
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""): true
        case 0x09, 0x0A: false
        default: byte < 0x20
        }
    }
}
