import Authority
import SQLEngine
import SQLFunctions
import Synchronization
import Testing

/// A directory in memory.
private final class FakeRights: RightsDoor {
    struct State {
        var roles: Set<String> = ["silver.catalog_reader", "viewer"]
        var members: Set<String> = []
        var grants: [RightsGrant] = []
        /// How often something was changed.
        var calls = 0
    }
    let state = Mutex(State())

    func createRole(_ context: RequestContext, _ name: String) throws -> Bool {
        state.withLock { $0.roles.insert(name).inserted }
    }
    func dropRole(_ context: RequestContext, _ name: String) throws -> Bool {
        state.withLock { $0.roles.remove(name) != nil }
    }
    func roles(_ context: RequestContext) throws -> [String] {
        state.withLock { $0.roles.sorted() }
    }
    func setRole(
        _ context: RequestContext, _ role: String, of grantee: RightsGrantee, isAssigned: Bool
    ) throws {
        let user = (grantee.kind == .group ? "group " : "") + grantee.name
        state.withLock {
            if isAssigned {
                $0.members.insert("\(user)=\(role)")
            } else {
                $0.members.remove("\(user)=\(role)")
            }
        }
    }
    func grant(_ context: RequestContext, _ grants: [RightsGrant]) throws {
        state.withLock { state in
            state.grants += grants.filter { !state.grants.contains($0) }
            state.calls += 1
        }
    }
    func revoke(_ context: RequestContext, _ grants: [RightsGrant]) throws {
        state.withLock { state in
            state.grants.removeAll { grants.contains($0) }
            state.calls += 1
        }
    }
    func grants(_ context: RequestContext) throws -> [RightsGrant] {
        state.withLock { $0.grants }
    }
}

struct RightsStatementTests {
    private func bench() throws -> (EngineBench, FakeRights) {
        let bench = try EngineBench()
        let rights = FakeRights()
        bench.engine.attach(rights: rights)
        try bench.ok("CREATE TABLE t (a bigint)")
        return (bench, rights)
    }

    @Test func `a right on what cannot be seen any more is taken back`() throws {
        let (bench, rights) = try bench()
        try bench.ok("DENY SELECT ON t TO USER ana")
        try bench.ok("DROP TABLE t")
        #expect(try bench.run("DENY INSERT ON t TO USER ana").code == "TABLE_NOT_FOUND")
        try bench.ok("REVOKE SELECT ON t FROM USER ana")
        #expect(rights.state.withLock { $0.grants }.isEmpty)
        #expect(try bench.run("REVOKE SELECT ON t FROM USER ana").code == "TABLE_NOT_FOUND")
    }

