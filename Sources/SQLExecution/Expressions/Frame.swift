import SQLFunctions
import Vectors

/// What the steps of one worker's program run on: registers, the active rows, the heap.
final class Frame {
    let registers: UnsafeMutablePointer<Vector>
    let registerCount: Int
    var rows = ActiveRows(count: 0)
    let context: EvaluationContext
    /// Strings and nested values made by steps; rewound for every chunk.
    let heap: Arena

    init(registerCount: Int, context: EvaluationContext, heap: Arena) {
        self.registerCount = registerCount
        registers = .allocate(capacity: max(registerCount, 1))
        registers.initialize(
            repeating: Vector(physical: .bool, values: UnsafeMutableRawPointer(registers)),
            count: max(registerCount, 1))
        self.context = context
        self.heap = heap
    }

    deinit { registers.deallocate() }

    /// Copies bytes into the heap; a failure to get memory is left in the context.
    func keep(_ bytes: UnsafeBufferPointer<UInt8>) -> StringView {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return .empty }
        if bytes.count <= 12 { return StringView(base, count: bytes.count) }
        do throws(MemoryLimitFault) {
            let start = try heap.allocate(bytes.count)
            start.copyMemory(from: base, byteCount: bytes.count)
            return StringView(start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        } catch {
            context.fail(QueryFault(error))
            return .empty
        }
    }

    func keep(_ bytes: [UInt8]) -> StringView { bytes.withUnsafeBufferPointer { keep($0) } }

    func keep(_ text: String) -> StringView {
        var text = text
        return text.withUTF8 { keep($0) }
    }
}

extension QueryFault {
    /// A refused reservation as the client sees it.
    init(_ fault: MemoryLimitFault) {
        self.init(.exceededMemoryLimit, fault.message, hint: fault.hint, cause: fault)
    }
}

/// One operation of a program: reads registers, writes its own. One call a vector.
class Step {
    /// The register that the step fills.
    final let output: Int
    init(output: Int) { self.output = output }

    /// Fills the output for the frame's active rows. Never throws: failures go to the context.
    func run(_ frame: Frame) {}
}

/// Steps that are run together, and where their value is: the whole of an expression, or a branch.
struct StepList {
    var steps: [Step] = []
    var output = 0

    @inline(__always) func run(_ frame: Frame) {
        for step in steps { step.run(frame) }
    }

    /// Runs for some of the frame's rows and returns the value.
    func run(_ frame: Frame, rows: ActiveRows) -> Vector {
        let outer = frame.rows
        frame.rows = rows
        run(frame)
        frame.rows = outer
        return frame.registers[output]
    }
}

/// A step with memory of its own for its results.
class BufferedStep: Step {
    final let buffer: ColumnBuffer

    init(output: Int, type: LogicalType, physical: PhysicalType? = nil) {
        buffer = ColumnBuffer(type, capacity: Chunk.capacity, physical: physical)
        super.init(output: output)
    }

    /// Puts a flat result into the register.
    @inline(__always) final func emit(_ frame: Frame, valid: UnsafeMutablePointer<UInt64>?) {
        frame.registers[output] = Vector(
            physical: buffer.physical, values: buffer.values, valid: valid)
    }

    /// Puts a result that is the same for all rows into the register.
    @inline(__always) final func emitConstant(_ frame: Frame, isNull: Bool) {
        if isNull { buffer.validBits[0] = 0 }
        frame.registers[output] = Vector(
            physical: buffer.physical, form: .constant, values: buffer.values,
            valid: isNull ? buffer.validBits : nil)
    }
}

/// Whether a constant vector is NULL.
@inline(__always) func isNullConstant(_ vector: Vector) -> Bool {
    vector.form == .constant && (vector.valid.map { $0[0] & 1 == 0 } ?? false)
}

/// The validity of a result that is NULL where any operand is: nil when no operand has NULLs.
/// Operands that are constant NULLs are handled before.
@inline(__always) func combinedValidity(
    _ left: Vector, _ right: Vector, _ count: Int, into bits: UnsafeMutablePointer<UInt64>
) -> UnsafeMutablePointer<UInt64>? {
    let a = left.form == .constant ? nil : left.valid
    let b = right.form == .constant ? nil : right.valid
    let words = ValidityBits.wordCount(count)
    switch (a, b) {
    case (nil, nil): return nil
    case (let a?, nil): bits.update(from: a, count: words)
    case (nil, let b?): bits.update(from: b, count: words)
    case (let a?, let b?): for word in 0..<words { bits[word] = a[word] & b[word] }
    }
    return bits
}
