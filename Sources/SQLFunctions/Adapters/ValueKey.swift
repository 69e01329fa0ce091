import Vectors

/// Values as bytes that are equal exactly when the values are not distinct: for sets of elements.
enum ValueKey {
    static func of(_ type: LogicalType, _ vector: Vector, _ row: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        encode(type, vector, row, &bytes)
        return bytes
    }

    private static func encode(
        _ type: LogicalType, _ vector: Vector, _ row: Int, _ bytes: inout [UInt8]
    ) {
        guard vector.isValid(row) else { return bytes.append(0) }
        bytes.append(1)
        let index = vector.valueIndex(row)
        switch type.physical {
        case .bool: bytes.append(vector.pointer(as: UInt8.self)[index])
        case .int32: append(vector.pointer(as: Int32.self)[index], &bytes)
        case .int64: append(vector.pointer(as: Int64.self)[index], &bytes)
        case .double:
            let value = vector.pointer(as: Double.self)[index]
            append(value == 0 ? 0 : value.isNaN ? Double.nan.bitPattern : value.bitPattern, &bytes)
        case .int128:
            let value = ValueOrder.wide(vector, index)
            switch type {
            case .timestampWithTimeZone: append(value >> 16, &bytes)
            case .timeWithTimeZone: append(value >> 64, &bytes)
            default: append(value, &bytes)
            }
        case .string:
            vector.pointer(as: StringView.self)[index].withBytes { text in
                var count = text.count
                if case .char = type {
                    while count > 0, text[count - 1] == 0x20 { count -= 1 }
                }
                append(UInt32(truncatingIfNeeded: count), &bytes)
                bytes.append(contentsOf: text.slice(0, count))
            }
        case .list:
            let entry = vector.pointer(as: ListEntry.self)[index]
            append(entry.count, &bytes)
            guard let children = vector.children else { return }
            let types = type.children
            var items: [[UInt8]] = []
            for offset in 0..<Int(entry.count) {
                var item: [UInt8] = []
                for (position, child) in types.enumerated() {
                    encode(child, children[position], Int(entry.offset) + offset, &item)
                }
                items.append(item)
            }
            // A map has no order.
            if types.count == 2 { items.sort { $0.lexicographicallyPrecedes($1) } }
            for item in items { bytes += item }
        case .row:
            guard let children = vector.children else { return }
            for (position, field) in type.children.enumerated() {
                encode(field, children[position], index, &bytes)
            }
        }
    }

    private static func append<Value: BitwiseCopyable>(_ value: Value, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}
