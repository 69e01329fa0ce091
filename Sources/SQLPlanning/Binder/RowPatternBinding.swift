import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Binds MATCH_RECOGNIZE: the clause as a window call, its matches unnested, measures above.
///
///     input ─▶ project (arguments) ─▶ window (`RowPatternCall`) ─▶ unnest ─▶ project (measures)
///
/// Measures and conditions are ordinary expressions over values that the matcher takes from rows: `A.x`,
/// `LAST(x)`, `PREV(..)`, CLASSIFIER(), MATCH_NUMBER() and aggregates are found first and bound apart.
final class RowPatternBinding {
    let binder: Binder
    let environment: Environment
    /// Binds what is evaluated a row, below the matcher.
    let stage: ExpressionBinder
    let input: BoundRelation
    let labels: [String]
    /// By canonical name: the labels that a variable or a subset stands for.
    var variables: [String: Set<Int>] = [:]
    private var arguments: [ColumnID] = []

    /// Where expressions stand.
    enum Clause {
        case define, measures
        var text: String { self == .define ? "DEFINE" : "MEASURES" }
    }

    init(
        _ binder: Binder, _ input: BoundRelation, _ clause: PatternRecognition,
        _ environment: Environment
    ) throws(QueryFault) {
        self.binder = binder
        self.environment = environment
        self.input = input
        stage = ExpressionBinder(
            binder, Scope(input.fields, outer: nil), environment, plan: input.plan)
        stage.clause = "MATCH_RECOGNIZE"
        var labels: [String] = []
        for name in clause.pattern.variables where variables[name.canonical] == nil {
            variables[name.canonical] = [labels.count]
            labels.append(name.isDelimited ? name.text : name.text.uppercased())
        }
        self.labels = labels
        for subset in clause.subsets {
            guard variables[subset.name.canonical] == nil else {
                throw .analysis(
                    .invalidLabel,
                    "union pattern variable name: \(subset.name.text) is a duplicate of primary "
                        + "pattern variable or of another union variable", subset.name.span)
            }
            var members: Set<Int> = []
            for member in subset.members {
                guard let label = variables[member.canonical], label.count == 1 else {
                    throw .analysis(
                        .invalidLabel,
                        "subset element: \(member.text) is not a primary pattern variable",
                        member.span)
                }
                members.formUnion(label)
            }
            variables[subset.name.canonical] = members
        }
    }

    // MARK: The clause

    func bind(_ clause: PatternRecognition) throws(QueryFault) -> BoundRelation {
        if clause.isSeek != nil {
            throw .analysis(
                .notSupported,
                "Pattern search modifiers INITIAL and SEEK are not allowed in MATCH_RECOGNIZE",
                clause.span)
        }
        let output: RowPatternCall.Output =
            switch clause.rowsPerMatch {
            case .one, nil: .oneRow
            case .all, .allShowEmpty: .all
            case .allOmitEmpty: .allWithoutEmpty
            case .allWithUnmatched: .allWithUnmatched
            }
        let partition = try partition(clause)
        let order = try order(clause)
        var places: [String: Int] = [:]
        for (name, members) in variables where members.count == 1 {
            if clause.pattern.variables.contains(where: { $0.canonical == name }) {
                places[name] = members.first
            }
        }
        var compiler = RowPatternCompiler(labels: places)
        try compiler.compile(clause.pattern, clause)
        if compiler.hasExclusion, output == .allWithUnmatched {
            throw .analysis(
                .invalidRowPattern,
                "Pattern exclusion syntax is not allowed when ALL ROWS PER MATCH WITH UNMATCHED ROWS "
                    + "is specified", clause.span)
        }
        let conditions = try conditions(clause, places)
        var values: [RowPatternValue] = []
        let passed = try passedFields(output, partition, order.keys, &values)
        var measures: [(name: Identifier, value: BoundExpression)] = []
        for measure in clause.measures {
            let bound = try expression(measure.expression, in: .measures, into: &values)
            measures.append((measure.name, bound))
        }
        var isMatched: PlanColumn?
        if output == .allWithUnmatched {
            let column = binder.allocator.column(.boolean, "$matched")
            values.append(RowPatternValue(kind: .isMatched, column: column))
            isMatched = column
        }
        if values.isEmpty {
            values.append(
                RowPatternValue(
                    kind: .matchNumber, column: binder.allocator.column(.bigint, "$match")))
        }
        let call = RowPatternCall(
            program: compiler.program, labels: labels, conditions: conditions, values: values,
            output: output, skip: try skip(clause.skip))
        let plan = unnested(call, partition.map(\.column.id), order.keys)
        return assembled(plan, partition, order.fields, passed, measures, isMatched, output)
    }

