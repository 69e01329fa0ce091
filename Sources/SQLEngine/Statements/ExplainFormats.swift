import JSON
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

/// EXPLAIN's plans as documents.
enum ExplainFormats {
    /// A plan as JSON, with the members that Trino's has; `isDistributed` puts it into the one fragment that
    /// a single process has. Source: Trino documentation, "EXPLAIN".
    static func json(_ plan: PlanDescription, isDistributed: Bool) -> String {
        var next = 0
        let tree = node(plan, &next)
        return (isDistributed ? JSONValue.object([("0", tree)]) : tree).encodedText(.pretty)
    }

    private static func node(_ plan: PlanDescription, _ next: inout Int) -> JSONValue {
        let id = next
        next += 1
        let width = plan.outputs.reduce(0.0) { $0 + Double(max(8, $1.type.physical.width)) }
        let bytes = number(plan.rows * width)
        return .object([
            ("id", .string("\(id)")),
            ("name", .string(plan.title)),
            ("descriptor", .object([])),
            (
                "outputs",
                .array(
                    plan.outputs.map {
                        .object([
                            ("type", .string($0.type.description)), ("name", .string($0.name)),
                        ])
                    })
            ),
            ("details", .array(plan.detail.isEmpty ? [] : [.string(plan.detail)])),
            (
                "estimates",
                .array([
                    .object([
                        ("outputRowCount", number(plan.rows)), ("outputSizeInBytes", bytes),
                        ("cpuCost", bytes), ("memoryCost", .double(0)), ("networkCost", .double(0)),
                    ])
                ])
            ),
            ("children", .array(plan.children.map { node($0, &next) })),
        ])
    }

    private static func number(_ value: Double) -> JSONValue {
        value.isFinite ? .double(value.rounded()) : .string("NaN")
    }

    /// A plan in Graphviz's language: rows flow along the arrows.
    static func graphviz(_ plan: PlanDescription) -> String {
        var lines = ["digraph plan {", "    rankdir = BT;", "    node [shape = box];"]
        var next = 0
        draw(plan, &next, &lines)
        return lines.joined(separator: "\n") + "\n}"
    }

    @discardableResult
    private static func draw(
        _ plan: PlanDescription, _ next: inout Int, _ lines: inout [String]
    ) -> Int {
        let id = next
        next += 1
        let label = quoted(plan.title) + (plan.detail.isEmpty ? "" : "\\n" + quoted(plan.detail))
        lines.append("    n\(id) [label = \"\(label)\"];")
        for child in plan.children {
            let below = draw(child, &next, &lines)
            lines.append("    n\(below) -> n\(id);")
        }
        return id
    }

    private static func quoted(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\"", "\\": out += "\\\(character)"
            case "\n": out += "\\n"
            default: out.append(character)
            }
        }
        return out
    }
}

extension StatementRun {
    /// The plan that a statement runs; nil for one that has none.
    func plan(of bound: BoundStatement) -> LogicalPlan? {
        switch bound {
        case .query(let query), .createTableAs(_, let query): query.plan
        case .insert(let insert): insert.plan
        case .delete(let change), .update(let change), .merge(let change): change.plan
        case .utility: nil
        }
    }

    /// EXPLAIN in a format that is not text. Throws NOT_SUPPORTED for statements without a plan.
    func explain(
        _ bound: BoundStatement, _ format: ExplainFormat, isDistributed: Bool
    ) throws(QueryFault) -> String {
        guard let plan = plan(of: bound) else {
            throw QueryFault(
                .notSupported,
                "EXPLAIN FORMAT \(format.rawValue) is of queries and changes of rows",
                hint: "use FORMAT TEXT")
        }
        var printer = PlanPrinter()
        let tree = printer.tree(plan)
        return format == .json
            ? ExplainFormats.json(tree, isDistributed: isDistributed)
            : ExplainFormats.graphviz(tree)
    }
}
