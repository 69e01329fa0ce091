import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    /// UNION, INTERSECT, EXCEPT: columns by position (or name with CORRESPONDING), types widened.
    func setOperation(
        _ operation: SetOperation, _ span: SourceSpan, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        // Long chains of UNION lean to the left: taken apart by a loop, not by recursion.
        var bodies: [QueryBody] = [operation.right]
        var first = operation.left
        while operation.kind == .union, operation.corresponding == nil,
            case .setOperation(let inner) = first.kind, inner.kind == .union,
            inner.isDistinct == operation.isDistinct, inner.corresponding == nil
        {
            bodies.append(inner.right)
            first = inner.left
        }
        bodies.append(first)
        var inputs: [BoundRelation] = []
        for body in bodies.reversed() { inputs.append(try self.side(body, environment)) }
        if let names = operation.corresponding { try correspond(&inputs, names, span) }
        let width = inputs[0].fields.count
        for input in inputs where input.fields.count != width {
            throw .analysis(
                .typeMismatch,
                "\(operation.kind.rawValue) query has different number of fields: \(width), "
                    + "\(input.fields.count)", span)
        }
        var columns: [PlanColumn] = []
        var fields: [Field] = []
        for index in 0..<width {
            let types = inputs.map { $0.fields[index].column.type }
            guard let type = LogicalType.commonSuperType(types) else {
                throw .analysis(
                    .typeMismatch,
                    "column \(index + 1) in \(operation.kind.rawValue) query has incompatible types: "
                        + types.map(\.description).joined(separator: ", "), span)
            }
            if operation.isDistinct || operation.kind != .union, !type.isComparable {
                throw .analysis(
                    .typeMismatch,
                    "Type \(type) is not comparable and therefore cannot be used in "
                        + operation.kind.rawValue, span)
            }
            let field = inputs[0].fields[index]
            let column = allocator.column(type, field.name ?? "_col\(index)")
            columns.append(column)
            fields.append(Field(qualifier: [], name: field.name, column: column))
        }
        let sides = inputs.map { aligned($0, columns) }
        let plan: LogicalPlan
        switch operation.kind {
        case .union:
            let union = LogicalPlan.union(
                sides.map(\.plan), columns: columns, mapping: sides.map { $0.columns.map(\.id) })
            plan = operation.isDistinct ? union.distinct(columns) : union
        case .intersect, .except:
            plan = try matched(operation, sides[0], sides[1], columns)
        }
        return BoundRelation(plan: plan, fields: fields)
    }

    private func side(
        _ body: QueryBody, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        var inner = environment
        inner.depth += 1
        guard inner.depth < Self.maxDepth else {
            throw .analysis(.notSupported, "Queries nest too deeply", body.span)
        }
        var relation = try self.body(body, inner)
        relation.fields = relation.visible
        return relation
    }

    private func correspond(
        _ inputs: inout [BoundRelation], _ names: [Identifier], _ span: SourceSpan
    ) throws(QueryFault) {
        let wanted: [String] =
            names.isEmpty
            ? inputs[0].fields.compactMap(\.canonical).filter { name in
                inputs.allSatisfy { $0.fields.contains { $0.canonical == name } }
            } : names.map(\.canonical)
        guard !wanted.isEmpty else {
            throw .analysis(.columnNotFound, "No corresponding columns", span)
        }
        for index in inputs.indices {
            var fields: [Field] = []
            for name in wanted {
                let found = inputs[index].fields.filter { $0.canonical == name }
                guard found.count == 1 else {
                    throw .analysis(
                        found.isEmpty ? .columnNotFound : .ambiguousName,
                        "Column '\(name)' \(found.isEmpty ? "cannot be resolved" : "is ambiguous")",
                        span)
                }
                fields.append(found[0])
            }
            inputs[index].fields = fields
        }
    }

    /// A side with one column of the right type for each column of the result.
    private func aligned(
        _ relation: BoundRelation, _ columns: [PlanColumn]
    ) -> (plan: LogicalPlan, columns: [PlanColumn]) {
        var seen: Set<ColumnID> = []
        let isPlain = zip(relation.fields, columns).allSatisfy { field, column in
            field.column.type.hasSameValues(as: column.type)
                && seen.insert(field.column.id).inserted
        }
        if isPlain { return (relation.plan, relation.fields.map(\.column)) }
        let assignments = zip(relation.fields, columns).map { field, column in
            Assignment(
                column: allocator.column(column.type, column.name),
                expression: field.column.expression.coerced(to: column.type))
        }
        return (.project(relation.plan, assignments), assignments.map(\.column))
    }

    /// INTERSECT and EXCEPT as semi and anti joins in which NULL equals NULL. With ALL, the nth equal
    /// row of the one side meets the nth of the other.
    private func matched(
        _ operation: SetOperation, _ left: (plan: LogicalPlan, columns: [PlanColumn]),
        _ right: (plan: LogicalPlan, columns: [PlanColumn]), _ columns: [PlanColumn]
    ) throws(QueryFault) -> LogicalPlan {
        var one = left
        var other = right
        if operation.isDistinct {
            one.plan = .project(left.plan, left.columns.map(\.assignment)).distinct(left.columns)
        } else {
            one = try numbered(left)
            other = try numbered(right)
        }
        let equalities = zip(one.columns, other.columns).map {
            JoinEquality(left: $0.id, right: $1.id, matchesNulls: true)
        }
        let join = LogicalPlan.join(
            JoinNode(
                kind: operation.kind == .intersect ? .semi : .anti, left: one.plan,
                right: other.plan,
                equalities: equalities))
        return .project(
            join,
            zip(columns, one.columns).map { Assignment(column: $0, expression: $1.expression) })
    }

    private func numbered(
        _ side: (plan: LogicalPlan, columns: [PlanColumn])
    ) throws(QueryFault) -> (plan: LogicalPlan, columns: [PlanColumn]) {
        let number = allocator.column(.bigint, "$number")
        let call = WindowCall(
            output: number, function: try registry.resolveAggregate("row_number", []),
            arguments: [],
            frame: WindowFrame(unit: .rows, start: .unboundedPreceding, end: .currentRow))
        let window = WindowNode(
            input: side.plan, partitionBy: side.columns.map(\.id), orderBy: [], calls: [call])
        return (.window(window), side.columns + [number])
    }
}

extension LogicalPlan {
    /// Equal rows once; the output is these columns, each once.
    func distinct(_ columns: [PlanColumn]) -> LogicalPlan {
        var seen: Set<ColumnID> = []
        return .aggregate(
            AggregateNode(
                input: self, keys: columns.filter { seen.insert($0.id).inserted }, calls: []))
    }
}
