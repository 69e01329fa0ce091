package import Authority
import Cryptography
import Platform
import SQLite

// What scripts rely on that run again: the same call twice makes one thing, and what contradicts the thing
// that is there is refused with what differs.

extension IdentityRegistry {
    /// Whether the account's own password is this one; false when it has none. Takes as long as a login.
    package func hasPassword(
        _ context: RequestContext, _ name: String, _ password: String
    ) throws -> Bool {
        let found = try find(name, context.tenant)
        try requireAdministration(context, "users", found.name)
        let kept = try database.read { tx in
            try tx.text(
                "SELECT password FROM accounts WHERE id = ? AND password IS NOT NULL", found.id)
        }
        guard let kept else { return false }
        hashing.acquire()
        defer { hashing.release() }
        return try PasswordHash(text: kept).matches(password)
    }

    /// Throws `.alreadyExists` when a given id is not that of the thing with the name.
    func requireSameID(
        _ given: String?, _ existing: String, _ kind: String, _ name: String
    ) throws {
        guard let given, given != existing else { return }
        throw IdentityError(
            code: .alreadyExists,
            message: "the \(kind) \(name) exists under another id: \(existing)",
            hint: "give that id or none, or another name")
    }

    /// Throws `.alreadyExists` when something else has the id.
    func requireFreeID(
        _ tx: ReadTransaction, _ id: String?, _ kind: String, in table: String
    ) throws {
        guard let id,
            let name = try tx.text("SELECT name FROM \(table) WHERE id = ?", id)
        else { return }
        throw IdentityError(
            code: .alreadyExists, message: "the \(kind) \(name) has this id: \(id)",
            hint: "give another id")
    }

    /// Throws `.alreadyExists` with what differs between a client and the one under its id, and what
    /// `requireUsable` throws.
    func requireSame(
        _ tx: ReadTransaction, _ wanted: Client, _ existing: Client, secret: String?
    ) throws {
        var differences: [String] = []
        if wanted.kind != existing.kind {
            differences.append("its kind is \(existing.kind.rawValue)")
        }
        if wanted.name != existing.name { differences.append("its name is \(existing.name)") }
        if wanted.accountName != existing.accountName {
            differences.append(
                existing.accountName.map { "it acts for \($0)" } ?? "it acts for nobody")
        }
        if Set(wanted.redirectURIs) != Set(existing.redirectURIs) {
            differences.append(
                existing.redirectURIs.isEmpty
                    ? "it redirects nowhere"
                    : "it redirects to " + existing.redirectURIs.joined(separator: ", "))
        }
        if Set(wanted.grantTypes) != Set(existing.grantTypes) {
            let types = existing.grantTypes.map(\.rawValue).joined(separator: ", ")
            differences.append("its grant types are \(types)")
        }
        if let secret {
            let kept = try tx.text("SELECT secret FROM clients WHERE id = ?", existing.id)
            if kept != PasswordHash(generatedSecret: secret).text {
                differences.append("its secret is another one")
            }
        }
        guard differences.isEmpty else {
            throw IdentityError(
                code: .alreadyExists,
                message: "a client has this id, and "
                    + "\(differences.joined(separator: "; ")): \(existing.id)",
                hint: "`lakehouse client delete \(existing.id)` removes it, or give another id")
        }
        try requireUsable(
            "client", existing.id, isDisabled: existing.isDisabled,
            expires: existing.expiresMicroseconds)
    }

    /// Throws when what is asked for a second time has been switched off or has ended meanwhile.
    func requireUsable(
        _ kind: String, _ id: String, isDisabled: Bool, expires: Int64?
    ) throws {
        if isDisabled {
            throw IdentityError(
                code: .disabled, message: "the \(kind) exists and is disabled: \(id)",
                hint: "enable it again, or give another id")
        }
        if let expires, expires <= nowMicroseconds {
            throw IdentityError(
                code: .expired, message: "the \(kind) exists and has expired: \(id)",
                hint: "delete it first, or give another id")
        }
    }
}
