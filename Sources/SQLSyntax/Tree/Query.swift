/// A whole query: `[WITH ..] body [ORDER BY ..] [OFFSET ..] [LIMIT ..]`.
package struct Query: SyntaxNode {
    /// `WITH FUNCTION ..` before the rest.
    package var functions: [FunctionSpecification] = []
    /// `WITH SESSION p = v` before the rest.
    package var sessionProperties: [Property] = []
    package var with: With?
    package var body: QueryBody
    package var orderBy: [SortItem] = []
    /// A whole number or a parameter.
    package var offset: Expression?
    package var limit: Limit?
    package var place: Place
}

/// LIMIT and FETCH FIRST.
package enum Limit: Sendable, Hashable {
    /// LIMIT ALL.
    case all
    /// LIMIT n, FETCH FIRST n ROWS ONLY: a whole number or a parameter.
    case rows(Expression)
    /// FETCH FIRST n ROWS WITH TIES.
    case rowsWithTies(Expression)
}

/// `WITH [RECURSIVE] name AS (query), …`.
package struct With: SyntaxNode {
    package let isRecursive: Bool
    package let queries: [WithQuery]
    package let place: Place
}

/// `name [(columns)] AS (query)`.
package struct WithQuery: SyntaxNode {
    package let name: Identifier
    package let columns: [Identifier]
    package let query: Query
    package let place: Place
}

/// What a query computes before ORDER BY.
package struct QueryBody: SyntaxNode {
    /// What stands between WITH and ORDER BY: a select, VALUES, TABLE, a set operation.
    package indirect enum Kind: Sendable, Hashable {
        case specification(QuerySpecification)
        case setOperation(SetOperation)
        /// Each row is an expression; `(a, b)` arrives as `.row`.
        case values([Expression])
        /// `TABLE t`.
        case table(QualifiedName)
        /// A query in parentheses.
        case subquery(Query)
    }
    package let kind: Kind
    package let place: Place
}

/// UNION, INTERSECT or EXCEPT of two bodies.
package struct SetOperation: Sendable, Hashable {
    /// Which set operation.
    package enum Kind: String, Sendable, Hashable {
        case union = "UNION"
        case intersect = "INTERSECT"
        case except = "EXCEPT"
    }
    package let kind: Kind
    /// DISTINCT unless ALL is written.
    package let isDistinct: Bool
    /// nil: by position. Empty: CORRESPONDING. Else CORRESPONDING BY.
    package let corresponding: [Identifier]?
    package let left: QueryBody
    package let right: QueryBody
}

/// `SELECT .. FROM .. WHERE .. GROUP BY .. HAVING .. WINDOW ..`.
package struct QuerySpecification: Sendable, Hashable {
    package var isDistinct = false
    package var items: [SelectItem]
    /// Commas arrive as cross joins that say `isImplicit`.
    package var from: Relation?
    package var filter: Expression?
    package var groupBy: GroupBy?
    package var having: Expression?
    package var windows: [WindowDefinition] = []
}

/// An element of the SELECT list.
package struct SelectItem: SyntaxNode {
    /// An item of the select list: an expression with its alias, or all columns of a relation.
    package enum Kind: Sendable, Hashable {
        case expression(Expression, alias: Identifier?)
        /// `*`, `t.*`, `expression.* [AS (a, b)]`.
        case all(of: Expression?, aliases: [Identifier])
    }
    package let kind: Kind
    package let place: Place
}

/// `GROUP BY [ALL | DISTINCT] element, …`.
package struct GroupBy: SyntaxNode {
    /// Whether equal grouping sets count once.
    package enum Quantifier: Sendable, Hashable {
        case all, distinct
    }
    /// GROUP BY DISTINCT removes equal grouping sets.
    package let quantifier: Quantifier?
    /// GROUP BY AUTO: by every item without an aggregate.
    package let isAuto: Bool
    package let elements: [GroupingElement]
    package let place: Place
}

/// One element of GROUP BY.
package indirect enum GroupingElement: Sendable, Hashable {
    /// `a`, `(a, b)` or `()`.
    case set([Expression])
    case groupingSets([GroupingElement])
    case cube([[Expression]])
    case rollup([[Expression]])
}

/// `WINDOW name AS (...)`.
package struct WindowDefinition: SyntaxNode {
    package let name: Identifier
    package let window: WindowSpecification
    package let place: Place
}
