import Appliance
import YAML

/// The texts of a walkthrough: `demos/NAME/demo.yml`.
struct DemoScript: Sendable {
    struct Step: Sendable {
        let number: Int
        let title: String
        let why: String
    }

    let name: String
    let steps: [Step]
    let claims: [Claim]

    /// Reads the embedded script.
    static func load(_ name: String) throws -> DemoScript {
        guard let text = EmbeddedFiles.text("demos/\(name)/demo.yml") else {
            throw WalkthroughError(
                .unknownDemo, "there is no walkthrough of that name: \(name)",
                hint: "banking-fraud and sales are there")
        }
        let root = try YAMLDocument.parse(text, name: "demos/\(name)/demo.yml")
        let steps = try root.required("steps").sequence().map {
            Step(
                number: try $0.required("step").integer(), title: try $0.required("title").string(),
                why: try $0.required("why").string())
        }
        let claims = try root.required("claims").sequence().map {
            Claim(
                id: try $0.required("id").string(), step: try $0.required("step").integer(),
                text: try $0.required("text").string(),
                option: try $0["with"]?.string())
        }
        return DemoScript(name: name, steps: steps, claims: claims)
    }
}
