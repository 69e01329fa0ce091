import Authority
import Bytes
import CivilTime
import Cryptography
import DiskObjectStorage
import HTTPMessages
import Identity
import ObjectStorage
import Platform
import XML

/// Gives out credentials that expire, and says who asks.
///
///     POST /   Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/analyst&Policy=…
///
/// A role is one that the caller holds: assuming it leaves the others behind. A session's policy narrows
/// further. A credential that is limited already makes no other, so that nobody widens what was given.
///
/// Source: AWS Security Token Service API Reference.
struct TokenService: Sendable {
    private let registry: IdentityRegistry
    private let clock: any WallClock
    private let region: String
    private let keys: SigningKeys
    /// Of the request's form.
    private static let formBytes = 64 * 1024
    private static let policyBytes = 4096

    init(
        registry: IdentityRegistry, clock: any WallClock, region: String, keys: SigningKeys
    ) {
        self.registry = registry
        self.clock = clock
        self.region = region
        self.keys = keys
    }

    /// Whether a request is for STS and not for S3, which share a port.
    func isMeant(_ request: Request, _ target: S3Target) -> Bool {
        guard target.scope == .service else { return false }
        return request.method == .post || target.query["Action"] != nil
    }

    func respond(
        to request: Request,
        find: (String, _ sessionToken: String?) throws(S3Error) -> S3Credential
    ) -> Response {
        do {
            return try answer(request, find)
        } catch let error as TokenServiceError {
            return error.response(request)
        } catch let error as S3Error {
            return TokenServiceError(error).response(request)
        } catch let error as IdentityError {
            return TokenServiceError(error).response(request)
        } catch {
            return TokenServiceError(.internalFailure, "something failed inside: \(error)")
                .response(request)
        }
    }

    private func answer(
        _ request: Request,
        _ find: (String, _ sessionToken: String?) throws(S3Error) -> S3Credential
    ) throws -> Response {
        let bytes: [UInt8]
        do { bytes = try request.body.readAll(limit: Self.formBytes) } catch {
            throw TokenServiceError(.validation, "the form cannot be read: \(error)")
        }
        guard let query = QueryItems(parsing: request.rawQuery),
            let form = QueryItems(
                parsing: String(decoding: bytes, as: UTF8.self).replacing("+", with: "%20"))
        else { throw TokenServiceError(.validation, "the form cannot be read") }
        let parameter = { (name: String) in form[name] ?? query[name] }
        guard let action = parameter("Action") else {
            throw TokenServiceError(.validation, "the parameter Action is missing")
        }
        if action == "AssumeRoleWithWebIdentity" {
            return try assumeRoleWithWebIdentity(request, parameter)
        }
        let claim = try SignatureV4(
            request, query: query, nowSeconds: clock.now().seconds,
            bodyHash: hexText(Digest.sha256(bytes)))
        guard let claim else {
            throw TokenServiceError(
                .missingAuthenticationToken, "Request is missing Authentication Token")
        }
        guard isOfRegion(claim.region, region) else {
            throw TokenServiceError(
                .signatureDoesNotMatch,
                "Credential should be scoped to a valid region; expecting '\(region)'")
        }
        let credential = try find(claim.accessKey, claim.sessionToken)
        let signature = try claim.verify(
            request, query: query, secret: credential.secret, keys: keys)
        // A signed hash that is not the body's would let the form be exchanged on the way.
        guard signature.payload == .hash(hexText(Digest.sha256(bytes))) else {
            throw TokenServiceError(
                .signatureDoesNotMatch, "the signature is of another body")
        }
        switch action {
        case "GetCallerIdentity": return callerIdentity(request, credential)
        case "GetSessionToken": return try sessionToken(request, credential, parameter)
        case "AssumeRole": return try assumeRole(request, credential, parameter)
        default:
            throw TokenServiceError(.invalidAction, "Could not find operation \(action)")
        }
    }

    // MARK: Actions

    private func callerIdentity(_ request: Request, _ credential: S3Credential) -> Response {
        let principal = credential.principal
        var arn = StorageNames.user(principal.name)
        var id = principal.id
        if let role = credential.assumedRole {
            let session = credential.sessionName ?? principal.name
            arn = StorageNames.assumedRole(role, session: session)
            id = StorageNames.sessionID(role, session: session)
        }
        return result(request, "GetCallerIdentity") { writer in
            writer.element("Arn", arn)
            writer.element("UserId", id)
            writer.element("Account", StorageNames.account)
        }
    }

    private func sessionToken(
        _ request: Request, _ credential: S3Credential, _ parameter: (String) -> String?
    ) throws -> Response {
        guard !credential.isTemporary else {
            throw TokenServiceError(
                .accessDenied, "Cannot call GetSessionToken with session credentials")
        }
        let made = try registry.temporaryCredential(
            context(credential.principal, request),
            lifetime: try lifetime(parameter, usual: 43_200))
        return result(request, "GetSessionToken") { write(&$0, made) }
    }

    private func assumeRole(
        _ request: Request, _ credential: S3Credential, _ parameter: (String) -> String?
    ) throws -> Response {
        guard credential.covers == nil, credential.policy == nil else {
            throw TokenServiceError(
                .accessDenied, "a credential that is limited makes no other",
                hint: "use the access key itself")
        }
        guard let arn = parameter("RoleArn"), let role = Self.role(arn) else {
            throw TokenServiceError(
                .validation, "RoleArn is \(StorageNames.role("NAME")), of a role that you hold")
        }
        if let held = credential.assumedRole, held != role {
            throw TokenServiceError(
                .accessDenied, "the session of role \(held) cannot assume role \(role)")
        }
        return try assumed(
            request, "AssumeRole", credential.principal, role: role, parameter)
    }

