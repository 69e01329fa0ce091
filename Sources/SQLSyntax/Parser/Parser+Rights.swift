import Diagnostics

extension Parser {
    func rightsStatement() throws(SQLSyntaxError) -> Statement.Kind? {
        if take("GRANT") { return try grant() }
        if take("REVOKE") { return try revoke() }
        if take("DENY") {
            let privileges = try privileges()
            try expect("ON")
            let object = try grantObject()
            try expect("TO")
            return .deny(privileges, on: object, to: try grantee())
        }
        return nil
    }

    func grantee() throws(SQLSyntaxError) -> Grantee {
        let start = position
        if take("CURRENT_USER") {
            return Grantee(kind: .currentUser, name: "", place: place(from: start))
        }
        if take("CURRENT_ROLE") {
            return Grantee(kind: .currentRole, name: "", place: place(from: start))
        }
        var kind = Grantee.Kind.unspecified
        if at("USER") || at("ROLE") || at("GROUP"), isName(peek()) {
            kind =
                switch advance().word {
                case "USER": .user
                case "ROLE": .role
                default: .group
                }
        }
        let name = try identifier()
        return Grantee(kind: kind, name: name.text, place: place(from: start))
    }

    /// Whether roles are granted and not privileges: no ON before TO or FROM.
    private func grantsRoles(until end: String) -> Bool {
        var index = position
        while index < tokens.count, tokens[index].kind != .end {
            if tokens[index].word == "ON" { return false }
            if tokens[index].word == end { return true }
            index += 1
        }
        return false
    }

    private func grant() throws(SQLSyntaxError) -> Statement.Kind {
        if grantsRoles(until: "TO") {
            let roles = try list(identifier)
            try expect("TO")
            let grantees = try list(grantee)
            let withAdmin = take("WITH", "ADMIN", "OPTION")
            let by: Grantee? = take("GRANTED", "BY") ? try grantee() : nil
            return .grantRoles(
                roles, to: grantees, withAdminOption: withAdmin, grantedBy: by,
                catalog: try optionalCatalog())
        }
        let privileges = try privileges()
        try expect("ON")
        let object = try grantObject()
        try expect("TO")
        let grantee = try grantee()
        return .grant(
            privileges, on: object, to: grantee, withGrantOption: take("WITH", "GRANT", "OPTION"))
    }

    private func revoke() throws(SQLSyntaxError) -> Statement.Kind {
        if grantsRoles(until: "FROM") {
            let adminOption = take("ADMIN", "OPTION", "FOR")
            let roles = try list(identifier)
            try expect("FROM")
            let grantees = try list(grantee)
            let by: Grantee? = take("GRANTED", "BY") ? try grantee() : nil
            return .revokeRoles(
                roles, from: grantees, adminOptionFor: adminOption, grantedBy: by,
                catalog: try optionalCatalog())
        }
        let grantOption = take("GRANT", "OPTION", "FOR")
        let privileges = try privileges()
        try expect("ON")
        let object = try grantObject()
        try expect("FROM")
        return .revoke(privileges, on: object, from: try grantee(), grantOptionFor: grantOption)
    }

    private func privileges() throws(SQLSyntaxError) -> Privileges {
        if take("ALL") {
            try expect("PRIVILEGES")
            return .all
        }
        return .some(try list(privilege))
    }

    private func privilege() throws(SQLSyntaxError) -> PrivilegeName {
        let start = position
        if take("CREATE") {
            let name = take("BRANCH") ? "CREATE BRANCH" : "CREATE"
            return PrivilegeName(name: name, place: place(from: start))
        }
        if take("SELECT") || take("INSERT") || take("UPDATE") || take("DELETE") {
            return PrivilegeName(name: tokens[start].word, place: place(from: start))
        }
        // Connectors may have privileges of their own: EXECUTE, DROP, OWNERSHIP.
        if take("EXECUTE") || take("DROP") || take("ALTER") {
            return PrivilegeName(name: tokens[start].word, place: place(from: start))
        }
        let name = try identifier()
        return PrivilegeName(name: name.text.uppercased(), place: place(from: start))
    }

    /// `[TABLE|SCHEMA|..] name`.
    func grantObject() throws(SQLSyntaxError) -> GrantObject {
        let start = position
        if at("MATERIALIZED"), next("VIEW") {
            advance()
            advance()
            let name = try qualifiedName()
            return GrantObject(
                kind: "MATERIALIZED VIEW", isKindWritten: true, name: name, branch: nil,
                place: place(from: start))
        }
        if at("BRANCH"), isName(peek()) {
            advance()
            let branch = try identifier()
            try expect("IN", "TABLE")
            let name = try qualifiedName()
            return GrantObject(
                kind: "BRANCH", isKindWritten: true, name: name, branch: branch,
                place: place(from: start))
        }
        var kind = "TABLE"
        var isWritten = false
        if at("TABLE") || at("SCHEMA") || at("VIEW") || at("CATALOG") || at("FUNCTION"),
            isName(peek())
        {
            kind = advance().word
            isWritten = true
        }
        let name = try qualifiedName()
        return GrantObject(
            kind: kind, isKindWritten: isWritten, name: name, branch: nil, place: place(from: start)
        )
    }

    func createRole() throws(SQLSyntaxError) -> Statement.Kind {
        let name = try identifier()
        let admin: Grantee? = take("WITH", "ADMIN") ? try grantee() : nil
        return .createRole(name, admin: admin, catalog: try optionalCatalog())
    }
}
