import SQLFunctions
import SQLPlanning
import Vectors

/// Turns bound expressions into steps over registers; one a program.
///
/// Equal deterministic subexpressions share a register within a scope; a branch of a CASE is a scope
/// of its own that sees what was computed before it.
final class Compiler {
    let context: EvaluationContext
    private(set) var registerCount = 0
    private(set) var constants: [(register: Int, store: ConstantStore)] = []
    /// Lambda bodies that read columns of the frame around them.
    let budget: MemoryBudget

    init(context: EvaluationContext, budget: MemoryBudget) {
        self.context = context
        self.budget = budget
    }

    /// Names and values that steps already have in registers.
    final class Scope {
        let parent: Scope?
        var columns: [ColumnID: Int] = [:]
        var values: [String: Int] = [:]
        var steps: [Step] = []

        init(parent: Scope? = nil) { self.parent = parent }

        func column(_ id: ColumnID) -> Int? { columns[id] ?? parent?.column(id) }
        func value(_ key: String) -> Int? { values[key] ?? parent?.value(key) }
    }

    func newRegister() -> Int {
        registerCount += 1
        return registerCount - 1
    }

    /// Compiles into a list of its own: a branch.
    func branch(_ expression: BoundExpression, in scope: Scope) -> StepList {
        let inner = Scope(parent: scope)
        let output = compile(expression, in: inner)
        return StepList(steps: inner.steps, output: output)
    }

    /// Appends the steps that compute the expression; returns the register of its value.
    func compile(_ expression: BoundExpression, in scope: Scope) -> Int {
        if case .column(let id, _) = expression, let register = scope.column(id) { return register }
        let key = fingerprint(expression)
        if let key, let register = scope.value(key) { return register }
        let register = build(expression, in: scope)
        if let key { scope.values[key] = register }
        return register
    }

    func constant(_ value: LiteralValue, _ type: LogicalType) -> Int {
        let register = newRegister()
        constants.append((register, ConstantStore(value, type)))
        return register
    }

    /// Appends a step; returns its output.
    func add(_ scope: Scope, _ make: (Int) -> Step) -> Int {
        let register = newRegister()
        scope.steps.append(make(register))
        return register
    }

    private func build(_ expression: BoundExpression, in scope: Scope) -> Int {
        switch expression {
        case .literal(let value, let type): return constant(value, type)
        case .column(let id, let type):
            // A column that the input lacks is a mistake of the planner; the query fails, not more.
            context.fail(
                QueryFault(
                    .genericInternalError, "column \(id.number) is missing in the operator's input",
                    hint: "please report this query"))
            return constant(.null, type)
        case .arithmetic(let operation, let left, let right, let type):
            return arithmetic(operation, left, right, type, in: scope)
        case .negate(let operand):
            let input = compile(operand, in: scope)
            return add(scope) { NegateStep(input: input, type: operand.type, output: $0) }
        case .comparison(let operation, let left, let right):
            return comparison(operation, left, right, in: scope)
        case .and(let operands): return logic(operands, isAnd: true, in: scope)
        case .or(let operands): return logic(operands, isAnd: false, in: scope)
        case .not(let operand):
            let input = compile(operand, in: scope)
            return add(scope) { NotStep(input: input, output: $0) }
        case .isNull(let operand):
            let input = compile(operand, in: scope)
            return add(scope) { IsNullStep(input: input, output: $0) }
        case .inList(let operand, let candidates): return inList(operand, candidates, in: scope)
        case .like(let value, let pattern, let escape):
            let input = compile(value, in: scope)
            let patternRegister = compile(pattern, in: scope)
            let escapeRegister = escape.map { compile($0, in: scope) }
            let step = remembered(
                input, value.type, .boolean, isSafe: isLiteral(pattern), scope: scope
            ) {
                LikeStep(
                    input: $0, pattern: patternRegister, escape: escapeRegister,
                    valueType: value.type, output: $1)
            }
            return step
        case .cast(let operand, let type, let isSafe):
            return cast(operand, to: type, isSafe: isSafe, in: scope)
        case .caseWhen(let branches, let otherwise, let type):
            return caseWhen(branches, otherwise, type, in: scope)
        case .coalesce(let operands, let type):
            // Later operands are evaluated only where the ones before are NULL.
            guard let first = operands.first else { return constant(.null, type) }
            let head = compile(first, in: scope)
            let rest = operands.dropFirst().map { branch($0, in: scope) }
            return add(scope) { CoalesceStep(first: head, rest: rest, type: type, output: $0) }
        case .tryEvaluate(let operand):
            let body = branch(operand, in: scope)
            return add(scope) { TryStep(body: body, type: operand.type, output: $0) }
        case .call(let resolved, let arguments): return call(resolved, arguments, in: scope)
        case .lambda(_, let body): return compile(body, in: scope)
        case .row(let fields, let type):
            let inputs = fields.map { compile($0, in: scope) }
            return add(scope) { RowStep(inputs: inputs, type: type, output: $0) }
        case .array(let elements, let type):
            let inputs = elements.map { compile($0, in: scope) }
            return add(scope) { ArrayStep(inputs: inputs, type: type, output: $0) }
        case .field(let operand, let index, let type):
            let input = compile(operand, in: scope)
            return add(scope) { FieldStep(input: input, index: index, type: type, output: $0) }
        }
    }

