// Rights as the command line and the REST administration write them: `schema:silver.sales`.

extension CatalogObject {
    /// Reads `warehouse:W`, `schema:W.N`, `table:W.N.T` or `view:W.N.V`; Trino's and Iceberg's words
    /// for the first two are understood too.
    package init(text: String) throws(IdentityError) {
        let halves = text.split(separator: ":", maxSplits: 1).map(String.init)
        let kinds: [String: Kind] = [
            "warehouse": .warehouse, "catalog": .warehouse, "schema": .namespace,
            "namespace": .namespace, "table": .table, "view": .view,
        ]
        let path =
            halves.count == 2
            ? halves[1].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            : []
        guard let kind = halves.first.flatMap({ kinds[$0.lowercased()] }),
            path.allSatisfy({ !$0.isEmpty }), kind.fits(path.count)
        else {
            throw IdentityError(
                code: .invalidValue, message: "not something that rights are on: \(text)",
                hint: "write warehouse:silver, schema:silver.sales, table:silver.sales.orders or "
                    + "view:silver.sales.week")
        }
        self.init(kind, path)
    }

    /// As `init(text:)` reads it.
    package var text: String {
        let word = kind == .namespace ? "schema" : kind.rawValue
        return "\(word):\(path.joined(separator: "."))"
    }
}

extension CatalogObject.Kind {
    fileprivate func fits(_ levels: Int) -> Bool {
        switch self {
        case .warehouse: levels == 1
        case .namespace: levels >= 2
        case .table, .view: levels >= 3
        }
    }
}

extension CatalogPrivilege {
    /// Reads `select`, `CREATE BRANCH`, `create-branch`.
    package init(text: String) throws(IdentityError) {
        let words = String(text.uppercased().map { $0 == "-" || $0 == "_" ? " " : $0 })
        guard let privilege = CatalogPrivilege(rawValue: words) else {
            let names = CatalogPrivilege.allCases.map { $0.rawValue.lowercased() }
            throw IdentityError(
                code: .invalidValue, message: "not a privilege: \(text)",
                hint: "there are \(names.joined(separator: ", "))")
        }
        self = privilege
    }

    /// Reads a list with commas; `all` stands for those of ALL PRIVILEGES.
    package static func list(_ text: String) throws(IdentityError) -> [CatalogPrivilege] {
        if text.lowercased() == "all" { return all }
        var found: [CatalogPrivilege] = []
        for name in text.split(separator: ",") {
            found.append(try CatalogPrivilege(text: String(name)))
        }
        return found
    }
}
