import Testing
import Vectors

@testable import SQLFunctions

struct TimeFunctionTests {
    static let second = LogicalType.timestamp(precision: 0)
    static let milli = LogicalType.timestamp(precision: 3)
    static let nano = LogicalType.timestamp(precision: 9)
    static let zoned = LogicalType.timestampWithTimeZone(precision: 3)

    @Test(arguments: [
        Case("year", [(.date, "2024-02-29")], "2024"),
        Case("month", [(milli, "2024-02-29 12:00:00")], "2"),
        Case("week", [(.date, "2024-12-31")], "1"),
        Case("yow", [(.date, "2024-12-31")], "2025"),
        Case("dow", [(.date, "2024-02-29")], "4"),
        Case("day_of_year", [(.date, "2024-12-31")], "366"),
        Case("hour", [(nano, "2024-02-29 13:14:15.123456789")], "13"),
        Case("hour", [(zoned, "2024-02-29 13:14:15 +05:30")], "13"),
        Case("timezone_minute", [(zoned, "2024-02-29 13:14:15 +05:30")], "30"),
        Case("millisecond", [(milli, "2024-02-29 13:14:15.678")], "678"),
        Case("day", [(.intervalDayToSecond, 200_000_000)], "2"),
        Case("$add_interval", [(.date, "2024-01-31"), (.intervalYearToMonth, 1)], "2024-02-29"),
        Case(
            "$subtract_interval", [(.date, "2024-01-01"), (.intervalDayToSecond, 86_400_000)],
            "2023-12-31"),
        Case(
            "$add_interval", [(milli, "2024-01-31 10:00:00"), (.intervalDayToSecond, 1_500)],
            "2024-01-31 10:00:01.500"),
        Case(
            "$add_interval",
            [(.time(precision: 0), "23:00:00"), (.intervalDayToSecond, 7_200_000)],
            "01:00:00.000"),
        Case("$subtract_times", [(.date, "2024-03-01"), (.date, "2024-02-01")], "29 00:00:00.000"),
        Case(
            "$interval_multiply", [(.intervalDayToSecond, 86_400_000), (.double, 1.5)],
            "1 12:00:00.000"),
        Case("$interval_negate", [(.intervalYearToMonth, 18)], "-1-6"),
        Case("date_trunc", [(.text, "month"), (.date, "2024-02-29")], "2024-02-01"),
        Case(
            "date_trunc", [(.text, "HOUR"), (zoned, "2024-02-29 13:14:15 +05:30")],
            "2024-02-29 13:00:00.000 +05:30"),
        Case("date_add", [(.text, "month"), (.bigint, 1), (.date, "2024-01-31")], "2024-02-29"),
        Case(
            "date_diff", [(.text, "day"), (.date, "2024-02-28"), (.date, "2024-03-01")], "2"),
        Case(
            "date_diff",
            [(.text, "hour"), (second, "2024-02-28 10:30:00"), (second, "2024-02-28 12:00:00")], "1"
        ),
        Case(
            "date_diff", [(.text, "month"), (.date, "2024-01-31"), (.date, "2024-02-29")], "1"),
        Case(
            "date_diff", [(.text, "month"), (.date, "2024-02-29"), (.date, "2024-01-30")], "-1"),
        Case(
            "date_diff", [(.text, "year"), (.date, "2000-02-29"), (.date, "2024-02-28")], "23"),
        Case(
            "date_diff",
            [(.text, "month"), (milli, "2024-01-15 12:00:00"), (milli, "2024-02-15 11:00:00")], "0"),
        Case("last_day_of_month", [(.date, "2024-02-01")], "2024-02-29"),
        Case("date", [(.text, "2024-02-29")], "2024-02-29"),
        Case("date", [(zoned, "2024-02-29 01:00:00 +05:30")], "2024-02-29"),
        Case("now", "2024-02-29 14:34:56.789 +02:00"),
        Case("current_date", "2024-02-29"),
        Case("localtimestamp", "2024-02-29 14:34:56.789"),
        Case(
            "date_format",
            [(milli, "2024-02-29 13:04:05.678"), (.text, "%Y-%m-%d %T.%f %W %b %j %l%p")],
            "2024-02-29 13:04:05.678000 Thursday Feb 060 1PM"),
        Case("date_parse", ["29.2.24 7:05", "%e.%c.%y %k:%i"], "2024-02-29 07:05:00.000"),
        Case("date_parse", ["20240229", "%Y%m%d"], "2024-02-29 00:00:00.000"),
        Case(
            "format_datetime",
            [(zoned, "2024-02-29 13:04:05 +05:30"), (.text, "yyyy-MM-dd'T'HH:mm ZZ EEE")],
            "2024-02-29T13:04 +05:30 Thu"),
        Case(
            "parse_datetime", ["20240229 1:05 PM +01:00", "yyyyMMdd h:mm a ZZ"],
            "2024-02-29 13:05:00.000 +01:00"),
        Case(
            "parse_datetime", ["2024-02-29 13", "yyyy-MM-dd HH"], "2024-02-29 13:00:00.000 +02:00"),
        Case("to_iso8601", [(milli, "2024-02-29 13:14:15")], "2024-02-29T13:14:15.000"),
        Case("to_iso8601", [(zoned, "2024-02-29 13:14:15 UTC")], "2024-02-29T13:14:15.000Z"),
        Case(
            "from_iso8601_timestamp", ["2024-02-29T13:14:15+01:00"],
            "2024-02-29 13:14:15.000 +01:00"),
        Case("from_iso8601_date", ["2024-W09-4"], "2024-02-29"),
        Case("from_unixtime", [(.double, 1.5)], "1970-01-01 02:00:01.500 +02:00"),
        Case(
            "from_unixtime", [(.double, 0), (.bigint, -3), (.bigint, -30)],
            "1969-12-31 20:30:00.000 -03:30"),
        Case("to_unixtime", [(zoned, "1970-01-01 01:00:00 +01:00")], "0.0"),
        Case(
            "at_timezone", [(zoned, "2024-02-29 12:00:00 UTC"), (.text, "+05:30")],
            "2024-02-29 17:30:00.000 +05:30"),
        Case(
            "with_timezone", [(milli, "2024-02-29 12:00:00"), (.text, "+05:30")],
            "2024-02-29 12:00:00.000 +05:30"),
        Case("human_readable_seconds", [(.double, 96)], "1 minute, 36 seconds"),
        Case("$current_user", "ann"),
        Case("$current_catalog", "NULL"),
    ])
    func results(_ test: Case) throws { try test.check() }

    @Test(arguments: [
        Case("date_trunc", [(.text, "hour"), (.date, "2024-02-29")], ""),
        Case("date_trunc", [(.text, "eon"), (milli, "2024-02-29")], ""),
        Case("$add_interval", [(.date, "2024-02-29"), (.intervalDayToSecond, 1)], ""),
        Case("date_parse", ["2024-02", "%Y-%m-%d"], ""),
        Case("date_parse", ["2024-02-30", "%Y-%m-%d"], ""),
        Case("at_timezone", [(zoned, "2024-02-29 12:00:00 UTC"), (.text, "Nowhere/Land")], ""),
    ])
    func failures(_ test: Case) throws {
        #expect {
            try evaluate(test.name, test.arguments)
        } throws: { ($0 as? QueryFault)?.code == .invalidFunctionArgument }
    }
}
