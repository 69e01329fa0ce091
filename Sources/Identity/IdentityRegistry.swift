import Authority
import Bytes
import Cryptography
import JSON
package import Platform
package import SQLite
import Synchronization

/// The directory of people, groups, roles, clients and keys, and the issuer of their tokens.
package final class IdentityRegistry: Sendable {
    /// The file behind it, whose outbox tells every change.
    package let database: Database
    package let configuration: IdentityConfiguration
    let clock: any WallClock
    let entropy: any Entropy
    let sealingKey: SealingKey
    /// Makes the secrets of temporary credentials from their ids.
    let temporaryKey: [UInt8]
    let throttle = LoginThrottle()
    let hashing = Semaphore(permits: Limits.concurrentHashes)
    /// Under which verified passwords are remembered; of this process only.
    let passwordMemoryKey: [UInt8]

    struct Memory {
        var snapshot: DirectorySnapshot?
        /// Opened signing keys by id: opening costs more than remembering.
        var signingKeys: [String: SigningKey] = [:]
        var lastUsed: [LastUsed: Int64] = [:]
        /// Passwords that were right, so that Basic on each request costs no scrypt.
        var verifiedPasswords: [[UInt8]: VerifiedPassword] = [:]
        var verifiedTokens: [[UInt8]: TokenClaims] = [:]
        var accessKeys: [String: KeptAccessKey] = [:]
        var accessKeysGeneration: UInt64 = 0
    }

    enum LastUsed: Hashable {
        case account(String), accessKey(String), client(String)
    }

    struct VerifiedPassword {
        let accountID: String
        let generation: UInt64
    }

    /// Rises after each commit that changes what decisions or credentials depend on.
    let generation = Atomic<UInt64>(1)
    let memory = Mutex(Memory())
    private let recorder: (any DecisionRecorder)?

    /// Opens or creates `identity.sqlite` and `master.key` in the directory.
    ///
    /// The first start makes the built-in roles and a signing key. Throws `.masterKey` when the key is
    /// missing or is not the one that the secrets were sealed with.
    package init(
        directory: String, configuration: IdentityConfiguration = IdentityConfiguration(),
        files: any FileSystem = LocalFileSystem(), clock: any WallClock = SystemWallClock(),
        entropy: any Entropy = SystemEntropy(), recorder: (any DecisionRecorder)? = nil
    ) throws {
        self.configuration = configuration
        self.clock = clock
        self.entropy = entropy
        self.recorder = recorder
        database = try Database(
            path: directory + "/identity.sqlite", migrations: identityMigrations,
            nowMicroseconds: { clock.now().microseconds })
        let master = try Self.openMasterKey(
            path: directory + "/master.key", files: files, entropy: entropy, database: database)
        sealingKey = try SealingKey(master)
        temporaryKey = HMAC.sha256(key: master, "temporary credentials, version 1")
        passwordMemoryKey = entropy.bytes(32)
        try prepareFirstStart()
    }

    /// The product's decision point.
    package var authorizer: PolicyAuthorizer {
        PolicyAuthorizer(registry: self, recorder: recorder)
    }

    /// Decides as `authorizer` does and leaves no trail: for answers to "who may?".
    package var quietAuthorizer: PolicyAuthorizer {
        PolicyAuthorizer(registry: self, recorder: nil)
    }

    /// Writes what is buffered (when credentials were last used). Call every minute or so.
    package func flush() throws {
        let stamps = memory.withLock { memory in
            defer { memory.lastUsed = [:] }
            return memory.lastUsed
        }
        guard !stamps.isEmpty else { return }
        try database.writeGrouped { tx in
            for (subject, time) in stamps {
                switch subject {
                case .account(let id):
                    try tx.run("UPDATE accounts SET last_used_us = ? WHERE id = ?", time, id)
                case .accessKey(let id):
                    try tx.run("UPDATE access_keys SET last_used_us = ? WHERE id = ?", time, id)
                case .client(let id):
                    try tx.run("UPDATE clients SET last_used_us = ? WHERE id = ?", time, id)
                }
            }
        }
    }

    /// Removes what has expired: sessions, links, codes, tokens, and signing keys whose tokens are
    /// gone; access keys and application credentials a week later, so that until then their users are
    /// told why they are refused. Call now and then.
    package func removeExpired() throws {
        let now = nowMicroseconds
        // A retired key must verify for as long as a token that it signed may live.
        let retired = now - configuration.accessTokenLifetime.wholeMicroseconds * 2
        try database.write { tx in
            for table in [
                "sessions", "login_links", "authorization_codes", "refresh_tokens", "device_codes",
                "revoked_tokens",
            ] { try tx.run("DELETE FROM \(table) WHERE expires_us <= ?", now) }
            try tx.run("DELETE FROM signing_keys WHERE retired_us <= ?", retired)
            let week = now - Limits.expiredKeptMicroseconds
            try tx.run("DELETE FROM access_keys WHERE expires_us <= ?", week)
            try tx.run(
                "DELETE FROM clients WHERE expires_us <= ? AND kind = ?", week,
                Client.Kind.application.rawValue)
            changed(tx)
        }
    }

    /// Writes what is buffered and closes the file.
    package func close() throws {
        try flush()
        database.close()
    }

    /// The registry's time, in microseconds since 1970.
    package var currentMicroseconds: Int64 { nowMicroseconds }

    // MARK: For the verbs

    var nowMicroseconds: Int64 { clock.now().microseconds }

    /// The directory as of the last committed change.
    func snapshot() throws -> DirectorySnapshot {
        let wanted = generation.load(ordering: .acquiring)
        if let kept = memory.withLock({ $0.snapshot }), kept.generation >= wanted { return kept }
        let now = nowMicroseconds
        let fresh = try database.read { tx in
            try DirectorySnapshot(tx, generation: wanted, nowMicroseconds: now) { id, sealed in
                try openSigningKey(id: id, sealed: sealed)
            }
        }
        memory.withLock { memory in
            if (memory.snapshot?.generation ?? 0) < fresh.generation { memory.snapshot = fresh }
        }
        return fresh
    }

    /// Marks the snapshot and the remembered credentials stale once the transaction is on the disk.
    func changed(_ tx: WriteTransaction) {
        tx.afterCommit { self.generation.wrappingAdd(1, ordering: .acquiringAndReleasing) }
    }

    /// Writes the event that tells of a change.
    func emit(
        _ tx: WriteTransaction, _ context: RequestContext, _ kind: String, _ subject: String,
        _ name: String, _ detail: [(String, JSONValue)] = []
    ) throws {
        let payload: JSONValue = .object([
            ("principal", .string(context.principal.id)),
            ("principalName", .string(context.principal.name)),
            ("door", .string(context.door.rawValue)), ("requestID", .string(context.requestID)),
            ("action", .string(kind)), ("resource", .string("\(subject)/\(name)")),
            ("decision", "allowed"), ("detail", .object(detail)),
        ])
        try tx.emit(tenant: context.tenant, kind: kind, payload: payload.encodedText())
    }

    func requireAdministration(
        _ context: RequestContext, _ subject: String, _ name: String
    ) throws {
        try authorizer.require(
            context, .identityAdminister,
            Resource(tenant: context.tenant, kind: .identity, path: [subject, name]))
    }

    func requireView(_ context: RequestContext, _ subject: String) throws {
        try authorizer.require(
            context, .identityView,
            Resource(tenant: context.tenant, kind: .identity, path: [subject]))
    }

    /// What people do to their own account needs no grant.
    func requireAdministrationUnlessOwn(
        _ context: RequestContext, accountID: String, _ subject: String, _ name: String
    ) throws {
        let isOwn =
            context.principal.id == accountID
            && (context.principal.kind == .user || context.principal.kind == .service)
        if !isOwn { try requireAdministration(context, subject, name) }
    }

    func newID(_ prefix: String) -> String { "\(prefix)_\(entropy.hex(bytes: 12))" }

    /// 256 random bits for links, codes and cookies.
    func newSecret(_ prefix: String = "") -> String {
        prefix + base64Text(entropy.bytes(32), alphabet: .url)
    }

    func hash(_ secret: String) -> [UInt8] { Digest.sha256(secret) }

    func touch(_ subject: LastUsed) {
        let now = nowMicroseconds
        memory.withLock { $0.lastUsed[subject] = now }
    }

    // MARK: Opening

    /// A file of the master key's name and this marks a directory that was restored from a backup
    /// without its key: the first start makes a new one, and access keys have to be made anew.
    package static let leftOutSuffix = ".left-out"

    private static func openMasterKey(
        path: String, files: any FileSystem, entropy: any Entropy, database: Database
    ) throws -> [UInt8] {
        if try files.exists(path + leftOutSuffix), try !files.exists(path) {
            // What the old key sealed can never be opened again: it goes before a new key is made.
            try database.write { tx in
                try tx.run("DELETE FROM access_keys")
                try tx.run("DELETE FROM signing_keys")
                try tx.run("DELETE FROM meta WHERE name = 'master_key_proof'")
            }
        }
        let proof = try database.read { tx in
            try tx.first("SELECT value FROM meta WHERE name = 'master_key_proof'") { $0.bytes(0) }
        }
        let key: [UInt8]
        if try files.exists(path) {
            let text = String(decoding: try files.readAll(path, limit: 4096), as: UTF8.self)
            guard let bytes = hexBytes(text.filter { !$0.isWhitespace }), bytes.count == 32 else {
                throw IdentityError(
                    code: .masterKey, message: "the master key cannot be read: \(path)",
                    hint: "it must hold 64 hexadecimal digits; restore it from a backup of keys")
            }
            key = bytes
        } else if proof == nil {
            key = entropy.bytes(SealingKey.byteCount)
            try files.replaceDurably(path, with: Array((hexText(key) + "\n").utf8), mode: 0o600)
        } else {
            throw IdentityError(
                code: .masterKey, message: "the master key is missing: \(path)",
                hint: "restore it from a backup of keys: S3 secrets are sealed with it")
        }
        let expected = HMAC.sha256(key: key, "proof of the master key")
        if let proof {
            guard constantTimeEqual(proof, expected) else {
                throw IdentityError(
                    code: .masterKey, message: "the master key is another one: \(path)",
                    hint: "restore the one that this data directory was made with")
            }
        } else {
            try database.write { tx in
                try tx.run("INSERT INTO meta VALUES ('master_key_proof', ?)", expected)
            }
        }
        if try files.exists(path + leftOutSuffix) { try files.remove(path + leftOutSuffix) }
        return key
    }

    private func prepareFirstStart() throws {
        let hasKey = try database.read { tx in
            try tx.exists("SELECT 1 FROM signing_keys WHERE retired_us IS NULL")
        }
        let key = hasKey ? nil : try SigningKey.generate(configuration.signatureAlgorithm)
        try database.write { tx in
            try ensureBuiltInRoles(tx)
            if let key { try keep(key, tx) }
            changed(tx)
        }
    }
}

