import Vectors

extension ScalarFunction {
    /// Functions that ask what an array holds.
    static let arrayContents: [ScalarFunction] = [
        ScalarFunction(
            "array_histogram",
            .array([], "map(T, bigint)") {
                $0.isComparable ? .map(key: $0, value: .bigint) : nil
            }, "How often each element occurs; NULLs are not counted.",
            example: "array_histogram(ARRAY[42, 7, 42])",
            kernel: { call in
                let lists = ListInput(call, 0)
                let type = call.argumentTypes[0].element ?? .unknown
                call.lists { row, builder in
                    var order: [Int] = []
                    var counts: [[UInt8]: Int64] = [:]
                    for place in lists.rows(row) where lists.elements.isValid(place) {
                        let key = ValueKey.of(type, lists.elements, place)
                        if counts.updateValue((counts[key] ?? 0) + 1, forKey: key) == nil {
                            order.append(place)
                        }
                    }
                    for place in order {
                        builder.children[0].append(lists.elements, place)
                        builder.children[1].push(
                            counts[ValueKey.of(type, lists.elements, place)] ?? 0)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "contains_sequence", .twoArrays("boolean") { _ in .boolean },
            "Whether the elements of the second array stand in the first next to each other.",
            example: "contains_sequence(ARRAY[1, 2, 3, 4], ARRAY[2, 3])",
            kernel: { call in
                let lists = [ListInput(call, 0), ListInput(call, 1)]
                let type = call.argumentTypes[0].element ?? .unknown
                call.rows { row -> Bool in
                    let keys = lists.map { list in
                        list.rows(row).map { ValueKey.of(type, list.elements, $0) }
                    }
                    let (whole, part) = (keys[0], keys[1])
                    if part.isEmpty { return true }
                    guard part.count <= whole.count else { return false }
                    return (0...(whole.count - part.count)).contains {
                        whole[$0..<($0 + part.count)].elementsEqual(part)
                    }
                }
            }),
    ]
}
