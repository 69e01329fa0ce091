/// A document of XML read token by token, without a tree: a sheet may have millions of cells.
///
/// Names come without their prefix. Declarations of document types are refused, so that nothing outside
/// of the document is asked for and no entity grows.
struct XMLTokens {
    enum Token: Equatable {
        /// An element begins; `isEmpty` ones have no end of their own.
        case open(String, isEmpty: Bool)
        case close(String)
        case text(String)
    }

    /// The attributes of the element that began last, by names without prefix.
    private(set) var attributes: [(name: String, value: String)] = []
    private let bytes: [UInt8]
    private let name: String
    private var at = 0

    init(_ bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// An attribute of the element that began last.
    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    /// The next token; nil at the end of the document.
    mutating func next() throws(IngestError) -> Token? {
        while at < bytes.count {
            guard bytes[at] == 0x3C else { return .text(try text(until: 0x3C)) }
            if follows("<!--") {
                try skip(past: "-->")
            } else if follows("<![CDATA[") {
                at += 9
                let start = at
                try skip(past: "]]>")
                return .text(String(decoding: bytes[start..<(at - 3)], as: UTF8.self))
            } else if follows("<?") {
                try skip(past: "?>")
            } else if follows("<!") {
                throw damaged("document types are not read")
            } else if follows("</") {
                at += 2
                let closed = try word()
                skipSpace()
                try expect(0x3E)
                return .close(closed)
            } else {
                at += 1
                return try open()
            }
        }
        return nil
    }

    private mutating func open() throws(IngestError) -> Token {
        let element = try word()
        attributes.removeAll(keepingCapacity: true)
        while true {
            skipSpace()
            guard at < bytes.count else { throw damaged("it ends inside of a tag") }
            if bytes[at] == 0x3E {
                at += 1
                return .open(element, isEmpty: false)
            }
            if bytes[at] == 0x2F {
                at += 1
                try expect(0x3E)
                return .open(element, isEmpty: true)
            }
            let attribute = try word()
            skipSpace()
            try expect(0x3D)
            skipSpace()
            guard at < bytes.count, bytes[at] == 0x22 || bytes[at] == 0x27 else {
                throw damaged("an attribute has no quotes")
            }
            let quote = bytes[at]
            at += 1
            let value = try text(until: quote)
            try expect(quote)
            attributes.append((attribute, value))
        }
    }

    /// A name without its prefix.
    private mutating func word() throws(IngestError) -> String {
        var start = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 0x3A {
                start = at + 1
            } else if byte <= 0x20 || byte == 0x3E || byte == 0x2F || byte == 0x3D {
                break
            }
            at += 1
        }
        guard at > start else { throw damaged("a name is missing") }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    /// Text up to a byte, or to the end, with its entities put in.
    private mutating func text(until end: UInt8) throws(IngestError) -> String {
        let start = at
        var hasEntity = false
        while at < bytes.count, bytes[at] != end {
            hasEntity = hasEntity || bytes[at] == 0x26
            at += 1
        }
        let raw = bytes[start..<at]
        guard hasEntity else { return String(decoding: raw, as: UTF8.self) }
        var result: [UInt8] = []
        var index = raw.startIndex
        while index < raw.endIndex {
            guard raw[index] == 0x26 else {
                result.append(raw[index])
                index += 1
                continue
            }
            guard let semicolon = raw[index...].prefix(12).firstIndex(of: 0x3B) else {
                throw damaged("an entity has no end")
            }
            let entity = String(decoding: raw[(index + 1)..<semicolon], as: UTF8.self)
            result += Array(String(try Self.character(entity, name)).utf8)
            index = semicolon + 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func character(
        _ entity: String, _ name: String
    ) throws(IngestError) -> Character {
        switch entity {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        var number: UInt32?
        if entity.hasPrefix("#x") {
            number = UInt32(entity.dropFirst(2), radix: 16)
        } else if entity.hasPrefix("#") {
            number = UInt32(entity.dropFirst())
        }
        guard let number, let scalar = Unicode.Scalar(number) else {
            throw IngestError(
                .damagedFile, "\(name) cannot be read: it has an unknown entity",
                hint: "save the file again")
        }
        return Character(scalar)
    }

    private mutating func skipSpace() {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(IngestError) {
        guard at < bytes.count, bytes[at] == byte else { throw damaged("a tag is malformed") }
        at += 1
    }

    private func follows(_ text: String) -> Bool {
        bytes[at...].starts(with: text.utf8)
    }

    private mutating func skip(past text: String) throws(IngestError) {
        let wanted = Array(text.utf8)
        while at + wanted.count <= bytes.count {
            if bytes[at] == wanted[0], bytes[at..<(at + wanted.count)].elementsEqual(wanted) {
                at += wanted.count
                return
            }
            at += 1
        }
        throw damaged("it ends inside of \(text)")
    }

    private func damaged(_ what: String) -> IngestError {
        IngestError(
            .damagedFile, "\(name) cannot be read: \(what)", hint: "save the file again")
    }
}
