import Vectors

extension ScalarFunction {
    /// Array functions that call lambdas.
    static let higherOrder: [ScalarFunction] = [
        overElements(
            "transform", "array(U)", body: nil, "What the function makes of each element.",
            example: "transform(ARRAY[1, 2], x -> x + 1)", result: { .array($1 ?? .unknown) }
        ) { call, rows, lambda in
            let results = rows.evaluate(lambda)
            var next = 0
            let lists = ListInput(call, 0)
            call.lists { row, builder in
                for _ in lists.rows(row) {
                    if let results { builder.children[0].append(results, next) }
                    next += 1
                }
                return true
            }
        },
        overElements(
            "filter", "array(T)", body: .boolean, "The elements for which the function is true.",
            example: "filter(ARRAY[1, 2, 3], x -> x > 1)", result: { element, _ in .array(element) }
        ) { call, rows, lambda in
            let results = rows.evaluate(lambda)
            let lists = ListInput(call, 0)
            var next = 0
            call.lists { row, builder in
                for element in lists.rows(row) {
                    if results?.truth(next) == true {
                        builder.children[0].append(lists.elements, element)
                    }
                    next += 1
                }
                return true
            }
        },
        match("any_match", "Whether the function is true for an element.") { any, _, unknown in
            any ? true : unknown ? nil : false
        },
        match("all_match", "Whether the function is true for all elements.") { _, none, unknown in
            none ? false : unknown ? nil : true
        },
        match("none_match", "Whether the function is true for no element.") { any, _, unknown in
            any ? false : unknown ? nil : true
        },
        ScalarFunction(
            name: "reduce",
            signature: .rule(
                parameters: "array(T), S, function(S, T, S), function(S, R)", result: "R"
            ) { arguments in
                guard arguments.count == 4, let element = arguments[0].valueType?.element,
                    let start = arguments[1].valueType, arguments[2].isLambda(2),
                    arguments[3].isLambda(1)
                else { return nil }
                // A state of text may grow.
                let state: LogicalType = start.isVarchar ? .text : start
                return (
                    [
                        .value(.array(element)), .value(state),
                        .lambda(parameters: [state, element], result: state),
                        .lambda(parameters: [state], result: arguments[3].bodyType),
                    ], arguments[3].bodyType ?? .unknown
                )
            },
            summary: "Folds the elements into a state, and makes the result of the last state.",
            example: "reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s)", nullsPropagate: false,
            canFail: true, kernel: reduce),
        ScalarFunction(
            name: "zip_with",
            signature: .rule(
                parameters: "array(T), array(U), function(T, U, R)", result: "array(R)"
            ) { arguments in
                guard arguments.count == 3, let first = arguments[0].valueType?.element,
                    let second = arguments[1].valueType?.element, arguments[2].isLambda(2)
                else { return nil }
                return (
                    [
                        .value(.array(first)), .value(.array(second)),
                        .lambda(parameters: [first, second], result: arguments[2].bodyType),
                    ], .array(arguments[2].bodyType ?? .unknown)
                )
            },
            summary: "What the function makes of the elements at the same place.",
            example: "zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x * y)", canFail: true,
            kernel: zipWith),
        ScalarFunction(
            name: "array_sort",
            signature: .rule(parameters: "array(T), function(T, T, integer)", result: "array(T)") {
                arguments in
                guard arguments.count == 2, let element = arguments[0].valueType?.element,
                    arguments[1].isLambda(2)
                else { return nil }
                return (
                    [
                        .value(.array(element)),
                        .lambda(parameters: [element, element], result: .integer),
                    ], .array(element)
                )
            },
            summary: "The elements in the order that the function gives: -1, 0 or 1 for a pair.",
            example: "array_sort(ARRAY[1, 2], (x, y) -> IF(x < y, 1, IF(x = y, 0, -1)))",
            canFail: true, kernel: sortWith),
    ]

    private static func overElements(
        _ name: String, _ resultText: String, body: LogicalType?, _ summary: String,
        example: String,
        result: @escaping @Sendable (LogicalType, LogicalType?) -> LogicalType,
        _ kernel: @escaping @Sendable (KernelCall, LambdaRows, any LambdaEvaluator) -> Void
    ) -> ScalarFunction {
        ScalarFunction(
            name: name,
            signature: .rule(
                parameters: "array(T), function(T, \(body?.description ?? "U"))",
                result: resultText
            ) { arguments in
                guard arguments.count == 2, let element = arguments[0].valueType?.element,
                    arguments[1].isLambda(1)
                else { return nil }
                return (
                    [
                        .value(.array(element)),
                        .lambda(parameters: [element], result: body ?? arguments[1].bodyType),
                    ], result(element, arguments[1].bodyType)
                )
            }, summary: summary, example: example, canFail: true,
            kernel: { call in
                guard let lambda = call.lambdas.first else { return }
                let list = ListInput(call, 0)
                let element = call.argumentTypes[0].element ?? .unknown
                kernel(call, LambdaRows(call, list, types: [element]), lambda)
            })
    }

    /// `decide` takes whether one was true, one was false, one was NULL.
    private static func match(
        _ name: String, _ summary: String,
        _ decide: @escaping @Sendable (Bool, Bool, Bool) -> Bool?
    ) -> ScalarFunction {
        overElements(
            name, "boolean", body: .boolean, summary,
            example: "\(name)(ARRAY[1, 2], x -> x > 1)", result: { _, _ in .boolean }
        ) { call, rows, lambda in
            let results = rows.evaluate(lambda)
            let lists = ListInput(call, 0)
            var next = 0
            call.rows { row -> Bool? in
                var (isAny, isFalse, isUnknown) = (false, false, false)
                for _ in lists.rows(row) {
                    switch results?.truth(next) {
                    case true?: isAny = true
                    case false?: isFalse = true
                    case nil: isUnknown = true
                    }
                    next += 1
                }
                return decide(isAny, isFalse, isUnknown)
            }
        }
    }
}