    @Test func `roles come, are given and go`() throws {
        let (bench, rights) = try bench()
        #expect(try bench.ok("CREATE ROLE risk").updateType == "CREATE ROLE")
        #expect(try bench.run("CREATE ROLE risk").code == "ROLE_ALREADY_EXISTS")
        #expect(try bench.rows("SHOW ROLES") == ["risk", "silver.catalog_reader", "viewer"])
        #expect(try bench.rows("SHOW ROLES FROM silver") == ["catalog_reader"])
        try bench.ok("GRANT risk, viewer TO USER ana, bo")
        #expect(
            rights.state.withLock { $0.members } == [
                "ana=risk", "ana=viewer", "bo=risk", "bo=viewer",
            ])
        try bench.ok("GRANT catalog_reader TO GROUP desk, USER cy IN silver")
        #expect(
            rights.state.withLock { $0.members }.isSuperset(of: [
                "group desk=silver.catalog_reader", "cy=silver.catalog_reader",
            ]))
        #expect(try bench.run("GRANT catalog_reader TO cy IN gold").code == "ROLE_NOT_FOUND")
        try bench.ok("REVOKE risk FROM USER bo")
        #expect(rights.state.withLock { $0.members.contains("bo=risk") } == false)
        let unknown = try bench.run("GRANT rsk TO USER ana")
        #expect(unknown.code == "ROLE_NOT_FOUND" && unknown.hint == "did you mean risk?")
        #expect(try bench.run("GRANT risk TO ROLE viewer").code == "NOT_SUPPORTED")
        try bench.ok("DROP ROLE risk")
        #expect(try bench.run("DROP ROLE risk").code == "ROLE_NOT_FOUND")
        try bench.ok("DROP ROLE IF EXISTS risk")
    }

    @Test func `privileges are granted, shown, denied and revoked`() throws {
        let (bench, rights) = try bench()
        try bench.ok("GRANT SELECT, INSERT ON t TO ROLE viewer")
        try bench.ok("GRANT ALL PRIVILEGES ON SCHEMA sales TO ana")
        #expect(
            try bench.rows("SHOW GRANTS ON TABLE t") == [
                "NULL|NULL|viewer|ROLE|silver|sales|t|SELECT|NO|NULL",
                "NULL|NULL|viewer|ROLE|silver|sales|t|INSERT|NO|NULL",
            ])
        #expect(try bench.rows("SHOW GRANTS").count == 7)
        #expect(
            rights.state.withLock {
                $0.grants.filter { $0.grantee.kind == .user }.map(\.object)
            } == Array(repeating: RightsObject(.schema, ["silver", "sales"]), count: 5))
        try bench.ok("GRANT ALTER ON CATALOG silver TO GROUP desk")
        try bench.ok("GRANT CREATE BRANCH ON CATALOG silver TO GROUP desk")
        #expect(
            try bench.rows("SHOW GRANTS ON CATALOG silver") == [
                "NULL|NULL|desk|GROUP|silver|*|*|ALTER|NO|NULL",
                "NULL|NULL|desk|GROUP|silver|*|*|CREATE BRANCH|NO|NULL",
            ])
        #expect(try bench.run("GRANT CREATE BRANCH ON t TO ana").code == "INVALID_PRIVILEGE")
        try bench.ok("DENY DELETE ON TABLE t TO ROLE viewer")
        #expect(try bench.rows("SHOW GRANTS ON t")[2].contains("DENY DELETE"))
        try bench.ok("REVOKE ALL PRIVILEGES ON t FROM ROLE viewer")
        #expect(try bench.rows("SHOW GRANTS ON t") == [])
        #expect(try bench.run("GRANT SELECT ON nope TO ana").code == "TABLE_NOT_FOUND")
        #expect(try bench.run("GRANT SELECT ON SCHEMA nope TO ana").code == "SCHEMA_NOT_FOUND")
        #expect(try bench.run("GRANT SELECT ON t TO ROLE nope").code == "ROLE_NOT_FOUND")
        #expect(
            try bench.run("GRANT SELECT ON t TO ana WITH GRANT OPTION").code == "NOT_SUPPORTED")
    }

    @Test func `a list of privileges is one change, and names are the same in any case`() throws {
        let (bench, rights) = try bench()
        try bench.ok("GRANT SELECT, INSERT, DELETE ON t TO ROLE viewer")
        #expect(rights.state.withLock { [$0.calls, $0.grants.count] } == [1, 3])
        rights.state.withLock { state in
            for index in state.grants.indices {
                state.grants[index].object.path = ["Silver", "SALES", "T"]
            }
        }
        #expect(try bench.rows("SHOW GRANTS ON t").count == 3)
        #expect(try bench.rows("SHOW GRANTS ON SCHEMA sales").isEmpty)
        rights.state.withLock { state in
            for index in state.grants.indices {
                state.grants[index].object.path = ["silver", "sales", "t"]
            }
        }
        try bench.ok("REVOKE SELECT, INSERT ON t FROM ROLE viewer")
        #expect(rights.state.withLock { $0.grants.map(\.privilege) } == ["DELETE"])
        #expect(rights.state.withLock { $0.calls } == 2)
    }

    @Test func `without a directory there are no rights`() throws {
        let bench = try EngineBench()
        #expect(try bench.run("CREATE ROLE x").code == "NOT_SUPPORTED")
    }
}
