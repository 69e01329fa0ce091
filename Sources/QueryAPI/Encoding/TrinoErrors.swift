import Diagnostics
import SQLFunctions

/// Whose fault an error is, for clients that retry.
enum TrinoErrorCategory: String {
    case user = "USER_ERROR"
    case `internal` = "INTERNAL_ERROR"
    case resources = "INSUFFICIENT_RESOURCES"
    case external = "EXTERNAL"
}

extension QueryFault.Code {
    /// The number and category that Trino's protocol sends for the error. Source: Trino's
    /// `StandardErrorCode`.
    var trino: (number: Int, category: TrinoErrorCategory) {
        switch self {
        case .syntaxError: (1, .user)
        case .abandonedQuery: (2, .user)
        case .userCanceled: (3, .user)
        case .permissionDenied: (4, .user)
        case .notFound: (5, .user)
        case .functionNotFound: (6, .user)
        case .invalidFunctionArgument: (7, .user)
        case .divisionByZero: (8, .user)
        case .invalidCastArgument: (9, .user)
        case .alreadyExists: (12, .user)
        case .notSupported: (13, .user)
        case .invalidSessionProperty: (14, .user)
        case .constraintViolation: (16, .user)
        case .transactionConflict: (17, .user)
        case .invalidTableProperty: (18, .user)
        case .numericValueOutOfRange: (19, .user)
        case .unknownTransaction: (20, .user)
        case .notInTransaction: (21, .user)
        case .transactionAlreadyAborted: (22, .user)
        case .subqueryMultipleRows: (28, .user)
        case .procedureNotFound: (29, .user)
        case .invalidProcedureArgument: (30, .user)
        case .schemaNotEmpty: (34, .user)
        case .queryTextTooLarge: (35, .user)
        case .administrativelyKilled: (38, .user)
        case .typeNotFound: (43, .user)
        case .catalogNotFound: (44, .user)
        case .schemaNotFound: (45, .user)
        case .tableNotFound: (46, .user)
        case .columnNotFound: (47, .user)
        case .schemaAlreadyExists: (49, .user)
        case .tableAlreadyExists: (50, .user)
        case .columnAlreadyExists: (51, .user)
        case .duplicateNamedQuery: (53, .user)
        case .duplicateColumnName: (54, .user)
        case .missingColumnName: (55, .user)
        case .missingCatalogName: (56, .user)
        case .missingSchemaName: (57, .user)
        case .typeMismatch: (58, .user)
        case .invalidLiteral: (59, .user)
        case .mismatchedColumnAliases: (61, .user)
        case .ambiguousName: (62, .user)
        case .invalidColumnReference: (63, .user)
        case .missingGroupBy: (64, .user)
        case .missingOrderBy: (65, .user)
        case .missingOver: (66, .user)
        case .nestedAggregation: (67, .user)
        case .nestedWindow: (68, .user)
        case .expressionNotInDistinct: (69, .user)
        case .expressionNotAggregate: (73, .user)
        case .expressionNotScalar: (74, .user)
        case .functionNotAggregate: (72, .user)
        case .functionNotWindow: (71, .user)
        case .invalidArguments: (76, .user)
        case .invalidParameterUsage: (80, .user)
        case .invalidWindowFrame: (15, .user)
        case .invalidView: (11, .user)
        case .viewIsStale: (81, .user)
        case .viewIsRecursive: (82, .user)
        case .invalidLimitClause: (90, .user)
        case .invalidRecursiveReference: (87, .user)
        case .invalidRowFilter: (84, .user)
        case .invalidColumnMask: (85, .user)
        case .mergeTargetRowMultipleMatches: (119, .user)
        case .branchNotFound: (134, .user)
        case .invalidPath: (113, .user)
        case .jsonInputConversionError: (114, .user)
        case .jsonOutputConversionError: (115, .user)
        case .pathEvaluationError: (116, .user)
        case .jsonValueResultError: (118, .user)
        case .missingArgument: (111, .user)
        case .missingReturn: (126, .user)
        case .duplicateParameterName: (112, .user)
        case .duplicateColumnOrPathName: (127, .user)
        case .missingPathName: (128, .user)
        case .invalidPlan: (129, .user)
        case .invalidMaterializedViewProperty: (95, .user)
        case .invalidLabel: (96, .user)
        case .invalidProcessingMode: (97, .user)
        case .invalidNavigationNesting: (98, .user)
        case .invalidRowPattern: (99, .user)
        case .nestedRowPatternRecognition: (100, .user)
        case .invalidPatternRecognitionFunction: (103, .user)
        case .missingVariableDefinitions: (105, .user)
        case .invalidDefaultColumnValue: (137, .user)
        case .invalidAnalyzeProperty: (42, .user)
        case .invalidPrivilege: (78, .user)
        case .roleNotFound: (48, .user)
        case .roleAlreadyExists: (52, .user)
        case .readOnlyViolation: (23, .user)
        case .genericInternalError: (65_536, .internal)
        case .genericInsufficientResources: (131_072, .resources)
        case .exceededMemoryLimit: (131_079, .resources)
        case .exceededTimeLimit: (131_075, .resources)
        case .queryQueueFull: (131_074, .resources)
        case .icebergInvalidMetadata: (84_279_296, .external)
        case .icebergCommitError: (84_279_303, .external)
        case .icebergBadData: (84_279_298, .external)
        case .externalSourceError: (83_886_080, .external)
        }
    }
}

/// Texts of errors as clients see them.
enum TrinoErrors {
    /// The message with its place in front, as Trino's analyzer writes it, and the hint behind.
    static func message(of fault: QueryFault) -> String {
        var text = fault.message
        if let span = fault.span, !text.hasPrefix("line ") {
            text = "line \(span.line):\(span.column): \(text)"
        }
        if let hint = fault.hint { text += " (\(hint))" }
        return text
    }
}
