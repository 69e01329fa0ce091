import Vectors

/// Functions that tell about the session.
enum SessionFunctions {
    /// What `version()` answers; clients look for a number of Trino's.
    static let version = "476"

    static let all: [ScalarFunction] = [
        ScalarFunction(
            "$current_user", [], .text, "Who runs the query.", example: "current_user",
            kernel: nullary { call in call.context.session.user }),
        ScalarFunction(
            "$current_catalog", [], .text, "The session's catalog; NULL without one.",
            example: "current_catalog", kernel: nullary { call in call.context.session.catalog }),
        ScalarFunction(
            "$current_schema", [], .text, "The session's schema; NULL without one.",
            example: "current_schema", kernel: nullary { call in call.context.session.schema }),
        ScalarFunction(
            "$current_path", [], .text, "Where functions are looked for; always empty.",
            example: "current_path", kernel: nullary { _ in "" }),
        ScalarFunction(
            "version", [], .text, "The version of the dialect.", example: "version()",
            kernel: nullary { _ in version }),
        ScalarFunction(
            "$fail", [.text], .unknown, "Fails with the message.", example: "$fail('no')",
            canFail: true,
            kernel: unary { (message: Text) -> Bool? in
                throw QueryFault(.notSupported, message.string)
            }),
    ]
}
