import Bytes
import HTTPMessages
import TableCatalog

extension IcebergCall {
    /// The idempotency key of a request. Reads the body, which is part of what the key stands for.
    mutating func key(_ text: String) throws -> IdempotencyKey {
        let digits = text.filter { $0 != "-" }
        guard text.utf8.count == 36, text.filter({ $0 == "-" }).count == 4,
            hexBytes(digits)?.count == 16
        else { throw RequestFault("Idempotency-Key has to be a UUID: \(text)") }
        let body = try bodyBytes()
        readBody = body
        let head = "\(request.method.rawValue) \(request.rawPath)?\(request.rawQuery)\n"
        let asked = Array(head.utf8) + body
        return IdempotencyKey(
            key: text.lowercased(),
            request: String(xxHash64(asked), radix: 16) + "-\(asked.count)")
    }
}
