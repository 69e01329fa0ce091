/// `JSON_TABLE(input, path COLUMNS (..) [PLAN ..] [ERROR|EMPTY ON ERROR])`.
package struct JSONTable: Sendable, Hashable {
    package let invocation: JSONPathInvocation
    /// `AS name` after the root path.
    package let pathName: Identifier?
    package let columns: [JSONTableColumn]
    package let plan: JSONTablePlan?
    /// ERROR ON ERROR (true), EMPTY ON ERROR (false).
    package let failsOnError: Bool?
}

/// One column of JSON_TABLE; nested paths have columns of their own.
package indirect enum JSONTableColumn: Sendable, Hashable {
    case ordinality(Identifier)
    case value(Identifier, TypeName, path: String?, JSONValueClauses)
    /// The type's FORMAT JSON is `clauses.format`.
    case query(Identifier, TypeName, path: String?, JSONQueryClauses)
    case nested(path: String, name: Identifier?, [JSONTableColumn])
}

/// The PLAN clause: how nested paths combine.
package indirect enum JSONTablePlan: Sendable, Hashable {
    case path(Identifier)
    case outer(Identifier, JSONTablePlan)
    case inner(Identifier, JSONTablePlan)
    case union(JSONTablePlan, JSONTablePlan)
    case cross(JSONTablePlan, JSONTablePlan)
    /// PLAN DEFAULT (OUTER|INNER, UNION|CROSS).
    case byDefault(isInner: Bool, isCross: Bool)
}
