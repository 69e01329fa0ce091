extension SQLWriter {
    mutating func property(_ property: Property) {
        name(property.name)
        write(" = ")
        if let value = property.value { expression(value, 0) } else { write("DEFAULT") }
    }

    mutating func properties(_ properties: [Property]) {
        guard !properties.isEmpty else { return }
        write(" WITH (")
        list(properties) { $0.property($1) }
        write(")")
    }

    mutating func comment(_ comment: String?) {
        guard let comment else { return }
        write(" COMMENT ")
        string(comment)
    }

    private mutating func create(_ what: String, _ mode: CreateMode) {
        write(mode == .replace ? "CREATE OR REPLACE \(what) " : "CREATE \(what) ")
        if mode == .ignore { write("IF NOT EXISTS ") }
    }

    mutating func createSchema(_ schema: CreateSchema) {
        create("SCHEMA", schema.ifNotExists ? .ignore : .fail)
        name(schema.name)
        if let owner = schema.owner {
            write(" AUTHORIZATION ")
            grantee(owner)
        }
        properties(schema.properties)
    }

    mutating func createTable(_ table: CreateTable) {
        create("TABLE", table.mode)
        name(table.name)
        if !table.elements.isEmpty {
            write(" (")
            list(table.elements) { writer, element in
                switch element {
                case .column(let column): writer.column(column)
                case .like(let name, let including):
                    writer.write("LIKE ")
                    writer.name(name)
                    if including { writer.write(" INCLUDING PROPERTIES") }
                }
            }
            write(")")
        }
        comment(table.comment)
        properties(table.properties)
    }

    mutating func column(_ column: ColumnDefinition) {
        name(column.name)
        write(" ")
        type(column.type)
        if let value = column.defaultValue {
            write(" DEFAULT ")
            expression(value, 4)
        }
        if !column.isNullable { write(" NOT NULL") }
        comment(column.comment)
        properties(column.properties)
    }

    mutating func createTableAsSelect(_ table: CreateTableAsSelect) {
        create("TABLE", table.mode)
        name(table.name)
        if !table.columns.isEmpty {
            write(" ")
            identifiers(table.columns)
        }
        comment(table.comment)
        properties(table.properties)
        write(" AS ")
        query(table.query)
        if !table.withData { write(" WITH NO DATA") }
    }

    mutating func createView(_ view: CreateView) {
        create("VIEW", view.orReplace ? .replace : .fail)
        name(view.name)
        comment(view.comment)
        if let security = view.security { write(" SECURITY \(security.rawValue)") }
        properties(view.properties)
        write(" AS ")
        query(view.query)
    }

    mutating func createMaterializedView(_ view: CreateMaterializedView) {
        create("MATERIALIZED VIEW", view.orReplace ? .replace : view.ifNotExists ? .ignore : .fail)
        name(view.name)
        if let grace = view.gracePeriod {
            write(" GRACE PERIOD ")
            interval(grace)
        }
        if let stale = view.whenStale { write(" WHEN STALE \(stale.rawValue)") }
        comment(view.comment)
        properties(view.properties)
        write(" AS ")
        query(view.query)
    }

    mutating func createBranch(_ branch: CreateBranch) {
        create("BRANCH", branch.mode)
        identifier(branch.name)
        properties(branch.properties)
        write(" IN TABLE ")
        name(branch.table)
        if let from = branch.from {
            write(" FROM ")
            identifier(from)
        }
    }

    mutating func createCatalog(_ catalog: CreateCatalog) {
        create("CATALOG", catalog.ifNotExists ? .ignore : .fail)
        identifier(catalog.name)
        write(" USING ")
        identifier(catalog.connector)
        comment(catalog.comment)
        if let owner = catalog.owner {
            write(" AUTHORIZATION ")
            grantee(owner)
        }
        properties(catalog.properties)
    }

    mutating func tableChange(_ change: TableChange) {
        switch change {
        case .rename(let to):
            write("RENAME TO ")
            name(to)
        case .addColumn(let definition, let ifNotExists, let position):
            write(ifNotExists ? "ADD COLUMN IF NOT EXISTS " : "ADD COLUMN ")
            column(definition)
            switch position {
            case .first: write(" FIRST")
            case .last: write(" LAST")
            case .after(let other):
                write(" AFTER ")
                identifier(other)
            case nil: break
            }
        case .dropColumn(let column, let ifExists):
            write(ifExists ? "DROP COLUMN IF EXISTS " : "DROP COLUMN ")
            name(column)
        case .renameColumn(let column, let to, let ifExists):
            write(ifExists ? "RENAME COLUMN IF EXISTS " : "RENAME COLUMN ")
            name(column)
            write(" TO ")
            identifier(to)
        case .setDataType(let column, let newType):
            write("ALTER COLUMN ")
            name(column)
            write(" SET DATA TYPE ")
            type(newType)
        case .setDefault(let column, let value):
            write("ALTER COLUMN ")
            name(column)
            write(" SET DEFAULT ")
            expression(value, 4)
        case .dropDefault(let column):
            write("ALTER COLUMN ")
            name(column)
            write(" DROP DEFAULT")
        case .dropNotNull(let column):
            write("ALTER COLUMN ")
            name(column)
            write(" DROP NOT NULL")
        case .setProperties(let properties):
            write("SET PROPERTIES ")
            list(properties) { $0.property($1) }
        case .execute(let procedure, let arguments, let filter):
            execute(procedure, arguments, filter)
        }
    }

    mutating func execute(
        _ procedure: Identifier, _ arguments: [FunctionCall.Argument], _ filter: Expression?
    ) {
        write("EXECUTE ")
        identifier(procedure)
        if !arguments.isEmpty {
            write("(")
            self.arguments(arguments)
            write(")")
        }
        if let filter {
            write(" WHERE ")
            expression(filter, 0)
        }
    }

    // MARK: Rights

    mutating func grantee(_ grantee: Grantee) {
        switch grantee.kind {
        case .currentUser: write("CURRENT_USER")
        case .currentRole: write("CURRENT_ROLE")
        case .user: write("USER " + SQLFormatter.quoted(name: grantee.name))
        case .role: write("ROLE " + SQLFormatter.quoted(name: grantee.name))
        case .group: write("GROUP " + SQLFormatter.quoted(name: grantee.name))
        case .unspecified: write(SQLFormatter.quoted(name: grantee.name))
        }
    }

    mutating func privileges(_ privileges: Privileges) {
        switch privileges {
        case .all: write("ALL PRIVILEGES")
        case .some(let names): write(names.map(\.name).joined(separator: ", "))
        }
    }

    mutating func object(_ object: GrantObject) {
        if let branch = object.branch {
            write("BRANCH ")
            identifier(branch)
            write(" IN TABLE ")
        } else if object.isKindWritten {
            write(object.kind + " ")
        }
        name(object.name)
    }

    // MARK: Routines

    mutating func routine(_ function: FunctionSpecification) {
        write("FUNCTION ")
        name(function.name)
        write("(")
        list(function.parameters) { writer, parameter in
            if let name = parameter.name {
                writer.identifier(name)
                writer.write(" ")
            }
            writer.type(parameter.type)
        }
        write(") RETURNS ")
        type(function.returns)
        let traits = function.characteristics
        if let language = traits.language {
            write(" LANGUAGE ")
            identifier(language)
        }
        if let isDeterministic = traits.isDeterministic {
            write(isDeterministic ? " DETERMINISTIC" : " NOT DETERMINISTIC")
        }
        if let called = traits.isCalledOnNull {
            write(called ? " CALLED ON NULL INPUT" : " RETURNS NULL ON NULL INPUT")
        }
        if let security = traits.security { write(" SECURITY \(security.rawValue)") }
        comment(traits.comment)
        properties(traits.properties)
        switch function.body {
        case .statement(let statement):
            write(" ")
            routineStatement(statement)
        case .definition(let text):
            write(" AS ")
            string(text)
        }
    }

    private mutating func routineStatements(_ statements: [RoutineStatement]) {
        for statement in statements {
            routineStatement(statement)
            write("; ")
        }
    }

    private mutating func label(_ label: Identifier?) {
        guard let label else { return }
        identifier(label)
        write(": ")
    }

    private mutating func routineStatement(_ statement: RoutineStatement) {
        switch statement.kind {
        case .returns(let value):
            write("RETURN ")
            expression(value, 0)
        case .set(let name, let value):
            write("SET ")
            identifier(name)
            write(" = ")
            expression(value, 0)
        case .compound(let variables, let statements):
            write("BEGIN ")
            for variable in variables {
                write("DECLARE ")
                list(variable.names) { $0.identifier($1) }
                write(" ")
                type(variable.type)
                if let value = variable.defaultValue {
                    write(" DEFAULT ")
                    expression(value, 0)
                }
                write("; ")
            }
            routineStatements(statements)
            write("END")
        case .ifThen(let branches, let otherwise):
            for (index, branch) in branches.enumerated() {
                write(index == 0 ? "IF " : "ELSEIF ")
                expression(branch.condition, 0)
                write(" THEN ")
                routineStatements(branch.statements)
            }
            if let otherwise {
                write("ELSE ")
                routineStatements(otherwise)
            }
            write("END IF")
        case .caseOf(let operand, let branches, let otherwise):
            write("CASE ")
            if let operand {
                expression(operand, 0)
                write(" ")
            }
            for branch in branches {
                write("WHEN ")
                expression(branch.condition, 0)
                write(" THEN ")
                routineStatements(branch.statements)
            }
            if let otherwise {
                write("ELSE ")
                routineStatements(otherwise)
            }
            write("END CASE")
        case .loop(let name, let statements):
            label(name)
            write("LOOP ")
            routineStatements(statements)
            write("END LOOP")
        case .whileLoop(let name, let condition, let statements):
            label(name)
            write("WHILE ")
            expression(condition, 0)
            write(" DO ")
            routineStatements(statements)
            write("END WHILE")
        case .repeatLoop(let name, let statements, let condition):
            label(name)
            write("REPEAT ")
            routineStatements(statements)
            write("UNTIL ")
            expression(condition, 0)
            write(" END REPEAT")
        case .iterate(let name):
            write("ITERATE ")
            identifier(name)
        case .leave(let name):
            write("LEAVE ")
            identifier(name)
        }
    }
}
