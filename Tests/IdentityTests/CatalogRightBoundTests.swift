import Authority
import Identity
import SQLite
import Synchronization
import Testing

/// How far rights reach: whose they are, what nobody can give, and when they end.
struct CatalogRightBoundTests {
    private func right(
        _ privilege: CatalogPrivilege, _ object: String, to subject: PolicySubject,
        denied: Bool = false
    ) throws -> CatalogRight {
        CatalogRight(
            grantee: subject, privilege: privilege, object: try CatalogObject(text: object),
            isDenial: denied)
    }

    private func selects(_ f: Fixture, _ name: String, _ path: String...) throws -> Bool {
        f.registry.quietAuthorizer.decide(
            try f.context(name), .tableSelect, Resource(kind: .table, path: path)
        ).isAllowed
    }

    @Test func `a user and a group whose names look alike have rights of their own`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "group-risk")
        try f.registry.createAccount(f.system, name: "bo")
        try f.registry.ensureGroup(f.system, name: "risk")
        try f.registry.addMember(f.system, "bo", toGroup: "risk")
        let (user, group) = (PolicySubject(.user, "group-risk"), PolicySubject(.group, "risk"))
        try f.registry.grant(f.system, try right(.select, "table:silver.s.t", to: user))
        try f.registry.grant(f.system, try right(.select, "table:silver.s.u", to: group))
        #expect(try selects(f, "group-risk", "silver", "s", "t"))
        #expect(try !selects(f, "group-risk", "silver", "s", "u"))
        #expect(try selects(f, "bo", "silver", "s", "u"))
        #expect(try !selects(f, "bo", "silver", "s", "t"))
        #expect(try Set(f.registry.catalogRights(f.system).map(\.grantee)) == [user, group])
    }

    @Test func `rights end with their holder`() throws {
        let f = try Fixture()
        for _ in 0..<2 {
            try f.registry.createAccount(f.system, name: "ann")
            try f.registry.ensureGroup(f.system, name: "desk")
            try f.registry.addMember(f.system, "ann", toGroup: "desk")
            #expect(try !selects(f, "ann", "silver", "s", "t"))
            #expect(try f.registry.catalogRights(f.system).isEmpty)
            try f.registry.grant(
                f.system, try right(.select, "table:silver.s.t", to: PolicySubject(.user, "ann")))
            try f.registry.grant(
                f.system, try right(.insert, "schema:silver.s", to: PolicySubject(.group, "desk")))
            #expect(try selects(f, "ann", "silver", "s", "t"))
            try f.registry.deleteAccount(f.system, "ann")
            try f.registry.deleteGroup(f.system, "desk")
        }
        #expect(try f.registry.catalogRights(f.system).isEmpty)
        #expect(try !f.registry.roles(f.system).contains { $0.name.hasPrefix("rights-of") })
    }

    @Test func `rights that were kept under names of before stay their holder's`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ann")
        try f.registry.createAccount(f.system, name: "group-risk")
        try f.registry.ensureGroup(f.system, name: "risk")
        try f.registry.ensureRole(f.system, name: "rights-of-duty")
        let rights = try [
            right(.select, "table:silver.s.t", to: PolicySubject(.user, "ann")),
            right(.select, "table:silver.s.u", to: PolicySubject(.group, "risk")),
        ]
        try f.registry.grant(f.system, rights)
        let unheld = try right(.select, "table:silver.s.t", to: PolicySubject(.user, "group-risk"))
        try f.registry.grant(f.system, unheld)
        try f.registry.database.write { tx in
            try tx.run(
                "DELETE FROM account_roles WHERE role_id IN "
                    + "(SELECT id FROM roles WHERE name = 'rights-of:group-risk')")
            try tx.run(
                "UPDATE roles SET name = 'rights-of-gone' WHERE name = 'rights-of:group-risk'")
            try tx.run(
                "UPDATE roles SET name = replace(name, ':', '-') WHERE name LIKE 'rights-of%'")
            // The role that a user and a group had together.
            try tx.run(
                """
                INSERT INTO account_roles SELECT a.id, r.id FROM accounts a, roles r
                WHERE a.name = 'group-risk' AND r.name = 'rights-of-group-risk'
                """)
            // What later versions added, which come again.
            try tx.run("ALTER TABLE access_keys DROP COLUMN maker")
            try tx.run("PRAGMA user_version = 2")
        }
        try f.registry.close()
        let registry = try Fixture.open(f.directory, f.clock)
        defer { try? registry.close() }
        #expect(try Set(registry.catalogRights(f.system)) == Set(rights))
        let names = try registry.roles(f.system).map(\.name).filter { $0.hasPrefix("rights-of") }
        #expect(
            names.sorted() == ["rights-of-duty", "rights-of-group:risk", "rights-of:ann"].sorted())
        #expect(try registry.account(f.system, named: "group-risk").roles == [])
        #expect(try registry.account(f.system, named: "ann").roles == ["rights-of:ann"])
    }

    @Test(arguments: ["any", "x", "s"])
    func `a right to one schema is none to the whole, whatever its name`(_ name: String) throws {
        let f = try Fixture()
        try f.registry.ensureCatalogRoles(f.system, warehouses: ["silver"])
        try f.registry.ensureRole(
            f.system, name: "keeper",
            grants: [
                Grant(actions: ["policy.administer"], resource: "warehouse:silver"),
                Grant(actions: ["policy.administer"], resource: "namespace:silver/**"),
                Grant(actions: ["policy.administer"], resource: "table:silver/**"),
            ])
        try f.registry.createAccount(f.system, name: "kim", roles: ["keeper"])
        try f.registry.createAccount(f.system, name: "ann")
        try f.registry.grant(
            f.system,
            try right(.select, "schema:silver.\(name)", to: PolicySubject(.user, "kim")))
        let (kim, ann) = (try f.context("kim"), PolicySubject(.user, "ann"))
        #expect(throws: AccessDenied.self) {
            try f.registry.grant(kim, try right(.select, "warehouse:silver", to: ann))
        }
        #expect(throws: AccessDenied.self) {
            try f.registry.setRole(kim, "silver.catalog_reader", of: ann, isAssigned: true)
        }
        try f.registry.grant(kim, try right(.select, "schema:silver.\(name)", to: ann))
        #expect(try selects(f, "ann", "silver", name, "t"))
    }

    @Test func `who is denied something further down cannot give the whole`() throws {
        let f = try Fixture()
        try f.registry.ensureCatalogRoles(f.system, warehouses: ["silver"])
        try f.registry.createAccount(f.system, name: "kim", roles: ["silver.data_administrator"])
        try f.registry.createAccount(f.system, name: "ann")
        let (kim, ann) = (try f.context("kim"), PolicySubject(.user, "ann"))
        let own = PolicySubject(.user, "kim")
        for object in ["schema:silver.HR", "table:silver.s.pay"] {
            let denial = try right(.select, object, to: own, denied: true)
            try f.registry.grant(f.system, denial)
            #expect(throws: AccessDenied.self) {
                try f.registry.grant(kim, try right(.select, "warehouse:silver", to: ann))
            }
            #expect(throws: AccessDenied.self) {
                try f.registry.setRole(kim, "silver.catalog_reader", of: ann, isAssigned: true)
            }
            // What was not denied, and where it was not denied.
            try f.registry.grant(kim, try right(.insert, "warehouse:silver", to: ann))
            try f.registry.grant(kim, try right(.select, "schema:silver.t", to: ann))
            #expect(try f.registry.revoke(f.system, denial))
        }
        try f.registry.grant(kim, try right(.select, "warehouse:silver", to: ann))
        #expect(try selects(f, "ann", "silver", "hr", "t"))
    }

    @Test func `several rights are given all or not at all`() throws {
        let f = try Fixture()
        try f.registry.ensureCatalogRoles(f.system, warehouses: ["silver"])
        try f.registry.createAccount(f.system, name: "kim", roles: ["silver.data_administrator"])
        try f.registry.createAccount(f.system, name: "ann")
        let (kim, ann) = (try f.context("kim"), PolicySubject(.user, "ann"))
        #expect(throws: AccessDenied.self) {
            try f.registry.grant(
                kim,
                [
                    try right(.select, "table:silver.s.t", to: ann),
                    try right(.select, "table:gold.s.t", to: ann),
                ])
        }
        #expect(throws: IdentityError.self) {
            try f.registry.grant(
                kim,
                [
                    try right(.select, "table:silver.s.t", to: ann),
                    try right(.select, "table:silver.s.u", to: PolicySubject(.user, "nobody")),
                ])
        }
        #expect(try f.registry.catalogRights(f.system).isEmpty)
        let both = try [
            right(.select, "table:silver.s.t", to: ann), right(.insert, "schema:silver.s", to: ann),
        ]
        try f.registry.grant(kim, both)
        #expect(try Set(f.registry.catalogRights(f.system)) == Set(both))
        #expect(try f.registry.revoke(kim, both + both) == both)
        #expect(try f.registry.catalogRights(f.system).isEmpty)
    }

    /// The denials that reach the trail.
    private final class Denials: DecisionRecorder {
        let actions = Mutex<[Action]>([])

        func record(
            _ context: RequestContext, _ action: Action, _ resource: Resource, _ decision: Decision
        ) {
            if !decision.isAllowed { actions.withLock { $0.append(action) } }
        }

        func settle() {}
    }

    @Test func `asking who may leaves no denial behind, and a refusal leaves one`() throws {
        let denials = Denials()
        let f = try Fixture(recorder: denials)
        try f.registry.ensureCatalogRoles(f.system, warehouses: ["silver"])
        try f.registry.createAccount(f.system, name: "ann")
        try f.registry.createAccount(f.system, name: "kim", roles: ["silver.data_administrator"])
        let ann = PolicySubject(.user, "ann")
        try f.registry.grant(f.system, try right(.select, "table:silver.s.t", to: ann))
        _ = try f.registry.catalogRights(try f.context("ann"))
        _ = try f.registry.catalogRights(try f.context("kim"))
        #expect(denials.actions.withLock { $0 } == [])
        #expect(throws: AccessDenied.self) {
            try f.registry.grant(
                try f.context("ann"), try right(.insert, "table:silver.s.t", to: ann))
        }
        #expect(denials.actions.withLock { $0 } == [.identityAdminister])
    }
}
