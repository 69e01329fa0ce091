import Authority
import Identity
import Platform
import Testing

/// Who is governed by what, without SQL.
struct PolicyTests {
    private let table = TableKey(uuid: "u-1", path: ["silver", "Sales", "Orders"])

    private func mask(
        _ name: String, on target: TablePolicy.Target, for groups: [String],
        except: [String] = [], as text: String = "'x'"
    ) -> TablePolicy {
        TablePolicy(
            name: name, kind: .mask, target: target,
            subjects: groups.map { PolicySubject(.group, $0) },
            exceptions: except.map { PolicySubject(.group, $0) }, expression: text,
            columns: ["iban": 3, "id": 1])
    }

    private func bench() throws -> (Fixture, RequestContext) {
        let f = try Fixture()
        for group in ["analysts", "stewards"] {
            try f.registry.ensureGroup(f.system, name: group)
        }
        try f.registry.createAccount(f.system, name: "ana", roles: ["engineer"])
        try f.registry.addMember(f.system, "ana", toGroup: "analysts")
        return (f, try f.context("ana"))
    }

    @Test func `a policy follows its table and stays on its name`() throws {
        let (f, ana) = try bench()
        try f.registry.define(
            f.system, mask("m", on: .column(table, fieldID: 3, name: "iban"), for: ["analysts"]),
            orReplace: false)
        let renamed = TableKey(uuid: "u-1", path: ["silver", "sales", "moved"])
        let remade = TableKey(uuid: "u-2", path: ["silver", "sales", "orders"])
        let other = TableKey(uuid: "u-3", path: ["silver", "sales", "others"])
        for (key, count) in [(table, 1), (renamed, 1), (remade, 1), (other, 0)] {
            #expect(f.registry.applied(to: ana.principal, tenant: "main", key).count == count)
        }
        #expect(f.registry.applied(to: .system, tenant: "main", table).isEmpty)
    }

    @Test func `an exception beats a group`() throws {
        let (f, ana) = try bench()
        try f.registry.define(
            f.system,
            mask(
                "m", on: .column(table, fieldID: 3, name: "iban"), for: ["analysts"],
                except: ["stewards"]), orReplace: false)
        #expect(f.registry.applied(to: ana.principal, tenant: "main", table).count == 1)
        try f.registry.addMember(f.system, "ana", toGroup: "stewards")
        // The groups of this moment count, not those of when the token was made.
        #expect(f.registry.applied(to: ana.principal, tenant: "main", table).isEmpty)
    }

    @Test func `a mask by tag comes after the column's own`() throws {
        let (f, ana) = try bench()
        try f.registry.define(f.system, mask("by_tag", on: .tag("PII"), for: []), orReplace: false)
        try f.registry.setTags(f.system, table, fieldID: 3, columnName: "iban", tags: ["PII"])
        try f.registry.define(
            f.system, mask("own", on: .column(table, fieldID: 3, name: "iban"), for: ["analysts"]),
            orReplace: false)
        let applied = f.registry.applied(to: ana.principal, tenant: "main", table)
        #expect(applied.map(\.policy.name) == ["own", "by_tag"])
        let decision = Decision(isAllowed: true, reason: "").governed(
            by: applied, columns: [1: "id", 3: "account"])
        #expect(decision.masks["account"]?.policy == "own")
        #expect(decision.masks["account"]?.names?["iban"] == "account")
        #expect(decision.masks["account"]?.names?["value"] == "account")
        #expect(decision.masks["$path"] != nil && decision.isRestricted)
    }

    @Test func `a column that was dropped and made again is still masked by its name`() throws {
        let (f, ana) = try bench()
        try f.registry.define(
            f.system, mask("m", on: .column(table, fieldID: 3, name: "iban"), for: ["analysts"]),
            orReplace: false)
        let applied = f.registry.applied(to: ana.principal, tenant: "main", table)
        let decision = Decision(isAllowed: true, reason: "").governed(
            by: applied, columns: [1: "id", 9: "IBAN"])
        #expect(decision.masks["iban"] != nil)
        let without = Decision(isAllowed: true, reason: "").governed(
            by: applied, columns: [1: "id"])
        #expect(without.masks.isEmpty && without.isRestricted)
    }

    @Test func `places of a governed table are closed to those it masks`() throws {
        let (f, ana) = try bench()
        let place = "s3://silver/sales/orders-u1"
        try f.registry.cover(tenant: "main", table, places: [place])
        try f.registry.define(
            f.system, mask("m", on: .column(table, fieldID: 3, name: "iban"), for: ["analysts"]),
            orReplace: false)
        // Before the policy there was nothing to note.
        let key = "sales/orders-u1/data/region=EU/1.parquet"
        func may(_ action: Action, _ path: [String]) -> Bool {
            let kind: Resource.Kind = action == .objectList ? .bucket : .object
            return f.registry.authorizer.decide(ana, action, Resource(kind: kind, path: path))
                .isAllowed
        }
        #expect(may(.objectRead, ["silver", key]))
        try f.registry.cover(tenant: "main", table, places: [place, place + "/"])
        #expect(!may(.objectRead, ["silver", key]))
        #expect(!may(.objectList, ["silver", "sales/orders-u1"]))
        #expect(!may(.objectList, ["silver", "sales/orders-u1/data/"]))
        #expect(may(.objectList, ["silver", "sales/"]) && may(.objectList, ["silver"]))
        #expect(may(.objectRead, ["silver", "sales/orders-u12/data/1.parquet"]))
        let own = f.registry.restriction(
            of: ana.principal, tenant: "main", bucket: "silver", key: key, own: table)
        #expect(own == nil)
        #expect(try f.registry.drop(f.system, .mask, "m"))
        #expect(may(.objectRead, ["silver", key]))
    }

    @Test func `only who administers policies may, and asks about others`() throws {
        let (f, ana) = try bench()
        #expect(throws: AccessDenied.self) {
            try f.registry.define(
                ana, mask("m", on: .table(table), for: ["analysts"]), orReplace: false)
        }
        try f.registry.createAccount(f.system, name: "stu", roles: ["steward"])
        let stu = try f.context("stu")
        try f.registry.define(
            stu, mask("m", on: .column(table, fieldID: 3, name: "iban"), for: ["analysts"]),
            orReplace: false)
        let error = #expect(throws: IdentityError.self) {
            try f.registry.define(
                stu, mask("m", on: .tag("PII"), for: ["nobody"]), orReplace: true)
        }
        #expect(error?.code == .notFound)
        let facts = try f.registry.explainAccess(stu, user: "ana", table)
        #expect(facts.map(\.kind) == ["grant", "mask", "files"])
        #expect(facts[1].through == "group analysts")
        #expect(throws: AccessDenied.self) {
            try f.registry.explainAccess(ana, user: "stu", table)
        }
        #expect(try f.registry.policies(ana).map(\.name) == ["m"])
    }
}
