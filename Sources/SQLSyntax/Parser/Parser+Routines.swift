import Diagnostics

extension Parser {
    /// `FUNCTION name(parameters) RETURNS type characteristics body`.
    func functionSpecification() throws(SQLSyntaxError) -> FunctionSpecification {
        let start = position
        try expect("FUNCTION")
        let name = try qualifiedName()
        try expect("(")
        var parameters: [RoutineParameter] = []
        if !at(")") { parameters = try list(routineParameter) }
        try expect(")", "RETURNS")
        let returns = try type()
        let characteristics = try routineCharacteristics()
        let body: RoutineBody
        if take("AS") {
            if token.kind == .dollarString {
                body = .definition(advance().text)
            } else {
                body = .definition(try string())
            }
        } else {
            body = .statement(try routineStatement())
        }
        return FunctionSpecification(
            name: name, parameters: parameters, returns: returns, characteristics: characteristics,
            body: body, place: place(from: start))
    }

    private func routineParameter() throws(SQLSyntaxError) -> RoutineParameter {
        let start = position
        var name: Identifier?
        if isName(token), isName(peek()) || next("ROW"),
            !(token.word == "DOUBLE" && next("PRECISION"))
        {
            name = try identifier()
        }
        let type = try type()
        return RoutineParameter(name: name, type: type, place: place(from: start))
    }

    private func routineCharacteristics() throws(SQLSyntaxError) -> RoutineCharacteristics {
        var found = RoutineCharacteristics()
        while true {
            if take("LANGUAGE") {
                found.language = try identifier()
            } else if take("NOT", "DETERMINISTIC") {
                found.isDeterministic = false
            } else if take("DETERMINISTIC") {
                found.isDeterministic = true
            } else if take("RETURNS", "NULL", "ON", "NULL", "INPUT") {
                found.isCalledOnNull = false
            } else if take("CALLED", "ON", "NULL", "INPUT") {
                found.isCalledOnNull = true
            } else if take("SECURITY") {
                if take("DEFINER") {
                    found.security = .definer
                } else {
                    try expect("INVOKER")
                    found.security = .invoker
                }
            } else if at("COMMENT") {
                found.comment = try optionalComment()
            } else if at("WITH"), next("(") {
                found.properties = try optionalProperties()
            } else {
                return found
            }
        }
    }

    private func routineStatement() throws(SQLSyntaxError) -> RoutineStatement {
        let start = position
        let kind = try nested(routineStatementKind)
        return RoutineStatement(kind: kind, place: place(from: start))
    }

    private func routineStatementKind() throws(SQLSyntaxError) -> RoutineStatement.Kind {
        if take("RETURN") { return .returns(try expression()) }
        if take("SET") {
            let name = try identifier()
            try expect("=")
            return .set(name, try expression())
        }
        if take("BEGIN") { return try compound() }
        if take("IF") { return try ifStatement() }
        if take("CASE") { return try caseStatement() }
        if take("ITERATE") { return .iterate(try identifier()) }
        if take("LEAVE") { return .leave(try identifier()) }
        var label: Identifier?
        if isName(token), next(":") {
            label = try identifier()
            advance()
        }
        if take("LOOP") {
            let body = try routineStatements()
            try expect("END", "LOOP")
            return .loop(label: label, body)
        }
        if take("WHILE") {
            let condition = try expression()
            try expect("DO")
            let body = try routineStatements()
            try expect("END", "WHILE")
            return .whileLoop(label: label, condition, body)
        }
        try expect("REPEAT")
        let body = try routineStatements()
        try expect("UNTIL")
        let condition = try expression()
        try expect("END", "REPEAT")
        return .repeatLoop(label: label, body, until: condition)
    }

    /// Statements with semicolons, up to a word that ends them.
    private func routineStatements() throws(SQLSyntaxError) -> [RoutineStatement] {
        var statements: [RoutineStatement] = []
        while !at("END"), !at("ELSE"), !at("ELSEIF"), !at("WHEN"), !at("UNTIL"), !isAtEnd {
            statements.append(try routineStatement())
            try expect(";")
        }
        return statements
    }

    private func compound() throws(SQLSyntaxError) -> RoutineStatement.Kind {
        var variables: [RoutineVariable] = []
        while at("DECLARE") {
            let start = position
            advance()
            let names = try list(identifier)
            let type = try type()
            let defaultValue: Expression? = take("DEFAULT") ? try expression() : nil
            variables.append(
                RoutineVariable(
                    names: names, type: type, defaultValue: defaultValue, place: place(from: start))
            )
            try expect(";")
        }
        let body = try routineStatements()
        try expect("END")
        return .compound(variables, body)
    }

    private func branch(_ start: Int) throws(SQLSyntaxError) -> RoutineBranch {
        let condition = try expression()
        try expect("THEN")
        let statements = try routineStatements()
        return RoutineBranch(
            condition: condition, statements: statements, place: place(from: start))
    }

    private func ifStatement() throws(SQLSyntaxError) -> RoutineStatement.Kind {
        var branches = [try branch(position)]
        while take("ELSEIF") { branches.append(try branch(position)) }
        let otherwise: [RoutineStatement]? = take("ELSE") ? try routineStatements() : nil
        try expect("END", "IF")
        return .ifThen(branches, otherwise: otherwise)
    }

    private func caseStatement() throws(SQLSyntaxError) -> RoutineStatement.Kind {
        let operand: Expression? = at("WHEN") ? nil : try expression()
        var branches: [RoutineBranch] = []
        repeat {
            let start = position
            try expect("WHEN")
            branches.append(try branch(start))
        } while at("WHEN")
        let otherwise: [RoutineStatement]? = take("ELSE") ? try routineStatements() : nil
        try expect("END", "CASE")
        return .caseOf(operand, branches, otherwise: otherwise)
    }
}
