import Authority
import JSON

// Rights of SQL as grants of roles: which actions a privilege stands for at which patterns, and back.

extension CatalogPrivilege {
    /// What it allows on a thing of the kind: the actions, each with the kind of resource asked about.
    func actions(on kind: CatalogObject.Kind) -> [(Action, CatalogObject.Kind)] {
        let entries: [CatalogObject.Kind] =
            kind == .table || kind == .view ? [kind] : [.table, .view]
        let isPlace = kind == .warehouse || kind == .namespace
        func entry(_ action: Action) -> [(Action, CatalogObject.Kind)] {
            entries.map { (action, $0) }
        }
        switch self {
        case .select: return entry(.tableSelect)
        case .insert: return entry(.tableInsert)
        case .update: return entry(.tableUpdate)
        case .delete: return entry(.tableDelete)
        case .create: return entry(.tableCreate) + (isPlace ? [(.namespaceCreate, .namespace)] : [])
        case .alter: return entry(.tableAlter) + (isPlace ? [(.namespaceAlter, .namespace)] : [])
        case .drop: return entry(.tableDrop) + (isPlace ? [(.namespaceDrop, .namespace)] : [])
        case .createBranch: return kind == .warehouse ? [(.warehouseBranch, .warehouse)] : []
        }
    }

    /// Whether an action of a grant on things of a kind stands for this privilege.
    func names(action: String, on kind: CatalogObject.Kind) -> Bool {
        let main: Action =
            switch self {
            case .select: .tableSelect
            case .insert: .tableInsert
            case .update: .tableUpdate
            case .delete: .tableDelete
            case .create: .tableCreate
            case .alter: .tableAlter
            case .drop: .tableDrop
            case .createBranch: .warehouseBranch
            }
        return action == main.rawValue
    }
}

extension CatalogRight {
    /// The grants that make it; with those of earlier versions, for taking back. Throws for a privilege
    /// that means nothing on the thing, and for a name that a pattern would read otherwise.
    func grants(withFormer: Bool = false) throws(IdentityError) -> [Grant] {
        let pairs = privilege.actions(on: object.kind)
        guard !pairs.isEmpty else {
            throw IdentityError(
                code: .invalidValue,
                message: "\(privilege.rawValue) is not a privilege on a \(object.kind.rawValue)",
                hint: "CREATE BRANCH is on a whole warehouse")
        }
        guard object.isPlain else {
            throw IdentityError(
                code: .invalidValue,
                message: "rights cannot be granted on a name with * or /: "
                    + object.path.joined(separator: "."))
        }
        let effect: Grant.Effect = isDenial ? .deny : .allow
        var grants = pairs.map { action, kind in
            Grant(
                effect: effect, actions: [action.rawValue],
                resource: object.pattern(of: kind))
        }
        if withFormer {
            // Before there were views and nested namespaces here, a schema was `table:c/s/*`.
            let former =
                object.kind == .namespace
                ? object.path + ["*"] : object.kind == .view ? object.path : nil
            if let former, let action = pairs.first?.0 {
                grants.append(
                    Grant(
                        effect: effect, actions: [action.rawValue],
                        resource: "table:" + former.joined(separator: "/")))
            }
        }
        return grants
    }

    var eventDetails: [(String, JSONValue)] {
        [
            ("effect", .string(isDenial ? "deny" : "allow")),
            ("privilege", .string(privilege.rawValue)),
            (
                "object",
                .string("\(object.kind.rawValue) \(object.path.joined(separator: "."))")
            ), ("grantee", .string(grantee.description)),
        ]
    }
}

extension CatalogObject {
    /// Whether no level of the path means something else in a pattern.
    var isPlain: Bool {
        !path.isEmpty
            && path.allSatisfy { level in
                !level.isEmpty && !level.contains("*") && !level.contains("/")
            }
    }

    /// The pattern for resources of a kind in it.
    func pattern(of kind: CatalogObject.Kind) -> String {
        let place = path.joined(separator: "/")
        if kind == .warehouse { return "warehouse:\(path[0])" }
        return self.kind == .table || self.kind == .view
            ? "\(kind.rawValue):\(place)" : "\(kind.rawValue):\(place)/**"
    }

    /// What a grant's pattern means; nil for patterns that rights never make.
    init?(pattern: String) {
        let halves = pattern.split(separator: ":", maxSplits: 1)
        guard halves.count == 2, let kind = Kind(rawValue: String(halves[0])) else { return nil }
        let path = halves[1].split(separator: "/").map(String.init)
        guard let last = path.last else { return nil }
        let plain = CatalogObject(kind, path)
        switch (kind, last) {
        case (.warehouse, _):
            guard path.count == 1, plain.isPlain else { return nil }
            self = plain
        case (.namespace, _): return nil
        case (_, "*"), (_, "**"):
            let place = Array(path.dropLast())
            let object = CatalogObject(place.count == 1 ? .warehouse : .namespace, place)
            // `table:silver/*` reaches no table, for tables are in namespaces.
            guard object.isPlain, place.count > 1 || last == "**" else { return nil }
            self = object
        default:
            guard path.count >= 3, plain.isPlain else { return nil }
            self = plain
        }
    }

