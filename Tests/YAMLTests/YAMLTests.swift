import Diagnostics
import Testing
import YAML

@Suite struct YAMLTests {
    @Test func aPipelineFileIsRead() throws {
        let root = try YAMLDocument.parse(
            """
            name: nightly   # A comment.
            enabled: true
            retries: 3
            ratio: 1.5e2
            steps:
              - sql: |
                  SELECT 1
                  FROM t
              - {check: "a: b", limit: 1_000}
            empty:
            """, name: "p.yml")
        #expect(try root.required("name").string() == "nightly")
        #expect(try root.required("enabled").boolean())
        #expect(try root.required("retries").integer() == 3)
        #expect(try root.required("ratio").double() == 150)
        let steps = try root.required("steps").sequence()
        #expect(steps[0]["sql"]?.text == "SELECT 1\nFROM t\n")
        #expect(steps[1]["check"]?.text == "a: b")
        #expect(try steps[1].required("limit").integer() == 1000)
        #expect(root["empty"]?.isNull == true)
        #expect(
            try root.mapping().map(\.key) == [
                "name", "enabled", "retries", "ratio", "steps", "empty",
            ])
        #expect(steps[1].span.line == 9)
        #expect(steps[1].span.column == 5)
    }

    @Test func quotedScalarsAreTexts() throws {
        let root = try YAMLDocument.parse("[\"1\", '', !!str 2, yes, null, ~, !secret x]")
        let nodes = try root.sequence()
        #expect(throws: YAMLError.self) { try nodes[0].integer() }
        #expect(!nodes[1].isNull)
        #expect(throws: YAMLError.self) { try nodes[2].integer() }
        #expect(throws: YAMLError.self) { try nodes[3].boolean() }
        #expect(nodes[4].isNull && nodes[5].isNull)
        #expect(nodes[6].tag == "!secret")
    }

    @Test func anchorsAndMergeKeysWork() throws {
        let root = try YAMLDocument.parse(
            "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nsame: *b\n")
        let use = try root.required("use")
        #expect(try use.required("x").integer() == 1)
        #expect(try use.required("y").integer() == 3)
        #expect(try root.required("same").required("y").integer() == 2)
    }

    @Test(arguments: [
        ("a: b: c", YAMLError.Code.syntax, 1, 5), ("a: 1\n\tb: 2", .syntax, 2, 1),
        ("a: 1\nb: 2\na: 3", .duplicateKey, 3, 1), ("a: *none", .unknownAlias, 1, 4),
        ("a: 1\n---\nb: 2", .syntax, 2, 1), ("{[1]: 2}", .syntax, 1, 2),
        ("a: [1, 2", .syntax, 2, 1),
    ])
    func faultsTellWhere(text: String, code: YAMLError.Code, line: Int, column: Int) {
        let error = #expect(throws: YAMLError.self) { try YAMLDocument.parse(text, name: "f.yml") }
        #expect(error?.code == code)
        #expect(error?.span.line == line || code == .syntax)
        if code != .syntax { #expect(error?.span.column == column) }
        #expect(error?.message.hasPrefix("f.yml:") == true)
    }

    @Test func readersGetFaultsWithPlaces() throws {
        let root = try YAMLDocument.parse("name: x\nretrys: 3\n", name: "f.yml")
        let unknown = #expect(throws: YAMLError.self) { try root.allow(keys: ["name", "retries"]) }
        #expect(unknown?.code == .unknownKey)
        #expect(unknown?.hint == "did you mean retries?")
        #expect(unknown?.message == "f.yml:2:1: unknown key: retrys")
        let missing = #expect(throws: YAMLError.self) { try root.required("steps") }
        #expect(missing?.code == .missingKey)
        let wrong = #expect(throws: YAMLError.self) { try root.required("name").integer() }
        #expect(wrong?.message == "f.yml:1:7: a whole number is wanted here, found x")
    }

    @Test func bombsAreRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let uses = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(uses)]\n"
        }
        let bomb = #expect(throws: YAMLError.self) { try YAMLDocument.parse(text) }
        #expect(bomb?.code == .limitExceeded)
        let deep = #expect(throws: YAMLError.self) {
            try YAMLDocument.parse(String(repeating: "[", count: 10_000))
        }
        #expect(deep?.code == .limitExceeded)
    }

    @Test func emptyTextIsNull() throws {
        #expect(try YAMLDocument.parse("").isNull)
        #expect(try YAMLDocument.parse("# nothing\n").isNull)
    }

    @Test func mutationsNeverCrash() {
        let text = Array("a: &x [1, 'two', \"three\"]\nb: {c: *x, <<: {d: e}}\nf: |\n  text\n".utf8)
        var seed: UInt64 = 11
        for _ in 0..<5000 {
            var bytes = text
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(seed >> 33) % bytes.count] = UInt8(truncatingIfNeeded: seed >> 25)
            }
            _ = try? YAMLDocument.parse(String(decoding: bytes, as: UTF8.self))
        }
    }
}
