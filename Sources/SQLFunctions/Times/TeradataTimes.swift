import CivilTime
import Vectors

/// A format of Teradata's date functions: `- / , . ; :` and blanks, dd, hh, hh24, mi, mm, ss, yyyy, yy.
private struct TeradataFormat {
    enum Part {
        case text(UInt8)
        case day, hour12, hour24, minute, month, second, year, shortYear
    }
    let parts: [Part]

    init(_ text: String) throws {
        let names: [(String, Part)] = [
            ("yyyy", .year), ("yy", .shortYear), ("hh24", .hour24), ("hh", .hour12), ("dd", .day),
            ("mi", .minute), ("mm", .month), ("ss", .second),
        ]
        var rest = Substring(text)
        var parts: [Part] = []
        while let first = rest.utf8.first {
            if "-/,.;: ".utf8.contains(first) {
                parts.append(.text(first))
                rest.removeFirst()
            } else if let (name, part) = names.first(where: {
                rest.prefix($0.0.count).lowercased() == $0.0
            }) {
                parts.append(part)
                rest.removeFirst(name.count)
            } else {
                throw invalid(
                    "Failed to tokenize string [\(text)] at offset [\(text.count - rest.count)]")
            }
        }
        self.parts = parts
    }

    func text(_ microseconds: Int64) -> String {
        let date = CivilDate(days: Microseconds.day(of: microseconds))
        let seconds = Int(Microseconds.timeOfDay(of: microseconds) / 1_000_000)
        return parts.map { part in
            switch part {
            case .text(let byte): String(Unicode.Scalar(byte))
            case .day: zeroPadded(Int(date.day), 2)
            case .month: zeroPadded(Int(date.month), 2)
            case .year: zeroPadded(Int(date.year), 4)
            case .shortYear: zeroPadded(Int(date.year) % 100, 2)
            case .hour24: zeroPadded(seconds / 3600, 2)
            case .hour12: zeroPadded((seconds / 3600 + 11) % 12 + 1, 2)
            case .minute: zeroPadded(seconds / 60 % 60, 2)
            case .second: zeroPadded(seconds % 60, 2)
            }
        }.joined()
    }

    /// Microseconds since 1970; nil when the text does not have the format.
    func read(_ text: Text) -> Int64? {
        var at = 0
        func number(_ digits: Int) -> Int? {
            var value = 0
            let start = at
            while at < text.count, at - start < digits, (48...57).contains(text[at]) {
                value = value * 10 + Int(text[at]) - 48
                at += 1
            }
            return at > start ? value : nil
        }
        var (year, month, day, hour, minute, second) = (1970, 1, 1, 0, 0, 0)
        for part in parts {
            switch part {
            case .text(let byte):
                guard at < text.count, text[at] == byte else { return nil }
                at += 1
            default:
                let isYear = if case .year = part { true } else { false }
                guard let value = number(isYear ? 4 : 2) else { return nil }
                switch part {
                case .day: day = value
                case .month: month = value
                case .year: year = value
                case .shortYear: year = 2000 + value
                case .hour24: hour = value
                case .hour12:
                    guard (1...12).contains(value) else { return nil }
                    hour = value % 12
                case .minute: minute = value
                case .second: second = value
                case .text: break
                }
            }
        }
        guard at == text.count, (1...12).contains(month), day >= 1,
            day <= daysInMonth(year: year, month: month), hour < 24, minute < 60,
            second < 60
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).days
        return Int64(days) * Microseconds.perDay
            + Int64(hour * 3600 + minute * 60 + second) * 1_000_000
    }
}

extension ScalarFunction {
    /// Teradata's functions of dates and texts.
    static let teradataTimes: [ScalarFunction] = [
        ScalarFunction(
            "to_char", [.timestamp(precision: 6), .text], .text,
            "The timestamp in a format of Teradata's.",
            example: "to_char(TIMESTAMP '2024-02-29 13:05:00', 'yyyy-mm-dd hh24:mi')",
            canFail: true,
            kernel: { call in
                let formats = call.input(1, as: Text.self)
                call.readMoments(0) { row, moment in
                    try TeradataFormat(formats[row].string).text(moment.microseconds)
                }
            }),
        ScalarFunction(
            "to_date", [.text, .text], .date, "The date that a text has in a format of Teradata's.",
            example: "to_date('2024/02/29', 'yyyy/mm/dd')", canFail: true,
            kernel: binary { (text: Text, format: Text) -> Int32 in
                Microseconds.day(of: try read(text, format))
            }),
        ScalarFunction(
            "to_timestamp", [.text, .text], .timestamp(precision: 3),
            "The timestamp that a text has in a format of Teradata's.",
            example: "to_timestamp('2024/02/29 13', 'yyyy/mm/dd hh24')", canFail: true,
            kernel: binary { (text: Text, format: Text) -> Int64 in try read(text, format) }),
    ]

    private static func read(_ text: Text, _ format: Text) throws -> Int64 {
        guard let value = try TeradataFormat(format.string).read(text) else {
            throw invalid("Invalid date format: '\(text.string)' is not '\(format.string)'")
        }
        return value
    }
}