    private func logic(_ operands: [BoundExpression], isAnd: Bool, in scope: Scope) -> Int {
        guard let first = operands.first else { return constant(.boolean(isAnd), .boolean) }
        let head = compile(first, in: scope)
        let rest = operands.dropFirst().map { branch($0, in: scope) }
        return add(scope) { LogicStep(first: head, rest: rest, isAnd: isAnd, output: $0) }
    }

    private func caseWhen(
        _ branches: [WhenBranch], _ otherwise: BoundExpression?, _ type: LogicalType,
        in scope: Scope
    ) -> Int {
        guard let first = branches.first else {
            return otherwise.map { compile($0, in: scope) } ?? constant(.null, type)
        }
        // The first condition is evaluated for all rows, so it may be shared.
        let head = compile(first.condition, in: scope)
        var compiled = [(StepList(steps: [], output: head), branch(first.value, in: scope))]
        for next in branches.dropFirst() {
            compiled.append((branch(next.condition, in: scope), branch(next.value, in: scope)))
        }
        let rest = otherwise.map { branch($0, in: scope) }
        return add(scope) { CaseStep(branches: compiled, otherwise: rest, type: type, output: $0) }
    }

    /// Adds a step of one string operand so that it runs once an entry of a dictionary.
    func remembered(
        _ input: Int, _ inputType: LogicalType, _ type: LogicalType, isSafe: Bool, scope: Scope,
        _ make: (_ input: Int, _ output: Int) -> Step
    ) -> Int {
        guard isSafe, inputType.physical == .string, type.children.isEmpty else {
            return add(scope) { make(input, $0) }
        }
        let innerInput = newRegister()
        let innerOutput = newRegister()
        let inner = make(innerInput, innerOutput)
        return add(scope) {
            DictionaryStep(
                input: input, inner: inner, innerInput: innerInput, innerOutput: innerOutput,
                type: type, output: $0)
        }
    }

    func isLiteral(_ expression: BoundExpression) -> Bool {
        if case .literal = expression { return true }
        return false
    }
}

/// A text that is equal for equal expressions; nil where sharing would be wrong or is not worth it.
func fingerprint(_ expression: BoundExpression) -> String? {
    func all(_ parts: [BoundExpression]) -> String? {
        var texts: [String] = []
        for part in parts {
            guard let text = fingerprint(part) else { return nil }
            texts.append(text)
        }
        return "(" + texts.joined(separator: ",") + ")"
    }
    switch expression {
    case .literal(let value, let type):
        switch value {
        case .list, .map, .row: return nil
        case .bytes(let bytes):
            guard bytes.count <= Limits.sharedLiteralBytes else { return nil }
            let digits = bytes.map { String($0, radix: 16) }
            return "l\(digits.joined(separator: " ")):\(type)"
        default: return "l\(value):\(type)"
        }
    case .column(let id, _): return "c\(id.number)"
    case .arithmetic(let operation, let left, let right, let type):
        return all([left, right]).map { "\(operation.rawValue)\(type)\($0)" }
    case .negate(let operand): return all([operand]).map { "neg\($0)" }
    case .comparison(let operation, let left, let right):
        return all([left, right]).map { "\(operation.rawValue)\($0)" }
    case .and(let operands): return all(operands).map { "and\($0)" }
    case .or(let operands): return all(operands).map { "or\($0)" }
    case .not(let operand): return all([operand]).map { "not\($0)" }
    case .isNull(let operand): return all([operand]).map { "null\($0)" }
    case .inList(let operand, let list):
        return list.count > 16 ? nil : all([operand] + list).map { "in\($0)" }
    case .like(let value, let pattern, let escape):
        return all([value, pattern] + (escape.map { [$0] } ?? [])).map { "like\($0)" }
    case .cast(let operand, let type, let isSafe):
        return all([operand]).map { "cast\(isSafe)\(type)\($0)" }
    case .coalesce(let operands, _): return all(operands).map { "coalesce\($0)" }
    case .call(let resolved, let arguments):
        guard resolved.function.isDeterministic, !arguments.isEmpty else { return nil }
        return all(arguments).map { "f\(resolved.function.name)\(resolved.result)\($0)" }
    case .field(let operand, let index, _): return all([operand]).map { "field\(index)\($0)" }
    case .caseWhen(let branches, let otherwise, let type):
        return all(branches.flatMap { [$0.condition, $0.value] } + (otherwise.map { [$0] } ?? []))
            .map { "case\(otherwise == nil)\(type)\($0)" }
    case .tryEvaluate, .lambda, .row, .array: return nil
    }
}
