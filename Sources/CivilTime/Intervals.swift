/// A field of an interval literal or of EXTRACT's interval forms.
package enum IntervalField: String, Sendable, CaseIterable {
    case year, month, week, day, hour, minute, second

    /// Milliseconds of the day-to-second fields.
    var milliseconds: Int64 {
        switch self {
        case .year, .month: 0
        case .week: 604_800_000
        case .day: 86_400_000
        case .hour: 3_600_000
        case .minute: 60_000
        case .second: 1_000
        }
    }
}

/// An interval literal's value: its two kinds do not mix.
package enum CivilInterval: Sendable, Hashable {
    case months(Int64)
    case milliseconds(Int64)

    /// Reads the quoted part of `INTERVAL 'text' from [TO to]`, such as `3`, `1-6` or `2 03:04:05.678`.
    ///
    /// Throws `.invalidInterval` when text and fields do not fit or the value leaves 64 bits.
    package init(
        _ text: String, from: IntervalField, to: IntervalField? = nil
    ) throws(CivilTimeError) {
        guard let value = CivilInterval.parse(text, from, to ?? from) else {
            let range = to.map { "\(from.rawValue) to \($0.rawValue)" } ?? from.rawValue
            throw CivilTimeError(
                code: .invalidInterval, message: "invalid interval \(range): \(text)",
                hint: "write INTERVAL '3' DAY, INTERVAL '1-6' YEAR TO MONTH "
                    + "or INTERVAL '2 03:04:05.678' DAY TO SECOND")
        }
        self = value
    }

    private static func parse(
        _ text: String, _ from: IntervalField, _ to: IntervalField
    ) -> CivilInterval? {
        var rest = Array(text.utf8)[...]
        while rest.first == 32 { rest = rest.dropFirst() }
        while rest.last == 32 { rest = rest.dropLast() }
        var negative = false
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            negative = rest.first == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        let order = IntervalField.allCases.filter { $0 != .week }
        let fields: ArraySlice<IntervalField>
        if from == to {
            fields = [from]
        } else if let first = order.firstIndex(of: from), let last = order.firstIndex(of: to),
            first < last, (from == .year) == (to == .month)
        {
            fields = order[first...last]
        } else {
            return nil
        }
        var months: Int128 = 0
        var milliseconds: Int128 = 0
        for (position, field) in fields.enumerated() {
            if position > 0 {
                let separator: UInt8 =
                    field == .month ? UInt8(ascii: "-") : field == .hour ? 32 : UInt8(ascii: ":")
                guard rest.first == separator else { return nil }
                rest = rest.dropFirst()
            }
            var value: Int64 = 0
            var digits = 0
            while let byte = rest.first, byte >= 48, byte <= 57 {
                guard digits < 18 else { return nil }
                value = value * 10 + Int64(byte) - 48
                digits += 1
                rest = rest.dropFirst()
            }
            guard digits > 0 else { return nil }
            // Fields after the first stay in their range.
            if position > 0 {
                let limit: Int64 = field == .month ? 12 : field == .hour ? 24 : 60
                guard value < limit else { return nil }
            }
            switch field {
            case .year: months += Int128(value) * 12
            case .month: months += Int128(value)
            default: milliseconds += Int128(value) * Int128(field.milliseconds)
            }
            if field == .second, rest.first == UInt8(ascii: ".") {
                rest = rest.dropFirst()
                var scale: Int128 = 100
                guard !rest.isEmpty else { return nil }
                while let byte = rest.first, byte >= 48, byte <= 57 {
                    milliseconds += Int128(byte - 48) * scale
                    scale /= 10
                    rest = rest.dropFirst()
                }
            }
        }
        guard rest.isEmpty else { return nil }
        if from == .year || from == .month {
            return Int64(exactly: negative ? -months : months).map { .months($0) }
        }
        return Int64(exactly: negative ? -milliseconds : milliseconds).map { .milliseconds($0) }
    }

    /// `1-6` or `2 03:04:05.678`, with a leading minus, as Trino writes interval values.
    package var text: String {
        switch self {
        case .months(let months):
            let magnitude = months.magnitude
            return "\(months < 0 ? "-" : "")\(magnitude / 12)-\(magnitude % 12)"
        case .milliseconds(let milliseconds):
            let magnitude = milliseconds.magnitude
            let time = CivilFormat.time(Int64(magnitude % 86_400_000) * 1_000, precision: 3)
            return "\(milliseconds < 0 ? "-" : "")\(magnitude / 86_400_000) \(time)"
        }
    }
}
