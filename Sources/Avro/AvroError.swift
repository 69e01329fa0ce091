import Bytes
import Diagnostics

/// A container or schema that cannot be read or written.
package struct AvroError: Fault {
    package enum Code: String, Sendable {
        case notAvro = "avro.not_a_container"
        case invalidSchema = "avro.invalid_schema"
        case corrupted = "avro.corrupted"
        case unsupportedCodec = "avro.unsupported_codec"
        case limitExceeded = "avro.limit_exceeded"
        case valueMismatch = "avro.value_mismatch"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    package init(code: Code, message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    init(_ error: BytesError) {
        self.init(code: .corrupted, message: "the Avro bytes are damaged", cause: error)
    }
}
