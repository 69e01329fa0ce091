import Vectors

/// The aggregate functions. Their states live in `SQLExecution`, which knows them by name and types.
///
/// All ignore NULL arguments but `count(*)`, `array_agg`, `checksum`, `min_by`/`max_by` (NULL values of
/// the first argument are kept) and `map_agg` (NULL values). Over no rows they give NULL, but `count`,
/// `count_if` and `approx_distinct` give 0.
enum AggregateDeclarations {
    static let all: [AggregateFunction] =
        counts + sums + extremes + logical + collections + approximations + statistics + bits
        + SketchDeclarations.all

    private static let counts: [AggregateFunction] = [
        AggregateFunction(
            name: "count", signature: .fixed([], result: .bigint),
            summary: "The number of rows.", example: "count(*)"),
        AggregateFunction(
            name: "count", signature: generic("T", "bigint") { _ in .bigint },
            summary: "The number of values that are not NULL.", example: "count(x)"),
        AggregateFunction(
            name: "count_if", signature: .fixed([.boolean], result: .bigint),
            summary: "The number of true values.", example: "count_if(x > 1)"),
    ]

    private static let sums: [AggregateFunction] = [
        AggregateFunction(
            name: "sum",
            signature: .rule(parameters: "T", result: "T") { arguments in
                guard let type = single(arguments), let result = sumType(type) else { return nil }
                return ([.value(widened(type))], result)
            },
            summary: "The sum of the values.", example: "sum(x)"),
        AggregateFunction(
            name: "avg",
            signature: .rule(parameters: "T", result: "T or double") { arguments in
                guard let type = single(arguments) else { return nil }
                switch type {
                case .tinyint, .smallint, .integer, .bigint, .double, .unknown:
                    return ([.value(.double)], .double)
                case .real, .decimal, .intervalYearToMonth, .intervalDayToSecond:
                    return ([.value(type)], type)
                default: return nil
                }
            },
            summary: "The mean of the values.", example: "avg(x)"),
        AggregateFunction(
            name: "geometric_mean", signature: .fixed([.double], result: .double),
            summary: "The geometric mean of the values.", example: "geometric_mean(x)"),
    ]

    private static let extremes: [AggregateFunction] =
        ["min", "max"].flatMap { name -> [AggregateFunction] in
            let word = name == "min" ? "least" : "greatest"
            return [
                AggregateFunction(
                    name: name, signature: generic("T", "T", where: \.isOrderable) { $0 },
                    summary: "The \(word) value.", example: "\(name)(x)"),
                AggregateFunction(
                    name: name,
                    signature: .rule(parameters: "T, bigint", result: "array(T)") { arguments in
                        guard let types = values(arguments, 2), types[0].isOrderable else {
                            return nil
                        }
                        return ([.value(types[0]), .value(.bigint)], .array(types[0]))
                    },
                    summary: "The \(word) n values, in order.", example: "\(name)(x, 3)"),
                AggregateFunction(
                    name: name + "_by",
                    signature: .rule(parameters: "V, K", result: "V") { arguments in
                        guard let types = values(arguments, 2), types[1].isOrderable else {
                            return nil
                        }
                        return ([.value(types[0]), .value(types[1])], types[0])
                    },
                    summary: "The first argument of the row whose second is the \(word).",
                    example: "\(name)_by(x, y)"),
                AggregateFunction(
                    name: name + "_by",
                    signature: .rule(parameters: "V, K, bigint", result: "array(V)") { arguments in
                        guard let types = values(arguments, 3), types[1].isOrderable else {
                            return nil
                        }
                        return (
                            [.value(types[0]), .value(types[1]), .value(.bigint)], .array(types[0])
                        )
                    },
                    summary: "First arguments of the n rows whose second are the \(word).",
                    example: "\(name)_by(x, y, 3)"),
            ]
        } + [
            AggregateFunction(
                name: "any_value", aliases: ["arbitrary"], signature: generic("T", "T") { $0 },
                summary: "Some value that is not NULL, if there is one.", example: "any_value(x)")
        ]

    private static let logical: [AggregateFunction] = [
        AggregateFunction(
            name: "bool_and", aliases: ["every"], signature: .fixed([.boolean], result: .boolean),
            summary: "Whether all values are true.", example: "bool_and(x)"),
        AggregateFunction(
            name: "bool_or", signature: .fixed([.boolean], result: .boolean),
            summary: "Whether any value is true.", example: "bool_or(x)"),
    ]

