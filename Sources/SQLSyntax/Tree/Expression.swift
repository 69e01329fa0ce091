/// A scalar expression as written.
///
/// Equality and hashing look at the meaning of the tokens and not at their place or the case of names:
/// that is how the binder finds a GROUP BY expression again in SELECT.
package struct Expression: SyntaxNode {
    package let kind: Kind
    package let place: Place

    package init(_ kind: Kind, place: Place) {
        self.kind = kind
        self.place = place
    }

    /// The forms of an expression (`SqlBase.g4`, rules `expression` to `primaryExpression`).
    package indirect enum Kind: Sendable, Hashable {
        // Literals.
        case null
        case boolean(Bool)
        /// A whole number; a minus before the digits is part of it.
        case integer(Int64)
        /// Digits with a point, as written without underscores: `1.50`, `-.5`, `1.`.
        case decimal(String)
        case double(Double)
        case string(String)
        /// `X'00ff'`.
        case bytes([UInt8])
        /// `DATE '2024-01-01'`, `DECIMAL '1.5'`, `JSON '{}'`; the binder reads the text.
        case typed(TypeName, String)
        case interval(IntervalLiteral)
        /// `?`, numbered from 0 in the order of the text.
        case parameter(Int)

        // Names.
        case identifier(Identifier)
        /// `base.field`: a column of a table, a table of a schema, or a field of a row.
        case dereference(Expression, Identifier)

        // Operators.
        case negate(Expression)
        /// A unary plus.
        case plus(Expression)
        case binary(BinaryOperator, Expression, Expression)
        case comparison(ComparisonOperator, Expression, Expression)
        /// `IS [NOT] DISTINCT FROM`.
        case isDistinct(Expression, Expression, negated: Bool)
        /// Two or more terms; nested ANDs and ORs of one kind are flat.
        case and([Expression])
        case or([Expression])
        case not(Expression)
        case isNull(Expression, negated: Bool)
        /// `IS [NOT] TRUE/FALSE/UNKNOWN`.
        case isTruth(Expression, TruthValue, negated: Bool)
        case between(Expression, low: Expression, high: Expression, negated: Bool)
        case inList(Expression, [Expression], negated: Bool)
        case inSubquery(Expression, Query, negated: Bool)
        case like(Expression, pattern: Expression, escape: Expression?, negated: Bool)
        /// `value op ANY/SOME/ALL (query)`; SOME arrives as any.
        case quantified(Expression, ComparisonOperator, Quantifier, Query)
        case exists(Query)
        /// `UNIQUE (query)`.
        case unique(Query)
        /// `(a, b) OVERLAPS (c, d)`.
        case overlaps(Expression, Expression)
        case atTimeZone(Expression, Expression)
        case atLocal(Expression)
        case subscripted(Expression, Expression)

        // Forms.
        /// A query in parentheses used as a value.
        case subquery(Query)
        /// `CASE [operand] WHEN .. THEN .. [ELSE ..] END`.
        case caseWhen(operand: Expression?, [WhenClause], otherwise: Expression?)
        case cast(Expression, TypeName, isTry: Bool)
        /// `ROW(a, b)` and `(a, b)`.
        case row([Expression])
        case array([Expression])
        case lambda([Identifier], Expression)
        /// COALESCE, NULLIF, IF and TRY arrive here too, under their lower-case names; so do
        /// `POSITION(a IN b)` as `strpos(b, a)` and `SUBSTRING(x FROM a FOR n)` as `substring(x, a, n)`.
        case function(FunctionCall)
        /// The field in lower case: `year`, `day_of_week`, `timezone_hour`.
        case extract(field: String, Expression)
        case trim(TrimSide, characters: Expression?, Expression)
        /// The form is NFC, NFD, NFKC or NFKD.
        case normalize(Expression, form: String)
        case grouping([Expression])
        /// `CURRENT_DATE`, `LOCALTIMESTAMP(6)`, `CURRENT_USER`.
        case special(SpecialValue, precision: Int?)

        // SQL/JSON.
        case jsonExists(JSONPathInvocation, onError: JSONExistsError?)
        case jsonValue(JSONPathInvocation, JSONValueClauses)
        case jsonQuery(JSONPathInvocation, JSONQueryClauses)
        case jsonObject([JSONMember], JSONConstructorClauses)
        case jsonArray([JSONInput], JSONConstructorClauses)
    }

    /// The parts of a dotted name, if the expression is nothing else.
    package var qualifiedName: [Identifier]? {
        switch kind {
        case .identifier(let identifier):
            return [identifier]
        case .dereference(let base, let field):
            return base.qualifiedName.map { $0 + [field] }
        default:
            return nil
        }
    }
}

/// The operators of arithmetic and concatenation, by their spelling.
package enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulus = "%"
    case concatenate = "||"
}

/// The comparison operators, by their spelling; `!=` is read as `<>`.
package enum ComparisonOperator: String, Sendable, Hashable, CaseIterable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
}

/// What `IS [NOT]` may test a condition for.
package enum TruthValue: String, Sendable, Hashable {
    case isTrue = "TRUE"
    case isFalse = "FALSE"
    case unknown = "UNKNOWN"
}

/// The quantifier of a comparison with a subquery; SOME is read as ANY.
package enum Quantifier: String, Sendable, Hashable {
    case any = "ANY"
    case all = "ALL"
}

/// The side that TRIM works on.
package enum TrimSide: String, Sendable, Hashable {
    case both = "BOTH"
    case leading = "LEADING"
    case trailing = "TRAILING"
}

/// A value that is written without parentheses.
package enum SpecialValue: String, Sendable, Hashable, CaseIterable {
    case currentDate = "CURRENT_DATE"
    case currentTime = "CURRENT_TIME"
    case currentTimestamp = "CURRENT_TIMESTAMP"
    case localTime = "LOCALTIME"
    case localTimestamp = "LOCALTIMESTAMP"
    case currentUser = "CURRENT_USER"
    case currentCatalog = "CURRENT_CATALOG"
    case currentSchema = "CURRENT_SCHEMA"
    case currentPath = "CURRENT_PATH"
}

/// One `WHEN condition THEN result` of a CASE.
package struct WhenClause: SyntaxNode {
    package let condition: Expression
    package let result: Expression
    package let place: Place
}

/// `INTERVAL [+|-] 'text' from [TO to]`.
package struct IntervalLiteral: Sendable, Hashable {
    /// The sign before the quotes; the text may have its own.
    package let isNegative: Bool
    package let text: String
    package let from: IntervalUnit
    package let to: IntervalUnit?
}

/// A field of an interval literal; the raw value is CivilTime's name of it.
package enum IntervalUnit: String, Sendable, Hashable, CaseIterable {
    case year, month, week, day, hour, minute, second
}
