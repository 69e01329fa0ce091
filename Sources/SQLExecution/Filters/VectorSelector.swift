import SQLFunctions
import SQLPlanning
package import Vectors

/// A pushed-down conjunct as one worker evaluates it over vectors: of rows, or of the entries of a
/// dictionary.
package final class VectorSelector {
    private let program: FilterProgram
    private let columns: UnsafeMutablePointer<Vector>
    private let columnCount: Int
    private let scratch = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(_ filter: PushedFilter, context: EvaluationContext, budget: MemoryBudget) {
        let layout = Layout(
            zip(filter.columnIDs, filter.columnTypes).map { PlanColumn(id: $0, type: $1, name: "") }
        )
        program = FilterProgram(
            [filter.predicate], layout: layout, context: context, budget: budget)
        columnCount = filter.columnIDs.count
        columns = .allocate(capacity: max(columnCount, 1))
    }

    deinit {
        columns.deallocate()
        scratch.deallocate()
    }

    /// Narrows a selection (nil: rows `0..<count`) to the rows that pass; returns how many. `output` has
    /// room for `count` rows and may be `selection` itself. `count` may pass a chunk's capacity.
    package func select(
        _ vectors: UnsafePointer<Vector>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        if count <= Chunk.capacity {
            let extent = selection.map { count == 0 ? 0 : Int($0[count - 1]) + 1 } ?? count
            if extent <= Chunk.capacity {
                return program.selectUnchecked(
                    vectors, ActiveRows(count: extent, selection: selection, active: count),
                    into: output)
            }
        }
        return selectInPieces(vectors, selection, count, into: output)
    }

    /// One vector, as `select` of several.
    package func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        withUnsafePointer(to: vector) { select($0, selection, count, into: output) }
    }

    private func selectInPieces(
        _ vectors: UnsafePointer<Vector>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var kept = 0
        var index = 0
        while index < count {
            // A piece is the selected rows that lie within one chunk's reach of an aligned start.
            let first = selection.map { Int($0[index]) } ?? index
            let start = first / Chunk.capacity * Chunk.capacity
            var active = 0
            var extent = 0
            while index < count {
                let row = selection.map { Int($0[index]) } ?? index
                guard row < start + Chunk.capacity else { break }
                scratch[active] = UInt32(row - start)
                extent = row - start + 1
                active += 1
                index += 1
            }
            for column in 0..<columnCount { columns[column] = shifted(vectors[column], start) }
            let passed = program.selectUnchecked(
                columns, ActiveRows(count: extent, selection: scratch, active: active),
                into: scratch)
            for position in 0..<passed {
                output[kept + position] = scratch[position] + UInt32(start)
            }
            kept += passed
        }
        return kept
    }

    private func shifted(_ vector: Vector, _ start: Int) -> Vector {
        guard vector.form != .constant, start > 0 else { return vector }
        var result = vector
        if vector.form == .dictionary {
            result.codes = vector.codes.map { $0 + start }
        } else {
            result.values = vector.values + start * vector.physical.width
        }
        // `start` is a multiple of 64.
        result.valid = vector.valid.map { $0 + start / 64 }
        return result
    }
}
