import Vectors

extension ScalarFunction {
    /// Functions that look into maps.
    static let mapAccess: [ScalarFunction] = [
        lookUp("element_at", "The value of a key; NULL without the key.", "element_at(m, 'a')") {
            _ in nil
        },
        lookUp("$subscript", "The value of a key; fails without the key.", "m['a']") { key in
            throw invalid("Key not present in map: \(key)")
        },
        ScalarFunction(
            "map_keys", ofMap("array(K)") { key, _ in .array(key) }, "The keys.",
            example: "map_keys(MAP(ARRAY['a'], ARRAY[1]))",
            kernel: { call in
                let maps = ListInput(call, 0)
                call.lists { row, builder in
                    for pair in maps.rows(row) { builder.children[0].append(maps.elements, pair) }
                    return true
                }
            }),
        ScalarFunction(
            "map_values", ofMap("array(V)") { _, value in .array(value) }, "The values.",
            example: "map_values(MAP(ARRAY['a'], ARRAY[1]))",
            kernel: { call in
                let maps = ListInput(call, 0)
                call.lists { row, builder in
                    for pair in maps.rows(row) { builder.children[0].append(maps.values, pair) }
                    return true
                }
            }),
        ScalarFunction(
            "map_entries",
            ofMap("array(row(K, V))") { key, value in
                .array(
                    .row([RowField(name: nil, type: key), RowField(name: nil, type: value)]))
            }, "The pairs as rows.", example: "map_entries(MAP(ARRAY['a'], ARRAY[1]))",
            kernel: { call in
                let maps = ListInput(call, 0)
                call.lists { row, builder in
                    let rows = builder.children[0]
                    for pair in maps.rows(row) where rows.reserve() != nil {
                        rows.children[0].append(maps.elements, pair)
                        rows.children[1].append(maps.values, pair)
                    }
                    return true
                }
            }),
    ]

    private static func ofMap(
        _ result: String, _ type: @escaping @Sendable (LogicalType, LogicalType) -> LogicalType
    ) -> Signature {
        .values("map(K, V)", result) { types in
            guard types.count == 1, let (key, value) = types[0].keyAndValue else { return nil }
            return ([.map(key: key, value: value)], type(key, value))
        }
    }

    private static func lookUp(
        _ name: String, _ summary: String, _ example: String,
        _ missing: @escaping @Sendable (String) throws -> Int?
    ) -> ScalarFunction {
        ScalarFunction(
            name,
            .values("map(K, V), K", "V") { types in
                guard types.count == 2, case .map(let key, let value) = types[0],
                    let common = LogicalType.commonSuperType(key, types[1])
                else { return nil }
                return ([.map(key: common, value: value), common], value)
            }, summary, example: example, canFail: true,
            kernel: { call in
                let maps = ListInput(call, 0)
                let key = call.argumentTypes[1]
                var texts = ValueText(call)
                chooseValue(call, maps.values) { row in
                    let found = maps.rows(row).first { pair in
                        ValueOrder.compare(key, maps.elements, pair, call.arguments[1], row) == 0
                    }
                    if let found { return found }
                    return try missing(texts.text(key, call.arguments[1], row) ?? "\(key)")
                }
            })
    }
}
