/// Percent escapes of URLs. Source: RFC 3986, section 2.1.
package enum PercentCoding {
    /// Which characters stay as they are.
    package enum Allowed: Sendable {
        /// Letters, digits and `-._~`: for one path segment, a query name or a value (and SigV4).
        case unreserved
        /// The same and `/`: for object keys in paths.
        case path
    }

    /// The text behind the escapes; nil when an escape is broken, or the bytes are no UTF-8 or hold a NUL.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let source = text.utf8
        if !source.contains(where: { $0 == 0x25 || ($0 == 0x2B && plusIsSpace) || $0 == 0 }) {
            return String(text)
        }
        guard let bytes = decodeBytes(text, plusIsSpace: plusIsSpace), !bytes.contains(0) else {
            return nil
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The bytes behind the escapes; nil when an escape is broken.
    package static func decodeBytes(_ text: some StringProtocol, plusIsSpace: Bool = false)
        -> [UInt8]?
    {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case 0x25:
                guard let high = iterator.next().flatMap(ByteClass.hexValue),
                    let low = iterator.next().flatMap(ByteClass.hexValue)
                else { return nil }
                bytes.append(high << 4 | low)
            case 0x2B where plusIsSpace: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return bytes
    }

    /// Escapes everything but the allowed characters, with upper-case digits.
    package static func encode(_ text: some StringProtocol, _ allowed: Allowed = .unreserved)
        -> String
    {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            let isPlain =
                (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2E
                || byte == 0x5F
                || byte == 0x7E || (byte == 0x2F && allowed == .path)
            if isPlain {
                bytes.append(byte)
            } else {
                bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Names and values in the order received, from a query or a form. `a`, `a=` and `a=b` are all items.
package struct QueryItems: Sendable {
    /// The decoded pairs, in the order of the query.
    package private(set) var all: [(name: String, value: String)] = []

    /// No item.
    package init() {}
    /// The given items, in their order.
    package init(_ pairs: [(String, String)]) { all = pairs.map { (name: $0.0, value: $0.1) } }

    /// Reads `a=1&b=%20`; `+` is a space, as in forms. nil when an escape is broken or there are more than
    /// 1,000 items.
    package init?(parsing text: some StringProtocol) {
        guard !text.isEmpty else { return }
        for part in text.split(separator: "&", omittingEmptySubsequences: true) {
            guard all.count < 1000 else { return nil }
            let mark = part.firstIndex(of: "=")
            guard
                let name = PercentCoding.decode(
                    part[..<(mark ?? part.endIndex)], plusIsSpace: true),
                let value = PercentCoding.decode(
                    mark.map { part[part.index(after: $0)...] } ?? "", plusIsSpace: true)
            else { return nil }
            all.append((name: name, value: value))
        }
    }

    /// The first value under the name, "" when it has none.
    package subscript(_ name: String) -> String? { all.first { $0.name == name }?.value }
    /// Every value under the name, in order.
    package func values(_ name: String) -> [String] { all.filter { $0.name == name }.map(\.value) }
    /// Adds an item and keeps those of the same name.
    package mutating func append(_ name: String, _ value: String) {
        all.append((name: name, value: value))
    }

    /// `a=1&b=%20`, for links and forms.
    package var encoded: String {
        all.map { "\(PercentCoding.encode($0.name))=\(PercentCoding.encode($0.value))" }.joined(
            separator: "&")
    }
}

extension Request {
    /// The query's items; none when an escape is broken.
    package var queryItems: QueryItems { QueryItems(parsing: rawQuery) ?? QueryItems() }

    /// The path behind its escapes; nil when they are no UTF-8.
    package var path: String? { PercentCoding.decode(rawPath) }

    /// Reads a body of `application/x-www-form-urlencoded`; nil when it is malformed.
    package func readForm(limit: Int = 1 << 20) throws(HTTPBodyError) -> QueryItems? {
        let bytes = try body.readAll(limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return QueryItems(parsing: text)
    }
}
