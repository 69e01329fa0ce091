import CivilTime
import Diagnostics
import JSON
package import Platform
import Synchronization

/// How much an event matters.
package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, notice, warning, error

    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        }
    }

    package init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One value of an event's metadata.
package enum LogValue: Sendable, Hashable, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
    case string(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)

    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(_ value: some BinaryInteger) { self = .int(Int64(clamping: value)) }
    /// The error's own description: faults give message, code and hint.
    package init(_ error: any Error) { self = .string("\(error)") }
    package init(_ text: String) { self = .string(text) }
}

/// Where log lines go, and which.
package final class LogDestination: Sendable {
    package enum Format: Sendable { case text, json }

    private struct Settings {
        var format: Format
        var write: @Sendable (String) -> Void
    }
    private let minimum: Atomic<Int>
    private let settings: Mutex<Settings>
    private let clock: any WallClock

    package init(
        minimum: LogLevel = .notice, format: Format = .text,
        clock: any WallClock = SystemWallClock(),
        write: @escaping @Sendable (String) -> Void = { Terminal.write($0, to: .error) }
    ) {
        self.minimum = Atomic(minimum.rawValue)
        settings = Mutex(Settings(format: format, write: write))
        self.clock = clock
    }

    /// The process's own destination: standard error.
    package static let standard = LogDestination()

    /// Changes level and format while running.
    package func configure(minimum: LogLevel, format: Format) {
        self.minimum.store(minimum.rawValue, ordering: .relaxed)
        settings.withLock { $0.format = format }
    }

    func accepts(_ level: LogLevel) -> Bool { level.rawValue >= minimum.load(ordering: .relaxed) }

    func write(
        _ level: LogLevel, _ name: StaticString, _ sentence: StaticString,
        _ metadata: KeyValuePairs<String, LogValue>
    ) {
        let time = CivilFormat.rfc3339(utc: clock.now().microseconds)
        let (format, write) = settings.withLock { ($0.format, $0.write) }
        write(
            format == .json
                ? Self.json(time, level, name, sentence, metadata)
                : Self.text(time, level, name, sentence, metadata))
    }

    private static func text(
        _ time: String, _ level: LogLevel, _ name: StaticString, _ sentence: StaticString,
        _ metadata: KeyValuePairs<String, LogValue>
    ) -> String {
        var line = "\(time) \(level.name) \(name): \(sentence)"
        for (key, value) in metadata {
            let text: String =
                switch value {
                case .string(let text):
                    text.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D || $0 == 0x7F }
                        || text.isEmpty
                        ? quoted(text) : cut(text)
                case .int(let number): "\(number)"
                case .double(let number): "\(number)"
                case .bool(let flag): "\(flag)"
                }
            line += " \(key)=\(text)"
        }
        return line + "\n"
    }

    private static func json(
        _ time: String, _ level: LogLevel, _ name: StaticString, _ sentence: StaticString,
        _ metadata: KeyValuePairs<String, LogValue>
    ) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("time", time)
        writer.member("level", level.name)
        writer.member("event", "\(name)")
        writer.member("message", "\(sentence)")
        for (key, value) in metadata {
            writer.member(key)
            switch value {
            case .string(let text): writer.string(cut(text))
            case .int(let number): writer.int(number)
            case .double(let number): writer.double(number)
            case .bool(let flag): writer.bool(flag)
            }
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    /// JSON's quotes: one line whatever the text holds, so nobody can forge a second one.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        appendJSONString(cut(text), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > TelemetryLimits.logValueBytes else { return text }
        return String(decoding: text.utf8.prefix(TelemetryLimits.logValueBytes), as: UTF8.self)
            + "…"
    }
}

/// Says what happens. Cheap to copy; below the destination's level a call costs nanoseconds.
package struct Logger: Sendable {
    private let destination: LogDestination
    package init(_ destination: LogDestination = .standard) { self.destination = destination }

    /// Writes one event: a fixed dotted name, a constant sentence, and the values that belong to it.
    package func log(
        _ level: LogLevel, _ name: StaticString, _ sentence: StaticString,
        _ metadata: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        guard destination.accepts(level) else { return }
        destination.write(level, name, sentence, metadata())
    }

    /// One event at the level of the function's name; `fields` are its values, secrets are redacted
    /// by type.
    package func debug(
        _ name: StaticString, _ sentence: StaticString,
        _ metadata: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.debug, name, sentence, metadata()) }

    /// One event at the level `info`.
    package func info(
        _ name: StaticString, _ sentence: StaticString,
        _ metadata: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.info, name, sentence, metadata()) }

    /// One event at the level `notice`.
    package func notice(
        _ name: StaticString, _ sentence: StaticString,
        _ metadata: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.notice, name, sentence, metadata()) }

    /// One event at the level `warning`.
    package func warning(
        _ name: StaticString, _ sentence: StaticString,
        _ metadata: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.warning, name, sentence, metadata()) }

    /// One event at the level `error`.
    package func error(
        _ name: StaticString, _ sentence: StaticString,
        _ metadata: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.error, name, sentence, metadata()) }
}
