/// `input [FORMAT JSON [ENCODING ..]]`.
package struct JSONInput: Sendable, Hashable {
    package let value: Expression
    package let format: JSONEncoding?
}

/// What FORMAT JSON says of the text.
package enum JSONEncoding: String, Sendable, Hashable {
    case text = "FORMAT JSON"
    case utf8 = "FORMAT JSON ENCODING UTF8"
    case utf16 = "FORMAT JSON ENCODING UTF16"
    case utf32 = "FORMAT JSON ENCODING UTF32"
}

/// `input, 'path' [PASSING value AS name, ..]`.
package struct JSONPathInvocation: Sendable, Hashable {
    package let input: JSONInput
    /// The text of the path, as in the literal.
    package let path: String
    package let passing: [Parameter]

    /// One `value AS name` of a PASSING clause.
    package struct Parameter: Sendable, Hashable {
        package let input: JSONInput
        package let name: Identifier
    }
}

/// What JSON_EXISTS gives when its path fails.
package enum JSONExistsError: String, Sendable, Hashable {
    case isTrue = "TRUE"
    case isFalse = "FALSE"
    case unknown = "UNKNOWN"
    case error = "ERROR"
}

/// What JSON_VALUE gives for an empty result or an error.
package enum JSONValueBehavior: Sendable, Hashable {
    case error
    case null
    case value(Expression)
}

/// The clauses of JSON_VALUE after its path: the type, ON EMPTY, ON ERROR.
package struct JSONValueClauses: Sendable, Hashable {
    package var returning: TypeName?
    package var onEmpty: JSONValueBehavior?
    package var onError: JSONValueBehavior?
}

/// What JSON_QUERY gives when nothing is found or its path fails.
package enum JSONQueryBehavior: String, Sendable, Hashable {
    case error = "ERROR"
    case null = "NULL"
    case emptyArray = "EMPTY ARRAY"
    case emptyObject = "EMPTY OBJECT"
}

/// When JSON_QUERY puts its result into an array.
package enum JSONWrapper: String, Sendable, Hashable {
    case without = "WITHOUT ARRAY WRAPPER"
    case conditional = "WITH CONDITIONAL ARRAY WRAPPER"
    case unconditional = "WITH UNCONDITIONAL ARRAY WRAPPER"
}

/// The clauses of JSON_QUERY after its path: type, wrapper, quotes, ON EMPTY, ON ERROR.
package struct JSONQueryClauses: Sendable, Hashable {
    package var returning: TypeName?
    package var format: JSONEncoding?
    package var wrapper: JSONWrapper?
    /// KEEP or OMIT QUOTES.
    package var keepsQuotes: Bool?
    package var onEmpty: JSONQueryBehavior?
    package var onError: JSONQueryBehavior?
}

/// `KEY name VALUE value` or `name : value`.
package struct JSONMember: Sendable, Hashable {
    package let key: Expression
    package let input: JSONInput
}

/// The clauses of JSON_OBJECT and JSON_ARRAY.
package struct JSONConstructorClauses: Sendable, Hashable {
    /// NULL ON NULL (true) or ABSENT ON NULL (false).
    package var nullOnNull: Bool?
    package var uniqueKeys: Bool?
    package var returning: TypeName?
    package var format: JSONEncoding?
}
