import Foundation
import Testing

/// The rules of the house style that a machine can check. Each failure names file, line and rule.
struct TidyTests {
    private func report(_ problems: [String], _ rule: String) {
        guard !problems.isEmpty else { return }
        let shown = problems.prefix(200).joined(separator: "\n")
        Issue.record("\(rule): \(problems.count)\n\(shown)")
    }

    private func lines(
        _ rule: String, in files: [SourceTree.File] = SourceTree.sources,
        where isWrong: (SourceTree.File, Int, String) -> Bool
    ) {
        var problems: [String] = []
        for file in files {
            for (number, text) in file.code where isWrong(file, number, text) {
                problems.append(
                    "\(file.path):\(number): \(text.trimmingCharacters(in: .whitespaces))")
            }
        }
        report(problems, rule)
    }

    private static let importLine = try? NSRegularExpression(
        pattern:
            #"^\s*(?:@[\w()]+\s+)*(?:package |internal |public |private |fileprivate )?import (?:(?:struct|class|enum|protocol|func|let|var|typealias) )?(\w+)"#
    )

    private func imports(_ file: SourceTree.File) -> [(line: Int, module: String)] {
        file.code.compactMap { number, text in
            let range = NSRange(text.startIndex..., in: text)
            guard let match = TidyTests.importLine?.firstMatch(in: text, range: range),
                let name = Range(match.range(at: 1), in: text)
            else { return nil }
            return (number, String(text[name]))
        }
    }

    // MARK: The module map

    /// Targets that no product is made of: they may import what they test, and Foundation.
    private static let tools: Set<String> = ["TestSupport", "dev"]

    @Test func `every target stands in the module map`() {
        let known = Set(ModuleMap.imports.keys).union(TidyTests.tools)
        report(
            Set(SourceTree.sources.map(\.module)).subtracting(known).sorted().filter {
                !ModuleMap.isC($0)
            },
            "targets that the map does not have")
    }

    @Test func `no import points up, or sideways past the map`() {
        var problems: [String] = []
        for file in SourceTree.sources where !TidyTests.tools.contains(file.module) {
            let allowed = ModuleMap.allowed(file.module)
            for (line, name) in imports(file)
            where ModuleMap.imports[name] != nil || ModuleMap.isC(name) {
                if !allowed.contains(name) {
                    problems.append("\(file.path):\(line): import \(name)")
                }
            }
        }
        report(problems, "imports past the module map")
    }

    /// Files that call libm: functions of their arguments and of nothing else.
    private static let mathematics = [
        "Sources/SQLExecution/Aggregates/Mathematics.swift",
        "Sources/SQLFunctions/Numbers/Mathematics.swift",
    ]

    @Test func `only the platform layer imports the system`() {
        var problems: [String] = []
        for file in SourceTree.sources where !TidyTests.tools.contains(file.module) {
            let isPlatform = ModuleMap.layer(of: file.module) == 1
            for (line, name) in imports(file)
            where ModuleMap.imports[name] == nil && !ModuleMap.isC(name)
                && !ModuleMap.standard.contains(name)
            {
                if name == "Glibc", isPlatform || TidyTests.mathematics.contains(file.path) {
                    continue
                }
                problems.append("\(file.path):\(line): import \(name)")
            }
        }
        report(problems, "imports of Foundation or the system")
    }

    // MARK: Files

    /// Files that may be longer, and why.
    private static let longFiles: [String: String] = [
        "Sources/CivilTime/ZoneNames.swift": "a table of names, one a line"
    ]

    @Test func `files stay under 600 lines`() {
        report(
            SourceTree.sources.filter {
                $0.lines.count > 601 && TidyTests.longFiles[$0.path] == nil
            }
            .map { "\($0.path): \($0.lines.count) lines" }, "long files")
    }

    @Test func `every target tells its story in a file without code`() {
        var problems: [String] = []
        for module in ModuleMap.imports.keys.sorted() where module != "lakehouse" {
            let path = "Sources/\(module)/\(module).swift"
            // A target that is not there yet has no story either.
            guard SourceTree.exists("Sources/\(module)") else { continue }
            guard let story = SourceTree.sources.first(where: { $0.path == path }) else {
                problems.append("\(path): missing")
                continue
            }
            if story.code.contains(where: { !$0.text.trimmingCharacters(in: .whitespaces).isEmpty })
            {
                problems.append("\(path): has code")
            }
            if story.lines.count < 5 { problems.append("\(path): no story") }
        }
        report(problems, "module stories")
    }

    @Test func `no file is named for a kind of thing`() {
        let banned = ["Utils", "Helpers", "Common", "Manager", "Base", "Misc"]
        report(
            SourceTree.sources.map(\.path).filter { path in
                let name = path.split(separator: "/").last?.dropLast(6) ?? ""
                return banned.contains { name.hasSuffix($0) }
                    || ["/Protocols/", "/Extensions/", "/Errors/"].contains { path.contains($0) }
            }, "names that say nothing")
    }

