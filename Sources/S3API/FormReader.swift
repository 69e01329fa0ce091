import HTTPMessages

/// Reads `multipart/form-data` piece by piece: the fields before the file, then the file.
/// Source: RFC 7578, RFC 2046 section 5.1.
struct FormReader {
    /// All fields together, without the file. Source: Amazon S3 API Reference, "PostObject".
    private static let fieldBytes = 20 * 1024
    private static let headBytes = 8 * 1024

    private let body: any RequestBody
    /// CRLF and two hyphens before the boundary's text.
    private let delimiter: [UInt8]
    private var pending: [UInt8] = []
    private var at = 0
    /// The name of the file at the client.
    private(set) var fileName = ""
    /// What the client says that the file is.
    private(set) var fileType: String?

    init(_ request: Request) throws(S3Error) {
        guard let text = request.fields["Content-Type"], let type = MediaType(parsing: text),
            type.essence == "multipart/form-data", let boundary = type.parameter("boundary"),
            (1...70).contains(boundary.utf8.count)
        else {
            throw S3Error(
                .preconditionFailed, "Bucket POST must be of the enclosure-type multipart/form-data"
            )
        }
        body = request.body
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first boundary stands at the start of a line, which may be the first.
        pending = [0x0D, 0x0A]
    }

    /// Reads up to the file's first byte.
    mutating func readFields() throws(S3Error) -> FormFields {
        var fields = FormFields()
        var total = 0
        try skipPast(delimiter)
        while try !isEnd() {
            let head = try readHead()
            guard let name = head.name?.lowercased() else {
                throw malformed("a part without a name")
            }
            if name == "file" {
                fileName = head.fileName ?? ""
                fileType = head.contentType
                return fields
            }
            var value: [UInt8] = []
            try readPart { (piece: UnsafeRawBufferPointer) throws(S3Error) in
                total += piece.count
                guard total <= Self.fieldBytes else {
                    throw S3Error(
                        .malformedPOST, "the fields of a form have at most \(Self.fieldBytes) bytes"
                    )
                }
                value.append(contentsOf: piece)
            }
            guard let text = String(validating: value, as: UTF8.self),
                !text.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 })
                    || name == "policy"
            else { throw malformed("the field \(name) is not a line of text") }
            fields.values[name] = text
        }
        throw S3Error(.invalidArgument, "POST requires exactly one file upload per request.")
    }

    /// Hands the file's bytes on; what follows it is not looked at.
    mutating func readFile(into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        var failure: (any Error)?
        try readPart { (piece: UnsafeRawBufferPointer) throws(S3Error) in
            if failure != nil { return }
            do { try sink(piece) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private struct Head {
        var name: String?
        var fileName: String?
        var contentType: String?
    }

    /// Reads the header lines of a part.
    private mutating func readHead() throws(S3Error) -> Head {
        var head = Head()
        var total = 0
        while true {
            let line = try readLine()
            total += line.utf8.count
            guard total <= Self.headBytes else { throw malformed("a head is too long") }
            if line.isEmpty { return head }
            guard let colon = line.firstIndex(of: ":") else { throw malformed("a broken head") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "content-disposition":
                head.name = Self.parameter("name", of: String(value))
                head.fileName = Self.parameter("filename", of: String(value))
            case "content-type": head.contentType = String(value)
            default: break
            }
        }
    }

    /// The value of `name="…"`.
    private static func parameter(_ name: String, of text: String) -> String? {
        for part in text.split(separator: ";").dropFirst() {
            let trimmed = part.drop { $0 == " " }
            guard trimmed.hasPrefix(name + "=") else { continue }
            var value = trimmed.dropFirst(name.count + 1)
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = value.dropFirst().dropLast()
            }
            return String(value)
        }
        return nil
    }

    /// Behind a boundary: the end of the form, or the end of the line.
    private mutating func isEnd() throws(S3Error) -> Bool {
        try need(2)
        let pair = (pending[at], pending[at + 1])
        at += 2
        if pair == (0x2D, 0x2D) { return true }
        guard pair == (0x0D, 0x0A) else { throw malformed("a boundary with a tail") }
        return false
    }

    private mutating func readLine() throws(S3Error) -> String {
        var line: [UInt8] = []
        while true {
            try need(1)
            let byte = pending[at]
            at += 1
            if byte == 0x0A, line.last == 0x0D {
                guard let text = String(validating: line.dropLast(), as: UTF8.self) else {
                    throw malformed("a line that is not UTF-8")
                }
                return text
            }
            line.append(byte)
            guard line.count <= Self.headBytes else { throw malformed("a line is too long") }
        }
    }

    /// Hands on what stands before the next boundary, and goes behind it.
    private mutating func readPart(
        _ sink: (UnsafeRawBufferPointer) throws(S3Error) -> Void
    ) throws(S3Error) {
        while true {
            if let found = find(delimiter) {
                try hand(at..<found, to: sink)
                at = found + delimiter.count
                return
            }
            // The tail may be the beginning of a boundary.
            let safe = max(at, pending.count - delimiter.count + 1)
            try hand(at..<safe, to: sink)
            at = safe
            try fill()
        }
    }

    private mutating func skipPast(_ wanted: [UInt8]) throws(S3Error) {
        var skipped = 0
        while true {
            if let found = find(wanted) {
                at = found + wanted.count
                return
            }
            let safe = max(at, pending.count - wanted.count + 1)
            skipped += safe - at
            guard skipped <= Self.headBytes else { throw malformed("the boundary does not come") }
            at = safe
            try fill()
        }
    }

    private func find(_ wanted: [UInt8]) -> Int? {
        guard pending.count - at >= wanted.count else { return nil }
        var start = at
        let last = pending.count - wanted.count
        while start <= last {
            guard let first = pending[start...last].firstIndex(of: wanted[0]) else { return nil }
            if pending[first..<(first + wanted.count)].elementsEqual(wanted) { return first }
            start = first + 1
        }
        return nil
    }

    private func hand(
        _ range: Range<Int>, to sink: (UnsafeRawBufferPointer) throws(S3Error) -> Void
    ) throws(S3Error) {
        if range.isEmpty { return }
        var failure: S3Error?
        pending.withUnsafeBytes { raw in
            do throws(S3Error) {
                try sink(UnsafeRawBufferPointer(rebasing: raw[range]))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private mutating func need(_ count: Int) throws(S3Error) {
        while pending.count - at < count { try fill() }
    }

    private mutating func fill() throws(S3Error) {
        do throws(HTTPBodyError) {
            guard let piece = try body.next() else {
                throw HTTPBodyError.malformed("it ends before its last boundary")
            }
            pending.removeFirst(at)
            at = 0
            pending += piece
        } catch {
            throw S3Error(.incompleteBody, "the form did not come whole: \(error)")
        }
    }

    private func malformed(_ what: String) -> S3Error {
        S3Error(
            .malformedPOST,
            "The body of your POST request is not well-formed multipart/form-data: \(what)")
    }
}
