/// Reads hours of the day: `before 9 am`, `after 18:00`, `between 22:00 and 6:00`. Only whole hours
/// that are written as such: a bare number is none.
struct ClockPhrases {
    let tokens: [Token]

    /// The hours that a phrase says, and how many tokens say it.
    func match(_ at: Int) -> (hours: [Int], length: Int)? {
        let first = lower(at)
        switch first {
        case "before", "until", "till":
            guard let (hour, length) = hour(at + 1), hour > 0 else { return nil }
            return (Array(0..<hour), 1 + length)
        case "after", "since":
            guard let (hour, length) = hour(at + 1), hour < 24 else { return nil }
            return (Array(hour..<24), 1 + length)
        case "between", "from":
            let joints: Set<String> =
                first == "between" ? ["and"] : ["to", "until", "till", "-", "–"]
            guard let (start, length) = hour(at + 1), start < 24,
                joints.contains(lower(at + 1 + length)), let (end, more) = hour(at + 2 + length),
                start != end
            else { return nil }
            let hours = start < end ? Array(start..<end) : Array(start..<24) + Array(0..<end)
            return (hours, 2 + length + more)
        default: return nil
        }
    }

    /// An hour of 24: `9 am`, `9am`, `18:00`.
    private func hour(_ at: Int) -> (Int, Int)? {
        guard tokens.indices.contains(at) else { return nil }
        if case .number(let value, isOrdinal: false) = tokens[at].kind, value.scale == 0,
            tokens[at].text.utf8.count <= 2
        {
            let hour = Int(value.unscaled)
            if lower(at + 1) == ":", tokens.indices.contains(at + 2), tokens[at + 2].text == "00",
                lower(at + 3) != ":"
            {
                return (0...24).contains(hour) ? (hour, 3) : nil
            }
            return Self.half(lower(at + 1), hour).map { ($0, 2) }
        }
        let word = tokens[at].lower
        let digits = word.prefix { $0.isASCII && $0.isNumber }
        guard let hour = Int(digits), digits.utf8.count <= 2 else { return nil }
        return Self.half(String(word.dropFirst(digits.count)), hour).map { ($0, 1) }
    }

    /// Hours of half a day.
    private static func half(_ suffix: String, _ hour: Int) -> Int? {
        guard (1...12).contains(hour) else { return nil }
        switch suffix {
        case "am": return hour % 12
        case "pm": return hour % 12 + 12
        default: return nil
        }
    }

    private func lower(_ at: Int) -> String {
        tokens.indices.contains(at) && tokens[at].kind != .quoted ? tokens[at].lower : ""
    }
}
