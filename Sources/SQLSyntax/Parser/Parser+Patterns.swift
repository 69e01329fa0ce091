import Diagnostics

extension Parser {
    /// `(PARTITION BY .. MEASURES .. PATTERN (..) DEFINE ..)`.
    func patternRecognition() throws(SQLSyntaxError) -> PatternRecognition {
        let start = position
        try expect("(")
        var partitionBy: [Expression] = []
        if take("PARTITION", "BY") { partitionBy = try list(expression) }
        let orderBy = try optionalOrderBy()
        var measures: [PatternRecognition.Measure] = []
        if take("MEASURES") {
            measures = try list { () throws(SQLSyntaxError) in
                let expression = try self.expression()
                try self.expect("AS")
                return .init(expression: expression, name: try self.identifier())
            }
        }
        let rowsPerMatch = try optionalRowsPerMatch()
        let skip = try optionalSkip()
        var isSeek: Bool?
        if at("INITIAL") || at("SEEK") { isSeek = advance().word == "SEEK" }
        try expect("PATTERN", "(")
        let pattern = try rowPattern()
        try expect(")")
        var subsets: [PatternRecognition.Subset] = []
        if take("SUBSET") {
            subsets = try list { () throws(SQLSyntaxError) in
                let name = try self.identifier()
                try self.expect("=")
                return .init(name: name, members: try self.parenthesized(self.identifier))
            }
        }
        try expect("DEFINE")
        let definitions = try list { () throws(SQLSyntaxError) in
            let name = try self.identifier()
            try self.expect("AS")
            return PatternRecognition.Definition(name: name, condition: try self.expression())
        }
        try expect(")")
        return PatternRecognition(
            partitionBy: partitionBy, orderBy: orderBy, measures: measures,
            rowsPerMatch: rowsPerMatch, skip: skip, isSeek: isSeek, pattern: pattern,
            subsets: subsets, definitions: definitions, place: place(from: start))
    }

    private func optionalRowsPerMatch() throws(SQLSyntaxError) -> PatternRecognition.RowsPerMatch? {
        if take("ONE") {
            try expect("ROW", "PER", "MATCH")
            return .one
        }
        guard take("ALL") else { return nil }
        try expect("ROWS", "PER", "MATCH")
        if take("SHOW") {
            try expect("EMPTY", "MATCHES")
            return .allShowEmpty
        }
        if take("OMIT") {
            try expect("EMPTY", "MATCHES")
            return .allOmitEmpty
        }
        if take("WITH") {
            try expect("UNMATCHED", "ROWS")
            return .allWithUnmatched
        }
        return .all
    }

    private func optionalSkip() throws(SQLSyntaxError) -> PatternRecognition.AfterMatchSkip? {
        guard take("AFTER") else { return nil }
        try expect("MATCH", "SKIP")
        if take("PAST") {
            try expect("LAST", "ROW")
            return .pastLastRow
        }
        try expect("TO")
        if take("NEXT", "ROW") { return .toNextRow }
        if at("FIRST"), isName(peek()) {
            advance()
            return .toFirst(try identifier())
        }
        if at("LAST"), isName(peek()) { advance() }
        return .toLast(try identifier())
    }

    private func rowPattern() throws(SQLSyntaxError) -> RowPattern {
        try nested { () throws(SQLSyntaxError) in
            var choices = [try self.patternSequence()]
            while self.take("|") { choices.append(try self.patternSequence()) }
            return choices.count == 1 ? choices[0] : .alternation(choices)
        }
    }

    private func patternSequence() throws(SQLSyntaxError) -> RowPattern {
        var parts = [try patternFactor()]
        while isName(token) || at("(") || at("^") || at("$") || at("{-") {
            parts.append(try patternFactor())
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private func patternFactor() throws(SQLSyntaxError) -> RowPattern {
        let primary = try patternPrimary()
        var least = 0
        var most: Int?
        if take("*") {
            // From none to any number.
        } else if take("+") {
            least = 1
        } else if take("?") {
            most = 1
        } else if take("{") {
            if token.kind == .integer {
                least = try count()
                most = least
                if take(",") { most = token.kind == .integer ? try count() : nil }
            } else {
                try expect(",")
                most = token.kind == .integer ? try count() : nil
            }
            try expect("}")
        } else {
            return primary
        }
        return .repeated(primary, least: least, most: most, isReluctant: take("?"))
    }

    private func patternPrimary() throws(SQLSyntaxError) -> RowPattern {
        if at("PERMUTE"), next("(") {
            advance()
            return .permute(try parenthesized(rowPattern))
        }
        if take("^") { return .start }
        if take("$") { return .end }
        if take("{-") {
            let inner = try rowPattern()
            try expect("-}")
            return .excluded(inner)
        }
        if take("(") {
            if take(")") { return .empty }
            let inner = try rowPattern()
            try expect(")")
            return inner
        }
        return .variable(try identifier())
    }
}
