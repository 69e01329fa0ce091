import Vectors

/// Functions that tell about the session.
package enum SessionFunctions {
    /// What `version()` and the protocol's `nodeVersion` answer; clients look for a number of Trino's.
    package static let version = "484-lakehouse"

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
            "current_groups", [], .array(.text), "The groups of who runs the query.",
            example: "current_groups()",
            kernel: { call in
                let groups = call.context.session.groups
                call.lists { _, builder in
                    for group in groups { builder.children[0].push(group) }
                    return true
                }
            }),
        ScalarFunction(
            "version", [], .text, "The version of the dialect.", example: "version()",
            kernel: nullary { _ in version }),
        ScalarFunction(
            "$fail", [.text], .unknown, "Fails with the message.", example: "$fail('no')",
            canFail: true,
            kernel: unary { (message: Text) -> Bool? in
                throw QueryFault(.notSupported, message.string)
            }),
        ScalarFunction(
            "$deny", [.text], .unknown, "Refuses the row that is at hand.", example: "$deny('no')",
            canFail: true,
            kernel: unary { (message: Text) -> Bool? in
                throw QueryFault(.permissionDenied, message.string)
            }),
    ]
}
