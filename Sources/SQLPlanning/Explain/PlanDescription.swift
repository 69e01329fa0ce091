package import Vectors

/// A node of a plan as it is shown.
package struct PlanDescription {
    /// What the node is, such as `Join inner`.
    package let title: String
    /// What it does, such as `l_orderkey = o_orderkey`.
    package let detail: String
    /// Its columns by the names that details use.
    package let outputs: [(name: String, type: LogicalType)]
    /// How many rows are expected.
    package let rows: Double
    package let children: [PlanDescription]
}
