import Vectors

extension ArgumentType {
    var valueType: LogicalType? { if case .value(let type) = self { type } else { nil } }

    /// Whether it is a lambda of so many parameters.
    func isLambda(_ count: Int) -> Bool {
        if case .lambda(count, _) = self { true } else { false }
    }

    /// The type of a lambda's body once it is known.
    var bodyType: LogicalType? { if case .lambda(_, let result) = self { result } else { nil } }
}

/// The elements of all active rows, one after the other, as a lambda's parameters.
struct LambdaRows {
    private(set) var outerRows: [UInt32] = []
    private(set) var sources: [Int] = []
    private let builders: [ColumnBuilder]

    /// Lays out the elements (or keys and values) of a list argument.
    init(_ call: KernelCall, _ list: ListInput, types: [LogicalType]) {
        let output = Output(call)
        builders = types.map { ColumnBuilder($0, output) }
        var outer: [UInt32] = []
        var sources: [Int] = []
        call.forEachRow { row in
            for element in list.rows(row) {
                outer.append(UInt32(truncatingIfNeeded: row))
                sources.append(element)
                for (index, builder) in builders.enumerated() {
                    builder.append(list.children?[index] ?? list.elements, element)
                }
            }
        }
        outerRows = outer
        self.sources = sources
    }

    var parameters: [Vector] { builders.map(\.vector) }

    /// The lambda's results, one an element; nil when there are no elements or no memory for them.
    func evaluate(_ lambda: any LambdaEvaluator) -> Vector? {
        guard builders.allSatisfy({ $0.count == outerRows.count && $0.isWhole }) else { return nil }
        return outerRows.withUnsafeBufferPointer { rows in
            rows.baseAddress.flatMap { base in
                rows.isEmpty
                    ? nil
                    : lambda.evaluate(
                        parameters: parameters, rowCount: rows.count, outerRows: base)
            }
        }
    }
}

extension Vector {
    /// Three-valued truth of a row.
    func truth(_ row: Int) -> Bool? {
        isValid(row) ? pointer(as: UInt8.self)[valueIndex(row)] != 0 : nil
    }
}
