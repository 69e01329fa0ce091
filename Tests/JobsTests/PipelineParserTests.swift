import Diagnostics
import Foundation
import JSON
import Testing
import YAML

@testable import Jobs

struct NoHandler: JobHandler {
    var wrong: OptionProblem?
    func problem(with options: JSONValue) -> OptionProblem? { wrong }
    func run(_ step: StepRun) throws -> StepResult { StepResult(message: "") }
}

@Suite struct PipelineParserTests {
    private func parse(_ text: String, files: [String: String] = [:]) throws -> PipelineDocument {
        try PipelineParser(handlers: ["ingest": NoHandler(), "sql": NoHandler()], files: files)
            .parse(text, source: "p.yml")
    }

    @Test func everythingIsRead() throws {
        let document = try parse(
            """
            name: bank
            schedule: {cron: "0 6 * * mon-fri", zone: Europe/Vienna, catch-up: false}
            parameters: {source: /x.db, region: }
            triggers:
              - {on: object_created, bucket: landing, prefix: a/, pattern: "**/*.csv"}
              - {on: object_removed, bucket: landing, prefix: a/}
              - after: other
            concurrency: 3
            retries: 2
            timeout: 10m
            steps:
              - {id: a, kind: ingest, with: {source: {sqlite: "${source}"}, n: 5, flag: true, key: ["${event.key}"]}}
              - {id: b, kind: sql, needs: a, retries: 0, backoff: 500ms, with: {file: m.sql}}
            """, files: ["m.sql": "select 1"])
        #expect(document.schedule?.text == "0 6 * * mon-fri")
        #expect(!document.catchesUp)
        #expect(document.parameters.map(\.defaultValue) == ["/x.db", nil])
        #expect(document.triggers.count == 3)
        #expect(
            document.triggers[1] == .objectRemoved(bucket: "landing", prefix: "a/", pattern: nil))
        #expect(document.concurrency == 3)
        #expect(document.steps.map(\.retries) == [2, 0])
        #expect(document.steps[1].backoff == .milliseconds(500))
        #expect(document.steps[0].timeout == .seconds(600))
        #expect(document.steps[1].needs == ["a"])
        #expect(document.steps[1].options == ["sql": "select 1"])
    }

    @Test(arguments: [
        ("name: a\nsteps: []", "p.yml:2:8", nil as String?),
        ("name: a b\nsteps: [{id: x, kind: sql}]", "p.yml:1:7", nil),
        ("name: a\nstep: []", "p.yml:2:1", "did you mean steps?"),
        ("name: a\nsteps: [{id: x, kind: sqk}]", "p.yml:2:23", "did you mean sql?"),
        ("name: a\nsteps:\n- {id: x, kind: sql}\n- {id: x, kind: sql}", "p.yml:4:8", nil),
        (
            "name: a\nsteps:\n- {id: one, kind: sql}\n- {id: x, kind: sql, needs: [ons]}",
            "p.yml:4:29",
            "did you mean one?"
        ),
        (
            "name: a\nsteps:\n- {id: x, kind: sql, needs: y}\n- {id: y, kind: sql, needs: x}",
            "p.yml:3:3", nil
        ),
        ("name: a\nschedule: 61 * * * *\nsteps: [{id: x, kind: sql}]", "p.yml:2:11", nil),
        (
            "name: a\nschedule: {cron: '@daily', zone: Europe/Wien}\nsteps: [{id: x, kind: sql}]",
            "p.yml:2:34",
            nil
        ),
        (
            "name: a\ntriggers: [{on: object_create, bucket: b}]\nsteps: [{id: x, kind: sql}]",
            "p.yml:2:17",
            "did you mean object_created?"
        ),
        ("name: a\ntriggers: [{after: a}]\nsteps: [{id: x, kind: sql}]", "p.yml:2:20", nil),
        ("name: a\nretries: 1000\nsteps: [{id: x, kind: sql}]", "p.yml:2:10", nil),
        ("name: a\ntimeout: 5 min\nsteps: [{id: x, kind: sql}]", "p.yml:2:10", nil),
        (
            "name: a\nparameters: {source: x}\nsteps: [{id: x, kind: sql, with: {sql: '${sorce}'}}]",
            "p.yml:3:34", "did you mean source?"
        ),
        ("name: a\nsteps: [{id: x, kind: sql, with: {file: none.sql}}]", "p.yml:2:41", nil),
    ])
    func faultsSayWhere(_ text: String, _ place: String, _ hint: String?) {
        do {
            _ = try parse(text)
            Issue.record("no fault")
        } catch let error as any Fault {
            #expect(error.message.hasPrefix("\(place): "), "\(error.message)")
            if let hint { #expect(error.hint == hint) }
        } catch { Issue.record("\(error)") }
    }

    @Test func aHandlersProblemIsShownAtItsOption() {
        let handler = NoHandler(
            wrong: OptionProblem(path: "source.table", message: "no such table", hint: "try t"))
        do {
            _ = try PipelineParser(handlers: ["ingest": handler], files: [:]).parse(
                "name: a\nsteps:\n- id: x\n  kind: ingest\n  with:\n    source:\n      table: u",
                source: "p.yml")
            Issue.record("no fault")
        } catch let error as JobError {
            #expect(error.code == .invalidPipeline)
            #expect(error.message == "p.yml:7:14: step x: no such table")
            #expect(error.hint == "try t")
        } catch { Issue.record("\(error)") }
    }

    /// The pipelines that ship: the demos' and those applied at the first start.
    @Test(arguments: [
        ("demos/banking-fraud/pipelines/replicate.yml", "replicate", 6),
        ("demos/banking-fraud/pipelines/marts.yml", "marts", 6),
        ("demos/banking-fraud/pipelines/alerts.yml", "alerts", 1),
        ("demos/banking-fraud/postgres/replicate.yml", "replicate", 3),
        ("seeds/pipelines/landing.yml", "landing", 1),
    ])
    func shippedPipelinesAreRead(_ path: String, _ name: String, _ steps: Int) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var files: [String: String] = [:]
        let models = root.appendingPathComponent("demos/banking-fraud/models")
        for model in try FileManager.default.contentsOfDirectory(atPath: models.path) {
            files["models/\(model)"] = try String(
                contentsOf: models.appendingPathComponent(model), encoding: .utf8)
        }
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        let document = try parse(text, files: files)
        #expect(document.name == name)
        #expect(document.steps.count == steps)
        for step in document.steps where step.kind == "sql" {
            let sql = try step.options.cursor["sql"].string()
            #expect(!Statements.split(sql).isEmpty)
        }
    }

    @Test func valuesArePutInAndADoubledDollarStays() throws {
        let value: JSONValue = ["a": "x-${n}-$${n}-$", "b": ["${m}"], "c": 1]
        let result = try Substitution.apply(value, ["n": "1", "m": "2"])
        #expect(result == ["a": "x-1-${n}-$", "b": ["2"], "c": 1])
        #expect(throws: JobError.self) { try Substitution.apply(value, ["n": "1"]) }
    }
}
