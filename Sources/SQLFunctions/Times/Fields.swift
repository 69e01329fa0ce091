import CivilTime
import Vectors

/// A field that functions and EXTRACT take out of dates, times and intervals.
private enum TimeField: Sendable {
    case year, quarter, month, week, day, dayOfWeek, dayOfYear, yearOfWeek
    case hour, minute, second, millisecond

    @inline(__always) func ofDay(_ days: Int32) -> Int64 {
        switch self {
        case .year: Int64(CivilDate(days: days).year)
        case .quarter: Int64(Calendar.quarter(days))
        case .month: Int64(CivilDate(days: days).month)
        case .week: Int64(Calendar.isoWeek(days).week)
        case .day: Int64(CivilDate(days: days).day)
        case .dayOfWeek: Int64(Calendar.dayOfWeek(days))
        case .dayOfYear: Int64(Calendar.dayOfYear(days))
        case .yearOfWeek: Int64(Calendar.isoWeek(days).year)
        case .hour, .minute, .second, .millisecond: 0
        }
    }

    @inline(__always) func ofTime(_ microseconds: Int64) -> Int64 {
        switch self {
        case .hour: microseconds / Microseconds.perHour
        case .minute: microseconds / Microseconds.perMinute % 60
        case .second: microseconds / Microseconds.perSecond % 60
        case .millisecond: microseconds / Microseconds.perMillisecond % 1000
        default: 0
        }
    }

    var isOfTime: Bool {
        switch self {
        case .hour, .minute, .second, .millisecond: true
        default: false
        }
    }

    func takes(_ type: LogicalType) -> Bool {
        switch type {
        case .date: !isOfTime
        case .timestamp, .timestampWithTimeZone: true
        case .time, .timeWithTimeZone: isOfTime
        case .intervalYearToMonth: self == .year || self == .month
        case .intervalDayToSecond: isOfTime || self == .day
        default: false
        }
    }

    /// The field of an interval, with the interval's sign.
    func ofInterval(months: Int32) -> Int64 {
        self == .year ? Int64(months / 12) : Int64(months % 12)
    }

    func ofInterval(milliseconds: Int64) -> Int64 {
        switch self {
        case .day: milliseconds / 86_400_000
        case .hour: milliseconds / 3_600_000 % 24
        case .minute: milliseconds / 60_000 % 60
        case .second: milliseconds / 1_000 % 60
        default: milliseconds % 1_000
        }
    }
}

extension ScalarFunction {
    static let fields: [ScalarFunction] = [
        field("year", .year, "The year.", example: "year(DATE '2024-02-29')"),
        field("quarter", .quarter, "The quarter, 1 to 4.", example: "quarter(DATE '2024-02-29')"),
        field("month", .month, "The month, 1 to 12.", example: "month(DATE '2024-02-29')"),
        field(
            "week", aliases: ["week_of_year"], .week, "The ISO week, 1 to 53.",
            example: "week(DATE '2024-02-29')"),
        field(
            "day", aliases: ["day_of_month"], .day, "The day of the month.",
            example: "day(DATE '2024-02-29')"),
        field(
            "day_of_week", aliases: ["dow"], .dayOfWeek, "The day of the week, 1 for Monday to 7.",
            example: "day_of_week(DATE '2024-02-29')"),
        field(
            "day_of_year", aliases: ["doy"], .dayOfYear, "The day of the year, 1 to 366.",
            example: "day_of_year(DATE '2024-02-29')"),
        field(
            "year_of_week", aliases: ["yow"], .yearOfWeek, "The year that the ISO week belongs to.",
            example: "year_of_week(DATE '2024-12-31')"),
        field(
            "hour", .hour, "The hour, 0 to 23.", example: "hour(TIMESTAMP '2024-02-29 13:14:15')"),
        field(
            "minute", .minute, "The minute of the hour.",
            example: "minute(TIMESTAMP '2024-02-29 13:14:15')"),
        field(
            "second", .second, "The second of the minute.",
            example: "second(TIMESTAMP '2024-02-29 13:14:15')"),
        field(
            "millisecond", .millisecond, "The millisecond of the second.",
            example: "millisecond(TIMESTAMP '2024-02-29 13:14:15.678')"),
        zoneField(
            "timezone_hour", "Hours of the time zone's offset.",
            example: "timezone_hour(TIMESTAMP '2024-02-29 13:14:15 +05:30')"
        ) { $0 / 60 },
        zoneField(
            "timezone_minute", "Minutes of the time zone's offset.",
            example: "timezone_minute(TIMESTAMP '2024-02-29 13:14:15 +05:30')"
        ) { $0 % 60 },
    ]

    private static func field(
        _ name: String, aliases: [String] = [], _ field: TimeField, _ summary: String,
        example: String
    ) -> ScalarFunction {
        ScalarFunction(
            name, aliases: aliases,
            .number(
                "date, time, timestamp or interval", fallback: .timestamp(precision: 3),
                accepts: { field.takes($0) }, result: { _ in .bigint }),
            summary, example: example,
            kernel: { call in
                let type = call.argumentTypes[0]
                switch type {
                case .date: call.unary { (days: Int32) in field.ofDay(days) }
                case .intervalYearToMonth:
                    call.unary { (months: Int32) in field.ofInterval(months: months) }
                case .intervalDayToSecond:
                    call.unary { (value: Int64) in field.ofInterval(milliseconds: value) }
                default:
                    call.readMoments(0) { _, moment in
                        field.isOfTime
                            ? field.ofTime(moment.timeOfDay) : field.ofDay(moment.day)
                    }
                }
            })
    }

    private static func zoneField(
        _ name: String, _ summary: String, example: String,
        _ part: @escaping @Sendable (Int) -> Int
    ) -> ScalarFunction {
        ScalarFunction(
            name,
            .number(
                "time or timestamp with time zone", fallback: .timestampWithTimeZone(precision: 3),
                accepts: { type in
                    switch type {
                    case .timestampWithTimeZone, .timeWithTimeZone: true
                    default: false
                    }
                }, result: { _ in .bigint }),
            summary, example: example, canFail: true,
            kernel: { call in
                if call.argumentTypes[0].isZonedTimestamp {
                    var zones = ZoneReader(call)
                    call.unary { (value: Int128) in
                        Int64(part(zones.offsetMinutes(Packed.zoned(value))))
                    }
                } else {
                    call.unary { (value: Int128) in Int64(part(Packed.zonedTime(value).offset)) }
                }
            })
    }
}
