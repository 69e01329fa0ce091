import Vectors

extension ScalarFunction {
    /// Sizes and durations that people write, and maps of repeated keys.
    static let measures: [ScalarFunction] = [
        ScalarFunction(
            "parse_data_size", [.text], .decimal(precision: 38, scale: 0),
            "The bytes of a size such as 2.3MB; units are powers of 1024.",
            example: "parse_data_size('2.3MB')", canFail: true,
            kernel: unary { (text: Text) -> Int128 in
                let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
                guard let (value, scale, unit) = measure(text.string),
                    let power = units.firstIndex(of: unit)
                else { throw invalid("Invalid data size: '\(text.string)'") }
                let (product, overflow) = value.multipliedReportingOverflow(
                    by: (1 as Int128) << Int128(power * 10))
                let bytes = product / tenToThe(scale)
                guard !overflow, bytes < tenToThe(38) else {
                    throw outOfRange("Value out of range: '\(text.string)' ('\(power * 10)')")
                }
                return bytes
            }),
        ScalarFunction(
            "parse_duration", [.text], .intervalDayToSecond,
            "The interval of a duration such as 42.8ms; units ns, us, ms, s, m, h, d.",
            example: "parse_duration('3.81 d')", canFail: true,
            kernel: unary { (text: Text) -> Int64 in
                let units: [String: Double] = [
                    "ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000,
                    "d": 86_400_000,
                ]
                guard let (value, scale, unit) = measure(text.string), let factor = units[unit],
                    let number = Double(decimalText(value, scale: scale))
                else {
                    throw invalid("duration is not a valid data duration string: \(text.string)")
                }
                guard let result = Int64(exactly: (number * factor).rounded()) else {
                    throw outOfRange("duration out of range: \(text.string)")
                }
                return result
            }),
        ScalarFunction(
            "split_to_multimap", [.text, .text, .text], .map(key: .text, value: .array(.text)),
            "A map of entries to all values of their keys, by two delimiters.",
            example: "split_to_multimap('a=1,b=2,a=3', ',', '=')", canFail: true,
            kernel: { call in
                let inputs = (0..<3).map { call.input($0, as: Text.self) }
                call.lists { row, builder in
                    let (entryMark, valueMark) = (inputs[1][row].string, inputs[2][row].string)
                    guard !entryMark.isEmpty else { throw invalid("entryDelimiter is empty") }
                    guard !valueMark.isEmpty else { throw invalid("keyValueDelimiter is empty") }
                    guard entryMark != valueMark else {
                        throw invalid("entryDelimiter and keyValueDelimiter must not be the same")
                    }
                    var keys: [String] = []
                    var values: [String: [String]] = [:]
                    for entry in pieces(inputs[0][row], inputs[1][row], .max) where !entry.isEmpty {
                        guard let mark = entry.find(inputs[2][row]) else {
                            throw invalid(
                                "Key-value delimiter must appear exactly once in each entry. Bad "
                                    + "input: \(entry.string)")
                        }
                        let value = entry.slice(mark + inputs[2][row].count, entry.count)
                        guard value.find(inputs[2][row]) == nil else {
                            throw invalid(
                                "Key-value delimiter must appear exactly once in each entry. Bad "
                                    + "input: \(entry.string)")
                        }
                        let key = entry.slice(0, mark).string
                        if values[key] == nil { keys.append(key) }
                        values[key, default: []].append(value.string)
                    }
                    for key in keys {
                        builder.children[0].push(key)
                        guard let place = builder.children[1].reserve() else { break }
                        let start = builder.children[1].children[0].count
                        for value in values[key] ?? [] {
                            builder.children[1].children[0].push(value)
                        }
                        builder.children[1].put(builder.children[1].entry(from: start), place)
                    }
                    return true
                }
            }),
    ]

    /// The number and unit of a measure: digits, a point and at most 18 digits, blanks, letters.
    private static func measure(_ text: String) -> (value: Int128, scale: Int, unit: String)? {
        let trimmed = text.drop { $0 == " " }
        let number = trimmed.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = trimmed.dropFirst(number.count).filter { $0 != " " }
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count == 1 || !parts[1].isEmpty,
            let value = Int128(parts.joined()), parts.count == 1 || parts[1].utf8.count <= 18
        else { return nil }
        return (value, parts.count > 1 ? parts[1].utf8.count : 0, unit)
    }
}
