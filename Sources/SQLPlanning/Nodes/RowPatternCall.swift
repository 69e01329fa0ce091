package import SQLFunctions
package import Vectors

/// MATCH_RECOGNIZE as a window call: for each row the output rows of the match that begins there.
///
/// The call's value is an array of rows with one field for each of `values`; it is empty where no match
/// begins. An `UnnestNode` above makes rows of them. Columns are named by their place among the call's
/// arguments, so that the plan may rename them. Source: ISO/IEC TR 19075-5, "Row pattern recognition".
package struct RowPatternCall: Sendable {
    /// Which rows a match gives.
    package enum Output: Sendable { case oneRow, all, allWithoutEmpty, allWithUnmatched }

    /// Where the search goes on behind a match.
    package enum Skip: Sendable {
        case toNextRow, pastLastRow
        case toFirst(Set<Int>, name: String)
        case toLast(Set<Int>, name: String)
    }

    package var program: RowPatternProgram
    /// The names of the pattern's variables, as CLASSIFIER gives them.
    package var labels: [String]
    /// By label: what a row has to fulfil; nil: nothing.
    package var conditions: [RowPatternCondition?]
    package var values: [RowPatternValue]
    package var output: Output
    package var skip: Skip

    package init(
        program: RowPatternProgram, labels: [String], conditions: [RowPatternCondition?],
        values: [RowPatternValue], output: Output, skip: Skip
    ) {
        self.program = program
        self.labels = labels
        self.conditions = conditions
        self.values = values
        self.output = output
        self.skip = skip
    }

    /// What stands for the function of such a call.
    package static func function(_ result: LogicalType) -> ResolvedAggregate {
        ResolvedAggregate(
            function: AggregateFunction(
                name: "match_recognize", signature: .fixed([], result: result),
                summary: "Rows of the matches of a row pattern.", example: "match_recognize()"),
            parameters: [], result: result)
    }
}

/// Which row a value is taken from.
package struct RowPatternNavigation: Sendable, Hashable {
    /// Rows with these labels count; nil: all rows of the match.
    package var labels: Set<Int>?
    /// Counted from the first such row rather than from the last.
    package var isFirst = false
    /// So many of the rows that count further.
    package var offset = 0
    /// From there so many rows of the partition, which may leave the match.
    package var shift = 0
    /// Seen from the end of the match rather than from the row at hand.
    package var isFinal = false

    package init(labels: Set<Int>?) { self.labels = labels }
}

/// A value of an output row, or of a condition.
package struct RowPatternValue: Sendable {
    /// Where the value comes from.
    package enum Kind: Sendable {
        /// Of the output row itself.
        case column(argument: Int)
        case navigation(argument: Int, RowPatternNavigation)
        case classifier(RowPatternNavigation)
        case matchNumber
        /// Whether the row is of a match at all.
        case isMatched
        case aggregate(
            ResolvedAggregate, arguments: [Int], filter: Int?, labels: Set<Int>?, isFinal: Bool)
        /// An aggregate whose arguments are known with the match only: over labels or its number.
        case matchAggregate(
            ResolvedAggregate, RowPatternArguments, labels: Set<Int>?, isFinal: Bool)
    }
    package var kind: Kind
    package var column: PlanColumn

    package init(kind: Kind, column: PlanColumn) {
        self.kind = kind
        self.column = column
    }
}

/// Arguments of an aggregate over the rows of a match, computed of values that each row has in it.
package struct RowPatternArguments: Sendable {
    /// Columns, the row's own label and the number of the match.
    package var values: [RowPatternValue]
    package var arguments: [BoundExpression]
    package var filter: BoundExpression?

    package init(
        values: [RowPatternValue], arguments: [BoundExpression], filter: BoundExpression?
    ) {
        self.values = values
        self.arguments = arguments
        self.filter = filter
    }
}

/// What DEFINE says of a label: a condition over values that are taken for the row at hand.
package struct RowPatternCondition: Sendable {
    package var values: [RowPatternValue]
    package var predicate: BoundExpression

    package init(values: [RowPatternValue], predicate: BoundExpression) {
        self.values = values
        self.predicate = predicate
    }
}

/// A row pattern as steps of a backtracking matcher; the first alternative is preferred.
package struct RowPatternProgram: Sendable, Hashable {
    /// One step; targets are places in `steps`.
    package enum Step: Sendable, Hashable {
        /// Takes one row as the label's.
        case label(Int)
        case jump(Int)
        /// Goes on with the first, and with the second where that fails.
        case split(Int, Int)
        /// The partition begins here.
        case start
        /// The partition ends here.
        case end
        case excludeBegin
        case excludeEnd
        /// Remembers where a repetition begins, and leaves the loop for `exit` when it took no row.
        case enterLoop(Int)
        case checkLoop(Int, exit: Int)
        case accept
    }

    package private(set) var steps: [Step] = []
    package private(set) var loopCount = 0
    /// Steps of one program; quantifiers and PERMUTE multiply them.
    package static let stepLimit = 20_000

    package init() {}

    /// Adds a step and tells its place; nil when there are too many.
    @discardableResult
    package mutating func add(_ step: Step) -> Int? {
        guard steps.count < Self.stepLimit else { return nil }
        steps.append(step)
        return steps.count - 1
    }

    /// Puts the real target in.
    package mutating func replace(_ place: Int, _ step: Step) { steps[place] = step }

    package var nextPlace: Int { steps.count }

    /// Numbers a repetition.
    package mutating func newLoop() -> Int {
        loopCount += 1
        return loopCount - 1
    }
}
