import JSON
import Authority
import Cryptography
import SQLite

/// Everything that decisions and tokens need, read in one transaction and never changed.
final class DirectorySnapshot: Sendable {
    struct Account: Sendable {
        let principal: Principal
        let tenant: String
        let displayName: String
        let email: String?
        let isDisabled: Bool
    }

    struct TenantName: Hashable, Sendable {
        let tenant: String
        let name: String
    }

    struct CompiledGrant: Sendable {
        let role: String
        let isDenial: Bool
        let pattern: ResourcePattern
        let rowFilter: String?
        let columnMasks: [String: String]
    }

    /// The generation of the directory that was read.
    let generation: UInt64
    let accounts: [String: Account]
    let accountIDs: [TenantName: String]
    /// Grants by role, then by action.
    let grants: [TenantName: [Action: [CompiledGrant]]]
    let signingKey: SigningKey?
    let verificationKeys: [String: VerificationKey]
    let revokedTokens: Set<String>
    private let policiesByTenant: [String: PolicyIndex]

    /// Reads the directory; `unseal` opens a kept signing key.
    init(
        _ tx: ReadTransaction, generation: UInt64, nowMicroseconds: Int64,
        unseal: (_ id: String, _ sealed: [UInt8]) throws -> SigningKey
    ) throws {
        self.generation = generation
        accounts = try Self.readAccounts(tx)
        var ids: [TenantName: String] = [:]
        for (id, account) in accounts {
            ids[TenantName(tenant: account.tenant, name: account.principal.name)] = id
        }
        accountIDs = ids
        grants = try Self.readGrants(tx)
        var current: SigningKey?
        var keys: [String: VerificationKey] = [:]
        let rows = try tx.query(
            "SELECT id, sealed_key, retired_us FROM signing_keys ORDER BY created_us, id"
        ) { (id: $0.string(0), sealed: $0.bytes(1), isRetired: !$0.isNull(2)) }
        for row in rows {
            let key = try unseal(row.id, row.sealed)
            keys[key.id] = key.verificationKey
            if !row.isRetired { current = key }
        }
        signingKey = current
        verificationKeys = keys
        revokedTokens = Set(
            try tx.query("SELECT id FROM revoked_tokens WHERE expires_us > ?", nowMicroseconds) {
                $0.string(0)
            })
        var policies: [String: PolicyIndex] = [:]
        for tenant in try tx.query(
            "SELECT tenant FROM policies UNION SELECT tenant FROM tags", row: { $0.string(0) })
        { policies[tenant] = try PolicyIndex(tx, tenant: tenant) }
        policiesByTenant = policies
    }

    /// The policies of a tenant.
    func policies(_ tenant: String) -> PolicyIndex { policiesByTenant[tenant] ?? PolicyIndex() }

    /// The principal with the groups and roles of this moment, not of when its token was made.
    func present(_ principal: Principal) -> Principal {
        accounts[principal.id]?.principal ?? principal
    }

    /// The account of a name in a tenant.
    func account(named name: String, tenant: String) -> Account? {
        accountIDs[TenantName(tenant: tenant, name: name)].flatMap { accounts[$0] }
    }

    private static func readAccounts(_ tx: ReadTransaction) throws -> [String: Account] {
        var groups: [String: [String]] = [:]
        try tx.each(
            """
            SELECT m.account_id, g.name FROM memberships m JOIN groups g ON g.id = m.group_id
            ORDER BY g.name
            """
        ) { row in
            groups[row.string(0), default: []].append(row.string(1))
            return true
        }
        // The roles of an account are its own and those of its groups.
        var roles: [String: [String]] = [:]
        try tx.each(
            """
            SELECT a.account_id, r.name FROM account_roles a JOIN roles r ON r.id = a.role_id
            UNION
            SELECT m.account_id, r.name FROM memberships m
            JOIN group_roles g ON g.group_id = m.group_id JOIN roles r ON r.id = g.role_id
            ORDER BY 2
            """
        ) { row in
            roles[row.string(0), default: []].append(row.string(1))
            return true
        }
        var accounts: [String: Account] = [:]
        try tx.each(
            "SELECT id, tenant, name, kind, display_name, email, is_disabled FROM accounts"
        ) { row in
            let id = row.string(0)
            accounts[id] = Account(
                principal: Principal(
                    id: id, name: row.string(2),
                    kind: row.string(3) == "service" ? .service : .user,
                    groups: groups[id] ?? [], roles: roles[id] ?? []),
                tenant: row.string(1), displayName: row.string(4), email: row.stringOrNil(5),
                isDisabled: row.bool(6))
            return true
        }
        return accounts
    }

    private static func readGrants(
        _ tx: ReadTransaction
    ) throws -> [TenantName: [Action: [CompiledGrant]]] {
        var grants: [TenantName: [Action: [CompiledGrant]]] = [:]
        try tx.each(
            """
            SELECT r.tenant, r.name, g.effect, g.actions, g.resource, g.row_filter, g.column_masks
            FROM grants g JOIN roles r ON r.id = g.role_id ORDER BY g.created_us, g.id
            """
        ) { row in
            let role = TenantName(tenant: row.string(0), name: row.string(1))
            let grant = CompiledGrant(
                role: role.name, isDenial: row.string(2) == "deny",
                pattern: try ResourcePattern(row.string(4)), rowFilter: row.stringOrNil(5),
                columnMasks: try decodeMap(row.string(6)))
            var actions: Set<Action> = []
            for text in try decodeList(row.string(3)) {
                actions.formUnion(try ActionPattern(text).actions)
            }
            for action in actions { grants[role, default: [:]][action, default: []].append(grant) }
            return true
        }
        return grants
    }
}
