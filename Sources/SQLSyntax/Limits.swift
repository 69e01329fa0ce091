/// The limits of the parser. Reaching one is a fault `sql.statement_too_complex`.
package enum Limits {
    /// Bytes of one statement. Trino's default is 1,000,000; dbt seeds write longer ones.
    package static let statementBytes = 16_000_000
    /// How deep expressions and queries may nest; a subquery counts twice. The parser's frames of this
    /// many levels fit the 4 MiB stack of a worker, unoptimised.
    package static let nesting = 100
    /// Operators of one kind in a row, such as the `+` of a sum, and set operations or joins in a
    /// row: each makes the tree one deeper. AND and OR are flat and have no such limit.
    package static let chain = 400
    /// Elements of one list: IN lists, VALUES rows, arguments.
    package static let listElements = 1_000_000
}
