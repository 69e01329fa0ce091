package import Vectors

/// A SQL routine as a program over variables. Its expressions are lambdas over all variables, in the
/// order of `variables`, parameters first; a step names one by its place among them.
///
///     FUNCTION f(n bigint) RETURNS bigint BEGIN … END
///     $routine call: arguments = parameters, then one lambda an expression, then the routine's text
///
/// A body that only returns is evaluated for all rows together; others are stepped through row by row.
/// Source: Trino documentation, "SQL user-defined functions".
package struct Routine: Sendable {
    /// A statement of the program.
    package indirect enum Step: Sendable {
        case returns(Int)
        case set(variable: Int, Int)
        case block([Step])
        /// Conditions are tried in order; the last branch without one is ELSE.
        case branch([Branch])
        /// `test` is asked before each turn, `until` after it.
        case loop(label: Int?, test: Int?, [Step], until: Int?)
        /// Begins the next turn of the loop with the label.
        case iterate(Int)
        /// Goes on behind the loop with the label.
        case leave(Int)
    }

    /// One branch of IF or CASE.
    package struct Branch: Sendable {
        package var condition: Int?
        package var steps: [Step]

        package init(condition: Int?, steps: [Step]) {
            self.condition = condition
            self.steps = steps
        }
    }

    package var name: String
    package var parameterCount: Int
    /// Types of all variables, parameters first; variables begin as NULL.
    package var variables: [LogicalType]
    package var steps: [Step]
    package var result: LogicalType
    package var isDeterministic: Bool
    /// RETURNS NULL ON NULL INPUT.
    package var returnsNullOnNull: Bool

    package init(
        name: String, parameterCount: Int, variables: [LogicalType], steps: [Step],
        result: LogicalType, isDeterministic: Bool, returnsNullOnNull: Bool
    ) {
        self.name = name
        self.parameterCount = parameterCount
        self.variables = variables
        self.steps = steps
        self.result = result
        self.isDeterministic = isDeterministic
        self.returnsNullOnNull = returnsNullOnNull
    }

    /// The routine as a function of a call with so many expressions.
    package func resolved(expressionTypes: [LogicalType]) -> ResolvedScalar {
        let parameters =
            variables.prefix(parameterCount).map { ParameterType.value($0) }
            + expressionTypes.map { .lambda(parameters: variables, result: $0) } + [.value(.text)]
        return ResolvedScalar(
            function: ScalarFunction(
                name: name,
                signature: .rule(parameters: "", result: result.description) { _ in nil },
                summary: "A routine written in SQL.", example: "\(name)()",
                isDeterministic: isDeterministic, nullsPropagate: returnsNullOnNull, canFail: true,
                kernel: { call in RoutineRun(self, call).run() }),
            parameters: parameters, result: result)
    }
}

/// One call of a routine's kernel.
private final class RoutineRun {
    private let routine: Routine
    private let call: KernelCall
    private let output: Output
    /// The variables of the row at hand: columns of one value.
    private var values: [Vector] = []
    private var row = 0
    private var stepCount = 0

    /// How many steps one row may take.
    private static let maxSteps = 1_000_000

    private enum Outcome {
        case next
        case returned(Vector)
        case iterate(Int)
        case leave(Int)
        case failed
    }

    init(_ routine: Routine, _ call: KernelCall) {
        self.routine = routine
        self.call = call
        output = Output(call)
    }

    func run() {
        guard !call.lambdas.isEmpty else {
            return call.fail(
                QueryFault(.genericInternalError, "the routine \(routine.name) has no expression"))
        }
        if case .returns(let index)? = routine.steps.first,
            routine.variables.count == routine.parameterCount
        {
            return all(index)
        }
        let builder = ColumnBuilder(call.resultType, output)
        call.forEachRow { row in
            builder.skip(to: row)
            self.row = row
            stepCount = 0
            values = routine.variables.enumerated().map { index, type in
                let column = ColumnBuilder(type, output)
                if index < routine.parameterCount {
                    column.append(call.arguments[index], row)
                } else {
                    column.pushNull()
                }
                return column.vector
            }
            switch perform(routine.steps) {
            case .returned(let value): builder.append(value, 0)
            case .failed: builder.pushNull()
            case .next, .iterate, .leave:
                call.fail(
                    QueryFault(
                        .missingReturn, "Function \(routine.name) ended without RETURN"))
                builder.pushNull()
            }
        }
        builder.finish(call)
    }