    private func partition(_ clause: PatternRecognition) throws(QueryFault) -> [Field] {
        var fields: [Field] = []
        for expression in clause.partitionBy {
            let field = try self.field(expression, "PARTITION BY")
            guard field.column.type.isComparable else {
                throw .analysis(
                    .typeMismatch,
                    "\(field.column.type) is not comparable, and therefore cannot be used in "
                        + "PARTITION BY", expression.span)
            }
            if !fields.contains(where: { $0.column.id == field.column.id }) { fields.append(field) }
        }
        return fields
    }

    private func order(
        _ clause: PatternRecognition
    ) throws(QueryFault) -> (keys: [SortKey], fields: [Field]) {
        var keys: [SortKey] = []
        var fields: [Field] = []
        for item in clause.orderBy {
            let field = try self.field(item.expression, "ORDER BY")
            keys.append(try binder.sortKey(field.column.expression, item, &stage.plan))
            fields.append(field)
        }
        return (keys, fields)
    }

    /// The input's column that an expression is.
    private func field(_ expression: Expression, _ clause: String) throws(QueryFault) -> Field {
        let bound = try stage.bind(expression)
        guard let id = bound.columnID,
            let field = input.visible.first(where: { $0.column.id == id })
        else {
            throw .analysis(
                .invalidColumnReference,
                "\(clause) of MATCH_RECOGNIZE takes columns of its input", expression.span,
                hint: "compute the value in a subquery, and name it")
        }
        return field
    }

    private func conditions(
        _ clause: PatternRecognition, _ places: [String: Int]
    ) throws(QueryFault) -> [RowPatternCondition?] {
        var conditions = [RowPatternCondition?](repeating: nil, count: labels.count)
        for definition in clause.definitions {
            guard let label = places[definition.name.canonical] else {
                throw .analysis(
                    .invalidLabel,
                    "defined variable: \(definition.name.text) is not a primary pattern variable",
                    definition.name.span,
                    hint: nearestName(to: definition.name.text, among: labels).map {
                        "did you mean \($0)?"
                    })
            }
            guard conditions[label] == nil else {
                throw .analysis(
                    .invalidLabel,
                    "pattern variable with name: \(definition.name.text) is defined twice",
                    definition.name.span)
            }
            var values: [RowPatternValue] = []
            let bound = try expression(definition.condition, in: .define, into: &values)
            guard bound.type == .boolean || bound.type == .unknown else {
                throw .analysis(
                    .typeMismatch,
                    "Expression defining a label must be boolean (actual type: \(bound.type))",
                    definition.condition.span)
            }
            conditions[label] = RowPatternCondition(
                values: values, predicate: bound.coerced(to: .boolean))
        }
        return conditions
    }

    private func skip(
        _ written: PatternRecognition.AfterMatchSkip?
    ) throws(QueryFault) -> RowPatternCall.Skip {
        switch written {
        case nil, .pastLastRow: return .pastLastRow
        case .toNextRow: return .toNextRow
        case .toFirst(let name): return .toFirst(try members(name), name: name.text)
        case .toLast(let name): return .toLast(try members(name), name: name.text)
        }
    }

