import Vectors

/// Copies columns into rows of a layout: the counterpart of `gatherField`.
///
/// Rows are already allocated; long strings that are not stable go to the heap of the row's partition.
struct RowScatter {
    /// Which partition a row's text belongs to: bits of its header, or always 0.
    var usesHeader: Bool

    /// Stores dense, flat vectors as the payload of `rows`.
    func store(
        _ fields: [RowLayout.Field], _ vectors: UnsafePointer<Vector>,
        _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, in store: PartitionedRows
    ) {
        for (index, field) in fields.enumerated() {
            self.store(field, vectors[index], rows, count, in: store)
        }
    }

    /// Sets the NULL words of the payload to zero; called before `store`.
    func clearNulls(
        _ fields: [RowLayout.Field], _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int
    ) {
        var last = 0
        for field in fields where field.nullOffset != last {
            last = field.nullOffset
            for index in 0..<count {
                rows[index].storeBytes(of: 0, toByteOffset: last, as: UInt64.self)
            }
        }
    }

    private func store(
        _ field: RowLayout.Field, _ vector: Vector,
        _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, in store: PartitionedRows
    ) {
        let offset = field.offset
        if field.isNested { return storeNested(field, vector, rows, count, store) }
        switch field.physical {
        case .bool:
            let values = vector.pointer(as: UInt8.self)
            for index in 0..<count {
                rows[index].storeBytes(
                    of: UInt64(values[index]), toByteOffset: offset, as: UInt64.self)
            }
        case .int32:
            let values = vector.pointer(as: Int32.self)
            for index in 0..<count {
                rows[index].storeBytes(
                    of: Int64(values[index]), toByteOffset: offset, as: Int64.self)
            }
        case .int64, .double:
            let values = vector.pointer(as: Int64.self)
            for index in 0..<count {
                rows[index].storeBytes(of: values[index], toByteOffset: offset, as: Int64.self)
            }
        case .int128:
            for index in 0..<count {
                let value = wideValue(vector, index)
                rows[index].storeBytes(
                    of: UInt64(truncatingIfNeeded: value), toByteOffset: offset, as: UInt64.self)
                rows[index].storeBytes(
                    of: UInt64(truncatingIfNeeded: value >> 64), toByteOffset: offset + 8,
                    as: UInt64.self)
            }
        case .string:
            let values = vector.pointer(as: StringView.self)
            for index in 0..<count {
                var view = values[index]
                if vector.valid != nil && !vector.isValid(index) { view = .empty }
                if !vector.isStable && !view.isInline {
                    view = store.keep(view, partition(rows[index]))
                }
                rows[index].storeBytes(of: view, toByteOffset: offset, as: StringView.self)
            }
        case .list, .row: break
        }
        markNulls(field, vector, rows, count)
    }

    @inline(__always) private func partition(_ row: UnsafeMutableRawPointer) -> Int {
        usesHeader ? SQLExecution.partition(of: row.load(as: UInt64.self)) : 0
    }

    private func markNulls(
        _ field: RowLayout.Field, _ vector: Vector,
        _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int
    ) {
        guard let valid = vector.valid else { return }
        for index in 0..<count where valid[index &>> 6] &>> UInt64(index & 63) & 1 == 0 {
            let word = rows[index].load(fromByteOffset: field.nullOffset, as: UInt64.self)
            rows[index].storeBytes(
                of: word | field.nullBit, toByteOffset: field.nullOffset, as: UInt64.self)
        }
    }

    private func storeNested(
        _ field: RowLayout.Field, _ vector: Vector,
        _ rows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int, _ store: PartitionedRows
    ) {
        var bytes: [UInt8] = []
        for index in 0..<count {
            var view = StringView.empty
            if vector.isValid(index) {
                bytes.removeAll(keepingCapacity: true)
                ValueCodec.encode(field.type, vector, index, to: &bytes)
                view = store.keepBytes(bytes, partition(rows[index]))
            }
            rows[index].storeBytes(of: view, toByteOffset: field.offset, as: StringView.self)
        }
        markNulls(field, vector, rows, count)
    }
}
