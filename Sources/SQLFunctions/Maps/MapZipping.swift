import Vectors

extension ScalarFunction {
    /// `map_zip_with`: the keys of both maps, with what a function makes of their values.
    static let mapZipping = ScalarFunction(
        name: "map_zip_with",
        signature: .rule(
            parameters: "map(K, V1), map(K, V2), function(K, V1, V2, V3)", result: "map(K, V3)"
        ) { arguments in
            guard arguments.count == 3, let (key, first) = arguments[0].valueType?.keyAndValue,
                let (otherKey, second) = arguments[1].valueType?.keyAndValue,
                let common = LogicalType.commonSuperType(key, otherKey), arguments[2].isLambda(3)
            else { return nil }
            return (
                [
                    .value(.map(key: common, value: first)),
                    .value(.map(key: common, value: second)),
                    .lambda(parameters: [common, first, second], result: arguments[2].bodyType),
                ], .map(key: common, value: arguments[2].bodyType ?? .unknown)
            )
        },
        summary:
            "The keys of both maps with what the function makes of key and values; NULL where a map "
            + "lacks the key.",
        example: "map_zip_with(MAP(ARRAY[1], ARRAY['a']), MAP(ARRAY[1], ARRAY['b']), "
            + "(k, v1, v2) -> v1 || v2)", canFail: true,
        kernel: { call in
            guard let lambda = call.lambdas.first else { return }
            let output = Output(call)
            let maps = [ListInput(call, 0), ListInput(call, 1)]
            let key = call.resultType.keyAndValue?.key ?? .unknown
            let types =
                [key] + (0..<2).map { call.argumentTypes[$0].keyAndValue?.value ?? .unknown }
            let builders = types.map { ColumnBuilder($0, output) }
            var outer: [UInt32] = []
            var counts: [Int: Int] = [:]
            call.forEachRow { row in
                var places: [[UInt8]: Int] = [:]
                for place in maps[1].rows(row) {
                    places[ValueKey.of(key, maps[1].elements, place)] = place
                }
                var seen: Set<[UInt8]> = []
                func add(_ map: Int, _ place: Int, _ first: Int?, _ second: Int?) {
                    outer.append(UInt32(truncatingIfNeeded: row))
                    counts[row, default: 0] += 1
                    builders[0].append(maps[map].elements, place)
                    for (index, place) in [first, second].enumerated() {
                        if let place {
                            builders[index + 1].append(maps[index].values, place)
                        } else {
                            builders[index + 1].pushNull()
                        }
                    }
                }
                for place in maps[0].rows(row) {
                    let name = ValueKey.of(key, maps[0].elements, place)
                    seen.insert(name)
                    add(0, place, place, places[name])
                }
                for place in maps[1].rows(row)
                where !seen.contains(ValueKey.of(key, maps[1].elements, place)) {
                    add(1, place, nil, place)
                }
            }
            guard builders.allSatisfy({ $0.count == outer.count && $0.isWhole }) else { return }
            let results = outer.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.flatMap { base in
                    buffer.isEmpty
                        ? nil
                        : lambda.evaluate(
                            parameters: builders.map(\.vector), rowCount: buffer.count,
                            outerRows: base)
                }
            }
            let keys = builders[0].vector
            var next = 0
            call.lists { row, builder in
                for _ in 0..<(counts[row] ?? 0) {
                    builder.children[0].append(keys, next)
                    if let results { builder.children[1].append(results, next) }
                    next += 1
                }
                return true
            }
        })
}
