import Authority
import Identity
import Platform
import Synchronization
import Testing

private final class Notes: DecisionRecorder {
    let denied = Mutex<[String]>([])
    let settled = Mutex(0)
    func settle() { settled.withLock { $0 += 1 } }
    func record(
        _ context: RequestContext, _ action: Action, _ resource: Resource, _ decision: Decision
    ) {
        guard !decision.isAllowed else { return }
        denied.withLock { $0.append("\(context.door.rawValue) \(action.rawValue)") }
    }
}

struct AuthorizerTests {
    @Test func `a refusal waits until its denial is kept, a question does not`() throws {
        let notes = Notes()
        let f = try Fixture(recorder: notes)
        try f.registry.createAccount(f.system, name: "p", roles: ["viewer"])
        let context = try f.context("p")
        let authorizer = f.registry.authorizer
        let orders = table("silver", "s", "t")
        _ = authorizer.decide(context, .tableDrop, orders)
        #expect(notes.settled.withLock { $0 } == 0)
        #expect(throws: AccessDenied.self) {
            try authorizer.require(context, .tableDrop, orders)
        }
        #expect(notes.settled.withLock { $0 } == 1)
        try authorizer.require(context, .tableSelect, orders)
        #expect(notes.settled.withLock { $0 } == 1)
    }

    private func table(_ path: String...) -> Resource { Resource(kind: .table, path: path) }

    /// What the built-in roles may do on a table, a bucket and with people.
    @Test(arguments: [
        ("admin", true, true, true, true), ("engineer", true, true, true, false),
        ("analyst", true, false, false, false), ("viewer", true, false, false, false),
        ("steward", true, false, false, false), ("service", true, true, false, false),
    ])
    func `the built-in roles allow what they say`(
        _ role: String, _ select: Bool, _ insert: Bool, _ makeBucket: Bool, _ people: Bool
    ) throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "p", roles: [role])
        let context = try f.context("p")
        let authorizer = f.registry.authorizer
        func may(_ action: Action, _ resource: Resource) -> Bool {
            authorizer.decide(context, action, resource).isAllowed
        }
        #expect(may(.tableSelect, table("silver", "s", "t")) == select)
        #expect(may(.tableInsert, table("silver", "s", "t")) == insert)
        #expect(may(.bucketCreate, Resource(kind: .bucket, path: ["b"])) == makeBucket)
        #expect(may(.identityAdminister, Resource(kind: .identity, path: ["users"])) == people)
    }

    @Test func `the same denied action is denied at every door and each denial is told`() throws {
        let notes = Notes()
        let f = try Fixture(recorder: notes)
        try f.registry.createAccount(f.system, name: "p", roles: ["viewer"])
        notes.denied.withLock { $0 = [] }
        for door in Door.allCases {
            let context = try f.context("p", door: door)
            let decision = f.registry.authorizer.decide(
                context, .tableDrop, table("silver", "s", "t"))
            #expect(!decision.isAllowed && decision.reason.contains("viewer"))
        }
        #expect(notes.denied.withLock { $0 } == Door.allCases.map { "\($0.rawValue) table.drop" })
    }

    @Test func `nobody, a deleted account and another tenant get nothing`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "p", roles: ["admin"])
        let context = try f.context("p")
        let authorizer = f.registry.authorizer
        let resource = table("silver", "s", "t")
        #expect(!authorizer.decide(f.anonymous, .tableSelect, resource).isAllowed)
        #expect(authorizer.decide(context, .tableSelect, resource).isAllowed)
        var foreign = resource
        foreign.tenant = "other"
        #expect(!authorizer.decide(context, .tableSelect, foreign).isAllowed)
        var elsewhere = context
        elsewhere.tenant = "other"
        #expect(!authorizer.decide(elsewhere, .tableSelect, foreign).isAllowed)
        try f.registry.deleteAccount(f.system, "p")
        #expect(!authorizer.decide(context, .tableSelect, resource).isAllowed)
    }

    @Test func `grants count at once, denials win, filters and masks take the widest`() throws {
        let f = try Fixture()
        let orders = table("silver", "sales", "orders")
        try f.registry.createAccount(f.system, name: "p", roles: ["viewer"])
        try f.registry.ensureRole(
            f.system, name: "eu",
            grants: [
                Grant(
                    actions: ["table.select"], resource: "table:gold/**",
                    rowFilter: "region = 'EU'",
                    columnMasks: ["iban": "'***'", "name": "'x'"])
            ])
        try f.registry.ensureRole(
            f.system, name: "us",
            grants: [
                Grant(
                    actions: ["table.select"], resource: "table:gold/**",
                    rowFilter: "region = 'US'",
                    columnMasks: ["iban": "'***'"])
            ])
        try f.registry.createAccount(f.system, name: "q", roles: ["eu"])
        let q = try f.context("q")
        let authorizer = f.registry.authorizer
        let gold = table("gold", "sales", "orders")
        var decision = authorizer.decide(q, .tableSelect, gold)
        #expect(decision.rowFilter == "region = 'EU'" && decision.columnMasks.count == 2)
        #expect(!authorizer.decide(q, .tableSelect, orders).isAllowed)
        try f.registry.ensureGroup(f.system, name: "americas")
        try f.registry.setRole(f.system, "us", ofGroup: "americas", isAssigned: true)
        try f.registry.addMember(f.system, "q", toGroup: "americas")
        decision = authorizer.decide(q, .tableSelect, gold)
        #expect(decision.rowFilter == "(region = 'EU') OR (region = 'US')")
        #expect(decision.columnMasks == ["iban": "'***'"])
        try f.registry.assignRole(f.system, "viewer", toAccount: "q")
        #expect(authorizer.decide(q, .tableSelect, gold).rowFilter == nil)
        let denial = try f.registry.addGrant(
            f.system,
            Grant(effect: .deny, actions: ["table.*"], resource: "table:gold/sales/*"), toRole: "eu"
        )
        #expect(!authorizer.decide(q, .tableSelect, gold).isAllowed)
        try f.registry.removeGrant(f.system, denial.id, fromRole: "eu")
        #expect(authorizer.decide(q, .tableSelect, gold).isAllowed)
    }

    @Test func `built-in roles cannot be changed`() throws {
        let f = try Fixture()
        #expect(
            f.code {
                try f.registry.addGrant(
                    f.system, Grant(actions: ["*"], resource: "*"), toRole: "viewer")
            } == .builtIn)
        #expect(f.code { try f.registry.deleteRole(f.system, "admin") } == .builtIn)
        #expect(
            f.code {
                try f.registry.ensureRole(
                    f.system, name: "x", grants: [Grant(actions: ["table.fly"], resource: "*")])
            } == .invalidValue)
    }

    @Test(arguments: [
        ("*", "a", true), ("table:*", "a/b/c", true), ("table:**", "a", true),
        ("table:a/*", "a/b", true), ("table:a/*", "a/b/c", false), ("table:a/**", "a/b/c", true),
        ("table:a/**", "a", true), ("table:a/**", "ab/c", false), ("table:a/**/z", "a/b/c/z", true),
        ("table:a/**/z", "a/b/c/y", false), ("table:a/o*s", "a/orders", true),
        ("table:a/o*s", "a/order", false), ("object:a", "a", false), ("table:a", "a", true),
        ("table:*a*/x", "banana/x", true),
    ])
    func `patterns mean what they say`(_ pattern: String, _ path: String, _ isMatch: Bool) throws {
        let resource = Resource(kind: .table, path: path.split(separator: "/").map(String.init))
        #expect(try ResourcePattern(pattern).matches(resource) == isMatch)
    }

    @Test func `object keys with slashes are levels and crafted ones do not stall`() throws {
        let pattern = try ResourcePattern("object:raw/in/**")
        #expect(pattern.matches(Resource(kind: .object, path: ["raw", "in/2026/x.csv"])))
        #expect(!pattern.matches(Resource(kind: .object, path: ["raw", "out/in/x.csv"])))
        let hard = try ResourcePattern("object:b/" + String(repeating: "*a", count: 200) + "b")
        #expect(
            !hard.matches(
                Resource(kind: .object, path: ["b", String(repeating: "a", count: 2000)])))
        for bad in ["table", "zebra:x", "table:a//b", ""] {
            #expect(throws: IdentityError.self) { try ResourcePattern(bad) }
        }
    }

    @Test func `verbs ask the authorizer`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "p", roles: ["engineer"])
        let p = try f.context("p")
        #expect(throws: AccessDenied.self) { try f.registry.createAccount(p, name: "x") }
        #expect(throws: AccessDenied.self) { try f.registry.accounts(p) }
        #expect(throws: AccessDenied.self) { try f.registry.assignRole(p, "admin", toAccount: "p") }
        #expect(throws: AccessDenied.self) {
            try f.registry.createAccessKey(p, account: "root")
        }
        #expect(throws: AccessDenied.self) { try f.registry.createLoginLink(p, account: "p") }
        let own = try f.registry.createAccessKey(p, account: "p")
        #expect(try f.registry.accessKeys(p, of: "p").map(\.id) == [own.accessKeyID])
        try f.registry.deleteAccessKey(p, own.accessKeyID)
    }
}