    private static let collections: [AggregateFunction] = [
        // The binder turns it into `array_agg` and `reduce`.
        AggregateFunction(
            name: "reduce_agg",
            signature: .rule(
                parameters: "T, S, function(S, T, S), function(S, S, S)", result: "S"
            ) { _ in nil },
            summary: "What the functions make of all values, one after the other.",
            example: "reduce_agg(x, 0, (a, b) -> a + b, (a, b) -> a + b)"),
        AggregateFunction(
            name: "array_agg", signature: generic("T", "array(T)") { .array($0) },
            summary: "The values as an array, NULLs kept.", example: "array_agg(x ORDER BY y)",
            isOrderSensitive: true),
        AggregateFunction(
            name: "listagg", signature: .fixed([.text, .text], result: .text),
            summary: "The texts joined by a separator.",
            example: "listagg(x, ',') WITHIN GROUP (ORDER BY x)", isOrderSensitive: true),
        AggregateFunction(
            name: "listagg",
            signature: .fixed([.text, .text, .boolean, .text, .boolean], result: .text),
            summary:
                "As `listagg`; then whether overflow truncates, the filler, whether with count.",
            example:
                "listagg(x, ',' ON OVERFLOW TRUNCATE '...' WITH COUNT) WITHIN GROUP (ORDER BY x)",
            isOrderSensitive: true),
        keyed("map_agg", "map(K, V)", "Keys and values as a map; of equal keys one stays.") {
            .map(key: $0, value: $1)
        },
        keyed("multimap_agg", "map(K, array(V))", "Keys and arrays of their values as a map.") {
            .map(key: $0, value: .array($1))
        },
        AggregateFunction(
            name: "map_union",
            signature: .rule(parameters: "map(K, V)", result: "map(K, V)") { arguments in
                guard let type = single(arguments), case .map = type else { return nil }
                return ([.value(type)], type)
            },
            summary: "The union of maps; of equal keys one stays.", example: "map_union(m)"),
        AggregateFunction(
            name: "histogram",
            signature: generic("T", "map(T, bigint)", where: \.isComparable) {
                .map(key: $0, value: .bigint)
            },
            summary: "How often each value occurs.", example: "histogram(x)"),
    ]

    private static let approximations: [AggregateFunction] =
        [
            AggregateFunction(
                name: "approx_distinct",
                signature: generic("T", "bigint", where: \.isComparable) { _ in .bigint },
                summary: "About how many different values there are (standard error 2.3 %).",
                example: "approx_distinct(x)"),
            AggregateFunction(
                name: "approx_distinct",
                signature: .rule(parameters: "T, double", result: "bigint") { arguments in
                    guard let types = values(arguments, 2), types[0].isComparable else {
                        return nil
                    }
                    return ([.value(types[0]), .value(.double)], .bigint)
                },
                summary: "As `approx_distinct`, with the standard error wanted.",
                example: "approx_distinct(x, 0.01)"),
            AggregateFunction(
                name: "approx_most_frequent",
                signature: .rule(parameters: "bigint, T, bigint", result: "map(T, bigint)") {
                    arguments in
                    guard let types = values(arguments, 3), types[1].isComparable else {
                        return nil
                    }
                    return (
                        [.value(.bigint), .value(types[1]), .value(.bigint)],
                        .map(key: types[1], value: .bigint)
                    )
                },
                summary: "The most frequent values with about their counts.",
                example: "approx_most_frequent(3, x, 100)"),
            AggregateFunction(
                name: "numeric_histogram",
                signature: .fixed([.bigint, .double], result: .map(key: .double, value: .double)),
                summary: "Centres and weights of at most so many buckets.",
                example: "numeric_histogram(10, x)"),
        ]
        + [LogicalType.bigint, .real, .double].flatMap { type -> [AggregateFunction] in
            [
                percentile([type, .double], type),
                percentile([type, .array(.double)], .array(type)),
                percentile([type, .double, .double], type),
                percentile([type, .double, .array(.double)], .array(type)),
            ]
        }

    private static func percentile(_ types: [LogicalType], _ result: LogicalType)
        -> AggregateFunction
    {
        AggregateFunction(
            name: "approx_percentile", signature: .fixed(types, result: result),
            summary: types.count == 2
                ? "The value at a fraction, or at several."
                : "As with two arguments, weighted by the second.",
            example: types.count == 2 ? "approx_percentile(x, 0.5)" : "approx_percentile(x, w, 0.5)"
        )
    }

