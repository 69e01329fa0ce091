import Testing
import Vectors

@testable import SQLFunctions

struct ArrayFunctionTests {
    static let ints = LogicalType.array(.integer)
    static let longs = LogicalType.array(.bigint)
    static let texts = LogicalType.array(.text)
    static let scores = LogicalType.map(key: .text, value: .integer)
    static let map = Value.map([("a", 1), ("b", 2)])

    private static let table0: [Case] = [
        Case("cardinality", [(ints, .list([1, nil, 3]))], "3"),
        Case("cardinality", [(scores, map)], "2"),
        Case("contains", [(ints, .list([1, 2])), (.integer, 2)], "true"),
        Case("contains", [(ints, .list([1, nil])), (.integer, 2)], "NULL"),
        Case("element_at", [(ints, .list([1, 2, 3])), (.bigint, -1)], "3"),
        Case("element_at", [(ints, .list([1, 2, 3])), (.bigint, 9)], "NULL"),
        Case("$subscript", [(.array(ints), .list([[1], [2, 3]])), (.bigint, 2)], "[2, 3]"),
        Case("array_distinct", [(ints, .list([1, 1, nil, nil, 2]))], "[1, NULL, 2]"),
        Case(
            "array_join", [(.array(.double), .list([1, nil, 2.5])), (.text, ","), (.text, "?")],
            "1.0,?,2.5"),
        Case("array_max", [(ints, .list([1, 3, 2]))], "3"),
        Case("array_max", [(ints, .list([1, nil]))], "NULL"),
        Case("array_min", [(texts, .list(["b", "a"]))], "a"),
    ]

    private static let table1: [Case] = [
        Case("array_position", [(texts, .list(["b", "a"])), (.text, "a")], "2"),
        Case("array_remove", [(ints, .list([1, 2, nil, 1])), (.integer, 1)], "[2, NULL]"),
        Case("array_sort", [(ints, .list([3, nil, 1]))], "[1, 3, NULL]"),
        Case("array_union", [(ints, .list([1, 2])), (ints, .list([2, 3]))], "[1, 2, 3]"),
        Case("array_intersect", [(ints, .list([1, 2])), (ints, .list([2, 3]))], "[2]"),
        Case("array_except", [(ints, .list([1, 2])), (ints, .list([2, 3]))], "[1]"),
        Case("arrays_overlap", [(ints, .list([1, 2])), (ints, .list([2, 3]))], "true"),
        Case("concat", [(ints, .list([1])), (ints, .list([2, 3]))], "[1, 2, 3]"),
        Case("concat", [(ints, .list([1])), (.integer, 2)], "[1, 2]"),
        Case("concat", [(texts, .list(["a"])), (.text, "b")], "[a, b]"),
        Case("flatten", [(.array(ints), .list([[1], nil, [2, 3]]))], "[1, 2, 3]"),
        Case("reverse", [(ints, .list([1, 2, 3]))], "[3, 2, 1]"),
    ]

    private static let table2: [Case] = [
        Case("slice", [(ints, .list([1, 2, 3, 4])), (.bigint, -3), (.bigint, 2)], "[2, 3]"),
        Case("repeat", [(.text, "ab"), (.bigint, 2)], "[ab, ab]"),
        Case("zip", [(ints, .list([1, 2])), (texts, .list(["a"]))], "[(1, a), (2, NULL)]"),
        Case("ngrams", [(texts, .list(["a", "b", "c"])), (.bigint, 2)], "[[a, b], [b, c]]"),
        Case(
            "combinations", [(ints, .list([1, 2, 3])), (.bigint, 2)], "[[1, 2], [1, 3], [2, 3]]"),
        Case("trim_array", [(ints, .list([1, 2, 3])), (.bigint, 1)], "[1, 2]"),
        Case("sequence", [(.bigint, 1), (.bigint, 7), (.bigint, 3)], "[1, 4, 7]"),
        Case("sequence", [(.bigint, 2), (.bigint, 0)], "[2, 1, 0]"),
        Case(
            "sequence", [(.date, "2024-02-28"), (.date, "2024-03-01")],
            "[2024-02-28, 2024-02-29, 2024-03-01]"),
        Case("map", [(texts, .list(["a", "b"])), (ints, .list([1, nil]))], "{a=1, b=NULL}"),
        Case("map_keys", [(scores, map)], "[a, b]"),
        Case("map_values", [(scores, map)], "[1, 2]"),
    ]