    func members(_ name: Identifier) throws(QueryFault) -> Set<Int> {
        guard let members = variables[name.canonical] else {
            throw .analysis(
                .invalidLabel, "\(name.text) is not a primary or union pattern variable", name.span,
                hint: nearestName(to: name.text, among: labels).map { "did you mean \($0)?" })
        }
        return members
    }

    // MARK: The plan

    /// With ALL ROWS the input's other columns come along.
    private func passedFields(
        _ output: RowPatternCall.Output, _ partition: [Field], _ order: [SortKey],
        _ values: inout [RowPatternValue]
    ) throws(QueryFault) -> [ColumnID: PlanColumn] {
        if output == .oneRow { return [:] }
        var passed: [ColumnID: PlanColumn] = [:]
        for field in input.visible where passed[field.column.id] == nil {
            if partition.contains(where: { $0.column.id == field.column.id }) { continue }
            let column = binder.allocator.column(field.column.type, field.name ?? "column")
            passed[field.column.id] = column
            values.append(
                RowPatternValue(
                    kind: .column(argument: argument(field.column.expression)), column: column))
        }
        return passed
    }

    private func unnested(
        _ call: RowPatternCall, _ partition: [ColumnID], _ order: [SortKey]
    ) -> LogicalPlan {
        let fields = call.values.map { RowField(name: nil, type: $0.column.type) }
        let type = LogicalType.array(.row(fields))
        let matches = binder.allocator.column(type, "matches")
        var window = WindowCall(
            output: matches, function: RowPatternCall.function(type), arguments: arguments,
            frame: WindowFrame(unit: .rows, start: .unboundedPreceding, end: .unboundedFollowing))
        window.pattern = call
        return .unnest(
            UnnestNode(
                input: .window(
                    WindowNode(
                        input: stage.plan, partitionBy: partition, orderBy: order, calls: [window])
                ), kept: partition, collections: [matches.id],
                columns: [call.values.map(\.column)], ordinality: nil, isOuter: false))
    }

    /// Partition columns, with ALL ROWS those of the order, the measures, with ALL ROWS the rest.
    private func assembled(
        _ plan: LogicalPlan, _ partition: [Field], _ order: [Field],
        _ passed: [ColumnID: PlanColumn],
        _ measures: [(name: Identifier, value: BoundExpression)], _ isMatched: PlanColumn?,
        _ output: RowPatternCall.Output
    ) -> BoundRelation {
        var assignments: [Assignment] = []
        var fields: [Field] = []
        var done: Set<ColumnID> = []
        func pass(_ field: Field, _ column: PlanColumn) {
            guard done.insert(field.column.id).inserted else { return }
            assignments.append(column.assignment)
            fields.append(Field(qualifier: [], name: field.name, column: column))
        }
        for field in partition { pass(field, field.column) }
        if output != .oneRow {
            for field in order { if let column = passed[field.column.id] { pass(field, column) } }
        }
        for measure in measures {
            let type = measure.value.type
            let column = binder.allocator.column(type, measure.name.text)
            let value: BoundExpression =
                isMatched.map {
                    .caseWhen(
                        [WhenBranch(condition: $0.expression, value: measure.value)],
                        otherwise: nil, type: type)
                } ?? measure.value
            assignments.append(Assignment(column: column, expression: value))
            fields.append(Field(qualifier: [], name: measure.name.text, column: column))
        }
        if output != .oneRow {
            for field in input.visible {
                if let column = passed[field.column.id] { pass(field, column) }
            }
        }
        return BoundRelation(plan: .project(plan, assignments), fields: fields)
    }

    func argument(_ bound: BoundExpression) -> Int {
        let id = stage.plan.provide(bound, binder.allocator, name: "argument")
        if let known = arguments.firstIndex(of: id) { return known }
        arguments.append(id)
        return arguments.count - 1
    }
}
