import Vectors

extension ScalarFunction {
    static let randoms: [ScalarFunction] = [
        ScalarFunction(
            "random", aliases: ["rand"], [], .double, "A random number from 0 to below 1.",
            example: "random()", isDeterministic: false,
            kernel: nullary { call in
                Double(call.context.randomBits() >> 11) * 0x1p-53
            }),
        below([.tinyint], .tinyint), below([.smallint], .smallint), below([.integer], .integer),
        below([.bigint], .bigint),
        between(.tinyint), between(.smallint), between(.integer), between(.bigint),
        ScalarFunction(
            "uuid", [], .uuid, "A random UUID of version 4.", example: "uuid()",
            isDeterministic: false,
            kernel: nullary { call in
                var high = call.context.randomBits()
                var low = call.context.randomBits()
                high = high & ~0xF000 | 0x4000
                low = low & (~0 >> 2) | 1 << 63
                // The top bit is kept flipped, so that signed order is the order of bytes.
                return Int128(Int64(bitPattern: high ^ 1 << 63)) << 64 | Int128(low)
            }),
    ]

    private static func below(_ types: [LogicalType], _ type: LogicalType) -> ScalarFunction {
        ScalarFunction(
            "random", aliases: ["rand"], types, type, "A random whole number from 0 to below n.",
            example: "random(10)", isDeterministic: false, canFail: true,
            kernel: { call in
                call.mapWhole { _, bound in
                    guard bound > 0 else { throw invalid("bound must be positive") }
                    return call.context.random(below: bound)
                }
            })
    }

    private static func between(_ type: LogicalType) -> ScalarFunction {
        ScalarFunction(
            "random", aliases: ["rand"], [type, type], type,
            "A random whole number from m to below n.", example: "random(1, 7)",
            isDeterministic: false, canFail: true,
            kernel: { call in
                let upper = call.wholeReader(1)
                call.mapWhole { row, lower in
                    let bound = upper(row)
                    guard bound > lower else {
                        throw invalid("start value must be less than stop value")
                    }
                    return lower + call.context.random(below: bound - lower)
                }
            })
    }
}

extension EvaluationContext {
    /// A number from 0 to below a positive bound of at most 64 bits; the bias is below 2^-63.
    fileprivate func random(below bound: Int128) -> Int128 {
        let bits = randomBits()
        let high = bits.multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high
        return Int128(high)
    }
}
