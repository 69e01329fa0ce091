import Iceberg
import JSON
import SQLPlanning

/// Which columns of which tables the values of written columns are made of.
///
/// Read off the plan that runs, so it cannot differ from what was done: through joins, unions, subqueries
/// and views down to the tables that were scanned. A column that decides only which rows there are (a
/// join's key, a condition, the group of a count) is no source of a value. Every snapshot that a statement
/// commits says it in its summary:
///
///     lakehouse.column-lineage = {"amount": [["silver", "banking", "transactions", "amount"]]}
struct ColumnLineage {
    static let summaryKey = "lakehouse.column-lineage"
    /// Longer texts are left out: the summary is read with every load of the table.
    private static let letterLimit = 32_768

    /// A column of a table.
    struct Source: Hashable {
        let table: TableName
        let column: String

        var path: [String] { [table.catalog, table.schema, table.table, column] }
    }

    private var known: [ColumnID: Set<Source>] = [:]

    init(_ plan: LogicalPlan) { read(plan) }

    /// What the column of the plan is made of.
    func sources(of column: ColumnID) -> Set<Source> { known[column] ?? [] }

    /// The summary's text for named columns of the plan; nil where no value comes out of a table but
    /// `target` itself.
    func text(_ columns: [(name: String, id: ColumnID)], writing target: TableName?) -> String? {
        var members: [(String, JSONValue)] = []
        for (name, id) in columns {
            let paths = sources(of: id).filter { $0.table != target }.map(\.path)
                .sorted { $0.lexicographicallyPrecedes($1) }
            guard !paths.isEmpty, !members.contains(where: { $0.0 == name }) else { continue }
            members.append((name, .array(paths.map { .array($0.map { .string($0) }) })))
        }
        guard !members.isEmpty else { return nil }
        let text = JSONValue.object(members).encodedText()
        return text.utf8.count <= Self.letterLimit ? text : nil
    }

    private mutating func read(_ plan: LogicalPlan) {
        for child in plan.children { read(child) }
        switch plan {
        case .scan(let node):
            for (column, place) in zip(node.columns, node.tableColumns) {
                guard node.table.columns.indices.contains(place) else { continue }
                let origin = node.table.columns[place]
                if origin.isHidden { continue }
                known[column.id] = [Source(table: node.table.name, column: origin.name)]
            }
        case .values(let node):
            for (place, column) in node.columns.enumerated() {
                for row in node.rows where row.indices.contains(place) {
                    add(row[place].columns, to: column.id)
                }
            }
        case .project(_, let assignments):
            // All at once: an assignment sees the input's columns, not its neighbours.
            let found = assignments.map { ($0.column.id, union($0.expression.columns)) }
            for (id, sources) in found { known[id] = sources }
        case .aggregate(let node):
            for call in node.calls { add(Set(call.arguments), to: call.output.id) }
        case .window(let node):
            for call in node.calls { add(Set(call.arguments), to: call.output.id) }
        case .join(let node):
            if case .mark(let id, _) = node.kind {
                add(Set(node.equalities.flatMap { [$0.left, $0.right] }), to: id)
            }
        case .union(_, let columns, let mapping):
            for (place, column) in columns.enumerated() {
                for ids in mapping where ids.indices.contains(place) {
                    add([ids[place]], to: column.id)
                }
            }
        case .unnest(let node):
            for (collection, columns) in zip(node.collections, node.columns) {
                for column in columns { add([collection], to: column.id) }
            }
        case .filter, .sort, .topN, .limit, .singleRow, .rowNumber, .sample: break
        }
    }

    private func union(_ columns: Set<ColumnID>) -> Set<Source> {
        columns.reduce(into: []) { $0.formUnion(known[$1] ?? []) }
    }

    private mutating func add(_ columns: Set<ColumnID>, to output: ColumnID) {
        known[output, default: []].formUnion(union(columns))
    }
}

extension StatementRun {
    /// Notes what the columns of a statement's rows are made of, for the snapshot that it commits.
    func noteLineage(
        _ plan: LogicalPlan, _ ids: [ColumnID], of fields: [NestedField], named: Set<Int>? = nil,
        writing target: TableName?
    ) {
        let columns = zip(fields, ids).enumerated()
            .filter { named?.contains($0.offset) ?? true }
            .map { (name: $0.element.0.name, id: $0.element.1) }
        columnLineage = ColumnLineage(plan).text(columns, writing: target)
    }
}
