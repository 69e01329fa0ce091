import SQLFunctions
import SQLPlanning

extension PhysicalPlanner {
    /// The fingerprints of aggregates that a plan has more than once, such as those of a common table
    /// expression that is read twice. What lies below a repetition is not looked at again.
    static func repeatedParts(of plan: LogicalPlan) -> Set<String> {
        guard aggregateCount(plan) > 1 else { return [] }
        var seen: Set<String> = []
        var repeated: Set<String> = []
        func visit(_ plan: LogicalPlan) {
            if case .aggregate = plan, let text = plan.fingerprint, !seen.insert(text).inserted {
                repeated.insert(text)
                return
            }
            for child in plan.children { visit(child) }
        }
        visit(plan)
        return repeated
    }

    private static func aggregateCount(_ plan: LogicalPlan) -> Int {
        var count = plan.children.reduce(0) { $0 + aggregateCount($1) }
        if case .aggregate = plan { count += 1 }
        return count
    }

    /// A source of rows that another part of the plan reads as well; nil where there is no other.
    ///
    /// The first to ask plans the pipelines, which therefore run before those of all readers. All columns
    /// are made and no filter from above is let in, since readers differ in what they want.
    func sharedPart(_ plan: LogicalPlan) throws(QueryFault) -> Stream? {
        guard !repeatedParts.isEmpty, case .aggregate(let node) = plan,
            let text = plan.fingerprint, repeatedParts.contains(text)
        else { return nil }
        let outputs = plan.outputs
        let sink: SharedRowsSink
        if let known = sharedParts[text] {
            sink = known
        } else {
            var stream = try aggregate(node, Demand(needed: nil))
            try reorder(&stream, outputs)
            sink = SharedRowsSink(outputs.map(\.type))
            finish(stream, into: sink)
            sharedParts[text] = sink
        }
        return Stream(branches: [Branch(source: sink.makeSource())], layout: Layout(outputs))
    }
}
