import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// JSON_TABLE: one array of rows, each with the items of all paths, is made and unnested; columns are
/// JSON_VALUE and JSON_QUERY over those items.
extension Binder {
    /// A path of the table and the columns that are computed from its items.
    private struct TablePath {
        var index: Int
        var name: Identifier?
        var columns: [JSONTableColumn]
        var nested: [TablePath] = []
    }

    /// Rows of JSON_TABLE beside those of `left`, whose columns its input may read.
    func jsonTable(
        _ left: BoundRelation, _ scope: Scope, _ table: JSONTable, isLeft: Bool,
        _ span: SourceSpan, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        var texts: [String] = []
        let root = try tablePath(
            table.invocation.path, table.pathName, table.columns, &texts, depth: 0, span)
        let shape = JSONTableShape(
            paths: texts, plan: try plan(table.plan, root, span),
            failsOnError: table.failsOnError ?? false)
        let binder = ExpressionBinder(self, scope, environment, plan: left.plan)
        binder.clause = "JSON_TABLE"
        let arguments = try binder.jsonArguments(table.invocation, span)
        let rows = BoundExpression.call(
            shape.resolved(input: arguments[0].type),
            arguments + [.string("\(texts) \(shape.plan) \(shape.failsOnError)")])
        let collection = binder.plan.provide(rows, allocator, name: "json_table")
        let outputs: [PlanColumn] = texts.indices.flatMap { index in
            [
                allocator.column(.json, "item\(index)"),
                allocator.column(.bigint, "ordinality\(index)"),
            ]
        }
        let below = binder.plan
        let unnest = UnnestNode(
            input: below, kept: below.outputs.map(\.id).filter { $0 != collection },
            collections: [collection], columns: [outputs], ordinality: nil, isOuter: isLeft)
        let stage = ExpressionBinder(self, scope, environment, plan: .unnest(unnest))
        stage.clause = "JSON_TABLE"
        var values: [(Identifier, BoundExpression)] = []
        // The values of PASSING are bound once: they stand in the arguments.
        try columns(
            of: root, outputs, Array(arguments[2...]), table.failsOnError ?? false, stage, &values,
            span)
        var fields: [Field] = []
        var assignments = left.plan.outputs.map(\.assignment)
        for (name, value) in values {
            if fields.contains(where: { $0.canonical == name.canonical }) {
                throw .analysis(
                    .duplicateColumnOrPathName,
                    "All column and path names in JSON_TABLE must be unique: \(name.canonical)",
                    name.span)
            }
            let column = allocator.column(value.type, name.text)
            assignments.append(Assignment(column: column, expression: value))
            fields.append(Field(qualifier: [], name: name.text, column: column))
        }
        return BoundRelation(plan: .project(stage.plan, assignments), fields: fields)
    }

    private func tablePath(
        _ path: String, _ name: Identifier?, _ columns: [JSONTableColumn],
        _ texts: inout [String], depth: Int, _ span: SourceSpan
    ) throws(QueryFault) -> TablePath {
        guard depth < 32, texts.count < 64 else {
            throw .analysis(
                .notSupported, "JSON_TABLE has more than 64 paths or nests deeper than 32", span)
        }
        // A path that cannot be read is a fault of the statement and not of its rows.
        do throws(QueryFault) { try JSONPathSyntax.check(path) } catch {
            throw .analysis(error.code, error.message, span)
        }
        var result = TablePath(index: texts.count, name: name, columns: columns)
        texts.append(path)
        for column in columns {
            if case .nested(let path, let name, let columns) = column {
                result.nested.append(
                    try tablePath(path, name, columns, &texts, depth: depth + 1, span))
            }
        }
        return result
    }

    // MARK: Columns

    private func columns(
        of path: TablePath, _ outputs: [PlanColumn], _ passing: [BoundExpression],
        _ failsOnError: Bool, _ stage: ExpressionBinder,
        _ values: inout [(Identifier, BoundExpression)], _ span: SourceSpan
    ) throws(QueryFault) {
        let item = outputs[path.index * 2]
        func implicit(_ name: Identifier) -> String {
            "lax $.\"" + name.text.replacing("\"", with: "\"\"") + "\""
        }
        var nested = path.nested.makeIterator()
        for column in path.columns {
            switch column {
            case .ordinality(let name):
                values.append((name, outputs[path.index * 2 + 1].expression))
            case .value(let name, let type, let text, var clauses):
                clauses.returning = type
                if clauses.onError == nil, failsOnError { clauses.onError = .error }
                let arguments = [item.expression, .string(text ?? implicit(name))] + passing
                values.append(
                    (
                        name,
                        ofItem(item, try stage.jsonValue(arguments, clauses, span))
                    ))
            case .query(let name, let type, let text, var clauses):
                clauses.returning = type
                if clauses.onError == nil, failsOnError { clauses.onError = .error }
                let arguments = [item.expression, .string(text ?? implicit(name))] + passing
                values.append(
                    (
                        name,
                        ofItem(item, try stage.jsonQuery(arguments, clauses, span))
                    ))
            case .nested:
                guard let child = nested.next() else { continue }
                try columns(of: child, outputs, passing, failsOnError, stage, &values, span)
            }
        }
    }

