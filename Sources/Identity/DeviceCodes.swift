import Platform
package import Authority
import SQLite

/// What a device shows and polls with. Source: RFC 8628 section 3.2.
package struct DeviceAuthorization: Sendable {
    package let deviceCode: String
    /// What the person types, such as `BCDF-GHJK`.
    package let userCode: String
    package let expiresInSeconds: Int64
    package let intervalSeconds: Int64
}

extension IdentityRegistry {
    private static let pollMicroseconds: Int64 = 5_000_000

    /// Begins the flow for a device without a browser.
    package func startDeviceAuthorization(
        _ context: RequestContext, client: Client, scope: String
    ) throws -> DeviceAuthorization {
        let deviceCode = newSecret()
        // No vowels, so no words; 20^8 are 34 bits, tried a few times in ten minutes.
        let letters = Array("BCDFGHJKLMNPQRSTVWXZ")
        let picked = (0..<8).map { _ in letters[Int(entropy.below(20))] }
        let userCode = String(picked[..<4]) + "-" + String(picked[4...])
        try database.write { tx in
            try tx.run(
                """
                INSERT INTO device_codes (device_hash, user_code, client_id, scope, expires_us)
                VALUES (?, ?, ?, ?, ?)
                """, hash(deviceCode), userCode, client.id, scope,
                tx.nowMicroseconds + configuration.deviceCodeLifetime.wholeMicroseconds)
        }
        return DeviceAuthorization(
            deviceCode: deviceCode, userCode: userCode,
            expiresInSeconds: configuration.deviceCodeLifetime.components.seconds,
            intervalSeconds: Self.pollMicroseconds / 1_000_000)
    }

    /// Records what the person who is logged in said to the code on the device's screen.
    /// Throws `.notFound` for a wrong or expired code, `.throttled`.
    package func answerDevice(
        _ context: RequestContext, userCode: String, isAllowed: Bool, address: String
    ) throws {
        try checkThrottle(name: "device code", address: address)
        let code = userCode.uppercased().filter { $0.isLetter }
        let full = code.count == 8 ? "\(code.prefix(4))-\(code.suffix(4))" : code
        let found = try database.write { tx in
            try tx.run(
                """
                UPDATE device_codes SET account_id = ?, is_refused = ?
                WHERE user_code = ? AND expires_us > ? AND account_id IS NULL
                """, context.principal.id, !isAllowed, full, tx.nowMicroseconds) == 1
        }
        guard found else {
            throttle.recordFailure(name: "device code", address: address, now: nowMicroseconds)
            throw IdentityError(
                code: .notFound, message: "no device waits with this code",
                hint: "look at the device again; codes live for ten minutes")
        }
    }

    /// What a device gets when it polls. Throws `.authorizationPending`, `.slowDown`,
    /// `.refusedByUser`, `.expiredToken`, `.invalidGrant`.
    package func redeemDeviceCode(
        _ context: RequestContext, deviceCode: String, client: Client
    ) throws -> GrantedAccess {
        let outcome = try database.write {
            tx -> Result<(account: String, scope: String), IdentityError> in
            let row = try tx.first(
                """
                SELECT account_id, is_refused, expires_us, polled_us, scope FROM device_codes
                WHERE device_hash = ? AND client_id = ?
                """, hash(deviceCode), client.id
            ) { row in
                (
                    account: row.stringOrNil(0), isRefused: row.bool(1), expires: row.int64(2),
                    polled: row.int64OrNil(3), scope: row.string(4)
                )
            }
            guard let row else {
                return .failure(
                    IdentityError(code: .invalidGrant, message: "the device code is not known"))
            }
            let now = tx.nowMicroseconds
            guard row.expires > now else {
                return .failure(
                    IdentityError(code: .expiredToken, message: "the device code has expired"))
            }
            guard let account = row.account else {
                try tx.run(
                    "UPDATE device_codes SET polled_us = ? WHERE device_hash = ?", now,
                    hash(deviceCode))
                let isEarly = row.polled.map { now - $0 < Self.pollMicroseconds } ?? false
                return .failure(
                    IdentityError(
                        code: isEarly ? .slowDown : .authorizationPending,
                        message: "nobody has answered yet"))
            }
            try tx.run("DELETE FROM device_codes WHERE device_hash = ?", hash(deviceCode))
            guard !row.isRefused else {
                return .failure(
                    IdentityError(code: .refusedByUser, message: "the person refused"))
            }
            return .success((account, row.scope))
        }
        let granted = try outcome.get()
        let principal = try activePrincipal(granted.account)
        return GrantedAccess(
            principal: principal, scope: granted.scope, nonce: nil,
            authenticatedMicroseconds: nowMicroseconds,
            refreshToken: try createRefreshToken(
                context, client: client, principal: principal, scope: granted.scope))
    }
}