    /// The one expression, for all rows together.
    private func all(_ index: Int) {
        var outer: [UInt32] = []
        call.forEachRow { outer.append(UInt32(truncatingIfNeeded: $0)) }
        let columns = routine.variables.map { ColumnBuilder($0, output) }
        for (index, column) in columns.enumerated() {
            for row in outer { column.append(call.arguments[index], Int(row)) }
        }
        guard columns.allSatisfy({ $0.count == outer.count && $0.isWhole }),
            call.lambdas.indices.contains(index)
        else { return }
        let result = outer.withUnsafeBufferPointer { buffer -> Vector? in
            guard let base = buffer.baseAddress, !buffer.isEmpty else { return nil }
            return call.lambdas[index].evaluate(
                parameters: columns.map(\.vector), rowCount: buffer.count, outerRows: base)
        }
        guard let result else { return }
        var next = -1
        chooseValue(call, result) { _ in
            next += 1
            return next
        }
    }

    private func evaluate(_ index: Int, as type: LogicalType) -> Vector? {
        guard call.lambdas.indices.contains(index) else { return nil }
        var outer = UInt32(truncatingIfNeeded: row)
        let value = call.lambdas[index].evaluate(
            parameters: values, rowCount: 1, outerRows: &outer)
        guard call.context.fault == nil else { return nil }
        // The evaluator's memory is used again by its next call.
        let column = ColumnBuilder(type, output)
        column.append(value, 0)
        return column.count == 1 && column.isWhole ? column.vector : nil
    }

    /// Whether a condition is true; nil after a failure.
    private func holds(_ index: Int) -> Bool? {
        evaluate(index, as: .boolean).map { $0.truth(0) == true }
    }

    private func perform(_ steps: [Routine.Step]) -> Outcome {
        for step in steps {
            stepCount += 1
            guard stepCount <= Self.maxSteps else {
                call.fail(
                    QueryFault(
                        .genericInsufficientResources,
                        "the routine \(routine.name) takes more than \(Self.maxSteps) steps"))
                return .failed
            }
            let outcome = perform(step)
            guard case .next = outcome else { return outcome }
        }
        return .next
    }

    private func perform(_ step: Routine.Step) -> Outcome {
        switch step {
        case .returns(let index):
            return evaluate(index, as: routine.result).map { .returned($0) } ?? .failed
        case .set(let variable, let index):
            guard let value = evaluate(index, as: routine.variables[variable]) else {
                return .failed
            }
            values[variable] = value
            return .next
        case .block(let steps): return perform(steps)
        case .branch(let branches):
            for branch in branches {
                if let condition = branch.condition {
                    guard let isTrue = holds(condition) else { return .failed }
                    if !isTrue { continue }
                }
                return perform(branch.steps)
            }
            return .next
        case .iterate(let label): return .iterate(label)
        case .leave(let label): return .leave(label)
        case .loop(let label, let test, let steps, let until):
            while true {
                stepCount += 1
                if let test {
                    guard let isTrue = holds(test) else { return .failed }
                    if !isTrue { return .next }
                }
                switch perform(steps) {
                case .next: break
                case .iterate(let wanted) where wanted == label: break
                case .leave(let wanted) where wanted == label: return .next
                case let other: return other
                }
                if let until {
                    guard let isTrue = holds(until) else { return .failed }
                    if isTrue { return .next }
                }
                guard stepCount <= Self.maxSteps else {
                    call.fail(
                        QueryFault(
                            .genericInsufficientResources,
                            "the routine \(routine.name) takes more than \(Self.maxSteps) steps"))
                    return .failed
                }
            }
        }
    }
}
