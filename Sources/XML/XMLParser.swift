/// Reads a document from its first byte to its last; the stack of open elements is an array.
struct XMLParser {
    private let bytes: [UInt8]
    private let depthLimit: Int
    private let elementLimit: Int
    private var at = 0
    private var elementCount = 0

    init(bytes: [UInt8], depthLimit: Int, elementLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
        self.elementLimit = elementLimit
    }

    private struct Open {
        var element: XMLElement
        var qualifiedName: ArraySlice<UInt8>
        var text: [UInt8] = []
    }

    mutating func document() throws(XMLError) -> XMLElement {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        var stack: [Open] = []
        var root: XMLElement?
        while at < bytes.count {
            if bytes[at] != UInt8(ascii: "<") {
                try characters(into: &stack)
            } else if follows("<!--") {
                try skip(past: "-->")
            } else if follows("<![CDATA[") {
                guard let top = stack.indices.last else {
                    throw malformed("text outside of the root")
                }
                stack[top].text += try cdata()
            } else if follows("<!") {
                throw XMLError(
                    code: .unsupported, message: "document type declarations are not read")
            } else if follows("<?") {
                try skip(past: "?>")
            } else if follows("</") {
                let closed = try endTag(&stack)
                if let top = stack.indices.last {
                    stack[top].element.children.append(closed)
                } else {
                    root = closed
                }
            } else {
                guard root == nil else { throw malformed("a second root element") }
                guard stack.count < depthLimit else {
                    throw XMLError(
                        code: .limitExceeded,
                        message: "elements are nested deeper than \(depthLimit)")
                }
                elementCount += 1
                guard elementCount <= elementLimit else {
                    throw XMLError(
                        code: .limitExceeded, message: "more than \(elementLimit) elements")
                }
                let (opened, isEmpty) = try startTag()
                if !isEmpty {
                    stack.append(opened)
                } else if let top = stack.indices.last {
                    stack[top].element.children.append(opened.element)
                } else {
                    root = opened.element
                }
            }
        }
        guard stack.isEmpty else { throw malformed("the document ends inside an element") }
        guard let root else { throw malformed("no root element") }
        return root
    }

    private mutating func characters(into stack: inout [Open]) throws(XMLError) {
        guard let top = stack.indices.last else {
            guard isSpace(bytes[at]) else { throw malformed("text outside of the root") }
            at += 1
            return
        }
        while at < bytes.count, bytes[at] != UInt8(ascii: "<") {
            if bytes[at] == UInt8(ascii: "&") {
                try reference(into: &stack[top].text)
            } else {
                stack[top].text.append(bytes[at])
                at += 1
            }
        }
    }

    /// Reads `&name;` or `&#number;`.
    private mutating func reference(into text: inout [UInt8]) throws(XMLError) {
        let start = at + 1
        guard let end = bytes[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw malformed("a reference without its semicolon")
        }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        switch name {
        case "amp": text.append(UInt8(ascii: "&"))
        case "lt": text.append(UInt8(ascii: "<"))
        case "gt": text.append(UInt8(ascii: ">"))
        case "quot": text.append(UInt8(ascii: "\""))
        case "apos": text.append(UInt8(ascii: "'"))
        default:
            let number: UInt32? =
                name.hasPrefix("#x")
                ? UInt32(name.dropFirst(2), radix: 16)
                : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            // The integer's own reader would take a sign.
            guard !name.contains("+"), !name.contains("-"),
                let scalar = number.flatMap(Unicode.Scalar.init), scalar.value != 0
            else {
                throw malformed("an unknown reference")
            }
            text += Array(String(Character(scalar)).utf8)
        }
        at = end + 1
    }

    private mutating func cdata() throws(XMLError) -> [UInt8] {
        let start = at + 9
        try skip(past: "]]>")
        return Array(bytes[start..<(at - 3)])
    }

