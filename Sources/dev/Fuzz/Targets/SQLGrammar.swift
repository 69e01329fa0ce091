import TestSupport

/// Makes statements by a piece of the grammar: deep where the mutator is shallow.
struct SQLGrammar {
    var random: SeededGenerator
    /// What may still be spent, so that every statement ends.
    private var budget = 60

    init(random: SeededGenerator) { self.random = random }

    mutating func statement() -> String {
        switch random.below(8) {
        case 0: return "insert into \(name()) \(query())"
        case 1: return "create table \(name()) as \(query())"
        case 2: return "delete from \(name()) where \(expression())"
        case 3: return "update \(name()) set \(word()) = \(expression()) where \(expression())"
        case 4: return "explain \(query())"
        default: return query()
        }
    }

    private mutating func word() -> String {
        random.pick(["a", "b", "c1", "\"d e\"", "\"f\"\"g\"", "date", "zone", "\"select\"", "é"])
    }

    private mutating func name() -> String {
        (0...random.below(3)).map { _ in word() }.joined(separator: ".")
    }

    private mutating func query() -> String {
        budget -= 3
        var text = ""
        if random.below(6) == 0, budget > 0 { text += "with \(word()) as (\(query())) " }
        text += select()
        while random.below(5) == 0, budget > 0 {
            text += random.pick([" union ", " union all ", " except ", " intersect "])
            text += random.below(3) == 0 ? "(\(query()))" : select()
        }
        if random.below(3) == 0 {
            text += " order by \(expression())" + random.pick(["", " desc", " asc nulls last"])
        }
        return text
            + random.pick(["", "", " limit 5", " offset 3 rows", " fetch first 2 rows only"])
    }

    private mutating func select() -> String {
        var text = "select " + random.pick(["", "distinct ", "all "])
        text += (0...random.below(3)).map { _ in item() }.joined(separator: ", ")
        guard random.below(4) > 0 else { return text }
        text += " from " + relation()
        if random.below(2) == 0 { text += " where " + expression() }
        if random.below(4) == 0 {
            text += " group by "
            text += random.pick([
                word(), "rollup (a, b)", "cube (a)", "grouping sets ((a), ())", "1, 2",
            ])
            if random.below(2) == 0 { text += " having " + expression() }
        }
        return text
    }

    private mutating func item() -> String {
        switch random.below(5) {
        case 0: return "*"
        case 1: return word() + ".*"
        case 2: return expression() + " as " + word()
        default: return expression()
        }
    }

    private mutating func relation() -> String {
        budget -= 1
        guard budget > 0 else { return name() }
        switch random.below(8) {
        case 0: return "(\(query())) as \(word())(\(word()), \(word()))"
        case 1: return "\(relation()) cross join \(relation())"
        case 2:
            let kind = random.pick(["join", "left join", "right outer join", "full join"])
            return "\(relation()) \(kind) \(relation()) on \(expression())"
        case 3: return "\(relation()) join \(name()) using (\(word()))"
        case 4: return "unnest(\(expression())) with ordinality as \(word())"
        case 5: return "(values (1, 'a'), (\(expression()), null))"
        default: return name() + random.pick(["", " as x", " tablesample bernoulli (10)"])
        }
    }

    private mutating func list() -> String {
        (0...random.below(3)).map { _ in expression() }.joined(separator: ", ")
    }

    private mutating func type() -> String {
        random.pick([
            "bigint", "varchar(3)", "decimal(10, 2)", "array(integer)", "map(varchar, double)",
            "row(a bigint, b varchar)", "timestamp(3) with time zone", "time", "char(2)",
        ])
    }

    private mutating func expression() -> String {
        budget -= 1
        guard budget > 0 else { return leaf() }
        switch random.below(26) {
        case 0, 1: return "(\(expression()))"
        case 2, 3, 4:
            let sign = random.pick(["+", "-", "*", "/", "%", "||"])
            return "\(expression()) \(sign) \(expression())"
        case 5, 6:
            let sign = random.pick(["=", "<>", "<", ">", "<=", ">="])
            return "\(operand()) \(sign) \(operand())"
        case 7: return "\(expression()) and \(expression())"
        case 8: return "\(expression()) or \(expression())"
        case 9: return "not \(expression())"
        case 10: return "-\(operand())"
        case 11: return "\(operand()) between \(operand()) and \(operand())"
        case 12: return "\(operand()) \(random.pick(["in", "not in"])) (\(list()))"
        case 13: return "\(operand()) in (\(query()))"
        case 14: return "exists (\(query()))"
        case 15: return "(\(query()))"
        case 16: return "case \(expression()) when \(expression()) then \(expression()) end"
        case 17: return "case when \(expression()) then \(expression()) else \(expression()) end"
        case 18: return "\(random.pick(["cast", "try_cast"]))(\(expression()) as \(type()))"
        case 19: return "\(word())(\(random.pick(["", "distinct "]))\(list()))"
        case 20:
            let frame = random.pick(["", " rows between 1 preceding and current row"])
            return
                "sum(\(expression())) over (partition by \(list()) order by \(expression())\(frame))"
        case 21: return "\(operand()) is \(random.pick(["null", "not null", "distinct from 1"]))"
        case 22: return "\(operand()) like \(operand()) escape '\\'"
        case 23: return "array[\(list())][\(expression())]"
        case 24:
            return "transform(\(word()), \(random.pick(["x", "(x, y)", "()"])) -> \(expression()))"
        default: return "\(operand()) at time zone 'UTC'"
        }
    }

    /// An expression that binds tighter than a comparison.
    private mutating func operand() -> String {
        random.below(3) == 0 ? "(\(expression()))" : leaf()
    }

    private mutating func leaf() -> String {
        random.pick([
            "1", "-1", "2.50", "1e3", "'x'", "'it''s'", "null", "true", "?", "date '2024-01-01'",
            "interval '3' month", "interval -'1' day", "current_date", "localtime", "X'00ff'", "a",
            "a.b", "\"c d\"",
            "row(1, 2)", "array[]", "timestamp '2024-01-01 00:00:00 UTC'", "count(*)", "U&'\\00e9'",
        ])
    }
}