    @Test func `the embedded files are those of the folders`() throws {
        let list = try #require(SourceTree.text("Sources/CWebFiles/CWebFiles.c"))
        var problems: [String] = []
        for folder in ["web", "seeds", "demos"] {
            let base = SourceTree.root.appendingPathComponent(folder)
            let found =
                FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String }
                ?? []
            for path in found.sorted() {
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(
                    atPath: base.appendingPathComponent(path).path, isDirectory: &isFolder)
                let isHidden = path.split(separator: "/").contains { $0.hasPrefix(".") }
                if isFolder.boolValue || isHidden { continue }
                if !list.contains("\(folder)/\(path)\"") { problems.append("\(folder)/\(path)") }
            }
        }
        report(problems, "files that are not embedded (make web-list)")
    }

    // MARK: Words

    @Test func `nothing is left for later`() {
        var problems: [String] = []
        for file in SourceTree.sources {
            for (index, line) in file.lines.enumerated()
            where line.range(of: #"\b(TODO|FIXME|XXX|HACK)\b"#, options: .regularExpression) != nil
            {
                problems.append(
                    "\(file.path):\(index + 1): \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
        report(problems, "words for unfinished work")
    }

    @Test func `nothing prints, and only invariant stops the process`() {
        let banned = try? NSRegularExpression(
            pattern:
                #"(?<![\w.])(print|debugPrint|dump|fatalError|assertionFailure)\("#
        )
        lines("calls that are banned") { file, _, text in
            // A function of our own that is called by its bare name inside its type.
            if text.contains("func print(") || file.path.hasPrefix("Sources/Diagnostics/") {
                return false
            }
            return banned?.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        }
    }

    @Test func `nothing is public`() {
        lines("public declarations") { _, _, text in
            text.range(of: #"^\s*(public|open) [a-z]"#, options: .regularExpression) != nil
        }
    }

    @Test func `tasks begin in Supervision only`() {
        lines("unstructured tasks") { file, _, text in
            file.module != "Supervision"
                && text.range(of: #"\bTask(\.detached)?(\(.*\))? \{"#, options: .regularExpression)
                    != nil
        }
    }

    @Test func `what the compiler cannot check says why it is safe`() {
        var problems: [String] = []
        for file in SourceTree.sources {
            for (number, text) in file.code
            where text.contains("@unchecked Sendable") || text.contains("nonisolated(unsafe)") {
                // Beside it, above it, or in the first lines of the body.
                let near = file.lines[max(0, number - 8)..<min(file.lines.count, number + 4)]
                if !near.contains(where: { $0.contains("Safe because") }) {
                    problems.append(
                        "\(file.path):\(number): \(text.trimmingCharacters(in: .whitespaces))")
                }
            }
        }
        report(problems, "unchecked without `Safe because`")
    }

    @Test func `what other targets use is documented`() {
        var problems: [String] = []
        let declaration =
            #"^\s*(@\w+(\([^)]*\))?\s+)*package (final |indirect |static |class |mutating |consuming |nonisolated )*(func|struct|class|enum|protocol|actor|typealias) "#
        for file in SourceTree.sources {
            var documented: Set<String> = []
            for (number, text) in file.code
            where text.range(of: declaration, options: .regularExpression) != nil {
                // What a protocol asks for is documented there, and a body on the same line tells all.
                let name = text.range(of: #"func [\w`]+"#, options: .regularExpression).map {
                    text[$0]
                }
                let isWitness =
                    name.map { TidyTests.requirements.contains(String($0.dropFirst(5))) } ?? false
                let isOneLine = text.hasSuffix("}") && text.contains("{")
                // Codes of faults and operators are the same everywhere.
                let isUsual =
                    text.contains("enum Code: String")
                    || text.range(of: #"static func [^\w`\s]"#, options: .regularExpression) != nil
                if isDocumented(file, number) {
                    if let name { documented.insert(String(name)) }
                    continue
                }
                // One comment speaks for the overloads of a function in its file.
                let isOverload = name.map { documented.contains(String($0)) } ?? false
                if !isWitness && !isOneLine && !isUsual && !isOverload {
                    problems.append(
                        "\(file.path):\(number): \(text.trimmingCharacters(in: .whitespaces))")
                }
            }
        }
        report(problems, "package declarations without a comment")
    }

    /// Whether a comment stands above; one comment may speak for a run of siblings without a blank line
    /// between them.
    private func isDocumented(_ file: SourceTree.File, _ number: Int) -> Bool {
        let indentation = file.lines[number - 1].prefix { $0 == " " }.count
        var above = number - 2
        while above >= 0 {
            let line = file.lines[above]
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty { return false }
            if line.prefix(while: { $0 == " " }).count < indentation { return false }
            if text.hasPrefix("///"), line.prefix(while: { $0 == " " }).count == indentation {
                return true
            }
            above -= 1
        }
        return false
    }

    /// Names of the functions that protocols ask for: ours, and the standard library's.
    private static let requirements: Set<String> = {
        var found: Set<String> = [
            "hash", "next", "makeIterator", "encode", "appendLiteral", "appendInterpolation",
        ]
        for file in SourceTree.sources {
            var depth: Int?
            for (_, text) in file.code {
                let indentation = text.prefix { $0 == " " }.count
                if let outer = depth, indentation <= outer, text.hasSuffix("}") { depth = nil }
                if text.contains("protocol "), text.hasSuffix("{") { depth = indentation }
                guard depth != nil,
                    let range = text.range(of: #"func [\w`]+"#, options: .regularExpression)
                else { continue }
                found.insert(String(text[range].dropFirst(5)))
            }
        }
        return found
    }()
}
