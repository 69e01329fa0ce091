/// `CREATE [OR REPLACE] MODEL name USING algorithm [WITH (…)] AS query`.
package struct CreateModel: Sendable, Hashable {
    package let name: QualifiedName
    package let orReplace: Bool
    /// `isolation_forest` and its like; which there are is not the grammar's to know.
    package let algorithm: Identifier
    package let properties: [Property]
    package let query: Query
}

/// Statements about models.
package enum ModelStatement: Sendable, Hashable {
    case create(CreateModel)
    case drop(QualifiedName, ifExists: Bool)
    /// `DESCRIBE MODEL name[@version]`.
    case describe(QualifiedName, version: Int64?)
    case show(schema: QualifiedName?, LikePattern?)
}
