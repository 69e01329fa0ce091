package import Authority
package import JSON

/// Runs one SQL statement to its end. `Appliance` supplies the engine.
package protocol StatementRunner: Sendable {
    /// Returns how many rows the statement wrote or answered. `properties` go into the summary of
    /// the snapshots that it commits.
    func run(_ sql: String, context: RequestContext, properties: [String: String]) throws -> Int64

    /// The same on the branch that the run works on.
    func run(
        _ sql: String, context: RequestContext, properties: [String: String], branch: RunBranch
    ) throws -> Int64
}

extension StatementRunner {
    /// For runners that know no branches: a run that wants one fails.
    package func run(
        _ sql: String, context: RequestContext, properties: [String: String], branch: RunBranch
    ) throws -> Int64 {
        throw JobError(.wrongState, "statements cannot run on a branch here: \(branch.name)")
    }
}

/// Steps of kind `sql`: one or more statements, each once.
///
///     with: {file: ../models/mart.sql}     # or sql: "…"
package struct SQLStep: JobHandler {
    private let runner: any StatementRunner

    package init(_ runner: any StatementRunner) { self.runner = runner }

    package func problem(with options: JSONValue) -> OptionProblem? {
        guard case .object(let object) = options else {
            return OptionProblem(path: "", message: "a mapping with sql or file is wanted")
        }
        for name in object.names where name != "sql" {
            return OptionProblem(
                path: name, message: "unknown option: \(name)", hint: "options: sql, file")
        }
        guard case .string(let text)? = object["sql"] else {
            return OptionProblem(
                path: "sql", message: "the statements are missing", hint: "add sql: or file:")
        }
        return Statements.split(text).isEmpty
            ? OptionProblem(path: "sql", message: "there is no statement") : nil
    }

    package func run(_ step: StepRun) throws -> StepResult {
        let text = try step.options.cursor["sql"].string()
        let statements = Statements.split(text)
        var rows: Int64 = 0
        for (index, statement) in statements.enumerated() {
            rows += try step.once("statement \(index + 1)") {
                if step.context.cancellation.isCancelled {
                    throw JobError(.cancelled, "stopped before statement \(index + 1)")
                }
                step.log("\(index + 1)/\(statements.count): \(Statements.summary(statement))")
                var properties = step.commitProperties
                if statements.count > 1 {
                    properties["lakehouse.step-id"] = "\(step.stepID)#\(index + 1)"
                }
                let count =
                    try step.branch.map {
                        try runner.run(
                            statement, context: step.context, properties: properties, branch: $0)
                    } ?? runner.run(statement, context: step.context, properties: properties)
                step.log("\(count) rows")
                return count
            }
        }
        return StepResult(
            message: statements.count == 1
                ? "\(rows) rows" : "\(statements.count) statements, \(rows) rows",
            rows: rows)
    }
}

/// Takes a script apart at its semicolons.
enum Statements {
    /// The statements without the semicolons; quotes and comments are respected, empty ones left out.
    static func split(_ script: String) -> [String] {
        let bytes = Array(script.utf8)
        var statements: [String] = []
        var start = 0
        var index = 0
        var hasContent = false
        func end(_ at: Int) {
            if hasContent {
                let text = String(decoding: bytes[start..<at], as: UTF8.self)
                statements.append(text.trimmingBlanks())
            }
            hasContent = false
        }
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                hasContent = true
                index += 1
                // A doubled quote ends and begins again, which comes to the same.
                while index < bytes.count, bytes[index] != byte { index += 1 }
            case UInt8(ascii: "-") where index + 1 < bytes.count && bytes[index + 1] == byte:
                while index < bytes.count, bytes[index] != 0x0A { index += 1 }
            case UInt8(ascii: "/")
            where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "*"):
                index += 2
                while index + 1 < bytes.count,
                    bytes[index] != UInt8(ascii: "*") || bytes[index + 1] != UInt8(ascii: "/")
                { index += 1 }
                index += 1
            case UInt8(ascii: ";"):
                end(index)
                start = index + 1
            case 0x09, 0x0A, 0x0D, 0x20: break
            default: hasContent = true
            }
            index += 1
        }
        end(bytes.count)
        return statements
    }

    /// The first words, for logs.
    static func summary(_ statement: String) -> String {
        let lines = statement.split(separator: "\n").map { $0.drop { $0 == " " } }
            .filter { !$0.hasPrefix("--") }
        return String(
            lines.joined(separator: " ").split(separator: " ").joined(separator: " ").prefix(120))
    }
}

extension String {
    fileprivate func trimmingBlanks() -> String {
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        return String(
            drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed())
    }
}