extension Duration {
    /// Whole microseconds.
    var wholeMicroseconds: Int64 { wholeNanoseconds / 1000 }
}

/// Refuses names that would be ambiguous in a credential, a path or a log.
func checkName(_ name: String, _ what: String) throws {
    let isFine =
        !name.isEmpty && name.utf8.count <= Limits.nameBytes
        && name.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && scalar.value != 0x7F
                && !":/\\\"'<>&*".unicodeScalars.contains(scalar)
                && !scalar.properties.isWhitespace
                && scalar.properties.generalCategory != .control
                && scalar.properties.generalCategory != .format
        }
    guard isFine else {
        throw IdentityError(
            code: .invalidName, message: "not a name for \(what): \(name.prefix(200))",
            hint: "use up to \(Limits.nameBytes) letters, digits and . _ - @ +")
    }
}

/// Refuses ids that would not survive a URL or a header.
func checkID(_ id: String) throws {
    let isFine =
        !id.isEmpty && id.utf8.count <= Limits.nameBytes
        && id.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
                || byte == 0x2D || byte == 0x2E || byte == 0x5F
        }
    guard isFine else {
        throw IdentityError(
            code: .invalidName, message: "not an id: \(id.prefix(200))",
            hint: "use up to \(Limits.nameBytes) ASCII letters, digits and . _ -")
    }
}

/// Reads a JSON list of texts that this module wrote.
func decodeList(_ text: String) throws -> [String] {
    try JSONValue(parsing: text).cursor.strings()
}

/// Reads a JSON object of texts that this module wrote.
func decodeMap(_ text: String) throws -> [String: String] {
    try JSONValue(parsing: text).cursor.stringMap()
}

func encodeList(_ values: [String]) -> String {
    JSONValue.array(values.map { .string($0) }).encodedText()
}

func encodeMap(_ values: [String: String]) -> String {
    JSONValue.object(values.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        .encodedText()
}