/// Steps through the arrays of all rows together: the first elements, then the second ones.
private let reduce: ScalarFunction.Kernel = { call in
    guard call.lambdas.count == 2 else { return }
    let output = Output(call)
    let lists = ListInput(call, 0)
    let stateType = call.argumentTypes[1]
    let element = call.argumentTypes[0].element ?? .unknown
    var rows: [Int] = []
    call.forEachRow { rows.append($0) }
    var state = ColumnBuilder(stateType, output)
    for row in rows { state.append(call.arguments[1], row) }
    let longest = rows.lazy.filter { lists.isValid($0) }.map { lists.rows($0).count }.max() ?? 0
    for step in 0..<longest {
        let states = ColumnBuilder(stateType, output)
        let elements = ColumnBuilder(element, output)
        var outer: [UInt32] = []
        let old = state.vector
        for (index, row) in rows.enumerated()
        where lists.isValid(row) && step < lists.rows(row).count {
            states.append(old, index)
            elements.append(lists.elements, lists.rows(row).lowerBound + step)
            outer.append(UInt32(truncatingIfNeeded: row))
        }
        guard states.count == outer.count, elements.count == outer.count else { return }
        let results = outer.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map {
                call.lambdas[0].evaluate(
                    parameters: [states.vector, elements.vector], rowCount: buffer.count,
                    outerRows: $0)
            }
        }
        let next = ColumnBuilder(stateType, output)
        var taken = 0
        for (index, row) in rows.enumerated() {
            if lists.isValid(row), step < lists.rows(row).count, let results {
                next.append(results, taken)
                taken += 1
            } else {
                next.append(old, index)
            }
        }
        state = next
        guard state.count == rows.count else { return }
    }
    let outer = rows.map { UInt32(truncatingIfNeeded: $0) }
    let results = outer.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map {
            call.lambdas[1].evaluate(
                parameters: [state.vector], rowCount: buffer.count, outerRows: $0)
        }
    }
    guard let results else { return }
    var next = -1
    chooseValue(call, results) { row in
        next += 1
        return lists.isValid(row) ? next : nil
    }
}

private let zipWith: ScalarFunction.Kernel = { call in
    guard let lambda = call.lambdas.first else { return }
    let output = Output(call)
    let lists = [ListInput(call, 0), ListInput(call, 1)]
    let builders = [0, 1].map { ColumnBuilder(call.argumentTypes[$0].element ?? .unknown, output) }
    var outer: [UInt32] = []
    call.forEachRow { row in
        let ranges = lists.map { $0.rows(row) }
        for offset in 0..<max(ranges[0].count, ranges[1].count) {
            outer.append(UInt32(truncatingIfNeeded: row))
            for index in 0..<2 {
                if offset < ranges[index].count {
                    builders[index].append(
                        lists[index].elements, ranges[index].lowerBound + offset)
                } else {
                    builders[index].pushNull()
                }
            }
        }
    }
    guard builders.allSatisfy({ $0.count == outer.count }) else { return }
    let results = outer.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map {
            lambda.evaluate(
                parameters: builders.map(\.vector), rowCount: buffer.count, outerRows: $0)
        }
    }
    var next = 0
    call.lists { row, builder in
        for _ in 0..<max(lists[0].rows(row).count, lists[1].rows(row).count) {
            if let results { builder.children[0].append(results, next) }
            next += 1
        }
        return true
    }
}

/// Merge sort by a lambda; one level of comparisons at a time would need all pairs, so pairs are asked
/// one by one.
private let sortWith: ScalarFunction.Kernel = { call in
    guard let lambda = call.lambdas.first else { return }
    let output = Output(call)
    let lists = ListInput(call, 0)
    let element = call.argumentTypes[0].element ?? .unknown
    var isFailed = false
    call.lists { row, builder in
        func isOrdered(_ left: Int, _ right: Int) -> Bool {
            if isFailed { return true }
            let pair = [left, right].map { place in
                let column = ColumnBuilder(element, output)
                column.append(lists.elements, place)
                return column
            }
            guard pair.allSatisfy({ $0.count == 1 }) else {
                isFailed = true
                return true
            }
            var outer = UInt32(truncatingIfNeeded: row)
            let answer = lambda.evaluate(
                parameters: pair.map(\.vector), rowCount: 1, outerRows: &outer)
            guard answer.isValid(0), (-1...1).contains(answer.value(0, as: Int32.self)) else {
                isFailed = true
                call.context.fail(
                    invalid("Lambda comparator must return either -1, 0, or 1"))
                return true
            }
            return answer.value(0, as: Int32.self) <= 0
        }
        for place in mergeSorted(Array(lists.rows(row)), isOrdered) {
            builder.children[0].append(lists.elements, place)
        }
        return true
    }
}

/// A stable sort that asks only `isOrdered` and ends whatever it answers.
private func mergeSorted(_ items: [Int], _ isOrdered: (Int, Int) -> Bool) -> [Int] {
    guard items.count > 1 else { return items }
    let middle = items.count / 2
    let left = mergeSorted(Array(items[..<middle]), isOrdered)
    let right = mergeSorted(Array(items[middle...]), isOrdered)
    var result: [Int] = []
    result.reserveCapacity(items.count)
    var (i, j) = (0, 0)
    while i < left.count, j < right.count {
        if isOrdered(left[i], right[j]) {
            result.append(left[i])
            i += 1
        } else {
            result.append(right[j])
            j += 1
        }
    }
    return result + left[i...] + right[j...]
}