    private mutating func endTag(_ stack: inout [Open]) throws(XMLError) -> XMLElement {
        at += 2
        let name = try qualifiedName()
        skipSpace()
        guard take(UInt8(ascii: ">")), var open = stack.popLast(), open.qualifiedName == name else {
            throw malformed("an end tag that closes nothing")
        }
        open.element.text = try utf8(open.text[...])
        return open.element
    }

    private mutating func startTag() throws(XMLError) -> (Open, isEmpty: Bool) {
        at += 1
        let name = try qualifiedName()
        var element = XMLElement(name: try localName(name))
        while true {
            let hadSpace = skipSpace()
            if take(UInt8(ascii: ">")) {
                return (Open(element: element, qualifiedName: name), false)
            }
            if follows("/>") {
                at += 2
                return (Open(element: element, qualifiedName: name), true)
            }
            guard hadSpace else { throw malformed("a broken start tag") }
            let attribute = try qualifiedName()
            skipSpace()
            guard take(UInt8(ascii: "=")) else { throw malformed("an attribute without a value") }
            skipSpace()
            let value = try attributeValue()
            let isNamespace =
                attribute.elementsEqual("xmlns".utf8)
                || attribute.starts(with: Array("xmlns:".utf8))
            let local = try localName(attribute)
            // `x:xmlns` has no meaning of its own, and without its prefix it would get one.
            if !isNamespace, local != "xmlns" { element.attributes[local] = value }
        }
    }

    private mutating func attributeValue() throws(XMLError) -> String {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'")
        else {
            throw malformed("an attribute without quotes")
        }
        let quote = bytes[at]
        at += 1
        var value: [UInt8] = []
        while at < bytes.count, bytes[at] != quote {
            if bytes[at] == UInt8(ascii: "<") { throw malformed("`<` in an attribute") }
            if bytes[at] == UInt8(ascii: "&") {
                try reference(into: &value)
            } else {
                value.append(bytes[at])
                at += 1
            }
        }
        guard take(quote) else { throw malformed("an attribute that does not end") }
        return try utf8(value[...])
    }

    private mutating func qualifiedName() throws(XMLError) -> ArraySlice<UInt8> {
        let start = at
        while at < bytes.count, isName(bytes[at]) { at += 1 }
        guard at > start, bytes[start] != UInt8(ascii: ":"), !isNameContinuation(bytes[start])
        else {
            throw malformed("a name is missing")
        }
        return bytes[start..<at]
    }

    private func localName(_ name: ArraySlice<UInt8>) throws(XMLError) -> String {
        guard let colon = name.lastIndex(of: UInt8(ascii: ":")) else { return try utf8(name) }
        guard colon + 1 < name.endIndex else { throw malformed("a name that ends in a colon") }
        guard !isNameContinuation(name[colon + 1]) else {
            throw malformed("no name begins so after its prefix")
        }
        return try utf8(name[(colon + 1)...])
    }

    private func utf8(_ slice: ArraySlice<UInt8>) throws(XMLError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw malformed("text that is not UTF-8")
        }
        // XML 1.0 has no form for it, so it could not be answered either.
        guard !slice.contains(0) else { throw malformed("a NUL") }
        return text
    }

    private mutating func skip(past end: StaticString) throws(XMLError) {
        while at < bytes.count {
            if follows(end) {
                at += end.utf8CodeUnitCount
                return
            }
            at += 1
        }
        throw malformed("a section that does not end")
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = at
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        return at > start
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private func follows(_ text: StaticString) -> Bool {
        guard bytes.count - at >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount
        where bytes[at + index] != text.utf8Start[index] { return false }
        return true
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private func isName(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte == UInt8(ascii: "_") || byte >= 0x80
            || byte == UInt8(ascii: ":") || isNameContinuation(byte)
    }

    private func isNameContinuation(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private func malformed(_ what: String) -> XMLError {
        XMLError(code: .malformed, message: "\(what) at byte \(at)")
    }
}
