import CivilTime
import Vectors

extension ScalarFunction {
    static let timeTexts: [ScalarFunction] = [
        formatting(
            "date_format", "The timestamp as text by MySQL's format.",
            example: "date_format(TIMESTAMP '2024-02-29 13:14:15', '%Y-%m-%d')",
            { try TimePattern(mysql: $0) }),
        formatting(
            "format_datetime", "The timestamp as text by Joda's pattern.",
            example: "format_datetime(TIMESTAMP '2024-02-29 13:14:15', 'yyyy-MM-dd')",
            { try TimePattern(joda: $0) }),
        ScalarFunction(
            "date_parse", [.text, .text], .timestamp(precision: 3),
            "The timestamp in a text of MySQL's format.",
            example: "date_parse('2024/02/29', '%Y/%m/%d')", canFail: true,
            kernel: { call in
                var patterns = PatternReader(call) { try TimePattern(mysql: $0) }
                let texts = call.input(0, as: Text.self)
                call.rows { row in
                    let moment = try TimePatternReader.read(
                        texts[row], try patterns.pattern(row), zone: .utc)
                    return moment.microseconds - floorRemainder(moment.microseconds, 1_000)
                }
            }),
        ScalarFunction(
            "parse_datetime", [.text, .text], .timestampWithTimeZone(precision: 3),
            "The timestamp in a text of Joda's pattern, in the session's zone if it names none.",
            example: "parse_datetime('2024-02-29 13:14', 'yyyy-MM-dd HH:mm')", canFail: true,
            kernel: { call in
                var patterns = PatternReader(call) { try TimePattern(joda: $0) }
                let texts = call.input(0, as: Text.self)
                var zones = ZoneReader(call)
                let zone = call.context.zone
                call.rows { row in
                    var moment = try TimePatternReader.read(
                        texts[row], try patterns.pattern(row), zone: zone)
                    moment.microseconds -= floorRemainder(moment.microseconds, 1_000)
                    return Packed.zoned(zones.utc(moment))
                }
            }),
        ScalarFunction(
            "to_iso8601",
            .number(
                "date or timestamp", fallback: .timestamp(precision: 3),
                accepts: { $0 == .date || $0.isTimestamp }, result: { _ in .text }),
            "The value as ISO 8601 writes it.", example: "to_iso8601(DATE '2024-02-29')",
            kernel: toISO8601),
        ScalarFunction(
            "from_iso8601_timestamp", [.text], .timestampWithTimeZone(precision: 3),
            "The timestamp in a text of ISO 8601, in the session's zone if it names none.",
            example: "from_iso8601_timestamp('2024-02-29T13:14:15Z')", canFail: true,
            kernel: { call in fromISO8601(call, precision: 3) }),
        ScalarFunction(
            "from_iso8601_timestamp_nanos", [.text], .timestampWithTimeZone(precision: 9),
            "The timestamp in a text of ISO 8601, to the nanosecond.",
            example: "from_iso8601_timestamp_nanos('2024-02-29T13:14:15.123456789Z')",
            canFail: true, kernel: { call in fromISO8601(call, precision: 9) }),
        ScalarFunction(
            "from_iso8601_date", [.text], .date, "The day in a text of ISO 8601.",
            example: "from_iso8601_date('2024-W09-4')", canFail: true,
            kernel: unary { (text: Text) -> Int32 in
                guard let day = ISO8601Reader.date(text) else {
                    throw invalid("Invalid format: \"\(text.string)\"")
                }
                return day
            }),
        ScalarFunction(
            "human_readable_seconds", [.double], .text, "Seconds as weeks, days, hours and so on.",
            example: "human_readable_seconds(3762)", canFail: true,
            kernel: unary { (seconds: Double) in try humanReadable(seconds) }),
    ]

    private static func formatting(
        _ name: String, _ summary: String, example: String,
        _ compile: @escaping @Sendable (String) throws -> TimePattern
    ) -> ScalarFunction {
        ScalarFunction(
            name,
            .values("timestamp, varchar", "varchar") { types in
                guard types.count == 2 else { return nil }
                let type =
                    types[0] == .unknown || types[0] == .date ? .timestamp(precision: 3) : types[0]
                return type.isTimestamp ? ([type, .text], .text) : nil
            }, summary, example: example, canFail: true,
            kernel: { call in
                var patterns = PatternReader(call, compile)
                var zones = ZoneReader(call)
                let isZoned = call.argumentTypes[0].isZonedTimestamp
                let zone = isZoned ? .utc : call.context.zone
                call.readMoments(0) { row, local in
                    var moment = local
                    if !isZoned { moment.zone = zone }
                    let offset = zones.offsetMinutes(zones.utc(moment))
                    return try patterns.pattern(row).format(moment, offsetMinutes: offset)
                }
            })
    }
}

/// Compiles the patterns of the second argument, remembering the last.
private struct PatternReader {
    private let texts: Input<StringView>
    private let compile: (String) throws -> TimePattern
    private var last: (text: StringView, pattern: TimePattern)?

    init(_ call: KernelCall, _ compile: @escaping (String) throws -> TimePattern) {
        texts = call.input(1)
        self.compile = compile
    }

    mutating func pattern(_ row: Int) throws -> TimePattern {
        let text = texts[row]
        if let last, last.text == text { return last.pattern }
        let pattern = try compile(text.string)
        last = (text, pattern)
        return pattern
    }
}

private let toISO8601: ScalarFunction.Kernel = { call in
    let type = call.argumentTypes[0]
    let precision: Int =
        switch type {
        case .timestamp(let precision), .timestampWithTimeZone(let precision): precision
        default: 0
        }
    var zones = ZoneReader(call)
    call.readMoments(0) { _, moment in
        if type == .date { return CivilFormat.date(moment.day) }
        var text = CivilFormat.date(moment.day) + "T"
        text += CivilFormat.time(
            moment.timeOfDay, picoseconds: moment.picoseconds, precision: precision)
        guard type.isZonedTimestamp else { return text }
        let offset = zones.offsetMinutes(zones.utc(moment))
        if offset == 0 { return text + "Z" }
        return text + (offset < 0 ? "-" : "+") + zeroPadded(Int(offset.magnitude) / 60, 2) + ":"
            + zeroPadded(Int(offset.magnitude) % 60, 2)
    }
}

private func fromISO8601(_ call: KernelCall, precision: Int) {
    var zones = ZoneReader(call)
    let zone = call.context.zone
    call.unary { (text: Text) -> Int128 in
        guard let parsed = ISO8601Reader.timestamp(text),
            let rounded = TimestampPrecision.round(
                parsed.microseconds, picoseconds: parsed.picoseconds, to: precision)
        else { throw invalid("Invalid format: \"\(text.string)\"") }
        return Packed.zoned(
            zones.utc(
                Moment(
                    microseconds: rounded.microseconds, picoseconds: rounded.picoseconds,
                    zone: parsed.zone ?? zone)))
    }
}

private func humanReadable(_ seconds: Double) throws -> String {
    guard seconds.isFinite, seconds.magnitude < 9e15 else {
        throw invalid("Invalid argument found: \(seconds)")
    }
    var rest = Int64(seconds.magnitude)
    var pieces: [String] = []
    for (unit, length) in [
        ("week", 604_800 as Int64), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1),
    ] {
        let count = rest / length
        rest %= length
        if count > 0 || (unit == "second" && pieces.isEmpty) {
            pieces.append("\(count) \(unit)\(count == 1 ? "" : "s")")
        }
    }
    return pieces.joined(separator: ", ")
}
