import Authority
import DiskObjectStorage
import HTTPMessages
import IcebergAPI
import Identity
import IdentityAPI
import Ledger
import ObjectStorage
import Platform
import S3API
import Synchronization

/// Decisions of the authorizer into the ledger. Attached after both are open, since each needs the other.
final class LedgerRecorder: DecisionRecorder {
    private let ledger = Mutex<AuditLedger?>(nil)

    func attach(_ ledger: AuditLedger) { self.ledger.withLock { $0 = ledger } }

    func record(
        _ context: RequestContext, _ action: Action, _ resource: Resource, _ decision: Decision
    ) {
        ledger.withLock { $0 }?.record(context, action, resource, decision)
    }

    func settle() { ledger.withLock { $0 }?.settle() }
}

/// S3 access keys out of the identity registry.
struct RegistryCredentials: S3CredentialSource {
    let registry: IdentityRegistry

    func credential(forAccessKey id: String, sessionToken: String?) -> S3CredentialLookup {
        let context = RequestContext(principal: .anonymous, requestID: "s3", door: .s3)
        do {
            let found = try registry.secret(context, forAccessKey: id, sessionToken: sessionToken)
            var scope = found.scope
            let warrant = warrant(of: found, &scope)
            let (limits, isWarranted) = (scope, warrant != nil)
            let covers = limits.map { scope in
                { @Sendable (action: Action, bucket: String, key: String) in
                    guard scope.allows(action, bucket: bucket, key: key) else { return false }
                    // The warrant speaks for the whole request: it must not reach where it says nothing.
                    return !isWarranted || scope.isOwn(bucket: bucket, key: key)
                        || isGranted(action, bucket, key, to: found)
                }
            }
            var credential = S3Credential(
                secret: found.secret, principal: found.principal, covers: covers)
            credential.warrant = warrant
            if let session = found.session {
                credential.isTemporary = true
                credential.assumedRole = session.role
                credential.sessionName = session.name
                // Only what was read once is sealed into a token.
                credential.policy = try session.policy.map {
                    try PolicyDocument(text: $0, kind: .session)
                }
            }
            return .found(credential)
        } catch let error as IdentityError {
            switch error.code {
            case .expired, .expiredToken: return .expired
            case .disabled: return .disabled
            case .invalidToken: return .invalidToken
            default: return .unknown
            }
        } catch { return .unknown }
    }
}

/// Bearer tokens for the catalog.
struct RegistryBearers: BearerAuthenticator {
    let registry: IdentityRegistry

    func principal(forBearerToken token: String) -> Principal? {
        let context = RequestContext(principal: .anonymous, requestID: "catalog", door: .catalog)
        return (try? registry.authenticate(context, bearer: token))?.principal
    }
}

extension RegistryCredentials {
    /// What a credential that the catalog handed out rests on: the right to its table, as it stands now
    /// and not when it was made. Who may no longer write gets a scope that reads. There is none for
    /// places that the table's owner chose, nor for who sees only a part of the table.
    private func warrant(of found: SigningSecret, _ scope: inout CredentialScope?) -> String? {
        guard let table = scope?.table, !table.isEmpty else { return nil }
        let hasOwn = scope?.areas.contains(where: \.isOwn) ?? false
        let context = RequestContext(
            principal: found.principal, requestID: "vended", door: .s3)
        let resource = Resource(tenant: context.tenant, kind: .table, path: table)
        func may(_ action: Action) -> Bool {
            registry.quietAuthorizer.decide(context, action, resource).isAllowed
        }
        if ![Action.tableInsert, .tableUpdate, .tableDelete].contains(where: may) {
            scope?.isReadOnly = true
        }
        let reading = registry.quietAuthorizer.decide(context, .tableSelect, resource)
        guard hasOwn, reading.isAllowed, !reading.isRestricted else { return nil }
        return "the right to the table \(table.joined(separator: "."))"
    }

    /// Whether the principal's own grants allow it, whatever the credential is for.
    private func isGranted(
        _ action: Action, _ bucket: String, _ key: String, to found: SigningSecret
    ) -> Bool {
        var context = RequestContext(principal: found.principal, requestID: "vended", door: .s3)
        context.assumedRole = found.session?.role
        let isOfBucket = action == .objectList || key.isEmpty
        return registry.quietAuthorizer.decide(
            context, action,
            Resource(
                tenant: context.tenant, kind: isOfBucket ? .bucket : .object,
                path: key.isEmpty ? [bucket] : [bucket, key])
        ).isAllowed
    }
}

/// Storage credentials for a table's files, limited to them.
struct RegistryVendor: CredentialVendor {
    let registry: IdentityRegistry
    let lifetimeMilliseconds: Int64 = 3_600_000

    func credentials(
        _ context: RequestContext, table: [String], locations: [String], own: [String],
        canWrite: Bool
    ) throws -> VendedCredentials {
        let areas = locations.compactMap { place in
            ObjectLocation(uri: place + "/").map {
                CredentialScope.Area(
                    bucket: $0.bucket, prefix: $0.key, isOwn: own.contains(place))
            }
        }
        let made = try registry.temporaryCredential(
            context, scope: CredentialScope(areas: areas, isReadOnly: !canWrite, table: table),
            lifetime: .milliseconds(lifetimeMilliseconds))
        return VendedCredentials(
            properties: [
                "s3.access-key-id": made.accessKeyID, "s3.secret-access-key": made.secretAccessKey,
                "s3.session-token": made.sessionToken,
                "s3.session-token-expires-at-ms": "\(made.expiresMicroseconds / 1000)",
            ], expiresMilliseconds: made.expiresMicroseconds / 1000)
    }
}
