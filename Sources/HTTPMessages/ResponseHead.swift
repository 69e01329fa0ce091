/// Writes the head of an answer. Source: RFC 9112, section 4.
package enum ResponseHead {
    /// How the body that follows is delimited.
    package enum Framing: Sendable, Hashable {
        case length(Int64)
        case chunked
        /// The end of the connection ends it: an HTTP/1.0 client gets no chunks.
        case untilClose
        /// No body and no word about one (204, 304).
        case none
    }

    /// Appends status line, fields and the empty line. Fields that belong to the framing are ours: what the
    /// handler says of them is left out.
    package static func append(
        status: Int, fields: Fields, framing: Framing, keepsAlive: Bool, minorVersion: Int,
        date: String,
        requestID: String, to bytes: inout [UInt8]
    ) {
        bytes.reserveCapacity(bytes.count + 256)
        bytes += "HTTP/1.1 ".utf8
        appendNumber(Int64(status), to: &bytes)
        bytes.append(0x20)
        bytes += Status.reason(status).utf8
        bytes += "\r\nServer: lakehouse\r\nDate: ".utf8
        bytes += date.utf8
        bytes += "\r\nX-Request-Id: ".utf8
        bytes += requestID.utf8
        switch framing {
        case .length(let count):
            bytes += "\r\nContent-Length: ".utf8
            appendNumber(count, to: &bytes)
        case .chunked: bytes += "\r\nTransfer-Encoding: chunked".utf8
        case .untilClose, .none: break
        }
        if !keepsAlive {
            bytes += "\r\nConnection: close".utf8
        } else if minorVersion == 0 {
            bytes += "\r\nConnection: keep-alive".utf8
        }
        for (name, value) in fields.all where !isOurs(name) {
            bytes += "\r\n".utf8
            appendSound(name, isName: true, to: &bytes)
            bytes += ": ".utf8
            appendSound(value, isName: false, to: &bytes)
        }
        bytes += "\r\n\r\n".utf8
    }

    private static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: equalsIgnoringCase(name, "Date")
        case 6: equalsIgnoringCase(name, "Server")
        case 10: equalsIgnoringCase(name, "Connection") || equalsIgnoringCase(name, "Keep-Alive")
        case 12: equalsIgnoringCase(name, "X-Request-Id")
        case 14: equalsIgnoringCase(name, "Content-Length")
        case 17: equalsIgnoringCase(name, "Transfer-Encoding")
        default: false
        }
    }

    /// A handler may pass on what a person wrote: a line break in it must not begin another field.
    private static func appendSound(_ text: String, isName: Bool, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += text.utf8
        for index in start..<bytes.count {
            let isBad =
                isName
                ? !ByteClass.isToken(bytes[index]) : ByteClass.isForbiddenInValue(bytes[index])
            if isBad { bytes[index] = isName ? 0x5F : 0x20 }
        }
    }

    /// Appends a number in decimal digits.
    package static func appendNumber(_ number: Int64, to bytes: inout [UInt8]) {
        if number < 10, number >= 0 {
            bytes.append(0x30 + UInt8(number))
        } else {
            bytes += String(number).utf8
        }
    }

    /// Appends the line that begins a chunk of so many bytes (at least one).
    package static func appendChunkLine(_ count: Int, to bytes: inout [UInt8]) {
        bytes += String(count, radix: 16).utf8
        bytes += "\r\n".utf8
    }
}
