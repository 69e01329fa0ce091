import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Binds the body of one SQL routine: control statements to a `Routine`, its expressions to lambdas over
/// all of its variables.
final class RoutineBinding {
    private let specification: FunctionSpecification
    private let binder: ExpressionBinder
    private var types: [LogicalType] = []
    /// The names that are seen at the moment, innermost last.
    private var visible: [(name: String, slot: Int)] = []
    private var labels: [(name: String, number: Int)] = []
    private var labelCount = 0
    private var expressions: [BoundExpression] = []
    /// Slots of declarations in the order in which they are met.
    private var nextSlot = 0
    private let result: LogicalType

    /// Binds a call of the routine with these arguments.
    static func call(
        _ specification: FunctionSpecification, _ arguments: [BoundExpression],
        _ binder: ExpressionBinder, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let binding = try RoutineBinding(specification, binder)
        return try binding.call(arguments, span)
    }

    private init(
        _ specification: FunctionSpecification, _ binder: ExpressionBinder
    ) throws(QueryFault) {
        self.specification = specification
        self.binder = binder
        result = try LogicalType(specification.returns)
        var names: Set<String> = []
        for parameter in specification.parameters {
            if let name = parameter.name, !names.insert(name.canonical).inserted {
                throw .analysis(
                    .duplicateParameterName,
                    "Duplicate function parameter name: \(name.canonical)", name.span)
            }
            types.append(try LogicalType(parameter.type))
        }
        guard case .statement(let body) = specification.body,
            (specification.characteristics.language?.canonical ?? "sql") == "sql"
        else {
            throw .analysis(
                .notSupported,
                "Unsupported function language: "
                    + (specification.characteristics.language?.canonical ?? "unknown"),
                specification.span)
        }
        try declare(body)
    }

    private var name: String { specification.name.parts.last?.canonical ?? "" }

    private func call(
        _ arguments: [BoundExpression], _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard case .statement(let body) = specification.body else { return .null(result) }
        let count = specification.parameters.count
        guard arguments.count == count,
            zip(arguments, types).allSatisfy({ $0.type.coerces(to: $1) })
        else {
            throw .analysis(
                .functionNotFound,
                "Unexpected parameters ("
                    + arguments.map(\.type.description).joined(separator: ", ")
                    + ") for function \(name). Expected: \(name)("
                    + types.prefix(count).map(\.description).joined(separator: ", ") + ")", span)
        }
        for (slot, parameter) in specification.parameters.enumerated() {
            if let name = parameter.name { visible.append((name.canonical, slot)) }
        }
        nextSlot = count
        let step = try bind(body)
        guard Self.returns(body) else {
            throw .analysis(
                .missingReturn, "Function must end in a RETURN statement", specification.span)
        }
        let characteristics = specification.characteristics
        let routine = Routine(
            name: name, parameterCount: count, variables: types, steps: [step], result: result,
            isDeterministic: characteristics.isDeterministic ?? true,
            returnsNullOnNull: characteristics.isCalledOnNull == false)
        let values = zip(arguments, types).map { $0.coerced(to: $1) }
        // The text tells calls of different routines apart, which print alike.
        let text = SQLFormatter.format(
            Statement(
                kind: .createFunction(specification, orReplace: false), place: specification.place))
        return .call(
            routine.resolved(expressionTypes: expressions.map(\.type)),
            values + expressions + [.string(text)])
    }

    // MARK: Declarations

    /// Gives every declared variable its slot, for expressions see all of them.
    private func declare(_ statement: RoutineStatement) throws(QueryFault) {
        switch statement.kind {
        case .compound(let variables, let statements):
            for variable in variables {
                let type = try LogicalType(variable.type)
                types += variable.names.map { _ in type }
            }
            for inner in statements { try declare(inner) }
        case .ifThen(let branches, let otherwise), .caseOf(_, let branches, let otherwise):
            for branch in branches { for inner in branch.statements { try declare(inner) } }
            for inner in otherwise ?? [] { try declare(inner) }
        case .loop(_, let statements), .whileLoop(_, _, let statements),
            .repeatLoop(_, let statements, _):
            for inner in statements { try declare(inner) }
        case .returns, .set, .iterate, .leave: break
        }
        guard types.count <= 1_000 else {
            throw .analysis(
                .notSupported, "A function has more than 1000 variables", statement.span)
        }
    }

    // MARK: Statements

    private func expression(
        _ written: Expression, as type: LogicalType, _ what: String
    ) throws(QueryFault) -> Int {
        var names = types.indices.map { Identifier("$\($0)", place: written.place) }
        var seen: Set<String> = []
        for (name, slot) in visible.reversed() where seen.insert(name).inserted {
            names[slot] = Identifier(name, place: written.place)
        }
        let bound = try binder.lambda(names, written, types)
        guard case .lambda(let parameters, let body) = bound, body.type.coerces(to: type) else {
            throw .analysis(
                .typeMismatch, "\(what) must evaluate to \(type) (actual: \(bound.type))",
                written.span)
        }
        expressions.append(.lambda(parameters: parameters, body: body.coerced(to: type)))
        return expressions.count - 1
    }

