import JSON
import Synchronization
import Platform
package import Authority
import Bytes
import Cryptography
import SQLite

extension IdentityRegistry {
    /// Who the value of an `Authorization` field stands for: Basic or Bearer.
    ///
    /// Throws `.wrongCredentials`, `.throttled`, `.disabled`, `.invalidToken`, `.expiredToken`.
    package func authenticate(
        _ context: RequestContext, authorization value: String, address: String
    ) throws -> Principal {
        let halves = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard halves.count == 2 else { throw IdentityError.wrongCredentials }
        let credential = String(halves[1].drop { $0 == " " })
        switch halves[0].lowercased() {
        case "bearer": return try authenticate(context, bearer: credential).principal
        case "basic": return try authenticate(context, basic: credential, address: address)
        default:
            throw IdentityError(
                code: .wrongCredentials, message: "the authorization scheme is not known",
                hint: "use Basic or Bearer")
        }
    }

    /// Who the base64 of `name:password` stands for. Source: RFC 7617.
    package func authenticate(
        _ context: RequestContext, basic credential: String, address: String
    ) throws -> Principal {
        guard credential.utf8.count <= Limits.tokenBytes, let bytes = base64Bytes(credential),
            let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { throw IdentityError.wrongCredentials }
        return try authenticate(
            context, name: String(text[..<colon]),
            password: String(text[text.index(after: colon)...]),
            address: address)
    }

    /// Who a name and a password stand for. The password may also be the secret of an application
    /// credential of that account, under the account's name or the credential's id, or one of the
    /// account's access tokens, since many clients can send nothing but a password.
    package func authenticate(
        _ context: RequestContext, name: String, password: String, address: String
    ) throws -> Principal {
        guard name.utf8.count <= Limits.nameBytes, password.utf8.count <= Limits.tokenBytes else {
            throw IdentityError.wrongCredentials
        }
        try checkThrottle(name: name, address: address)
        let known = generation.load(ordering: .acquiring)
        let memoryKey = HMAC.sha256(
            key: passwordMemoryKey, "\(context.tenant)\u{0}\(name)\u{0}\(password)")
        if let verified = memory.withLock({ $0.verifiedPasswords[memoryKey] }),
            verified.generation == known
        {
            touch(.account(verified.accountID))
            return try activePrincipal(verified.accountID)
        }
        guard let accountID = try verifiedAccount(context, name, password) else {
            throttle.recordFailure(name: name, address: address, now: nowMicroseconds)
            try database.writeGrouped { tx in
                try emit(
                    tx, context, "identity.login.failed", "users", String(name.prefix(64)),
                    [("address", .string(address))])
            }
            throw IdentityError.wrongCredentials
        }
        let principal = try activePrincipal(accountID)
        throttle.recordSuccess(name: name, address: address)
        // What expires is not remembered: only the account's own password.
        if !password.hasPrefix("lhs_"), !password.hasPrefix("eyJ") {
            memory.withLock { memory in
                if memory.verifiedPasswords.count >= Limits.verifiedTokens {
                    memory.verifiedPasswords = [:]
                }
                memory.verifiedPasswords[memoryKey] = VerifiedPassword(
                    accountID: accountID, generation: known)
            }
        }
        touch(.account(accountID))
        return principal
    }

    /// Throws `.throttled` while the name or the address has to wait.
    func checkThrottle(name: String, address: String) throws {
        guard
            let seconds = throttle.waitSeconds(name: name, address: address, now: nowMicroseconds)
        else { return }
        throw IdentityError(
            code: .throttled, message: "too many wrong credentials",
            hint: "wait \(seconds) seconds and try again", retryAfterSeconds: seconds)
    }

    private func verifiedAccount(
        _ context: RequestContext, _ name: String, _ password: String
    ) throws -> String? {
        if password.hasPrefix("eyJ"),
            let bearer = try? authenticate(context, bearer: password),
            bearer.principal.name == name
        {
            return bearer.principal.id
        }
        if let found = try applicationClient(secret: password) {
            let owner = try snapshot().accounts[found.accountID]
            if found.client.id == name || owner?.principal.name == name {
                touch(.client(found.client.id))
                return found.accountID
            }
        }
        let row = try database.read { tx in
            try tx.first(
                """
                SELECT id, password FROM accounts
                WHERE tenant = ? AND name = ? AND password IS NOT NULL
                """, context.tenant, name
            ) { (id: $0.string(0), password: $0.string(1)) }
        }
        hashing.acquire()
        defer { hashing.release() }
        guard let row else {
            // As slow as for a name that exists, so that the time does not tell.
            _ = try PasswordHash(
                password: password, salt: [UInt8](repeating: 0, count: 16),
                cost: configuration.passwordCost)
            return nil
        }
        return try PasswordHash(text: row.password).matches(password) ? row.id : nil
    }
}
