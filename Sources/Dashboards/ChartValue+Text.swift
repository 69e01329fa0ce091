import CivilTime

extension ChartValue {
    /// The value that a text of a SQL type stands for, as clients get it: `42` of `bigint`,
    /// `2026-11-21` of `date`; nil is NULL.
    ///
    /// Types without a case of their own (times, arrays, zoned timestamps) and texts that do not fit
    /// their type stay texts: nothing is lost or guessed.
    package init(text: String?, type: String) {
        guard let text else {
            self = .null
            return
        }
        let head = type.prefix { $0 != "(" }.lowercased()
        var value: ChartValue?
        switch head {
        case "bigint", "integer", "smallint", "tinyint":
            value = Int64(text).map { .integer($0) }
        case "double", "real": value = Double(text).map { .number($0) }
        case "decimal": value = Double(text) == nil ? nil : .decimal(text)
        case "boolean": value = Bool(text).map { .boolean($0) }
        case "date": value = CivilParse.date(text).map { .date($0) }
        case "timestamp" where !type.lowercased().hasSuffix("with time zone"):
            if let parsed = CivilParse.timestamp(text), parsed.zone == nil {
                value = .timestamp(parsed.microseconds)
            }
        default: break
        }
        self = value ?? .text(text)
    }
}
