import Diagnostics

/// The door of the module: text to tree.
package enum SQLParser {
    /// One statement; one trailing semicolon is accepted.
    package static func statement(_ text: String) throws(SQLSyntaxError) -> Statement {
        let parser = try Parser(text)
        let statement = try parser.statement()
        _ = parser.take(";")
        try parser.expectEnd()
        return statement
    }

    /// The statements of a script, cut at semicolons.
    package static func script(_ text: String) throws(SQLSyntaxError) -> [Statement] {
        let parser = try Parser(text)
        var statements: [Statement] = []
        while true {
            while parser.take(";") {}
            if parser.isAtEnd { return statements }
            parser.parameterCount = 0
            statements.append(try parser.statement())
            if !parser.isAtEnd { try parser.expect(";") }
        }
    }

    /// A query, as views and materialized views store it.
    package static func query(_ text: String) throws(SQLSyntaxError) -> Query {
        let parser = try Parser(text)
        let query = try parser.query()
        _ = parser.take(";")
        try parser.expectEnd()
        return query
    }

    /// A scalar expression, such as a row filter or a column mask.
    package static func expression(_ text: String) throws(SQLSyntaxError) -> Expression {
        let parser = try Parser(text)
        let expression = try parser.expression()
        try parser.expectEnd()
        return expression
    }

    /// A type, such as `row(a bigint, b array(varchar))`.
    package static func type(_ text: String) throws(SQLSyntaxError) -> TypeName {
        let parser = try Parser(text)
        let type = try parser.type()
        try parser.expectEnd()
        return type
    }

    /// A dotted name, such as `silver.sales."Order Lines"`.
    package static func name(_ text: String) throws(SQLSyntaxError) -> QualifiedName {
        let parser = try Parser(text)
        let name = try parser.qualifiedName()
        try parser.expectEnd()
        return name
    }

    /// How many `?` a statement has.
    package static func parameterCount(of text: String) throws(SQLSyntaxError) -> Int {
        let parser = try Parser(text)
        _ = try parser.statement()
        return parser.parameterCount
    }
}
