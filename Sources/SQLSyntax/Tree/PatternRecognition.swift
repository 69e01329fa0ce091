/// `MATCH_RECOGNIZE (...)`.
package struct PatternRecognition: SyntaxNode {
    package let partitionBy: [Expression]
    package let orderBy: [SortItem]
    package let measures: [Measure]
    package let rowsPerMatch: RowsPerMatch?
    package let skip: AfterMatchSkip?
    /// SEEK rather than INITIAL; nil when neither is written.
    package let isSeek: Bool?
    package let pattern: RowPattern
    package let subsets: [Subset]
    package let definitions: [Definition]
    package let place: Place

    /// One `expression AS name` of MEASURES.
    package struct Measure: Sendable, Hashable {
        package let expression: Expression
        package let name: Identifier
    }

    /// How many rows a match gives.
    package enum RowsPerMatch: String, Sendable, Hashable {
        case one = "ONE ROW PER MATCH"
        case all = "ALL ROWS PER MATCH"
        case allShowEmpty = "ALL ROWS PER MATCH SHOW EMPTY MATCHES"
        case allOmitEmpty = "ALL ROWS PER MATCH OMIT EMPTY MATCHES"
        case allWithUnmatched = "ALL ROWS PER MATCH WITH UNMATCHED ROWS"
    }

    /// Where the search goes on after a match.
    package enum AfterMatchSkip: Sendable, Hashable {
        case toNextRow
        case pastLastRow
        case toFirst(Identifier)
        case toLast(Identifier)
    }

    /// `SUBSET u = (a, b)`.
    package struct Subset: Sendable, Hashable {
        package let name: Identifier
        package let members: [Identifier]
    }

    /// `DEFINE a AS condition`.
    package struct Definition: Sendable, Hashable {
        package let name: Identifier
        package let condition: Expression
    }
}

/// A row pattern, an expression over pattern variables (ISO/IEC TR 19075-5).
package indirect enum RowPattern: Sendable, Hashable {
    case variable(Identifier)
    case empty
    /// `^`.
    case start
    /// `$`.
    case end
    case sequence([RowPattern])
    case alternation([RowPattern])
    case permute([RowPattern])
    /// `{- .. -}`.
    case excluded(RowPattern)
    /// `*` is 0 to nil, `+` 1 to nil, `?` 0 to 1; reluctant with a `?` after it.
    case repeated(RowPattern, least: Int, most: Int?, isReluctant: Bool)
}
