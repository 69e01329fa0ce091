import CivilTime
import Diagnostics
import Foundation
import JSON
import Testing
import YAML

@testable import Metrics

/// Every question of the fixtures with the frame, the readings or the refusal that it must give.
/// What is read otherwise without a correction, a note or a second reading is a wrong answer that
/// nobody was warned of: there must be none.
struct QuestionFileTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func model(_ path: String) throws -> MetricModel {
        try MetricFile.parse(try text(path), path: path)
    }

    @Test(arguments: ["fraud", "analysts", "reviewers", "sales", "energy"])
    func questionsAreReadAsExpected(_ name: String) throws {
        let file = try QuestionFile("Tests/MetricsTests/Fixtures/\(name)-questions.yml")
        var wrong: [String] = []
        for question in file.questions { file.check(question, after: nil, &wrong) }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test func thereAreQuestionsEnough() throws {
        let count = try ["fraud", "analysts", "reviewers", "sales", "energy"].reduce(0) {
            sum, name in
            sum + (try QuestionFile("Tests/MetricsTests/Fixtures/\(name)-questions.yml").count)
        }
        #expect(count >= 300)
    }

    /// Any single word that no one knows makes the question refused and is named.
    @Test func anUnknownWordIsNeverPassedOver() throws {
        let file = try QuestionFile("Tests/MetricsTests/Fixtures/fraud-questions.yml")
        for question in file.questions where question["frame"] != nil {
            let words = try question.required("ask").string().split(separator: " ")
            // Within quotes it would be a part of a value.
            if words.contains(where: { $0.hasPrefix("\"") }) { continue }
            for place in 0...words.count {
                var changed = words
                changed.insert("xylophonic", at: place)
                let text = changed.joined(separator: " ")
                guard case .refused(let refusal) = file.reader.read(text) else {
                    Issue.record("answered: \(text)")
                    continue
                }
                #expect(refusal.words.contains("xylophonic"), "\(text)")
            }
        }
    }
}

/// A file of questions.
struct QuestionFile {
    let root: YAMLNode
    let model: MetricModel
    let reader: QuestionReader
    let questions: [YAMLNode]

    init(_ path: String) throws {
        root = try YAMLDocument.parse(try QuestionFileTests.text(path), name: path)
        model = try QuestionFileTests.model(try root.required("model").string())
        var values: [String: [String]] = [:]
        for entry in try root.required("values").mapping() {
            values[entry.key] = try entry.value.sequence().map { try $0.string() }
        }
        let now = try #require(CivilParse.timestamp(try root.required("now").string()))
        reader = QuestionReader(model: model, values: values, now: now.microseconds)
        questions = try root.required("questions").sequence()
    }

    var count: Int {
        func size(_ node: YAMLNode) -> Int {
            1 + ((try? node["then"]?.sequence()) ?? []).map(size).reduce(0, +)
        }
        return questions.map(size).reduce(0, +)
    }

    func check(_ node: YAMLNode, after previous: Frame?, _ wrong: inout [String]) {
        do {
            let question = try node.required("ask").string()
            let outcome = reader.read(question, previous: previous)
            let place = "\(node.name):\(node.span.line): \(question)\n   "
            if let readings = node["readings"] {
                let wanted = try readings.sequence().map { try frame($0) }
                guard case .ambiguous(let found) = outcome else {
                    wrong.append(place + "wanted two readings, found \(outcome)")
                    return
                }
                if Set(found.map(\.frame)) != Set(wanted) {
                    wrong.append(place + "found \(found.map(\.text))")
                }
            } else if let code = node["refused"] {
                guard case .refused(let refusal) = outcome else {
                    wrong.append(place + "wanted a refusal, found \(outcome)")
                    return
                }
                let words = try node["words"]?.sequence().map { try $0.string() }
                if refusal.code.rawValue != (try code.string())
                    || words.map({ $0 != refusal.words }) ?? false
                {
                    wrong.append(place + "refused with \(refusal)")
                }
            } else {
                let wanted = try frame(try node.required("frame"))
                guard case .read(let reading) = outcome else {
                    wrong.append(place + "found \(outcome)")
                    return
                }
                if reading.frame != wanted {
                    wrong.append(
                        place + "wanted \(wanted.json.encodedText())\n    found "
                            + reading.frame.json.encodedText())
                }
                let corrected = try node["corrected"]?.sequence().map { try $0.string() } ?? []
                if reading.corrections.map(\.typed) != corrected {
                    wrong.append(place + "corrected \(reading.corrections)")
                }
                if let noted = try node["noted"]?.string(),
                    !reading.notes.contains(where: { $0.contains(noted) })
                {
                    wrong.append(place + "noted \(reading.notes)")
                }
                for next in try node["then"]?.sequence() ?? [] {
                    check(next, after: reading.frame, &wrong)
                }
            }
        } catch { wrong.append("\(node.span.line): \(error)") }
    }

    private func frame(_ node: YAMLNode) throws -> Frame {
        if let name = node.text { return try frame(try root.required("frames").required(name)) }
        var members: [(String, JSONValue)] = [("model", .string(model.name))]
        for entry in try node.mapping() {
            if entry.key == "period" || entry.key == "compareTo", let name = entry.value.text {
                members.append((entry.key, try json(try root.required("periods").required(name))))
            } else {
                members.append((entry.key, try json(entry.value)))
            }
        }
        return try Frame(JSONValue.object(members).cursor)
    }

    private func json(_ node: YAMLNode) throws -> JSONValue {
        switch node.kind {
        case .mapping(let entries):
            return .object(try entries.map { ($0.key, try json($0.value)) })
        case .sequence(let nodes): return .array(try nodes.map(json))
        case .scalar("true", true): return .bool(true)
        case .scalar(let text, let isPlain):
            return isPlain && ExactNumber(text) != nil
                ? .number(JSONNumber(text: text)) : .string(text)
        }
    }
}
