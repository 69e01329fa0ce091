extension SQLWriter {
    mutating func policy(_ statement: PolicyStatement) {
        switch statement {
        case .createRowFilter(let name, let table, let reach, let body, let orReplace):
            created("ROW FILTER", name, orReplace)
            self.name(table)
            tail(reach, body)
        case .createMask(let name, let column, let reach, let body, let orReplace):
            created("MASK", name, orReplace)
            self.name(column)
            tail(reach, body)
        case .createTagMask(let name, let tag, let reach, let body, let orReplace):
            created("MASK", name, orReplace)
            write("TAG ")
            string(tag)
            tail(reach, body)
        case .dropRowFilter(let name, let ifExists):
            write(ifExists ? "DROP ROW FILTER IF EXISTS " : "DROP ROW FILTER ")
            identifier(name)
        case .dropMask(let name, let ifExists):
            write(ifExists ? "DROP MASK IF EXISTS " : "DROP MASK ")
            identifier(name)
        case .setTags(let table, let column, let tags):
            write("ALTER TABLE ")
            name(table)
            if let column {
                write(" ALTER COLUMN ")
                identifier(column)
            }
            write(" SET TAGS (")
            list(tags) { $0.string($1) }
            write(")")
        case .showRowFilters(let table): shown("SHOW ROW FILTERS", table)
        case .showMasks(let table): shown("SHOW MASKS", table)
        case .showTags(let table): shown("SHOW TAGS", table)
        case .showEffectiveAccess(let table, let user):
            shown("SHOW EFFECTIVE ACCESS", table)
            if let user {
                write(" FOR USER ")
                string(user)
            }
        }
    }

    private mutating func created(_ kind: String, _ name: Identifier, _ orReplace: Bool) {
        write(orReplace ? "CREATE OR REPLACE \(kind) " : "CREATE \(kind) ")
        identifier(name)
        write(" ON ")
    }

    private mutating func tail(_ reach: PolicyReach, _ body: Expression) {
        write(" FOR ")
        if reach.subjects.isEmpty { write("ALL") } else { grantees(reach.subjects) }
        if !reach.exceptions.isEmpty {
            write(" EXCEPT ")
            grantees(reach.exceptions)
        }
        write(" AS (")
        expression(body, 0)
        write(")")
    }

    private mutating func grantees(_ all: [PolicyGrantee]) {
        list(all) { writer, grantee in
            writer.write("\(grantee.kind) ")
            writer.string(grantee.name)
        }
    }

    private mutating func shown(_ words: String, _ table: QualifiedName?) {
        write(words)
        guard let table else { return }
        write(" ON ")
        name(table)
    }
}
