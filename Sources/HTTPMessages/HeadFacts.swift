/// What a head's fields say about framing and the connection, read once and strictly.
struct HeadFacts {
    var host: String?
    var framing = RequestHead.Framing.none
    var expectsContinue = false
    var keepsAlive: Bool

    init(_ fields: Fields, minorVersion: Int) throws(RequestRefusal) {
        keepsAlive = minorVersion == 1
        var length: Int64?
        var isChunked = false
        var closes = false
        for (name, value) in fields.all {
            // Told apart by length first: most fields are none of these.
            switch name.utf8.count {
            case 4 where equalsIgnoringCase(name, "Host"):
                guard host == nil else { throw RequestRefusal(400, "two Host fields") }
                guard HostName.isValid(value) else {
                    throw RequestRefusal(400, "the Host field is malformed")
                }
                host = value
            case 14 where equalsIgnoringCase(name, "Content-Length"):
                guard length == nil else { throw RequestRefusal(400, "two Content-Length fields") }
                guard let count = Self.length(value) else {
                    throw RequestRefusal(400, "the Content-Length is not a number")
                }
                length = count
            case 17 where equalsIgnoringCase(name, "Transfer-Encoding"):
                guard !isChunked else { throw RequestRefusal(400, "two Transfer-Encoding fields") }
                guard equalsIgnoringCase(value, "chunked") else {
                    throw RequestRefusal(
                        Self.endsInChunked(value) ? 501 : 400, "the only transfer coding is chunked"
                    )
                }
                isChunked = true
            case 6 where equalsIgnoringCase(name, "Expect"):
                guard equalsIgnoringCase(value, "100-continue") else {
                    throw RequestRefusal(417, "the only expectation is 100-continue")
                }
                expectsContinue = minorVersion == 1
            case 10 where equalsIgnoringCase(name, "Connection"):
                for option in value.split(separator: ",") {
                    let word = trimmed(option)
                    if equalsIgnoringCase(word, "close") { closes = true }
                    if equalsIgnoringCase(word, "keep-alive"), minorVersion == 0 {
                        keepsAlive = true
                    }
                }
            default: break
            }
        }
        if closes { keepsAlive = false }
        if isChunked {
            guard length == nil else {
                throw RequestRefusal(400, "both Content-Length and Transfer-Encoding")
            }
            guard minorVersion == 1 else { throw RequestRefusal(400, "chunked in HTTP/1.0") }
            framing = .chunked
        } else if let length {
            framing = length == 0 ? .none : .length(length)
        }
        if host == nil, minorVersion == 1 { throw RequestRefusal(400, "no Host field") }
    }

    private static func length(_ text: String) -> Int64? {
        let digits = text.utf8
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            return nil
        }
        return Int64(text)
    }

    /// `gzip, chunked` is understood but not built; anything else cannot be delimited.
    private static func endsInChunked(_ value: String) -> Bool {
        let codings = value.split(separator: ",", omittingEmptySubsequences: false).map {
            trimmed($0)
        }
        return codings.count > 1
            && codings.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(ByteClass.isToken) }
            && codings.filter { equalsIgnoringCase($0, "chunked") }.count == 1
            && equalsIgnoringCase(codings[codings.count - 1], "chunked")
    }
}

/// Without spaces and tabs at both ends.
func trimmed(_ text: some StringProtocol) -> String {
    var bytes = Array(text.utf8)[...]
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
}
