/// Statements about who sees which rows and values. Ours, not Trino's.
package indirect enum PolicyStatement: Sendable, Hashable {
    /// `CREATE [OR REPLACE] ROW FILTER name ON table FOR … AS (predicate)`.
    case createRowFilter(Identifier, on: QualifiedName, PolicyReach, Expression, orReplace: Bool)
    /// `CREATE [OR REPLACE] MASK name ON table.column FOR … AS (expression)`; the last part is the column.
    case createMask(Identifier, on: QualifiedName, PolicyReach, Expression, orReplace: Bool)
    /// `CREATE [OR REPLACE] MASK name ON TAG 'tag' FOR … AS (expression)`.
    case createTagMask(Identifier, tag: String, PolicyReach, Expression, orReplace: Bool)
    case dropRowFilter(Identifier, ifExists: Bool)
    case dropMask(Identifier, ifExists: Bool)
    /// `ALTER TABLE t [ALTER COLUMN c] SET TAGS ('tag', …)`; an empty list takes them away.
    case setTags(QualifiedName, column: Identifier?, [String])
    case showRowFilters(on: QualifiedName?)
    case showMasks(on: QualifiedName?)
    case showTags(on: QualifiedName?)
    /// `SHOW EFFECTIVE ACCESS ON table [FOR USER name]`.
    case showEffectiveAccess(on: QualifiedName, user: String?)
}

/// `FOR ALL | [GROUP|ROLE|USER] name, … [EXCEPT [GROUP|ROLE|USER] name, …]`.
package struct PolicyReach: Sendable, Hashable {
    /// Empty: everybody.
    package let subjects: [PolicyGrantee]
    package let exceptions: [PolicyGrantee]
}

/// Somebody whom a policy names.
package struct PolicyGrantee: SyntaxNode {
    /// `GROUP`, `ROLE` or `USER`; the one before it in the list where none is written.
    package let kind: String
    package let name: String
    package let place: Place
}
