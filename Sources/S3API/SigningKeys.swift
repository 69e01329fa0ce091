import Cryptography
import Synchronization

/// The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
///
/// Read by bytes in one pass: this is done for every request, and characters cost ten times as much.
struct AuthorizationParts {
    private(set) var credential: String?
    private(set) var signedHeaders: String?
    private(set) var signature: String?

    /// nil when a part is no `name=value`. Of a name that comes twice the last counts; blanks stand before names
    /// and end values.
    init?(_ field: String) {
        let bytes = field.utf8
        let (blank, comma) = (UInt8(ascii: " "), UInt8(ascii: ","))
        var at = bytes.firstIndex(of: blank) ?? bytes.endIndex
        while at < bytes.endIndex {
            if bytes[at] == blank || bytes[at] == comma {
                at = bytes.index(after: at)
                continue
            }
            let end = bytes[at...].firstIndex(of: comma) ?? bytes.endIndex
            guard let equals = bytes[at..<end].firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let start = bytes.index(after: equals)
            let value = String(field[start..<(bytes[start..<end].firstIndex(of: blank) ?? end)])
            switch field[at..<equals] {
            case "Credential": credential = value
            case "SignedHeaders": signedHeaders = value
            case "Signature": signature = value
            default: break
            }
            at = end
        }
    }
}

/// Keys that secrets make for a date, a region and a service: the same all day for one secret, and four HMACs
/// to make. Kept in memory alone.
final class SigningKeys: Sendable {
    /// Secrets that sign at the same time; past it all are forgotten and made anew.
    private static let limit = 1024

    private struct Origin: Hashable {
        let secret: String
        let scope: String
    }

    private let known = Mutex<[Origin: SigningKey]>([:])

    /// The key of a secret for a scope.
    func key(_ secret: String, scope: String) -> SigningKey {
        let origin = Origin(secret: secret, scope: scope)
        if let key = known.withLock({ $0[origin] }) { return key }
        let key = SigningKey(SignatureV4.signingKey(secret, scope: scope))
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
            known[origin] = key
        }
        return key
    }
}

/// A key with the state of the code that every message under it begins with.
struct SigningKey: Sendable {
    let bytes: [UInt8]
    private let start: HMAC

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        start = HMAC(.sha256, key: bytes)
    }

    /// The code of a message.
    func code(of message: [UInt8]) -> [UInt8] {
        var hmac = start
        hmac.update(message)
        return hmac.value()
    }
}

private let hexDigits = Array("0123456789abcdef".utf8)

/// Appends two lower-case digits for each byte.
func appendHex(_ bytes: [UInt8], to text: inout [UInt8]) {
    text.reserveCapacity(text.count + 2 * bytes.count)
    for byte in bytes {
        text.append(hexDigits[Int(byte >> 4)])
        text.append(hexDigits[Int(byte & 15)])
    }
}
