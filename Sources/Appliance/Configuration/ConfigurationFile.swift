import YAML

/// Reads the settings of a YAML file as dotted keys: `engine: { threads: 2 }` is `engine.threads`.
func flattened(_ bytes: [UInt8], _ file: String) throws -> [(key: String, value: String)] {
    let root = try YAMLDocument.parse(String(decoding: bytes, as: UTF8.self), name: file)
    var found: [(key: String, value: String)] = []
    try collect(root, prefix: "", into: &found)
    return found
}

private func collect(
    _ node: YAMLNode, prefix: String, into found: inout [(key: String, value: String)]
) throws {
    switch node.kind {
    case .mapping(let entries):
        for entry in entries {
            try collect(
                entry.value, prefix: prefix.isEmpty ? entry.key : "\(prefix).\(entry.key)",
                into: &found)
        }
    case .sequence(let nodes):
        found.append((prefix, try nodes.map { try $0.string() }.joined(separator: ",")))
    case .scalar:
        // An empty file is a scalar without text.
        if !prefix.isEmpty { found.append((prefix, node.text ?? "")) }
    }
}
