// Branches, tags and checks.

extension SQLWriter {
    mutating func reference(_ statement: ReferenceStatement) {
        switch statement {
        case .create(let kind, let name, let catalog, let from, let ifNotExists):
            write("CREATE \(kind.rawValue) " + (ifNotExists ? "IF NOT EXISTS " : ""))
            identifier(name)
            inCatalog(catalog)
            word(" FROM ", from)
        case .drop(let kind, let name, let catalog, let ifExists):
            write("DROP \(kind.rawValue) " + (ifExists ? "IF EXISTS " : ""))
            identifier(name)
            inCatalog(catalog)
        case .merge(let name, let catalog, let into, let drops, let isDryRun):
            write("MERGE BRANCH ")
            identifier(name)
            inCatalog(catalog)
            word(" INTO ", into)
            if drops { write(" AND DROP") }
            if isDryRun { write(" DRY RUN") }
        case .list(let kind, let catalog):
            write(kind == .branch ? "SHOW BRANCHES" : "SHOW TAGS")
            inCatalog(catalog)
        case .changes(let name, let catalog):
            write("SHOW BRANCH CHANGES ")
            identifier(name)
            inCatalog(catalog)
        case .log(let name, let catalog):
            write("SHOW BRANCH LOG ")
            identifier(name)
            inCatalog(catalog)
        }
    }

    mutating func check(_ statement: CheckStatement) {
        switch statement {
        case .create(let check):
            write(check.mode == .replace ? "CREATE OR REPLACE CHECK " : "CREATE CHECK ")
            if check.mode == .ignore { write("IF NOT EXISTS ") }
            identifier(check.name)
            write(" ON ")
            name(check.table)
            write(" USING ")
            identifier(check.kind)
            properties(check.properties)
        case .drop(let check, let table, let ifExists):
            write("DROP CHECK " + (ifExists ? "IF EXISTS " : ""))
            identifier(check)
            write(" ON ")
            name(table)
        case .list(let table):
            write("SHOW CHECKS")
            if let table {
                write(" ON ")
                name(table)
            }
        case .run(let table, let names):
            write("RUN CHECKS ")
            if !names.isEmpty {
                write("(")
                list(names) { $0.identifier($1) }
                write(") ")
            }
            write("ON ")
            name(table)
        }
    }

    private mutating func inCatalog(_ catalog: Identifier?) { word(" IN CATALOG ", catalog) }

    private mutating func word(_ word: String, _ name: Identifier?) {
        guard let name else { return }
        write(word)
        identifier(name)
    }
}