    private func bind(_ statement: RoutineStatement) throws(QueryFault) -> Routine.Step {
        switch statement.kind {
        case .returns(let value):
            return .returns(try expression(value, as: result, "Value of RETURN"))
        case .set(let target, let value):
            guard let variable = visible.last(where: { $0.name == target.canonical }) else {
                throw .analysis(
                    .notFound, "Variable cannot be resolved: \(target.text)", target.span)
            }
            return .set(
                variable: variable.slot,
                try expression(
                    value, as: types[variable.slot], "Value of SET '\(target.canonical)'"))
        case .compound(let variables, let statements):
            let outer = visible
            defer { visible = outer }
            var steps: [Routine.Step] = []
            for variable in variables {
                // A default sees what was declared before, not its own names.
                var declared: [(name: String, slot: Int)] = []
                for name in variable.names {
                    guard !(visible + declared).contains(where: { $0.name == name.canonical })
                    else {
                        throw .analysis(
                            .alreadyExists,
                            "Variable already declared in this scope: \(name.text)", name.span)
                    }
                    let slot = nextSlot
                    nextSlot += 1
                    // A block that is entered again begins with fresh variables.
                    let value = variable.defaultValue ?? Expression(.null, place: variable.place)
                    steps.append(
                        .set(
                            variable: slot,
                            try expression(
                                value, as: types[slot], "Value of DEFAULT '\(name.canonical)'")))
                    declared.append((name.canonical, slot))
                }
                visible += declared
            }
            for inner in statements { steps.append(try bind(inner)) }
            return .block(steps)
        case .ifThen(let branches, let otherwise):
            return try branch(branches, otherwise) { $0.condition }
        case .caseOf(nil, let branches, let otherwise):
            return try branch(branches, otherwise) { $0.condition }
        case .caseOf(let operand?, let branches, let otherwise):
            return try branch(branches, otherwise) { branch in
                Expression(
                    .comparison(.equal, operand, branch.condition), place: branch.place)
            }
        case .loop(let label, let statements):
            return try loop(label, nil, statements, nil)
        case .whileLoop(let label, let test, let statements):
            return try loop(label, test, statements, nil)
        case .repeatLoop(let label, let statements, let until):
            return try loop(label, nil, statements, until)
        case .iterate(let label): return .iterate(try number(of: label))
        case .leave(let label): return .leave(try number(of: label))
        }
    }

    private func branch(
        _ branches: [RoutineBranch], _ otherwise: [RoutineStatement]?,
        _ condition: (RoutineBranch) -> Expression
    ) throws(QueryFault) -> Routine.Step {
        var bound: [Routine.Branch] = []
        for branch in branches {
            let test = try expression(condition(branch), as: .boolean, "Condition")
            bound.append(Routine.Branch(condition: test, steps: try steps(branch.statements)))
        }
        if let otherwise {
            bound.append(Routine.Branch(condition: nil, steps: try steps(otherwise)))
        }
        return .branch(bound)
    }

    private func steps(_ statements: [RoutineStatement]) throws(QueryFault) -> [Routine.Step] {
        var steps: [Routine.Step] = []
        for statement in statements { steps.append(try bind(statement)) }
        return steps
    }

    private func loop(
        _ label: Identifier?, _ test: Expression?, _ statements: [RoutineStatement],
        _ until: Expression?
    ) throws(QueryFault) -> Routine.Step {
        let outer = labels
        defer { labels = outer }
        var number: Int?
        if let label {
            guard !labels.contains(where: { $0.name == label.canonical }) else {
                throw .analysis(
                    .alreadyExists, "Label already declared in this scope: \(label.text)",
                    label.span)
            }
            labelCount += 1
            number = labelCount
            labels.append((label.canonical, labelCount))
        }
        let before = try test.map { condition throws(QueryFault) in
            try expression(condition, as: .boolean, "Condition of WHILE statement")
        }
        let body = try steps(statements)
        let after = try until.map { condition throws(QueryFault) in
            try expression(condition, as: .boolean, "Condition of REPEAT statement")
        }
        return .loop(label: number, test: before, body, until: after)
    }

    private func number(of label: Identifier) throws(QueryFault) -> Int {
        guard let found = labels.last(where: { $0.name == label.canonical }) else {
            throw .analysis(.notFound, "Label not defined: \(label.canonical)", label.span)
        }
        return found.number
    }

    /// Whether every way through a statement ends in RETURN, as far as its form shows.
    private static func returns(_ statement: RoutineStatement) -> Bool {
        switch statement.kind {
        case .returns: true
        case .compound(_, let statements): statements.last.map(returns) ?? false
        case .ifThen(let branches, let otherwise), .caseOf(_, let branches, let otherwise):
            branches.allSatisfy { $0.statements.last.map(returns) ?? false }
                && (otherwise?.last.map(returns) ?? false)
        case .loop: true
        case .whileLoop, .repeatLoop, .set, .iterate, .leave: false
        }
    }
}
