import CivilTime
import Testing

@Suite struct TextTests {
    @Test(arguments: [
        ("2024-02-29", "2024-02-29"), (" 2024-2-9 ", "2024-02-09"),
        ("+12024-01-01", "+12024-01-01"),
        ("-0044-03-15", "-0044-03-15"), ("0000-01-01", "0000-01-01"),
    ])
    func datesRoundTrip(text: String, expected: String) throws {
        #expect(CivilFormat.date(try #require(CivilParse.date(text))) == expected)
    }

    @Test(arguments: [
        "", "2024", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00",
        "24-01-01",
        "2024-01-01x", "2024-001-01", "99999999-01-01", "2024/01/01", "-", "2024-01-", "２０２４-01-01",
    ])
    func badDatesAreNil(text: String) { #expect(CivilParse.date(text) == nil) }

    @Test(arguments: [
        ("2024-02-29 23:59:59.123456789012", 12, "2024-02-29 23:59:59.123456789012"),
        ("2024-02-29T01:02", 0, "2024-02-29 01:02:00"),
        ("2024-02-29", 3, "2024-02-29 00:00:00.000"),
        ("1969-12-31 23:59:59.9999999999999", 6, "1970-01-01 00:00:00.000000"),
        ("-0001-01-01 00:00:00.5", 1, "-0001-01-01 00:00:00.5"),
    ])
    func timestampsRoundTrip(text: String, precision: Int, expected: String) throws {
        let parsed = try #require(CivilParse.timestamp(text))
        #expect(
            CivilFormat.timestamp(
                parsed.microseconds, picoseconds: parsed.picoseconds, precision: precision)
                == expected)
    }

    @Test(arguments: [
        ("2024-01-01 00:00:00 UTC", "UTC"), ("2024-01-01 00:00:00Z", "UTC"),
        ("2024-01-01 00:00:00+05:30", "+05:30"), ("2024-01-01 europe/vienna", "Europe/Vienna"),
        ("2024-01-01 10:00 -0300", "-03:00"), ("2024-01-01 00:00:00 GMT+1", "+01:00"),
    ])
    func zonesAreRead(text: String, zone: String) {
        #expect(CivilParse.timestamp(text)?.zone?.name == zone)
    }

    @Test(arguments: [
        "2024-01-01 25:00", "2024-01-01 00:60", "2024-01-01 00:00:00.", "2024-01-01 x", "T",
    ])
    func badTimestampsAreNil(text: String) { #expect(CivilParse.timestamp(text) == nil) }

    @Test func roundingIsHalfUp() throws {
        let table: [(Int64, Int32, Int, Int64, Int32)] = [
            (1_500_000, 0, 0, 2_000_000, 0), (1_499_999, 0, 0, 1_000_000, 0),
            (-1_500_000, 0, 0, -1_000_000, 0), (5, 999_999, 6, 6, 0), (5, 499_999, 6, 5, 0),
            (5, 123_456, 9, 5, 123_000), (5, 123_500, 9, 5, 124_000), (5, 999_500, 9, 6, 0),
        ]
        for (micros, picos, precision, expectedMicros, expectedPicos) in table {
            let rounded = try #require(
                TimestampPrecision.round(micros, picoseconds: picos, to: precision))
            #expect(rounded == (expectedMicros, expectedPicos))
        }
        #expect(TimestampPrecision.round(.max, to: 0) == nil)
    }

    @Test func wireFormsRoundTrip() throws {
        let second: Int64 = 784_111_777
        #expect(CivilFormat.httpDate(utcSecond: second) == "Sun, 06 Nov 1994 08:49:37 GMT")
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            #expect(CivilParse.httpDate(text) == second, "\(text)")
        }
        for text in [
            "", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "a b c d e f",
        ] {
            #expect(CivilParse.httpDate(text) == nil, "\(text)")
        }
        let time = try #require(CivilParse.rfc3339("2024-02-29T23:59:59.25+01:00"))
        #expect(CivilFormat.rfc3339(utc: time) == "2024-02-29T22:59:59.250Z")
        #expect(CivilFormat.iso8601Basic(utc: time) == "20240229T225959Z")
        #expect(CivilParse.iso8601Basic("20240229T225959Z") == time - 250_000)
        #expect(CivilParse.iso8601Basic("20240230T225959Z") == nil)
        #expect(CivilParse.rfc3339("2024-02-29T23:59:59") == nil)
    }

    @Test func intervalsAreReadAndWritten() throws {
        let table: [(String, IntervalField, IntervalField?, String)] = [
            ("3", .day, nil, "3 00:00:00.000"), ("1-6", .year, .month, "1-6"),
            ("-14", .month, nil, "-1-2"),
            ("2 03:04:05.678", .day, .second, "2 03:04:05.678"),
            ("36", .hour, nil, "1 12:00:00.000"),
            ("12:30", .minute, .second, "0 00:12:30.000"),
            ("-1.5", .second, nil, "-0 00:00:01.500"),
            ("2", .week, nil, "14 00:00:00.000"),
        ]
        for (text, from, to, expected) in table {
            #expect(try CivilInterval(text, from: from, to: to).text == expected)
        }
        for (text, from, to) in [
            ("x", IntervalField.day, nil), ("", .day, nil), ("1-13", .year, .month),
            ("1", .year, .day),
            ("1 25", .day, .hour), ("99999999999999999999", .day, nil), ("1", .second, .day),
        ] as [(String, IntervalField, IntervalField?)] {
            let error = #expect(throws: CivilTimeError.self) {
                try CivilInterval(text, from: from, to: to)
            }
            #expect(error?.code == .invalidInterval)
        }
        #expect(CivilInterval.milliseconds(.min).text == "-106751991167 07:12:55.808")
    }
}
