import SQLFunctions
package import Vectors

/// Gives out column ids; one allocator serves the binding and the optimization of one statement.
package final class ColumnAllocator {
    private var next: Int32

    /// `first` is the first number given out.
    package init(first: Int32 = 1) { next = first }

    /// An id that was never given out before.
    package func id() -> ColumnID {
        defer { next += 1 }
        return ColumnID(next)
    }

    /// A new column with an id that no other column of the plan has.
    package func column(_ type: LogicalType, _ name: String) -> PlanColumn {
        PlanColumn(id: id(), type: type, name: name)
    }
}

extension PlanColumn {
    /// The column as an expression.
    package var expression: BoundExpression { .column(id, type) }
    /// The column passed through a projection.
    package var assignment: Assignment { Assignment(column: self, expression: expression) }
}
