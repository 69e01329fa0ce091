import Diagnostics
import HTTPMessages
import Identity
import XML

/// What a client of STS is told. Source: AWS Security Token Service API Reference, "Common Error Types".
struct TokenServiceError: Fault {
    enum Code: String, Sendable {
        case accessDenied = "AccessDenied"
        case expiredToken = "ExpiredTokenException"
        case internalFailure = "InternalFailure"
        case invalidAction = "InvalidAction"
        case invalidClientTokenId = "InvalidClientTokenId"
        case invalidIdentityToken = "InvalidIdentityToken"
        case malformedPolicyDocument = "MalformedPolicyDocument"
        case missingAuthenticationToken = "MissingAuthenticationToken"
        case packedPolicyTooLarge = "PackedPolicyTooLarge"
        case signatureDoesNotMatch = "SignatureDoesNotMatch"
        case validation = "ValidationError"

        var status: Int {
            switch self {
            case .accessDenied, .invalidClientTokenId, .missingAuthenticationToken,
                .signatureDoesNotMatch:
                403
            case .internalFailure: 500
            case .expiredToken, .invalidAction, .invalidIdentityToken, .malformedPolicyDocument,
                .packedPolicyTooLarge, .validation:
                400
            }
        }
    }

    static let namespace = [("xmlns", "https://sts.amazonaws.com/doc/2011-06-15/")]

    let code: Code
    let message: String
    let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// A refused signature in the words of STS.
    init(_ error: S3Error) {
        let code: Code =
            switch error.code {
            case .signatureDoesNotMatch, .requestTimeTooSkewed: .signatureDoesNotMatch
            case .invalidAccessKeyId, .invalidToken: .invalidClientTokenId
            case .expiredToken: .expiredToken
            case .accessDenied: .accessDenied
            case .internalError: .internalFailure
            default: .validation
            }
        self.init(code, error.message, hint: error.hint)
    }

    /// The registry's fault in the words of STS.
    init(_ error: IdentityError) {
        let code: Code =
            switch error.code {
            case .invalidValue: .validation
            case .expired, .expiredToken: .expiredToken
            default: .accessDenied
            }
        self.init(code, error.message, hint: error.hint)
    }

    func response(_ request: Request) -> Response {
        var writer = XMLWriter()
        writer.element("ErrorResponse", attributes: Self.namespace) { writer in
            writer.element("Error") { writer in
                writer.element("Type", code.status >= 500 ? "Receiver" : "Sender")
                writer.element("Code", code.rawValue)
                writer.element("Message", hint.map { "\(message); \($0)" } ?? message)
            }
            writer.element("RequestId", request.requestID)
        }
        return Response(status: code.status, contentType: "text/xml", bytes: writer.bytes)
    }
}
