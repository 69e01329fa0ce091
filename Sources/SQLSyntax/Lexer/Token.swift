import Diagnostics

/// A piece of the text.
struct Token {
    enum Kind: Equatable {
        /// An unquoted word; `text` as written, `word` in upper case.
        case word
        case quotedIdentifier
        case string
        case unicodeString
        case binary
        case integer
        case decimal
        case double
        /// An operator or a bracket; `word` is its text.
        case symbol
        /// `$$..$$`, for routines in other languages.
        case dollarString
        case end
    }

    var kind: Kind
    /// Words in upper case and symbols as they are: what the grammar compares.
    var word: String
    /// The value: text without quotes and escapes, digits without underscores.
    var text: String
    var span: SourceSpan
}

/// Words that are not names unless quoted. Source: Trino's documentation, "Reserved keywords".
let reservedWords: Set<String> = [
    "ALTER", "AND", "AS", "AUTO", "BETWEEN", "BY", "CASE", "CAST", "CONSTRAINT", "CREATE", "CROSS",
    "CUBE", "CURRENT_CATALOG", "CURRENT_DATE", "CURRENT_PATH", "CURRENT_ROLE", "CURRENT_SCHEMA",
    "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "DEALLOCATE", "DELETE", "DESCRIBE",
    "DISTINCT", "DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS", "EXTRACT", "FALSE", "FOR",
    "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "IN", "INNER", "INSERT", "INTERSECT", "INTO",
    "IS", "JOIN", "JSON_ARRAY", "JSON_EXISTS", "JSON_OBJECT", "JSON_QUERY", "JSON_TABLE",
    "JSON_VALUE", "LEFT", "LIKE", "LISTAGG", "LOCALTIME", "LOCALTIMESTAMP", "NATURAL", "NORMALIZE",
    "NOT", "NULL", "ON", "OR", "ORDER", "OUTER", "OVERLAPS", "PREPARE", "RECURSIVE", "RIGHT",
    "ROLLUP", "SELECT", "SKIP", "TABLE", "THEN", "TRIM", "TRUE", "UESCAPE", "UNION", "UNNEST",
    "USING", "VALUES", "WHEN", "WHERE", "WITH",
]

/// The words of the grammar for "did you mean" hints; the first of equally near ones is taken.
let grammarWords: [String] =
    [
        "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "HAVING", "LIMIT", "JOIN", "LEFT",
        "TABLE",
        "INSERT", "INTO", "CREATE", "UPDATE", "DELETE", "VALUES", "UNION", "OFFSET", "AND",
    ] + reservedWords.sorted()
    + [
        "ADD", "ALL", "ANALYZE", "ANY", "ARRAY", "ASC", "AT", "AUTHORIZATION", "BERNOULLI",
        "BRANCH", "MODEL", "MODELS",
        "CALL", "CASCADE", "CATALOGS", "COLUMN", "COLUMNS", "COMMENT", "COMMIT", "CURRENT", "DATA",
        "DEFAULT", "DENY", "DESC", "DISTRIBUTED", "EXECUTE", "EXPLAIN", "FETCH", "FILTER", "FIRST",
        "FOLLOWING", "FUNCTION", "FUNCTIONS", "GRANT", "GRANTS", "GROUPS", "IF", "IGNORE",
        "IMMEDIATE", "INCLUDING", "INTERVAL", "LAST", "LATERAL", "LIMIT", "MATCHED", "MATERIALIZED",
        "MATCH_RECOGNIZE", "MERGE", "NEXT", "NO", "NULLS", "OFFSET", "ONLY", "ORDINALITY", "OVER",
        "PARTITION", "PRECEDING", "PROPERTIES", "RANGE", "REFRESH", "RENAME", "REPLACE", "RESET",
        "REVOKE", "ROLE", "ROLES", "ROLLBACK", "ROW", "ROWS", "SCHEMA", "SCHEMAS", "SECURITY",
        "SESSION", "SET", "SETS", "SHOW", "START", "STATS", "SYSTEM", "TABLES", "TABLESAMPLE", "TO",
        "TRANSACTION", "TRUNCATE", "UNBOUNDED", "UPDATE", "USE", "VERBOSE", "VERSION", "VIEW",
        "WINDOW", "WITHIN", "WITHOUT", "ZONE",
    ]
