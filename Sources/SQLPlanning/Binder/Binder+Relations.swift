import Authority
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    /// Binds what stands in FROM. `left` are the relations before it, which LATERAL and UNNEST see.
    func bind(_ relation: Relation, in environment: Environment) throws(QueryFault) -> BoundRelation
    {
        switch relation.kind {
        case .table(let reference):
            return try table(
                reference.name, reference.branch, reference.version, reference.span, environment)
        case .subquery(let query):
            var bound = try bind(query, in: environment)
            bound.fields = bound.visible.map { $0.requalified([]) }
            return bound
        case .lateral, .unnest, .jsonTable:
            return try joined(
                BoundRelation(plan: .oneRow, fields: []), relation, .cross, nil, environment)
        case .aliased(let inner, let alias, let columns):
            if inner.isDependent {
                return try joined(
                    BoundRelation(plan: .oneRow, fields: []), relation, .cross, nil, environment)
            }
            let bound = try bind(inner, in: environment)
            return try aliased(bound, alias, columns)
        case .sampled(let inner, let method, let percentage):
            var bound = try bind(inner, in: environment)
            let value = try constant(percentage)
            guard let percent = value.number, percent >= 0, percent <= 100 else {
                throw .analysis(
                    .invalidArguments, "Sample percentage must be between 0 and 100",
                    percentage.span)
            }
            _ = method
            bound.plan = .sample(bound.plan, percent: percent)
            return bound
        case .join(let join): return try bind(join, relation.span, environment)
        case .tableFunction(let call): return try tableFunction(call, environment)
        case .patternRecognition(let inner, let clause):
            let input = try bind(inner, in: environment)
            return try RowPatternBinding(self, input, clause, environment).bind(clause)
        }
    }

    private func aliased(
        _ relation: BoundRelation, _ alias: Identifier, _ columns: [Identifier]
    ) throws(QueryFault) -> BoundRelation {
        var bound = relation
        if !columns.isEmpty && columns.count != bound.visible.count {
            throw .analysis(
                .mismatchedColumnAliases,
                "Column alias list has \(columns.count) entries but '\(alias.text)' has "
                    + "\(bound.visible.count) columns available", alias.span)
        }
        if !columns.isEmpty { bound.fields.removeAll(where: \.isHidden) }
        var position = 0
        bound.fields = bound.fields.filter { !$0.isMerged }.map { field in
            var copy = field.requalified([alias.canonical])
            if !field.isHidden, position < columns.count {
                copy.name = columns[position].text
                copy.column.name = columns[position].text
                position += 1
            }
            return copy
        }
        return bound
    }

    // MARK: Joins

    private func bind(
        _ join: Join, _ span: SourceSpan, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let left = try bind(join.left, in: environment)
        if join.right.isDependent {
            switch join.kind {
            case .right, .full:
                throw .analysis(
                    .invalidColumnReference,
                    "LATERAL reference not allowed in \(join.kind.rawValue) JOIN", span)
            default: break
            }
            guard case .on(let condition) = join.criteria else {
                if case .none = join.criteria {
                    return try joined(left, join.right, join.kind, nil, environment)
                }
                throw .analysis(
                    .notSupported, "USING and NATURAL are not supported with LATERAL", span)
            }
            return try joined(left, join.right, join.kind, condition, environment)
        }
        let right = try bind(join.right, in: environment)
        switch join.criteria {
        case .none:
            return BoundRelation(
                plan: .join(
                    JoinNode(kind: .cross, left: left.plan, right: right.plan, equalities: [])),
                fields: left.fields + right.fields)
        case .on(let condition): return try bind(join, left, right, condition, environment)
        case .using(let names): return try using(join, left, right, names, span)
        case .natural:
            let names = left.visible.compactMap(\.name).filter { name in
                right.visible.contains { $0.canonical == name.lowercased() }
            }
            return try using(
                join, left, right,
                names.map { Identifier($0, isDelimited: true, place: Place(span)) }, span)
        }
    }

    private func bind(
        _ join: Join, _ left: BoundRelation, _ right: BoundRelation, _ condition: Expression,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let fields = left.fields + right.fields
        let scope = Scope(fields, outer: environment.outer)
        guard condition.hasSubquery else {
            let binder = ExpressionBinder(self, scope, environment, plan: .oneRow)
            binder.clause = "JOIN clause"
            let bound = try binder.predicate(condition, clause: "JOIN ON clause")
            let node = JoinNode.make(
                JoinKind(join.kind), left.plan, right.plan, on: [bound], allocator)
            return BoundRelation(plan: .join(node), fields: fields)
        }
        if join.kind == .inner || join.kind == .cross {
            let cross = LogicalPlan.join(
                JoinNode(kind: .cross, left: left.plan, right: right.plan, equalities: []))
            let binder = ExpressionBinder(self, scope, environment, plan: cross)
            try binder.restrict(condition, clause: "JOIN ON clause")
            return BoundRelation(plan: binder.plan, fields: fields)
        }
        // The subqueries of an outer join's condition must belong to one side.
        for isRight in [true, false] {
            let side = isRight ? right : left
            let binder = ExpressionBinder(self, scope, environment, plan: side.plan)
            let bound = try binder.predicate(condition, clause: "JOIN ON clause")
            let other = (isRight ? left : right).plan.outputIDs
            guard binder.plan.freeColumns.isDisjoint(with: other) else { continue }
            let node = JoinNode.make(
                JoinKind(join.kind), isRight ? left.plan : binder.plan,
                isRight ? binder.plan : right.plan, on: [bound], allocator)
            return BoundRelation(plan: .join(node), fields: fields)
        }
        throw .analysis(
            .notSupported,
            "Reference to columns of both sides of an outer join in a subquery of its "
                + "condition is not supported", condition.span)
    }

    private func using(
        _ join: Join, _ left: BoundRelation, _ right: BoundRelation, _ names: [Identifier],
        _ span: SourceSpan
    ) throws(QueryFault) -> BoundRelation {
        func find(_ name: Identifier, _ side: BoundRelation, _ word: String) throws(QueryFault)
            -> Field
        {
            let found = side.visible.filter { $0.canonical == name.canonical }
            guard let first = found.first else {
                throw .analysis(
                    .columnNotFound,
                    "Column '\(name.canonical)' is missing from \(word) side of join", name.span)
            }
            guard found.count == 1 else {
                throw .analysis(
                    .ambiguousName, "Column '\(name.canonical)' is ambiguous", name.span)
            }
            return first
        }
        var conditions: [BoundExpression] = []
        var merged: [(Field, Field, LogicalType)] = []
        for name in names {
            let first = try find(name, left, "left")
            let second = try find(name, right, "right")
            guard let type = LogicalType.commonSuperType(first.column.type, second.column.type)
            else {
                throw .analysis(
                    .typeMismatch,
                    "Column types of left and right side of join must be compatible for "
                        + "\(name.canonical): \(first.column.type) vs \(second.column.type)",
                    name.span)
            }
            merged.append((first, second, type))
            conditions.append(
                .comparison(
                    .equal, first.column.expression.coerced(to: type),
                    second.column.expression.coerced(to: type)))
        }
        let kind = JoinKind(join.kind)
        var plan = LogicalPlan.join(
            JoinNode.make(
                conditions.isEmpty && kind == .inner ? .cross : kind, left.plan, right.plan,
                on: conditions, allocator))
        var fields: [Field] = []
        for ((first, second, type), name) in zip(merged, names) {
            var field = first
            field.qualifier = []
            field.name = name.isDelimited ? first.name : name.text
            let one = first.column.expression.coerced(to: type)
            let other = second.column.expression.coerced(to: type)
            let value: BoundExpression =
                switch kind {
                case .right: other
                case .full: .coalesce([one, other], type: type)
                default: one
                }
            field.column = PlanColumn(
                id: plan.provide(value, allocator, name: name.canonical), type: type,
                name: name.canonical)
            fields.append(field)
        }
        let used = Set(names.map(\.canonical))
        fields += (left.fields + right.fields).map { field in
            var copy = field
            if !field.isHidden, let name = field.canonical, used.contains(name) {
                copy.isMerged = true
            }
            return copy
        }
        return BoundRelation(plan: plan, fields: fields)
    }

    // MARK: LATERAL and UNNEST

    /// Joins `left` with a relation that reads its columns.
    private func joined(
        _ left: BoundRelation, _ relation: Relation, _ kind: Join.Kind, _ condition: Expression?,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        var inner = relation
        var alias: (Identifier, [Identifier])?
        if case .aliased(let below, let name, let columns) = relation.kind {
            inner = below
            alias = (name, columns)
        }
        let scope = Scope(left.fields, outer: environment.outer)
        switch inner.kind {
        case .unnest(let expressions, let withOrdinality):
            return try unnest(
                left, scope, expressions, withOrdinality, alias, kind, condition, environment)
        case .lateral(let query):
            var nested = environment
            nested.outer = scope
            var right = try bind(query, in: nested)
            right.fields = right.visible.map { $0.requalified([]) }
            if let alias { right = try aliased(right, alias.0, alias.1) }
            var conditions: [BoundExpression] = []
            let fields = left.fields + right.fields
            if let condition {
                let binder = ExpressionBinder(
                    self, Scope(fields, outer: environment.outer), environment, plan: .oneRow)
                conditions = try binder.predicate(condition, clause: "JOIN ON clause").conjuncts
                guard binder.plan.isOneEmptyRow else {
                    throw .analysis(
                        .notSupported, "Subqueries are not supported in the condition of LATERAL",
                        condition.span)
                }
            }
            let plan = try joins.lateral(
                left.plan, right.plan, isLeft: kind == .left, on: conditions)
            return BoundRelation(plan: plan, fields: fields)
        case .jsonTable(let table):
            var right = try jsonTable(
                left, scope, table, isLeft: kind == .left, inner.span, environment)
            if let alias { right = try aliased(right, alias.0, alias.1) }
            return try restricted(
                BoundRelation(plan: right.plan, fields: left.fields + right.fields), "JSON_TABLE",
                kind, condition, environment)
        default: throw .analysis(.notSupported, "This relation cannot be LATERAL", relation.span)
        }
    }

    private func unnest(
        _ left: BoundRelation, _ scope: Scope, _ expressions: [Expression], _ withOrdinality: Bool,
        _ alias: (Identifier, [Identifier])?, _ kind: Join.Kind, _ condition: Expression?,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let binder = ExpressionBinder(self, scope, environment, plan: left.plan)
        binder.clause = "UNNEST"
        var collections: [ColumnID] = []
        var columns: [[PlanColumn]] = []
        var fields: [Field] = []
        for expression in expressions {
            let bound = try binder.bind(expression)
            var outputs: [(String?, LogicalType)] = []
            switch bound.type {
            case .array(.row(let rowFields)): outputs = rowFields.map { ($0.name, $0.type) }
            case .array(let element): outputs = [(nil, element)]
            case .map(let key, let value): outputs = [(nil, key), (nil, value)]
            default:
                throw .analysis(
                    .typeMismatch, "Cannot unnest type: \(bound.type)", expression.span)
            }
            collections.append(binder.plan.provide(bound, allocator, name: "collection"))
            let made = outputs.map { allocator.column($0.1, $0.0 ?? "element") }
            columns.append(made)
            fields += zip(outputs, made).map { Field(qualifier: [], name: $0.0, column: $1) }
        }
        let ordinality = withOrdinality ? allocator.column(.bigint, "ordinality") : nil
        if let ordinality {
            fields.append(Field(qualifier: [], name: "ordinality", column: ordinality))
        }
        let input = binder.plan
        let node = UnnestNode(
            input: input, kept: left.plan.outputs.map(\.id), collections: collections,
            columns: columns, ordinality: ordinality, isOuter: kind == .left)
        var right = BoundRelation(plan: .unnest(node), fields: fields)
        if let alias { right = try aliased(right, alias.0, alias.1) }
        return try restricted(
            BoundRelation(plan: right.plan, fields: left.fields + right.fields), "UNNEST", kind,
            condition, environment)
    }

    /// The rows for which the join's condition holds; an outer one has to be TRUE.
    private func restricted(
        _ relation: BoundRelation, _ name: String, _ kind: Join.Kind, _ condition: Expression?,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        guard let condition else { return relation }
        var result = relation
        let binder = ExpressionBinder(
            self, Scope(result.fields, outer: environment.outer), environment, plan: result.plan)
        let bound = try binder.predicate(condition, clause: "JOIN ON clause")
        if !bound.isTrue {
            guard kind != .left else {
                throw .analysis(
                    .notSupported,
                    "LEFT JOIN involving \(name) is only supported with condition ON TRUE",
                    condition.span)
            }
            result.plan = binder.plan.filtered([bound])
        }
        return result
    }

    /// `TABLE(sequence(start, stop[, step]))`.
    private func tableFunction(
        _ call: TableFunctionCall, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let function = call.name.parts.last?.canonical
        if function == "exclude_columns" { return try excludeColumns(call, environment) }
        if function == "table_changes", call.name.canonicalParts.dropLast().last == "system" {
            return try tableChanges(call, environment)
        }
        guard function == "sequence" else {
            throw .analysis(
                .functionNotFound, "Table function '\(call.name)' not registered", call.span,
                hint: nearestName(
                    to: function ?? "",
                    among: ["sequence", "exclude_columns", "system.table_changes"]
                ).map { "did you mean \($0)?" })
        }
        let names = ["start", "stop", "step"]
        var values: [String: BoundExpression] = [:]
        for (index, argument) in call.arguments.enumerated() {
            guard case .scalar(let expression) = argument.value,
                let name = argument.name?.canonical ?? (index < 3 ? names[index] : nil),
                names.contains(name)
            else { throw .analysis(.invalidArguments, "Unexpected argument", argument.span) }
            values[name] = try constant(expression).coerced(to: .bigint)
        }
        guard let stop = values["stop"] else {
            throw .analysis(.invalidArguments, "Missing argument: STOP", call.span)
        }
        let binder = ExpressionBinder(
            self, Scope([], outer: environment.outer), environment, plan: .oneRow)
        let array = try binder.call(
            "sequence", [values["start"] ?? .integer(0), stop, values["step"] ?? .integer(1)],
            call.span)
        var input = LogicalPlan.oneRow
        let collection = input.provide(array, allocator, name: "sequence")
        let output = allocator.column(.bigint, "sequential_number")
        return BoundRelation(
            plan: .unnest(
                UnnestNode(
                    input: input, kept: [], collections: [collection], columns: [[output]],
                    ordinality: nil, isOuter: false)),
            fields: [Field(qualifier: [], name: "sequential_number", column: output)])
    }
}

