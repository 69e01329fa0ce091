import Vectors

/// The three loops of a binary kernel (flat and flat, constant and flat, flat and constant), each over
/// all rows or the selected ones. Both constant: one row, and the caller emits a constant.
@inline(__always)
func binaryLoop<Left: BitwiseCopyable, Right: BitwiseCopyable, Output: BitwiseCopyable>(
    _ left: Vector, _ right: Vector, _ output: UnsafeMutablePointer<Output>, _ rows: ActiveRows,
    _ operation: (Left, Right) -> Output
) {
    let a = left.pointer(as: Left.self)
    let b = right.pointer(as: Right.self)
    switch (left.form == .constant, right.form == .constant) {
    case (true, true): output[0] = operation(a[0], b[0])
    case (false, false):
        if rows.prefersAll {
            for row in 0..<rows.count { output[row] = operation(a[row], b[row]) }
        } else {
            rows.forEach { row in output[row] = operation(a[row], b[row]) }
        }
    case (true, false):
        let x = a[0]
        if rows.prefersAll {
            for row in 0..<rows.count { output[row] = operation(x, b[row]) }
        } else {
            rows.forEach { row in output[row] = operation(x, b[row]) }
        }
    case (false, true):
        let y = b[0]
        if rows.prefersAll {
            for row in 0..<rows.count { output[row] = operation(a[row], y) }
        } else {
            rows.forEach { row in output[row] = operation(a[row], y) }
        }
    }
}

/// The loops of a unary kernel.
@inline(__always) func unaryLoop<Input: BitwiseCopyable, Output: BitwiseCopyable>(
    _ input: Vector, _ output: UnsafeMutablePointer<Output>, _ rows: ActiveRows,
    _ operation: (Input) -> Output
) {
    let a = input.pointer(as: Input.self)
    if input.form == .constant {
        output[0] = operation(a[0])
    } else if rows.prefersAll {
        for row in 0..<rows.count { output[row] = operation(a[row]) }
    } else {
        rows.forEach { row in output[row] = operation(a[row]) }
    }
}

/// Fixed-width operands are flat or constant; a dictionary of them (children of nested values) is
/// laid out into scratch memory first.
final class FlatOperand {
    private var scratch: ColumnBuffer?

    func flat(_ vector: Vector, _ rows: ActiveRows, _ type: LogicalType) -> Vector {
        guard vector.form == .dictionary else { return vector }
        let buffer = scratch ?? ColumnBuffer(type, physical: vector.physical)
        scratch = buffer
        var result = flatten(vector, ActiveRows(count: rows.count), into: buffer)
        result.valid = vector.valid
        return result
    }
}

/// Runs `body` for each active row that both operands have a value for; for kernels that may fail.
@inline(__always) func forEachValid(
    _ left: Vector, _ right: Vector, _ rows: ActiveRows, _ body: (Int, Int, Int) -> Void
) {
    if left.form == .constant && right.form == .constant {
        body(0, 0, 0)
        return
    }
    let leftStep = left.form == .constant ? 0 : 1
    let rightStep = right.form == .constant ? 0 : 1
    rows.forEach { row in
        if left.isValid(row) && right.isValid(row) { body(row, row &* leftStep, row &* rightStep) }
    }
}
