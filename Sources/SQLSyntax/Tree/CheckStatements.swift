/// Statements about the checks of tables.
package enum CheckStatement: Sendable, Hashable {
    case create(CreateCheck)
    /// `DROP CHECK [IF EXISTS] name ON table`.
    case drop(Identifier, table: QualifiedName, ifExists: Bool)
    /// `SHOW CHECKS [ON table]`.
    case list(QualifiedName?)
    /// `RUN CHECKS [(name, ..)] ON table`; no names: all.
    case run(QualifiedName, names: [Identifier])
}

/// `CREATE [OR REPLACE] CHECK [IF NOT EXISTS] name ON table USING kind [WITH (..)]`.
package struct CreateCheck: Sendable, Hashable {
    /// The check's name, unique among those of its table.
    package let name: Identifier
    /// The table that is checked.
    package let table: QualifiedName
    /// What is done when there is one of the name.
    package let mode: CreateMode
    /// The kind of check, such as `not_null`.
    package let kind: Identifier
    /// The check's options.
    package let properties: [Property]
}
