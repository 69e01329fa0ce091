import Diagnostics

extension Parser {
    /// `f(arguments [COPARTITION ..])`.
    func tableFunctionCall() throws(SQLSyntaxError) -> TableFunctionCall {
        let start = position
        let name = try qualifiedName()
        try expect("(")
        var arguments: [TableFunctionArgument] = []
        if !at(")"), !at("COPARTITION") { arguments = try list(tableFunctionArgument) }
        var copartition: [[QualifiedName]] = []
        if take("COPARTITION") {
            copartition = try list { () throws(SQLSyntaxError) in
                try self.parenthesized(self.qualifiedName)
            }
        }
        try expect(")")
        return TableFunctionCall(
            name: name, arguments: arguments, copartition: copartition, place: place(from: start))
    }

    private func tableFunctionArgument() throws(SQLSyntaxError) -> TableFunctionArgument {
        let start = position
        var name: Identifier?
        if isName(token), next("=>") {
            name = try identifier()
            advance()
        }
        let value: TableFunctionArgument.Value
        if at("TABLE"), next("(") {
            value = .table(try tableArgument())
        } else if at("DESCRIPTOR"), next("(") {
            advance()
            value = .descriptor(
                try parenthesized { () throws(SQLSyntaxError) in
                    let name = try self.identifier()
                    let isTyped = !self.at(",") && !self.at(")")
                    return DescriptorField(name: name, type: isTyped ? try self.type() : nil)
                })
        } else if take("CAST", "(", "NULL", "AS", "DESCRIPTOR", ")") {
            value = .nullDescriptor
        } else {
            value = .scalar(try expression())
        }
        return TableFunctionArgument(name: name, value: value, place: place(from: start))
    }

    private func tableArgument() throws(SQLSyntaxError) -> TableArgument {
        let start = position
        try expect("TABLE")
        let relation: Relation
        if startsQuery(inParenthesisAt: position) {
            let query = try parenthesizedQuery()
            relation = Relation(kind: .subquery(query), place: place(from: start))
        } else {
            try expect("(")
            let table = try tableReference()
            try expect(")")
            relation = Relation(kind: .table(table), place: place(from: start))
        }
        var named = relation
        let isClause =
            isAny(of: ["PARTITION", "PRUNE", "KEEP"]) && (next("BY") || next("WHEN"))
        if !isClause, let alias = try optionalAlias() {
            let columns = try optionalColumns()
            named = Relation(
                kind: .aliased(relation, alias: alias, columns: columns), place: place(from: start))
        }
        var partitionBy: [Expression]?
        if take("PARTITION", "BY") {
            if at("("), next(")") {
                advance()
                advance()
                partitionBy = []
            } else if at("(") {
                partitionBy = try parenthesized(expression)
            } else {
                partitionBy = [try expression()]
            }
        }
        var keepsEmpty: Bool?
        if take("PRUNE", "WHEN", "EMPTY") {
            keepsEmpty = false
        } else if take("KEEP", "WHEN", "EMPTY") {
            keepsEmpty = true
        }
        var orderBy: [SortItem] = []
        if take("ORDER") {
            try expect("BY")
            orderBy = at("(") ? try parenthesized(sortItem) : [try sortItem()]
        }
        return TableArgument(
            relation: named, partitionBy: partitionBy, keepsEmpty: keepsEmpty, orderBy: orderBy)
    }

    /// `(input, path COLUMNS (..) [PLAN ..] [ERROR|EMPTY ON ERROR])`.
    func jsonTable() throws(SQLSyntaxError) -> JSONTable {
        try expect("(")
        let (invocation, pathName) = try jsonTableInvocation()
        try expect("COLUMNS")
        let columns = try parenthesized(jsonTableColumn)
        var plan: JSONTablePlan?
        if take("PLAN") {
            if take("DEFAULT") {
                plan = try defaultPlan()
            } else {
                try expect("(")
                plan = try nested(jsonPlan)
                try expect(")")
            }
        }
        var failsOnError: Bool?
        if at("ERROR") || at("EMPTY") {
            failsOnError = advance().word == "ERROR"
            try expect("ON", "ERROR")
        }
        try expect(")")
        return JSONTable(
            invocation: invocation, pathName: pathName, columns: columns, plan: plan,
            failsOnError: failsOnError)
    }

    private func jsonTableColumn() throws(SQLSyntaxError) -> JSONTableColumn {
        if at("NESTED"), next("PATH") || peek().kind == .string {
            advance()
            _ = take("PATH")
            let path = try string()
            let name: Identifier? = take("AS") ? try identifier() : nil
            try expect("COLUMNS")
            let columns = try nested { () throws(SQLSyntaxError) in
                try self.parenthesized(self.jsonTableColumn)
            }
            return .nested(path: path, name: name, columns)
        }
        let name = try identifier()
        if take("FOR") {
            try expect("ORDINALITY")
            return .ordinality(name)
        }
        let type = try type()
        if at("FORMAT") {
            let format = try jsonColumnFormat()
            let path: String? = take("PATH") ? try string() : nil
            var clauses = try jsonQueryClauses()
            clauses.format = format
            return .query(name, type, path: path, clauses)
        }
        let path: String? = take("PATH") ? try string() : nil
        return .value(name, type, path: path, try jsonValueBehaviors())
    }

    private func defaultPlan() throws(SQLSyntaxError) -> JSONTablePlan {
        var isInner = false
        var isCross = false
        _ = try parenthesized { () throws(SQLSyntaxError) in
            guard self.at("INNER") || self.at("OUTER") || self.at("CROSS") || self.at("UNION")
            else {
                throw self.unexpected()
            }
            switch self.advance().word {
            case "INNER": isInner = true
            case "CROSS": isCross = true
            default: break
            }
        }
        return .byDefault(isInner: isInner, isCross: isCross)
    }

    private func jsonPlan() throws(SQLSyntaxError) -> JSONTablePlan {
        var plan = try jsonPlanPrimary()
        var chain = 0
        while at("OUTER") || at("INNER") || at("UNION") || at("CROSS") {
            try lengthen(&chain)
            let word = advance().word
            let right = try jsonPlanPrimary()
            switch (word, plan) {
            case ("UNION", _): plan = .union(plan, right)
            case ("CROSS", _): plan = .cross(plan, right)
            case ("OUTER", .path(let name)): plan = .outer(name, right)
            case ("INNER", .path(let name)): plan = .inner(name, right)
            default: throw unexpected()
            }
        }
        return plan
    }

    private func jsonPlanPrimary() throws(SQLSyntaxError) -> JSONTablePlan {
        if take("(") {
            let plan = try nested(jsonPlan)
            try expect(")")
            return plan
        }
        return .path(try identifier())
    }
}
