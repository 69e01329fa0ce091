import Vectors

extension ScalarFunction {
    /// Functions that make maps.
    static let mapMaking: [ScalarFunction] = [
        ScalarFunction(
            "map", [], .map(key: .unknown, value: .unknown), "A map without pairs.",
            example: "map()", kernel: { call in call.lists { _, _ in true } }),
        ScalarFunction(
            "map",
            .values("array(K), array(V)", "map(K, V)") { types in
                guard types.count == 2, let key = types[0].element, let value = types[1].element
                else { return nil }
                return ([.array(key), .array(value)], .map(key: key, value: value))
            }, "A map of keys and their values.", example: "map(ARRAY['a', 'b'], ARRAY[1, 2])",
            canFail: true,
            kernel: { call in
                let keys = ListInput(call, 0)
                let values = ListInput(call, 1)
                call.lists { row, builder in
                    let (first, second) = (keys.rows(row), values.rows(row))
                    guard first.count == second.count else {
                        throw invalid("Key and value arrays must be the same length")
                    }
                    var writer = MapWriter(builder, call)
                    for (key, value) in zip(first, second) {
                        try writer.add(keys.elements, key, values.elements, value)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "map_from_entries", ofEntries { .map(key: $0, value: $1) },
            "A map of rows of a key and a value.",
            example: "map_from_entries(ARRAY[ROW('a', 1), ROW('b', 2)])", canFail: true,
            kernel: { call in
                let lists = ListInput(call, 0)
                call.lists { row, builder in
                    var writer = MapWriter(builder, call)
                    for entry in lists.rows(row) {
                        guard lists.elements.isValid(entry), let fields = lists.elements.children
                        else { throw invalid("map entry cannot be null") }
                        let place = lists.elements.valueIndex(entry)
                        try writer.add(fields[0], place, fields[1], place)
                    }
                    return true
                }
            }),
        ScalarFunction(
            "multimap_from_entries", ofEntries { .map(key: $0, value: .array($1)) },
            "A map of keys to all their values, from rows of a key and a value.",
            example: "multimap_from_entries(ARRAY[ROW('a', 1), ROW('a', 2)])", canFail: true,
            kernel: multimap),
        ScalarFunction(
            "map_concat",
            .values("map(K, V), …", "map(K, V)") { types in
                guard types.count >= 2, let common = LogicalType.commonSuperType(types),
                    common.keyAndValue != nil, common != .unknown
                else { return nil }
                return (types.map { _ in common }, common)
            }, "All pairs of the maps; of equal keys the last map's counts.",
            example: "map_concat(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2]))",
            kernel: { call in
                let maps = (0..<call.argumentCount).map { ListInput(call, $0) }
                let key = call.resultType.keyAndValue?.key ?? .unknown
                call.lists { row, builder in
                    var order: [[UInt8]] = []
                    var last: [[UInt8]: (map: Int, pair: Int)] = [:]
                    for (index, map) in maps.enumerated() {
                        for pair in map.rows(row) {
                            let name = ValueKey.of(key, map.elements, pair)
                            if last.updateValue((index, pair), forKey: name) == nil {
                                order.append(name)
                            }
                        }
                    }
                    for name in order {
                        guard let (index, pair) = last[name] else { continue }
                        builder.children[0].append(maps[index].elements, pair)
                        builder.children[1].append(maps[index].values, pair)
                    }
                    return true
                }
            }),
        overPairs(
            "map_filter", body: .boolean, "The pairs for which the function is true.",
            example: "map_filter(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1)",
            result: { key, value, _ in .map(key: key, value: value) }
        ) { _, maps, pair, results, next, builder in
            guard results.truth(next) == true else { return }
            builder.children[0].append(maps.elements, pair)
            builder.children[1].append(maps.values, pair)
        },
        overPairs(
            "transform_values", body: nil, "The map with what the function makes of each value.",
            example: "transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1)",
            result: { key, _, body in .map(key: key, value: body) }
        ) { _, maps, pair, results, next, builder in
            builder.children[0].append(maps.elements, pair)
            builder.children[1].append(results, next)
        },
        overPairs(
            "transform_keys", body: nil, "The map with what the function makes of each key.",
            example: "transform_keys(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> upper(k))",
            result: { _, value, body in .map(key: body, value: value) }
        ) { writer, maps, pair, results, next, _ in
            try writer.add(results, next, maps.values, pair)
        },
    ]

    private static func ofEntries(
        _ result: @escaping @Sendable (LogicalType, LogicalType) -> LogicalType
    ) -> Signature {
        .values("array(row(K, V))", "map") { types in
            guard types.count == 1, case .row(let fields)? = types[0].element, fields.count == 2
            else { return nil }
            return ([types[0]], result(fields[0].type, fields[1].type))
        }
    }

    private static func overPairs(
        _ name: String, body: LogicalType?, _ summary: String, example: String,
        result: @escaping @Sendable (LogicalType, LogicalType, LogicalType) -> LogicalType,
        _ add:
            @escaping @Sendable (
                inout MapWriter, ListInput, Int, Vector, Int, ColumnBuilder
            ) throws -> Void
    ) -> ScalarFunction {
        ScalarFunction(
            name: name,
            signature: .rule(
                parameters: "map(K, V), function(K, V, \(body?.description ?? "R"))", result: "map"
            ) { arguments in
                guard arguments.count == 2, let type = arguments[0].valueType,
                    let (key, value) = type.keyAndValue, arguments[1].isLambda(2)
                else { return nil }
                return (
                    [
                        .value(.map(key: key, value: value)),
                        .lambda(parameters: [key, value], result: body ?? arguments[1].bodyType),
                    ], result(key, value, arguments[1].bodyType ?? .unknown)
                )
            }, summary: summary, example: example, canFail: true,
            kernel: { call in
                guard let lambda = call.lambdas.first else { return }
                let maps = ListInput(call, 0)
                let rows = LambdaRows(call, maps, types: call.argumentTypes[0].children)
                let results = rows.evaluate(lambda)
                var next = 0
                call.lists { row, builder in
                    var writer = MapWriter(builder, call)
                    let pairs = maps.rows(row)
                    // Counted first: a fault must not shift the rows that follow.
                    let start = next
                    next += pairs.count
                    guard let results else { return true }
                    for (offset, pair) in pairs.enumerated() {
                        try add(&writer, maps, pair, results, start + offset, builder)
                    }
                    return true
                }
            })
    }
}

/// Adds pairs to one map and refuses NULL keys and repetitions.
struct MapWriter {
    private let builder: ColumnBuilder
    private let key: LogicalType
    private var seen: Set<[UInt8]> = []
    private var texts: ValueText

    init(_ builder: ColumnBuilder, _ call: KernelCall) {
        self.builder = builder
        key = builder.children[0].type
        texts = ValueText(call)
    }

    mutating func add(_ keys: Vector, _ keyRow: Int, _ values: Vector, _ valueRow: Int) throws {
        guard keys.isValid(keyRow) else { throw invalid("map key cannot be null") }
        guard seen.insert(ValueKey.of(key, keys, keyRow)).inserted else {
            let text = texts.text(key, keys, keyRow) ?? "\(key)"
            throw invalid("Duplicate map keys (\(text)) are not allowed")
        }
        builder.children[0].append(keys, keyRow)
        builder.children[1].append(values, valueRow)
    }
}

private let multimap: ScalarFunction.Kernel = { call in
    let lists = ListInput(call, 0)
    let key = call.resultType.keyAndValue?.key ?? .unknown
    call.lists { row, builder in
        var order: [Int] = []
        var groups: [[UInt8]: [Int]] = [:]
        guard let fields = lists.elements.children else { return true }
        for entry in lists.rows(row) {
            let place = lists.elements.valueIndex(entry)
            guard lists.elements.isValid(entry) else { throw invalid("map entry cannot be null") }
            guard fields[0].isValid(place) else { throw invalid("map key cannot be null") }
            let name = ValueKey.of(key, fields[0], place)
            if groups[name] == nil { order.append(place) }
            groups[name, default: []].append(place)
        }
        let values = builder.children[1]
        for place in order {
            builder.children[0].append(fields[0], place)
            guard let list = values.reserve() else { break }
            let start = values.children[0].count
            for member in groups[ValueKey.of(key, fields[0], place)] ?? [] {
                values.children[0].append(fields[1], member)
            }
            values.put(values.entry(from: start), list)
        }
        return true
    }
}