    private static let table3: [Case] = [
        Case("map_entries", [(scores, map)], "[(a, 1), (b, 2)]"),
        Case(
            "map_concat", [(scores, map), (scores, .map([("b", 9), ("c", 3)]))],
            "{a=1, b=9, c=3}"),
        Case("element_at", [(scores, map), (.text, "b")], "2"),
        Case("element_at", [(scores, map), (.text, "x")], "NULL"),
        Case(
            "map_from_entries",
            [
                (
                    .array(
                        .row([
                            RowField(name: nil, type: .text), RowField(name: nil, type: .integer),
                        ])),
                    [.row(["a", 1]), .row(["b", 2])]
                )
            ], "{a=1, b=2}"),
    ]

    @Test(arguments: table0 + table1 + table2 + table3)
    func results(_ test: Case) throws { try test.check() }

    private static let wrong: [Case] = [
        Case("$subscript", [(ints, .list([1])), (.bigint, 2)], ""),
        Case("$subscript", [(ints, .list([1])), (.bigint, 0)], ""),
        Case("$subscript", [(scores, map), (.text, "x")], ""),
        Case("sequence", [(.bigint, 1), (.bigint, 20_000)], ""),
        Case("sequence", [(.bigint, 1), (.bigint, 2), (.bigint, 0)], ""),
        Case("map", [(texts, .list(["a", "a"])), (ints, .list([1, 2]))], ""),
        Case("map", [(texts, .list(["a"])), (ints, .list([1, 2]))], ""),
    ]

    @Test(arguments: wrong)
    func failures(_ test: Case) throws {
        #expect {
            try evaluate(test.name, test.arguments)
        } throws: { ($0 as? QueryFault)?.code == .invalidFunctionArgument }
    }

    @Test func `lambdas see elements and give results`() throws {
        let double = TestLambda(parameterCount: 1, result: .integer) { .whole(Int128($0[0])! * 2) }
        #expect(
            try evaluate("transform", [(Self.ints, .list([1, 2]))], lambdas: [double]) == "[2, 4]")
        let isBig = TestLambda(parameterCount: 1, result: .boolean) { .flag(Int($0[0])! > 1) }
        #expect(
            try evaluate("filter", [(Self.ints, .list([1, 2, 3]))], lambdas: [isBig]) == "[2, 3]")
        #expect(try evaluate("any_match", [(Self.ints, .list([1]))], lambdas: [isBig]) == "false")
        #expect(try evaluate("all_match", [(Self.ints, .list([]))], lambdas: [isBig]) == "true")
        let add = TestLambda(parameterCount: 2, result: .bigint) {
            .whole(Int128($0[0])! + Int128($0[1])!)
        }
        let same = TestLambda(parameterCount: 1, result: .bigint) { .whole(Int128($0[0])!) }
        #expect(
            try evaluate(
                "reduce", [(Self.longs, .list([5, 20, 50])), (.bigint, 0)], lambdas: [add, same])
                == "75")
        #expect(
            try evaluate(
                "zip_with", [(Self.longs, .list([1, 2])), (Self.longs, .list([3, 4]))],
                lambdas: [add])
                == "[4, 6]")
        let descending = TestLambda(parameterCount: 2, result: .integer) {
            .whole(Int128((Int($0[1])! - Int($0[0])!).signum()))
        }
        #expect(
            try evaluate("array_sort", [(Self.ints, .list([1, 3, 2]))], lambdas: [descending])
                == "[3, 2, 1]")
        let isSecond = TestLambda(parameterCount: 2, result: .boolean) { .flag($0[1] == "2") }
        #expect(
            try evaluate("map_filter", [(Self.scores, Self.map)], lambdas: [isSecond]) == "{b=2}")
        let joined = TestLambda(parameterCount: 2, result: .text) { .text($0[0] + $0[1]) }
        #expect(
            try evaluate("transform_keys", [(Self.scores, Self.map)], lambdas: [joined])
                == "{a1=1, b2=2}")
        let swapped = TestLambda(parameterCount: 1, result: .text) { .text("<\($0[0])>") }
        #expect(
            try evaluate(
                "regexp_replace", [(.text, "ab cd"), (.text, "(\\w)(\\w)")], lambdas: [swapped])
                == "<[a, b]> <[c, d]>")
    }
}
