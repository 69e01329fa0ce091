/// What stands in FROM.
package struct Relation: SyntaxNode {
    /// The forms of a relation in FROM (`SqlBase.g4`, rules `relation` and `relationPrimary`).
    package indirect enum Kind: Sendable, Hashable {
        case table(TableReference)
        case subquery(Query)
        case lateral(Query)
        case unnest([Expression], withOrdinality: Bool)
        case tableFunction(TableFunctionCall)
        case join(Join)
        case aliased(Relation, alias: Identifier, columns: [Identifier])
        case sampled(Relation, SampleMethod, percentage: Expression)
        case jsonTable(JSONTable)
        case patternRecognition(Relation, PatternRecognition)
    }
    package let kind: Kind
    package let place: Place
}

/// A table or view by name, perhaps at an older state.
package struct TableReference: SyntaxNode {
    package let name: QualifiedName
    /// `t@branch`.
    package let branch: Identifier?
    package let version: TableVersion?
    package let place: Place
}

/// `FOR VERSION AS OF x` and `FOR TIMESTAMP AS OF x`.
package enum TableVersion: Sendable, Hashable {
    case version(Expression)
    case timestamp(Expression)
}

/// How TABLESAMPLE picks: row by row, or whole parts of the scan.
package enum SampleMethod: String, Sendable, Hashable {
    case bernoulli = "BERNOULLI"
    case system = "SYSTEM"
}

/// Two relations and how they meet.
package struct Join: Sendable, Hashable {
    /// Which rows without a partner stay.
    package enum Kind: String, Sendable, Hashable {
        case cross = "CROSS"
        case inner = "INNER"
        case left = "LEFT"
        case right = "RIGHT"
        case full = "FULL"
    }
    /// What makes two rows partners.
    package enum Criteria: Sendable, Hashable {
        case none
        case on(Expression)
        case using([Identifier])
        case natural
    }
    package let kind: Kind
    package let left: Relation
    package let right: Relation
    package let criteria: Criteria
    /// A comma between the relations, and not CROSS JOIN.
    package let isImplicit: Bool
}

/// `TABLE(f(arguments) [COPARTITION ..])`.
package struct TableFunctionCall: SyntaxNode {
    package let name: QualifiedName
    package let arguments: [TableFunctionArgument]
    package let copartition: [[QualifiedName]]
    package let place: Place
}

/// One argument of a table function, by position or by name.
package struct TableFunctionArgument: SyntaxNode {
    /// A scalar, a table or a descriptor.
    package enum Value: Sendable, Hashable {
        case scalar(Expression)
        case table(TableArgument)
        /// `DESCRIPTOR(a, b bigint)`.
        case descriptor([DescriptorField])
        /// `CAST(NULL AS DESCRIPTOR)`.
        case nullDescriptor
    }
    package let name: Identifier?
    package let value: Value
    package let place: Place
}

/// One column name of a DESCRIPTOR, with its type where it is given.
package struct DescriptorField: Sendable, Hashable {
    package let name: Identifier
    package let type: TypeName?
}

/// `TABLE(t) [AS a] [PARTITION BY ..] [PRUNE|KEEP WHEN EMPTY] [ORDER BY ..]`.
package struct TableArgument: Sendable, Hashable {
    package let relation: Relation
    package let partitionBy: [Expression]?
    /// KEEP WHEN EMPTY (true), PRUNE WHEN EMPTY (false).
    package let keepsEmpty: Bool?
    package let orderBy: [SortItem]
}
