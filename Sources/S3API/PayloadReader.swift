import Bytes
import Cryptography
import HTTPMessages

/// Reads a body to its end, piece by piece, and verifies all that was promised of it.
///
/// `aws-chunked` is  `size[;chunk-signature=…] CRLF bytes CRLF`, repeated, a chunk of size 0, then trailers
/// as `name:value CRLF`, then CRLF. Each signature covers the former one and the chunk's SHA-256.
/// Source: Amazon S3 API Reference, "Transferring payload in multiple chunks".
struct PayloadReader {
    private static let lineLimit = 8 * 1024

    private let body: any RequestBody
    private let signature: VerifiedSignature
    private var pending: [UInt8] = []
    private var at = 0
    private var previous: String
    /// What followed the last chunk, by lower-case names.
    private(set) var trailers: [String: String] = [:]
    private(set) var sizeBytes: Int64 = 0

    init(body: any RequestBody, signature: VerifiedSignature) {
        self.body = body
        self.signature = signature
        previous = signature.signature
    }

    /// Hands every piece to `sink`; throws when the body is not what was signed. Nothing may be believed
    /// before it returned.
    mutating func drain(
        declaredBytes: Int64?, into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        switch signature.payload {
        case .unsigned:
            while let piece = try nextPiece() { try hand(piece[...], to: sink) }
        case .hash(let expected):
            var digest = Digest(.sha256)
            while let piece = try nextPiece() {
                digest.update(piece)
                try hand(piece[...], to: sink)
            }
            guard hexText(digest.value()) == expected else {
                throw S3Error(
                    .contentHashMismatch,
                    "The provided 'x-amz-content-sha256' header does not match what was computed.")
            }
        case .chunked(let isSigned, let hasTrailer):
            try drainChunks(isSigned: isSigned, hasTrailer: hasTrailer, into: sink)
        }
        if let declaredBytes, declaredBytes != sizeBytes {
            throw S3Error(
                .incompleteBody, "\(declaredBytes) bytes were announced, \(sizeBytes) came")
        }
    }

    /// The whole body, for documents.
    mutating func all(limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try drain(declaredBytes: nil) { piece in
            guard bytes.count + piece.count <= limit else {
                throw S3Error(.malformedXML, "the document has more than \(limit) bytes")
            }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    private mutating func drainChunks(
        isSigned: Bool, hasTrailer: Bool, into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        while true {
            let (size, claimed) = try chunkHead()
            var digest = Digest(.sha256)
            var left = size
            while left > 0 {
                if at == pending.count { try refill() }
                let count = Int(min(left, Int64(pending.count - at)))
                let piece = pending[at..<(at + count)]
                if isSigned { digest.update(piece) }
                try hand(piece, to: sink)
                at += count
                left -= Int64(count)
            }
            if isSigned { try checkChunk(digest.value(), claimed) }
            if size == 0 { break }
            guard try line().isEmpty else { throw malformed("a chunk is longer than its size") }
        }
        try readTrailers(isSigned: isSigned && hasTrailer, isAllowed: hasTrailer)
        if at < pending.count { throw malformed("bytes behind the last chunk") }
        if try nextPiece() != nil { throw malformed("bytes behind the last chunk") }
    }

    private mutating func chunkHead() throws -> (Int64, signature: String?) {
        let parts = try line().split(separator: ";", maxSplits: 1)
        guard let first = parts.first, first.utf8.count <= 15,
            first.utf8.allSatisfy({ hexDigit($0) != nil }), let size = Int64(first, radix: 16)
        else { throw malformed("a chunk without its size") }
        let name = "chunk-signature="
        guard parts.count == 2, parts[1].hasPrefix(name) else { return (size, nil) }
        return (size, String(parts[1].dropFirst(name.count)))
    }

    private mutating func checkChunk(_ hash: [UInt8], _ claimed: String?) throws {
        let text =
            "AWS4-HMAC-SHA256-PAYLOAD\n\(signature.dateTime)\n\(signature.scope)\n\(previous)\n"
            + hexText(Digest.sha256([])) + "\n" + hexText(hash)
        try check(text, claimed, what: "chunk")
    }

    private mutating func check(_ text: String, _ claimed: String?, what: String) throws {
        let computed = hexText(HMAC.sha256(key: signature.signingKey, text))
        guard let claimed, constantTimeEqual(computed, claimed) else {
            throw S3Error(
                .signatureDoesNotMatch, "a \(what) does not have the signature that was computed")
        }
        previous = computed
    }

    private mutating func readTrailers(isSigned: Bool, isAllowed: Bool) throws {
        var canonical = ""
        var claimed: String?
        var count = 0
        while true {
            // Some clients leave the last empty line out.
            guard let text = try lineOrEnd(), !text.isEmpty else { break }
            count += 1
            guard isAllowed, count <= 32, let colon = text.firstIndex(of: ":") else {
                throw malformed("a trailer that was not announced")
            }
            let name = text[..<colon].lowercased()
            let value = text[text.index(after: colon)...].split { $0 == " " || $0 == "\t" }
                .joined(separator: " ")
            if name == "x-amz-trailer-signature" {
                claimed = value
            } else {
                trailers[name] = value
                canonical += "\(name):\(value)\n"
            }
        }
        if isSigned {
            let text =
                "AWS4-HMAC-SHA256-TRAILER\n\(signature.dateTime)\n\(signature.scope)\n\(previous)\n"
                + hexText(Digest.sha256(canonical))
            try check(text, claimed, what: "trailer")
        }
    }

    private mutating func line() throws -> String {
        guard let line = try lineOrEnd() else {
            throw S3Error(.incompleteBody, "the body ends in a chunk")
        }
        return line
    }

    /// Up to CRLF, without it; nil at the end of the body.
    private mutating func lineOrEnd() throws -> String? {
        var bytes: [UInt8] = []
        while true {
            if at == pending.count {
                guard try fill() else {
                    if bytes.isEmpty { return nil }
                    throw S3Error(.incompleteBody, "the body ends in a line")
                }
            }
            let byte = pending[at]
            at += 1
            if byte == 0x0A {
                guard bytes.last == 0x0D else { throw malformed("a line without CR") }
                return String(decoding: bytes.dropLast(), as: UTF8.self)
            }
            bytes.append(byte)
            if bytes.count > Self.lineLimit { throw malformed("a line is too long") }
        }
    }

    private mutating func refill() throws {
        guard try fill() else { throw S3Error(.incompleteBody, "the body ends in a chunk") }
    }

    private mutating func fill() throws -> Bool {
        guard let piece = try nextPiece() else { return false }
        pending = piece
        at = 0
        return true
    }

    private func nextPiece() throws(S3Error) -> [UInt8]? {
        do throws(HTTPBodyError) {
            while let piece = try body.next() {
                if !piece.isEmpty { return piece }
            }
            return nil
        } catch {
            switch error {
            case .disconnected: throw S3Error(.incompleteBody, "the client went away")
            case .timedOut: throw S3Error(.requestTimeout, "the body came too slowly")
            case .malformed(let what):
                throw S3Error(.incompleteBody, "the body is malformed: \(what)")
            case .tooLarge(let limit):
                throw S3Error(.entityTooLarge, "the body has more than \(limit) bytes")
            }
        }
    }

    private mutating func hand(
        _ piece: ArraySlice<UInt8>, to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        sizeBytes += Int64(piece.count)
        try piece.withUnsafeBytes { try sink($0) }
    }

    private func malformed(_ what: String) -> S3Error {
        S3Error(.invalidRequest, "the aws-chunked body is malformed: \(what)")
    }
}
