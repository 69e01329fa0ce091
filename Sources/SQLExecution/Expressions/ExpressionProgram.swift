import SQLFunctions
import SQLPlanning
import Vectors

/// Expressions of one operator and one worker, compiled; run once a chunk.
final class ExpressionProgram {
    private let frame: Frame
    private let steps: [Step]
    private let outputs: [Int]
    private let types: [LogicalType]
    private let inputCount: Int
    private let widening: [ColumnBuffer?]
    private let constants: [ConstantStore]

    /// `narrow`: outputs that may stay in 64 bits although their decimal type has 128; whoever
    /// takes them looks at the vector's physical type.
    init(
        _ expressions: [BoundExpression], layout: Layout, context: EvaluationContext,
        budget: MemoryBudget, narrow: Set<Int> = []
    ) {
        let compiler = Compiler(context: context, budget: budget)
        let scope = Compiler.Scope()
        for column in layout.columns { scope.columns[column.id] = compiler.newRegister() }
        inputCount = layout.columns.count
        outputs = expressions.map { compiler.compile($0, in: scope) }
        types = expressions.map(\.type)
        steps = scope.steps
        frame = Frame(
            registerCount: compiler.registerCount, context: context, heap: Arena(budget: budget))
        constants = compiler.constants.map(\.store)
        for (register, store) in compiler.constants { frame.registers[register] = store.vector }
        widening = types.enumerated().map { index, type in
            type.physical == .int128 && !narrow.contains(index) ? ColumnBuffer(type) : nil
        }
    }

    /// Evaluates for the active rows of the chunk. Values live until the next call.
    func evaluate(_ chunk: Chunk, into results: UnsafeMutablePointer<Vector>) throws(QueryFault) {
        frame.heap.rewind()
        frame.registers.update(from: chunk.columns, count: inputCount)
        frame.rows = ActiveRows(chunk)
        for step in steps { step.run(frame) }
        if let fault = frame.context.takeFault() { throw fault }
        for (index, register) in outputs.enumerated() {
            let value = frame.registers[register]
            results[index] =
                widening[index].map {
                    widened(value, to: types[index], rowCount: chunk.count, into: $0)
                }
                ?? value
        }
    }
}

/// The columns of a chunk by position.
struct Layout {
    var columns: [PlanColumn]

    init(_ columns: [PlanColumn]) { self.columns = columns }

    func index(of id: ColumnID) -> Int? { columns.firstIndex { $0.id == id } }

    /// Where the column is; a plan that names one which is not there is broken.
    func require(_ id: ColumnID) throws(QueryFault) -> Int {
        if let index = index(of: id) { return index }
        throw QueryFault(
            .genericInternalError, "column \(id.number) is missing in the operator's input",
            hint: "please report this query")
    }
}
