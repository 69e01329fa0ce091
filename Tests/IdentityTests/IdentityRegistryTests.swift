import Authority
import Bytes
import Cryptography
import Identity
import JSON
import Platform
import SQLite
import Synchronization
import Testing

/// A registry in a directory of its own, with a clock that stands still.
final class Fixture: Sendable {
    let directory: String
    let clock = SettableClock()
    let registry: IdentityRegistry
    let system = RequestContext(principal: .system, requestID: "setup", door: .cli)
    let anonymous = RequestContext(principal: .anonymous, requestID: "r1", door: .oidc)

    init(recorder: (any DecisionRecorder)? = nil, seed: UInt64 = 1) throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "identity")
        registry = try Self.open(directory, clock, recorder, seed)
        try registry.createAccount(
            system, name: "root", password: "root password", roles: ["admin"])
    }

    deinit {
        try? registry.close()
        try? LocalFileSystem().removeTree(directory)
    }

    static func open(
        _ directory: String, _ clock: SettableClock, _ recorder: (any DecisionRecorder)? = nil,
        _ seed: UInt64 = 2
    ) throws -> IdentityRegistry {
        var configuration = IdentityConfiguration()
        configuration.passwordCost = .weak
        configuration.signatureAlgorithm = .es256
        return try IdentityRegistry(
            directory: directory, configuration: configuration, clock: clock,
            entropy: SeededEntropy(seed: seed), recorder: recorder)
    }

    func context(_ name: String, door: Door = .api) throws -> RequestContext {
        let account = try registry.account(system, named: name)
        return RequestContext(
            principal: Principal(id: account.id, name: account.name, kind: .user),
            requestID: "r-\(name)", door: door)
    }

    func code(_ body: () throws -> Void) -> IdentityError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? IdentityError)?.code }
    }
}

struct AccountTests {
    @Test func `an ensured account is made once and keeps its id`() throws {
        let f = try Fixture()
        let first = try f.registry.ensureAccount(
            f.system, name: "ana", id: "u-1", roles: ["analyst"])
        let second = try f.registry.ensureAccount(f.system, name: "ana", roles: ["admin"])
        #expect(first.isNew && !second.isNew)
        #expect(second.account == first.account && first.account.id == "u-1")
        #expect(second.account.roles == ["analyst"])
        #expect(
            f.code { try f.registry.ensureAccount(f.system, name: "ana", id: "u-2") }
                == .alreadyExists)
        #expect(f.code { try f.registry.createAccount(f.system, name: "ana") } == .alreadyExists)
    }

    @Test(arguments: [
        "", "a b", "a:b", "a/b", "a\n", "\u{202E}x", String(repeating: "n", count: 129), "<b>",
    ])
    func `a name that would be ambiguous is refused`(_ name: String) throws {
        let f = try Fixture()
        #expect(f.code { try f.registry.createAccount(f.system, name: name) } == .invalidName)
    }

    @Test func `the last administrator stays`() throws {
        let f = try Fixture()
        #expect(f.code { try f.registry.deleteAccount(f.system, "root") } == .lastAdministrator)
        #expect(
            f.code { try f.registry.unassignRole(f.system, "admin", fromAccount: "root") }
                == .lastAdministrator)
        #expect(
            f.code { try f.registry.updateAccount(f.system, "root", isDisabled: true) }
                == .lastAdministrator)
        try f.registry.createAccount(f.system, name: "second", roles: ["admin"])
        try f.registry.deleteAccount(f.system, "root")
    }

    @Test func `people change their own password and nobody else's`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ana", password: "first password")
        let ana = try f.context("ana")
        #expect(throws: AccessDenied.self) {
            try f.registry.setPassword(ana, of: "root", to: "hijacked password")
        }
        #expect(
            f.code { try f.registry.setPassword(ana, of: "ana", to: "second password") }
                == .wrongCredentials)
        try f.registry.setPassword(
            ana, of: "ana", to: "second password", present: "first password")
        #expect(
            f.code {
                _ = try f.registry.authenticate(
                    f.anonymous, name: "ana", password: "first password", address: "a")
            } == .wrongCredentials)
        _ = try f.registry.authenticate(
            f.anonymous, name: "ana", password: "second password", address: "a")
        #expect(
            f.code { try f.registry.setPassword(f.system, of: "ana", to: "short") } == .weakPassword
        )
    }

    @Test func `each change leaves an event with who and what`() throws {
        let f = try Fixture()
        let root = try f.context("root")
        try f.registry.createAccount(root, name: "ana")
        try f.registry.ensureGroup(root, name: "risk")
        try f.registry.addMember(root, "ana", toGroup: "risk")
        let events = try f.registry.database.events(after: 0, limit: 100).suffix(3)
        #expect(
            events.map(\.kind) == [
                "identity.user.created", "identity.group.created", "identity.group.member_added",
            ])
        let payload = try JSONValue(parsing: events.last!.payload).cursor
        #expect(try payload["principalName"].string() == "root")
        #expect(try payload["requestID"].string() == "r-root")
        #expect(try payload["resource"].string() == "groups/risk")
        #expect(try payload["detail"]["member"].string() == "ana")
    }
}

