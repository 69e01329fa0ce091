import Foundation
import Platform
import Synchronization
import Testing

@testable import Telemetry

@Suite("Telemetry")
struct TelemetryTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logger(_ format: LogDestination.Format, _ minimum: LogLevel = .notice) -> (
        Logger, Lines
    ) {
        let lines = Lines()
        let destination = LogDestination(
            minimum: minimum, format: format,
            clock: SettableClock(at: WallTime(microseconds: 1_700_000_000_123_456))
        ) { line in lines.all.withLock { $0.append(line) } }
        return (Logger(destination), lines)
    }

    @Test func `an event is one line of text`() {
        let (log, lines) = logger(.text)
        log.notice(
            "http.listening", "A door is open.",
            ["port": 8080, "who": "a b\nforged", "ok": true, "token": "\(Secret("hunter2"))"])
        #expect(
            lines.all.withLock { $0 } == [
                "2023-11-14T22:13:20.123Z notice http.listening: A door is open. port=8080 who=\"a b\\nforged\" ok=true token=<redacted>\n"
            ])
    }

    @Test func `an event is one line of JSON`() throws {
        let (log, lines) = logger(.json)
        log.error(
            "a.b", "It broke.",
            ["n": 1.5, "text": "\"q\"", "long": .string(String(repeating: "x", count: 5000))])
        let line = try #require(lines.all.withLock { $0.first })
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["event"] as? String == "a.b")
        #expect(object["level"] as? String == "error")
        #expect(object["text"] as? String == "\"q\"")
        #expect((object["long"] as? String)?.utf8.count ?? 0 < 4200)
    }

    @Test func `levels below the minimum say nothing and evaluate nothing`() {
        let (log, lines) = logger(.text, .warning)
        func never() -> LogValue {
            Issue.record("metadata was made for nothing")
            return ""
        }
        log.notice("a", "b", ["x": never()])
        log.warning("a", "b")
        #expect(lines.all.withLock { $0.count } == 1)
    }

    @Test func `a secret shows itself nowhere`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\(["k": secret])"] {
            #expect(!text.contains("hunter2"))
        }
        #expect(secret.reveal() == "hunter2")
    }

    private func sample() -> MetricsRegistry {
        let registry = MetricsRegistry()
        let requests = registry.counters(
            "lakehouse_http_requests_total", help: "Requests answered.",
            labels: ["method", "status"])
        requests.with("GET", "200").increment(by: 3)
        requests.with("A\"\\\n", "200").increment()
        registry.gauge("lakehouse_process_resident_bytes", help: "Memory.").set(2.5)
        registry.gauge("lakehouse_absent_bytes", help: "Not there.") { nil }
        registry.counter("lakehouse_process_cpu_seconds_total", help: "CPU time.") { 1.25 }
        let histogram = registry.histogram(
            "lakehouse_query_seconds", help: "Time.", bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
        return registry
    }

    @Test func `metrics are written as Prometheus reads them`() {
        #expect(
            sample().prometheusText() == """
                # HELP lakehouse_http_requests_total Requests answered.
                # TYPE lakehouse_http_requests_total counter
                lakehouse_http_requests_total{method="GET",status="200"} 3
                lakehouse_http_requests_total{method="A\\"\\\\\\n",status="200"} 1
                # HELP lakehouse_process_resident_bytes Memory.
                # TYPE lakehouse_process_resident_bytes gauge
                lakehouse_process_resident_bytes 2.5
                # HELP lakehouse_process_cpu_seconds_total CPU time.
                # TYPE lakehouse_process_cpu_seconds_total counter
                lakehouse_process_cpu_seconds_total 1.25
                # HELP lakehouse_query_seconds Time.
                # TYPE lakehouse_query_seconds histogram
                lakehouse_query_seconds_bucket{le="0.1"} 2
                lakehouse_query_seconds_bucket{le="1"} 3
                lakehouse_query_seconds_bucket{le="+Inf"} 4
                lakehouse_query_seconds_sum 7.65
                lakehouse_query_seconds_count 4

                """)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")))
    func `promtool finds nothing to say`() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/promtool")
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        input.fileHandleForWriting.write(Data(sample().prometheusText().utf8))
        try input.fileHandleForWriting.close()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(String(decoding: said, as: UTF8.self) == "")
        #expect(process.terminationStatus == 0)
    }

    @Test func `labels are bounded`() {
        let family = MetricsRegistry().counters(
            "lakehouse_test_things_total", help: "Things.", labels: ["name"])
        for index in 0..<1000 { family.with("\(index)").increment() }
        #expect(family.all.count == TelemetryLimits.labelSets + 1)
        #expect(family.with("other").current == Int64(1000 - TelemetryLimits.labelSets))
    }

    @Test func `declaring a metric again gives the same one`() {
        let registry = MetricsRegistry()
        registry.counter("lakehouse_test_things_total", help: "Things.").increment()
        #expect(registry.counter("lakehouse_test_things_total", help: "Things.").current == 1)
    }
}