    private static let statistics: [AggregateFunction] =
        [
            ("stddev", ["stddev_samp"], "Sample standard deviation."),
            ("stddev_pop", [], "Population standard deviation."),
            ("variance", ["var_samp"], "Sample variance."), ("var_pop", [], "Population variance."),
            ("skewness", [], "Skewness."), ("kurtosis", [], "Excess kurtosis."),
        ].map { (name: String, aliases: [String], summary: String) in
            AggregateFunction(
                name: name, aliases: aliases, signature: .fixed([.double], result: .double),
                summary: summary, example: "\(name)(x)")
        }
        + [
            ("corr", "Correlation of the pairs."), ("covar_pop", "Population covariance."),
            ("covar_samp", "Sample covariance."),
            ("regr_slope", "Slope of the regression line of the first argument on the second."),
            (
                "regr_intercept",
                "Intercept of the regression line of the first argument on the second."
            ),
            ("regr_count", "Pairs without NULL."), ("regr_r2", "Coefficient of determination."),
            ("regr_avgx", "Mean of the second argument."),
            ("regr_avgy", "Mean of the first argument."),
            ("regr_sxx", "Sum of squares of the second argument."),
            ("regr_sxy", "Sum of products."), ("regr_syy", "Sum of squares of the first argument."),
        ].map { (name: String, summary: String) in
            AggregateFunction(
                name: name,
                signature: .fixed(
                    [.double, .double], result: name == "regr_count" ? .bigint : .double),
                summary: summary, example: "\(name)(y, x)")
        }

    private static let bits: [AggregateFunction] =
        ["and", "or", "xor"].map { name in
            AggregateFunction(
                name: "bitwise_\(name)_agg", signature: .fixed([.bigint], result: .bigint),
                summary: "Bitwise \(name.uppercased()) of the values.",
                example: "bitwise_\(name)_agg(x)")
        } + [
            AggregateFunction(
                name: "checksum", signature: generic("T", "varbinary") { _ in .varbinary },
                summary: "A checksum that does not depend on the order.", example: "checksum(x)")
        ]

    private static func keyed(
        _ name: String, _ result: String, _ summary: String,
        _ type: @escaping @Sendable (LogicalType, LogicalType) -> LogicalType
    ) -> AggregateFunction {
        AggregateFunction(
            name: name,
            signature: .rule(parameters: "K, V", result: result) { arguments in
                guard let types = values(arguments, 2), types[0].isComparable else { return nil }
                return (types.map { .value($0) }, type(types[0], types[1]))
            },
            summary: summary, example: "\(name)(k, v)")
    }
}

extension AggregateDeclarations {
    /// One parameter of any type that `admits` takes.
    static func generic(
        _ parameters: String, _ result: String,
        where admits: @escaping @Sendable (LogicalType) -> Bool = { _ in true },
        _ type: @escaping @Sendable (LogicalType) -> LogicalType
    ) -> Signature {
        .rule(parameters: parameters, result: result) { arguments in
            guard let given = single(arguments), admits(given) else { return nil }
            return ([.value(given)], type(given))
        }
    }

    /// The type of the only argument.
    static func single(_ arguments: [ArgumentType]) -> LogicalType? { values(arguments, 1)?.first }

    /// The types of exactly so many arguments, none of them a lambda.
    static func values(_ arguments: [ArgumentType], _ count: Int) -> [LogicalType]? {
        guard arguments.count == count else { return nil }
        var types: [LogicalType] = []
        for argument in arguments {
            guard case .value(let type) = argument else { return nil }
            types.append(type)
        }
        return types
    }

    /// The result of `sum` over a type.
    private static func sumType(_ type: LogicalType) -> LogicalType? {
        switch type {
        case .tinyint, .smallint, .integer, .bigint, .unknown: .bigint
        case .real: .real
        case .double: .double
        case .decimal(_, let scale): .decimal(precision: 38, scale: scale)
        case .intervalYearToMonth, .intervalDayToSecond: type
        default: nil
        }
    }

    /// What the argument of `sum` becomes: integers of every width are summed as bigint.
    private static func widened(_ type: LogicalType) -> LogicalType {
        type.isInteger || type == .unknown ? .bigint : type
    }
}
