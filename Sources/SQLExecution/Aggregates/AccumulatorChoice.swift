import SQLFunctions
import SQLPlanning
import Vectors

/// Makes the accumulator of a call; `order` has the types of the call's sort keys.
func makeAccumulator(
    _ call: AggregateCall, orderTypes: [LogicalType], budget: MemoryBudget
) throws(QueryFault) -> Accumulator {
    let inner = try plainAccumulator(call.function)
    let isOrdered = !call.order.isEmpty && isOrderSensitive(call.function)
    guard isOrdered || (call.isDistinct && !ignoresRepeats(call.function)) else { return inner }
    let order =
        isOrdered
        ? zip(orderTypes, call.order).map { type, key in
            (
                type: type,
                key: SortDirection(isAscending: key.isAscending, nullsFirst: key.nullsFirst)
            )
        } : []
    return bufferedAccumulator(
        inner, arguments: call.function.parameters, order: order, isDistinct: call.isDistinct,
        result: call.function.result, budget: budget)
}

private func isOrderSensitive(_ function: ResolvedAggregate) -> Bool {
    function.function.isOrderSensitive
        || ["map_agg", "multimap_agg", "any_value", "arbitrary", "histogram", "map_union"]
            .contains(function.function.name)
}

/// Whether repeated values change nothing, so that DISTINCT may be dropped.
func ignoresRepeats(_ function: ResolvedAggregate) -> Bool {
    function.parameters.count == 1
        && [
            "min", "max", "bool_and", "bool_or", "any_value", "approx_distinct", "bitwise_and_agg",
            "bitwise_or_agg",
        ]
        .contains(function.function.name)
}

/// The accumulator without DISTINCT and ORDER BY.
func plainAccumulator(_ resolved: ResolvedAggregate) throws(QueryFault) -> Accumulator {
    let types = resolved.parameters
    let name = resolved.function.name
    switch name {
    case "count": return CountAccumulator(hasArgument: !types.isEmpty)
    case "count_if": return CountIfAccumulator()
    case "sum", "avg":
        guard let type = types.first else { break }
        let isMean = name == "avg"
        switch type {
        case .double: return FloatingSumAccumulator(isMean ? .mean : .sum, isReal: false)
        case .real: return FloatingSumAccumulator(isMean ? .mean : .sum, isReal: true)
        default:
            if isMean, resolved.result == .double {
                return FloatingSumAccumulator(.mean, isReal: false)
            }
            return ExactSumAccumulator(isMean ? .mean : .sum, type: resolved.result)
        }
    case "geometric_mean": return FloatingSumAccumulator(.geometricMean, isReal: false)
    case "min", "max":
        guard let type = types.first else { break }
        let isMinimum = name == "min"
        if types.count == 2 {
            return CollectingAccumulator(
                types, required: [0],
                finisher: Collections.first(
                    type, keyColumn: 0, countColumn: 1, isMinimum: isMinimum))
        }
        switch type.physical {
        case .bool, .int32, .int64: return IntegerExtremeAccumulator(isMinimum: isMinimum)
        default: return ValueAccumulator(isMinimum ? .minimum : .maximum, type)
        }
    case "min_by", "max_by":
        guard types.count >= 2 else { break }
        let isMinimum = name == "min_by"
        if types.count == 3 {
            return CollectingAccumulator(
                types, required: [1],
                finisher: Collections.first(
                    types[1], keyColumn: 1, countColumn: 2, isMinimum: isMinimum))
        }
        return ByAccumulator(isMinimum: isMinimum, value: types[0], key: types[1])
    case "any_value", "arbitrary": return ValueAccumulator(.any, types.first ?? .unknown)
    case "bool_and", "every": return BitsAccumulator(.and, isBoolean: true)
    case "bool_or": return BitsAccumulator(.or, isBoolean: true)
    case "bitwise_and_agg": return BitsAccumulator(.and, isBoolean: false)
    case "bitwise_or_agg": return BitsAccumulator(.or, isBoolean: false)
    case "bitwise_xor_agg": return BitsAccumulator(.xor, isBoolean: false)
    case "checksum": return ChecksumAccumulator(types.first ?? .unknown)
    case "variance", "var_samp": return MomentsAccumulator(.variance)
    case "var_pop": return MomentsAccumulator(.populationVariance)
    case "stddev", "stddev_samp": return MomentsAccumulator(.deviation)
    case "stddev_pop": return MomentsAccumulator(.populationDeviation)
    case "skewness": return MomentsAccumulator(.skewness)
    case "kurtosis": return MomentsAccumulator(.kurtosis)
    case "corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept", "regr_count", "regr_r2",
        "regr_avgx", "regr_avgy", "regr_sxx", "regr_sxy", "regr_syy":
        return PairsAccumulator(name)
    case "approx_distinct": return DistinctSketchAccumulator(types.first ?? .unknown)
    case "array_agg":
        return CollectingAccumulator(types, required: [], finisher: Collections.array)
    case "listagg":
        let count = types.count
        return CollectingAccumulator(types, required: [0]) {
            arguments, rows, output, row, context, heap in
            Collections.text(arguments, rows, output, row, context, heap, count)
        }
    case "map_agg", "multimap_agg":
        guard let key = types.first else { break }
        return CollectingAccumulator(
            types, required: [0], finisher: Collections.map(key, isMulti: name == "multimap_agg"))
    case "map_union":
        guard let type = types.first else { break }
        return CollectingAccumulator(types, required: [0], finisher: Collections.union(type))
    case "histogram":
        guard let type = types.first else { break }
        return CollectingAccumulator(
            types, required: [0], finisher: Collections.histogram(type, column: 0, limitColumn: nil)
        )
    case "approx_most_frequent":
        guard types.count == 3 else { break }
        return CollectingAccumulator(
            types, required: [1],
            finisher: Collections.histogram(types[1], column: 1, limitColumn: 0))
    case "numeric_histogram":
        return CollectingAccumulator(types, required: [1], finisher: Collections.numericHistogram)
    case "approx_percentile":
        guard types.count >= 2, let fraction = types.last else { break }
        var isArray = false
        if case .array = fraction { isArray = true }
        return CollectingAccumulator(
            types, required: [0],
            finisher: Collections.percentile(
                types[0], weightColumn: types.count == 3 ? 1 : nil, fractionColumn: types.count - 1,
                isArray: isArray))
    default:
        if let accumulator = SketchAccumulator(resolved) { return accumulator }
        if let folding = ShapeFolding(rawValue: name) {
            return CollectingAccumulator(
                types, required: [0], finisher: Collections.shapes(folding))
        }
    }
    throw QueryFault(
        .notSupported, "aggregate function is not implemented for these arguments: \(name)")
}
