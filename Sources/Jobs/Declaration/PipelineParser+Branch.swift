import YAML

extension PipelineParser {
    /// `branch`: the warehouses that a run branches, empty for all; nil when it works where everybody does.
    func branch(_ root: YAMLNode) throws -> [String]? {
        guard let node = root["branch"], !node.isNull else { return nil }
        if case .sequence(let elements) = node.kind {
            let names = try elements.map { try $0.string() }
            guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty && !$0.contains(",") }) else {
                throw invalid(node, "branch is true, or a list of warehouses")
            }
            return names
        }
        if let flag = try? node.boolean() { return flag ? [] : nil }
        return [try node.string()]
    }

    /// A run on a branch ends with a step that publishes it, after every other step unless it says so.
    func checkPublishing(_ root: YAMLNode, _ document: inout PipelineDocument) throws {
        let publishing = document.steps.indices.filter { document.steps[$0].kind == "publish" }
        guard document.branch != nil else {
            if let index = publishing.first {
                throw invalid(
                    root["steps"] ?? root,
                    "step \(document.steps[index].id) publishes, and the pipeline has no branch",
                    hint: "add branch: true")
            }
            return
        }
        guard publishing.count == 1, let index = publishing.first else {
            throw invalid(
                root["branch"] ?? root,
                "a pipeline with a branch has one step of kind publish, not \(publishing.count)",
                hint: "add - {id: publish, kind: publish} as the last step")
        }
        let others = document.steps.indices.filter { $0 != index }.map { document.steps[$0].id }
        let waiting = document.steps.filter { $0.needs.contains(document.steps[index].id) }
        if let late = waiting.first {
            throw invalid(
                root["steps"] ?? root, "step \(late.id) comes after the publishing step",
                hint: "what is to be done then is a pipeline of its own: after: \(document.name)")
        }
        // Every other step has to be done: nothing unaudited is published.
        document.steps[index].needs = others
    }
}
