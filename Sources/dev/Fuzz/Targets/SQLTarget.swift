import SQLSyntax
import TestSupport

extension FuzzTarget {
    /// Statements: what is parsed and written parses to the same tree.
    static let sql: FuzzTarget = {
        var target = FuzzTarget(
            name: "sql", summary: "SQL scripts and expressions; format and parse again"
        ) {
            try SQLSeeds.statements()
        } prepare: {
            { input in try SQLTrial.run(String(decoding: input, as: UTF8.self)) }
        }
        target.tokens = SQLSeeds.tokens
        target.sizeLimit = 8 * 1024
        target.generate = { random in
            var grammar = SQLGrammar(random: random)
            let text = grammar.statement()
            random = grammar.random
            return Array(text.utf8)
        }
        return target
    }()
}

private enum SQLTrial {
    static func run(_ text: String) throws {
        if let statements = try answer({ try SQLParser.script(text) }) {
            for statement in statements { try check(statement) }
        }
        if let expression = try answer({ try SQLParser.expression(text) }) {
            let written = SQLFormatter.format(expression)
            guard let again = try parsed(written, { try SQLParser.expression(written) }) else {
                throw Finding("its own expression is refused: \(written.prefix(300))")
            }
            try hold(again == expression, "the expression changes: \(written.prefix(300))")
            try hold(
                SQLFormatter.format(again) == written, "formatting goes on: \(written.prefix(300))")
        }
        _ = try answer { try SQLParser.type(text) }
        _ = try answer { try SQLParser.name(text) }
        _ = try answer { try SQLParser.parameterCount(of: text) }
    }

    private static func check(_ statement: Statement) throws {
        let written = SQLFormatter.format(statement)
        guard let again = try parsed(written, { try SQLParser.statement(written) }) else {
            throw Finding("its own text is refused: \(written.prefix(300))")
        }
        try hold(again == statement, "the tree changes: \(written.prefix(300))")
        try hold(
            SQLFormatter.format(again) == written, "formatting goes on: \(written.prefix(300))")
    }

    /// Parses formatted text; nil when it is refused, but for limits, which the added parentheses may
    /// reach although the text had not.
    private static func parsed<Tree>(_ text: String, _ body: () throws -> Tree) throws -> Tree? {
        do { return try body() } catch let error as SQLSyntaxError {
            throw Finding("refused: \(error.code.rawValue) \(error.message): \(text.prefix(300))")
        }
    }
}

private enum SQLSeeds {
    /// The statements of every .slt file.
    static func statements() throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        for file in try SourceFiles.contents(below: "Tests/SQL", endings: [".slt"], upTo: 1 << 20) {
            var lines: [Substring] = []
            var isInside = false
            for line in String(decoding: file, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            {
                if isInside, line.isEmpty || line == "----" {
                    found.append(Array(lines.joined(separator: "\n").utf8))
                    lines = []
                    isInside = false
                } else if isInside {
                    lines.append(line)
                } else if line.hasPrefix("query ") || line.hasPrefix("statement ") {
                    isInside = true
                }
            }
            if !lines.isEmpty { found.append(Array(lines.joined(separator: "\n").utf8)) }
        }
        return found
            + [
                "select * from a match_recognize (partition by b order by c measures final last(d.e) as f "
                    + "one row per match after match skip past last row pattern (d+ e*?) define d as e > 1)",
                "merge into t using s on t.a = s.a when matched and s.b > 1 then update set a = 1 "
                    + "when matched then delete when not matched then insert (a) values (s.a)",
                "create table a.b.c (x bigint not null comment 'y', z array(row(a varchar(3), b decimal(5,2)))) "
                    + "with (partitioning = array['x'])",
                "explain analyze verbose select 1",
                "select 1 as \"a\"\"b\", 'it''s', U&'\\00e9', X'00ff'",
            ].map { Array($0.utf8) }
    }

    static let tokens = [
        "select", "from", "where", "group by", "having", "order by", "limit", "offset",
        "fetch first",
        "rows only", "with", "recursive", "as", "on", "using", "join", "left", "full outer",
        "cross",
        "natural", "lateral", "unnest", "union", "all", "except", "intersect", "distinct",
        "case when",
        "then", "else", "end", "cast(", "try_cast(", "extract(year from", "interval '1' day",
        "date '2024-01-01'",
        "timestamp '2024-01-01 00:00:00'", "between", "and", "or", "not", "in", "exists", "any",
        "some", "is null",
        "is distinct from", "like", "escape '\\'", "over (", "partition by", "rows between",
        "unbounded preceding",
        "current row", "filter (where", "within group", "grouping sets", "cube", "rollup", "values",
        "table",
        "insert into", "update", "set", "delete from", "merge into", "create table",
        "if not exists", "drop",
        "alter", "explain", "show", "describe", "array[", "row(", "map(", "decimal(10,2)",
        "varchar", "->", "=>",
        "::", "||", "+", "-", "*", "/", "%", "=", "<>", "<=", ">=", "(", ")", ",", ".", ";", "?",
        "\"a\"", "'a'",
        "`a`", "1e10", "0x1F", "1_000", ".5", "5.", "--", "/*", "*/", "\u{0}", "é", "U&'\\+01F600'",
        "X'0G'", "at time zone",
        "for version as of", "tablesample", "json_value(", "listagg(", "position(", "substring(",
        "trim(",
    ]
}
