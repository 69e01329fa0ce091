/// A call of a scalar, aggregate or window function.
package struct FunctionCall: Sendable, Hashable {
    package let name: QualifiedName
    package let arguments: [Argument]
    /// `count(*)`; then there are no arguments.
    package var isStar = false
    package var isDistinct = false
    /// ORDER BY inside the parentheses, or WITHIN GROUP.
    package var orderBy: [SortItem] = []
    package var filter: Expression?
    package var nullTreatment: NullTreatment?
    package var window: Window?
    /// RUNNING or FINAL, in MATCH_RECOGNIZE only.
    package var processingMode: ProcessingMode?
    /// LISTAGG only: what happens when the text grows too long.
    package var overflow: ListaggOverflow?
    /// Whether the order came from WITHIN GROUP.
    package var isWithinGroup = false

    /// One argument; named ones (`f(x => 1)`) occur in procedures, table functions and newer scalars.
    package struct Argument: Sendable, Hashable {
        package let name: Identifier?
        package let value: Expression
    }
}

/// `RESPECT NULLS` or `IGNORE NULLS` of a window function.
package enum NullTreatment: String, Sendable, Hashable {
    case respect = "RESPECT NULLS"
    case ignore = "IGNORE NULLS"
}

/// `RUNNING` or `FINAL` of a row pattern's measure.
package enum ProcessingMode: String, Sendable, Hashable {
    case running = "RUNNING"
    case final = "FINAL"
}

/// `ON OVERFLOW ERROR` or `ON OVERFLOW TRUNCATE ['...'] WITH|WITHOUT COUNT`.
package enum ListaggOverflow: Sendable, Hashable {
    case error
    case truncate(filler: String?, withCount: Bool)
}

/// What follows OVER.
package enum Window: Sendable, Hashable {
    /// `OVER w`.
    case reference(Identifier)
    /// `OVER (...)`.
    case specification(WindowSpecification)
}

/// `([base] [PARTITION BY ..] [ORDER BY ..] [frame])`.
package struct WindowSpecification: SyntaxNode {
    /// The named window that this one refines.
    package let base: Identifier?
    package let partitionBy: [Expression]
    package let orderBy: [SortItem]
    package let frame: WindowFrame?
    package let place: Place
}

/// `ROWS BETWEEN 1 PRECEDING AND CURRENT ROW`; no end means CURRENT ROW.
package struct WindowFrame: SyntaxNode {
    /// What the bounds of a frame count.
    package enum Unit: String, Sendable, Hashable {
        case rows = "ROWS"
        case range = "RANGE"
        case groups = "GROUPS"
    }
    /// One end of a frame.
    package enum Bound: Sendable, Hashable {
        case unboundedPreceding
        case preceding(Expression)
        case currentRow
        case following(Expression)
        case unboundedFollowing
    }
    package let unit: Unit
    package let start: Bound
    package let end: Bound?
    package let place: Place
}

/// An element of ORDER BY. NULLs come last by default, in both directions.
package struct SortItem: SyntaxNode {
    package let expression: Expression
    package let isDescending: Bool
    package let nulls: NullOrder?
    package let place: Place

    /// Where an order puts NULLs.
    package enum NullOrder: String, Sendable, Hashable {
        case first = "NULLS FIRST"
        case last = "NULLS LAST"
    }

    /// Whether NULLs come first, with the default applied.
    package var nullsFirst: Bool { nulls == .first }
}
