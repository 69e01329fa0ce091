import Bytes

/// Parses one JSON text strictly by RFC 8259: no comments, no trailing commas, valid UTF-8.
package enum JSONParser {
    /// Parses the whole text. Depth is bounded since foreign texts may nest without end.
    package static func parse(_ bytes: [UInt8], depthLimit: Int = 512) throws(JSONError)
        -> JSONValue
    {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONError> in
            var state = ParserState(buffer: buffer, depthLimit: depthLimit)
            do throws(JSONError) {
                // A byte order mark is not JSON, but editors on Windows leave one.
                if buffer.count >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF {
                    state.at = 3
                }
                state.skipBlanks()
                let value = try state.value(depth: 0)
                state.skipBlanks()
                guard state.at == buffer.count else { throw state.fail("text after the value") }
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// The cursor of a parse; the buffer outlives it.
private struct ParserState {
    let buffer: UnsafeBufferPointer<UInt8>
    let depthLimit: Int
    var at = 0

    init(buffer: UnsafeBufferPointer<UInt8>, depthLimit: Int) {
        self.buffer = buffer
        self.depthLimit = depthLimit
    }

    var current: UInt8? { at < buffer.count ? buffer[at] : nil }

    func fail(_ what: String) -> JSONError {
        JSONError(code: .syntax, message: "\(what) at byte \(at)", offset: at)
    }

    mutating func skipBlanks() {
        while at < buffer.count {
            switch buffer[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            return .number(try number())
        case nil: throw fail("the text ends where a value should be")
        default: throw fail("no value begins")
        }
    }

    mutating func word(_ text: StaticString) throws(JSONError) {
        let count = text.utf8CodeUnitCount
        guard at + count <= buffer.count else { throw fail("the text ends in a word") }
        for index in 0..<count where buffer[at + index] != text.utf8Start[index] {
            throw fail("no value begins")
        }
        at += count
    }

    mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        try checkDepth(depth)
        at += 1
        var object = JSONObject()
        skipBlanks()
        if current == UInt8(ascii: "}") {
            at += 1
            return .object(object)
        }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw fail("a member name is missing") }
            let name = try string()
            skipBlanks()
            guard current == UInt8(ascii: ":") else { throw fail("a colon is missing") }
            at += 1
            skipBlanks()
            object.append(name, try value(depth: depth + 1))
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): at += 1
            case UInt8(ascii: "}"):
                at += 1
                return .object(object)
            default: throw fail("a comma or the end of the object is missing")
            }
        }
    }

    mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        try checkDepth(depth)
        at += 1
        var array: [JSONValue] = []
        skipBlanks()
        if current == UInt8(ascii: "]") {
            at += 1
            return .array(array)
        }
        while true {
            skipBlanks()
            array.append(try value(depth: depth + 1))
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): at += 1
            case UInt8(ascii: "]"):
                at += 1
                return .array(array)
            default: throw fail("a comma or the end of the array is missing")
            }
        }
    }

    func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth < depthLimit else {
            throw JSONError(
                code: .tooDeep, message: "nested deeper than \(depthLimit) levels at byte \(at)",
                offset: at)
        }
    }

    mutating func number() throws(JSONError) -> JSONNumber {
        let start = at
        if current == UInt8(ascii: "-") { at += 1 }
        if current == UInt8(ascii: "0") {
            at += 1
        } else {
            try digits()
        }
        if current == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            at += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        return JSONNumber(text: text(start..<at))
    }

    mutating func digits() throws(JSONError) {
        let start = at
        while let byte = current, byte >= 0x30, byte <= 0x39 { at += 1 }
        guard at > start else { throw fail("a digit is missing") }
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: buffer[range]), as: UTF8.self)
    }

    mutating func string() throws(JSONError) -> String {
        at += 1
        let start = at
        while at < buffer.count {
            let byte = buffer[at]
            if byte == UInt8(ascii: "\"") {
                let piece = UnsafeBufferPointer(rebasing: buffer[start..<at])
                guard let text = String(validating: piece, as: UTF8.self) else {
                    throw fail("a string is not UTF-8")
                }
                at += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw fail("a control character in a string") }
            at += 1
        }
        throw fail("the text ends in a string")
    }

    mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var bytes = Array(UnsafeBufferPointer(rebasing: buffer[start..<at]))
        while at < buffer.count {
            let byte = buffer[at]
            if byte == UInt8(ascii: "\"") {
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw fail("a string is not UTF-8")
                }
                at += 1
                return text
            }
            if byte < 0x20 { throw fail("a control character in a string") }
            at += 1
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let letter = current else { break }
            at += 1
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"): bytes.append(contentsOf: String(try scalar()).utf8)
            default:
                at -= 1
                throw fail("an unknown escape")
            }
        }
        throw fail("the text ends in a string")
    }

    /// The scalar after `\u`; a lone surrogate becomes U+FFFD, since no UTF-8 can hold it.
    mutating func scalar() throws(JSONError) -> Character {
        let first = try fourHexDigits()
        if first & 0xFC00 == 0xD800, at + 1 < buffer.count, buffer[at] == UInt8(ascii: "\\"),
            buffer[at + 1] == UInt8(ascii: "u")
        {
            let mark = at
            at += 2
            let second = try fourHexDigits()
            if second & 0xFC00 == 0xDC00 {
                let code = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
                return Character(Unicode.Scalar(code) ?? "\u{FFFD}")
            }
            at = mark
        }
        return Character(Unicode.Scalar(first) ?? "\u{FFFD}")
    }

    mutating func fourHexDigits() throws(JSONError) -> UInt32 {
        guard at + 4 <= buffer.count else { throw fail("the text ends in an escape") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = hexDigit(buffer[at]) else { throw fail("no hex digit") }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }
}
