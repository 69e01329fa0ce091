import Authority
import Identity
import Testing

/// Rights on warehouses, namespaces, tables and views, in the directory itself.
struct CatalogRightTests {
    private func may(
        _ f: Fixture, _ name: String, _ action: Action, _ kind: Resource.Kind, _ path: String...
    ) throws -> Bool {
        f.registry.quietAuthorizer.decide(
            try f.context(name), action, Resource(kind: kind, path: path)
        ).isAllowed
    }

    private func right(
        _ privilege: CatalogPrivilege, _ object: String, to subject: PolicySubject,
        denied: Bool = false
    ) throws -> CatalogRight {
        CatalogRight(
            grantee: subject, privilege: privilege, object: try CatalogObject(text: object),
            isDenial: denied)
    }

    @Test func `a right on a place holds inside of it, in any case of letters, and goes whole`()
        throws
    {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ann")
        let ann = PolicySubject(.user, "ann")
        let sales = try right(.select, "schema:silver.sales", to: ann)
        try f.registry.grant(f.system, sales)
        try f.registry.grant(f.system, sales)
        for path in [
            ["silver", "sales", "t"], ["silver", "SALES", "T"], ["silver", "sales", "x", "t"],
        ] {
            for kind in [Resource.Kind.table, .view] {
                #expect(
                    f.registry.quietAuthorizer.decide(
                        try f.context("ann"), .tableSelect, Resource(kind: kind, path: path)
                    ).isAllowed, "\(kind) \(path)")
            }
        }
        #expect(try !may(f, "ann", .tableSelect, .table, "silver", "salesman", "t"))
        #expect(try !may(f, "ann", .tableInsert, .table, "silver", "sales", "t"))
        #expect(try may(f, "ann", .namespaceList, .namespace, "silver", "sales"))
        #expect(try may(f, "ann", .warehouseUse, .warehouse, "silver"))
        #expect(try f.registry.catalogRights(f.system) == [sales])
        try f.registry.grant(
            f.system, try right(.select, "table:silver.sales.cards", to: ann, denied: true))
        #expect(try !may(f, "ann", .tableSelect, .table, "silver", "Sales", "CARDS"))
        #expect(try f.registry.revoke(f.system, sales))
        #expect(try !f.registry.revoke(f.system, sales))
        // What let ann find the place has gone with it.
        #expect(try !may(f, "ann", .warehouseUse, .warehouse, "silver"))
        #expect(try !may(f, "ann", .namespaceList, .namespace, "silver", "sales"))
    }

    @Test func `rights of before are listed and can be taken back`() throws {
        let f = try Fixture()
        try f.registry.ensureRole(
            f.system, name: "risk",
            grants: [
                Grant(actions: ["table.select"], resource: "table:silver/sales/*"),
                Grant(actions: ["table.insert"], resource: "table:silver/**"),
            ])
        let risk = PolicySubject(.role, "risk")
        let select = try right(.select, "schema:silver.sales", to: risk)
        #expect(
            try Set(f.registry.catalogRights(f.system)) == [
                select, try right(.insert, "warehouse:silver", to: risk),
            ])
        #expect(try f.registry.revoke(f.system, select))
        #expect(
            try f.registry.role(f.system, named: "risk").grants.count(where: {
                $0.actions == ["table.select"]
            }) == 0)
    }

    @Test func `a group's right reaches its members, of now`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "bo")
        try f.registry.ensureGroup(f.system, name: "desk")
        try f.registry.grant(
            f.system, try right(.insert, "table:silver.s.t", to: PolicySubject(.group, "desk")))
        #expect(try !may(f, "bo", .tableInsert, .table, "silver", "s", "t"))
        try f.registry.addMember(f.system, "bo", toGroup: "desk")
        #expect(try may(f, "bo", .tableInsert, .table, "silver", "s", "t"))
        try f.registry.removeMember(f.system, "bo", fromGroup: "desk")
        #expect(try !may(f, "bo", .tableInsert, .table, "silver", "s", "t"))
    }

    @Test func `the roles of a warehouse are made once and give what they say, there alone`() throws
    {
        let f = try Fixture()
        for _ in 0..<2 {
            try f.registry.ensureCatalogRoles(f.system, warehouses: ["gold", "silver"])
        }
        let matrix: [(role: CatalogRole, select: Bool, insert: Bool, policies: Bool)] = [
            (.reader, true, false, false), (.contributor, true, true, false),
            (.administrator, true, true, true),
        ]
        for (role, select, insert, policies) in matrix {
            let name = "p-\(role.rawValue)"
            try f.registry.createAccount(f.system, name: name)
            try f.registry.setRole(
                f.system, role.name(in: "silver"), of: PolicySubject(.user, name), isAssigned: true)
            #expect(try may(f, name, .tableSelect, .table, "silver", "s", "t") == select)
            #expect(try may(f, name, .tableInsert, .table, "silver", "s", "t") == insert)
            #expect(try may(f, name, .policyAdminister, .warehouse, "silver") == policies)
            #expect(try !may(f, name, .tableSelect, .table, "gold", "s", "t"))
            #expect(try !may(f, name, .identityAdminister, .identity, "users"))
        }
        #expect(throws: IdentityError.self) {
            try f.registry.deleteRole(f.system, "silver.catalog_reader")
        }
        let keeper = try f.context("p-data_administrator")
        let reader = PolicySubject(.user, "p-catalog_reader")
        try f.registry.grant(keeper, try right(.insert, "table:silver.s.t", to: reader))
        #expect(try may(f, reader.name, .tableInsert, .table, "silver", "s", "t"))
        #expect(throws: AccessDenied.self) {
            try f.registry.grant(keeper, try right(.insert, "table:gold.s.t", to: reader))
        }
        #expect(throws: AccessDenied.self) {
            try f.registry.setRole(keeper, "admin", of: reader, isAssigned: true)
        }
        #expect(throws: AccessDenied.self) {
            try f.registry.setRole(
                keeper, "gold.catalog_reader", of: reader, isAssigned: true)
        }
    }

    @Test func `who administers policies alone gives no more than they have`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "stew", roles: ["steward"])
        try f.registry.createAccount(f.system, name: "ann")
        let context = try f.context("stew")
        let ann = PolicySubject(.user, "ann")
        try f.registry.grant(context, try right(.select, "table:silver.s.t", to: ann))
        #expect(try may(f, "ann", .tableSelect, .table, "silver", "s", "t"))
        #expect(throws: AccessDenied.self) {
            try f.registry.grant(context, try right(.delete, "table:silver.s.t", to: ann))
        }
    }

    @Test(arguments: [
        "silver", "table:silver.s", "schema:silver", "warehouse:a.b", "table:silver..t",
        "cube:a.b.c",
    ])
    func `what is no object is refused`(_ text: String) {
        #expect(throws: IdentityError.self) { try CatalogObject(text: text) }
    }
}
