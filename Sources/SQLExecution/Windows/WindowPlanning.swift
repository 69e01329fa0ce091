import SQLFunctions
import SQLPlanning
import Vectors

extension PhysicalPlanner {
    /// Window functions: hash partitions, each sorted and computed by itself.
    func window(_ node: WindowNode, _ demand: Demand) throws(QueryFault) -> Stream {
        let calls = node.calls.filter { demand.needed?.contains($0.output.id) ?? true }
        var needed = Set(node.partitionBy).union(node.orderBy.map(\.column))
        let inputs = node.input.outputs
        needed.formUnion(inputs.map(\.id).filter { demand.needed?.contains($0) ?? true })
        for call in calls {
            needed.formUnion(call.arguments)
            if let filter = call.filter { needed.insert(filter) }
            for bound in [call.frame.start, call.frame.end] {
                switch bound {
                case .preceding(let id), .following(let id): needed.insert(id)
                default: break
                }
            }
        }
        let stream = try build(node.input, Demand(needed: needed))
        let sink = try WindowSink(
            partitionBy: node.partitionBy, orderBy: node.orderBy, calls: calls,
            layout: stream.layout,
            runtime: runtime)
        finish(stream, into: sink)
        return Stream(
            branches: [Branch(source: sink)],
            layout: Layout(stream.layout.columns + calls.map(\.output)))
    }
}