struct CredentialTests {
    @Test func `a wrong password and an unknown name are answered alike`() throws {
        let f = try Fixture()
        let text = base64Text(Array("root:root password".utf8))
        #expect(
            try f.registry.authenticate(f.anonymous, authorization: "Basic \(text)", address: "a")
                .name
                == "root")
        for (name, password) in [("root", "wrong password"), ("nobody", "root password")] {
            #expect(
                f.code {
                    _ = try f.registry.authenticate(
                        f.anonymous, name: name, password: password, address: "b")
                } == .wrongCredentials)
        }
        #expect(
            f.code {
                _ = try f.registry.authenticate(
                    f.anonymous, authorization: "Basic %%", address: "a")
            } == .wrongCredentials)
    }

    @Test func `guessing has to wait and time heals`() throws {
        let f = try Fixture()
        func attempt(_ password: String) -> IdentityError.Code? {
            f.code {
                _ = try f.registry.authenticate(
                    f.anonymous, name: "root", password: password, address: "10.0.0.9")
            }
        }
        for _ in 0..<5 { #expect(attempt("guess number one") == .wrongCredentials) }
        #expect(attempt("root password") == .throttled)
        // Another address is not punished for it.
        _ = try f.registry.authenticate(
            f.anonymous, name: "root", password: "root password", address: "10.0.0.1")
        f.clock.advance(by: .seconds(2))
        #expect(attempt("root password") == nil)
        #expect(attempt("root password") == nil)
    }

    @Test func `a remembered password dies with the change that ends it`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ana", password: "first password")
        func logIn() -> IdentityError.Code? {
            f.code {
                _ = try f.registry.authenticate(
                    f.anonymous, name: "ana", password: "first password", address: "a")
            }
        }
        #expect(logIn() == nil && logIn() == nil)
        try f.registry.updateAccount(f.system, "ana", isDisabled: true)
        #expect(logIn() == .disabled)
    }

    @Test func `an application credential is a password until it expires`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ana")
        let ana = try f.context("ana")
        let made = try f.registry.createApplicationCredential(ana, account: "ana", tool: "trino")
        let secret = try #require(made.secret)
        func logIn(_ name: String) -> IdentityError.Code? {
            f.code {
                _ = try f.registry.authenticate(
                    f.anonymous, name: name, password: secret, address: "a")
            }
        }
        #expect(logIn("ana") == nil && logIn(made.client.id) == nil)
        #expect(logIn("root") == .wrongCredentials)
        f.clock.advance(by: .seconds(30 * 86_400))
        #expect(logIn("ana") == .wrongCredentials)
        #expect(throws: AccessDenied.self) {
            try f.registry.createApplicationCredential(ana, account: "root", tool: "trino")
        }
    }

    @Test func `access keys are made for scripts, rotate, switch off and end`() throws {
        let f = try Fixture()
        let made = try f.registry.createAccessKey(f.system, account: "etl", createAccount: true)
        let found = try f.registry.secret(f.anonymous, forAccessKey: made.accessKeyID)
        #expect(found.secret == made.secretAccessKey && found.principal.name == "etl")
        #expect(found.principal.roles == ["engineer"])
        let given = try f.registry.createAccessKey(
            f.system, account: "etl", id: "MYKEY1", secret: "my-own-secret")
        let again = try f.registry.createAccessKey(
            f.system, account: "etl", id: "MYKEY1", secret: "my-own-secret")
        #expect(again.secretAccessKey == given.secretAccessKey)
        #expect(
            f.code {
                _ = try f.registry.createAccessKey(
                    f.system, account: "etl", id: "MYKEY1", secret: "another-secret")
            } == .alreadyExists)
        let rotated = try f.registry.rotateAccessKey(f.system, made.accessKeyID)
        #expect(
            try f.registry.secret(f.anonymous, forAccessKey: made.accessKeyID).secret
                == rotated.secretAccessKey)
        try f.registry.setAccessKey(f.system, made.accessKeyID, isDisabled: true)
        func use(_ id: String) -> IdentityError.Code? {
            f.code { _ = try f.registry.secret(f.anonymous, forAccessKey: id) }
        }
        #expect(use(made.accessKeyID) == .wrongCredentials && use("MYKEY1") == nil)
        try f.registry.deleteAccessKey(f.system, "MYKEY1")
        #expect(use("MYKEY1") == .wrongCredentials)
        #expect(try f.registry.accessKeys(f.system).map(\.id) == [made.accessKeyID])
    }

    @Test func `temporary credentials are limited, expire and follow the account`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ana")
        let ana = try f.context("ana")
        let scope = CredentialScope(
            areas: [.init(bucket: "lake", prefix: "sales/orders")], isReadOnly: true)
        let made = try f.registry.temporaryCredential(ana, scope: scope)
        let other = try f.registry.temporaryCredential(ana)
        func use(_ id: String, _ token: String?) -> IdentityError.Code? {
            f.code { _ = try f.registry.secret(f.anonymous, forAccessKey: id, sessionToken: token) }
        }
        let found = try f.registry.secret(
            f.anonymous, forAccessKey: made.accessKeyID, sessionToken: made.sessionToken)
        #expect(found.secret == made.secretAccessKey && found.scope == scope)
        #expect(use(made.accessKeyID, nil) == .invalidToken)
        #expect(use(made.accessKeyID, other.sessionToken) == .invalidToken)
        #expect(use(made.accessKeyID, made.sessionToken + "A") == .invalidToken)
        f.clock.advance(by: .seconds(3600))
        #expect(use(made.accessKeyID, made.sessionToken) == .expiredToken)
        let late = try f.registry.temporaryCredential(ana)
        try f.registry.updateAccount(f.system, "ana", isDisabled: true)
        #expect(use(late.accessKeyID, late.sessionToken) == .disabled)
    }

    @Test func `a scope opens its folder and nothing beside it`() {
        let scope = CredentialScope(areas: [.init(bucket: "b", prefix: "a/t")], isReadOnly: true)
        #expect(scope.allows(.objectRead, bucket: "b", key: "a/t/x"))
        #expect(!scope.allows(.objectRead, bucket: "b", key: "a/tt/x"))
        #expect(!scope.allows(.objectRead, bucket: "c", key: "a/t/x"))
        #expect(!scope.allows(.objectWrite, bucket: "b", key: "a/t/x"))
        #expect(!scope.allows(.bucketDelete, bucket: "b", key: "a/t/x"))
        #expect(!scope.allows(.objectList, bucket: "b", key: ""))
    }

    @Test func `who connects in every shell never runs out of keys`() throws {
        let f = try Fixture()
        func make(_ description: String, isForConnect: Bool = true) throws -> String {
            f.clock.advance(by: .seconds(1))
            return try f.registry.createAccessKey(
                f.system, account: "root", description: description, lifetime: .seconds(86_400),
                isForConnect: isForConnect
            ).accessKeyID
        }
        func keys() throws -> Set<String> {
            Set(try f.registry.accessKeys(f.system, of: "root").map(\.id))
        }
        // A person's own, by whatever name, is the longest idle of all.
        let own = try make("connect env of the nightly job", isForConnect: false)
        let first = try make("connect env")
        let second = try make("connect env")
        let other = try make("connect aws")
        while try keys().count < 100 { _ = try make("connect env") }
        // The first was used lately, so the second is the longest idle one.
        _ = try f.registry.secret(f.anonymous, forAccessKey: first)
        try f.registry.flush()
        let newest = try make("connect env")
        let left = try keys()
        #expect(left.count == 100 && left.isSuperset(of: [own, first, other, newest]))
        #expect(!left.contains(second))
        // Nobody's key goes for one of another kind, nor unasked.
        #expect(f.code { _ = try make("connect mine", isForConnect: false) } == .invalidValue)
        // What has expired does not count, and is forgotten a week later.
        f.clock.advance(by: .seconds(2 * 86_400))
        let later = try make("mine", isForConnect: false)
        #expect(f.code { _ = try f.registry.secret(f.anonymous, forAccessKey: newest) } == .expired)
        f.clock.advance(by: .seconds(7 * 86_400 - 90_000))
        try f.registry.removeExpired()
        #expect(try keys().count == 101)
        f.clock.advance(by: .seconds(90_000))
        try f.registry.removeExpired()
        #expect(try keys() == [later])
    }

    @Test func `secrets live through a restart and die without the master key`() throws {
        let f = try Fixture()
        let key = try f.registry.createAccessKey(f.system, account: "root")
        let token = try f.registry.issueToken(
            f.anonymous, for: f.context("root").principal
        ).accessToken
        try f.registry.close()
        let files = LocalFileSystem()
        let path = f.directory + "/master.key"
        #expect(try files.status(path)?.mode == 0o600)
        let again = try Fixture.open(f.directory, f.clock)
        #expect(
            try again.secret(f.anonymous, forAccessKey: key.accessKeyID).secret
                == key.secretAccessKey)
        #expect(try again.authenticate(f.anonymous, bearer: token).principal.name == "root")
        try again.close()
        try files.rename(path, to: path + ".away")
        #expect(f.code { _ = try Fixture.open(f.directory, f.clock) } == .masterKey)
        try files.replaceDurably(path, with: Array(String(repeating: "00", count: 32).utf8))
        #expect(f.code { _ = try Fixture.open(f.directory, f.clock) } == .masterKey)
    }
}
