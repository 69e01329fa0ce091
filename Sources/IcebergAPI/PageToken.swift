import Bytes

/// What stands for the rest of a listing: the last key that was sent, in a form that tells what is a token
/// from what is not.
enum PageToken {
    /// The token of a key: a checksum and the key, as hexadecimal digits.
    static func text(_ key: String) -> String {
        checksum(Array(key.utf8)) + hexText(Array(key.utf8))
    }

    /// The key of a token; nil for the empty one, with which a listing begins. Throws for what is none.
    static func key(in token: String) throws(RequestFault) -> String? {
        if token.isEmpty { return nil }
        guard token.utf8.count > 8, let bytes = hexBytes(token.dropFirst(8)),
            checksum(bytes) == token.prefix(8), let key = String(validating: bytes, as: UTF8.self)
        else {
            throw RequestFault(
                "pageToken is none that this catalog gave out; an empty one begins the listing anew: "
                    + token)
        }
        return key
    }

    private static func checksum(_ bytes: [UInt8]) -> String {
        let digits = String(UInt32(truncatingIfNeeded: xxHash64(bytes)), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
