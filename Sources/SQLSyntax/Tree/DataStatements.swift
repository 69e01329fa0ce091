/// `INSERT INTO table [(columns)] query`.
package struct Insert: Sendable, Hashable {
    package let table: TableReference
    /// Empty: all columns in their order.
    package let columns: [Identifier]
    package let query: Query
}

/// `DELETE FROM table [WHERE condition]`.
package struct Delete: Sendable, Hashable {
    package let table: TableReference
    package let filter: Expression?
}

/// `UPDATE table SET column = value, … [WHERE condition]`.
package struct Update: Sendable, Hashable {
    package let table: TableReference
    package let assignments: [Assignment]
    package let filter: Expression?
}

/// `column = value`; DEFAULT is no value.
package struct Assignment: SyntaxNode {
    package let column: Identifier
    package let value: Expression
    package let place: Place
}

/// `MERGE INTO target USING source ON condition WHEN …`, its cases in the order of the text.
package struct Merge: Sendable, Hashable {
    package let table: TableReference
    package let alias: Identifier?
    package let source: Relation
    package let condition: Expression
    package let cases: [MergeCase]
}

/// `WHEN [NOT] MATCHED [AND condition] THEN ..`.
package struct MergeCase: SyntaxNode {
    /// What a case of MERGE does to the row.
    package enum Action: Sendable, Hashable {
        case update([Assignment])
        case delete
        /// WHEN NOT MATCHED only. Empty columns: all in their order.
        case insert(columns: [Identifier], values: [Expression])
    }
    package let condition: Expression?
    package let action: Action
    package let place: Place
}
