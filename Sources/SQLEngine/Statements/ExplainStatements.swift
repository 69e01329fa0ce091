import Iceberg
import JSON
import Platform
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

extension StatementRun {
    /// EXPLAIN [(TYPE …, FORMAT …)].
    func explain(
        _ statement: Statement, _ options: [ExplainOption]
    ) throws(QueryFault) -> StatementOutcome {
        var type = ExplainType.distributed
        var format: ExplainFormat?
        for option in options {
            switch option {
            case .type(let written): type = written
            case .format(let written): format = written
            }
        }
        switch type {
        case .validate:
            _ = try bindOnly(statement)
            return .rows([QueryColumn(name: "Valid", type: .boolean)], [[.boolean(true)]])
        case .io:
            guard format == nil || format == .json else {
                throw QueryFault(
                    .notSupported, "EXPLAIN (TYPE IO) is given as FORMAT JSON",
                    span: statement.span)
            }
            return planRow(try inputsAndOutputs(try bind(statement)))
        case .logical, .distributed:
            let bound = try bind(statement)
            guard let format, format != .text else { return planRow(explain(bound)) }
            return planRow(try explain(bound, format, isDistributed: type == .distributed))
        }
    }

    private func planRow(_ text: String) -> StatementOutcome {
        .rows([QueryColumn(name: "Query Plan", type: .text)], [[.text(text)]])
    }

    /// Runs a statement for its statistics. A query's rows go nowhere; a statement that changes rows
    /// changes them.
    func explainAnalyze(
        _ statement: Statement, isVerbose: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let bound = try bind(statement)
        let begin = engine.monotonic.now()
        var written: String?
        switch bound {
        case .query(let query):
            try execute(query.plan, columns: query.columns.map(\.id)) {
                (_: Chunk) throws(QueryFault) in
            }
        case .utility:
            throw QueryFault(
                .notSupported, "EXPLAIN ANALYZE doesn't support statement type",
                hint: "it runs queries and statements that change rows", span: statement.span)
        case .createTableAs, .insert, .delete, .update, .merge:
            // The statement is really done, as in Trino.
            if case .done(let updateType, let count) = try DataStatements.execute(bound, in: self) {
                written = updateType + (count.map { ": \($0) rows" } ?? "")
            }
        }
        let seconds = (engine.monotonic.now() - begin).fractionalSeconds
        var lines = [
            explain(bound), "",
            AnalyzedPlan.summary(executions, milliseconds: seconds * 1000),
        ]
        if let written { lines.append(written) }
        lines += AnalyzedPlan.lines(executions, isVerbose: isVerbose)
        return planRow(lines.joined(separator: "\n"))
    }

    // MARK: TYPE IO

    /// Which columns of which tables a statement reads and what it writes. Source: Trino documentation,
    /// "EXPLAIN, EXPLAIN (TYPE IO, FORMAT JSON)".
    private func inputsAndOutputs(_ bound: BoundStatement) throws(QueryFault) -> String {
        let (plan, output): (LogicalPlan?, TableName?) =
            switch bound {
            case .query(let query): (query.plan, nil)
            case .createTableAs(let create, let query): (query.plan, try tableName(create.name))
            case .insert(let insert): (insert.plan, insert.name)
            case .delete(let change), .update(let change), .merge(let change):
                (change.plan, change.name)
            case .utility: (nil, nil)
            }
        var inputs: [JSONValue] = []
        if let plan { collect(plan, &inputs) }
        var members: [(String, JSONValue)] = [("inputTableColumnInfos", .array(inputs))]
        if let output { members.append(("outputTable", Self.json(output))) }
        if let plan { members.append(("estimate", Self.estimate(plan))) }
        return JSONValue.object(members).encodedText(.pretty)
    }

    private func collect(_ plan: LogicalPlan, _ inputs: inout [JSONValue]) {
        if case .scan(let node) = plan {
            let constrained = Set(
                node.filters.flatMap { filter in
                    var used: Set<ColumnID> = []
                    filter.collectColumns(into: &used)
                    return used
                })
            let all = node.columns + node.filterOnlyColumns.map(\.column)
            inputs.append(
                .object([
                    ("table", Self.json(node.table.name)),
                    (
                        "constraint",
                        .object([
                            ("none", .bool(false)),
                            (
                                "columnConstraints",
                                .array(
                                    all.filter { constrained.contains($0.id) }.map {
                                        .object([
                                            ("columnName", .string($0.name)),
                                            ("type", .string($0.type.description)),
                                        ])
                                    })
                            ),
                        ])
                    ),
                    ("estimate", Self.estimate(plan)),
                ]))
        }
        for child in plan.children { collect(child, &inputs) }
    }

    private static func json(_ name: TableName) -> JSONValue {
        .object([
            ("catalog", .string(name.catalog)),
            (
                "schemaTable",
                .object([("schema", .string(name.schema)), ("table", .string(name.table))])
            ),
        ])
    }

    private static func estimate(_ plan: LogicalPlan) -> JSONValue {
        let rows = plan.estimate.rows
        let width = plan.outputs.reduce(0.0) { $0 + Double(max(8, $1.type.physical.width)) }
        func number(_ value: Double) -> JSONValue {
            value.isFinite ? .double(value.rounded()) : .string("NaN")
        }
        return .object([
            ("outputRowCount", number(rows)), ("outputSizeInBytes", number(rows * width)),
            ("cpuCost", number(rows * width)), ("maxMemory", .double(0)),
            ("networkCost", .double(0)),
        ])
    }
}