    /// The thing as the authorizer is asked about it.
    func resource(_ tenant: String) -> Resource {
        let kind: Resource.Kind =
            switch self.kind {
            case .warehouse: .warehouse
            case .namespace: .namespace
            case .table: .table
            case .view: .view
            }
        return Resource(tenant: tenant, kind: kind, path: path)
    }

    /// The thing; of a place things of a kind in it, near and deep, for the question whether somebody may
    /// an action on everything there. Their names are such that nothing can have them: no pattern that
    /// somebody has a right by singles them out.
    func probes(_ tenant: String, _ kind: Kind) -> [Resource] {
        let none = "\u{1}"
        func resource(_ path: [String]) -> Resource {
            CatalogObject(kind, path).resource(tenant)
        }
        let isPlace = self.kind == .warehouse || self.kind == .namespace
        switch kind {
        case .warehouse: return [resource([path[0]])]
        case .table, .view:
            guard isPlace else { return [resource(path)] }
            let near = path + (path.count == 1 ? [none, none] : [none])
            return [resource(near), resource(near + [none])]
        case .namespace:
            guard isPlace else { return [resource(path.dropLast())] }
            let near = path.count == 1 ? path + [none] : path
            return [resource(near), resource(near + [none])]
        }
    }

    /// What lets somebody find it: `actions@pattern`.
    var findable: [String] {
        let warehouse = path[0]
        var texts = ["query.run@query:*", "warehouse.use@warehouse:\(warehouse)"]
        switch kind {
        case .warehouse:
            texts.append("namespace.list,table.list@warehouse:\(warehouse)")
            texts.append("namespace.list,table.list@namespace:\(warehouse)/**")
        case .namespace:
            texts.append("namespace.list,table.list@namespace:\(path.joined(separator: "/"))/**")
            texts += above(path.count - 1)
        case .table, .view: texts += above(path.count - 1)
        }
        return texts
    }

    /// The namespaces on the way, of up to so many levels with the warehouse.
    private func above(_ count: Int) -> [String] {
        guard count >= 2 else { return [] }
        return (2...count).map {
            "namespace.list@namespace:" + path.prefix($0).joined(separator: "/")
        }
    }
}

/// The built-in roles of each warehouse: `silver.catalog_reader`.
package enum CatalogRole: String, Sendable, CaseIterable {
    case reader = "catalog_reader"
    case contributor = "catalog_contributor"
    case administrator = "data_administrator"

    /// Its name with the warehouse's before it.
    package func name(in warehouse: String) -> String { "\(warehouse).\(rawValue)" }

    /// The warehouse and the role of a name.
    package static func parse(_ name: String) -> (warehouse: String, role: CatalogRole)? {
        guard let dot = name.lastIndex(of: "."),
            let role = CatalogRole(rawValue: String(name[name.index(after: dot)...]))
        else { return nil }
        return (String(name[..<dot]), role)
    }

    func id(in warehouse: String) -> String { "role_\(name(in: warehouse))" }

    var summary: String {
        switch self {
        case .reader: "Reads all tables, views and models of one warehouse."
        case .contributor: "Reads and writes, makes and drops what is in one warehouse."
        case .administrator:
            "Contributes, branches, and decides who may see and do what in one warehouse."
        }
    }

    /// What it allows there.
    func grants(in warehouse: String) -> [Grant] {
        let read = ["table.select", "table.list"]
        let write = [
            "table.create", "table.drop", "table.alter", "table.insert", "table.update",
            "table.delete",
        ]
        let isReader = self == .reader
        let isAdministrator = self == .administrator
        let policies = isAdministrator ? ["policy.administer"] : []
        var grants = [
            Grant(
                actions: ["warehouse.use", "namespace.list", "table.list"]
                    + (isAdministrator ? ["warehouse.branch"] : []) + policies,
                resource: "warehouse:\(warehouse)"),
            Grant(
                actions: ["namespace.list", "table.list"]
                    + (isReader ? [] : ["namespace.create", "namespace.drop", "namespace.alter"])
                    + policies, resource: "namespace:\(warehouse)/**"),
            Grant(
                actions: ["model.use", "model.list"]
                    + (isReader ? [] : ["model.create", "model.drop"]),
                resource: "model:\(warehouse)/**"),
            Grant(actions: ["query.run"], resource: "query:*"),
        ]
        for kind in ["table", "view"] {
            grants.append(
                Grant(
                    actions: read + (isReader ? [] : write) + policies,
                    resource: "\(kind):\(warehouse)/**"))
        }
        return grants
    }
}
