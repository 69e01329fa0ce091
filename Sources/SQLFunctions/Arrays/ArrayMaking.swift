import CivilTime
import Vectors

extension ScalarFunction {
    /// Functions that make arrays of arrays or from nothing.
    static let arrayMaking: [ScalarFunction] = [
        ScalarFunction(
            "array_distinct", .array(), "The elements without repetitions.",
            example: "array_distinct(ARRAY[1, 1, 2])",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[0].element ?? .unknown
                call.lists { row, builder in
                    var seen: Set<[UInt8]> = []
                    for element in lists.rows(row)
                    where seen.insert(ValueKey.of(type, lists.elements, element)).inserted {
                        builder.children[0].append(lists.elements, element)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "array_remove", .arrayAndElement("array(T)") { .array($0) },
            "The array without the elements that equal a value.",
            example: "array_remove(ARRAY[1, 2, 1], 1)",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[1]
                call.lists { row, builder in
                    for element in lists.rows(row) {
                        let isValid = lists.elements.isValid(element)
                        if isValid,
                            ValueOrder.compare(
                                type, lists.elements, element, call.arguments[1], row) == 0
                        {
                            continue
                        }
                        builder.children[0].append(lists.elements, element)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "array_sort", .array([]) { $0.isOrderable ? .array($0) : nil },
            "The elements in order, NULLs last.", example: "array_sort(ARRAY[3, 1, 2])",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[0].element ?? .unknown
                call.lists { row, builder in
                    let sorted = lists.rows(row).sorted { left, right in
                        let order = ValueOrder.compareNullable(
                            type, lists.elements, left, lists.elements, right)
                        return order < 0 || order == 0 && left < right
                    }
                    for element in sorted { builder.children[0].append(lists.elements, element) }
                    return true
                }
            }),
        sets("array_union", "Elements of either array, without repetitions.") { _, _ in true },
        sets("array_intersect", "Elements of both arrays, without repetitions.") { first, second in
            first && second
        },
        sets("array_except", "Elements of the first array alone, without repetitions.") {
            first, second in first && !second
        },
        ScalarFunction(
            "concat",
            .values("array(T), array(T) or T, …", "array(T)") { types in
                guard types.count >= 2,
                    types.contains(where: { $0.element != nil && $0 != .unknown })
                else { return nil }
                // Arrays of one type first; else single elements beside arrays.
                if let common = LogicalType.commonSuperType(types), common.element != nil {
                    return (types.map { _ in common }, common)
                }
                let elements = types.map { type in
                    if case .array(let element) = type { return element }
                    return type
                }
                guard let common = LogicalType.commonSuperType(elements) else {
                    return appended(types)
                }
                return (
                    types.map { type in
                        if case .array = type { return .array(common) }
                        return common
                    }, .array(common)
                )
            }, "The arrays, and single elements, one after the other.",
            example: "concat(ARRAY[1], ARRAY[2, 3])",
            kernel: { call in
                let lists = (0..<call.argumentCount).map { ListInput(call, $0) }
                let isArray = call.argumentTypes.map { $0.hasSameShape(as: call.resultType) }
                call.lists { row, builder in
                    for (index, list) in lists.enumerated() {
                        guard isArray[index] else {
                            builder.children[0].append(call.arguments[index], row)
                            continue
                        }
                        for element in list.rows(row) {
                            builder.children[0].append(list.elements, element)
                        }
                    }
                    return true
                }
            }),
        ScalarFunction(
            "flatten",
            .values("array(array(T))", "array(T)") { types in
                guard types.count == 1, case .array(let inner)? = types[0].element else {
                    return nil
                }
                return ([.array(.array(inner))], .array(inner))
            }, "The elements of the arrays in an array.",
            example: "flatten(ARRAY[ARRAY[1], ARRAY[2, 3]])",
            kernel: { call in
                let lists = ListInput(call, 0)
                call.lists { row, builder in
                    for inner in lists.rows(row) where lists.elements.isValid(inner) {
                        guard let elements = lists.elements.children?[0] else { continue }
                        let entry = lists.elements.value(inner, as: ListEntry.self)
                        for offset in 0..<Int(entry.count) {
                            builder.children[0].append(elements, Int(entry.offset) + offset)
                        }
                    }
                    return true
                }
            }),
        ScalarFunction(
            "reverse", .array(), "The elements in opposite order.", example: "reverse(ARRAY[1, 2])",
            kernel: { call in reordered(call) { rows in Array(rows.reversed()) } }),
        ScalarFunction(
            "shuffle", .array(), "The elements in random order.", example: "shuffle(ARRAY[1, 2])",
            isDeterministic: false,
            kernel: { call in
                reordered(call) { rows in
                    var shuffled = Array(rows)
                    for index in shuffled.indices.reversed() where index > 0 {
                        let other = call.context.randomBits().multipliedFullWidth(
                            by: UInt64(index + 1)
                        ).high
                        shuffled.swapAt(index, Int(other))
                    }
                    return shuffled
                }
            }),
        ScalarFunction(
            "slice", .array([.bigint, .bigint]),
            "So many elements from a 1-based position, from the end when negative.",
            example: "slice(ARRAY[1, 2, 3], 2, 2)", canFail: true,
            kernel: { call in
                let starts = call.input(1, as: Int64.self)
                let lengths = call.input(2, as: Int64.self)
                let lists = ListInput(call, 0)
                call.lists { row, builder in
                    let rows = lists.rows(row)
                    let start = starts[row]
                    guard start != 0 else { throw invalid("SQL array indices start at 1") }
                    guard lengths[row] >= 0 else {
                        throw invalid("length must be greater than or equal to 0")
                    }
                    guard start.magnitude <= UInt64(rows.count) else { return true }
                    let first =
                        start > 0 ? rows.lowerBound + Int(start) - 1 : rows.upperBound + Int(start)
                    let count = min(Int64(rows.upperBound - first), lengths[row])
                    for element in first..<(first + Int(count)) {
                        builder.children[0].append(lists.elements, element)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "trim_array", .array([.bigint]), "The array without so many last elements.",
            example: "trim_array(ARRAY[1, 2, 3], 1)", canFail: true,
            kernel: { call in
                let counts = call.input(1, as: Int64.self)
                let lists = ListInput(call, 0)
                call.lists { row, builder in
                    let rows = lists.rows(row)
                    guard counts[row] >= 0 else {
                        throw invalid("size must not be negative: \(counts[row])")
                    }
                    guard counts[row] <= Int64(rows.count) else {
                        throw invalid(
                            "size must not exceed array cardinality \(rows.count): \(counts[row])")
                    }
                    for element in rows.dropLast(Int(counts[row])) {
                        builder.children[0].append(lists.elements, element)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "repeat",
            .values("T, bigint", "array(T)") { types in
                types.count == 2 ? ([types[0], .bigint], .array(types[0])) : nil
            }, "An array of the value so many times.", example: "repeat('a', 3)",
            nullsPropagate: false, canFail: true,
            kernel: { call in
                let counts = call.input(1, as: Int64.self)
                call.lists { row, builder in
                    guard call.arguments[1].isValid(row) else { return false }
                    let count = counts[row]
                    guard count <= Int64(FunctionLimits.sequenceElements) else {
                        throw invalid(
                            "count argument of repeat function must be less than or equal to "
                                + "\(FunctionLimits.sequenceElements)")
                    }
                    for _ in 0..<max(count, 0) {
                        builder.children[0].append(call.arguments[0], row)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "zip",
            .values("array(T), array(U), …", "array(row(T, U, …))") { types in
                let elements = types.compactMap(\.element)
                guard types.count >= 2, types.count <= 5, elements.count == types.count else {
                    return nil
                }
                return (
                    elements.map { .array($0) },
                    .array(.row(elements.map { RowField(name: nil, type: $0) }))
                )
            }, "Rows of the elements at the same place; NULLs where an array is shorter.",
            example: "zip(ARRAY[1, 2], ARRAY['a', 'b'])",
            kernel: { call in
                let lists = (0..<call.argumentCount).map { ListInput(call, $0) }
                call.lists { row, builder in
                    let ranges = lists.map { $0.rows(row) }
                    let rowBuilder = builder.children[0]
                    for offset in 0..<(ranges.map(\.count).max() ?? 0) {
                        guard rowBuilder.reserve() != nil else { break }
                        for (index, list) in lists.enumerated() {
                            let child = rowBuilder.children[index]
                            if offset < ranges[index].count {
                                child.append(list.elements, ranges[index].lowerBound + offset)
                            } else {
                                child.pushNull()
                            }
                        }
                    }
                    return true
                }
            }),
        ScalarFunction(
            "ngrams",
            .array([.bigint], "array(array(T))") { .array(.array($0)) },
            "All runs of n neighbours.", example: "ngrams(ARRAY['a', 'b', 'c'], 2)", canFail: true,
            kernel: { call in
                let sizes = call.input(1, as: Int64.self)
                runs(call) { row, rows in
                    guard sizes[row] > 0 else { throw invalid("N must be positive") }
                    let size = Int(min(sizes[row], Int64(max(rows.count, 1))))
                    let places = Array(rows)
                    if places.isEmpty { return [[]] }
                    return (0...(places.count - size)).map { Array(places[$0..<($0 + size)]) }
                }
            }),
        ScalarFunction(
            "combinations",
            .array([.bigint], "array(array(T))") { .array(.array($0)) },
            "All ways to take n elements in their order.",
            example: "combinations(ARRAY['a', 'b', 'c'], 2)", canFail: true,
            kernel: { call in
                let sizes = call.input(1, as: Int64.self)
                runs(call) { row, rows in
                    guard sizes[row] >= 0, sizes[row] <= 5 else {
                        throw invalid("combination size must be between 0 and 5: \(sizes[row])")
                    }
                    return try combinations(Array(rows), Int(sizes[row]))
                }
            }),
    ]

    private static func sets(
        _ name: String, _ summary: String, _ keeps: @escaping @Sendable (Bool, Bool) -> Bool
    ) -> ScalarFunction {
        ScalarFunction(
            name, .twoArrays(), summary, example: "\(name)(ARRAY[1, 2], ARRAY[2, 3])",
            kernel: { call in
                let lists = [ListInput(call, 0), ListInput(call, 1)]
                let type = call.resultType.element ?? .unknown
                call.lists { row, builder in
                    let keys = lists.map { list in
                        list.rows(row).map { ValueKey.of(type, list.elements, $0) }
                    }
                    let sets = keys.map { Set($0) }
                    var seen: Set<[UInt8]> = []
                    for (index, list) in lists.enumerated() {
                        for (key, element) in zip(keys[index], list.rows(row))
                        where keeps(sets[0].contains(key), sets[1].contains(key))
                            && seen.insert(key).inserted
                        {
                            builder.children[0].append(list.elements, element)
                        }
                    }
                    return true
                }
            })
    }
}

extension LogicalType {
    /// Whether both are arrays nested as deep as each other.
    fileprivate func hasSameShape(as other: LogicalType) -> Bool {
        switch (self, other) {
        case (.array(let own), .array(let element)):
            if case .array = element { return own.hasSameShape(as: element) || own == .unknown }
            if case .array = own { return false }
            return true
        default: return false
        }
    }
}

private func reordered(_ call: KernelCall, _ order: (Range<Int>) -> [Int]) {
    let lists = ListInput(call, 0)
    call.lists { row, builder in
        for element in order(lists.rows(row)) {
            builder.children[0].append(lists.elements, element)
        }
        return true
    }
}

/// Builds arrays of arrays from lists of element rows.
private func runs(_ call: KernelCall, _ body: (Int, Range<Int>) throws -> [[Int]]) {
    let lists = ListInput(call, 0)
    call.lists { row, builder in
        let inner = builder.children[0]
        for run in try body(row, lists.rows(row)) {
            guard let place = inner.reserve() else { break }
            let start = inner.children[0].count
            for element in run { inner.children[0].append(lists.elements, element) }
            inner.put(inner.entry(from: start), place)
        }
        return true
    }
}

private func combinations(_ elements: [Int], _ size: Int) throws -> [[Int]] {
    if size > elements.count { return [] }
    var result: [[Int]] = []
    var chosen: [Int] = []
    func extend(_ from: Int) throws {
        if chosen.count == size {
            guard result.count < 100_000 else {
                throw invalid("combinations exceed max size of 100000")
            }
            return result.append(chosen)
        }
        for index in from..<max(from, elements.count - (size - chosen.count) + 1) {
            chosen.append(elements[index])
            try extend(index + 1)
            chosen.removeLast()
        }
    }
    try extend(0)
    return result
}

/// Arrays as elements of an array of arrays, on one side of it: `ARRAY[ARRAY[1]] || ARRAY[2]`.
private func appended(_ types: [LogicalType]) -> ([LogicalType], LogicalType)? {
    guard types.count == 2 else { return nil }
    for (list, element) in [(0, 1), (1, 0)] {
        guard let own = types[list].element, own.element != nil,
            let common = LogicalType.commonSuperType(own, types[element])
        else { continue }
        let whole = LogicalType.array(common)
        return (list == 0 ? [whole, common] : [common, whole], whole)
    }
    return nil
}
