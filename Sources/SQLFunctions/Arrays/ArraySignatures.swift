import Vectors

extension LogicalType {
    /// The element type of an array; an unknown one for NULL.
    var element: LogicalType? {
        switch self {
        case .array(let element): element
        case .unknown: .unknown
        default: nil
        }
    }

    /// Key and value types of a map.
    var keyAndValue: (key: LogicalType, value: LogicalType)? {
        switch self {
        case .map(let key, let value): (key, value)
        case .unknown: (.unknown, .unknown)
        default: nil
        }
    }
}

extension Signature {
    /// An array and further fixed parameters.
    static func array(
        _ rest: [LogicalType] = [], _ result: String = "array(T)",
        result type: @escaping @Sendable (LogicalType) -> LogicalType? = { .array($0) }
    ) -> Signature {
        let text = (["array(T)"] + rest.map(\.description)).joined(separator: ", ")
        return .values(text, result) { types in
            guard types.count == rest.count + 1, let element = types[0].element,
                let result = type(element)
            else { return nil }
            return ([.array(element)] + rest, result)
        }
    }

    /// An array and a value of its element type.
    static func arrayAndElement(
        _ result: String, result type: @escaping @Sendable (LogicalType) -> LogicalType
    ) -> Signature {
        .values("array(T), T", result) { types in
            guard types.count == 2, let element = types[0].element,
                let common = LogicalType.commonSuperType(element, types[1])
            else { return nil }
            return ([.array(common), common], type(common))
        }
    }

    /// Two arrays of one type.
    static func twoArrays(
        _ result: String = "array(T)",
        result type: @escaping @Sendable (LogicalType) -> LogicalType = { .array($0) }
    ) -> Signature {
        .values("array(T), array(T)", result) { types in
            guard types.count == 2, let first = types[0].element, let second = types[1].element,
                let common = LogicalType.commonSuperType(first, second)
            else { return nil }
            return ([.array(common), .array(common)], type(common))
        }
    }
}

/// An argument that is an array or map: its elements by row.
struct ListInput {
    private let entries: Input<ListEntry>
    private let vector: Vector
    private let childCount: Int
    /// The vectors of the elements, or of keys and values.
    let children: UnsafeMutablePointer<Vector>?

    init(_ call: KernelCall, _ index: Int) {
        vector = call.arguments[index]
        entries = Input(vector)
        children = vector.children
        childCount = call.argumentTypes[index].children.count
    }

    func isValid(_ row: Int) -> Bool { vector.isValid(row) }

    /// The rows of the children that belong to the row.
    func rows(_ row: Int) -> Range<Int> {
        guard children != nil else { return 0..<0 }
        let entry = entries[row]
        return Int(entry.offset)..<(Int(entry.offset) + Int(entry.count))
    }

    /// The elements, or the keys.
    var elements: Vector { children?[0] ?? vector }
    /// The values of a map.
    var values: Vector { childCount > 1 ? children?[1] ?? vector : elements }
}
