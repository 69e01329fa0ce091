import Authority
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// A name that FROM or a subquery offers, and the column behind it.
struct Field {
    /// Parts before the column's name: an alias, or catalog, schema and table; lower case.
    var qualifier: [String]
    /// The label in the case it was written; nil for an anonymous expression.
    var name: String?
    var column: PlanColumn
    /// `$path` and the like: by name only, never in `*`.
    var isHidden = false
    /// A column that USING merged: by qualified name only.
    var isMerged = false
    /// The table behind, for DESCRIBE OUTPUT.
    var origin: TableName?
    var isAliased = false

    var canonical: String? { name?.lowercased() }

    /// Whether the field answers to these parts before its name.
    func answers(to parts: ArraySlice<String>) -> Bool {
        parts.isEmpty
            ? !isMerged : parts.count <= qualifier.count && qualifier.suffix(parts.count) == parts
    }
}

/// A plan and the names of its columns.
struct BoundRelation {
    var plan: LogicalPlan
    var fields: [Field]

    var visible: [Field] { fields.filter { !$0.isHidden && !$0.isMerged } }
}

/// The names that an expression may use, and those of the queries around it.
final class Scope {
    let fields: [Field]
    let outer: Scope?
    /// After grouping: the columns that may be read; nil: all.
    let grouped: Set<ColumnID>?

    init(_ fields: [Field], outer: Scope?, grouped: Set<ColumnID>? = nil) {
        self.fields = fields
        self.outer = outer
        self.grouped = grouped
    }

    enum Found {
        case nothing
        /// How many of the name's parts were used up.
        case column(PlanColumn, partCount: Int, isGrouped: Bool, isLocal: Bool)
        case ambiguous
    }

    /// Looks a dotted name up: the longest prefix that is a column, here first and then outside.
    func find(_ parts: [String]) -> Found {
        for count in stride(from: parts.count, through: 1, by: -1) {
            let name = parts[count - 1]
            let qualifier = parts[..<(count - 1)]
            let matches = fields.filter { $0.canonical == name && $0.answers(to: qualifier) }
            guard let first = matches.first else { continue }
            if matches.contains(where: { $0.column.id != first.column.id }) { return .ambiguous }
            return .column(
                first.column, partCount: count,
                isGrouped: grouped?.contains(first.column.id) ?? true, isLocal: true)
        }
        switch outer?.find(parts) {
        case .column(let column, let partCount, let isGrouped, _):
            return .column(column, partCount: partCount, isGrouped: isGrouped, isLocal: false)
        case .ambiguous: return .ambiguous
        default: return .nothing
        }
    }

    /// All names, for suggestions.
    var names: [String] { fields.compactMap(\.name) + (outer?.names ?? []) }
}

/// A query named by WITH, and where its own names are looked up.
final class NamedQuery {
    let item: WithQuery
    let environment: Environment
    let isRecursive: Bool

    init(item: WithQuery, environment: Environment, isRecursive: Bool) {
        self.item = item
        self.environment = environment
        self.isRecursive = isRecursive
    }
}

/// What is known around a query: outer names, WITH, defaults and whose rights count.
struct Environment {
    enum Named {
        case query(NamedQuery)
        /// One step of a recursive query: the rows of the step before.
        case rows(BoundRelation)
    }

    var outer: Scope?
    var named: [String: Named] = [:]
    /// Functions of WITH FUNCTION.
    var routines: [String: FunctionSpecification] = [:]
    var catalog: String?
    var schema: String?
    var context: RequestContext
    /// Views that are being bound, to find cycles.
    var views: [TableName] = []
    /// How deep queries nest.
    var depth = 0
}
