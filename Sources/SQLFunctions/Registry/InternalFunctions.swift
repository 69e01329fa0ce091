import Vectors

/// Functions that only plans call: their names begin with `$`, which SQL cannot write.
enum InternalFunctions {
    static let all: [ScalarFunction] = [checkSingleRow]

    /// True when a count of rows is at most one, a fault otherwise: how a decorrelated scalar subquery
    /// says that it met two rows, and only for rows that really look at it.
    static let checkSingleRow = ScalarFunction(
        name: "$check_single_row",
        signature: .fixed([.bigint], result: .boolean),
        summary: "Fails with SUBQUERY_MULTIPLE_ROWS when the count is above one.",
        example: "$check_single_row(1)",
        canFail: true,
        kernel: { call in
            let counts = call.arguments[0]
            let result = call.result.pointee
            for index in 0..<call.activeCount {
                let row = call.selection.map { Int($0[index]) } ?? index
                guard counts.isValid(row) else {
                    if let bits = result.valid { ValidityBits.clear(bits, row) }
                    continue
                }
                result.pointer(as: UInt8.self)[row] = 1
                if counts.value(row, as: Int64.self) > 1 {
                    call.context.fail(
                        QueryFault(
                            .subqueryMultipleRows, "Scalar sub-query has returned multiple rows"))
                }
            }
        })
}
