import Vectors

/// Functions that stand only with OVER. The frame matters to `first_value`, `last_value` and
/// `nth_value`; the ranking functions and `lag`, `lead` look at the whole partition.
enum WindowDeclarations {
    static let all: [AggregateFunction] =
        [
            ("row_number", "The number of the row in its partition, from 1."),
            ("rank", "The rank with gaps."), ("dense_rank", "The rank without gaps."),
        ].map { (name: String, summary: String) in
            window(name, .fixed([], result: .bigint), summary, "\(name)() OVER (ORDER BY x)")
        }
        + [
            window(
                "percent_rank", .fixed([], result: .double), "(rank - 1) / (rows - 1).",
                "percent_rank() OVER (ORDER BY x)"),
            window(
                "cume_dist", .fixed([], result: .double),
                "The share of rows at or before this one.",
                "cume_dist() OVER (ORDER BY x)"),
            window(
                "ntile", .fixed([.bigint], result: .bigint),
                "The number of the row's bucket, from 1.",
                "ntile(4) OVER (ORDER BY x)"),
            window(
                "first_value", AggregateDeclarations.generic("T", "T") { $0 },
                "The first value of the frame.", "first_value(x) OVER (ORDER BY y)"),
            window(
                "last_value", AggregateDeclarations.generic("T", "T") { $0 },
                "The last value of the frame.", "last_value(x) OVER (ORDER BY y)"),
            window(
                "nth_value",
                .rule(parameters: "T, bigint", result: "T") { arguments in
                    guard let types = AggregateDeclarations.values(arguments, 2) else { return nil }
                    return ([.value(types[0]), .value(.bigint)], types[0])
                },
                "The nth value of the frame, from 1.", "nth_value(x, 2) OVER (ORDER BY y)"),
        ]
        + ["lag", "lead"].flatMap { name in
            (1...3).map { count in
                window(
                    name, shift(count),
                    name == "lag"
                        ? "The value so many rows before." : "The value so many rows after.",
                    "\(name)(x, 1, 0) OVER (ORDER BY y)")
            }
        }

    private static func window(
        _ name: String, _ signature: Signature, _ summary: String, _ example: String
    ) -> AggregateFunction {
        AggregateFunction(
            name: name, signature: signature, summary: summary, example: example, isWindowOnly: true
        )
    }

    /// `lag(x)`, `lag(x, offset)`, `lag(x, offset, default)`.
    private static func shift(_ count: Int) -> Signature {
        .rule(parameters: ["T", "T, bigint", "T, bigint, T"][count - 1], result: "T") { arguments in
            guard let types = AggregateDeclarations.values(arguments, count) else { return nil }
            let value = count == 3 ? LogicalType.commonSuperType(types[0], types[2]) : types[0]
            guard let value else { return nil }
            let parameters: [ParameterType] = [.value(value), .value(.bigint), .value(value)]
            return (Array(parameters.prefix(count)), value)
        }
    }
}
