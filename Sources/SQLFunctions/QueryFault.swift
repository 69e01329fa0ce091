package import Diagnostics

/// A failure of a query, with Trino's error name, which clients branch on.
package struct QueryFault: Fault {
    /// Trino's error names; `number` and `category` are what the protocol sends.
    package enum Code: String, Sendable, CaseIterable {
        case syntaxError = "SYNTAX_ERROR"
        case abandonedQuery = "ABANDONED_QUERY"
        case userCanceled = "USER_CANCELED"
        case permissionDenied = "PERMISSION_DENIED"
        case notFound = "NOT_FOUND"
        case functionNotFound = "FUNCTION_NOT_FOUND"
        case invalidFunctionArgument = "INVALID_FUNCTION_ARGUMENT"
        case divisionByZero = "DIVISION_BY_ZERO"
        case invalidCastArgument = "INVALID_CAST_ARGUMENT"
        case alreadyExists = "ALREADY_EXISTS"
        case notSupported = "NOT_SUPPORTED"
        case invalidSessionProperty = "INVALID_SESSION_PROPERTY"
        case constraintViolation = "CONSTRAINT_VIOLATION"
        case transactionConflict = "TRANSACTION_CONFLICT"
        case invalidTableProperty = "INVALID_TABLE_PROPERTY"
        case numericValueOutOfRange = "NUMERIC_VALUE_OUT_OF_RANGE"
        case unknownTransaction = "UNKNOWN_TRANSACTION"
        case notInTransaction = "NOT_IN_TRANSACTION"
        case transactionAlreadyAborted = "TRANSACTION_ALREADY_ABORTED"
        case subqueryMultipleRows = "SUBQUERY_MULTIPLE_ROWS"
        case procedureNotFound = "PROCEDURE_NOT_FOUND"
        case invalidProcedureArgument = "INVALID_PROCEDURE_ARGUMENT"
        case schemaNotEmpty = "SCHEMA_NOT_EMPTY"
        case queryTextTooLarge = "QUERY_TEXT_TOO_LARGE"
        case administrativelyKilled = "ADMINISTRATIVELY_KILLED"
        case typeNotFound = "TYPE_NOT_FOUND"
        case catalogNotFound = "CATALOG_NOT_FOUND"
        case schemaNotFound = "SCHEMA_NOT_FOUND"
        case tableNotFound = "TABLE_NOT_FOUND"
        case columnNotFound = "COLUMN_NOT_FOUND"
        case schemaAlreadyExists = "SCHEMA_ALREADY_EXISTS"
        case tableAlreadyExists = "TABLE_ALREADY_EXISTS"
        case columnAlreadyExists = "COLUMN_ALREADY_EXISTS"
        case duplicateNamedQuery = "DUPLICATE_NAMED_QUERY"
        case duplicateColumnName = "DUPLICATE_COLUMN_NAME"
        case missingColumnName = "MISSING_COLUMN_NAME"
        case missingCatalogName = "MISSING_CATALOG_NAME"
        case missingSchemaName = "MISSING_SCHEMA_NAME"
        case typeMismatch = "TYPE_MISMATCH"
        case invalidLiteral = "INVALID_LITERAL"
        case mismatchedColumnAliases = "MISMATCHED_COLUMN_ALIASES"
        case ambiguousName = "AMBIGUOUS_NAME"
        case invalidColumnReference = "INVALID_COLUMN_REFERENCE"
        case missingGroupBy = "MISSING_GROUP_BY"
        case missingOrderBy = "MISSING_ORDER_BY"
        case missingOver = "MISSING_OVER"
        case nestedAggregation = "NESTED_AGGREGATION"
        case nestedWindow = "NESTED_WINDOW"
        case expressionNotInDistinct = "EXPRESSION_NOT_IN_DISTINCT"
        case expressionNotAggregate = "EXPRESSION_NOT_AGGREGATE"
        case expressionNotScalar = "EXPRESSION_NOT_SCALAR"
        case functionNotAggregate = "FUNCTION_NOT_AGGREGATE"
        case functionNotWindow = "FUNCTION_NOT_WINDOW"
        case invalidArguments = "INVALID_ARGUMENTS"
        case invalidParameterUsage = "INVALID_PARAMETER_USAGE"
        case invalidWindowFrame = "INVALID_WINDOW_FRAME"
        case invalidView = "INVALID_VIEW"
        case viewIsStale = "VIEW_IS_STALE"
        case viewIsRecursive = "VIEW_IS_RECURSIVE"
        case invalidLimitClause = "INVALID_LIMIT_CLAUSE"
        case invalidRecursiveReference = "INVALID_RECURSIVE_REFERENCE"
        case invalidRowFilter = "INVALID_ROW_FILTER"
        case invalidColumnMask = "INVALID_COLUMN_MASK"
        case mergeTargetRowMultipleMatches = "MERGE_TARGET_ROW_MULTIPLE_MATCHES"
        case branchNotFound = "BRANCH_NOT_FOUND"
        case invalidPath = "INVALID_PATH"
        case jsonInputConversionError = "JSON_INPUT_CONVERSION_ERROR"
        case jsonOutputConversionError = "JSON_OUTPUT_CONVERSION_ERROR"
        case jsonValueResultError = "JSON_VALUE_RESULT_ERROR"
        case pathEvaluationError = "PATH_EVALUATION_ERROR"
        case missingArgument = "MISSING_ARGUMENT"
        case missingReturn = "MISSING_RETURN"
        case duplicateParameterName = "DUPLICATE_PARAMETER_NAME"
        case duplicateColumnOrPathName = "DUPLICATE_COLUMN_OR_PATH_NAME"
        case missingPathName = "MISSING_PATH_NAME"
        case invalidPlan = "INVALID_PLAN"
        case invalidMaterializedViewProperty = "INVALID_MATERIALIZED_VIEW_PROPERTY"
        case invalidRowPattern = "INVALID_ROW_PATTERN"
        case invalidLabel = "INVALID_LABEL"
        case invalidProcessingMode = "INVALID_PROCESSING_MODE"
        case invalidNavigationNesting = "INVALID_NAVIGATION_NESTING"
        case invalidPatternRecognitionFunction = "INVALID_PATTERN_RECOGNITION_FUNCTION"
        case nestedRowPatternRecognition = "NESTED_ROW_PATTERN_RECOGNITION"
        case missingVariableDefinitions = "MISSING_VARIABLE_DEFINITIONS"
        case invalidDefaultColumnValue = "INVALID_DEFAULT_COLUMN_VALUE"
        case invalidAnalyzeProperty = "INVALID_ANALYZE_PROPERTY"
        case invalidPrivilege = "INVALID_PRIVILEGE"
        case roleNotFound = "ROLE_NOT_FOUND"
        case roleAlreadyExists = "ROLE_ALREADY_EXISTS"
        case readOnlyViolation = "READ_ONLY_VIOLATION"
        case genericInternalError = "GENERIC_INTERNAL_ERROR"
        case genericInsufficientResources = "GENERIC_INSUFFICIENT_RESOURCES"
        case exceededMemoryLimit = "EXCEEDED_LOCAL_MEMORY_LIMIT"
        case exceededTimeLimit = "EXCEEDED_TIME_LIMIT"
        case queryQueueFull = "QUERY_QUEUE_FULL"
        case icebergInvalidMetadata = "ICEBERG_INVALID_METADATA"
        case icebergCommitError = "ICEBERG_COMMIT_ERROR"
        case icebergBadData = "ICEBERG_BAD_DATA"
        case externalSourceError = "EXTERNAL_SOURCE_ERROR"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?
    /// Where in the statement, for errors of analysis.
    package var span: SourceSpan?

    package init(
        _ code: Code, _ message: String, hint: String? = nil, span: SourceSpan? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span
        self.cause = cause
    }
}
