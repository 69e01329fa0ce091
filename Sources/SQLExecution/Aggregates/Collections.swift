import SQLFunctions
import Vectors

/// Finishers of the aggregates that keep their rows.
enum Collections {
    /// array_agg: all values, NULLs too.
    static func array(
        _ arguments: UnsafePointer<Vector>, _ count: Int, _ output: ColumnBuffer, _ row: Int,
        _ context: EvaluationContext, _ heap: Arena
    ) {
        let child = output.childBuffers[0]
        let start = child.count
        appendRows(arguments[0], 0..<count, to: child, context, heap)
        output.store(ListEntry(offset: UInt32(start), count: UInt32(count)), row)
    }

    static func appendRows(
        _ vector: Vector, _ rows: some Sequence<Int>, to child: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in rows {
            do throws(MemoryLimitFault) {
                try child.append(from: vector, row: index, heap: nil)
            } catch { context.fail(QueryFault(error)) }
        }
    }

    /// listagg: texts joined by the separator of the first row; five arguments truncate.
    static func text(
        _ arguments: UnsafePointer<Vector>, _ count: Int, _ output: ColumnBuffer, _ row: Int,
        _ context: EvaluationContext, _ heap: Arena, _ argumentCount: Int
    ) {
        let limit = 1 << 20
        var bytes: [UInt8] = []
        let separator =
            arguments[1].isValid(0) ? arguments[1].string(0).withBytes { [UInt8]($0) } : []
        for index in 0..<count {
            let next = arguments[0].string(index)
            let added = next.count + (index > 0 ? separator.count : 0)
            if bytes.count + added > limit {
                let truncates =
                    argumentCount == 5 && arguments[2].isValid(0)
                    && arguments[2].value(0, as: UInt8.self) != 0
                guard truncates else {
                    context.fail(
                        QueryFault(
                            .invalidFunctionArgument,
                            "listagg: concatenated string has the length in bytes larger than the maximum"
                        ))
                    break
                }
                bytes += separator
                bytes += arguments[3].string(0).withBytes { [UInt8]($0) }
                if arguments[4].value(0, as: UInt8.self) != 0 {
                    bytes += Array("(\(count - index))".utf8)
                }
                break
            }
            if index > 0 { bytes += separator }
            next.withBytes { bytes.append(contentsOf: $0) }
        }
        output.store(keep(bytes, heap, context), row)
    }

