import CivilTime

/// Dates as SQL writes them: `YYYY-MM-DD`, and the years of fewer or more than four digits that Trino
/// reads too, with or without a sign (`1-1-1`, `-0044-03-15`, `+12024-01-01`).
///
/// Files are read more strictly, since there `10-11-12` is rarely a day of year 10.
package enum DateText {
    /// Days since 1970-01-01, or nil if the text is no date.
    package static func days(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
        CivilParse.date(text) ?? shortOrLongYear(text)
    }

    /// See `days(_: UnsafeBufferPointer<UInt8>)`.
    package static func days(_ text: String) -> Int32? {
        var text = text
        return text.withUTF8 { days($0) }
    }

    private static func shortOrLongYear(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
        guard var rest = text.firstIndex(where: { !isBlank($0) }) else { return nil }
        var end = text.count
        while isBlank(text[end - 1]) { end -= 1 }
        let isNegative = text[rest] == UInt8(ascii: "-")
        if isNegative || text[rest] == UInt8(ascii: "+") { rest += 1 }
        var fields: [Int] = []
        for most in [9, 2, 2] {
            if !fields.isEmpty {
                guard rest < end, text[rest] == UInt8(ascii: "-") else { return nil }
                rest += 1
            }
            let start = rest
            var value = 0
            while rest < end, rest - start < most, text[rest] &- 48 < 10 {
                value = value * 10 + Int(text[rest] &- 48)
                rest += 1
            }
            guard rest > start else { return nil }
            fields.append(value)
        }
        guard rest == end else { return nil }
        let year = isNegative ? -fields[0] : fields[0]
        return CivilDate(validYear: year, month: fields[1], day: fields[2])?.days
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }
}