    /// NULL where the path takes no part in the row: no default applies then.
    private func ofItem(_ item: PlanColumn, _ value: BoundExpression) -> BoundExpression {
        .caseWhen(
            [WhenBranch(condition: .not(.isNull(item.expression)), value: value)], otherwise: nil,
            type: value.type)
    }

    // MARK: Plans

    private func plan(
        _ written: JSONTablePlan?, _ root: TablePath, _ span: SourceSpan
    ) throws(QueryFault) -> JSONTableShape.Plan {
        switch written {
        case nil: return byDefault(root, isInner: false, isCross: false)
        case .byDefault(let isInner, let isCross)?:
            return byDefault(root, isInner: isInner, isCross: isCross)
        case let written?:
            var names: [String: TablePath] = [:]
            try collect(root, &names, span)
            return try explicit(written, [root], names, span)
        }
    }

    private func byDefault(
        _ path: TablePath, isInner: Bool, isCross: Bool
    ) -> JSONTableShape.Plan {
        let children = path.nested.map { byDefault($0, isInner: isInner, isCross: isCross) }
        guard let first = children.first else { return .path(path.index) }
        let all = children.dropFirst().reduce(first) { isCross ? .cross($0, $1) : .union($0, $1) }
        return isInner ? .inner(path.index, all) : .outer(path.index, all)
    }

    private func collect(
        _ path: TablePath, _ names: inout [String: TablePath], _ span: SourceSpan
    ) throws(QueryFault) {
        guard let name = path.name else {
            throw .analysis(
                .missingPathName,
                "All JSON paths must be named when specific plan is given", span)
        }
        guard names.updateValue(path, forKey: name.canonical) == nil else {
            throw .analysis(
                .duplicateColumnOrPathName,
                "All column and path names in JSON_TABLE must be unique: \(name.canonical)",
                name.span)
        }
        for child in path.nested { try collect(child, &names, span) }
    }

    /// The plan over exactly these sibling paths.
    private func explicit(
        _ written: JSONTablePlan, _ siblings: [TablePath], _ names: [String: TablePath],
        _ span: SourceSpan
    ) throws(QueryFault) -> JSONTableShape.Plan {
        func invalid(_ why: String) -> QueryFault {
            .analysis(.invalidPlan, "JSON_TABLE plan is invalid: \(why)", span)
        }
        func sibling(_ name: Identifier) throws(QueryFault) -> TablePath {
            guard let path = names[name.canonical] else {
                throw invalid("there is no path named \(name.canonical)")
            }
            guard siblings.count == 1, siblings[0].index == path.index else {
                throw invalid("path \(name.canonical) does not stand where it is nested")
            }
            return path
        }
        switch written {
        case .path(let name):
            let path = try sibling(name)
            guard path.nested.isEmpty else {
                throw invalid("paths below \(name.canonical) are missing")
            }
            return .path(path.index)
        case .outer(let name, let child):
            let path = try sibling(name)
            return .outer(path.index, try explicit(child, path.nested, names, span))
        case .inner(let name, let child):
            let path = try sibling(name)
            return .inner(path.index, try explicit(child, path.nested, names, span))
        case .union(let one, let other), .cross(let one, let other):
            let mentioned = one.names
            let first = siblings.filter { mentioned.contains($0.name?.canonical ?? "") }
            let second = siblings.filter { !mentioned.contains($0.name?.canonical ?? "") }
            let left = try explicit(one, first, names, span)
            let right = try explicit(other, second, names, span)
            if case .union = written { return .union(left, right) }
            return .cross(left, right)
        case .byDefault: throw invalid("PLAN DEFAULT stands alone")
        }
    }
}

extension JSONTablePlan {
    /// The names of all paths in the plan.
    fileprivate var names: Set<String> {
        switch self {
        case .path(let name): [name.canonical]
        case .outer(let name, let child), .inner(let name, let child):
            child.names.union([name.canonical])
        case .union(let one, let other), .cross(let one, let other): one.names.union(other.names)
        case .byDefault: []
        }
    }
}
