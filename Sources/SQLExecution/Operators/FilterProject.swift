import SQLFunctions
import SQLPlanning
import Vectors

/// Drops rows by narrowing the selection.
final class FilterFactory: OperatorFactory {
    let statistics: OperatorStatistics
    private let predicates: [BoundExpression]
    private let layout: Layout

    init(_ predicates: [BoundExpression], layout: Layout, statistics: OperatorStatistics) {
        self.predicates = predicates
        self.layout = layout
        self.statistics = statistics
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        FilterOperator(
            FilterProgram(
                predicates, layout: layout, context: worker.context, budget: worker.budget),
            columnCount: layout.columns.count)
    }
}

private final class FilterOperator: Operator {
    private let program: FilterProgram
    private let output: Chunk
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(_ program: FilterProgram, columnCount: Int) {
        self.program = program
        output = Chunk(columnCount: columnCount)
        super.init()
    }

    deinit { selection.deallocate() }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let rows = ActiveRows(chunk)
        let kept = try program.select(chunk.columns, rows, into: selection)
        if kept == 0 { return }
        if kept == rows.active { return try next.push(chunk) }
        output.columns.update(from: chunk.columns, count: output.columnCount)
        output.count = chunk.count
        output.selection = selection
        output.selectedCount = kept
        try next.push(output)
    }
}

/// Computes the output's columns.
final class ProjectFactory: OperatorFactory {
    let statistics: OperatorStatistics
    private let expressions: [BoundExpression]
    private let layout: Layout
    private let narrow: Set<Int>

    /// `narrow`: columns whose consumer takes decimals in 64 bits as well.
    init(
        _ expressions: [BoundExpression], layout: Layout, narrow: Set<Int>,
        statistics: OperatorStatistics
    ) {
        self.expressions = expressions
        self.layout = layout
        self.narrow = narrow
        self.statistics = statistics
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        ProjectOperator(
            ExpressionProgram(
                expressions, layout: layout, context: worker.context, budget: worker.budget,
                narrow: narrow),
            columnCount: expressions.count)
    }
}

private final class ProjectOperator: Operator {
    private let program: ExpressionProgram
    private let output: Chunk

    init(_ program: ExpressionProgram, columnCount: Int) {
        self.program = program
        output = Chunk(columnCount: columnCount)
        super.init()
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        try program.evaluate(chunk, into: output.columns)
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
        try next.push(output)
    }
}

/// Rearranges columns without computing anything.
final class ReorderFactory: OperatorFactory {
    let statistics: OperatorStatistics
    private let positions: [Int]

    init(_ positions: [Int], statistics: OperatorStatistics) {
        self.positions = positions
        self.statistics = statistics
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { ReorderOperator(positions) }
}

private final class ReorderOperator: Operator {
    private let positions: [Int]
    private let output: Chunk

    init(_ positions: [Int]) {
        self.positions = positions
        output = Chunk(columnCount: positions.count)
        super.init()
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        for (index, position) in positions.enumerated() {
            output.columns[index] = chunk.columns[position]
        }
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
        try next.push(output)
    }
}
