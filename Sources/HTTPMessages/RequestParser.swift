import Diagnostics

/// The HTTP/1.1 request parser: bytes in, events out; no socket, no clock.
///
/// Feed it what arrived, act on the event, feed the rest. Cutting the input anywhere gives the same
/// events, but for body pieces, which are cut with it. Refuses whatever two readers could read in two
/// ways (request smuggling), instead of repairing it. Source: RFC 9112, sections 2 to 7.
///
///     requestLine ─▶ fields ─▶ head ─┬─▶ (none) ────────────────────▶ end ─▶ requestLine …
///                                    ├─▶ length bytes ──────────────▶ end
///                                    └─▶ size ─▶ data ─▶ CRLF ─▶ … trailers ─▶ end
package struct RequestParser: Sendable {
    /// What the next bytes mean.
    package enum Event: Sendable {
        /// The input is used up.
        case needsMore
        case head(RequestHead)
        /// A stretch of the input that belongs to the body; never empty.
        case body(Range<Int>)
        /// The request is complete; the trailers of a chunked body, if any.
        case end(trailers: Fields)
        /// The parser stays in this state.
        case refused(RequestRefusal)
    }

    private enum State: Sendable {
        case requestLine
        case field
        case lengthBody(remaining: Int64)
        case chunkSize
        case chunkData(remaining: Int64)
        case chunkEnd
        case trailer
        case end
        case refused(RequestRefusal)
    }

    private let limits: HTTPLimits
    private var state = State.requestLine
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []
    /// Bytes of the head (or the trailers) so far.
    private var sectionBytes = 0
    private var sawBlankLine = false
    private var method = Method.get
    private var target: (path: String, query: String, authority: String?) = ("/", "", nil)
    private var minorVersion = 1
    private var fields = Fields()
    private var chunkOverhead: Int64 = 0

    /// Stands before the first request of a connection.
    package init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

    /// Whether nothing of a request has come yet: the connection may be closed without loss.
    package var isIdle: Bool {
        if case .requestLine = state { return line.isEmpty }
        return false
    }

    /// Reads from `offset` on, and moves it past what the event used.
    package mutating func next(_ input: UnsafeRawBufferPointer, from offset: inout Int) -> Event {
        while true {
            switch state {
            case .requestLine, .field, .chunkSize, .trailer:
                do throws(RequestRefusal) {
                    guard let found = try takeLine(input, from: &offset) else { return .needsMore }
                    let event =
                        if line.isEmpty {
                            try handleLine(UnsafeRawBufferPointer(rebasing: input[found]))
                        } else {
                            try handleKeptLine(UnsafeRawBufferPointer(rebasing: input[found]))
                        }
                    if let event { return event }
                } catch {
                    state = .refused(error)
                }
            case .lengthBody(let remaining), .chunkData(let remaining):
                let count = Int(min(remaining, Int64(input.count - offset)))
                if count == 0 { return .needsMore }
                let range = offset..<offset + count
                offset += count
                advanceBody(remaining - Int64(count))
                return .body(range)
            case .chunkEnd:
                // CR and LF may come apart; the first waits in `line`.
                guard offset < input.count else { return .needsMore }
                let expected: UInt8 = line.isEmpty ? 0x0D : 0x0A
                guard input[offset] == expected else {
                    state = .refused(
                        RequestRefusal(400, "a chunk does not end where its size says"))
                    continue
                }
                offset += 1
                if line.isEmpty {
                    line.append(0x0D)
                } else {
                    line.removeAll(keepingCapacity: true)
                    state = .chunkSize
                }
            case .end:
                let trailers = fields
                fields = Fields()
                sectionBytes = 0
                sawBlankLine = false
                state = .requestLine
                return .end(trailers: trailers)
            case .refused(let refusal): return .refused(refusal)
            }
        }
    }

    private mutating func advanceBody(_ remaining: Int64) {
        if case .chunkData = state {
            state = remaining == 0 ? .chunkEnd : .chunkData(remaining: remaining)
        } else {
            state = remaining == 0 ? .end : .lengthBody(remaining: remaining)
        }
    }

    // MARK: Lines

    /// Finds the line that ends in the input, without its CRLF (whose CR may wait in `line`). Keeps an
    /// incomplete line and gives nil.
    private mutating func takeLine(
        _ input: UnsafeRawBufferPointer, from offset: inout Int
    ) throws(RequestRefusal) -> Range<Int>? {
        let (limit, refusal) = lineLimit
        let start = offset
        // The limit counts the line's bytes and its CRLF; a byte past it refuses.
        let room = limit - line.count
        let stop = min(input.count, start + room)
        var at = start
        while at < stop, input[at] != 0x0A { at &+= 1 }
        guard at < stop else {
            if stop < input.count || at - start == room { throw refusal }
            line.append(contentsOf: input[start..<at])
            offset = at
            return nil
        }
        offset = at + 1
        let precededByReturn = at > start ? input[at - 1] == 0x0D : line.last == 0x0D
        guard precededByReturn else {
            throw RequestRefusal(400, "a line ends in LF without CR")
        }
        sectionBytes += line.count + offset - start
        if at > start { return start..<at - 1 }
        line.removeLast()
        // The kept line may now be empty, and stands for the whole line then.
        return start..<start
    }

    private var lineLimit: (Int, RequestRefusal) {
        let head = max(0, limits.headBytes - sectionBytes)
        switch state {
        case .requestLine:
            return limits.requestLineBytes <= head
                ? (limits.requestLineBytes, RequestRefusal(414, "the request line is too long"))
                : (head, Self.headTooLarge)
        case .chunkSize:
            return (limits.chunkLineBytes, RequestRefusal(400, "a chunk's first line is too long"))
        default:
            return limits.fieldLineBytes <= head
                ? (limits.fieldLineBytes, RequestRefusal(431, "a field is too long"))
                : (head, Self.headTooLarge)
        }
    }

    private static let headTooLarge = RequestRefusal(431, "the head is too large")

    /// Joins the kept beginning with the rest of the line.
    private mutating func handleKeptLine(
        _ rest: UnsafeRawBufferPointer
    ) throws(RequestRefusal) -> Event? {
        var whole = line
        line.removeAll(keepingCapacity: true)
        whole.append(contentsOf: rest)
        var event: Event?
        var refusal: RequestRefusal?
        whole.withUnsafeBytes { bytes in
            do throws(RequestRefusal) { event = try handleLine(bytes) } catch { refusal = error }
        }
        if let refusal { throw refusal }
        return event
    }

    private mutating func handleLine(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal)
        -> Event?
    {
        switch state {
        case .requestLine: try handleRequestLine(bytes)
        case .field:
            if bytes.isEmpty { return .head(try finishHead()) }
            try handleField(bytes)
        case .chunkSize: try handleChunkSize(bytes)
        case .trailer:
            if bytes.isEmpty { state = .end } else { try handleTrailer(bytes) }
        default: invariant(false, "lines occur only in heads and framing")
        }
        return nil
    }

    // MARK: The request line

    private mutating func handleRequestLine(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal)
    {
        if bytes.isEmpty {
            // One empty line may stand before a request (RFC 9112, section 2.2), for old clients.
            guard !sawBlankLine else { throw RequestRefusal(400, "empty lines before the request") }
            sawBlankLine = true
            return
        }
        guard let first = bytes.firstIndex(of: 0x20), let last = bytes.lastIndex(of: 0x20),
            first < last
        else { throw RequestRefusal(400, "the request line is not: method, target, version") }
        try parseMethod(UnsafeRawBufferPointer(rebasing: bytes[..<first]))
        try parseVersion(UnsafeRawBufferPointer(rebasing: bytes[(last + 1)...]))
        target = try RequestTarget.parse(
            UnsafeRawBufferPointer(rebasing: bytes[(first + 1)..<last]), method: method)
        state = .field
    }

    private mutating func parseMethod(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal) {
        guard !bytes.isEmpty, bytes.count <= 32, bytes.allSatisfy({ ByteClass.isToken($0) }) else {
            throw RequestRefusal(400, "the method is not a token")
        }
        method = Method(rawValue: String(decoding: bytes, as: UTF8.self))
    }

    private mutating func parseVersion(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal) {
        guard bytes.count == 8, bytes[0..<5].elementsEqual("HTTP/".utf8), bytes[6] == 0x2E,
            (0x30...0x39).contains(bytes[5]), (0x30...0x39).contains(bytes[7])
        else { throw RequestRefusal(400, "the version is malformed") }
        guard bytes[5] == 0x31 else {
            throw RequestRefusal(505, "only HTTP/1.0 and HTTP/1.1 are spoken")
        }
        // A higher minor version is answered as 1.1 (RFC 9110, section 2.5).
        minorVersion = bytes[7] == 0x30 ? 0 : 1
    }

    // MARK: Fields

    private mutating func handleField(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal) {
        guard fields.all.count < limits.fieldCount else {
            throw RequestRefusal(431, "more than \(limits.fieldCount) fields")
        }
        if bytes[0] == 0x20 || bytes[0] == 0x09 {
            throw RequestRefusal(400, "a field is folded over two lines")
        }
        var colon = 0
        while colon < bytes.count, ByteClass.isToken(bytes[colon]) { colon += 1 }
        guard colon < bytes.count, bytes[colon] == 0x3A else {
            let isSpace = colon < bytes.count && (bytes[colon] == 0x20 || bytes[colon] == 0x09)
            throw RequestRefusal(
                400, isSpace ? "space before a field's colon" : "a field name is not a token")
        }
        guard colon > 0 else { throw RequestRefusal(400, "a field has no name") }
        var start = colon + 1
        var end = bytes.count
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        let value = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        var high: UInt8 = 0
        for byte in value {
            high |= byte
            if ByteClass.isForbiddenInValue(byte) {
                throw RequestRefusal(400, "a field value has a control character")
            }
        }
        let text: String
        if high < 0x80 {
            text = String(decoding: value, as: UTF8.self)
        } else if let valid = String(validating: value, as: UTF8.self) {
            text = valid
        } else {
            throw RequestRefusal(400, "a field value is not UTF-8")
        }
        let name = UnsafeRawBufferPointer(rebasing: bytes[..<colon])
        fields.append(String(decoding: name, as: UTF8.self), text)
    }

    private mutating func finishHead() throws(RequestRefusal) -> RequestHead {
        let facts = try HeadFacts(fields, minorVersion: minorVersion)
        if let authority = target.authority {
            // An absolute target wins over Host (RFC 9112, section 3.2.2); two names are refused.
            if let host = facts.host, !equalsIgnoringCase(host, authority) {
                throw RequestRefusal(400, "the target and the Host field name two hosts")
            }
            if facts.host == nil { fields.append("Host", authority) }
        }
        let head = RequestHead(
            method: method, rawPath: target.path, rawQuery: target.query,
            minorVersion: minorVersion,
            fields: fields, framing: facts.framing, expectsContinue: facts.expectsContinue,
            keepsAlive: facts.keepsAlive)
        fields = Fields()
        sectionBytes = 0
        chunkOverhead = 0
        switch facts.framing {
        case .none: state = .end
        case .length(let count): state = .lengthBody(remaining: count)
        case .chunked: state = .chunkSize
        }
        return head
    }

    // MARK: Chunks

    private mutating func handleChunkSize(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal) {
        var size: Int64 = 0
        var digits = 0
        while digits < bytes.count, let digit = ByteClass.hexValue(bytes[digits]) {
            guard digits < 15 else { throw RequestRefusal(400, "a chunk size is too large") }
            size = size << 4 | Int64(digit)
            digits += 1
        }
        guard digits > 0 else { throw RequestRefusal(400, "a chunk size is not hexadecimal") }
        if digits < bytes.count {
            // Extensions are read over, but only in their plain form.
            guard bytes[digits] == 0x3B else {
                throw RequestRefusal(400, "a chunk size is malformed")
            }
            for byte in bytes[digits...] where byte < 0x21 || byte > 0x7E {
                throw RequestRefusal(400, "a chunk extension is malformed")
            }
        }
        // Framing may not outweigh the data: each chunk adds its line, and pays with its size.
        chunkOverhead = max(0, chunkOverhead + Int64(bytes.count + 4) - size)
        guard chunkOverhead <= limits.chunkOverheadBytes else {
            throw RequestRefusal(400, "too many tiny chunks")
        }
        sectionBytes = 0
        state = size == 0 ? .trailer : .chunkData(remaining: size)
    }

    private mutating func handleTrailer(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal) {
        try handleField(bytes)
        guard let name = fields.all.last?.name else { return }
        for forbidden in ByteClass.neverInTrailers where equalsIgnoringCase(name, forbidden) {
            throw RequestRefusal(400, "a field that belongs into the head is in the trailers")
        }
    }
}