    static func keep(_ bytes: [UInt8], _ heap: Arena, _ context: EvaluationContext) -> StringView {
        if bytes.isEmpty { return .empty }
        do throws(MemoryLimitFault) {
            let start = try heap.allocate(bytes.count)
            bytes.withUnsafeBytes { start.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            return StringView(start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        } catch {
            context.fail(QueryFault(error))
            return .empty
        }
    }

    /// Shapes as one shape.
    static func shapes(_ folding: ShapeFolding) -> CollectingAccumulator.Finisher {
        { arguments, count, output, row, context, heap in
            let views = arguments[0].pointer(as: StringView.self)
            do throws(QueryFault) {
                let parts = (0..<count).map {
                    StringView.bytes(at: views + arguments[0].valueIndex($0))
                }
                output.store(keep(try folding.fold(parts), heap, context), row)
            } catch {
                context.fail(error)
                output.setNull(row)
            }
        }
    }

    /// Rows grouped by the value of the first column, in order of first appearance.
    static func grouped(_ type: LogicalType, _ vector: Vector, _ count: Int) -> [[Int]] {
        var positions: [[UInt8]: Int] = [:]
        var groups: [[Int]] = []
        for index in 0..<count {
            var bytes: [UInt8] = []
            ValueCodec.encode(type, vector, index, forKeys: .grouping, to: &bytes)
            if let position = positions[bytes] {
                groups[position].append(index)
            } else {
                positions[bytes] = groups.count
                groups.append([index])
            }
        }
        return groups
    }

    /// map_agg, multimap_agg: of equal keys the first value, or all.
    static func map(
        _ key: LogicalType, isMulti: Bool
    ) -> CollectingAccumulator.Finisher {
        { arguments, count, output, row, context, heap in
            let groups = grouped(key, arguments[0], count)
            let keys = output.childBuffers[0]
            let values = output.childBuffers[1]
            let start = keys.count
            for group in groups {
                appendRows(arguments[0], [group[0]], to: keys, context, heap)
                if isMulti {
                    let element = values.childBuffers[0]
                    let from = element.count
                    appendRows(arguments[1], group, to: element, context, heap)
                    values.ensure(values.count + 1)
                    values.store(
                        ListEntry(offset: UInt32(from), count: UInt32(group.count)), values.count)
                    if values.hasNulls { ValidityBits.set(values.validBits, values.count) }
                    values.count += 1
                } else {
                    appendRows(arguments[1], [group[0]], to: values, context, heap)
                }
            }
            output.store(ListEntry(offset: UInt32(start), count: UInt32(groups.count)), row)
        }
    }

    /// histogram, approx_most_frequent: values and how often they occur; the `limit` most frequent.
    static func histogram(
        _ type: LogicalType, column: Int, limitColumn: Int?
    ) -> CollectingAccumulator.Finisher {
        { arguments, count, output, row, context, heap in
            var groups = grouped(type, arguments[column], count)
            if let limitColumn {
                let limit = max(0, Int(clamping: arguments[limitColumn].value(0, as: Int64.self)))
                groups = Array(groups.sorted { $0.count > $1.count }.prefix(limit))
            }
            let keys = output.childBuffers[0]
            let values = output.childBuffers[1]
            let start = keys.count
            for group in groups {
                appendRows(arguments[column], [group[0]], to: keys, context, heap)
                values.ensure(values.count + 1)
                values.store(Int64(group.count), values.count)
                values.count += 1
            }
            output.store(ListEntry(offset: UInt32(start), count: UInt32(groups.count)), row)
        }
    }

    /// map_union: of equal keys the first value.
    static func union(_ type: LogicalType) -> CollectingAccumulator.Finisher {
        { arguments, count, output, row, context, heap in
            guard case .map(let key, _) = type, let children = arguments[0].children else { return }
            var seen: Set<[UInt8]> = []
            let start = output.childBuffers[0].count
            for index in 0..<count {
                let entry = arguments[0].value(index, as: ListEntry.self)
                for position in Int(entry.offset)..<(Int(entry.offset) + Int(entry.count)) {
                    var bytes: [UInt8] = []
                    ValueCodec.encode(key, children[0], position, forKeys: .grouping, to: &bytes)
                    guard seen.insert(bytes).inserted else { continue }
                    for (child, buffer) in output.childBuffers.enumerated() {
                        appendRows(children[child], [position], to: buffer, context, heap)
                    }
                }
            }
            output.store(ListEntry(offset: UInt32(start), count: UInt32(seen.count)), row)
        }
    }

    /// min(x, n), max(x, n), min_by(x, y, n), max_by(x, y, n): the first `n` values in the order of a key.
    static func first(
        _ key: LogicalType, keyColumn: Int, countColumn: Int, isMinimum: Bool
    ) -> CollectingAccumulator.Finisher {
        { arguments, count, output, row, context, heap in
            let wanted = arguments[countColumn].value(0, as: Int64.self)
            guard wanted > 0, wanted <= 10_000 else {
                context.fail(
                    QueryFault(.invalidFunctionArgument, "n must be between 1 and 10000: \(wanted)")
                )
                return output.setNull(row)
            }
            let direction = SortDirection(isAscending: isMinimum, nullsFirst: false)
            let keys = arguments[keyColumn]
            let rows = (0..<count).sorted { direction.compare(key, keys, $0, keys, $1) < 0 }
                .prefix(Int(wanted))
            let child = output.childBuffers[0]
            let start = child.count
            appendRows(arguments[0], rows, to: child, context, heap)
            output.store(ListEntry(offset: UInt32(start), count: UInt32(rows.count)), row)
        }
    }

    /// approx_percentile, exactly: the value at a fraction of the total weight.
    static func percentile(
        _ type: LogicalType, weightColumn: Int?, fractionColumn: Int, isArray: Bool
    ) -> CollectingAccumulator.Finisher {
        { arguments, count, output, row, context, heap in
            let values = arguments[0]
            let rows = (0..<count).sorted { compareValues(type, values, $0, values, $1) < 0 }
            let weights = rows.map {
                weightColumn.map { arguments[$0] }?.value($0, as: Double.self) ?? 1
            }
            let total = weights.reduce(0, +)
            func at(_ fraction: Double) -> Int? {
                guard fraction >= 0, fraction <= 1 else {
                    context.fail(
                        QueryFault(
                            .invalidFunctionArgument,
                            "percentile must be between 0 and 1: \(fraction)"))
                    return rows.first
                }
                var reached = 0.0
                for (position, weight) in weights.enumerated() {
                    reached += weight
                    if reached >= fraction * total && weight > 0 { return rows[position] }
                }
                return rows.last
            }
            guard isArray else {
                guard let index = at(arguments[fractionColumn].value(0, as: Double.self)) else {
                    return output.setNull(row)
                }
                do throws(MemoryLimitFault) {
                    try output.copyValue(from: values, row: index, to: row)
                } catch { context.fail(QueryFault(error)) }
                return
            }
            let entry = arguments[fractionColumn].value(0, as: ListEntry.self)
            guard let fractions = arguments[fractionColumn].children?[0] else {
                return output.setNull(row)
            }
            let child = output.childBuffers[0]
            let start = child.count
            for position in 0..<Int(entry.count) {
                let fraction = fractions.value(Int(entry.offset) + position, as: Double.self)
                if let index = at(fraction) {
                    appendRows(values, [index], to: child, context, heap)
                }
            }
            output.store(
                ListEntry(offset: UInt32(start), count: UInt32(child.count - start)), row)
        }
    }

    /// numeric_histogram: neighbours that lie nearest are joined until few enough are left.
    static func numericHistogram(
        _ arguments: UnsafePointer<Vector>, _ count: Int, _ output: ColumnBuffer, _ row: Int,
        _ context: EvaluationContext, _ heap: Arena
    ) {
        let limit = max(2, Int(clamping: arguments[0].value(0, as: Int64.self)))
        let sorted = (0..<count).map { arguments[1].value($0, as: Double.self) }.sorted(by: <)
        var buckets: [(centre: Double, weight: Double)] = []
        for value in sorted {
            if let last = buckets.last, last.centre == value {
                buckets[buckets.count - 1].weight += 1
            } else {
                buckets.append((value, 1))
            }
            if buckets.count > limit * 4 { reduce(&buckets, to: limit * 2) }
        }
        reduce(&buckets, to: limit)
        let keys = output.childBuffers[0]
        let values = output.childBuffers[1]
        let start = keys.count
        for bucket in buckets {
            keys.ensure(keys.count + 1)
            values.ensure(values.count + 1)
            keys.store(bucket.centre, keys.count)
            values.store(bucket.weight, values.count)
            keys.count += 1
            values.count += 1
        }
        output.store(ListEntry(offset: UInt32(start), count: UInt32(buckets.count)), row)
    }

    private static func reduce(_ buckets: inout [(centre: Double, weight: Double)], to limit: Int) {
        while buckets.count > limit {
            var nearest = 0
            for index in 0..<(buckets.count - 1)
            where buckets[index + 1].centre - buckets[index].centre
                < buckets[nearest + 1].centre - buckets[nearest].centre
            { nearest = index }
            let (a, b) = (buckets[nearest], buckets[nearest + 1])
            let weight = a.weight + b.weight
            buckets[nearest] = ((a.centre * a.weight + b.centre * b.weight) / weight, weight)
            buckets.remove(at: nearest + 1)
        }
    }
}
