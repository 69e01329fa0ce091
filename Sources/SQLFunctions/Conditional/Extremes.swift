import Vectors

/// `greatest` and `least`, over any type with an order.
enum ConditionalFunctions {
    static let all: [ScalarFunction] = [
        extreme("greatest", "The largest of the values; NULL when one is NULL.", sign: 1),
        extreme("least", "The smallest of the values; NULL when one is NULL.", sign: -1),
    ]

    private static func extreme(_ name: String, _ summary: String, sign: Int) -> ScalarFunction {
        ScalarFunction(
            name,
            .values("T, …", "T") { types in
                guard !types.isEmpty, let type = LogicalType.commonSuperType(types),
                    type.isOrderable
                else { return nil }
                return (types.map { _ in type }, type)
            }, summary, example: "\(name)(3, 1, 2)",
            kernel: { call in
                let type = call.resultType
                let output = Output(call)
                let builder = ColumnBuilder(type, output)
                let isNested = !type.children.isEmpty
                call.forEachRow { row in
                    var best = 0
                    for index in 1..<max(call.argumentCount, 1)
                    where ValueOrder.compare(
                        type, call.arguments[index], row, call.arguments[best], row) * sign > 0
                    {
                        best = index
                    }
                    let vector = call.arguments[best]
                    if isNested {
                        builder.skip(to: row)
                        builder.append(vector, row)
                    } else {
                        output.copyFlat(vector, row, to: row)
                    }
                }
                if isNested { builder.finish(call) }
            })
    }
}