extension Field {
    func requalified(_ qualifier: [String]) -> Field {
        var copy = self
        copy.qualifier = qualifier
        return copy
    }
}

extension JoinKind {
    init(_ written: Join.Kind) {
        self =
            switch written {
            case .cross: .cross
            case .inner: .inner
            case .left: .left
            case .right: .right
            case .full: .full
            }
    }
}

extension Relation {
    /// Whether it reads columns of the relations before it.
    var isDependent: Bool {
        switch kind {
        case .lateral, .unnest, .jsonTable: true
        case .aliased(let inner, _, _): inner.isDependent
        default: false
        }
    }
}

extension BoundExpression {
    /// The value of a numeric literal.
    var number: Double? {
        guard case .literal(let value, let type) = self else { return nil }
        switch (value, type) {
        case (.integer(let number), .decimal(_, let scale)):
            return Double(number) / powerOfTen(scale)
        case (.wide(let number), .decimal(_, let scale)): return Double(number) / powerOfTen(scale)
        case (.integer(let number), _): return type.isInteger ? Double(number) : nil
        case (.double(let bits), _): return Double(bitPattern: bits)
        default: return nil
        }
    }
}

/// Ten to a small power.
func powerOfTen(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<max(0, exponent) { result *= 10 }
    return result
}
