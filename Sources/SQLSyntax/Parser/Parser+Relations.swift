import Diagnostics

extension Parser {
    /// The relations of FROM: commas make cross joins.
    func relations() throws(SQLSyntaxError) -> Relation {
        let start = position
        var left = try nested(relation)
        var chain = 0
        while take(",") {
            try lengthen(&chain)
            let right = try nested(relation)
            left = Relation(
                kind: .join(
                    Join(kind: .cross, left: left, right: right, criteria: .none, isImplicit: true)),
                place: place(from: start))
        }
        return left
    }

    /// A relation with its joins.
    func relation() throws(SQLSyntaxError) -> Relation {
        let start = position
        var left = try sampledRelation()
        var chain = 0
        while true {
            try lengthen(&chain)
            if take("CROSS") {
                try expect("JOIN")
                let right = try sampledRelation()
                left = joined(.cross, left, right, .none, start)
            } else if take("NATURAL") {
                let kind = try joinKind()
                try expect("JOIN")
                let right = try sampledRelation()
                left = joined(kind, left, right, .natural, start)
            } else if at("JOIN") || at("INNER") || at("LEFT") || at("RIGHT") || at("FULL") {
                let kind = try joinKind()
                try expect("JOIN")
                // `a JOIN b JOIN c ON .. ON ..`: the right side may be a join itself.
                let right = try rightSide()
                let criteria: Join.Criteria
                if take("ON") {
                    criteria = .on(try expression())
                } else if take("USING") {
                    criteria = .using(try parenthesized(identifier))
                } else {
                    throw unexpected()
                }
                left = joined(kind, left, right, criteria, start)
            } else {
                if ["ASOF", "SEMI", "ANTI"].contains(token.word), next("JOIN") {
                    throw foreign(
                        "\(token.word) JOIN is not supported",
                        hint: token.word == "ASOF"
                            ? "use a window function or max_by over a range join"
                            : "write WHERE [NOT] EXISTS (..)", length: 2)
                }
                return left
            }
        }
    }

    /// The right operand of a join with criteria; takes joins whose ON comes before ours.
    private func rightSide() throws(SQLSyntaxError) -> Relation {
        let start = position
        let first = try sampledRelation()
        guard at("JOIN") || at("INNER") || at("LEFT") || at("RIGHT") || at("FULL") else {
            return first
        }
        let kind = try joinKind()
        try expect("JOIN")
        let second = try nested(rightSide)
        let criteria: Join.Criteria
        if take("ON") {
            criteria = .on(try expression())
        } else {
            try expect("USING")
            criteria = .using(try parenthesized(identifier))
        }
        return joined(kind, first, second, criteria, start)
    }

    private func joined(
        _ kind: Join.Kind, _ left: Relation, _ right: Relation, _ criteria: Join.Criteria,
        _ start: Int
    ) -> Relation {
        Relation(
            kind: .join(
                Join(kind: kind, left: left, right: right, criteria: criteria, isImplicit: false)),
            place: place(from: start))
    }

    private func joinKind() throws(SQLSyntaxError) -> Join.Kind {
        if take("INNER") { return .inner }
        for (word, kind) in [("LEFT", Join.Kind.left), ("RIGHT", .right), ("FULL", .full)]
        where take(word) {
            _ = take("OUTER")
            return kind
        }
        return .inner
    }

    private func sampledRelation() throws(SQLSyntaxError) -> Relation {
        let start = position
        let relation = try patternRelation()
        try refuseUnsupportedRelation()
        guard at("TABLESAMPLE") else { return relation }
        advance()
        guard at("BERNOULLI") || at("SYSTEM"), let method = SampleMethod(rawValue: token.word)
        else {
            throw unexpected()
        }
        advance()
        try expect("(")
        let percentage = try expression()
        try expect(")")
        if token.word == "AS" {
            throw foreign(
                "the alias stands before TABLESAMPLE",
                hint: "write AS \(peek().text) TABLESAMPLE \(method.rawValue) (..)", length: 2)
        }
        return Relation(
            kind: .sampled(relation, method, percentage: percentage), place: place(from: start))
    }

    private func patternRelation() throws(SQLSyntaxError) -> Relation {
        let start = position
        var relation = try aliasedRelation()
        guard at("MATCH_RECOGNIZE"), next("(") else { return relation }
        advance()
        let pattern = try patternRecognition()
        relation = Relation(
            kind: .patternRecognition(relation, pattern), place: place(from: start))
        return try aliased(relation, start)
    }

    private func aliasedRelation() throws(SQLSyntaxError) -> Relation {
        let start = position
        return try aliased(try plainRelation(), start)
    }

    private func aliased(_ relation: Relation, _ start: Int) throws(SQLSyntaxError) -> Relation {
        guard let alias = try optionalAlias() else { return relation }
        let columns = try optionalColumns()
        if token.word == "FOR", next("VERSION") || next("TIMESTAMP") {
            throw foreign(
                "FOR \(peek().word) AS OF stands before the alias",
                hint: "write FOR \(peek().word) AS OF .. AS \(alias.text)", length: 2)
        }
        return Relation(
            kind: .aliased(relation, alias: alias, columns: columns), place: place(from: start))
    }

    private func plainRelation() throws(SQLSyntaxError) -> Relation {
        let start = position
        if at("("), startsQuery(inParenthesisAt: start) {
            let query = try parenthesizedQuery()
            return Relation(kind: .subquery(query), place: place(from: start))
        }
        if take("(") {
            let inner = try relations()
            try expect(")")
            return Relation(kind: inner.kind, place: place(from: start))
        }
        if at("LATERAL"), next("(") {
            advance()
            let query = try parenthesizedQuery()
            return Relation(kind: .lateral(query), place: place(from: start))
        }
        if take("UNNEST") {
            let arrays = try parenthesized(expression)
            let withOrdinality = take("WITH", "ORDINALITY")
            return Relation(
                kind: .unnest(arrays, withOrdinality: withOrdinality), place: place(from: start))
        }
        if at("TABLE"), next("(") {
            advance()
            try expect("(")
            let call = try tableFunctionCall()
            try expect(")")
            return Relation(kind: .tableFunction(call), place: place(from: start))
        }
        if take("JSON_TABLE") {
            let table = try jsonTable()
            return Relation(kind: .jsonTable(table), place: place(from: start))
        }
        if isAtString {
            throw foreign(
                "a file is not a table here",
                hint: "load it with an ingest step, or declare an external table")
        }
        let table = try tableReference()
        if at("("), peek().kind != .symbol || next(")") || next("(") {
            throw foreign(
                "table functions are called inside TABLE(..)",
                hint: "write TABLE(\(table.name)(..))")
        }
        return Relation(kind: .table(table), place: place(from: start))
    }

    /// `name[@branch] [FOR VERSION|TIMESTAMP AS OF ..]`.
    func tableReference() throws(SQLSyntaxError) -> TableReference {
        let start = position
        let name = try qualifiedName()
        var branch: Identifier?
        if take("@") { branch = try identifier() }
        var version: TableVersion?
        if at("FOR"), next("VERSION") || next("TIMESTAMP") || next("SYSTEM_TIME") {
            advance()
            if token.word == "SYSTEM_TIME" {
                throw foreign("FOR SYSTEM_TIME is not supported", hint: "write FOR TIMESTAMP AS OF")
            }
            let isVersion = advance().word == "VERSION"
            try expect("AS", "OF")
            let value = try nestedValue()
            version = isVersion ? .version(value) : .timestamp(value)
        }
        return TableReference(
            name: name, branch: branch, version: version, place: place(from: start))
    }
}
