import Diagnostics
import SQLFunctions
import SQLSyntax

extension Binder {
    /// `TABLE(exclude_columns(input => TABLE(t), columns => DESCRIPTOR(a, b)))`: the table without these
    /// columns. Source: Trino documentation, "Table functions".
    func excludeColumns(
        _ call: TableFunctionCall, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        var input: TableArgument?
        var columns: [DescriptorField]?
        for (index, argument) in call.arguments.enumerated() {
            let name = argument.name?.canonical ?? (index == 0 ? "input" : "columns")
            switch (name, argument.value) {
            case ("input", .table(let table)): input = table
            case ("columns", .descriptor(let fields)): columns = fields
            default:
                throw .analysis(
                    .invalidArguments, "Unexpected argument of exclude_columns: \(name)",
                    argument.span)
            }
        }
        guard let input, let columns else {
            throw .analysis(
                .missingArgument,
                "Missing argument: " + (input == nil ? "INPUT" : "COLUMNS"), call.span)
        }
        guard input.partitionBy == nil, input.orderBy.isEmpty else {
            throw .analysis(
                .invalidArguments,
                "Partitioning and ordering are not allowed for an argument with row semantics",
                call.span)
        }
        var relation = try bind(input.relation, in: environment)
        for column in columns {
            guard column.type == nil else {
                throw .analysis(
                    .invalidArguments, "COLUMNS descriptor contains types", column.name.span)
            }
            guard relation.visible.contains(where: { $0.canonical == column.name.canonical }) else {
                throw .analysis(
                    .invalidArguments,
                    "Excluded columns: [\(column.name.canonical)] not present in the table",
                    column.name.span,
                    hint: nearestName(
                        to: column.name.canonical, among: relation.visible.compactMap(\.name)
                    ).map { "did you mean \($0)?" })
            }
        }
        let excluded = Set(columns.map(\.name.canonical))
        relation.fields = relation.visible.filter { !excluded.contains($0.canonical ?? "") }
            .map { $0.requalified([]) }
        guard !relation.fields.isEmpty else {
            throw .analysis(.invalidArguments, "All columns are excluded", call.span)
        }
        return relation
    }
}