    private func assumeRoleWithWebIdentity(
        _ request: Request, _ parameter: (String) -> String?
    ) throws -> Response {
        guard let token = parameter("WebIdentityToken"), !token.isEmpty else {
            throw TokenServiceError(.validation, "the parameter WebIdentityToken is missing")
        }
        let anonymous = context(.anonymous, request)
        let identity: BearerIdentity
        do {
            identity = try registry.authenticate(anonymous, bearer: token)
        } catch let error as IdentityError {
            switch error.code {
            case .expiredToken:
                throw TokenServiceError(.expiredToken, error.message, hint: error.hint)
            case .disabled:
                throw TokenServiceError(.accessDenied, error.message, hint: error.hint)
            default:
                throw TokenServiceError(.invalidIdentityToken, error.message, hint: error.hint)
            }
        }
        guard TokenScope.opens(.sts, identity.claims.scope) else {
            throw TokenServiceError(.accessDenied, "the token does not open this door")
        }
        // Without a role the session has all that the token's holder has.
        let role = try parameter("RoleArn").map { arn in
            guard let role = Self.role(arn) else {
                throw TokenServiceError(
                    .validation, "RoleArn is \(StorageNames.role("NAME")): \(arn)")
            }
            return role
        }
        return try assumed(
            request, "AssumeRoleWithWebIdentity", identity.principal, role: role, parameter,
            subject: identity.claims.subject)
    }

    private func assumed(
        _ request: Request, _ action: String, _ principal: Principal, role: String?,
        _ parameter: (String) -> String?, subject: String? = nil
    ) throws -> Response {
        if let role, !principal.roles.contains(role) {
            throw TokenServiceError(
                .accessDenied, "\(principal.name) does not hold the role \(role)",
                hint: "ask an administrator for it")
        }
        let session = parameter("RoleSessionName") ?? principal.name
        guard (2...64).contains(session.utf8.count),
            session.utf8.allSatisfy({ byte in
                (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte >= 0x30 && byte <= 0x39
                    || "_=,.@-".utf8.contains(byte)
            })
        else {
            throw TokenServiceError(
                .validation, "RoleSessionName has 2 to 64 letters, digits and _=,.@-")
        }
        // To pass over a restriction would give more than was asked for.
        guard parameter("PolicyArns.member.1.arn") == nil else {
            throw TokenServiceError(
                .validation,
                "PolicyArns is not supported: there are no managed policies here; "
                    + "say the session's policy in Policy")
        }
        let policy = parameter("Policy").flatMap { $0.isEmpty ? nil : $0 }
        if let policy {
            guard policy.utf8.count <= Self.policyBytes else {
                throw TokenServiceError(
                    .packedPolicyTooLarge,
                    "a session's policy has at most \(Self.policyBytes) bytes")
            }
            do { _ = try PolicyDocument(text: policy, kind: .session) } catch {
                throw TokenServiceError(.malformedPolicyDocument, error.message)
            }
        }
        let made = try registry.temporaryCredential(
            context(principal, request), lifetime: try lifetime(parameter, usual: 3600),
            session: SessionLimits(role: role, policy: policy, name: session))
        return result(request, action) { writer in
            write(&writer, made)
            if let subject { writer.element("SubjectFromWebIdentityToken", subject) }
            writer.element("AssumedRoleUser") { writer in
                writer.element(
                    "AssumedRoleId", StorageNames.sessionID(role ?? principal.id, session: session))
                writer.element(
                    "Arn", StorageNames.assumedRole(role ?? principal.name, session: session))
            }
        }
    }

    // MARK: Parts

    /// The name in `arn:aws:iam::…:role/NAME`, whatever the account.
    private static func role(_ arn: String) -> String? {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "iam",
            parts[5].hasPrefix("role/"), parts[5].utf8.count > 5
        else { return nil }
        return String(parts[5].dropFirst(5))
    }

    private func lifetime(
        _ parameter: (String) -> String?, usual: Int
    ) throws(TokenServiceError) -> Duration {
        guard let text = parameter("DurationSeconds") else { return .seconds(usual) }
        guard let seconds = Int(text), (60...43_200).contains(seconds) else {
            throw TokenServiceError(.validation, "DurationSeconds is from 60 to 43200: \(text)")
        }
        return .seconds(seconds)
    }

    private func context(_ principal: Principal, _ request: Request) -> RequestContext {
        RequestContext(principal: principal, requestID: request.requestID, door: .sts)
    }

    private func write(_ writer: inout XMLWriter, _ made: TemporaryCredential) {
        writer.element("Credentials") { writer in
            writer.element("AccessKeyId", made.accessKeyID)
            writer.element("SecretAccessKey", made.secretAccessKey)
            writer.element("SessionToken", made.sessionToken)
            writer.element(
                "Expiration", CivilFormat.rfc3339(utc: made.expiresMicroseconds, precision: 0))
        }
    }

    private func result(
        _ request: Request, _ action: String, _ content: (inout XMLWriter) -> Void
    ) -> Response {
        var writer = XMLWriter()
        writer.element(action + "Response", attributes: TokenServiceError.namespace) { writer in
            writer.element(action + "Result") { content(&$0) }
            writer.element("ResponseMetadata") { $0.element("RequestId", request.requestID) }
        }
        return Response(status: 200, contentType: "text/xml", bytes: writer.bytes)
    }
}
